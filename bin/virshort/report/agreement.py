"""Do the files of a results folder belong to one run?

A folder can hold files of two runs, for example if a run failed after one that succeeded. Numbers that two files have in
common must then agree. Files that are absent are not checked, since the report can be made without them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from virshort.errors import InputError
from virshort.paired_sets import MATE, PAIR, pools_of_test_set
from virshort.report.lookup import Json
from virshort.verdict.schema import Comparison

ADVICE = "the folder holds files of two runs; run again into an empty --outdir"


def check_agreement(
    folder: Path,
    comparison: Comparison,
    windows: Mapping[tuple[str, str], Json],
    facts: Mapping[str, Json | None],
    parameters: Json,
) -> None:
    """Compare the comparison with the windows, the windows with the sources, and all with the parameters.

    `windows`: metadata.json by purpose and pool; `facts`: window_sets.json, folds.json, clusters.json and input.json by
    name, None where absent. Raises InputError that names the first two files that disagree."""
    settings = {"seed": comparison["seed"], "window_length": comparison["window_length"]}
    for name, value in settings.items():
        # Ready features have no window length, whatever the parameter is.
        if value and name in parameters and not parameters.get("features"):
            # A parameter may be written as 150, 150.0 or 1.5e2.
            _agree(folder, f"{name} in comparison.json", float(value), "that of the parameters", float(parameters[name]))
    sets, folds = facts.get("window_sets"), facts.get("folds")
    tested = {r["test_set"]: r["windows"] for r in comparison["arms"]}
    if windows and sets:
        _check_pools(folder, tested, windows, sets)
    if sets and folds:
        for name in ("folds", "test_folds"):
            if name in sets:
                _agree(folder, f"{name} in window_sets.json", sets[name], "that in folds.json", folds[name])
    sources = {
        "folds.json": sum(r["sources"] for r in folds["table"]) if folds else None,
        "clusters.json": (facts.get("clusters") or {}).get("sources"),
        "input.json": (facts.get("input") or {}).get("records"),
    }
    known = [(name, n) for name, n in sources.items() if n is not None]
    for name, n in known[1:]:
        _agree(folder, f"the number of sources in {known[0][0]}", known[0][1], f"that in {name}", n)
    _check_sources(folder)


def _check_pools(folder: Path, tested: Mapping[str, int], windows: Mapping[tuple[str, str], Json], sets: Json) -> None:
    """The pools are those that window_sets.json lists, and have the windows that the arms were tested on."""
    listed = {pool for purpose in ("train", "test") for s in sets[purpose].values() for pool in s["pools"]}
    # A set that is as large as the one it contains draws no windows of its own, so its pool is empty and not listed.
    drawn = {"/".join(pool) for pool, metadata in windows.items() if metadata["windows"]}
    if extra := sorted(drawn - listed):
        raise InputError(f"{folder}/windows/{extra[0]}: window_sets.json does not list this pool: {ADVICE}")
    for (purpose, pool), metadata in windows.items():
        shards = len(list((folder / "windows" / purpose / pool).glob("shard_*.windows.parquet")))
        if shards:
            _agree(
                folder,
                f"the number of shards in windows/{purpose}/{pool}",
                shards,
                "that in its metadata.json",
                metadata["shards"],
            )
    for name, count in tested.items():
        pools = [pool.partition("/") for pool in pools_of_test_set(sets, name)]
        known = [windows[purpose, pool] for purpose, _, pool in pools if (purpose, pool) in windows]
        if pools and len(known) == len(pools):
            in_pools = sum(_tested(metadata, name, sets["test_folds"]) for metadata in known)
            _agree(folder, f"the number of '{name}' windows in comparison.json", count, "that in windows/test", in_pools)


def _tested(metadata: Json, name: str, test_folds: Sequence[int]) -> int:
    """How many windows of a pool are tested. Of fragments there are two mates, and some only validate."""
    if name in (MATE, PAIR):
        return sum(row["windows"] for row in metadata["counts"] if row["fold"] in test_folds) // 2
    return metadata["windows"]


def _check_sources(folder: Path) -> None:
    """The sources of the short test windows lie in the fold and cluster that folds.parquet names."""
    table = folder / "sources" / "folds.parquet"
    shard = next(iter(sorted((folder / "windows" / "test" / "short").glob("shard_*.windows.parquet"))), None)
    if shard is None or not table.exists():
        return
    columns = ["source", "cluster", "fold"]
    placed = {r["source"]: (r["cluster"], r["fold"]) for r in pq.read_table(table, columns=columns).to_pylist()}
    for batch in pq.ParquetFile(shard).iter_batches(columns=columns):
        for r in batch.to_pylist():
            if placed.get(r["source"]) != (r["cluster"], r["fold"]):
                raise InputError(f"{shard}: source {r['source']} is elsewhere or absent in sources/folds.parquet: {ADVICE}")


def _agree(folder: Path, name: str, value: object, other: str, value_there: object) -> None:
    if value != value_there:
        shown = [f"{v:g}" if isinstance(v, float) else str(v) for v in (value, value_there)]
        raise InputError(f"{folder}: {name} is {shown[0]}, but {other} is {shown[1]}: {ADVICE}")
