"""Heads that were trained elsewhere: both forms are read, and a head that does not fit is refused with the reason."""

import json
import os
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from virshort.errors import InputError
from virshort.features.virnucpro import head_shapes, write_head
from virshort.heads.pretrained import read_pretrained

ROOT = Path(__file__).resolve().parents[3]
SHARED = Path(os.environ.get("VIRSHORT_SHARED", ROOT.parent / "shared"))
GOLDEN = SHARED / "golden/virnucpro"
needs_golden = pytest.mark.skipif(not GOLDEN.exists(), reason=f"no reference files: {GOLDEN} is absent")
BOTH = {"modalities": ["dna", "protein"], "encoders": {"dna": "kmer-dna", "protein": "kmer-protein"}}
INPUTS = 157


def head(inputs: int = INPUTS) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        k: np.array(7) if k.endswith("tracked") else np.abs(rng.standard_normal(s, dtype=np.float32)) + 0.1
        for k, s in head_shapes(inputs).items()
    }


@pytest.fixture
def own_head(tmp_path: Path) -> Path:
    save_file(head(), tmp_path / "model.safetensors")
    about = {
        "arm": "scratch",
        "fold": 1,
        "replicate": 2,
        "modalities": BOTH["modalities"],
        "threshold": 0.4,
        "encoders": [{"modality": m, "encoder": e, "weights": "", "pooling": ""} for m, e in BOTH["encoders"].items()],
    }
    (tmp_path / "model.json").write_text(json.dumps(about))
    return tmp_path / "model.safetensors"


def edit(path: Path, **changes: object) -> None:
    record = path.with_name("model.json")
    record.write_text(json.dumps(json.loads(record.read_text()) | changes))


def test_a_virshort_head_keeps_its_threshold_and_encoders(own_head: Path) -> None:
    found = read_pretrained(own_head, INPUTS, BOTH)
    assert found.threshold == 0.4 and [e["encoder"] for e in found.encoders] == ["kmer-dna", "kmer-protein"]
    assert found.origin["form"] == "virshort" and found.origin["metadata"] == {"arm": "scratch", "fold": 1, "replicate": 2}
    assert all((found.tensors[k] == v).all() for k, v in head().items())


def test_a_virshort_head_may_judge_ready_features_of_unknown_encoders(own_head: Path) -> None:
    arm = BOTH | {"encoders": {"dna": "given", "protein": "given"}}
    assert read_pretrained(own_head, INPUTS, arm).encoders[0]["encoder"] == "kmer-dna"


@pytest.mark.parametrize("whole", [False, True])
def test_a_virnucpro_head_calls_at_one_half(tmp_path: Path, whole: bool) -> None:
    write_head(tmp_path / "h.pth", head(), "facebook/esm2_t33_650M_UR50D", as_module=whole)
    found = read_pretrained(tmp_path / "h.pth", INPUTS, BOTH)
    assert found.threshold == 0.5 and found.encoders is None
    assert found.origin["form"].endswith("whole module" if whole else "state dict")
    assert len(found.origin["sha256"]) == 64 and found.origin["file"] == "h.pth"
    assert whole or found.origin["metadata"]["huggingface_model_id"] == "facebook/esm2_t33_650M_UR50D"
    json.dumps(found.origin)


@needs_golden
@pytest.mark.parametrize("name", ["whole_module_cuda", "checkpoint_train", "checkpoint_finetuned", "state_dict_old_format"])
def test_all_forms_of_virnucpro_are_read(name: str) -> None:
    found = read_pretrained(GOLDEN / f"{name}.pth", 64, BOTH)
    assert found.tensors["hidden_layer.weight"].shape == (512, 64)
    json.dumps(found.origin, allow_nan=False)


def refused(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, folder: Path, path: Path) -> str:
    """The one line in which the script reports its error."""
    with pytest.raises(SystemExit) as e:
        script(monkeypatch, folder, path)
    assert e.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    return line


def script(monkeypatch: pytest.MonkeyPatch, folder: Path, path: Path) -> None:
    (folder / "arm.json").write_text(json.dumps(BOTH))
    monkeypatch.setattr(
        sys,
        "argv",
        [
            "read_pretrained.py",
            "--head",
            str(path),
            "--arm",
            str(folder / "arm.json"),
            "--inputs",
            str(INPUTS),
            "--out",
            str(folder / "out"),
        ],
    )
    monkeypatch.chdir(folder)
    runpy.run_path(str(ROOT / "bin/read_pretrained.py"), run_name="__main__")


@needs_golden
@pytest.mark.parametrize("name", ["malicious_whole", "malicious_metadata", "malicious_torch_prefix"])
def test_harmful_files_are_refused_and_run_nothing(name: str, tmp_path: Path, monkeypatch, capsys) -> None:
    line = refused(capsys, monkeypatch, tmp_path, GOLDEN / f"{name}.pth")
    assert line.startswith("virshort: ") and f"{name}.pth: " in line and "refused, and nothing of the file was run" in line
    assert [p.name for p in tmp_path.iterdir()] == ["arm.json"]


@needs_golden
def test_the_error_gives_both_numbers_of_inputs(tmp_path: Path, monkeypatch, capsys) -> None:
    line = refused(capsys, monkeypatch, tmp_path, GOLDEN / "predict_model.pth")
    assert "takes 64 numbers per row, but these features have 157" in line


def test_the_script_writes_a_virshort_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_head(tmp_path / "h.pth", head(), "")
    script(monkeypatch, tmp_path, tmp_path / "h.pth")
    assert (load_file(tmp_path / "out/model.safetensors")["bn1.weight"] == head()["bn1.weight"]).all()
    about = json.loads((tmp_path / "out/model.json").read_text())
    assert about["threshold"] == 0.5 and about["pretrained"]["file"] == "h.pth"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: edit(p, modalities=["dna"]), "trained with modalities dna, but the baseline reads dna .* protein"),
        (
            lambda p: edit(p, encoders=[{"modality": "dna", "encoder": "dnabert-s"}]),
            "trained with dna encoder dnabert-s, but the baseline reads kmer-dna",
        ),
        (lambda p: edit(p, threshold="high"), "threshold is 'high'"),
        (lambda p: edit(p, threshold=1.5), "threshold is 1.5"),
        (lambda p: p.with_name("model.json").write_text("{"), "model.json: not the record of a head"),
        (lambda p: p.with_name("model.json").write_text('{"threshold": 0.5}'), "model.json: not the record of a head"),
        (lambda p: p.with_name("model.json").unlink(), "model.json is not beside it"),
        (lambda p: p.write_bytes(p.read_bytes()[:-9]), "model.safetensors: damaged"),
        (lambda p: save_file(head() | {"bn1.bias": np.full(512, np.nan, np.float32)}, p), "bn1.bias has numbers that are not"),
        (lambda p: save_file(head(64), p), "takes 64 numbers per row, but these features have 157"),
        (lambda p: save_file({"x": np.zeros(3)}, p), "not the tensors of VirNucPro's head"),
    ],
)
def test_a_head_that_does_not_fit_is_refused_with_the_reason(own_head: Path, spoil, message: str) -> None:
    spoil(own_head)
    with pytest.raises(InputError, match=message):
        read_pretrained(own_head, INPUTS, BOTH)


def test_a_virnucpro_head_is_for_both_modalities(tmp_path: Path) -> None:
    write_head(tmp_path / "h.pth", head(), "")
    with pytest.raises(InputError, match=r"trained with modalities dna \+ protein, but the baseline reads dna"):
        read_pretrained(tmp_path / "h.pth", INPUTS, BOTH | {"modalities": ["dna"]})
