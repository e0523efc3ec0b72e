"""Language models as rows of a file: what is refused, what a later file changes, and what the shipped rows say."""

import re
from pathlib import Path

import pytest
import yaml

from shipped_rows import ROWS
from virshort.encoders.checksums import UNPINNED
from virshort.encoders.revisions import choose_revisions
from virshort.encoders.rows import SHIPPED, read_rows, row_of
from virshort.errors import InputError

OWN = {"modality": "dna", "family": "transformers", "dim": 8, "repo": "me/mine", "files": ["config.json", "model.safetensors"]}


def test_the_shipped_rows_are_complete() -> None:
    """A Llama, two ESM, a ModernBERT, a causal Mistral, a T5 and a BERT beside virshort's own two."""
    assert {row.family for row in ROWS.values()} == {"dnabert-s", "esm2", "transformers"}
    assert sum(row.family == "transformers" for row in ROWS.values()) == 7
    for row in ROWS.values():
        assert (row.reading is not None) == (row.family == "transformers")
        assert row.published.revision == "" or re.fullmatch(r"[0-9a-f]{40}", row.published.revision), row.name
        assert any(name.endswith((".safetensors", ".bin")) for name in row.published.files), row.name
        assert row_of(row.name, row.keys) == row  # as plan.json and model.json carry it on
    unpinned = [name for name, row in ROWS.items() if not row.published.revision]
    for name in unpinned:
        with pytest.raises(InputError, match=f"name the one you want by --weights_revision {name}=COMMIT"):
            choose_revisions({name: ROWS[name]}, None)


def test_a_later_file_adds_rows_and_changes_keys(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"mine": OWN, "metagene-1": {"max_tokens": 256}, "protbert": {"folder": "/mine"}}))
    rows = read_rows([SHIPPED, path])
    assert list(rows) == [*ROWS, "mine"]
    assert rows["mine"].published.files == {"config.json": UNPINNED, "model.safetensors": UNPINNED}
    assert rows["metagene-1"].reading and rows["metagene-1"].reading.max_tokens == 256
    assert rows["metagene-1"].published == ROWS["metagene-1"].published
    assert rows["protbert"].published.folder == "/mine" and not rows["protbert"].published.files


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"poling": "mean"}, "unknown key poling: did you mean pooling"),
        ({"modality": None}, "modality is missing: it can be dna, protein"),
        ({"modality": "codon"}, "modality is 'codon': it can be dna, protein"),
        ({"family": "bert"}, "family is 'bert'"),
        ({"dim": "wide"}, "dim is 'wide': must be a whole number from 1 to 65536"),
        ({"dim": True}, "dim is True"),
        ({"pooling": "max"}, "pooling is 'max': it can be mean, mean_with_special, first, last"),
        ({"max_tokens": 2}, "max_tokens is 2: must be a whole number from 8"),
        ({"spaces": "yes please"}, "spaces is 'yes please': must be true or false"),
        ({"case": "title"}, "case is 'title'"),
        ({"thymine": "X"}, "thymine is 'X'"),
        ({"modality": "protein", "thymine": "U"}, "thymine has no effect on a model of proteins"),
        ({"letters": "ACGT"}, "letters is 'ACGT' and unknown is '': give the letters that the model knows and the one"),
        ({"unknown": "N"}, "letters is '' and unknown is 'N'"),
        ({"letters": "ACGT", "unknown": "NN"}, "unknown is 'NN'"),
        ({"precision": "int8"}, "precision is 'int8'"),
        ({"repo": ""}, "give either repo, as on the Hugging Face hub, or folder"),
        ({"folder": "/x"}, "give either repo, as on the Hugging Face hub, or folder"),
        ({"repo": "mine"}, "repo is 'mine': must be OWNER/NAME"),
        ({"repo": "", "folder": "models"}, "folder is 'models': must be an absolute path"),
        ({"repo": "", "folder": "/x", "revision": "abc"}, "revision and files have no effect with folder"),
        ({"revision": "local"}, "revision is 'local': must be a commit of me/mine"),
        ({"revision": 123}, "revision is 123: must be text"),
        ({"revision": "a/../b"}, "revision is 'a/../b'"),
        ({"files": []}, r"files is \[\]: must list the names of the published files"),
        ({"files": "model.safetensors"}, "files is 'model.safetensors'"),
        ({"files": ["../config.json"]}, r"files names '\.\./config\.json'"),
        ({"files": ["modeling.py"]}, r"files names 'modeling\.py': must be \.json, \.txt"),
        ({"files": {"config.json": [12]}}, r"files: config\.json has \[12\]: must be \[bytes, SHA-256\]"),
        ({"files": {"config.json": [12, "abc"]}}, r"files: config\.json has \[12, 'abc'\]"),
        ({"family": "esm2", "modality": "protein", "pooling": "last"}, "pooling has no effect on the family esm2"),
        ({"family": "esm2"}, "modality is 'dna', which models of the family esm2 do not read"),
        ({"licence": 3}, "licence is 3: must be text"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, changes: dict, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"mine": OWN | changes}))
    with pytest.raises(InputError, match=rf"^mine\.yaml: encoder mine: .*{message}"):
        read_rows([path])


@pytest.mark.parametrize("name", ["Mine", "a.b", "mine-untranslated", "-a", 7])
def test_a_name_that_could_not_be_used_is_refused(name: object) -> None:
    with pytest.raises(InputError, match="rename it"):
        row_of(name, OWN)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "mine.yaml: contains no encoders"),
        ("- a", "mine.yaml: contains no encoders"),
        ("mine: 3", "mine.yaml: encoder mine: expected keys and values, got 3"),
        ("mine: {dim: 1, dim: 2}", "mine.yaml: line 1: dim is given twice"),
    ],
)
def test_a_file_without_rows_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_rows([path])
    with pytest.raises(InputError, match=r"other\.yaml: .*: give an existing file with --encoders_file"):
        read_rows([tmp_path / "other.yaml"])
