"""Differences between arms, from counts by cluster with a known truth."""

import numpy as np
from scipy import stats

from compared import arm_row
from virshort.inference.cluster_counts import ArmCounts, make_test_clusters
from virshort.verdict.differences import add_differences, arms_to_contrast, contrast
from virshort.verdict.schema import Verdict
from virshort.verdict.verdict import give_verdict


def simulated(rng: np.random.Generator, accuracy: tuple[float, float], clusters: int) -> Verdict:
    """The verdict for two arms with these accuracies, from counts by cluster and three replicates."""
    n = np.maximum(1, rng.lognormal(3, 0.7, clusters)).astype(np.int64)
    viral = np.arange(clusters) % 2
    windows = np.stack([n * (1 - viral), n * viral])
    test = make_test_clusters([f"c{i:04}" for i in range(clusters)], np.arange(clusters) % 5, list(range(5)), windows)
    shared = rng.normal(0, 0.6, clusters)
    counts = {}
    for name, value in zip(("baseline", "finetune"), accuracy, strict=True):
        p = stats.norm.cdf(np.sqrt(1 + 0.36 + 0.16) * stats.norm.ppf(value) + shared + rng.normal(0, 0.4, clusters))
        right = rng.binomial(windows, np.broadcast_to(p, (3, 2, clusters)))
        called = np.stack([windows[0] - right[:, 0], right[:, 1]], axis=1)
        counts[name] = ArmCounts([0, 1, 2], called, called.astype(float), called.astype(float))
    rows = [arm_row("baseline"), arm_row("finetune")]
    add_differences(rows, test, counts, rng)
    return give_verdict(rows, None, "150 bp")


def test_shuffled_labels_rarely_end_in_a_certain_gain() -> None:
    rng = np.random.default_rng(11)
    found = [simulated(rng, (0.5, 0.5), 40) for _ in range(200)]
    assert np.mean([v["certain"] and v["verdict"] != "rejected" for v in found]) <= 0.05


def test_a_planted_gain_of_20_points_is_never_rejected() -> None:
    rng = np.random.default_rng(12)
    found = [simulated(rng, (0.53, 0.73), 100) for _ in range(100)]
    assert all(v["verdict"] != "rejected" for v in found)
    assert np.mean([v["verdict"] == "strong" for v in found]) > 0.8


def test_only_arms_that_differ_in_nothing_else_show_what_a_modality_adds() -> None:
    chosen = arms_to_contrast("scratch", "short", {"joined": ["scratch", "dna_only"]})
    assert {
        ("both", "dna_only"),
        ("both", "protein_only"),
        ("scratch", "kmer"),
        ("scratch", "gc"),
        ("codon", "scratch"),
        ("joined", "scratch"),
        ("joined", "dna_only"),
    } <= set(chosen)
    assert not any(arm == "finetune" for arm, _ in chosen)
    at_300 = arms_to_contrast("scratch", "length_300", {"joined": ["scratch", "dna_only"]})
    assert at_300 == [("both", "dna_only"), ("length_aware", "multilength")]
    assert all(None not in two for two in arms_to_contrast(None, "short", {}))


def test_arms_that_were_not_run_are_left_out() -> None:
    windows = np.array([[5, 0], [0, 5]], np.int64)
    test = make_test_clusters(["a", "b"], np.zeros(2, np.int64), [0], windows)
    called = np.zeros((1, 2, 2), np.int64)
    arm = ArmCounts([0], called, called * 1.0, called * 1.0)
    found = contrast(test, {"both": arm, "dna_only": arm}, [("both", "dna_only"), ("both", "kmer"), ("both", "both")], "short")
    assert [(c["arm"], c["against"], c["points"], c["ci95"]) for c in found] == [("both", "dna_only", 0.0, None)]
