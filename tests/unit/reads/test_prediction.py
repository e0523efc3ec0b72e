"""The table of a chunk: every read once and in order, equal reads scored once, and nothing that depends on the chunk."""

import numpy as np
import pyarrow as pa
import pytest

from fastq_text import fastq_records, random_bases, reverse_complement
from virshort.errors import RowError
from virshort.model.scoring import Scored
from virshort.reads.hygiene import Limits, clean
from virshort.reads.prediction import score_reads, score_table


class Scorer:
    """Scores that follow from the bases alone."""

    def __init__(self) -> None:
        self.scored: list[bytes] = []

    def __call__(self, sequences: list[bytes]) -> Scored:
        self.scored += sequences
        odds = np.array([s.count(b"A") - s.count(b"T") for s in sequences], np.float32)
        pairs = np.array([[s.count(b"C"), s.count(b"G")] for s in sequences], np.float32).reshape(-1, 2)
        source = np.array([s.count(b"G") - 20 for s in sequences])
        return Scored(
            odds, pairs, pairs / 100, np.where(source < 0, -1, source), np.array([s.startswith(b"A") for s in sequences], bool)
        )


def table_of(mates: tuple[list[bytes], ...], first: int = 0, scorer: Scorer | None = None) -> pa.Table:
    reads = clean(tuple(fastq_records(mate) for mate in mates), Limits())
    return score_table(reads, *score_reads(reads, scorer or Scorer()), len(mates), first)


@pytest.fixture
def pairs() -> tuple[list[bytes], list[bytes]]:
    rng = np.random.default_rng(8)
    fragments = random_bases(rng, 40, 200)
    one, other = [f[:150] for f in fragments], [reverse_complement(f)[:150] for f in fragments]
    one[3], one[7], other[9], one[12] = b"ACGT", b"A" * 150, b"N" * 150, one[2]
    return one, other


def test_every_read_has_a_row_with_a_score_or_a_reason(pairs: tuple[list[bytes], list[bytes]]) -> None:
    scorer = Scorer()
    table = table_of(pairs, 100, scorer)
    assert table["record"].to_pylist() == [100 + i // 2 for i in range(80)]
    assert table["mate"].to_pylist() == [1, 2] * 40
    assert table["length"].to_pylist() == [len(read) for pair in zip(*pairs, strict=True) for read in pair]
    reasons = dict(enumerate(table["reason"].to_pylist()))
    assert {row: why for row, why in reasons.items() if why} == {6: "too_short", 14: "low_complexity", 19: "n"}
    for row, read in enumerate(read for pair in zip(*pairs, strict=True) for read in pair):
        found = {name: table[name][row].as_py() for name in table.column_names}
        assert found["gc"] == pytest.approx((read.count(b"G") + read.count(b"C")) / max(len(read.strip(b"N")), 1))
        if reasons[row]:
            assert found["log_odds"] is None and found["source"] is None
            assert found["scored_length"] == 0 and not found["shares_31mer"]
        else:
            assert found["log_odds"] == read.count(b"A") - read.count(b"T") and found["scored_length"] == 150
            assert (found["bits_nonviral"], found["bits_viral"]) == (read.count(b"C"), read.count(b"G"))
            assert found["identity_viral"] == pytest.approx(read.count(b"G") / 100)
            assert found["source"] == (read.count(b"G") - 20 if read.count(b"G") >= 20 else None)
            assert found["shares_31mer"] == read.startswith(b"A")
    assert len(scorer.scored) == len(set(scorer.scored)) == 80 - 3 - 1
    assert table["overlap"][0].as_py() == pytest.approx(2 / 3) and table["overlap"][6].as_py() == 0


@pytest.mark.parametrize("mates", [1, 2])
def test_chunks_do_not_change_the_table(pairs: tuple[list[bytes], list[bytes]], mates: int) -> None:
    whole = table_of(pairs[:mates])
    parts = [table_of(tuple(mate[i : i + 7] for mate in pairs[:mates]), i) for i in range(0, 40, 7)]
    assert pa.concat_tables(parts).to_pylist() == whole.to_pylist()
    if mates == 1:
        assert set(whole["mate"].to_pylist()) == {0}


def test_no_reads() -> None:
    assert table_of(([],)).num_rows == table_of(([], [])).num_rows == 0


def test_the_read_that_cannot_be_scored_is_named(pairs: tuple[list[bytes], list[bytes]]) -> None:
    def refuse(sequences: list[bytes]) -> Scored:
        raise RowError(sequences.index(pairs[1][5]), "is not finite")

    with pytest.raises(RowError) as found:
        score_reads(clean(tuple(fastq_records(mate) for mate in pairs), Limits()), refuse)
    assert (found.value.row, found.value.why) == (11, "is not finite")
