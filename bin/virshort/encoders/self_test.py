"""The self-test of a language model: whether what is loaded here computes what its authors' model does.

It compares with known answers where public ones exist, and otherwise checks properties that wrong weights, tokens or layers
would not have.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from virshort.encoders.byte_pair_tokenizer import BytePairTokenizer
from virshort.encoders.catalogue import catalogue_of, load_encoder
from virshort.encoders.encoder import Encoder, LoadSettings
from virshort.encoders.language_model import LanguageModel
from virshort.encoders.residue_tokenizer import ResidueTokenizer
from virshort.encoders.rows import Row
from virshort.files import read_json

ESM2_8M = "facebook/esm2_t6_8M_UR50D"
ESM2_8M_IDS = (0, 6, 4, 13, 5, 4, 16, 12, 11, 7, 2)
ESM2_8M_HIDDEN = ((0.1444, 0.5413, 0.3248), (0.3034, 0.0053, 0.3108), (0.3228, -0.2499, 0.3415))
"""Last hidden state [:3, :3] of facebook/esm2_t6_8M_UR50D for these ids, from the tests of transformers, to 1e-4."""
ESM_ALPHABET = "LAGVSERTIDPKQNFYMHWCXBUZO"
"""The residues in the order of ESM-2's ids, which begin at 4."""
NEAR = 0.999
"""Cosine that every row must reach with the outputs of another program."""
NEAR_IN_BF16 = 0.99
"""Cosine that every row must reach in bf16. Models are less sure of random sequences than of real ones, so that low precision
moves their vectors further: on real weights of ESM-2 8M the least was 0.998, and 0.9995 on peptides of a phage."""


@dataclass(frozen=True)
class SelfTestResult:
    """One line of the table. ok: None if it is a measurement without a requirement."""

    name: str
    expected: str
    found: str
    ok: bool | None


def check_model(
    row: Row, folder: Path, device: str = "auto", windows: int = 64, log: Callable[[str], None] = print
) -> Iterator[SelfTestResult]:
    """All checks of the encoder whose fetched weights are in `folder/<name>`, one after the other.

    windows: the number of random sequences to use, a tenth of which are also embedded alone."""
    exact = load_model(row, folder, "fp32", device, log)
    sequences = random_sequences(exact.modality, windows, np.random.default_rng(1))
    if row.family == "dnabert-s":
        yield tokens_of_bases(folder / row.name / "tokenizer.json", sequences)
    elif row.family == "esm2":
        yield tokens_of_residues(folder / row.name / "vocab.txt")
    if row.published.repo == ESM2_8M:
        yield known_answer(exact)
    rows = exact.embed(sequences)
    yield norms(rows)
    yield neighbours(exact, sequences, rows)
    yield company(exact, sequences, rows)
    del exact
    low = load_model(row, folder, "bf16", device, log)
    yield near("bf16 compared with fp32", low.embed(sequences), rows, NEAR_IN_BF16)
    del low
    yield rate(load_model(row, folder, "auto", device, log), sequences)


def load_model(row: Row, folder: Path, precision: str, device: str, log: Callable[[str], None]) -> LanguageModel:
    """The language model whose fetched weights are in `folder/<name>`."""
    model = load_encoder(row.name, LoadSettings(folder, precision, device, log=log), catalogue_of({row.name: row}))
    assert isinstance(model, LanguageModel)
    return model


def random_sequences(modality: str, n: int, rng: np.random.Generator) -> list[bytes]:
    """Windows of 150 random bases, or peptides of 50 random residues."""
    letters, length = (b"ACGT", 150) if modality == "dna" else (ESM_ALPHABET[:20].encode(), 50)
    return [bytes(row) for row in rng.choice(np.frombuffer(letters, np.uint8), (n, length))]


def byte_pairs(text: str, vocabulary: dict[str, int], ranks: dict[tuple[str, str], int]) -> list[int]:
    """Ids of a word by the definition of byte pair encoding (Sennrich et al. 2016): the pair that was learnt first is joined
    everywhere, and so on until no known pair is left. A letter outside the vocabulary is 0, [UNK]."""
    parts = list(text)
    while True:
        known = [(ranks[pair], pair) for pair in pairwise(parts) if pair in ranks]
        if not known:
            return [vocabulary.get(part, 0) for part in parts]
        _, (a, b) = min(known)
        joined, i = [], 0
        while i < len(parts):
            both = parts[i : i + 2] == [a, b]
            joined.append(a + b if both else parts[i])
            i += 2 if both else 1
        parts = joined


def tokens_of_bases(tokenizer: Path, sequences: Sequence[bytes]) -> SelfTestResult:
    """The tokenizer's ids, compared with those that its own vocabulary and merges define."""
    model = read_json(tokenizer)["model"]
    merges = [m.split(" ") if isinstance(m, str) else m for m in model["merges"]]
    ranks = {(first, second): i for i, (first, second) in enumerate(merges)}
    tested = [*sequences, sequences[0].lower(), sequences[0][:20] + b"NNN" + sequences[0][20:40], b"N", b""]
    found = BytePairTokenizer(tokenizer)(tested)
    equal = sum(
        ids.tolist() == [1, *byte_pairs(s.upper().decode(), model["vocab"], ranks), 2]
        for ids, s in zip(found, tested, strict=True)
    )
    return SelfTestResult("token ids, from the definition", f"{len(tested)} equal", f"{equal} equal", equal == len(tested))


def tokens_of_residues(vocabulary: Path) -> SelfTestResult:
    """The id of every residue, compared with ESM-2's alphabet."""
    found = ResidueTokenizer(vocabulary)([ESM_ALPHABET.encode()])[0].tolist()
    expected = [0, *range(4, 4 + len(ESM_ALPHABET)), 2]
    equal = sum(a == b for a, b in zip(found, expected, strict=True))
    return SelfTestResult("token ids, from the alphabet", f"{len(expected)} equal", f"{equal} equal", equal == len(expected))


@torch.inference_mode()
def known_answer(model: LanguageModel) -> SelfTestResult:
    """ESM-2 8M on the one sequence whose result is public."""
    hidden = model.hidden(torch.tensor([ESM2_8M_IDS], device=model.device))[0, :3, :3].float().cpu()
    far = float((hidden - torch.tensor(ESM2_8M_HIDDEN)).abs().max())
    return SelfTestResult("known answer", "within 1e-4", f"off by {far:.1e}", far <= 1e-4)


def norms(rows: np.ndarray) -> SelfTestResult:
    """Rows are finite, not zero, and differ from one another."""
    size = np.linalg.norm(rows, axis=1)
    alike = float(cosines(rows[1:], rows[:-1]).mean())
    return SelfTestResult(
        "norms",
        "finite, above 0; rows differ",
        f"{size.min():.3g} to {size.max():.3g}, cosine of two {alike:.3f}",
        bool(np.isfinite(size).all() and size.min() > 0 and alike < 0.9999),
    )


def neighbours(model: Encoder, sequences: Sequence[bytes], rows: np.ndarray) -> SelfTestResult:
    """A sequence without its last letter is nearer to the whole one than a shuffled sequence is."""
    rng = np.random.default_rng(2)
    shuffled = [bytes(rng.permutation(np.frombuffer(s, np.uint8))) for s in sequences]
    related, random = (float(cosines(model.embed(s), rows).mean()) for s in ([s[:-1] for s in sequences], shuffled))
    return SelfTestResult(
        "related nearer than shuffled", "by the mean cosine", f"{related:.4f} and {random:.4f}", related > random
    )


def company(model: Encoder, sequences: Sequence[bytes], rows: np.ndarray) -> SelfTestResult:
    """A row is the same alone as in a batch, up to rounding."""
    some = slice(0, max(1, len(sequences) // 10))
    alone = np.concatenate([model.embed([s]) for s in sequences[some]])
    far = float((np.abs(alone - rows[some]).max(1) / np.linalg.norm(rows[some], axis=1)).max())
    return SelfTestResult("alone as in a batch, fp32", "within 1e-5 of the norm", f"off by {far:.1e}", far <= 1e-5)


def near(name: str, rows: np.ndarray, others: np.ndarray, least: float = NEAR) -> SelfTestResult:
    """The smallest cosine between a row and its counterpart. least: what it must be."""
    found = float(cosines(rows, others).min())
    return SelfTestResult(name, f"cosine >= {least}", f"{found:.5f}", found >= least)


def rate(model: Encoder, sequences: Sequence[bytes]) -> SelfTestResult:
    """Sequences per second, embedded as in a run; a measurement without a requirement."""
    many = list(sequences) * 4
    model.embed(many)
    began = time.perf_counter()
    model.embed(many)
    seconds = time.perf_counter() - began
    return SelfTestResult(f"rate, {model.precision} on {model.device}", "-", f"{len(many) / seconds:.0f} per second", None)


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cosine of each row of a with the same row of b, [n]."""
    return (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
