"""Can the data be trusted: controls, the leakage audit, sources, folds, windows, and what was left out."""

from collections.abc import Iterable, Mapping
from typing import Any

from virshort.report.inputs import Inputs
from virshort.report.lookup import Json
from virshort.report.sections.errors import SHOWN
from virshort.report.wording import control_sentences


def controls(data: Inputs) -> Mapping[str, Any]:
    c = data.comparison
    return {
        "controls": control_sentences(c),
        "leakage": c["leakage"],
        "worst": (data.leakage or {}).get("worst", [])[:SHOWN],
    }


def sources_and_windows(data: Inputs) -> Mapping[str, Any]:
    tested = {r["test_set"]: r for r in data.comparison["arms"] if r["windows"]}
    notes = [n for source in (data.input, data.clusters, data.folds, data.mask) if source for n in source.get("notes", [])]
    notes += [n for m in data.windows.values() for n in m.get("notes", [])]
    return {
        "input": data.input,
        "folds": fold_table(data.folds) if data.folds else None,
        "held_out": (data.folds or {}).get("hold_out", "cluster"),
        "pools": pool_rows(data.windows),
        "tested": tested,
        "frames": {name: r for name, r in tested.items() if r.get("frame_rows")},
        "skipped": data.skipped[:SHOWN],
        "skipped_count": len(data.skipped),
        "notes": list(dict.fromkeys(notes)),
    }


def fold_table(folds: Json) -> Mapping[str, Any]:
    """Names of the folds, and for each label and kingdom the entry {clusters, sources} of each fold, None if empty."""
    names = sorted({r["fold"] for r in folds["table"]})
    cells: dict[tuple[str, str], dict[int, Json]] = {}
    for r in folds["table"]:
        cells.setdefault((str(r["label"]), str(r["kingdom"])), {})[r["fold"]] = r
    return {"names": names, "rows": [(*group, [found.get(f) for f in names]) for group, found in sorted(cells.items())]}


def pool_rows(windows: Mapping[tuple[str, str], Json]) -> list[dict[str, Any]]:
    """For each pool and label the number of its windows: in total, by kingdom and by fold."""
    rows = []
    for (purpose, pool), metadata in windows.items():
        counts = metadata.get("counts", [])
        for label in sorted({str(r["label"]) for r in counts}):
            mine = [r for r in counts if str(r["label"]) == label]
            rows.append(
                {
                    "purpose": purpose,
                    "pool": pool,
                    "label": label,
                    "windows": sum(r["windows"] for r in mine),
                    "kingdoms": totals(mine, "kingdom"),
                    "folds": totals(mine, "fold"),
                }
            )
    return rows


def totals(rows: Iterable[Json], key: str) -> dict[str, int]:
    """Windows by the value of a column, sorted by that value."""
    total: dict[str, int] = {}
    for r in rows:
        total[str(r[key])] = total.get(str(r[key]), 0) + r["windows"]
    return dict(sorted(total.items()))
