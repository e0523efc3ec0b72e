"""Would more genomes help? An arm, trained on some of the training folds and on all, tested on the same short windows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from virshort.fold_roles import training_folds
from virshort.inference.cluster_counts import ArmCounts, TestClusters
from virshort.labels import LABELS
from virshort.verdict.differences import gain
from virshort.verdict.rows import gains, loses
from virshort.verdict.schema import ArmRow, CurvePoint, LearningCurve
from virshort.verdict.wording import percent_in_words, points_in_words, quoted


@dataclass(frozen=True)
class Trained:
    """An arm that learned from so many training folds. arm: its name where it learns from all; windows: that it was trained on,
    None if that is not known."""

    arm: str
    folds: int
    row: ArmRow
    counts: ArmCounts
    windows: float | None


@dataclass(frozen=True)
class SourceFolds:
    """The sources of a run. cluster: [sources] integer codes; label: [sources] int, 1 viral; fold: [sources] int."""

    cluster: np.ndarray
    label: np.ndarray
    fold: np.ndarray

    @property
    def count(self) -> int:
        """How many folds there are."""
        return int(self.fold.max()) + 1


def training_clusters(sources: SourceFolds, tested: Sequence[int], kept: int) -> dict[str, float]:
    """How many clusters a split has in `kept` of its training folds, of each label and together (`all`): the mean over splits.

    tested: the tested folds."""
    found: dict[str, list[int]] = {name: [] for name in ("all", *reversed(LABELS))}
    for f in tested:
        trains = np.isin(sources.fold, training_folds(f, sources.count, kept))
        found["all"].append(len(np.unique(sources.cluster[trains])))
        for y, name in enumerate(LABELS):
            found[name].append(len(np.unique(sources.cluster[trains & (sources.label == y)])))
    return {name: float(np.mean(counts)) for name, counts in found.items()}


def learning_curve(trained: Sequence[Trained], sources: SourceFolds, test: TestClusters, length: str) -> LearningCurve:
    """The points of each arm from few training folds to all, and what the last step gained.

    trained: arm by arm, the one that was asked for first; test: the short windows; length: what these are called, such as
    "150 bp"."""
    ordered = sorted(trained, key=lambda t: t.folds)  # stable, so that arms keep their order
    points: list[CurvePoint] = []
    for arm in dict.fromkeys(t.arm for t in trained):
        before: ArmCounts | None = None
        for t in (t for t in ordered if t.arm == arm):
            points.append(
                {
                    "arm": arm,
                    "training_folds": t.folds,
                    "clusters": training_clusters(sources, test.folds, t.folds),
                    "training_windows": t.windows,
                    "accuracy": t.row["metrics"]["accuracy"],
                    "auroc": t.row["metrics"]["auroc"],
                    "gain": gain(test, t.counts, before) if before else None,
                }
            )
            before = t.counts
    asked = trained[0].arm
    return {"arm": asked, "points": points, "sentence": curve_in_words([p for p in points if p["arm"] == asked], length)}


def curve_in_words(points: Sequence[CurvePoint], length: str) -> str:
    """What the last genomes brought, by the last two points of an arm. Nothing is said of genomes that are not there."""
    before, after = points[-2:]
    found = after["gain"]
    assert found is not None, "it has a point before it"
    if not found["ci95"]:
        judged = "Whether this is more than chance cannot be judged."
    elif gains(found):
        judged = "So genomes still help at this number; what further ones would bring is not known."
    elif loses(found):
        judged = "So the last genomes made it worse."
    else:
        judged = "So the last genomes made no difference beyond chance."
    return (
        f"More genomes: {quoted(after['arm'])} calls {percent_in_words(before['accuracy'])} of {length} windows "
        f"correctly with {_clusters(before)} training clusters, and {percent_in_words(after['accuracy'])} with all "
        f"{_clusters(after)}, a difference of {points_in_words(found)}. {judged}"
    )


def _clusters(point: CurvePoint) -> str:
    return f"{point['clusters']['all']:,.0f}"
