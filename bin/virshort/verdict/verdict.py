"""The verdict: whether training on short windows fixes the classifier, and how certain that is.

A gain above 15 points is strong, one of 5 to 15 points is moderate, and below 5 points the remedy is rejected. These bands
were fixed before any result was known.
"""

from collections.abc import Sequence

from virshort.inference.estimates import MINIMUM_EFFECTIVE
from virshort.verdict.rows import compared_in_words, frequent_label, is_balanced, row_of
from virshort.verdict.schema import ArmRow, Pretrained, Verdict
from virshort.verdict.wording import interval_in_words, listed, names_in_words, percent, points_in_words, quoted, with_interval

MODERATE, STRONG = 5.0, 15.0
BANDS = ("rejected", "moderate", "strong")
RANGES = {"rejected": "less than 5 points", "moderate": "5 to 15 points", "strong": "more than 15 points"}


def band(points: float) -> str:
    """The band of a difference in percentage points; 5 and 15 themselves are moderate."""
    return "strong" if points > STRONG else "moderate" if points >= MODERATE else "rejected"


def bands_touched(low: float, high: float) -> list[str]:
    """The bands that the interval [low, high] reaches into, from the lowest to the highest."""
    return list(BANDS[BANDS.index(band(low)) : BANDS.index(band(high)) + 1])


def give_verdict(rows: Sequence[ArmRow], best: str | None, length: str) -> Verdict:
    """Compare `finetune` with `baseline` on the test set `short`.

    `length`: what the short windows are called in sentences, such as "150 bp". `verdict` is None where an arm is missing.
    """
    fine, base = row_of(rows, "finetune", "short"), row_of(rows, "baseline", "short")
    difference = fine["difference_to_baseline"] if fine else None
    v: Verdict = {
        "verdict": None,
        "difference_points": None,
        "ci95": None,
        "certain": False,
        "baseline_accuracy": base["metrics"]["accuracy"]["mean"] if base else None,
        "finetuned_accuracy": fine["metrics"]["accuracy"]["mean"] if fine else None,
        "best_arm": best,
        "bands": [],
        "level": None,
        "interval_at_level": None,
        "p": None,
        "effective_clusters": None,
        "viral_share": None,
        "balanced": None,
        "length": length,
        "headline": "No verdict",
        "reason": "",
    }
    if fine is None or difference is None:
        missing = [name for name, row in (("finetune", fine), ("baseline", base)) if row is None]
        v["reason"] = (
            f"The verdict compares 'finetune' with 'baseline' on short windows, but there is no result of "
            f"{names_in_words(missing) if missing else 'short windows'}; no verdict is claimed for another arm."
        )
        return v
    name, at_level = band(difference["points"]), difference["interval_at_level"]
    touched = bands_touched(*at_level) if at_level else []
    v |= {
        "verdict": name,
        "difference_points": difference["points"],
        "ci95": difference["ci95"],
        "certain": touched == [name] and is_balanced(fine),
        "bands": touched,
        "level": difference["level"],
        "interval_at_level": at_level,
        "p": difference["p"],
        "effective_clusters": fine["effective_clusters"],
        "viral_share": fine["shares"]["viral"],
        "balanced": is_balanced(fine),
    }
    v["headline"], v["reason"] = _headline(v, fine), _reason(v, fine)
    return v


def _headline(v: Verdict, fine: ArmRow) -> str:
    name = str(v["verdict"]).capitalize()
    if not v["balanced"]:
        label, share = frequent_label(fine)
        return f"Undecided: with {percent(share)} {label} windows, accuracy does not answer the question"
    if v["certain"]:
        return f"{name}, and certain"
    if v["interval_at_level"]:
        return f"{name} by the estimate, but undecided between {listed(v['bands'])}"
    return "Undecided: no interval can be given"


def _reason(v: Verdict, fine: ArmRow) -> str:
    """Why the verdict is certain, undecided, or not to be had."""
    at_level, touched = v["interval_at_level"], v["bands"]
    if not v["balanced"]:
        label, share = frequent_label(fine)
        difference = fine["difference_to_baseline"]
        auroc = difference["auroc"] if difference else None
        text = (
            f"Always answering {label} would be correct for {percent(share)} of these windows, so the bands of 5 and 15 points "
            f"of accuracy do not hold: test on about equally many windows of each label for a verdict."
        )
        if difference is None or auroc is None:
            return text
        change = with_interval(f"{auroc:+.3f}", difference["auroc_ci95"], digits=3)
        return f"{text} AUROC, which does not depend on the shares of the labels, changes by {change}."
    if at_level:
        interval = f"{percent(v['level'], 2).replace('.00', '')} interval ({interval_in_words(at_level)} points)"
        if v["certain"]:
            return f"The whole {interval} lies within the band of {RANGES[touched[0]]}."
        return f"The {interval} reaches from {touched[0]} to {touched[-1]}; data from more clusters would narrow it."
    fewest = min((n for n in fine["effective_clusters"].values() if n), default=0.0)
    if fewest < MINIMUM_EFFECTIVE:
        return (
            f"One label has only {fewest:.1f} effective clusters. With fewer than {MINIMUM_EFFECTIVE:.0f} an interval cannot "
            f"be trusted, so none is given and nothing is concluded."
        )
    return "The difference is the same in every cluster, so there is no spread from which to compute an interval."


def answer(
    v: Verdict, rows: Sequence[ArmRow], best: str | None, minimum_accuracy: float, pretrained: Pretrained | None = None
) -> str:
    """The first paragraph of the report: what was asked, what came out, and how certain it is.

    `minimum_accuracy`: the test accuracy that the user asks for.
    """
    before, after, points = v["baseline_accuracy"], v["finetuned_accuracy"], v["difference_points"]
    if v["verdict"] is None or before is None or after is None or points is None:
        return v["reason"]
    unseen = "held out from this run's training" if pretrained else "never seen in training"
    change = f"{'rises' if points > 0 else 'falls'} from {percent(before)} ('baseline') to {percent(after)} ('finetune')"
    if percent(before) == percent(after):
        change = f"is {percent(before)} with 'baseline' and with 'finetune'"
    gain = points_in_words({"points": points, "ci95": v["ci95"]})
    sentences = [
        _finding(v, minimum_accuracy),
        f"On {v['length']} windows of sources {unseen}, accuracy {change}: {gain}.",
        v["reason"],
    ]
    row = row_of(rows, best, "short")
    if best == "baseline":
        sentences.append("In validation, no remedy does better than the baseline.")
    elif best != "finetune" and row is not None and (d := row["difference_to_baseline"]):
        accuracy = percent(row["metrics"]["accuracy"]["mean"])
        sentences.append(
            f"The best arm in validation is {quoted(row['arm'])}, with {accuracy} on the test windows; it "
            f"{compared_in_words(d, 'the baseline')}."
        )
    return " ".join(sentences)


def _finding(v: Verdict, minimum_accuracy: float) -> str:
    """The outcome in one sentence."""
    reached = (v["finetuned_accuracy"] or 0.0) >= minimum_accuracy
    asked = f"the {percent(minimum_accuracy, 0)} asked for"
    if not v["balanced"]:
        return "These test windows cannot show whether training on short windows helps, because one label is too frequent."
    if not v["interval_at_level"]:
        return "Whether training on short windows helps cannot be decided, because no interval can be given."
    harm = v["ci95"] is not None and v["ci95"][1] < 0
    if v["certain"]:
        if v["verdict"] == "strong":
            if reached:
                return "Training on short windows fixes the classifier."
            return f"Training on short windows helps a great deal, but accuracy stays below {asked}."
        if v["verdict"] == "moderate":
            return "Training on short windows helps, but it does not solve the whole problem."
        if harm:
            return "Training on short windows makes the classifier worse."
        return "Training on short windows does not fix the classifier."
    if v["verdict"] == "strong":
        if reached:
            return "The estimate suggests that training on short windows fixes the classifier, but this is not certain."
        return (
            f"The estimate suggests that training on short windows helps a great deal but leaves accuracy below {asked}; this "
            f"is not certain."
        )
    if v["verdict"] == "moderate":
        return "The estimate suggests that training on short windows helps, but this is not certain."
    return "The estimate suggests that training on short windows does not fix the classifier, but this is not certain."
