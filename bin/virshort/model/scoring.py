"""From sequences to scores by an open model. What is said of a sequence never depends on the others."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from virshort.encoders.encoder import Encoder
from virshort.errors import RowError
from virshort.features.frames import RowTable, find_rows, row_sequences
from virshort.features.tensors import as_stored, join
from virshort.features.window_features import scaled_length
from virshort.heads.calibration import calibrated
from virshort.homology.databases import read_list
from virshort.homology.shapes import SENSITIVITIES
from virshort.homology.source_list import Matches, best_source
from virshort.labels import LABELS
from virshort.modalities import FINETUNED, MATCHES, NUMBERS
from virshort.model.opening import OpenModel

BLOCK = 1 << 13
"""Sequences that are encoded at a time."""


@dataclass(frozen=True)
class Scored:
    """What a model says of n sequences.

    log_odds: [n] float32, calibrated, so that 1 / (1 + exp(-log_odds)) is the probability of viral where half of all reads are
    viral; bits, identity: [n, 2] float32, of the best nonviral and the best viral match, 0 where there is none or the model
    searches none; source: [n] int64, the row of the source with the best match in the model's list, -1 where there is none;
    shares_31mer: [n] bool, whether the sequence shares a kept 31-mer with a source of the model."""

    log_odds: np.ndarray
    bits: np.ndarray
    identity: np.ndarray
    source: np.ndarray
    shares_31mer: np.ndarray


def score(model: OpenModel, sequences: Sequence[bytes], threads: int = 1) -> Scored:
    """Score sequences of any lengths and either case.

    Neither threads, nor order, nor other sequences change a score. Raises RowError naming the sequence for which an encoder's
    numbers are not finite."""
    sequences = [s.upper() for s in sequences]
    length = np.array([len(s) for s in sequences], np.int64)
    matches = find_matches(model, sequences, threads)
    odds, shares = np.empty(len(sequences), np.float32), np.empty(len(sequences), bool)
    fitted = model.record["calibration"]

    def block_odds(block: slice) -> np.ndarray:
        raw = raw_log_odds(model, sequences[block], matches.scores[block], block.start)
        return np.mean([calibrated(fitted[str(f)], of_fold, length[block]) for f, of_fold in raw.items()], axis=0)

    def block_shares(block: slice) -> np.ndarray:
        return model.kmers.shared_by(sequences[block])

    blocks = [slice(first, first + BLOCK) for first in range(0, len(sequences), BLOCK)]
    counts = all(not encoder.weights for encoder in model.encoders.values())
    with ThreadPoolExecutor(threads) as pool:
        # A language model uses all threads by itself
        for block, found in zip(blocks, (pool.map if counts else map)(block_odds, blocks), strict=True):
            odds[block] = found
        for block, shared in zip(blocks, pool.map(block_shares, blocks), strict=True):
            shares[block] = shared
    return Scored(
        odds, matches.scores[..., 0].max(axis=1), _identity(matches.scores), best_source(matches, model.sources), shares
    )


def raw_log_odds(model: OpenModel, sequences: Sequence[bytes], matches: np.ndarray, first: int = 0) -> Mapping[int, np.ndarray]:
    """The log-odds of sequences by the head of each fold, [n] float32, before calibration.

    matches: the scores that `find_matches` gives; first: the number of the first sequence, for messages."""
    record = model.record
    table = find_rows(sequences, record["frames"], record["genetic_code"])
    begin = None if record["frames"] == "longest" else np.searchsorted(table.window, np.arange(len(sequences)))
    x = _rows(model, sequences, matches, table, first)
    return {fold: join(log_odds(x), begin) for fold, log_odds in model.heads.items()}


def _rows(model: OpenModel, sequences: Sequence[bytes], matches: np.ndarray, table: RowTable, first: int) -> np.ndarray:
    """What heads read of each row: [rows, inputs] float32, rounded as the features of the run were."""
    record = model.record
    encoded: list[np.ndarray] = []
    numbers: list[np.ndarray] = []
    for modality in record["modalities"]:
        if modality in NUMBERS:
            value = _number(modality, sequences)[table.window]
            numbers.append(value[:, None])
        elif modality == MATCHES:
            encoded.append(matches.reshape(len(matches), -1)[table.window].astype(record["storage"]))
        elif modality == FINETUNED:
            # A window has one vector, as in the run (score_finetuned.py), whatever its rows are.
            windows = find_rows(sequences, "longest", record["genetic_code"])
            vectors = _encode(model.encoders[modality], sequences, windows, "float32", record["genetic_code"], first)
            encoded.append(vectors[table.window])
        else:
            encoded.append(
                _encode(model.encoders[modality], sequences, table, record["storage"], record["genetic_code"], first)
            )
    return np.hstack([*encoded, *numbers], dtype=np.float32)


def _encode(
    encoder: Encoder, sequences: Sequence[bytes], table: RowTable, storage: str, genetic_code: int, first: int
) -> np.ndarray:
    """The vectors of rows as the run stored them: [rows, dim]. Raises RowError where one is not finite."""
    try:
        vectors = encoder.embed(row_sequences(sequences, table, encoder.translates, genetic_code))
        return as_stored(vectors, storage, f"{encoder.name} in {encoder.precision}")
    except RowError as e:
        raise RowError(first + int(table.window[e.row]), e.why) from e


def _number(modality: str, sequences: Sequence[bytes]) -> np.ndarray:
    """GC content among unambiguous bases, or the scaled length, as manifests have them: [n] float32."""
    if modality == "length":
        return scaled_length(np.array([len(s) for s in sequences], np.int64))
    strong = np.array([s.count(b"G") + s.count(b"C") for s in sequences], np.int64)
    weak = np.array([s.count(b"A") + s.count(b"T") for s in sequences], np.int64)
    return (strong / np.maximum(strong + weak, 1)).astype(np.float32)


def find_matches(model: OpenModel, sequences: Sequence[bytes], threads: int) -> Matches:
    """The best match of each sequence in every database; none if the model searches none."""
    record = model.record
    if model.databases is None or not sequences:
        shape = (len(sequences), 1, len(LABELS))
        return Matches(np.zeros((*shape, 2), np.float32), np.zeros(shape, np.int64))
    from virshort.homology.searching import search  # here, since it loads a compiler, which other models do without

    folds, databases = read_list(model.databases)
    shapes = SENSITIVITIES[record["search"]["sensitivity"]] if record["search"] else ()
    return search(
        sequences, None, model.databases, databases, folds, record["genetic_code"], shapes, threads, lambda _line: None
    )


def _identity(matches: np.ndarray) -> np.ndarray:
    """The identity of the match with the most bits, of equal ones the largest: [n, folds, labels, 2] to [n, labels]."""
    bits, identity = matches[..., 0], matches[..., 1]
    return np.where(bits == bits.max(axis=1, keepdims=True), identity, 0).max(axis=1)
