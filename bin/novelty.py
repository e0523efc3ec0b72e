#!/usr/bin/env python3
"""Find how new each test window is to the split that tests it: its nearest relative in training, and whether its family was
there.

Writes one row per window: its id, label, cluster, family, status (0 to 2: family unknown, new or known), and the bits,
identity and bin of its best match among the training sources of its own label, which are empty if no search was run.
"""

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from virshort.errors import run
from virshort.features.window_features import WindowFeatures
from virshort.files import read_json, whole
from virshort.inference.novelty import by_fold_and_label, family_status, match_bins, nearest_relative
from virshort.windows.source_table import read_source_table

SCHEMA = pa.schema(
    [
        ("window", pa.string()),
        ("label", pa.int8()),
        ("cluster", pa.string()),
        ("family", pa.string()),
        ("status", pa.int8()),
        ("bits", pa.float32()),
        ("identity", pa.float32()),
        ("match", pa.int8()),
    ]
)
BLOCK = 1 << 14  # windows that are read at once


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True, help="folder with manifests and features of the test set")
    p.add_argument("--window-sets", type=Path, required=True, help="window_sets.json")
    p.add_argument("--test-set", default="short")
    p.add_argument("--folds", type=Path, required=True, help="folds.parquet")
    p.add_argument("--out", type=Path, required=True, help="novelty.parquet")
    args = p.parse_args()

    sets, sources = read_json(args.window_sets), read_source_table(args.folds)
    folds, family_of = sets["folds"], dict(zip(sources.source, sources.family, strict=True))
    windows = WindowFeatures(args.data, sets["test"][args.test_set]["pools"])
    searched = any(e["modality"] == "homology" for e in windows.encoders)
    done = 0
    with whole(args.out) as temporary, pq.ParquetWriter(temporary, SCHEMA, compression="zstd") as writer:
        for manifest in windows.tables(["window", "source", "cluster", "label", "fold"], BLOCK):
            which = np.arange(done, done + manifest.num_rows)
            done += manifest.num_rows
            label, fold = manifest["label"].to_numpy(), manifest["fold"].to_numpy()
            family = [family_of[s] for s in manifest["source"].to_pylist()]
            columns = {name: manifest[name] for name in ("window", "label", "cluster")} | {
                "family": pa.array(family, pa.string()),
                "status": family_status(family, fold, sources.family, sources.fold, folds),
                **dict.fromkeys(("bits", "identity", "match"), pa.nulls(len(which))),
            }
            if searched:
                rows, begin = windows.rows_of(which)
                matches = windows.rows(rows if begin is None else rows[begin], ["homology"])
                bits, identity = nearest_relative(by_fold_and_label(matches, folds), label, fold)
                columns |= {"bits": bits, "identity": identity, "match": match_bins(bits)}
            writer.write_table(pa.table(columns, schema=SCHEMA))
    print(f"{done} windows in and out, {'with' if searched else 'without'} a search for relatives")


if __name__ == "__main__":
    run(main)
