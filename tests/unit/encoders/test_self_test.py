"""The self-test finds nothing wrong with sound models, and finds what is wrong with others."""

import json
from pathlib import Path

import numpy as np
import pytest

import check_weights
from make_random_models import SHARED, make
from shipped_rows import ROWS
from virshort.encoders import self_test
from virshort.encoders.checksums import LOCAL
from virshort.encoders.fetching import fetch
from virshort.encoders.self_test import byte_pairs, check_model, company, neighbours, norms, tokens_of_bases, tokens_of_residues
from virshort.files import read_json, write_json

TOKENIZER = SHARED / "golden/dnabert_tokenizer/tokenizer.json"
pytestmark = pytest.mark.skipif(not TOKENIZER.exists(), reason="golden data not here")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    raw, out = tmp_path_factory.mktemp("raw"), tmp_path_factory.mktemp("weights")
    for encoder, width in (("dnabert-s", 48), ("esm2-8m", 80)):
        make(raw, encoder, width, 1)
        fetch(ROWS[encoder], out, raw, LOCAL, log=lambda _: None)
    return out


@pytest.mark.parametrize("encoder", ["dnabert-s", "esm2-8m"])
def test_a_sound_model_passes_all_but_known_answers(folder: Path, encoder: str) -> None:
    found = {c.name: c.ok for c in check_model(ROWS[encoder], folder, "cpu", 16, lambda _: None)}
    assert found.pop("known answer", False) is False  # these weights are random
    assert len(found) == 6
    assert all(ok or (ok is None and name.startswith("rate")) for name, ok in found.items()), found


def test_other_tokens_are_found(folder: Path, tmp_path: Path) -> None:
    spoilt = read_json(TOKENIZER)
    spoilt["model"]["merges"][:2] = spoilt["model"]["merges"][1::-1]
    write_json(tmp_path / "tokenizer.json", spoilt)
    assert tokens_of_bases(tmp_path / "tokenizer.json", [b"ACGTTGCATTAAGGCC"]).ok  # another, but true to itself
    vocabulary = (folder / "esm2-8m/vocab.txt").read_text().split()
    vocabulary[5:7] = vocabulary[6:4:-1]
    (tmp_path / "vocab.txt").write_text("\n".join(vocabulary))
    assert not tokens_of_residues(tmp_path / "vocab.txt").ok


def test_byte_pairs_are_the_golden_ones() -> None:
    model = read_json(TOKENIZER)["model"]
    ranks = {tuple(m.split()) if isinstance(m, str) else tuple(m): i for i, m in enumerate(model["merges"])}
    rows = [json.loads(line) for line in (TOKENIZER.parent / "golden_ids.jsonl").read_text().splitlines()]
    plain = [row for row in rows if row["sequence"].isalpha()]
    assert len(plain) > 30
    for row in plain:
        assert [1, *byte_pairs(row["sequence"].upper(), model["vocab"], ranks), 2] == row["ids_of_upper_case"], row["name"]


def test_rows_that_depend_on_their_company_or_on_nothing_are_found(folder: Path) -> None:
    model = self_test.load_model(ROWS["esm2-8m"], folder, "fp32", "cpu", lambda _: None)
    peptides = self_test.random_sequences("protein", 20, np.random.default_rng(0))
    rows = model.embed(peptides)
    assert company(model, peptides, rows).ok and neighbours(model, peptides, rows).ok and norms(rows).ok
    assert not company(model, peptides, rows + 0.01).ok
    assert not neighbours(model, peptides, -rows).ok
    assert not norms(np.ones_like(rows)).ok and not norms(rows * np.nan).ok


def test_the_script_reports_failed_checks_by_its_exit_code(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--weights", folder, "--encoders", "esm2-8m", "--windows", "8", "--device", "cpu"]
    monkeypatch.setattr("sys.argv", ["check_weights.py", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        check_weights.main()
    output = capsys.readouterr().out
    refused = [line.split("  ")[1].strip() for line in output.splitlines() if line.endswith("NO")]
    assert ended.value.code == 1 and refused == ["files, by checksum", "known answer"], output
