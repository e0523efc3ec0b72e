"""Harmful files are refused and run nothing; honest ones are read."""

import io
import json
import os
import pickle
import sys
from pathlib import Path

import pytest
import torch

from virshort.errors import InputError
from virshort.pickles import WholeModule, read, read_tensors

SHARED = Path(os.environ.get("VIRSHORT_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
GOLDEN = SHARED / "golden/virnucpro"
needs_golden = pytest.mark.skipif(not GOLDEN.exists(), reason="golden data not here")


@needs_golden
@pytest.mark.parametrize("name", ["malicious_whole", "malicious_metadata", "malicious_torch_prefix"])
def test_harmful_files_are_refused_and_run_nothing(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="refused, and nothing of the file was run") as e:
        read(GOLDEN / f"{name}.pth")
    assert "io.open" in str(e.value) or name == "malicious_torch_prefix"  # its opcodes alone are refused
    assert list(tmp_path.iterdir()) == []


class Call:
    """Pickles as a call."""

    def __init__(self, function, *arguments):
        self._call = (function, arguments)

    def __reduce__(self):
        return self._call


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize(
    "call",
    [
        Call(os.system, "touch pwned"),
        Call(eval, "open('pwned', 'w')"),
        Call(getattr, "x", "upper"),
        Call(Path, "pwned"),
        Call(__import__, "this"),
        Call(torch.load, "x"),
        Call(torch.hub.load, "x", "y"),
        Call(torch.nn.Linear, 2, 2),
        Call(torch.nn.Sequential),
    ],
    ids=lambda c: c._call[0].__name__,
)
def test_any_other_call_is_refused(call, protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for value in (call, {"model_state_dict": {"a": torch.zeros(1)}, "metadata": {"x": call}}, [call]):
        for zipped in (True, False):
            torch.save(value, tmp_path / "x.pth", pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
            with pytest.raises(InputError):
                read(tmp_path / "x.pth")
    assert not (tmp_path / "pwned").exists()
    assert "this" not in sys.modules


@needs_golden
def test_every_honest_file_is_read():
    for name in json.loads((GOLDEN / "files.json").read_text()):
        if not name.startswith("malicious"):
            value = read(GOLDEN / name)
            assert isinstance(value, WholeModule) == name.startswith("whole")


@needs_golden
def test_a_whole_module_elsewhere_than_at_the_top_is_refused(tmp_path, monkeypatch):
    raw = io.BytesIO()
    main = sys.modules["__main__"]
    head = type("MLPClassifier", (torch.nn.Module,), {"__module__": "__main__"})
    monkeypatch.setattr(main, "MLPClassifier", head, raising=False)
    torch.save({"model_state_dict": {}, "metadata": head()}, raw)
    (tmp_path / "x.pth").write_bytes(raw.getvalue())
    with pytest.raises(InputError, match="a pickled module where tensors are expected"):
        read(tmp_path / "x.pth")


def test_damaged_files_are_one_line(tmp_path):
    path = tmp_path / "x.pt"
    torch.save({"a": torch.zeros(1000)}, path)
    raw = path.read_bytes()
    for broken in (b"", b"hello", raw[:100], raw[:-100], pickle.dumps(3)[:-1], b"PK\x03\x04" + b"\0" * 50):
        path.write_bytes(broken)
        with pytest.raises(InputError, match=r"x\.pt: "):
            read(path)
    with pytest.raises(InputError, match="does not exist: check the path"):
        read(tmp_path / "not_there.pt")


def test_weights_are_named_tensors_and_nothing_else(tmp_path):
    path = tmp_path / "x.bin"
    torch.save({"a": torch.ones(2)}, path)
    assert read_tensors(path)["a"].tolist() == [1, 1]
    torch.save({"a": torch.ones(2), "epoch": 3}, path)
    with pytest.raises(InputError, match="not a set of named tensors"):
        read_tensors(path)


def test_nothing_stays_admitted_afterwards(tmp_path):
    path = tmp_path / "x.pt"
    torch.save({"a": torch.zeros(1)}, path)
    before = set(torch.serialization.get_safe_globals())
    read(path)
    assert set(torch.serialization.get_safe_globals()) == before
