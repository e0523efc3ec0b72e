"""Manifests: what a row says about its window."""

import numpy as np

from synthetic_sources import source_table
from virshort.windows.drawing import DrawnWindows
from virshort.windows.manifests import manifest_table
from virshort.windows.sampling import Sampler
from virshort.windows.shards import extract


def test_a_row_describes_its_window():
    bases = np.frombuffer(b"ACGTTGCATTAAGGCCATGC" + b"GGGAAATTTCCCATGATGATG", np.uint8)
    sources = source_table(
        np.array([20, 21]), np.array(["c", "c"]), np.array([1, 1]), np.array(["phage", "plant virus"]), np.array([2, 2])
    )
    sources.family = [None, "f"]
    sampler = Sampler(sources, bases, 42, 0.1)
    start, end, minus = np.array([2, 23]), np.array([14, 35]), np.array([False, True])
    windows = DrawnWindows(sampler.unit, np.array([0, 1]), start, end, minus)
    sequences, gc = extract(bases, start, end, minus)
    rows = manifest_table(windows, sources, sampler.units, sequences, gc, 1).to_pylist()
    assert [row.pop("gc") for row in rows] == gc.tolist()
    # s0 on its strand: GTT GCA TTA AGG, without a stop; s1 on the other: CAT GGG AAA TTT.
    assert rows == [
        {
            "window": "s0:3-14(+)",
            "source": "s0",
            "start": 2,
            "end": 14,
            "strand": "+",
            "length": 12,
            "label": 1,
            "kingdom": "phage",
            "family": None,
            "cluster": "c",
            "fold": 2,
            "peptide": 4,
        },
        {
            "window": "s1:4-15(-)",
            "source": "s1",
            "start": 3,
            "end": 15,
            "strand": "-",
            "length": 12,
            "label": 1,
            "kingdom": "plant virus",
            "family": "f",
            "cluster": "c",
            "fold": 2,
            "peptide": 4,
        },
    ]
