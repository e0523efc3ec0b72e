"""What speaks for and against trusting the numbers: controls, the leakage audit, overfitting, and warnings."""

from collections.abc import Mapping, Sequence
from typing import Any

from virshort.inference.estimates import MINIMUM_EFFECTIVE, WARN_EFFECTIVE
from virshort.inference.intervals import ONE_SIDED
from virshort.verdict.rows import balanced_accuracy, compared_in_words, contrast_of, frequent_label, is_balanced, row_of
from virshort.verdict.schema import (
    ArmLeakage,
    ArmRow,
    Contrast,
    Controls,
    LeakageSummary,
    Overfitting,
    Pretrained,
    ShuffledAuroc,
    TrainingSummary,
)
from virshort.verdict.wording import (
    counted,
    interval_in_words,
    listed,
    names_in_words,
    number,
    percent,
    percent_in_words,
    points_in_words,
    quoted,
)

FITTED = 0.80  # share of the errors of always answering the more frequent label that a fitted arm avoids in training
NEAR_CHANCE = 0.60  # balanced accuracy up to which a test is near chance
MIXED = 0.2  # share of clusters with both labels from which to warn; prophages and their phages make for a few


def find_overfitting(rows: Sequence[ArmRow], training: Sequence[TrainingSummary]) -> list[Overfitting]:
    """Arms that are nearly always correct on their training windows, but near chance on the test.

    The test set is of the kind that the arm was trained on, so that a classifier of long sequences does not count as
    overfitted because it fails on short ones. Near chance is judged by balanced accuracy, and training by the errors that
    it avoids, so that a frequent label does not look like skill. Without an interval nothing is claimed.
    """
    found: list[Overfitting] = []
    for t in training:
        test_set = "full" if t["windows"] == "full" else "short"
        row, last = row_of(rows, t["arm"], test_set), t["last_training_accuracy"]
        if t["role"] == "control" or row is None or last is None:
            continue
        test, balanced = row["metrics"]["accuracy"], balanced_accuracy(row)
        if test["mean"] is None or test["ci95"] is None or balanced is None:
            continue
        _, chance = frequent_label(row)
        if 1 - last > (1 - FITTED) * (1 - chance) or balanced > NEAR_CHANCE:
            continue
        remedies = _remedies(t)
        found.append(
            {
                "arm": t["arm"],
                "training_accuracy": last,
                "test_accuracy": test["mean"],
                "balanced_accuracy": balanced,
                "chance": chance,
                "remedies": remedies,
                "sentence": (
                    f"{quoted(t['arm'])} overfits: {percent(last)} accuracy in training, but {percent(balanced)} balanced "
                    f"accuracy on the test set {quoted(test_set)}, where guessing gives 50 %. Try {listed(remedies)}."
                ),
            }
        )
    return found


def _remedies(t: TrainingSummary) -> list[str]:
    best_epoch, run, dropout, windows = t["best_epoch"], t["epochs_run"], t["dropout"], t["training_windows"]
    return [
        f"fewer epochs (the best was {best_epoch:.0f} of {run:.0f})" if best_epoch and run else "fewer epochs",
        "dropout 0.2" if dropout is None or dropout < 0.2 else f"more dropout than {dropout:g}",
        f"more data from other clusters (now {windows:,.0f} windows)" if windows else "more data from other clusters",
    ]


def summarize_controls(
    rows: Sequence[ArmRow],
    best: str | None,
    shuffled: ShuffledAuroc | None,
    contrasts: Sequence[Contrast],
    twins: Sequence[tuple[str, str, str]] = (),
) -> Controls:
    """What the controls say.

    `shuffled`: AUROC of shuffled_labels on `short`, with the noise of all models. `twins`: (arm, against, test set) of arms
    whose protein encoder was fed bases, each with the arm that it is compared with.
    """
    controls: Controls = {"gc": None, "shuffled_labels": None, "untranslated": None}
    if gc := row_of(rows, "gc", "short"):
        accuracy, auroc = gc["metrics"]["accuracy"], gc["metrics"]["auroc"]["mean"]
        text = (
            f"GC content alone reaches an accuracy of {percent_in_words(accuracy)} and an AUROC of {number(auroc)} on short "
            f"windows."
        )
        if not is_balanced(gc):
            label, share = frequent_label(gc)
            text += f" Always answering {label} would reach an accuracy of {percent(share)}."
        if best != "gc" and (c := contrast_of(contrasts, best, "gc", "short")):
            text += f" {quoted(c['arm'])} {compared_in_words(c, 'GC content alone')}."
        controls["gc"] = {"accuracy": accuracy["mean"], "auroc": auroc, "sentence": text}
    if shuffled is not None:
        ci = shuffled["ci95"]
        holds = None if ci is None else bool(ci[0] <= 0.5 <= ci[1])
        value = f"AUROC {number(shuffled['auroc'])}" + (f", 95 % interval {interval_in_words(ci, 1, 3)}" if ci else "")
        if holds is None:
            text = (
                f"The classifier trained on shuffled labels reaches {value}. No interval can be given, so it is not known "
                f"whether this is chance."
            )
        elif holds:
            text = f"The classifier trained on shuffled labels is at chance ({value}), so there is no sign of a leak."
        else:
            text = (
                f"LEAK? The classifier trained on shuffled labels should reach an AUROC of 0.5, and it does not ({value}). Do "
                f"not trust the other results until this is explained."
            )
        controls["shuffled_labels"] = {**shuffled, "holds_chance": holds, "sentence": text}
    untranslated = [c for c in contrasts if (c["arm"], c["against"], c["test_set"]) in twins]
    if untranslated:
        costs = "; ".join(
            f"{quoted(c['arm'])} differs from {quoted(c['against'])} by {points_in_words(c)} "
            f"on the test set {quoted(c['test_set'])}"
            for c in untranslated
        )
        controls["untranslated"] = {
            "sentence": f"With bases instead of residues fed to the protein encoder, at the length of training: {costs}."
        }
    return controls


def summarize_leakage(
    leakage: Mapping[str, Any] | None, training: Sequence[TrainingSummary], pretrained: Pretrained | None = None
) -> LeakageSummary:
    """The audit in a sentence, and for each arm the share of its short test windows that share a k-mer with its training.

    `leakage`: leakage.json. An arm that starts from the baseline has seen the baseline's training windows as well as its own.
    What a pretrained baseline has seen, no audit can know.
    """
    if leakage is None:
        return {"ok": None, "limit": None, "worst": None, "by_arm": [], "sentence": "The leakage audit was not run."}
    pairs = [s for s in leakage.get("summary") or leakage.get("sets", []) if s.get("share") is not None]
    worst = max(pairs, key=lambda s: s["share"], default=None)
    ok, limit, k = leakage.get("ok"), leakage.get("limit"), leakage.get("k", 31)
    if worst is None:
        text = leakage.get("message", "The leakage audit had no windows to compare.")
    elif worst["shared_windows"] == 0:
        text = f"No test window shares an exact {k}-mer with a training window of its split."
    else:
        limits = "" if limit is None else f" (limit {percent(limit, 2)})"
        text = (
            f"Up to {percent(worst['share'], 2)} of the windows of a test set ({quoted(worst['test_set'])}) share an exact "
            f"{k}-mer with a training window of their split{limits}."
        )
        if not ok:
            text = f"LEAKAGE ABOVE THE LIMIT. {text} The accuracies are probably higher than they would be on new sequences."
    if (held_out := leakage.get("hold_out", "cluster")) != "cluster":
        text += f" No {held_out} is in two folds."
    if pretrained and worst:
        text += " The audit covers the training windows of this run, but not the data on which the pretrained head was trained."
    base = next((t["windows"] for t in training if t["role"] == "baseline"), None)
    by_arm: list[ArmLeakage] = []
    summaries = {t["arm"]: t for t in training}
    for t in training:
        learned = [t, *(summaries[part] for part in t["combine"] if part in summaries)]
        seen = {s["windows"] for s in learned} | ({base} if any(s["start"] == "baseline" for s in learned) else set())
        shares = [s["share"] for s in pairs if s["test_set"] == "short" and s["train_set"] in seen]
        by_arm.append({"arm": t["arm"], "train_sets": sorted(w for w in seen if w), "share": max(shares, default=None)})
    return {"ok": ok, "limit": limit, "worst": dict(worst) if worst else None, "by_arm": by_arm, "sentence": text}


def warn(
    rows: Sequence[ArmRow], leakage: LeakageSummary, controls: Controls, pretrained: Pretrained | None = None
) -> list[str]:
    """What a reader must know before trusting the numbers, each thing once, the most serious first."""
    warnings = []
    if leakage["ok"] is False:
        warnings.append(leakage["sentence"])
    shuffled = controls["shuffled_labels"]
    if shuffled and shuffled["holds_chance"] is False:
        warnings.append(shuffled["sentence"])
    if pretrained:
        warnings.append(pretrained["sentence"])
    warnings += [
        f"{quoted(r['arm'])} has no windows in the test set {quoted(r['test_set'])}." for r in rows if not r["windows"]
    ]
    tested: dict[str, ArmRow] = {}
    for row in rows:
        if row["windows"]:
            tested.setdefault(row["test_set"], row)
    warnings += _label_warnings(tested)
    warnings += _cluster_warnings(tested)
    single = sorted({r["arm"] for r in rows if r["windows"] and r["replicates"] == 1 and r["role"] != "control"})
    if single:
        warnings.append(
            f"A single replicate of {names_in_words(single)} was run, so the intervals do not include the noise of training."
        )
    one_sided = sorted({r["arm"] for r in rows if any(n.startswith(ONE_SIDED) for n in r["notes"])})
    if one_sided:
        warnings.append(f"{names_in_words(one_sided)} gave every window of a test set the same label.")
    return warnings


def _label_warnings(tested: Mapping[str, ArmRow]) -> list[str]:
    """That clusters hold both labels, or that one label is so frequent that accuracy says little.

    Said once, for the first test set that it is true of.
    """
    warnings = []
    mixed = next((r for r in tested.values() if r["clusters_with_both_labels"] >= max(1, MIXED * r["clusters"])), None)
    if mixed:
        count = f"{mixed['clusters_with_both_labels']:,} of {counted(mixed['clusters'], 'cluster')}"
        warnings.append(
            f"In the test set {quoted(mixed['test_set'])}, {count} hold both viral and nonviral windows: sources of both "
            f"labels share sequence. Check the labels, because the same genome may have been given under both."
        )
    skewed = next((r for r in tested.values() if not is_balanced(r)), None)
    if skewed:
        label, share = frequent_label(skewed)
        warnings.append(
            f"In the test set {quoted(skewed['test_set'])}, {percent(share)} of the windows are {label}, and always answering "
            f"{label} would be correct as often. Accuracies and their differences say little here; look at AUROC, precision "
            f"and recall, or test on about equally many windows of each label (--viral_share 0.5, where the pipeline draws the "
            f"windows)."
        )
    return warnings


def _cluster_warnings(tested: Mapping[str, ArmRow]) -> list[str]:
    """That there are few effective clusters, grouped by what follows from it."""
    few: dict[str, dict[str, float]] = {}
    for test_set, row in tested.items():
        fewest = min((n for n in row["effective_clusters"].values() if n), default=WARN_EFFECTIVE)
        if fewest < WARN_EFFECTIVE:
            consequence = (
                "no intervals are given and nothing is concluded"
                if fewest < MINIMUM_EFFECTIVE
                else "the intervals are wide and rough"
            )
            few.setdefault(consequence, {})[test_set] = fewest
    warnings = []
    for consequence, sets in few.items():
        low, high = (f"{f(sets.values()):.1f}" for f in (min, max))
        count = low if low == high else f"{low} to {high}"
        warnings.append(
            f"The test set{'s' if len(sets) > 1 else ''} {names_in_words(sets)} {'have' if len(sets) > 1 else 'has'} only "
            f"{count} effective clusters of a label, so {consequence}."
        )
    return warnings
