"""What a run cost, from Nextflow's trace: time and memory by process, and an estimate for more windows."""

import csv
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
BYTES = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
EMBEDDING = ("EMBED", "EMBED_KMERS")
"""Processes that embed."""
BY_WINDOWS = ("SAMPLE_WINDOWS", *EMBEDDING, "MERGE", "TRAIN_BASELINE", "TRAIN", "EVALUATE", "AUDIT")
"""Processes whose work grows with the windows; the others' grows with the genomes, or not at all."""
MORE = 10


def seconds(text: str) -> float:
    """Seconds of a duration as Nextflow writes it: 850ms, 1m 3s, 2h 5m 10s; 0 of a dash."""
    return sum(float(n) * SECONDS[unit] for n, unit in re.findall(r"([\d.]+)\s*(ms|s|m|h|d)\b", text))


def size(text: str) -> float:
    """Bytes of an amount as Nextflow writes it: 45.5 MB; 0 of a dash."""
    found = re.fullmatch(r"([\d.]+)\s*(B|KB|MB|GB|TB)", text.strip())
    return float(found[1]) * BYTES[found[2]] if found else 0.0


def read_trace(path: Path) -> list[dict[str, str]]:
    """Rows of a trace file."""
    with path.open(newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f, delimiter="\t"))


def costs(trace: Iterable[Mapping[str, str]], embedded: int) -> dict[str, Any]:
    """By process: tasks, seconds of running time, peak memory; by arm the seconds of its training; windows a second; the
    seconds of ten times the windows.

    `embedded`: windows of all pools, each embedded once by each encoder that needs it. Only finished tasks count, those
    taken from the cache with what they had cost. An estimate is a straight line through nothing: an upper bound, since
    the time to start does not grow."""
    rows: dict[str, dict[str, Any]] = {}
    training: dict[str, float] = {}
    for t in trace:
        if t["status"] not in ("COMPLETED", "CACHED"):
            continue
        name, _, tag = t["name"].partition(" (")
        process = name.split(":")[-1]
        if process in ("TRAIN", "TRAIN_BASELINE"):
            training[tag.rstrip(")")] = seconds(t.get("realtime", ""))
        row = rows.setdefault(process, {"process": process, "tasks": 0, "cached": 0, "seconds": 0.0, "peak_mb": 0.0})
        row["tasks"] += 1
        row["cached"] += t["status"] == "CACHED"
        row["seconds"] += seconds(t.get("realtime", ""))
        row["peak_mb"] = max(row["peak_mb"], size(t.get("peak_rss", "")) / 1e6)
    table = sorted(rows.values(), key=lambda r: -r["seconds"])
    total = sum(r["seconds"] for r in table)
    grows = sum(r["seconds"] for r in table if r["process"] in BY_WINDOWS)
    embedding = sum(rows[name]["seconds"] for name in EMBEDDING if name in rows)
    return {
        "processes": table,
        "training": training,
        "seconds": total,
        "embedded_windows": embedded,
        "windows_per_second": embedded / embedding if embedding else None,
        "more": MORE,
        "seconds_for_more": total - grows + MORE * grows,
    }
