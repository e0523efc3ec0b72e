"""What the numbers say: verdict, criteria, scenario, overfitting, controls, cost and recommendation.

Pure functions from the rows of comparison.json to more of comparison.json. The bands are the ones agreed beforehand:
strong above 15 points, moderate 5 to 15, rejected below 5. Nothing here reads a test result to make a choice of model:
the best arm is the one with the best validation accuracy.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from virshort.inference.estimates import MINIMUM_EFFECTIVE, WARN_EFFECTIVE

MODERATE, STRONG = 5.0, 15.0
BANDS = ("rejected", "moderate", "strong")
ARTICLE = {"rejected": "less than 5 points", "moderate": "5 to 15 points", "strong": "more than 15 points"}
FALL_ON_FULL = 2.0  # points on full-length windows that a remedy may cost before we advise two models
ENOUGH = 0.70  # test accuracy asked for
BY_HEART = 0.90  # training accuracy from which a test near chance means overfitting
NEAR_CHANCE = 0.10  # above the share of the larger label
Row = Mapping[str, Any]


def band(points: float) -> str:
    """The band of a difference in percentage points; 5 and 15 themselves are moderate."""
    return "strong" if points > STRONG else "moderate" if points >= MODERATE else "rejected"


def bands_touched(low: float, high: float) -> list[str]:
    """The bands that the interval [low, high] reaches into, from the lowest up."""
    return list(BANDS[BANDS.index(band(low)) : BANDS.index(band(high)) + 1])


def percent(value: float | None, digits: int = 1) -> str:
    return "unknown" if value is None else f"{100 * value:.{digits}f} %"


def span(interval: Sequence[float] | None, scale: float = 1.0, digits: int = 1) -> str:
    """An interval as "16.0 to 20.6", or that there is none."""
    if interval is None:
        return "no interval"
    return f"{scale * interval[0]:.{digits}f} to {scale * interval[1]:.{digits}f}"


def gained(difference: Row) -> str:
    """A difference as "+18.3 points (95 % interval 16.0 to 20.6)"."""
    ci = difference["ci95"]
    return f"{difference['points']:+.1f} points" + (f" (95 % interval {span(ci)})" if ci else "")


def find(rows: Sequence[Row], arm: str | None, test_set: str) -> Row | None:
    """The row of an arm on a test set, if it was run and had windows."""
    return next((r for r in rows if r["arm"] == arm and r["test_set"] == test_set and r["windows"]), None)


def best_arm(training: Sequence[Row]) -> dict[str, Any]:
    """The arm with the highest validation accuracy (short windows, mean over folds and replicates), controls excluded.

    `training`: entries with arm, role and selection {accuracy, ...} or None. Ties go to the first in arms.json.
    """
    known = [t for t in training if t["role"] != "control" and (t.get("selection") or {}).get("accuracy") is not None]
    ranked = sorted(known, key=lambda t: -t["selection"]["accuracy"])
    candidates = [{"arm": t["arm"], "validation_accuracy": t["selection"]["accuracy"]} for t in ranked]
    return {
        "arm": candidates[0]["arm"] if candidates else None,
        "chosen_by": "validation accuracy on short windows",
        "candidates": candidates,
    }


def verdict(rows: Sequence[Row], best: str | None, length: str) -> dict[str, Any]:
    """`finetune` against `baseline` on the test set `short`: the verdict, its interval and whether it is certain.

    `length`: how the short windows are called in sentences, as "150 bp". `verdict` is None where an arm is missing.
    """
    fine, base = find(rows, "finetune", "short"), find(rows, "baseline", "short")
    empty = {
        "verdict": None,
        "difference_points": None,
        "ci95": None,
        "certain": False,
        "baseline_accuracy": None,
        "finetuned_accuracy": None,
        "best_arm": best,
        "bands": [],
        "level": None,
        "interval_at_level": None,
        "p": None,
        "effective_clusters": None,
    }
    if base is not None:
        empty["baseline_accuracy"] = base["metrics"]["accuracy"]["mean"]
    if fine is not None:
        empty["finetuned_accuracy"] = fine["metrics"]["accuracy"]["mean"]
    difference = fine and fine["difference_to_baseline"]
    if not difference:
        absent = " and ".join(f"'{n}'" for n, row in (("finetune", fine), ("baseline", base)) if row is None) or "'short'"
        reason = (
            f"The verdict compares 'finetune' with 'baseline' on short windows, and {absent} was not run: no "
            f"verdict is claimed for another arm."
        )
        return {**empty, "headline": "No verdict", "reason": reason}
    points, at_level = difference["points"], difference["interval_at_level"]
    name = band(points)
    touched = bands_touched(*at_level) if at_level else []
    certain = touched == [name]
    effective = fine["effective_clusters"]
    weakest = min([n for n in effective.values() if n], default=0.0)
    level = percent(difference["level"], 2).replace(".00", "")
    if certain:
        headline = f"{name.capitalize()}, and certain"
        reason = f"The whole {level} interval ({span(at_level)} points) lies in the band of {ARTICLE[name]}."
    elif at_level:
        headline = f"{name.capitalize()} by the estimate, but undecided between {_join(touched)}"
        reason = (
            f"The {level} interval ({span(at_level)} points) reaches from {touched[0]} to {touched[-1]}: more clusters "
            f"would narrow it."
        )
    elif weakest < MINIMUM_EFFECTIVE:
        headline = f"{name.capitalize()} by the estimate, but not certain"
        reason = (
            f"There are only {weakest:.1f} effective clusters of a label: under {MINIMUM_EFFECTIVE:.0f} no interval "
            f"can be trusted, "
            "and none is given."
        )
    else:
        headline = f"{name.capitalize()} by the estimate, but not certain"
        reason = "The difference is the same in every cluster, so there is no spread from which to make an interval."
    return {
        **empty,
        "verdict": name,
        "difference_points": points,
        "ci95": difference["ci95"],
        "certain": certain,
        "bands": touched,
        "level": difference["level"],
        "interval_at_level": at_level,
        "p": difference["p"],
        "effective_clusters": effective,
        "headline": headline,
        "reason": reason,
        "length": length,
    }


def pretrained(training: Sequence[Row]) -> dict[str, Any] | None:
    """Where the baseline's head comes from, if it was not trained here, and what that leaves open: {file, form, sha256,
    sentence}."""
    origin = next((t["pretrained"] for t in training if t["role"] == "baseline" and t.get("pretrained")), None)
    if origin is None:
        return None
    text = (
        f"The baseline is a pretrained head ({origin['file']}). Whether it has seen the test sources, or near relatives of "
        f"them, in its own training is not known here. If it has, its accuracy is too high and the gain over it is too low, "
        f"and the arms that start from it share its advantage."
    )
    return {**origin, "sentence": text}


def answer(v: Row, rows: Sequence[Row], best: str | None, given: Row | None = None) -> str:
    """The first paragraph of the report: what was asked, what came out, how sure it is. given: from `pretrained`."""
    if v["verdict"] is None:
        return v["reason"]
    below = (
        "" if (v["finetuned_accuracy"] or 0) >= ENOUGH else f", though accuracy stays below the {percent(ENOUGH, 0)} asked for"
    )
    what = {
        "strong": f"raining on short windows helps much{below}" if below else "raining on short windows mends the classifier",
        "moderate": "raining on short windows helps, though it does not mend everything",
        "rejected": "raining on short windows does not mend the classifier",
    }[v["verdict"]]
    what = f"T{what}" if v["certain"] else f"By the estimate, t{what} (not certain)"
    way = "rises" if v["difference_points"] >= 0 else "falls"
    unseen = "held out from this run's training" if given else "never seen in training"
    text = (
        f"{what}. On {v['length']} windows of sources {unseen}, accuracy {way} from "
        f"{percent(v['baseline_accuracy'])} "
        f"(baseline) to {percent(v['finetuned_accuracy'])} (finetune): "
        f"{gained({'points': v['difference_points'], 'ci95': v['ci95']})}. {v['reason']}"
    )
    row = find(rows, best, "short")
    if row is not None and best not in ("finetune", "baseline") and row["difference_to_baseline"]:
        d = row["difference_to_baseline"]
        text += (
            f" The best arm on validation is {best}: {percent(row['metrics']['accuracy']['mean'])} on test, "
            f"{gained(d)} against the baseline."
        )
    elif best == "baseline":
        text += " On validation no remedy beats the baseline."
    return text


def criteria(row: Row | None, training_accuracy: float | None) -> list[dict[str, Any]]:
    """The success criteria set beforehand: {name, target, value, ci95, met (None: not known), note}."""
    metrics = row["metrics"] if row else {}

    def entry(name: str, target: str, low: float, value: float | None, ci: Any, high: float = 1.0) -> dict[str, Any]:
        note = "above the range asked for" if value is not None and value > high else ""
        return {
            "name": name,
            "target": target,
            "value": value,
            "ci95": ci,
            "met": None if value is None else value >= low,
            "note": note,
        }

    def measured(name: str, target: str, low: float, key: str, high: float = 1.0) -> dict[str, Any]:
        m = metrics.get(key) or {}
        return entry(name, target, low, m.get("mean"), m.get("ci95"), high)

    return [
        entry("Training accuracy", "80 % or more", 0.80, training_accuracy, None),
        measured("Test accuracy", "70 % or more", ENOUGH, "accuracy"),
        measured("Precision", "70 % or more", 0.70, "precision"),
        measured("Recall", "80 to 90 %", 0.80, "recall", 0.90),
        measured("F1", "75 % or more", 0.75, "f1"),
    ]


def overfitting(rows: Sequence[Row], training: Sequence[Row]) -> list[dict[str, Any]]:
    """Arms that learned their training windows by heart: 90 % or more there with a test accuracy near chance.

    The test is of the kind the arm was trained on, so that a classifier of long sequences is not called overfitted for
    failing on short ones.
    """
    found = []
    for t in training:
        test_set = "full" if t.get("windows") == "full" else "short"
        row = find(rows, t["arm"], test_set)
        last, test = t.get("last_training_accuracy"), row["metrics"]["accuracy"]["mean"] if row else None
        if t["role"] == "control" or last is None or test is None or last < BY_HEART:
            continue
        chance = max(row["shares"].values())
        if test > chance + NEAR_CHANCE:
            continue
        best_epoch, run, dropout, windows = (t.get(k) for k in ("best_epoch", "epochs_run", "dropout", "training_windows"))
        remedies = [
            f"fewer epochs (the best one was {best_epoch:.0f} of {run:.0f})" if best_epoch and run else "fewer epochs",
            "dropout 0.2" if dropout is None or dropout < 0.2 else f"more dropout than {dropout:g}",
            f"more data, from further clusters (now {windows:,.0f} windows)" if windows else "more data, from further clusters",
        ]
        text = (
            f"{t['arm']} learned its training windows by heart: {percent(last)} right there, {percent(test)} on test "
            f"({test_set}), where guessing gives {percent(chance)}. Try {', '.join(remedies)}."
        )
        found.append(
            {
                "arm": t["arm"],
                "training_accuracy": last,
                "test_accuracy": test,
                "chance": chance,
                "remedies": remedies,
                "sentence": text,
            }
        )
    return found


def cost(rows: Sequence[Row], arm: str | None) -> dict[str, Any] | None:
    """What an arm gains or loses on full-length windows against the baseline; None where not measured."""
    row = find(rows, arm, "full")
    if row is None or not row["difference_to_baseline"]:
        return None
    d = row["difference_to_baseline"]
    if d["ci95"] is None:
        sure = "no interval can be given"
    elif d["ci95"][1] < 0:
        sure = "a loss beyond chance"
    elif d["ci95"][0] > 0:
        sure = "a gain beyond chance"
    else:
        sure = "no difference beyond chance"
    text = f"On full-length windows {arm} against the baseline: {gained(d)}, {sure}."
    return {
        "arm": arm,
        "points": d["points"],
        "ci95": d["ci95"],
        "accuracy": row["metrics"]["accuracy"]["mean"],
        "sentence": text,
    }


def recommendation(rows: Sequence[Row], best: str | None) -> str:
    """Which arm to use, from the gain on short windows and the cost on full-length ones."""
    if best is None:
        return "No arm has validation results: nothing is recommended."
    if best == "baseline":
        return "Keep the baseline: on validation no remedy was better on short windows."
    short, full = find(rows, best, "short"), cost(rows, best)
    gain = short and short["difference_to_baseline"]
    if not gain:
        return f"Use {best}: it was the best on validation. There is no baseline to weigh it against."
    if gain["points"] <= 0 or (gain["ci95"] and gain["ci95"][0] <= 0):
        text = f"{best} was the best on validation, but on test its gain is not beyond chance: {gained(gain)}"
    else:
        text = f"For short reads use {best}: {gained(gain)} against the baseline"
    if full is None:
        return text + ". Its cost on full-length sequences was not measured."
    if full["points"] < -FALL_ON_FULL:
        balance = "the gain outweighs the loss" if gain["points"] > -full["points"] else "the loss outweighs the gain"
        return text + (
            f". On full-length windows the change is {gained(full)}: {balance} where both lengths count equally; "
            "keep the baseline for sequences of 500 bp and more."
        )
    return text + f". On full-length windows it costs next to nothing: {gained(full)}. One model can serve both."


def controls(
    rows: Sequence[Row], best: str | None, shuffled: Mapping[str, Any] | None, untranslated: Sequence[Row] = ()
) -> dict[str, Any]:
    """What the controls say. `shuffled`: {auroc, ci95} of shuffled_labels on `short`, with the noise of all models;
    untranslated: contrasts of arms whose protein encoder was fed bases with their twins."""
    found: dict[str, Any] = {"gc": None, "shuffled_labels": None, "untranslated": None}
    gc, top = find(rows, "gc", "short"), find(rows, best, "short")
    if gc is not None:
        accuracy, auroc = gc["metrics"]["accuracy"]["mean"], gc["metrics"]["auroc"]["mean"]
        text = (
            f"GC content alone reaches {percent(accuracy)} (AUROC {_number(auroc)}) on short windows: that much "
            f"is mere composition."
        )
        if top is not None and best != "gc":
            text += f" {best} adds {100 * (top['metrics']['accuracy']['mean'] - accuracy):.1f} points to it."
        found["gc"] = {"accuracy": accuracy, "auroc": auroc, "sentence": text}
    if shuffled is not None:
        ci = shuffled["ci95"]
        holds = None if ci is None else bool(ci[0] <= 0.5 <= ci[1])
        value = f"AUROC {_number(shuffled['auroc'])}" + (f", 95 % interval {span(ci, 1, 3)}" if ci else "")
        if holds:
            text = f"Trained on shuffled labels the classifier ends at chance ({value}): no sign of a leak."
        elif holds is None:
            text = f"Trained on shuffled labels: {value}. No interval can be given, so whether that is chance is not decided."
        else:
            text = (
                f"LEAK? Trained on shuffled labels the classifier should end at AUROC 0.5, and does not "
                f"({value}): do not trust the other figures before this is explained."
            )
        found["shuffled_labels"] = {"auroc": shuffled["auroc"], "ci95": ci, "holds_chance": holds, "sentence": text}
    if untranslated:
        costs = "; ".join(f"{c['arm']} {gained(c)} on {c['test_set']}" for c in untranslated)
        found["untranslated"] = {"sentence": f"Fed bases instead of residues, at the length they were trained on: {costs}."}
    return found


def protein_by_length(contrasts: Sequence[Row]) -> list[str]:
    """From which length on the protein features help finetune: a sentence from finetune less dna_only along the sweep."""
    found = sorted(
        (int(c["test_set"][7:]), c)
        for c in contrasts
        if (c["arm"], c["against"]) == ("finetune", "dna_only") and c["test_set"].startswith("length_")
    )
    if not found:
        return []
    helps = [n for n, c in found if c["ci95"] and c["ci95"][0] > 0]
    harms = [n for n, c in found if c["ci95"] and c["ci95"][1] < 0]
    text = "; ".join(f"{n} bp {gained(c)}" for n, c in found)
    said = f"beyond chance at {_join([str(n) for n in helps])} bp" if helps else "beyond chance at no length"
    worse = f", and do harm at {_join([str(n) for n in harms])} bp" if harms else ""
    return [f"Protein features (finetune less dna_only) help {said}{worse}: {text}."]


def votes(details: Mapping[str, Mapping[str, Any]], rows: Sequence[Row], best: str | None) -> str | None:
    """How far votes of short windows get with the best arm, against the baseline on full-length windows."""
    found = (details.get(best or "", {}).get("short") or {}).get("voting") or {}
    if not found.get("votes"):
        return None
    one, most = found["votes"][0], found["votes"][-1]
    text = (
        f"With {best}, {most['windows']} windows of one source reach {percent(most['accuracy'])} where one alone reaches "
        f"{percent(one['accuracy'])}."
    )
    full = find(rows, "baseline", "full")
    if full is None:
        return text
    target = full["metrics"]["accuracy"]["mean"]
    enough = next((v["windows"] for v in found["votes"] if v["accuracy"] >= target), None)
    if enough:
        return f"{text} {enough} are enough for the {percent(target)} of the baseline on a full-length window."
    return f"{text} The baseline on one full-length window has {percent(target)}, which no number of votes here reaches."


def leakage_summary(leakage: Mapping[str, Any] | None, training: Sequence[Row], given: Row | None = None) -> dict[str, Any]:
    """The audit in a sentence, and by arm: the share of its short test windows with an exact k-mer in training windows.

    An arm that starts from the baseline has seen the baseline's training windows as well as its own; what a pretrained
    baseline (`given`) has seen, no audit knows.
    """
    if leakage is None:
        return {"ok": None, "limit": None, "worst": None, "by_arm": [], "sentence": "The leakage audit was not run."}
    pairs = [s for s in leakage.get("summary") or leakage.get("sets", []) if s.get("share") is not None]
    worst = max(pairs, key=lambda s: s["share"], default=None)
    ok, limit, k = leakage.get("ok"), leakage.get("limit"), leakage.get("k", 31)
    if worst is None:
        text = leakage.get("message", "The leakage audit compared no windows.")
    elif worst["shared_windows"] == 0:
        text = f"No test window shares an exact {k}-mer with a window it was trained on: training and test are apart."
    else:
        text = (
            f"At most {percent(worst['share'], 2)} of the windows of a test set ({worst['test_set']}) share an exact "
            f"{k}-mer with "
            f"a training window of their split"
        )
        text += f" (limit {percent(limit, 2)})." if limit is not None else "."
        if not ok:
            text = f"LEAKAGE ABOVE THE LIMIT. {text} The accuracies are better than they would be on new sequences."
    if given and worst:
        text += " The audit covers this run's training windows, not what the pretrained head was trained on."
    base = next((t.get("windows") for t in training if t["role"] == "baseline"), None)
    by_arm = []
    for t in training:
        seen = {t.get("windows")} | ({base} if t.get("start") == "baseline" else set())
        shares = [s["share"] for s in pairs if s["test_set"] == "short" and s["train_set"] in seen]
        by_arm.append({"arm": t["arm"], "train_sets": sorted(w for w in seen if w), "share": max(shares, default=None)})
    return {"ok": ok, "limit": limit, "worst": dict(worst) if worst else None, "by_arm": by_arm, "sentence": text}


def scenario(
    v: Row, rows: Sequence[Row], best: str | None, training: Sequence[Row], contrasts: Sequence[Row]
) -> dict[str, Any] | None:
    """Confirmed, partial or rejected, and the next steps that these numbers suggest."""
    if v["verdict"] is None:
        return None
    name = {"strong": "confirmed", "moderate": "partial", "rejected": "rejected"}[v["verdict"]]
    title = {
        "confirmed": "Confirmed: the training distribution was the main cause",
        "partial": "Partly confirmed: training on short windows helps, and something else limits as well",
        "rejected": "Rejected: training on short windows is not what was missing",
    }[name]
    steps: list[str] = []
    if not v["certain"]:
        title = f"By the estimate {title[0].lower()}{title[1:]}. Not yet certain"
        steps.append(
            "First make it certain: add sources from further clusters (more windows of the same ones do not narrow "
            "the interval)."
        )
    top = find(rows, best, "short")
    steps += {"confirmed": _confirmed_steps, "partial": _partial_steps, "rejected": _rejected_steps}[name](
        v, rows, best, training
    )
    steps += _contrast_steps(contrasts)
    rare = top and next((p for p in top["precision_at_prevalence"] if p["prevalence"] == 0.01), None)
    if rare and rare["precision"] < 0.5:
        steps.append(
            f"Mind the base rate: where 1 % of the reads are viral, only {percent(rare['precision'])} of the viral "
            f"calls of {best} "
            "would be right. Raise the threshold or confirm the calls."
        )
    return {"name": name, "title": title, "certain": v["certain"], "next_steps": steps}


def warnings(rows: Sequence[Row], leakage: Row, control: Row, given: Row | None = None) -> list[str]:
    """What a reader must know before trusting the figures, each once, most serious first."""
    found = []
    if leakage["ok"] is False:
        found.append(leakage["sentence"])
    shuffled = control["shuffled_labels"]
    if shuffled and shuffled["holds_chance"] is False:
        found.append(shuffled["sentence"])
    if given:
        found.append(given["sentence"])
    seen = {}
    for row in rows:
        if row["windows"]:
            seen.setdefault(row["test_set"], row)
        else:
            found.append(f"{row['arm']} on {row['test_set']}: no windows, nothing to compare.")
    few: dict[str, dict[str, float]] = {}
    for test_set, row in seen.items():
        least = min((n for n in row["effective_clusters"].values() if n), default=WARN_EFFECTIVE)
        if least < WARN_EFFECTIVE:
            tail = "no intervals are given" if least < MINIMUM_EFFECTIVE else "intervals are wide and rough"
            few.setdefault(tail, {})[test_set] = least
    for tail, sets in few.items():
        least, most = (f"{f(sets.values()):.1f}" for f in (min, max))
        count = least if least == most else f"{least} to {most}"
        found.append(
            f"Test set{'s' if len(sets) > 1 else ''} {_join(sorted(sets, key=list(seen).index))}: only {count} effective "
            f"clusters of a label (clusters are of unequal size): {tail}."
        )
    single = sorted({r["arm"] for r in rows if r["windows"] and r["replicates"] == 1 and r["role"] != "control"})
    if single:
        found.append(f"A single replicate of {_join(single)}: the intervals do not include the noise of training.")
    one_sided = sorted({r["arm"] for r in rows if any(n.startswith("It calls every window") for n in r["notes"])})
    if one_sided:
        found.append(f"{_join(one_sided)} gave every window of a test set the same label.")
    return found


def _confirmed_steps(v: Row, rows: Sequence[Row], best: str | None, training: Sequence[Row]) -> list[str]:  # noqa: ARG001
    steps = [f"Classify short reads with {best}, chosen on validation."]
    loss = cost(rows, best)
    if loss and loss["points"] < -FALL_ON_FULL:
        other = cost(rows, "multilength") if best != "multilength" else None
        if other and other["points"] > loss["points"]:
            short = find(rows, "multilength", "short")
            reached = f" and {percent(short['metrics']['accuracy']['mean'])} on short windows" if short else ""
            steps.append(
                f"Where one model must serve all lengths, consider multilength: {other['points']:+.1f} points on "
                f"full length{reached}."
            )
        else:
            steps.append("Use two models by length: this one for short reads, the baseline for 500 bp and more.")
    row = find(rows, best, "short")
    if row:
        open_ = [_lower(c["name"]) for c in criteria(row, _training_accuracy(training, best)) if c["met"] is False]
        if open_:
            steps.append(
                f"Still short of its target: {_join(open_)}. More training windows and more sources come before a larger model."
            )
    return steps


def _partial_steps(v: Row, rows: Sequence[Row], best: str | None, training: Sequence[Row]) -> list[str]:  # noqa: ARG001
    steps = []
    name = best if best and best != "baseline" else "finetune"
    steps.append(f"Use {name} for short reads, and look at what limits it.")
    row, learned = find(rows, name, "short"), _training_accuracy(training, name)
    if row and learned is not None:
        gap = 100 * (learned - row["metrics"]["accuracy"]["mean"])
        if gap > 10:
            steps.append(
                f"It does {gap:.0f} points better on its training windows than on test: more sources (further "
                f"clusters), dropout 0.2, fewer epochs."
            )
        else:
            steps.append(
                f"Training and test accuracy are {abs(gap):.0f} points apart: it does not overfit, so more epochs, "
                f"more windows (scratch) or richer features can help."
            )
    steps += [
        f"Run {n} too: it was not among the arms."
        for n in ("scratch", "multilength")
        if find(rows, n, "short") is None and find(rows, name, "full")
    ]
    return steps + _longer(rows, name)


def _rejected_steps(v: Row, rows: Sequence[Row], best: str | None, training: Sequence[Row]) -> list[str]:  # noqa: ARG001
    steps = []
    if v["baseline_accuracy"] >= ENOUGH:
        steps.append(
            f"The baseline already reaches {percent(v['baseline_accuracy'])} on short windows: there was little to mend."
        )
    better = [
        r
        for r in rows
        if r["test_set"] == "short"
        and r["role"] == "remedy"
        and r["arm"] != "finetune"
        and (d := r["difference_to_baseline"])
        and d["points"] >= MODERATE
        and d["ci95"]
        and d["ci95"][0] > 0
    ]
    for r in better:
        d = r["difference_to_baseline"]
        steps.append(f"{r['arm']} does help ({gained(d)}): the training matters, but fine-tuning the baseline is not the way.")
    gc, top = find(rows, "gc", "short"), find(rows, best, "short")
    if gc and top:
        more = 100 * (top["metrics"]["accuracy"]["mean"] - gc["metrics"]["accuracy"]["mean"])
        if more < MODERATE:
            steps.append(
                f"The best arm is {more:+.1f} points from GC content alone: the models read little more than "
                f"composition from windows this short."
            )
    if not better:
        steps.append("If no arm gains, the information in such short windows is the limit: classify longer units.")
    return steps + _longer(rows, best)


def _longer(rows: Sequence[Row], arm: str | None) -> list[str]:
    """The shortest length of the sweep at which an arm reaches the 70 % asked for, if it does not at the short one."""
    short = find(rows, arm, "short")
    if short is None or short["metrics"]["accuracy"]["mean"] >= ENOUGH:
        return []
    sweep = sorted(
        (int(r["test_set"].split("_")[1]), r["metrics"]["accuracy"]["mean"])
        for r in rows
        if r["arm"] == arm and r["test_set"].startswith("length_") and r["metrics"]["accuracy"]["mean"] is not None
    )
    enough = next(((n, a) for n, a in sweep if a >= ENOUGH), None)
    if enough:
        return [
            f"{arm} reaches {percent(enough[1])} from {enough[0]} bp on: merge pairs, assemble, or let several reads "
            f"of one source vote."
        ]
    return ["No length of the sweep reaches 70 % with this arm: look at sources and labels before lengths."] if sweep else []


def _contrast_steps(contrasts: Sequence[Row]) -> list[str]:
    steps = []
    for c in contrasts:
        if c["test_set"] != "short" or c["ci95"] is None or c["ci95"][0] > 0:
            continue
        if (c["arm"], c["against"]) == ("finetune", "dna_only"):
            steps.append(
                f"Protein features add nothing beyond chance to finetune (against dna_only {gained(c)}): dna_only is cheaper."
            )
        if c["against"] == "kmer":
            steps.append(
                f"{c['arm']} is not beyond chance better than k-mer frequencies ({gained(c)}): weigh the cost of its encoder."
            )
    return steps


def _training_accuracy(training: Sequence[Row], arm: str | None) -> float | None:
    return next((t["training_accuracy"] for t in training if t["arm"] == arm), None)


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"


def _lower(name: str) -> str:
    return name if name.isupper() or name == "F1" else name.lower()


def _join(words: Sequence[str], last: str = "and") -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def training_summary(
    arm: Mapping[str, Any], models: Sequence[tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]]
) -> dict[str, Any]:
    """One arm's models in a row: means over folds and replicates. `models`: pairs of model.json and history.json."""

    def mean(values: list[Any]) -> float | None:
        known = [float(v) for v in values if v is not None]
        return float(np.mean(known)) if known else None

    selections = [m.get("selection") or {} for m, _ in models]
    keys = sorted({k for s in selections for k in s})
    chosen = [_epoch(m, h) for m, h in models]
    return {
        "arm": arm["name"],
        "role": arm.get("role", "remedy"),
        "windows": arm.get("windows"),
        "start": arm.get("start"),
        "pretrained": next((m["pretrained"] for m, _ in models if m.get("pretrained")), None),
        "models": len(models),
        "training_accuracy": mean([e["train"]["accuracy"] for e in chosen if e]),
        "last_training_accuracy": mean([h[-1]["train"]["accuracy"] for _, h in models if h]),
        "selection": {k: mean([s.get(k) for s in selections]) for k in keys} or None,
        "best_epoch": mean([m.get("best_epoch") for m, _ in models]),
        "epochs_run": mean([m.get("epochs_run") for m, _ in models]),
        "training_windows": mean([m.get("training_windows") for m, _ in models]),
        "validation_windows": mean([m.get("validation_windows") for m, _ in models]),
        "trained_parameters": mean([m.get("trained_parameters") for m, _ in models]),
        "dropout": mean([(m.get("architecture") or {}).get("dropout") for m, _ in models]),
    }


def _epoch(model: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The epoch whose weights were kept, else the last one."""
    if not history:
        return None
    return next((h for h in history if h.get("epoch") == model.get("best_epoch")), history[-1])
