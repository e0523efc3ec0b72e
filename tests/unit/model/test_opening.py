"""A model is opened only if every one of its files is the one that was written."""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import show_model
from virshort.encoders.catalogue import Catalogue
from virshort.encoders.encoder import LoadSettings
from virshort.errors import InputError
from virshort.files import read_json
from virshort.model import opening
from virshort.model.opening import check_files, open_model, read_record


def test_what_is_written_is_what_is_opened(make_model: Callable) -> None:
    made = make_model(["homology", "codon"])
    model = open_model(made.folder)
    assert model.record == made.record and list(model.heads) == [0, 2]
    for fold, opened in model.heads.items():
        written = made.heads.weights[fold]
        assert opened.keys() == written.keys()
        assert all(np.array_equal(t, written[k]) for k, t in opened.items() if not k.endswith(".folds"))
    names = {p.suffix for p in made.folder.rglob("*") if p.is_file()}
    assert names == {".json", ".safetensors", ".md", ".txt"}


@pytest.mark.parametrize("name", ["README.md", "heads.safetensors", "kmers.safetensors", "homology/fold_1.viral.txt"])
@pytest.mark.parametrize("how", ["one byte", "cut", "removed"])
def test_a_damaged_or_missing_file_is_named(make_model: Callable, name: str, how: str) -> None:
    folder = make_model(["homology"]).folder
    path = folder / name
    content = path.read_bytes()
    if how == "removed":
        path.unlink()
    else:
        path.write_bytes(content[:-1] + (bytes([content[-1] ^ 1]) if how == "one byte" else b""))
    with pytest.raises(InputError, match=f"{name}: {'missing' if how == 'removed' else 'damaged'}") as e:
        open_model(folder)
    assert "\n" not in str(e.value) and "copy the model again" in str(e.value)


def test_a_file_too_many_is_named(make_model: Callable) -> None:
    folder = make_model(["codon"]).folder
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"notes\.txt: is not a file of this model: remove it"):
        open_model(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r | {"window_length": 151}, "damaged: it is not what was written"),
        (lambda r: r | {"format": 99}, "has format 99, but this version reads format 1"),
        (lambda _: {"arm": "x"}, "not the record of a model"),
        (lambda _: [1, 2], "not the record of a model"),
        (lambda _: None, "not the record of a model"),
    ],
)
def test_a_record_that_is_not_what_was_written_is_refused(make_model: Callable, change: Callable, message: str) -> None:
    folder = make_model(["codon"]).folder
    path = folder / "model.json"
    path.write_text(json.dumps(change(read_json(path))))
    with pytest.raises(InputError, match=message):
        read_record(folder)
    path.write_text("{")
    with pytest.raises(InputError, match=r"model\.json: damaged"):
        read_record(folder)
    path.unlink()
    with pytest.raises(InputError, match="is no model"):
        read_record(folder)


def test_nothing_of_a_model_is_run(make_model: Callable) -> None:
    """A pickle in the place of the heads is refused, even where its digest was put into the record, and is not loaded."""
    folder = make_model(["codon"]).folder

    class Trap:
        def __reduce__(self) -> tuple:
            return os.mkdir, (str(folder / "sprung"),)

    (folder / "heads.safetensors").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(InputError, match=r"heads\.safetensors: damaged, or not a safetensors file"):
        open_model(folder, check=False)
    assert not (folder / "sprung").exists()


def test_other_weights_than_those_of_training_are_refused(make_model: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_model(["codon"]).folder
    load = opening.load_encoder

    def other(name: str, settings: LoadSettings, catalogue: Catalogue):
        encoder = load(name, settings, catalogue)
        return type(encoder)(**{**vars(encoder), "pooling": "mean"})

    monkeypatch.setattr(opening, "load_encoder", other)
    with pytest.raises(InputError, match="codon: its weights or pooling here"):
        open_model(folder)


def test_a_model_that_counts_needs_neither_torch_nor_numba(make_model: Callable) -> None:
    folder = make_model(["codon"]).folder
    code = (
        "import sys; from pathlib import Path; from virshort.model.opening import open_model; "
        "from virshort.model.scoring import score; "
        "score(open_model(Path(sys.argv[1])), [b'ACGT' * 40]); print('torch' in sys.modules, 'numba' in sys.modules)"
    )
    path = str(Path(opening.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert done.stdout.split() == ["False", "False"], done.stderr


def test_the_card_is_shown_and_a_model_verified(
    make_model: Callable, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = make_model(["codon"])
    check_files(made.folder, made.record)
    monkeypatch.setattr("sys.argv", ["show_model.py", str(made.folder)])
    show_model.main()
    assert capsys.readouterr().out == "# A card\n"
    monkeypatch.setattr("sys.argv", ["show_model.py", str(made.folder), "--verify"])
    show_model.main()
    assert f"digest {made.record['digest']}: all 4 files are intact" in capsys.readouterr().out
