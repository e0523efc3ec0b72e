"""The verdict, and what else is said about the numbers; compare.py on folders with known truth."""

import json
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import stats

import compare
from synthetic_results import Arm, standard_arms, write_results
from virshort.errors import InputError
from virshort.inference.cluster_counts import ArmCounts, make_test_clusters
from virshort.verdict import comparison as words

CHOSEN = [a for a in standard_arms() if a.name in ("baseline", "finetune", "scratch", "kmer", "shuffled_labels")]


def compared(folder: Path, *options: object) -> dict[str, Any]:
    """comparison.json of a folder, in which nothing may be NaN."""
    out = folder / "comparison.json"
    before = sys.argv
    sys.argv = ["compare.py", str(folder), "--out", str(out), "--tsv", str(folder / "comparison.tsv"), "--draws", "200"]
    sys.argv += [str(o) for o in options]
    try:
        compare.main()
    finally:
        sys.argv = before
    return json.loads(out.read_text(), parse_constant=lambda name: pytest.fail(f"{name} in comparison.json"))


@pytest.fixture(scope="module")
def standard(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = write_results(
        tmp_path_factory.mktemp("standard"), CHOSEN, {"short": 4000, "full": 1500, "length_100": 1000}, folds=3
    )
    return folder, compared(folder)


def row_with(points: float, interval: list[float] | None, effective: float = 100.0) -> list[dict[str, Any]]:
    metrics = {"accuracy": {"mean": 0.5, "sd": 0.0, "ci95": None}}
    same = {"test_set": "short", "windows": 10, "effective_clusters": {"viral": effective, "nonviral": effective}}
    d = {"points": points, "ci95": interval, "interval_at_level": interval, "level": 0.99, "p": 0.01}
    return [
        {"arm": "baseline", "metrics": metrics, "difference_to_baseline": None, **same},
        {"arm": "finetune", "metrics": metrics, "difference_to_baseline": d, **same},
    ]


points = some.floats(-100, 100)


@given(points, points, points)
def test_certain_only_if_the_whole_interval_lies_in_the_band(a: float, b: float, c: float) -> None:
    low, middle, high = sorted((a, b, c))
    v = words.verdict(row_with(middle, [low, high]), None, "150 bp")
    assert v["verdict"] == ("strong" if middle > 15 else "moderate" if middle >= 5 else "rejected")
    inside = {words.band(x) for x in (low, high, *(x for x in np.linspace(low, high, 50)))}
    assert v["certain"] == (inside == {v["verdict"]})
    assert v["certain"] or "undecided between" in v["headline"]
    assert inside <= set(v["bands"])


@pytest.mark.parametrize(("value", "name"), [(15.0001, "strong"), (15, "moderate"), (5, "moderate"), (4.9999, "rejected")])
def test_bands_end_where_agreed(value: float, name: str) -> None:
    assert words.band(value) == name


def test_all_three_bands_are_named() -> None:
    v = words.verdict(row_with(10, [1, 20]), None, "150 bp")
    assert v["headline"] == "Moderate by the estimate, but undecided between rejected, moderate and strong"


def test_without_an_interval_nothing_is_certain() -> None:
    v = words.verdict(row_with(30, None, 5.0), None, "150 bp")
    assert (v["verdict"], v["certain"]) == ("strong", False)
    assert "5.0 effective clusters" in v["reason"]


def simulated(rng: np.random.Generator, accuracy: tuple[float, float], clusters: int) -> dict[str, Any]:
    """The verdict for two arms with these accuracies, from counts by cluster and three replicates."""
    n = np.maximum(1, rng.lognormal(3, 0.7, clusters)).astype(np.int64)
    viral = np.arange(clusters) % 2
    windows = np.stack([n * (1 - viral), n * viral])
    groups = make_test_clusters([f"c{i:04}" for i in range(clusters)], np.arange(clusters) % 5, list(range(5)), windows)
    shared = rng.normal(0, 0.6, clusters)
    counts = {}
    for name, value in zip(("baseline", "finetune"), accuracy, strict=True):
        p = stats.norm.cdf(np.sqrt(1 + 0.36 + 0.16) * stats.norm.ppf(value) + shared + rng.normal(0, 0.4, clusters))
        right = rng.binomial(windows, np.broadcast_to(p, (3, 2, clusters)))
        called = np.stack([windows[0] - right[:, 0], right[:, 1]], axis=1)
        counts[name] = ArmCounts([0, 1, 2], called, called.astype(float), called.astype(float))
    rows = row_with(0, None)
    for row, role in zip(rows, ("baseline", "remedy"), strict=True):
        row |= {"role": role, "effective_clusters": {"viral": 50.0, "nonviral": 50.0}}
    compare.add_differences(rows, groups, counts, rng)
    return words.verdict(rows, None, "150 bp")


def test_shuffled_labels_rarely_end_in_a_certain_gain() -> None:
    rng = np.random.default_rng(11)
    found = [simulated(rng, (0.5, 0.5), 40) for _ in range(200)]
    assert np.mean([v["certain"] and v["verdict"] != "rejected" for v in found]) <= 0.05


def test_a_planted_gain_of_20_points_is_never_rejected() -> None:
    rng = np.random.default_rng(12)
    found = [simulated(rng, (0.53, 0.73), 100) for _ in range(100)]
    assert all(v["verdict"] != "rejected" for v in found)
    assert np.mean([v["verdict"] == "strong" for v in found]) > 0.8


def test_rows_have_what_the_design_promises(standard: tuple[Path, dict[str, Any]]) -> None:
    folder, c = standard
    assert c["verdict"]["verdict"] in words.BANDS
    assert len(c["arms"]) == len(CHOSEN) * 3
    for row in c["arms"]:
        assert set(row["metrics"]) == {"accuracy", "precision", "recall", "f1", "mcc", "auroc", "auprc"}
        for m in row["metrics"].values():
            assert m["ci95"][0] <= m["mean"] <= m["ci95"][1] and m["sd"] is not None
        assert (row["difference_to_baseline"] is None) == (row["arm"] == "baseline")
        assert sum(row["confusion"].values()) == pytest.approx(row["windows"])
    table = [line.split("\t") for line in (folder / "comparison.tsv").read_text().splitlines()]
    assert len(table) == 1 + len(CHOSEN) * 3 and len({len(line) for line in table}) == 1


def test_means_are_those_of_metrics_json(standard: tuple[Path, dict[str, Any]]) -> None:
    folder, c = standard
    for row in c["arms"]:
        pooled = json.loads((folder / "evaluation" / row["arm"] / row["test_set"] / "metrics.json").read_text())["pooled"]
        for name, m in row["metrics"].items():
            assert m["mean"] == pytest.approx(np.mean([p[name] for p in pooled]))


def test_best_arm_is_the_best_on_validation_and_no_control(standard: tuple[Path, dict[str, Any]]) -> None:
    c = standard[1]
    assert c["best_arm"]["arm"] == "scratch" == c["verdict"]["best_arm"]
    entries = [
        {"arm": "shuffled_labels", "role": "control", "selection": {"accuracy": 0.99}},
        {"arm": "a", "role": "remedy", "selection": {"accuracy": 0.7}},
        {"arm": "b", "role": "remedy", "selection": {"accuracy": 0.7}},
        {"arm": "c", "role": "remedy", "selection": None},
    ]
    assert words.best_arm(entries)["arm"] == "a"
    assert words.best_arm(entries[3:])["arm"] is None


def test_permuted_test_labels_change_no_choice(tmp_path: Path, standard: tuple[Path, dict[str, Any]]) -> None:
    c = compared(write_results(tmp_path, CHOSEN, {"short": 4000}, folds=3, permute_labels=True))
    assert c["best_arm"] == standard[1]["best_arm"]
    assert c["verdict"]["verdict"] == "rejected"


def test_neither_the_order_of_rows_nor_their_blocks_change_a_byte(tmp_path: Path) -> None:
    arms = standard_arms()[:3]
    one = write_results(tmp_path / "a", arms, {"short": 3000}, mixed=6)
    two = write_results(tmp_path / "b", arms, {"short": 3000}, mixed=6, shuffle_rows=True, row_group_size=700)
    compared(one)
    compared(two)
    assert (one / "comparison.json").read_bytes() == (two / "comparison.json").read_bytes()


def plain(*names: str, **options: Any) -> list[Arm]:
    return [Arm(n, role="baseline" if n == "baseline" else "remedy", **options) for n in names]


DEGENERATE = {
    "one cluster a label": ({"clusters": 2, "folds": 1}, "effective clusters"),
    "few clusters": ({"clusters": 12}, "effective clusters"),
    "one viral cluster": ({"clusters": 40, "viral_clusters": 1}, "effective clusters"),
    "no viral windows": ({"clusters": 60, "viral_clusters": 0}, "no viral windows"),
    "no nonviral windows": ({"clusters": 60, "viral_clusters": 60}, "no nonviral windows"),
    "perfect": ({"arms": [*plain("baseline"), *plain("finetune", perfect=True)]}, "Every call is right"),
    "both perfect": ({"arms": plain("baseline", "finetune", perfect=True)}, "Every call is right"),
    "one class": ({"arms": [*plain("baseline"), *plain("finetune", constant=3.0)]}, "It calls every window viral"),
    "single replicate": ({"replicates": 1}, "A single replicate"),
    "no windows": ({"sets": {"short": 0, "full": 500}}, "The test set has no windows"),
    "only controls": ({"arms": [Arm("gc", role="control"), Arm("shuffled_labels", 0.5, role="control")]}, ""),
    "no baseline": ({"arms": plain("finetune", "scratch")}, ""),
    "no finetune": ({"arms": plain("baseline", "scratch")}, ""),
    "no validation": ({"arms": plain("baseline", "finetune", selection=None)}, ""),
    "given baseline": ({"arms": [*plain("baseline", replicates=1), *plain("finetune")]}, "A single replicate"),
    "windows of mixed clusters": ({"clusters": 60, "mixed": 60}, ""),
    "one fold": ({"folds": 1}, ""),
}


@pytest.fixture(scope="session")
def degenerate(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, dict[str, Any]]]:
    """The folder of a degenerate case and its comparison, made once."""

    @cache
    def make(case: str) -> tuple[Path, dict[str, Any]]:
        options = {"arms": plain("baseline", "finetune"), "sets": {"short": 900}, "folds": 2, "replicates": 2}
        folder = write_results(tmp_path_factory.mktemp("degenerate"), **options | DEGENERATE[case][0])
        return folder, compared(folder)

    return make


@pytest.mark.parametrize("case", DEGENERATE)
def test_a_degenerate_case_gives_a_sentence(case: str, degenerate: Callable[[str], tuple[Path, dict[str, Any]]]) -> None:
    sentence, (_, c) = DEGENERATE[case][1], degenerate(case)
    assert sentence in " ".join(n for row in c["arms"] for n in row["notes"])
    assert c["answer"] and c["recommendation"] and c["verdict"]["headline"]
    if case in ("no baseline", "no finetune", "only controls", "no windows"):
        assert c["verdict"]["verdict"] is None and "no verdict is claimed" in c["answer"]
        assert c["scenario"] is None


def test_too_few_clusters_mean_no_interval_and_no_certainty(tmp_path: Path) -> None:
    arms = [*plain("baseline", accuracy=0.3), *plain("finetune", accuracy=0.9)]
    c = compared(write_results(tmp_path, arms, {"short": 1500}, clusters=14))
    assert c["verdict"]["verdict"] == "strong" and not c["verdict"]["certain"] and c["verdict"]["ci95"] is None
    assert all(m["ci95"] is None for row in c["arms"] for m in row["metrics"].values())
    assert any("no intervals are given" in w for w in c["warnings"])


def test_under_30_effective_clusters_warn(tmp_path: Path) -> None:
    c = compared(write_results(tmp_path, plain("baseline", "finetune"), {"short": 2000}, clusters=60))
    assert c["verdict"]["ci95"] is not None
    assert any("rough" in w for w in c["warnings"])


def test_the_remedy_is_named_where_an_arm_learned_by_heart(tmp_path: Path) -> None:
    arms = [*plain("baseline"), *plain("finetune", accuracy=0.52, training_accuracy=0.95), Arm("gc", 0.5, "control", 0.5, 0.95)]
    found = compared(write_results(tmp_path, arms, {"short": 2000}))["overfitting"]
    assert [o["arm"] for o in found] == ["finetune"]
    assert all(word in found[0]["sentence"] for word in ("fewer epochs", "dropout 0.2", "more data"))


def test_a_baseline_that_fails_on_short_windows_only_is_not_overfitted(standard: tuple[Path, dict[str, Any]]) -> None:
    assert standard[1]["overfitting"] == []


def test_criteria_by_hand() -> None:
    row = {
        "metrics": {
            k: {"mean": v, "ci95": None} for k, v in {"accuracy": 0.7, "precision": 0.69, "recall": 0.95, "f1": 0.75}.items()
        }
    }
    found = {k["name"]: k for k in words.criteria(row, None)}
    assert [found[n]["met"] for n in ("Training accuracy", "Test accuracy", "Precision", "Recall", "F1")] == [
        None,
        True,
        False,
        True,
        True,
    ]
    assert found["Recall"]["note"] == "above the range asked for"


@pytest.mark.parametrize(("accuracy", "name"), [(0.93, "confirmed"), (0.60, "partial"), (0.505, "rejected")])
def test_scenario_follows_the_verdict(accuracy: float, name: str, tmp_path: Path) -> None:
    arms = [*plain("baseline", accuracy=0.5, spread=0.1), *plain("finetune", accuracy=accuracy, spread=0.1)]
    c = compared(write_results(tmp_path, arms, {"short": 3000}, clusters=150))
    assert c["scenario"]["name"] == name and c["scenario"]["next_steps"]


def test_shuffled_labels_off_chance_warn_of_a_leak(tmp_path: Path) -> None:
    arms = [*plain("baseline", "finetune"), Arm("shuffled_labels", 0.75, "control", 0.5)]
    c = compared(write_results(tmp_path, arms, {"short": 3000}))
    assert c["controls"]["shuffled_labels"]["holds_chance"] is False
    assert any(w.startswith("LEAK?") for w in c["warnings"])


def test_shuffled_labels_at_chance_do_not(standard: tuple[Path, dict[str, Any]]) -> None:
    assert standard[1]["controls"]["shuffled_labels"]["holds_chance"] is True


def test_an_audit_above_its_limit_warns_first(tmp_path: Path) -> None:
    folder = write_results(tmp_path, plain("baseline", "finetune"), {"short": 1200})
    pair = {"train_set": "short", "test_set": "short", "test_windows": 1000, "shared_windows": 20, "share": 0.02, "ok": False}
    (folder / "leakage.json").write_text(json.dumps({"k": 31, "limit": 0.001, "ok": False, "summary": [pair], "sets": []}))
    c = compared(folder)
    assert c["leakage"]["ok"] is False and "ABOVE THE LIMIT" in c["warnings"][0]


def test_predictions_that_do_not_match_stop_the_step(tmp_path: Path) -> None:
    folder = write_results(tmp_path, plain("baseline", "finetune"), {"short": 1200})
    metrics = folder / "evaluation" / "finetune" / "short" / "metrics.json"
    value = json.loads(metrics.read_text())
    value["pooled"][1]["accuracy"] += 0.01
    metrics.write_text(json.dumps(value))
    with pytest.raises(InputError, match=r"finetune.*accuracy.*replicate 1"):
        compared(folder)


def test_another_test_set_under_the_same_name_stops_the_step(tmp_path: Path) -> None:
    folder = write_results(tmp_path / "a", plain("baseline", "finetune"), {"short": 1200})
    other = write_results(tmp_path / "b", plain("finetune"), {"short": 1300})
    (other / "evaluation" / "finetune" / "short").rename(folder / "evaluation" / "finetune" / "other")
    for name in ("predictions.parquet", "metrics.json"):
        (folder / "evaluation" / "finetune" / "other" / name).replace(folder / "evaluation" / "finetune" / "short" / name)
    (folder / "evaluation" / "finetune" / "other").rmdir()
    with pytest.raises(InputError, match="evaluated on the same windows"):
        compared(folder)


def test_a_score_that_is_no_number_is_named(tmp_path: Path) -> None:
    folder = write_results(tmp_path, plain("baseline"), {"short": 300})
    path = folder / "evaluation" / "baseline" / "short" / "predictions.parquet"
    table = pq.read_table(path)
    odds = table["log_odds"].to_numpy().copy()
    odds[7] = np.nan
    pq.write_table(table.set_column(table.column_names.index("log_odds"), "log_odds", pa.array(odds)), path)
    with pytest.raises(InputError, match="window 7: its score is not a number"):
        compared(folder)
