#!/usr/bin/env python3
"""Put the modalities of a shard side by side, after checking that they follow the same windows."""

import argparse
from pathlib import Path

from virshort.errors import run
from virshort.features.merging import merge_modalities, read_embeddings
from virshort.features.tensors import write_tensors
from virshort.files import content_digest
from virshort.windows.shards import read_manifest


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--manifest", type=Path, required=True)
    p.add_argument("--embeddings", type=Path, nargs="+", required=True)
    p.add_argument("--out", type=Path, required=True)
    args = p.parse_args()

    manifest, windows_digest = read_manifest(args.manifest)
    embeddings = [read_embeddings(path) for path in args.embeddings]
    tensors, header = merge_modalities(args.manifest.name, manifest["window"].to_pylist(), windows_digest, embeddings)
    write_tensors(args.out, tensors, {**header, "manifest_digest": content_digest(args.manifest)})
    made = " + ".join(sorted(e.header["modality"] for e in embeddings))
    print(f"{args.manifest.name}: {manifest.num_rows} windows in, {len(embeddings[0].rows)} rows of {made} out")


if __name__ == "__main__":
    run(main)
