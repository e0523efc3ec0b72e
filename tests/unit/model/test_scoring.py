"""Scores of a model: those of its heads, whatever the company."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from virshort.encoders.catalogue import load_encoder
from virshort.encoders.encoder import Encoder
from virshort.errors import RowError
from virshort.features.frames import find_rows, row_sequences
from virshort.features.window_features import scaled_length
from virshort.fold_roles import training_folds
from virshort.heads.fast_scoring import prepared
from virshort.heads.scoring import FOLDS
from virshort.homology.databases import read_list
from virshort.homology.searching import search
from virshort.homology.shapes import SENSITIVITIES
from virshort.homology.source_list import read_sources
from virshort.model import scoring
from virshort.model.opening import OpenModel, open_model, read_heads
from virshort.model.scoring import raw_log_odds, score
from virshort.sequence.translation import longest_peptides


@pytest.fixture
def reads(sources: list[bytes]) -> list[bytes]:
    """Stretches of sources and other sequences, 60 to 1500 bases long, some with ambiguous bases."""
    rng = np.random.default_rng(5)
    found = [s[i : i + int(rng.integers(60, 300))] for s in sources for i in rng.integers(0, 300, 6).tolist()]
    found += [rng.choice(list(b"ACGTN"), n).astype(np.uint8).tobytes() for n in (60, 150, 700, 1500)]
    return found


def by_hand(model: OpenModel, x: np.ndarray, length: np.ndarray) -> np.ndarray:
    """The mean over folds of calibrated log-odds, in one product. x: [n, inputs] as features are stored."""
    folds = []
    for fold, head in model.heads.items():
        odds = head(x)
        every, first = model.record["calibration"][str(fold)]
        folds.append(np.where(length < 200, odds / first["temperature"], odds / every["temperature"]) + every["bias"])
    return np.mean(folds, axis=0)


def test_a_read_gets_the_mean_over_folds_of_what_their_heads_say(make_model: Callable, reads: list[bytes]) -> None:
    model = open_model(make_model(["dna", "protein", "length"]).folder)
    length = np.array([len(r) for r in reads])
    dna, protein = load_encoder("kmer-dna").embed(reads), load_encoder("kmer-protein").embed(longest_peptides(reads))
    x = np.hstack([dna.astype(np.float16), protein.astype(np.float16), scaled_length(length)[:, None]])
    found = score(model, reads)
    assert found.log_odds.dtype == np.float32
    assert found.log_odds == pytest.approx(by_hand(model, x, length), rel=1e-4, abs=1e-3)
    assert not found.bits.any() and not found.identity.any()


def test_matches_in_the_databases_of_all_folds_count(make_model: Callable, reads: list[bytes]) -> None:
    made = make_model(["homology", "codon"])
    model = open_model(made.folder)
    folds, databases = read_list(made.folder / "homology")
    matches = search(
        reads, None, made.folder / "homology", databases, folds, 1, SENSITIVITIES["default"], 1, lambda _: None
    ).scores
    codon = load_encoder("codon").embed(reads)
    x = np.hstack([matches.reshape(len(reads), -1).astype(np.float16), codon.astype(np.float16)])
    found = score(model, reads)
    assert found.log_odds == pytest.approx(by_hand(model, x, np.array([len(r) for r in reads])), rel=1e-4, abs=1e-3)
    assert np.array_equal(found.bits, matches[..., 0].max(axis=1))
    # Every stretch of a source that is long enough to be searched matches that source.
    own = np.arange(36) // 6 % 2
    searched = np.array([len(r) >= 100 for r in reads[:36]])
    assert (found.identity[np.arange(36), own] == 1)[searched & (found.bits[np.arange(36), own] > 35)].all()
    assert (found.bits[np.arange(36), own] > 35).sum() > 20
    names = read_sources(made.folder / "homology").names
    for i in np.flatnonzero(found.bits[:36].max(axis=1) > 60):
        assert names[found.source[i]].source == f"source {i // 6}"
    assert ((found.source < 0) == (found.bits.max(axis=1) == 0)).all()


def test_a_fold_by_itself_scores_its_windows_as_evaluation_did(make_model: Callable, reads: list[bytes]) -> None:
    """Opened for evaluation, a stack reads the databases that it was fitted with."""
    made = make_model(["homology"])
    for fold, tensors in read_heads(made.folder, made.record).items():
        assert np.array_equal(tensors[f"part0.{FOLDS}"], np.arange(4))
        assert np.array_equal(made.heads.weights[fold][f"part0.{FOLDS}"], training_folds(fold, 4))
    own = {fold: prepared(weights) for fold, weights in made.heads.weights.items()}
    model = replace(open_model(made.folder), heads=own)
    folds, databases = read_list(made.folder / "homology")
    fold = np.full(len(reads), 2)
    matches = search(
        reads, fold, made.folder / "homology", databases, folds, 1, SENSITIVITIES["default"], 1, lambda _: None
    ).scores
    x = matches.reshape(len(reads), -1).astype(np.float16)
    assert np.allclose(raw_log_odds(model, reads, matches)[2], made.heads.log_odds(x, fold), atol=1e-5)


@pytest.mark.parametrize("modalities", [["dna", "protein", "gc"], ["codon"], ["homology", "codon"]])
def test_company_order_case_blocks_and_threads_change_nothing(
    make_model: Callable, reads: list[bytes], monkeypatch: pytest.MonkeyPatch, modalities: list[str]
) -> None:
    model = open_model(make_model(modalities).folder)
    expected = score(model, reads)
    order = np.random.default_rng(1).permutation(len(reads))[:17]
    monkeypatch.setattr(scoring, "BLOCK", 7)
    found = score(model, [reads[i].lower() for i in order], threads=2)
    for name in ("log_odds", "bits", "identity", "source", "shares_31mer"):
        assert np.array_equal(getattr(found, name), getattr(expected, name)[order]), name


def test_with_all_frames_the_best_of_a_reads_rows_counts(make_model: Callable, reads: list[bytes]) -> None:
    """Where a read has one stop-free frame or none, it has one row, and with several the largest of their scores."""
    model = open_model(make_model(["dna", "protein"], frames="all").folder)
    matches = np.zeros((len(reads), 1, 2, 2), np.float32)
    raw = raw_log_odds(model, reads, matches)
    rows = find_rows(reads, "all")
    assert len(rows) > len(reads)
    dna = load_encoder("kmer-dna").embed(row_sequences(reads, rows, False)).astype(np.float16)
    protein = load_encoder("kmer-protein").embed(row_sequences(reads, rows, True)).astype(np.float16)
    for fold, head in model.heads.items():
        odds = head(np.hstack([dna, protein]))
        best = [odds[rows.window == i].max() for i in range(len(reads))]
        assert raw[fold] == pytest.approx(best, rel=1e-4, abs=1e-3)


def test_reads_without_a_codon_and_no_reads_at_all_have_a_score(make_model: Callable) -> None:
    model = open_model(make_model(["homology", "codon"]).folder)
    found = score(model, [b"A", b"NNNNNNNN", b"AC" * 40])
    assert np.isfinite(found.log_odds).all() and not found.shares_31mer.any()
    none = score(model, [])
    assert [len(getattr(none, name)) for name in ("log_odds", "bits", "identity", "source", "shares_31mer")] == [0, 0, 0, 0, 0]


def test_a_read_whose_numbers_are_not_finite_is_named(make_model: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_model(make_model(["codon"]).folder)

    def embed(sequences: list[bytes]) -> np.ndarray:
        return np.array([[1e6 if s.startswith(b"G") else 0.0] * 317 for s in sequences], np.float32)

    model.encoders["codon"] = Encoder("codon", "codon", 317, "", "", embed)  # type: ignore[index]
    monkeypatch.setattr(scoring, "BLOCK", 2)
    with pytest.raises(RowError, match="not finite in float16") as e:
        score(model, [b"A" * 90, b"C" * 90, b"A" * 90, b"G" * 90])
    assert e.value.row == 3
