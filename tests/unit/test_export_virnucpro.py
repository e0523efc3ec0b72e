"""Our models and features written for VirNucPro's scripts."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file

from virshort.features import write_tensors
from virshort.files import write_json
from virshort.virnucpro import head_shapes, read_head, read_merged

SCRIPT = Path(__file__).resolve().parents[2] / "bin/export_virnucpro.py"



def export(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.fixture
def model(tmp_path):
    rng = np.random.default_rng(0)
    weights = {k: np.array(3) if k.endswith("tracked") else np.abs(rng.standard_normal(s, dtype=np.float32))
               for k, s in head_shapes(2048).items()}
    save_file(weights, tmp_path / "model.safetensors")
    about = {"arm": "finetune", "modalities": ["dna", "protein"], "threshold": 0.4,
             "encoders": {"dna": {"encoder": "dnabert-s"}, "protein": {"encoder": "esm2-650m"}}}
    write_json(tmp_path / "model.json", about)
    return tmp_path, weights, about


@pytest.mark.parametrize("whole", [False, True])
def test_heads(model, whole):
    folder, weights, _ = model
    run = export("head", folder, folder / "x.pth", *["--whole"] * whole)
    assert run.returncode == 0, run.stderr
    tensors, metadata = read_head(folder / "x.pth", 2048)
    assert all(np.array_equal(tensors[k], v) for k, v in weights.items())
    assert whole or metadata["huggingface_model_id"] == "facebook/esm2_t33_650M_UR50D"


def test_a_head_of_one_modality_is_refused(model):
    folder, _, about = model
    write_json(folder / "model.json", {**about, "modalities": ["dna"]})
    run = export("head", folder, folder / "x.pth")
    assert run.returncode == 1
    assert "a head for dna alone" in run.stderr


def test_features_become_a_file_a_label(tmp_path):
    rng, paths = np.random.default_rng(0), []
    for shard, n in enumerate((3, 2)):
        features, windows = (tmp_path / f"s{shard}.{kind}" for kind in ("features.safetensors", "windows.parquet"))
        write_tensors(features, {"dna": np.float16(rng.standard_normal((n, 4))),
                                 "protein": np.float16(rng.standard_normal((n, 6)))}, {"windows_digest": f"d{shard}"})
        table = pa.table({"window": [f"w{shard}{i}" for i in range(n)],
                          "label": pa.array([1, 0, 1][:n], pa.int8())})
        pq.write_table(table.replace_schema_metadata({"windows_digest": f"d{shard}"}), windows)
        paths.append((features, windows))
    given = ["--features", *(f for f, _ in paths), "--windows", *(w for _, w in paths)]
    run = export("merged", tmp_path / "out", *given)
    assert run.returncode == 0, run.stderr
    viral, other = (read_merged(tmp_path / f"out/{n}_merged.pt", 10) for n in ("viral", "nonviral"))
    assert viral.ids == ["w00", "w02", "w10"]
    assert other.ids == ["w01", "w11"]
    assert (viral.labels.tolist(), other.labels.tolist()) == ([1] * 3, [0] * 2)
    run = export("merged", tmp_path / "out", "--features", paths[0][0], "--windows", paths[1][1])
    assert run.returncode == 1
    assert "follows other windows" in run.stderr
