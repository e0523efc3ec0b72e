"""The learning curve over genomes: its points, what its last step gained, and that it changes nothing else."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from compared import compared
from synthetic_results import Arm, write_results
from virshort.curve_arms import CURVE
from virshort.verdict.learning_curve import SourceFolds, curve_in_words, training_clusters
from virshort.verdict.schema import CurvePoint

ALL = [Arm("baseline", 0.6, role="baseline"), Arm("finetune", 0.75, selection=0.8)]
FEWER = [
    Arm(f"{of}_{kept}", accuracy, role=CURVE, selection=0.99, curve_of=of, training_folds=kept)
    for kept, of, accuracy in ((1, "finetune", 0.6), (1, "baseline", 0.6), (2, "finetune", 0.68), (2, "baseline", 0.6))
]
"""As good in validation as no other arm."""


def test_a_comparison_holds_the_curve_and_is_otherwise_the_same(tmp_path: Path) -> None:
    plain, c = (
        compared(write_results(tmp_path / name, arms, {"short": 3000}, folds=5))
        for name, arms in (("plain", ALL), ("curve", ALL + FEWER))
    )
    assert plain["learning_curve"] is None
    same = set(c) - {"learning_curve", "parts", "arms", "details", "verdict", "answer"}
    assert [r["arm"] for r in c["arms"]] == [t["arm"] for t in c["training"]] == list(c["details"]) == ["baseline", "finetune"]
    assert c["best_arm"] == plain["best_arm"] and {"best_arm", "warnings", "recommendation"} <= same
    curve = c["learning_curve"]
    assert curve["arm"] == "finetune"
    points = curve["points"]
    assert [(p["arm"], p["training_folds"]) for p in points] == [(n, k) for n in ("finetune", "baseline") for k in (1, 2, 3)]
    assert [p["clusters"]["all"] for p in points[:3]] == [20, 40, 60]
    rows = {r["arm"]: r["metrics"] for r in c["arms"]}
    for arm, last in (("finetune", points[2]), ("baseline", points[5])):
        assert (last["accuracy"], last["auroc"]) == (rows[arm]["accuracy"], rows[arm]["auroc"]), "all folds: the arm itself"
    for before, after in pairwise(points[:3]):
        gain = after["gain"]
        assert gain["points"] == pytest.approx(100 * (after["accuracy"]["mean"] - before["accuracy"]["mean"]))
        assert gain["ci95"][0] < gain["points"] < gain["ci95"][1] and gain["points"] > 2
        assert gain["auroc"] == pytest.approx(after["auroc"]["mean"] - before["auroc"]["mean"], abs=2e-3)
    assert points[0]["gain"] is None is points[3]["gain"]
    assert curve["sentence"].startswith("More genomes: 'finetune' calls ")
    assert "with 40 training clusters" in curve["sentence"] and "with all 60" in curve["sentence"]


def test_training_clusters_are_counted_by_split() -> None:
    """Cluster 0 has both labels and two sources, and the folds differ in size."""
    cluster = np.array([0, 0, 1, 2, 3, 4, 4, 5])
    sources = SourceFolds(cluster, np.array([1, 0, 1, 0, 1, 0, 0, 1]), np.array([0, 0, 1, 2, 3, 3, 3, 3]))
    assert sources.count == 4
    assert training_clusters(sources, [0], 1) == {"all": 1, "viral": 0, "nonviral": 1}
    assert training_clusters(sources, [0], 2) == {"all": 4, "viral": 2, "nonviral": 2}
    assert training_clusters(sources, [2], 1) == {"all": 1, "viral": 1, "nonviral": 1}
    assert training_clusters(sources, [0, 2], 2) == {"all": 3, "viral": 2, "nonviral": 1.5}


def point(clusters: float, accuracy: float, gain: tuple[float, list[float] | None] | None) -> CurvePoint:
    metric = {"mean": accuracy, "sd": None, "ci95": [accuracy - 0.02, accuracy + 0.02]}
    return {
        "arm": "mine",
        "training_folds": 1,
        "clusters": {"all": clusters, "viral": 1, "nonviral": 1},
        "training_windows": None,
        "accuracy": metric,  # type: ignore[typeddict-item]
        "auroc": metric,  # type: ignore[typeddict-item]
        "gain": gain and {"points": gain[0], "ci95": gain[1], "auroc": None, "auroc_ci95": None},
    }


@pytest.mark.parametrize(
    ("interval", "end"),
    [
        ([0.4, 1.6], "So genomes still help at this number; what further ones would bring is not known."),
        ([-0.4, 2.4], "So the last genomes made no difference beyond chance."),
        ([-2.4, -0.4], "So the last genomes made it worse."),
        (None, "Whether this is more than chance cannot be judged."),
    ],
)
def test_the_sentence_claims_what_the_interval_shows(interval: list[float] | None, end: str) -> None:
    text = curve_in_words(
        [point(900, 0.5, None), point(1850, 0.794, (3.0, None)), point(2777.4, 0.804, (1.0, interval))], "150 bp"
    )
    assert text.startswith(
        "More genomes: 'mine' calls 79.4 % (95 % interval 77.4 to 81.4) of 150 bp windows correctly with 1,850 "
        "training clusters, and 80.4 % (95 % interval 78.4 to 82.4) with all 2,777, a difference of +1.0 points"
    )
    assert text.endswith(end)
