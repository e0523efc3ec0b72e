"""Rates by novelty: the counts are those of the predictions, and the intervals keep their promise."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simulated_clusters import EXPERIMENTS, right_calls, sizes
from virshort.errors import InputError
from virshort.inference.novelty import FAMILIES, MATCHES, NEW
from virshort.inference.novelty_rates import NoveltyRate, novelty_rates, rate_of, read_novelty

N, REPLICATES, CLUSTERS = 600, 2, 40


def write(folder: Path, searched: bool = True, order: np.ndarray | None = None) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """A test set with its novelty and predictions. Returns its columns and the log-odds [REPLICATES, N]."""
    rng = np.random.default_rng(5)
    cluster = rng.integers(0, CLUSTERS, N)
    windows = {
        "label": (cluster % 2).astype(np.int8),
        "cluster": cluster,
        "family": cluster // 4,
        "fold": (cluster % 3).astype(np.int8),
        "status": (cluster // 4 % 3).astype(np.int8),
        "match": rng.integers(0, len(MATCHES), N).astype(np.int8),
    }
    ids = pa.array([f"w{i}" for i in range(N)])
    table = {
        "window": ids,
        "label": windows["label"],
        "cluster": [f"c{c}" for c in cluster],
        "family": [f"f{f}" if s else None for f, s in zip(windows["family"], windows["status"], strict=True)],
        "status": windows["status"],
        "bits": pa.nulls(N, pa.float32()),
        "identity": pa.nulls(N, pa.float32()),
        "match": windows["match"] if searched else pa.nulls(N, pa.int8()),
    }
    pq.write_table(pa.table(table), folder / "novelty.parquet")
    odds = rng.normal(0, 2, (REPLICATES, N)).astype(np.float32)
    rows = pa.table(
        {
            "window": pa.chunked_array([ids] * REPLICATES),
            "fold": np.tile(windows["fold"], REPLICATES),
            "replicate": np.repeat(np.arange(REPLICATES), N).astype(np.int8),
            "log_odds": odds.ravel(),
            "call": odds.ravel() >= 0,
        }
    )
    pq.write_table(rows if order is None else rows.take(order), folder / "predictions.parquet")
    return windows, odds


def rates(folder: Path, cuts: dict[tuple[int, int], float | None] | None = None) -> list[NoveltyRate]:
    table = read_novelty(folder / "novelty.parquet")
    default = {(f, r): 1.5 + f + r for f in range(3) for r in range(REPLICATES)}
    return novelty_rates(folder / "predictions.parquet", table, default if cuts is None else cuts)


def test_every_window_is_counted_once_in_each_grouping_and_called_at_both_thresholds(tmp_path):
    windows, odds = write(tmp_path)
    found = rates(tmp_path)
    for by in ("family", "match", "relative"):
        assert sum(r["windows"] for r in found if r["by"] == by) == N
    cut = 1.5 + windows["fold"][None] + np.arange(REPLICATES)[:, None]
    for by, names in (("family", FAMILIES), ("match", MATCHES)):
        for g, name in enumerate(names):
            for y, label in enumerate(("nonviral", "viral")):
                mine = (windows["status" if by == "family" else by] == g) & (windows["label"] == y)
                (row,) = (r for r in found if (r["by"], r["group"], r["label"]) == (by, name, label))
                assert row["windows"] == mine.sum() and row["clusters"] == len(set(windows["cluster"][mine].tolist()))
                assert row["called"]["share"] == pytest.approx((odds[:, mine] >= 0).mean())
                assert row["called_strictly"]["share"] == pytest.approx((odds >= cut)[:, mine].mean())


def test_the_unit_of_new_families_is_the_family(tmp_path):
    windows, _ = write(tmp_path)
    (row,) = (r for r in rates(tmp_path) if (r["by"], r["group"], r["label"]) == ("family", "new", "viral"))
    mine = (windows["status"] == NEW) & (windows["label"] == 1)
    assert row["units"] == len(set(windows["family"][mine].tolist())) < row["clusters"]
    assert row["called"]["ci95"] is None, "there are fewer than ten families"


def test_without_a_search_only_families_are_grouped_and_without_cuts_nothing_is_strict(tmp_path):
    write(tmp_path, searched=False)
    found = rates(tmp_path, {(0, 0): None})
    assert {r["by"] for r in found} == {"family"} and all(r["called_strictly"] is None for r in found)


def test_the_order_of_the_rows_changes_nothing(tmp_path):
    write(tmp_path)
    before = rates(tmp_path)
    write(tmp_path, order=np.random.default_rng(1).permutation(N * REPLICATES))
    assert rates(tmp_path) == before


def test_windows_of_another_run_are_refused(tmp_path):
    write(tmp_path, order=np.arange(N * REPLICATES - 1))
    with pytest.raises(InputError, match=f"window w{N - 1} is missing in a replicate"):
        rates(tmp_path)
    table = pq.read_table(tmp_path / "novelty.parquet")
    pq.write_table(table.slice(3), tmp_path / "novelty.parquet")
    with pytest.raises(InputError, match="window w0 is not among those whose novelty is known"):
        rates(tmp_path)


@pytest.mark.parametrize("units", [15, 40, 150])
def test_the_interval_of_a_rate_covers_the_truth(units: int) -> None:
    rng = np.random.default_rng(units)
    n = sizes(rng, units)
    called = right_calls(rng, n, rng.normal(0, 1, n.shape), 0.4, 3)
    intervals = [rate_of(c, w)["ci95"] for c, w in zip(called, n, strict=True)]
    known = [i for i in intervals if i]
    covered = np.mean([low <= 0.4 <= high for low, high in known])
    print(f"{units} units: {covered:.3f} covered, {len(known)} of {EXPERIMENTS} with an interval")
    assert len(known) > EXPERIMENTS / 5 and 0.92 <= covered <= 0.975


def test_for_new_families_intervals_over_clusters_would_be_too_narrow() -> None:
    """Sixty clusters of fifteen families: what a family has in common is most of the difficulty."""
    rng = np.random.default_rng(8)
    families = np.arange(60) % 15
    n = sizes(rng, 60)
    called = right_calls(rng, n, rng.normal(0, 1, (EXPERIMENTS, 15))[:, families], 0.4, 3)

    def coverage(unit: np.ndarray) -> float:
        one = np.eye(unit.max() + 1, dtype=np.int64)[unit]
        found = [rate_of(c @ one, w @ one)["ci95"] for c, w in zip(called, n, strict=True)]
        return float(np.mean([i[0] <= 0.4 <= i[1] for i in found if i]))

    by_family, by_cluster = coverage(families), coverage(np.arange(60))
    print(f"{by_family:.3f} covered by family, {by_cluster:.3f} by cluster")
    assert 0.92 <= by_family <= 0.975 and by_cluster < 0.85
