"""A made test set, and window sets on disk as steps find them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from virshort.features.tensors import write_tensors
from virshort.features.window_features import WindowFeatures
from virshort.manifest_files import write_manifest

ENCODERS = [
    {"modality": "dna", "encoder": "kmer-dna", "weights": "", "pooling": "p"},
    {"modality": "protein", "encoder": "kmer-protein", "weights": "", "pooling": "q"},
]


@pytest.fixture
def windows() -> dict[str, np.ndarray]:
    """A test set of 120 clusters of 12 windows, with two sources each and three replicates."""
    rng = np.random.default_rng(1)
    cluster = np.repeat(np.arange(120), 12)
    label = (cluster % 2).astype(np.int8)
    hard = rng.normal(0, 0.5, 120)[cluster]
    odds = np.stack([np.where(label == 1, 1, -1) * (0.6 + hard) + rng.normal(0, 1.5, len(label)) for _ in range(3)])
    return {
        "label": label,
        "odds": odds.astype(np.float32),
        "cluster": cluster,
        "fold": cluster % 3,
        "source": np.arange(len(label)) // 6,
        "length": np.full(len(label), 150),
    }


@pytest.fixture
def window_features(tmp_path: Path) -> Callable[..., WindowFeatures]:
    """window_features(label, cluster, fold): windows of 150 bp in one shard, whose features tell the labels apart.

    matches: [n, folds * 2 * 2], the modality `homology`; more: further columns of the manifest, or others in their place."""

    def make(
        label: np.ndarray,
        cluster: np.ndarray,
        fold: np.ndarray,
        pool: str = "train/short",
        matches: np.ndarray | None = None,
        **more: Sequence,
    ) -> WindowFeatures:
        n, rng = len(label), np.random.default_rng(0)
        path = tmp_path / f"{pool.replace('/', '.')}.shard_00000.windows.parquet"
        names = [f"c{c:03d}" for c in cluster]
        columns = {
            "window": [f"w{i:05d}" for i in range(n)],
            "source": names,
            "cluster": names,
            "kingdom": ["plants" if c % 2 else "animals" for c in cluster],
            "fold": fold.astype(np.int8),
            "label": label.astype(np.int8),
            "length": np.full(n, 150, np.int32),
            "gc": rng.random(n, np.float32),
        }
        write_manifest(path, pa.table(columns | more), "w")
        features = {m: (rng.normal(size=(n, 4)) + label[:, None]).astype(np.float16) for m in ("dna", "protein")}
        encoders = ENCODERS
        if matches is not None:
            features["homology"] = matches
            encoders = [*ENCODERS, {"modality": "homology", "encoder": "homology", "weights": "", "pooling": "r"}]
        for encoder in encoders:
            features_of = path.with_name(path.name.replace(".windows.parquet", f".{encoder['encoder']}.safetensors"))
            header = {"windows_digest": "w", "encoders": json.dumps([encoder])}
            write_tensors(features_of, {encoder["modality"]: features[encoder["modality"]]}, header)
        return WindowFeatures(tmp_path, [pool])

    return make
