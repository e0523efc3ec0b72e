"""The manifest of a shard: one row per window, with all that later steps need to know about it."""

import numpy as np
import pyarrow as pa

from virshort.sequence.translation import longest_peptides
from virshort.windows.drawing import DrawnWindows
from virshort.windows.drawing_units import DrawingUnits
from virshort.windows.source_table import SourceTable


def manifest_table(
    windows: DrawnWindows,
    sources: SourceTable,
    units: DrawingUnits,
    sequences: list[bytes],
    gc: np.ndarray,
    genetic_code: int,
) -> pa.Table:
    """The manifest of n windows, in their order. sequences: n, read on the window's strand; gc: [n] float32.

    The id of a window, `source:start-end(strand)`, counts bases from 1, both ends included; the columns start and end count
    from 0, without the end. `peptide` is the number of residues of the longest stretch without a stop in six frames."""
    unit, source = windows.unit, windows.source
    start, end = windows.start - sources.offset[source], windows.end - sources.offset[source]
    names = [sources.source[s] for s in source.tolist()]
    strand = ["-" if minus else "+" for minus in windows.minus.tolist()]
    ids = [f"{n}:{a + 1}-{b}({c})" for n, a, b, c in zip(names, start.tolist(), end.tolist(), strand, strict=True)]
    return pa.table(
        {
            "window": ids,
            "source": names,
            "start": start,
            "end": end,
            "strand": strand,
            "length": (end - start).astype(np.int32),
            "label": units.label[unit],
            "kingdom": units.kingdom[unit].tolist(),
            "family": pa.array([sources.family[s] for s in source.tolist()], pa.string()),
            "cluster": units.cluster[unit].tolist(),
            "fold": units.fold[unit],
            "gc": gc,
            "peptide": pa.array([len(p) for p in longest_peptides(sequences, genetic_code)], pa.int32()),
        }
    )
