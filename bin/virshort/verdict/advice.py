"""What to do with the results: what the best arm costs on long sequences, which arm to use, and the next steps.

Nothing is recommended that an interval does not support.
"""

from collections.abc import Sequence

from virshort.verdict.criteria import Criteria, judge
from virshort.verdict.rows import compared_in_words, contrast_of, frequent_label, gains, is_balanced, lengths, loses, row_of
from virshort.verdict.schema import ArmRow, Contrast, Cost, Scenario, TrainingSummary, Verdict
from virshort.verdict.verdict import MODERATE
from virshort.verdict.wording import (
    counted,
    listed,
    percent,
    percent_in_words,
    points_in_words,
    quoted,
    with_interval,
)

TOLERATED = 2.0  # points on full-length windows that a remedy may cost and still serve as the only model
GAP = 10.0  # points between training and test accuracy from which an arm overfits
KEEP = "Keep the baseline for sequences of 500 bp and more"


def cost_of(rows: Sequence[ArmRow], arm: str | None) -> Cost | None:
    """What an arm gains or loses on full-length windows compared with the baseline; None if that was not measured."""
    row = row_of(rows, arm, "full")
    if row is None or row["difference_to_baseline"] is None:
        return None
    d = row["difference_to_baseline"]
    return {
        "arm": row["arm"],
        "points": d["points"],
        "ci95": d["ci95"],
        "accuracy": row["metrics"]["accuracy"]["mean"],
        "sentence": f"On full-length windows, {quoted(row['arm'])} {compared_in_words(d, 'the baseline')}.",
    }


def recommend(rows: Sequence[ArmRow], best: str | None) -> str:
    """Which arm to use, from its gain on short windows and its cost on full-length ones."""
    if best is None:
        return "Nothing is recommended, because no arm has validation results."
    if best == "baseline":
        return "Keep the baseline: in validation, no remedy was better on short windows."
    name = quoted(best)
    short, cost = row_of(rows, best, "short"), cost_of(rows, best)
    gain = short["difference_to_baseline"] if short else None
    if short is None or gain is None:
        return (
            f"Nothing is recommended: {name} is the best arm in validation, but it cannot be compared with a baseline on short "
            f"test windows."
        )
    if not is_balanced(short):
        label, share = frequent_label(short)
        return (
            f"Nothing is recommended: {percent(share)} of the short test windows are {label}, so accuracy cannot show whether "
            f"{name}, the best arm in validation, is better than the baseline."
        )
    if gain["ci95"] is None:
        return (
            f"Nothing is recommended: {name} is the best arm in validation, but without an interval its difference from the "
            f"baseline on the test windows ({gain['points']:+.1f} points) may be due to chance."
        )
    if loses(gain):
        return (
            f"Keep the baseline: {name} is the best arm in validation, but it is worse than the baseline on the test windows: "
            f"{points_in_words(gain)}."
        )
    if not gains(gain):
        text = (
            f"Nothing is recommended: {name} is the best arm in validation, but on the test windows its difference from the "
            f"baseline is not beyond chance: {points_in_words(gain)}."
        )
        return f"{text} {cost['sentence']}" if cost else text
    gained = with_interval(f"{gain['points']:.1f} points", gain["ci95"])
    use = f"Use {name} for short reads: compared with the baseline it gains {gained}."
    return f"{use} {_balance(cost, gain['points'])}"


def _balance(cost: Cost | None, gain: float) -> str:
    """Whether an arm that gains on short windows should serve long sequences as well."""
    if cost is None:
        return "What it costs on full-length windows was not measured."
    if cost["ci95"] is None:
        return f"{cost['sentence']} Without an interval, what it costs there is not known."
    if cost["ci95"][0] >= -TOLERATED:
        return f"{cost['sentence']} One model can serve all lengths."
    if cost["ci95"][1] < 0:
        outweighs = "gain outweighs the loss" if gain > -cost["points"] else "loss outweighs the gain"
        return f"{cost['sentence']} {KEEP}; where both lengths count equally, the {outweighs}."
    return f"{cost['sentence']} A loss of up to {-cost['ci95'][0]:.1f} points is not excluded. {KEEP}."


def scenario_of(
    v: Verdict,
    rows: Sequence[ArmRow],
    best: str | None,
    training: Sequence[TrainingSummary],
    contrasts: Sequence[Contrast],
    criteria: Criteria,
) -> Scenario | None:
    """Whether the suspicion is confirmed that training on long sequences is the cause, and what to do next."""
    if v["verdict"] is None:
        return None
    if not v["balanced"]:
        return {
            "name": "undecided",
            "title": "Undecided: one label is too frequent",
            "certain": False,
            "next_steps": [
                "Test on about equally many windows of each label (--viral_share 0.5, where the pipeline draws the windows)."
            ],
        }
    if not v["interval_at_level"]:
        return {
            "name": "undecided",
            "title": "Undecided: no interval can be given",
            "certain": False,
            "next_steps": [
                "Add sources from other clusters. More windows of the same sources do not help, because they resemble each "
                "other."
            ],
        }
    if v["verdict"] == "strong":
        name, title = "confirmed", "Confirmed: the training distribution was the main cause"
        estimate = "The estimate points to the training distribution as the main cause, but this is not certain"
        steps = _confirmed_steps(rows, best, training, criteria)
    elif v["verdict"] == "moderate":
        name, title = "partial", "Partly confirmed: training on short windows helps, but something else is limiting as well"
        estimate = "The estimate points to the training distribution as one cause among others, but this is not certain"
        steps = _partial_steps(rows, best, training, criteria)
    else:
        name, title = "rejected", "Rejected: training on short windows is not what was missing"
        estimate = "The estimate suggests that training on short windows is not what was missing, but this is not certain"
        steps = _rejected_steps(v, rows, best, contrasts, criteria)
    if not v["certain"]:
        title = estimate
        steps.insert(
            0,
            "First make the verdict certain by adding sources from other clusters. More windows of the same sources do not "
            "narrow the interval.",
        )
    steps += _modality_steps(contrasts) + _kmer_steps(contrasts, best)
    top = row_of(rows, best, "short")
    rare = top and next((p for p in top["precision_at_prevalence"] if p["prevalence"] == 0.01), None)
    if top and rare and rare["ci95"] and rare["precision"] < 0.5:
        right = with_interval(percent(rare["precision"]), rare["ci95"], 100)
        steps.append(
            f"Consider the base rate: where 1 % of the reads are viral, only {right} of the viral calls of "
            f"{quoted(top['arm'])} would be correct. Raise the threshold or confirm the calls."
        )
    return {"name": name, "title": title, "certain": v["certain"], "next_steps": steps}


def _confirmed_steps(
    rows: Sequence[ArmRow], best: str | None, training: Sequence[TrainingSummary], criteria: Criteria
) -> list[str]:
    steps = []
    row, full = row_of(rows, best, "short"), row_of(rows, best, "full")
    if row and gains(row["difference_to_baseline"]):
        steps.append(f"Classify short reads with {quoted(row['arm'])}, the best arm in validation.")
    loss, other = cost_of(rows, best), cost_of(rows, "multilength")
    if loss and full and loses(full["difference_to_baseline"]) and loss["points"] < -TOLERATED:
        short = row_of(rows, "multilength", "short")
        if best != "multilength" and short and other and other["ci95"] and other["points"] > loss["points"]:
            steps.append(
                f"Where one model must serve all lengths, consider 'multilength': its difference from the baseline is "
                f"{points_in_words(other)} on full-length windows, and its accuracy is "
                f"{percent_in_words(short['metrics']['accuracy'])} on short ones."
            )
        else:
            steps.append(
                f"Use two models: {quoted(full['arm'])} for short reads, and the baseline for sequences of 500 bp and more."
            )
    if row:
        missed = [c["name"] for c in judge(row, _training_accuracy(training, best), criteria) if c["met"] is False]
        if missed:
            targets = listed([name if name == "F1" else name.lower() for name in missed])
            steps.append(
                f"{quoted(row['arm'])} does not reach its target for {targets}. Try more training windows and sources before a "
                f"larger model."
            )
    return steps


def _partial_steps(
    rows: Sequence[ArmRow], best: str | None, training: Sequence[TrainingSummary], criteria: Criteria
) -> list[str]:
    steps = []
    name = best if best and best != "baseline" else "finetune"
    row, learned = row_of(rows, name, "short"), _training_accuracy(training, name)
    if row and gains(row["difference_to_baseline"]):
        steps.append(f"Use {quoted(name)} for short reads, and find out what limits it.")
    accuracy = row["metrics"]["accuracy"] if row else None
    if accuracy and accuracy["mean"] is not None and accuracy["ci95"] and learned is not None:
        gap = 100 * (learned - accuracy["mean"])
        apart = counted(abs(round(gap)), "point")
        if gap > GAP and learned > accuracy["ci95"][1]:
            steps.append(
                f"{quoted(name)} is {apart} more accurate in training than on the test, so it overfits: try more sources "
                f"from other clusters, dropout 0.2, or fewer epochs."
            )
        elif gap <= GAP:
            steps.append(
                f"The training and test accuracies of {quoted(name)} are {apart} apart, so it does not overfit: more epochs, "
                f"more windows ('scratch') or richer features may help."
            )
    steps += [
        f"Run {quoted(other)} as well; it was not among the arms."
        for other in ("scratch", "multilength")
        if row_of(rows, other, "short") is None and row_of(rows, name, "full")
    ]
    return steps + _longer(rows, name, criteria)


def _rejected_steps(
    v: Verdict, rows: Sequence[ArmRow], best: str | None, contrasts: Sequence[Contrast], criteria: Criteria
) -> list[str]:
    steps = []
    sufficient = (v["baseline_accuracy"] or 0.0) >= criteria.accuracy
    if sufficient:
        steps.append(
            f"The baseline already reaches {percent(v['baseline_accuracy'])} on short windows, so there was little to fix."
        )
    better = [
        (r["arm"], d)
        for r in rows
        if r["test_set"] == "short"
        and r["role"] == "remedy"
        and r["arm"] != "finetune"
        and (d := r["difference_to_baseline"])
        and d["points"] >= MODERATE
        and gains(d)
    ]
    steps += [
        f"{quoted(arm)} does help, by {points_in_words(d)}: the training data matter, but fine-tuning the baseline is not the "
        f"way to use them."
        for arm, d in better
    ]
    gc = contrast_of(contrasts, best, "gc", "short")
    if gc and gc["ci95"] and not gains(gc):
        steps.append(
            f"{quoted(gc['arm'])} is not beyond chance more accurate than GC content alone ({points_in_words(gc)}): windows "
            f"this short may tell the models little more than composition."
        )
    elif gc and gc["ci95"] and gc["points"] < MODERATE:
        steps.append(
            f"{quoted(gc['arm'])} gains only {points_in_words(gc)} over GC content alone: windows this short tell the "
            f"models little more than composition."
        )
    if not better and not sufficient:
        steps.append(
            "If no arm gains, such short windows hold too little information: classify longer units, such as merged pairs or "
            "contigs."
        )
    return steps + _longer(rows, best, criteria)


def _longer(rows: Sequence[ArmRow], arm: str | None, criteria: Criteria) -> list[str]:
    """The shortest length of the sweep at which an arm reaches the accuracy asked for, if it does not on short windows."""
    short = row_of(rows, arm, "short")
    if short is None or (short["metrics"]["accuracy"]["mean"] or 0.0) >= criteria.accuracy:
        return []
    sweep = {n: row["metrics"]["accuracy"] for n, row in lengths(rows, arm).items()}
    known = {n: m for n, m in sweep.items() if m["mean"] is not None and m["ci95"]}
    if not known:
        return []
    asked = percent(criteria.accuracy, 0)
    enough = next((n for n, m in known.items() if m["mean"] is not None and m["mean"] >= criteria.accuracy), None)
    if enough is None:
        return [f"{quoted(short['arm'])} reaches {asked} at no length that was tested, so check the sources and labels first."]
    return [
        f"{quoted(short['arm'])} reaches {asked} at {enough} bp ({percent_in_words(known[enough])}): merge read pairs, "
        f"assemble, or let several reads of one source vote."
    ]


def _modality_steps(contrasts: Sequence[Contrast]) -> list[str]:
    """Modalities that do not help on short windows; the arms compared differ in nothing else."""
    steps = []
    for added, other in (("Protein", "dna_only"), ("DNA", "protein_only")):
        c = contrast_of(contrasts, "both", other, "short")
        if c is None or c["ci95"] is None or gains(c):
            continue
        compared = f"'both' minus {quoted(other)}: {points_in_words(c)}"
        if loses(c):
            steps.append(f"{added} features do harm on short windows ({compared}): {quoted(other)} is better and cheaper.")
        else:
            steps.append(
                f"{added} features add nothing beyond chance on short windows ({compared}): {quoted(other)} is cheaper."
            )
    return steps


def _kmer_steps(contrasts: Sequence[Contrast], best: str | None) -> list[str]:
    c = contrast_of(contrasts, best, "kmer", "short")
    if c is None or c["ci95"] is None or gains(c):
        return []
    return [f"{quoted(c['arm'])} {compared_in_words(c, 'k-mer frequencies')}. Weigh the cost of its encoder."]


def _training_accuracy(training: Sequence[TrainingSummary], arm: str | None) -> float | None:
    return next((t["training_accuracy"] for t in training if t["arm"] == arm), None)
