"""Encoders of the family `transformers`: every row of assets/encoders.yaml with a tiny random model in its published layout,
and one without a row, compared with plain calls of the library. Importing it takes as long as many unit tests together."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from safetensors.torch import load_file, save_file

import embed
from make_transformers_models import WIDTH, make
from shipped_rows import ROWS
from virshort.encoders.catalogue import catalogue_of, load_encoder
from virshort.encoders.checksums import LOCAL
from virshort.encoders.encoder import LoadSettings
from virshort.encoders.fetching import fetch
from virshort.encoders.language_model import LanguageModel
from virshort.encoders.rows import Row, row_of
from virshort.encoders.self_test import check_model
from virshort.errors import InputError
from virshort.windows.shards import write_shard

NAMES = [name for name, row in ROWS.items() if row.family == "transformers"]
OTHER = "gpt-neox"
DNA = [b"ACGTTGCATTAAGGCCAGTC" * 7, b"acgttgcattaaggccagtc", b"GGCATNNRTTACGUAC", b"GATTACA"]
PROTEIN = [b"MKVAYLSTREQ" * 4, b"MKVXBJ", b"", b"ACDEFGHIKLMNPQRSTVWY"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fetched weights of a tiny model for each row."""
    base = tmp_path_factory.mktemp("transformers")
    for name in (*NAMES, OTHER):
        try:
            make(base / "raw", name)
        except ImportError:  # of sentencepiece, which only one of them needs
            continue
        fetch(row(name, base), base / "out", None if name == OTHER else base / "raw", LOCAL, log=lambda _: None)
    return base


def row(name: str, base: Path, **changes: object) -> Row:
    """The row of an encoder, with the width of the tiny model."""
    if name == OTHER:
        keys = {"modality": "dna", "family": "transformers", "folder": str(base / "raw" / OTHER), "pooling": "last"}
    else:
        keys = ROWS[name].keys
    return row_of(name, {**keys, "dim": 40 if name.startswith("esm2") else WIDTH, **changes})


def load(
    folder: Path, name: str, log: Callable[[str], None] = print, budget: int | None = None, **changes: object
) -> LanguageModel:
    if not (folder / "out" / name).is_dir():
        pytest.importorskip("sentencepiece")
    settings = LoadSettings(folder / "out", "fp32", "cpu", budget=budget, log=log)
    encoder = load_encoder(name, settings, catalogue_of({name: row(name, folder, **changes)}))
    assert isinstance(encoder, LanguageModel)
    return encoder


def sequences(name: str, folder: Path) -> list[bytes]:
    return DNA if row(name, folder).modality == "dna" else PROTEIN


def plain(folder: Path, name: str, text: str) -> np.ndarray:
    """The mean of the last hidden state over all tokens but special ones, by the library's own classes."""
    from transformers import AutoTokenizer, BertModel, EsmModel, LlamaModel, MistralModel, ModernBertModel, T5EncoderModel

    kinds = {
        "metagene-1": LlamaModel,
        "nucleotide-transformer-500m": EsmModel,
        "modernbert-dna-virus": ModernBertModel,
        "genomeocean-100m": MistralModel,
        "prott5": T5EncoderModel,
        "protbert": BertModel,
        "esm2-8m-transformers": EsmModel,
    }
    tokenizer = AutoTokenizer.from_pretrained(folder / "out" / name)
    model = kinds[name].from_pretrained(folder / "out" / name, dtype=torch.float32).eval()
    ids = tokenizer([text], return_tensors="pt")["input_ids"]
    marks = [tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.cls_token_id, tokenizer.sep_token_id]
    content = [i for i, token in enumerate(ids[0].tolist()) if token not in marks]
    with torch.inference_mode():
        return model(input_ids=ids).last_hidden_state[0, content].mean(0).numpy()


TEXTS = {
    "metagene-1": "GGCATNNRTTACGTAC",
    "nucleotide-transformer-500m": "GGCATNNNTTACGTAC",
    "modernbert-dna-virus": "GGCATNNRTTACGTAC",
    "genomeocean-100m": "GGCATNNRTTACGTAC",
    "prott5": "M K V X X X",
    "protbert": "M K V X X X",
    "esm2-8m-transformers": "MKVXBX",
}
"""What becomes of the third sequence of DNA, or of the second peptide, in each row."""


@pytest.mark.parametrize("name", NAMES)
def test_a_row_gives_what_the_library_gives(folder: Path, name: str) -> None:
    encoder, given = load(folder, name), sequences(name, folder)
    rows = encoder.embed(given)
    assert rows.shape == (len(given), encoder.dim) and rows.dtype == np.float32
    odd = 2 if encoder.modality == "dna" else 1
    np.testing.assert_allclose(rows[odd], plain(folder, name, TEXTS[name]), rtol=0, atol=2e-5)


@pytest.mark.parametrize("name", [*NAMES, OTHER])
def test_a_row_of_numbers_is_its_sequences_alone(folder: Path, name: str) -> None:
    encoder, given = load(folder, name, budget=40), sequences(name, folder)
    together = encoder.embed(given)
    for sequence, one in zip(given, together, strict=True):
        np.testing.assert_allclose(encoder.embed([sequence])[0], one, rtol=0, atol=1e-5)
        assert one.any() == bool(sequence)


def test_esm2_is_that_of_our_own_implementation(folder: Path, tmp_path: Path) -> None:
    """With the same files, by both families; the goal is 1e-4."""
    shutil.copytree(folder / "raw/esm2-8m-transformers", tmp_path / "raw/esm2-8m")
    fetch(ROWS["esm2-8m"], tmp_path / "out", tmp_path / "raw", LOCAL, log=lambda _: None)
    ours = load_encoder("esm2-8m", LoadSettings(tmp_path / "out", "fp32", "cpu"), catalogue_of(ROWS))
    theirs = load(folder, "esm2-8m-transformers")
    rng = np.random.default_rng(2)
    peptides = [bytes(rng.choice(np.frombuffer(b"ACDEFGHIKLMNPQRSTVWYXBZUOJ", np.uint8), n)) for n in (1, 2, 49, 50, 50, 300)]
    np.testing.assert_allclose(theirs.embed(peptides), ours.embed(peptides), rtol=0, atol=1e-4)


def test_long_sequences_are_cut_into_even_pieces_and_averaged_with_a_note(folder: Path) -> None:
    lines: list[str] = []
    encoder = load(folder, "nucleotide-transformer-500m", lines.append, max_tokens=12)
    long = DNA[0][:138]  # 23 tokens of six bases: pieces of 8, 8 and 7
    found = encoder.embed([long, b"ACGTTG"])[0]
    pieces = encoder.embed([long[:48], long[48:96], long[96:]])
    np.testing.assert_allclose(found, (8 * pieces[0] + 8 * pieces[1] + 7 * pieces[2]) / 23, rtol=0, atol=1e-6)
    notes = [line for line in lines if line.startswith("note")]
    assert notes == [
        "note: a sequence of 24 tokens is longer than the 12 that the model reads at once: such sequences are cut into even "
        "pieces, whose vectors are averaged"
    ]
    assert "up to 12 tokens at a time" in encoder.pooling


@pytest.mark.parametrize("pooling", ["mean", "mean_with_special", "first", "last"])
def test_poolings(folder: Path, pooling: str) -> None:
    encoder = load(folder, "modernbert-dna-virus", pooling=pooling)
    from transformers import AutoTokenizer

    ids = torch.tensor([AutoTokenizer.from_pretrained(folder / "out/modernbert-dna-virus")(["ACGTTGCATT"])["input_ids"][0]])
    hidden = encoder.hidden(ids)[0].numpy()
    expected = {"mean": hidden[1:-1].mean(0), "mean_with_special": hidden.mean(0), "first": hidden[0], "last": hidden[-1]}
    np.testing.assert_allclose(encoder.embed([b"ACGTTGCATT"])[0], expected[pooling], rtol=0, atol=1e-5)


def test_low_precision_is_near(folder: Path) -> None:
    exact = load(folder, "prott5" if (folder / "out/prott5").is_dir() else "protbert")
    settings = LoadSettings(folder / "out", "bf16", "cpu")
    low = load_encoder(exact.name, settings, catalogue_of({exact.name: row(exact.name, folder)}))
    a, b = exact.embed(PROTEIN[:2]), low.embed(PROTEIN[:2])
    assert low.precision == "bf16" and ((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)).min() > 0.999


def test_a_row_may_fix_the_precision_that_auto_means(folder: Path) -> None:
    settings = LoadSettings(folder / "out", "auto", "cpu")
    encoder = load_encoder("protbert", settings, catalogue_of({"protbert": row("protbert", folder, precision="fp16")}))
    assert encoder.precision == "fp16"


def test_what_does_not_fit_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="protbert: its vectors have 32 numbers instead of 1024: correct dim in its row"):
        load(folder, "protbert", dim=1024)
    with pytest.raises(InputError, match=r"protbert: max_tokens is 401, but its config\.json allows 400: correct its row"):
        load(folder, "protbert", max_tokens=401)
    out = tmp_path / "out/protbert"
    shutil.copytree(folder / "out/protbert", out)
    config, tensors = json.loads((out / "config.json").read_text()), load_file(out / "model.safetensors")
    lost = next(name for name in tensors if name.endswith("layer.1.output.dense.weight"))
    store(out, config, {name: t for name, t in tensors.items() if name != lost})
    with pytest.raises(
        InputError, match=r"1 weights are missing or misshapen, such as encoder\.layer\.1\.output\.dense\.weight"
    ):
        load(tmp_path, "protbert")
    store(out, config, tensors | {lost: torch.zeros(3, 5)})
    with pytest.raises(InputError, match=r"protbert: .*(misshapen|size)"):
        load(tmp_path, "protbert")


def store(out: Path, config: dict, tensors: dict[str, torch.Tensor]) -> None:
    """Change fetched files, and their sizes in the record."""
    save_file(tensors, out / "model.safetensors", {"format": "pt"})
    (out / "config.json").write_text(json.dumps(config))
    record = json.loads((out / "weights.json").read_text())
    record["stored"] = {name: [(out / name).stat().st_size, known] for name, (_, known) in record["stored"].items()}
    (out / "weights.json").write_text(json.dumps(record))


def test_code_of_a_repository_is_never_run(folder: Path, tmp_path: Path) -> None:
    """Of an architecture that the library does not have, whose config.json names code beside it."""
    out, sprung = tmp_path / "out/protbert", tmp_path / "sprung"
    shutil.copytree(folder / "out/protbert", out)
    (out / "modeling_mine.py").write_text(f"from pathlib import Path\nPath({str(sprung)!r}).touch()\n")
    config = json.loads((out / "config.json").read_text()) | {"model_type": "mine", "architectures": ["Mine"]}
    config["auto_map"] = {"AutoConfig": "modeling_mine.MineConfig", "AutoModel": "modeling_mine.Mine"}
    store(out, config, load_file(out / "model.safetensors"))
    with pytest.raises(InputError, match=r"protbert: .*: transformers cannot load this model without code of its repository"):
        load(tmp_path, "protbert")
    assert not sprung.exists()


def test_the_self_test_finds_a_sound_model_sound(folder: Path) -> None:
    found = {c.name: c.ok for c in check_model(row("protbert", folder), folder / "out", "cpu", 8, lambda _: None)}
    assert len(found) == 5
    assert all(ok or (ok is None and name.startswith("rate")) for name, ok in found.items()), found


def test_a_shard_is_embedded_by_a_row(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_shard(tmp_path, 0, [s.upper().replace(b"U", b"T") for s in DNA], pa.table({"window": ["a", "b", "c", "d"]}))
    reading = json.dumps(vars(row(OTHER, folder).reading))
    words = ["--shard", tmp_path / "shard_00000.fa.gz", "--encoders", f"{OTHER}=virshort.encoders.transformers_model"]
    words += ["--weights", folder / "out", "--reading", reading, "--precision", "fp32", "--device", "cpu", "--out", tmp_path]
    monkeypatch.setattr("sys.argv", ["embed.py", *map(str, words)])
    embed.main()
    rows = load_file(tmp_path / f"shard_00000.{OTHER}.safetensors")["dna"].float().numpy()
    np.testing.assert_allclose(rows, load(folder, OTHER).embed(DNA), rtol=2e-3, atol=2e-3)
