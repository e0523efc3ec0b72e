"""What a run cost, from Nextflow's trace: time and memory by process, and an estimate for more windows."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
BYTES = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
EMBEDDING = ("EMBED", "EMBED_KMERS", "SEARCH", "SCORE_FINETUNED")
"""Processes that make features."""
TRAINING = ("TRAIN_BASELINE", "TRAIN", "TRAIN_COMBINED")
"""Processes that make models, one task for each arm."""
BY_WINDOWS = ("SAMPLE_WINDOWS", "FINETUNE", *EMBEDDING, *TRAINING, "EVALUATE", "AUDIT")
"""Processes whose work grows with the windows; that of the others grows with the genomes, or not at all."""
MORE = 10
"""The estimate is for this many times the windows."""


@dataclass
class ProcessCosts:
    """The finished tasks of one process. `seconds`: their running times, added up."""

    process: str
    tasks: int = 0
    cached: int = 0
    seconds: float = 0.0
    peak_mb: float = 0.0


@dataclass(frozen=True)
class Costs:
    """What a run cost. `training`: seconds by arm; `speeds`: windows per second of the tasks of each encoder, some
    of which compute several;
    `seconds_for_more`: an upper bound for `more` times the windows."""

    processes: Sequence[ProcessCosts]
    training: Mapping[str, float]
    seconds: float
    embedded_windows: int
    windows_per_second: float | None
    speeds: Mapping[str, float]
    more: int
    seconds_for_more: float


def seconds(text: str) -> float:
    """Seconds of a duration as Nextflow writes it: 850ms, 1m 3s, 2h 5m 10s; a dash is 0."""
    return sum(float(n) * SECONDS[unit] for n, unit in re.findall(r"([\d.]+)\s*(ms|s|m|h|d)\b", text))


def size(text: str) -> float:
    """Bytes of an amount as Nextflow writes it: 45.5 MB; a dash is 0."""
    found = re.fullmatch(r"([\d.]+)\s*(B|KB|MB|GB|TB)", text.strip())
    return float(found[1]) * BYTES[found[2]] if found else 0.0


def read_trace(path: Path) -> list[dict[str, str]]:
    """The rows of a trace file."""
    with path.open(newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f, delimiter="\t"))


def costs(trace: Iterable[Mapping[str, str]], pools: Mapping[str, int]) -> Costs:
    """Costs by process, by arm the seconds of its training, and by encoder its speed.

    `pools`: windows of each pool (train/short), each embedded once by each encoder that needs it. Only finished tasks count;
    a task taken from the cache counts with its original cost. The estimate for more windows is a line through the origin, and
    an upper bound because the time to start a task does not grow."""
    rows: dict[str, ProcessCosts] = {}
    training: dict[str, float] = {}
    encoded: dict[str, tuple[float, set[str]]] = {}
    for task in trace:
        if task["status"] not in ("COMPLETED", "CACHED"):
            continue
        name, _, tag = task["name"].partition(" (")
        process = name.split(":")[-1]
        took = seconds(task.get("realtime", ""))
        if process in TRAINING:
            training[tag.rstrip(")")] = took
        if process in EMBEDDING and len(words := tag.rstrip(")").split()) == 3:  # encoders joined by +, pool, shard
            for encoder in words[0].split("+"):
                spent, seen = encoded.get(encoder, (0.0, set()))
                encoded[encoder] = (spent + took, seen | {words[1]})
        row = rows.setdefault(process, ProcessCosts(process))
        row.tasks += 1
        row.cached += task["status"] == "CACHED"
        row.seconds += took
        row.peak_mb = max(row.peak_mb, size(task.get("peak_rss", "")) / 1e6)
    table = sorted(rows.values(), key=lambda r: -r.seconds)
    total = sum(r.seconds for r in table)
    grows = sum(r.seconds for r in table if r.process in BY_WINDOWS)
    embedded = sum(pools.values())
    embedding = sum(rows[name].seconds for name in EMBEDDING if name in rows)
    return Costs(
        processes=table,
        training=training,
        seconds=total,
        embedded_windows=embedded,
        windows_per_second=embedded / embedding if embedding else None,
        more=MORE,
        speeds={e: sum(pools.get(p, 0) for p in seen) / spent for e, (spent, seen) in encoded.items() if spent},
        seconds_for_more=total - grows + MORE * grows,
    )
