"""How often windows are called viral, by how new they are: the recall of viral windows and the false positives of others.

The predictions of an arm are read as a stream and summed by cluster. Where results are given for new families, the unit of
evidence is the family, since its clusters are related; elsewhere it is the cluster.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from virshort.errors import InputError
from virshort.inference.cluster_counts import numbers, prediction_batches, replicates_of
from virshort.inference.estimates import MINIMUM_EFFECTIVE, effective_clusters, jackknife, with_training_noise
from virshort.inference.novelty import FAMILIES, MATCHES, NEW, RELATED
from virshort.labels import LABELS

RELATIVES = ("no relative", "relative")
THRESHOLDS = 2
"""How many thresholds calls are counted at: the one of best correlation on validation, and the one for 1 % false positives."""
Cuts = Mapping[tuple[int, int], float | None]
"""By fold and replicate, the log-odds from which 1 % of nonviral validation windows are called viral; None if not known."""


class Rate(TypedDict):
    """A share of windows with its 95 % interval, None where there are fewer than ten effective units or no spread."""

    share: float
    ci95: list[float] | None


class NoveltyRate(TypedDict):
    """The windows of one label that are equally new.

    by: match, relative or family; units: clusters, or families where these are new; effective: how many units of equal size
    would carry the same evidence; called: the share that is called viral at the threshold from validation; called_strictly: at
    that for 1 % false positives, None where a head has none."""

    by: str
    group: str
    label: str
    windows: int
    clusters: int
    units: int
    effective: float
    called: Rate
    called_strictly: Rate | None


@dataclass(frozen=True)
class Grouping:
    """One way to group windows. names: of the groups; code: [n] int8, which group, -1 for none; unit: [n] int, the unit of
    evidence."""

    names: tuple[str, ...]
    code: np.ndarray
    unit: np.ndarray


@dataclass(frozen=True)
class NoveltyTable:
    """The windows of a test set. window: their ids; label: [n] int8; cluster: [n] int; groupings: by name."""

    window: pa.Array
    label: np.ndarray
    cluster: np.ndarray
    groupings: Mapping[str, Grouping]


def read_novelty(path: Path) -> NoveltyTable:
    """Read novelty.parquet. Windows have no match bin if they were not searched, and then only families are grouped."""
    table = pq.read_table(path, columns=["window", "label", "cluster", "family", "status", "match"])
    cluster, family = (_codes(table[name].combine_chunks()) for name in ("cluster", "family"))
    status = table["status"].to_numpy()
    unit = np.where(status == NEW, cluster.max(initial=0) + 1 + family, cluster)
    groupings = {"family": Grouping(FAMILIES, status, unit)}
    if table["match"].null_count == 0:
        match = table["match"].to_numpy()
        groupings["match"] = Grouping(MATCHES, match, cluster)
        groupings["relative"] = Grouping(RELATIVES, (match >= RELATED).astype(np.int8), cluster)
    return NoveltyTable(table["window"].combine_chunks(), table["label"].to_numpy(), cluster, groupings)


def _codes(values: pa.Array) -> np.ndarray:
    return values.fill_null("").dictionary_encode().indices.to_numpy().astype(np.int64)


def novelty_rates(path: Path, table: NoveltyTable, cuts: Cuts) -> list[NoveltyRate]:
    """The rates of one arm, for every grouping, group and label that has windows.

    path: its predictions.parquet. Raises InputError unless its windows are those of the table, each once per replicate."""
    replicates = replicates_of(path)
    called = {name: _no_calls(len(replicates), g) for name, g in table.groupings.items()}
    seen = np.zeros((len(replicates), len(table.window)), bool)
    for row, r, calls in _calls(path, table, replicates, cuts):
        seen[r, row] = True
        for name, g in table.groupings.items():
            cell = g.code[row] * len(LABELS) + table.label[row]
            for t in range(THRESHOLDS):
                np.add.at(called[name][t, r], (cell, g.unit[row]), calls[t])
    if not seen.all():
        missing = table.window[int(np.argmin(seen.all(axis=0)))].as_py()
        raise InputError(f"{path}: window {missing} is missing in a replicate: run EVALUATE again")
    strict = all(cut is not None for cut in cuts.values()) and bool(cuts)
    return [rate for name, g in table.groupings.items() for rate in _rates_of_grouping(name, g, table, called[name], strict)]


def _no_calls(replicates: int, g: Grouping) -> np.ndarray:
    """Room for calls by threshold, replicate, group and label, and unit: int64 zeros."""
    return np.zeros((THRESHOLDS, replicates, len(g.names) * len(LABELS), int(g.unit.max(initial=0)) + 1), np.int64)


def _calls(path: Path, table: NoveltyTable, replicates: list[int], cuts: Cuts) -> Iterator[tuple[np.ndarray, int, np.ndarray]]:
    """Block by block: rows of the table, the place of their replicate, and the calls at both thresholds [THRESHOLDS, block]."""
    done = [0] * len(replicates)
    for batch in prediction_batches(path, ["window", "fold", "replicate", "log_odds", "call"]):
        replicate = numbers(batch, "replicate", path)
        for place, r in enumerate(replicates):
            part = batch.filter(pa.array(replicate == r))
            row = _rows(part["window"], table, done[place], path)
            done[place] += len(row)
            fold, odds = numbers(part, "fold", path), part["log_odds"].to_numpy().astype(np.float32)
            strict = np.zeros(len(row), bool)
            for f in np.unique(fold).tolist():
                if (cut := cuts.get((f, r))) is not None:
                    strict[fold == f] = odds[fold == f] >= np.float32(cut)
            called = part["call"].cast(pa.int8()).to_numpy()
            yield row, place, np.stack([called, strict]).astype(np.int64)


def _rows(window: pa.Array, table: NoveltyTable, expected: int, path: Path) -> np.ndarray:
    """The rows of the table that hold these windows. EVALUATE writes them in the table's order, in which they begin at the row
    `expected`; in any other order they are looked up."""
    if window.equals(table.window.slice(expected, len(window))):
        return np.arange(expected, expected + len(window))
    row = pc.index_in(window, table.window)
    if row.null_count:
        unknown = window[int(row.is_null().to_numpy(zero_copy_only=False).argmax())].as_py()
        raise InputError(f"{path}: window {unknown} is not among those whose novelty is known: run NOVELTY again")
    return row.to_numpy().astype(np.int64)


def _rates_of_grouping(name: str, g: Grouping, table: NoveltyTable, called: np.ndarray, strict: bool) -> list[NoveltyRate]:
    """called: [THRESHOLDS, replicates, groups * labels, units]."""
    found: list[NoveltyRate] = []
    for group, words in enumerate(g.names):
        for y, label in enumerate(LABELS):
            mine = (g.code == group) & (table.label == y)
            if not mine.any():
                continue
            windows = np.bincount(g.unit[mine], minlength=called.shape[-1])
            balanced, at_one_percent = (rate_of(c[:, group * len(LABELS) + y], windows) for c in called)
            found.append(
                {
                    "by": name,
                    "group": words,
                    "label": label,
                    "windows": int(mine.sum()),
                    "clusters": len(np.unique(table.cluster[mine])),
                    "units": int((windows > 0).sum()),
                    "effective": round(effective_clusters(windows), 1),
                    "called": balanced,
                    "called_strictly": at_one_percent if strict else None,
                }
            )
    return found


def rate_of(called: np.ndarray, windows: np.ndarray) -> Rate:
    """The share of windows that are called viral, mean over replicates, with a delete-one-unit jackknife interval that includes
    the variation between replicates. called: [replicates, units] int; windows: [units] int, not all 0."""
    shares = called.sum(axis=1) / windows.sum()
    estimate = jackknife(called.sum(axis=0)[None], windows[None] * len(called), (1.0,))
    interval = None
    if effective_clusters(windows) >= MINIMUM_EFFECTIVE and estimate.known:
        interval = with_training_noise(estimate, shares).interval(low=0.0, high=1.0)
    return {"share": float(shares.mean()), "ci95": list(interval) if interval else None}
