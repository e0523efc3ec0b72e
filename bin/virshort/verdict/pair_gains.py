"""What the second mate of a fragment adds to the first."""

from collections.abc import Sequence

import numpy as np

from virshort.inference.cluster_counts import ArmCounts, TestClusters
from virshort.inference.estimates import MINIMUM_EFFECTIVE
from virshort.inference.intervals import accuracy_difference, auroc_difference, fewest_effective
from virshort.verdict.rows import row_of
from virshort.verdict.schema import ArmRow, PairGain
from virshort.verdict.wording import percent, percent_in_words, points_in_words, quoted


def pair_gain(arm: str, test: TestClusters, pair: ArmCounts, mate: ArmCounts) -> PairGain:
    """Accuracy and AUROC of an arm on both mates minus those on one, paired by fragment, with intervals over clusters."""
    accuracy, auroc = accuracy_difference(test, pair, mate), auroc_difference(test, pair, mate)
    enough = fewest_effective(test) >= MINIMUM_EFFECTIVE
    ci = accuracy.interval() if enough else None
    auroc_ci = auroc.interval() if auroc and enough else None
    return {
        "arm": arm,
        "points": 100 * accuracy.value,
        "ci95": [100 * end for end in ci] if ci else None,
        "auroc": auroc.value if auroc and np.isfinite(auroc.value) else None,
        "auroc_ci95": list(auroc_ci) if auroc_ci else None,
    }


def pairs_in_words(gains: Sequence[PairGain], rows: Sequence[ArmRow], best: str | None) -> str | None:
    """How accurate the best arm (or else `finetune`) is with two mates; None where it has no result on pairs."""
    arm = best or "finetune"
    gain = next((g for g in gains if g["arm"] == arm), None)
    mate, pair = row_of(rows, arm, "mate"), row_of(rows, arm, "pair")
    if gain is None or mate is None or pair is None:
        return None
    one, both = mate["metrics"]["accuracy"], pair["metrics"]["accuracy"]
    return (
        f"Two mates of a fragment: {quoted(arm)} calls {percent_in_words(both)} correctly instead of {percent(one['mean'])} "
        f"with one mate, a difference of {points_in_words(gain)}."
    )
