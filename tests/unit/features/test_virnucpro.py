"""VirNucPro's files: its own give the reference's numbers, and those written here can be read as its scripts read them."""

import json
import os
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from virshort.errors import InputError
from virshort.features.virnucpro import (
    head_shapes,
    read_head,
    read_merged,
    read_part,
    write_head,
    write_merged,
)

SHARED = Path(os.environ.get("VIRSHORT_SHARED", Path(__file__).resolve().parents[3].parent / "shared"))
GOLDEN = SHARED / "golden/virnucpro"
needs_golden = pytest.mark.skipif(not GOLDEN.exists(), reason="golden data not here")
HEADS = [
    "whole_module_cuda",
    "whole_module_train_mode",
    "checkpoint_train",
    "checkpoint_finetuned",
    "state_dict_old_format",
    "predict_model",
]


def logits(t, x):
    """The head in evaluation mode, in float64. x: [n, inputs]."""
    hidden = x @ t["hidden_layer.weight"].T.astype(float) + t["hidden_layer.bias"]
    hidden = (hidden - t["bn1.running_mean"]) / np.sqrt(t["bn1.running_var"] + 1e-5) * t["bn1.weight"] + t["bn1.bias"]
    return np.maximum(hidden, 0) @ t["output_layer.weight"].T.astype(float) + t["output_layer.bias"]


def calls_by_contig(ids, scores):
    """VirNucPro's call of each contig: the largest viral score of its rows is at least their largest other score. scores: [n,
    2], the viral score second; the last two letters of an id are its frame."""
    best = {}
    for name, score in zip((i[:-2] for i in ids), scores, strict=True):
        best[name] = np.maximum(best.get(name, score), score)
    return {name: bool(b[1] >= b[0]) for name, b in best.items()}


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


@pytest.fixture
def head():
    rng = np.random.default_rng(0)
    return {
        k: np.int64(7) if k.endswith("tracked") else np.abs(rng.standard_normal(s, dtype=np.float32)) + 0.1
        for k, s in head_shapes(2048).items()
    }


@needs_golden
@pytest.mark.parametrize("name", HEADS)
def test_heads_give_the_references_numbers(name):
    tensors, metadata = read_head(GOLDEN / f"{name}.pth", 64)
    assert bool(metadata) == (not name.startswith("whole"))
    expected = load_file(GOLDEN / "expected.safetensors")
    z = logits(tensors, expected["inputs"].astype(float))
    assert np.abs(z - expected[f"{name}.logits"]).max() <= 3e-5
    assert np.abs(softmax(z) - expected[f"{name}.softmax"]).max() <= 1e-5


@needs_golden
def test_predictions_on_merged_features():
    expected = load_file(GOLDEN / "expected.safetensors")
    contigs = json.loads((GOLDEN / "expected_predictions.json").read_text())
    rows = read_merged(GOLDEN / "merged_predict.pt", 64)
    assert rows.labels is None
    assert rows.ids == contigs["ids"]
    np.testing.assert_array_equal(rows.data, expected["merged.data"])
    scores = softmax(logits(read_head(GOLDEN / "predict_model.pth", 64)[0], rows.data.astype(float)))
    assert np.abs(scores - expected["merged.softmax_by_predict_model"]).max() <= 1e-5
    assert calls_by_contig(rows.ids, scores) == contigs["is_virus"]


@needs_golden
def test_both_forms_of_labels():
    assert read_merged(GOLDEN / "merged_viral.pt").labels.tolist() == [1] * 9
    assert set(read_merged(GOLDEN / "merged_host.pt").labels.tolist()) == {0}
    rows = read_merged(GOLDEN / "merged_row_labels.pt")
    np.testing.assert_array_equal(rows.labels, load_file(GOLDEN / "expected.safetensors")["merged.row_labels"])


@needs_golden
@pytest.mark.parametrize(
    ("folder", "merged", "width"),
    [
        (".", "merged_predict.pt", 64),
        ("real_with_orfs", "output_1_merged.pt", 3328),
        ("real_fixed_500bp", "output_1_merged.pt", 3328),
    ],
)
def test_the_files_of_one_modality_are_the_halves_of_the_merged_one(folder, merged, width):
    (ids, dna), (others, protein) = (read_part(GOLDEN / folder / f"output_1_{m}.pt") for m in ("DNABERT_S", "ESM"))
    rows = read_merged(GOLDEN / folder / merged, width)
    assert set(ids) == set(others) == set(rows.ids)
    joined = np.concatenate([dna[[ids.index(i) for i in rows.ids]], protein[[others.index(i) for i in rows.ids]]], 1)
    np.testing.assert_allclose(joined, rows.data, rtol=0, atol=1e-6 if folder == "." else 0)


@needs_golden
def test_a_head_for_other_features_is_refused():
    with pytest.raises(InputError, match=r"takes 64 numbers per row, .* have 2048 numbers per row .*650M"):
        read_head(GOLDEN / "predict_model.pth", 2048)
    with pytest.raises(InputError, match="neither a checkpoint"):
        read_head(GOLDEN / "merged_viral.pt", 64)
    with pytest.raises(InputError, match="not merged features"):
        read_merged(GOLDEN / "predict_model.pth")


@pytest.mark.parametrize("as_module", [False, True])
def test_heads_come_back_as_they_were(tmp_path, head, as_module):
    path = tmp_path / "head.pth"
    write_head(path, head, "facebook/esm2_t33_650M_UR50D", as_module=as_module)
    found, metadata = read_head(path, 2048)
    assert found.keys() == head.keys()
    for k, v in head.items():
        np.testing.assert_array_equal(found[k], v)
    if not as_module:
        assert metadata["merged_dim"] == metadata["input_dim"] == 2048
        assert metadata["checkpoint_version"] == "2.0.0"


READER = """
import torch
from torch import nn
import torch.nn.functional as F
class MLPClassifier(nn.Module):
    def __init__(self, input_dim, hidden_dim, num_class):
        super().__init__()
        self.hidden_layer = nn.Linear(input_dim, hidden_dim)
        self.bn1 = nn.BatchNorm1d(hidden_dim)
        self.output_layer = nn.Linear(hidden_dim, num_class)
        self.dropout = nn.Dropout(0.5)
    def forward(self, x):
        return self.output_layer(self.dropout(F.relu(self.bn1(self.hidden_layer(x)))))
value = torch.load("head.pth", weights_only=False)
if isinstance(value, dict):
    m = value["metadata"]
    assert int(m["checkpoint_version"].split(".")[0]) >= 2
    model = MLPClassifier(m["input_dim"], m["hidden_dim"], m["num_class"])
    model.load_state_dict(value["model_state_dict"])
else:
    model = value
model.eval()
merged = torch.load("merged.pt")
with torch.no_grad():
    z = model(merged["data"]).numpy()
read = (merged["labels"][0], len(merged["ids"]))
"""


@pytest.mark.parametrize("as_module", [False, True])
def test_a_script_that_reads_as_virnucpro_does_reads_ours(tmp_path, monkeypatch, head, as_module):
    """A script of the same form: a class in __main__, an unrestricted load, and one label per file."""
    x = np.random.default_rng(1).standard_normal((5, 2048), dtype=np.float32)
    write_head(tmp_path / "head.pth", head, "facebook/esm2_t33_650M_UR50D", as_module=as_module)
    write_merged(tmp_path / "merged.pt", [f"c{i}F1" for i in range(5)], x, 1)
    (tmp_path / "reader.py").write_text(READER)
    monkeypatch.chdir(tmp_path)
    found = runpy.run_path("reader.py", run_name="__main__")
    assert found["read"] == (1, 5)
    np.testing.assert_allclose(found["z"], logits(head, x.astype(float)), rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("label", [None, 0, 1, np.array([0, 1, 1])])
def test_merged_features_come_back_as_they_were(tmp_path, label):
    x = np.random.default_rng(1).standard_normal((3, 8), dtype=np.float32)
    write_merged(tmp_path / "m.pt", ["a", "b", "c"], x, label)
    rows = read_merged(tmp_path / "m.pt")
    assert rows.ids == ["a", "b", "c"]
    np.testing.assert_array_equal(rows.data, x)
    assert (rows.labels is None) if label is None else (rows.labels.tolist() == np.resize(label, 3).tolist())


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"ids": ["a", "a"], "data": torch.zeros(2, 3)}, "id a occurs more than once"),
        ({"ids": ["a", "b"], "data": torch.tensor([[0.0], [float("nan")]])}, "id b has numbers"),
        ({"ids": ["a"], "data": torch.zeros(2, 3)}, r"1 ids, but data is \[2, 3\]"),
        ({"ids": ["a", "b"], "data": torch.zeros(2, 3), "labels": [0, 2]}, "one for each of its 2 rows"),
        ({"ids": ["a", "b", "c"], "data": torch.zeros(3, 3), "labels": [0, 1]}, "one for each of its 3 rows"),
        ({"ids": ["a"], "data": [[0.0]]}, "not merged features"),
    ],
)
def test_merged_features_that_are_wrong_are_named(tmp_path, value, message):
    torch.save(value, tmp_path / "m.pt")
    with pytest.raises(InputError, match=message):
        read_merged(tmp_path / "m.pt")
