"""What a second mate adds: differences by hand, and intervals that cover a known truth."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from compared import arm_row, compared
from synthetic_results import Arm, write_results
from virshort.inference.cluster_counts import ArmCounts, make_test_clusters
from virshort.verdict.differences import gain
from virshort.verdict.pair_gains import pairs_in_words


def test_a_comparison_holds_the_gain_of_every_arm(tmp_path: Path) -> None:
    sets = {"short": 500, "mate": 2000, "pair": 2000}
    c = compared(
        write_results(tmp_path, [Arm("baseline", role="baseline"), Arm("finetune", 0.8, selection=0.8)], sets, folds=2)
    )
    accuracy = {(r["arm"], r["test_set"]): r["metrics"]["accuracy"]["mean"] for r in c["arms"]}
    auroc = {(r["arm"], r["test_set"]): r["metrics"]["auroc"]["mean"] for r in c["arms"]}
    assert [g["arm"] for g in c["pair_gains"]] == ["baseline", "finetune"]
    for g in c["pair_gains"]:
        pair, mate = ((g["arm"], name) for name in ("pair", "mate"))
        assert g["points"] == pytest.approx(100 * (accuracy[pair] - accuracy[mate])) and g["points"] > 2
        assert g["auroc"] == pytest.approx(auroc[pair] - auroc[mate], abs=1e-3)
        assert g["ci95"][0] < g["points"] < g["ci95"][1] and g["auroc_ci95"][0] < g["auroc"] < g["auroc_ci95"][1]
    header, *lines = (line.split("\t") for line in (tmp_path / "comparison.tsv").read_text().splitlines())
    table = [dict(zip(header, line, strict=True)) for line in lines]
    told = {(row["arm"], row["test_set"]): row["points_to_one_mate"] for row in table if row["points_to_one_mate"]}
    assert told == {(g["arm"], "pair"): f"{g['points']:.6g}" for g in c["pair_gains"]}
    assert c["pairs"].startswith("Two mates of a fragment: 'finetune' calls ")


def test_without_pairs_nothing_is_said() -> None:
    gains = [{"arm": "scratch", "points": 4.7, "ci95": [2.0, 7.0], "auroc": 0.05, "auroc_ci95": None}]
    rows = [arm_row("scratch", 0.685, test_set="mate"), arm_row("scratch", 0.732, test_set="pair")]
    assert pairs_in_words(gains, rows, "scratch") == (  # type: ignore[arg-type]
        "Two mates of a fragment: 'scratch' calls 73.2 % (95 % interval 68.2 to 78.2) correctly instead of 68.5 % with one "
        "mate, a difference of +4.7 points (95 % interval 2.0 to 7.0)."
    )
    assert pairs_in_words([], rows, "scratch") is None
    assert pairs_in_words(gains, rows[:1], "scratch") is None  # type: ignore[arg-type]


def fragments(
    rng: np.random.Generator, clusters: int, accuracy: tuple[float, float]
) -> tuple[ArmCounts, ArmCounts, np.ndarray]:
    """Calls of two replicates by one mate and by both, and the fragments by label, [2, clusters].

    A call is right where a normal number is above a cut: the sum of an effect of the cluster, one of the fragment that both
    share, and noise of its own, so that right calls by one mate and by both go together as those of real mates do."""
    n = np.maximum(3, rng.lognormal(3, 0.5, clusters)).astype(int)
    label, cluster = np.arange(clusters) % 2, np.repeat(np.arange(clusters), n)
    windows = np.where(label == np.array([[0], [1]]), n, 0).astype(np.int64)
    place, fragment = rng.normal(0, 0.6, clusters)[cluster], rng.normal(0, 0.8, len(cluster))
    found = []
    for share in accuracy:
        cut = stats.norm.ppf(1 - share) * np.sqrt(0.6**2 + 0.8**2 + 0.2**2 + 0.6**2)
        own = rng.normal(0, 0.2, clusters)[cluster]
        right = np.stack([place + fragment + own + rng.normal(0, 0.6, len(cluster)) > cut for _ in range(2)])
        counts = np.stack([np.bincount(cluster, r, clusters) for r in right]).astype(np.int64)
        called = np.stack([np.stack([np.where(label == 0, n - k, 0), np.where(label == 1, k, 0)]) for k in counts])
        found.append(ArmCounts([0, 1], called, np.zeros((2, 2, clusters)), np.zeros((2, 2, clusters))))
    return found[0], found[1], windows


def test_intervals_of_the_gain_cover_the_truth() -> None:
    rng = np.random.default_rng(0)
    hits, experiments = 0, 600
    for _ in range(experiments):
        mate, pair, windows = fragments(rng, 80, (0.68, 0.73))
        test = make_test_clusters([f"c{i:02}" for i in range(80)], np.arange(80) // 2 % 3, [0, 1, 2], windows)
        found = gain(test, pair, mate)
        assert found["ci95"] is not None
        hits += found["ci95"][0] <= 5 <= found["ci95"][1]
    assert 0.92 <= hits / experiments <= 0.98, hits / experiments
