"""Tables for other programs, read back by small readers that are written from the formats' public descriptions."""

import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml

from virshort.calls.decisions import NONVIRAL, UNSCORED, VIRAL
from virshort.calls.formats import (
    LYRA_COLUMNS,
    kraken_lines,
    kraken_report,
    lyra_lines,
    parse_formats,
    read_ids,
    virnucpro_lines,
)
from virshort.errors import InputError

BYTES = pa.large_binary()
CALL = np.array([VIRAL, NONVIRAL, UNSCORED, NONVIRAL])
ODDS = np.array([3.0, -12.0, np.nan, 0.0])
IDS = pa.array([b"r1", b'r"2', b"r3", b"\xffr4"], BYTES)


def read_lyra(text: bytes) -> list[tuple[bytes, Decimal, int]]:
    """viral-ngs' native Lyra table: three columns, an ordinary decimal from 0 to 1, and 0 or 1 (its lyra documentation)."""
    first, *rows = text.split(b"\n")[:-1]
    assert first == b"read_id\tscore\tcall"
    found = []
    for row in rows:
        name, score, call = row.split(b"\t")
        assert name and b" " not in name
        assert re.fullmatch(rb"(0|[1-9]\d*)(\.\d+)?", score) and 0 <= Decimal(score.decode()) <= 1
        assert call in (b"0", b"1")
        found.append((name, Decimal(score.decode()), int(call)))
    return found


def read_kraken(text: bytes) -> list[tuple[str, bytes, int, list[int], list[tuple[int, int]]]]:
    """Kraken 2's standard output: C or U, name, taxon, length (of both mates as a|b), taxon:k-mers with |:| between mates."""
    found = []
    for row in text.split(b"\n")[:-1]:
        kind, name, taxon, length, hits = row.split(b"\t")
        assert (kind, taxon != b"0") in ((b"C", True), (b"U", False))
        pairs = [tuple(map(int, hit.split(b":"))) for hit in hits.split() if hit != b"|:|"]
        found.append((kind.decode(), name, int(taxon), [int(n) for n in length.split(b"|")], pairs))
    return found


def test_lyra_has_a_row_for_each_read_that_it_would_score() -> None:
    lines = lyra_lines(IDS, np.array([150, 50, 60, 49]), ODDS, CALL)
    found = read_lyra("\t".join(LYRA_COLUMNS).encode() + b"\n" + bytes(lines))
    assert found == [(b"r1", Decimal("0.952574"), 1), (b'r"2', Decimal("0.000006"), 0), (b"r3", Decimal(0), 0)]


def test_kraken_has_one_line_for_a_pair() -> None:
    pairs = read_kraken(bytes(kraken_lines(IDS, np.array([[150, 140]] * 4), CALL)))
    assert [row[:4] for row in pairs] == [
        ("C", b"r1", 10239, [150, 140]),
        ("U", b'r"2', 0, [150, 140]),
        ("U", b"r3", 0, [150, 140]),
        ("U", b"\xffr4", 0, [150, 140]),
    ]
    assert pairs[0][4] == [(10239, 1)] * 2
    single = read_kraken(bytes(kraken_lines(IDS, np.array([[150]] * 4), CALL)))
    assert single[0] == ("C", b"r1", 10239, [150], [(10239, 1)])


@pytest.mark.parametrize(("viral", "fragments"), [(3, 40), (0, 40), (40, 40), (0, 0)])
def test_multiqc_reads_the_report_of_kraken(viral: int, fragments: int) -> None:
    from multiqc import config
    from multiqc.modules.kraken.kraken import parse_logs

    rows = kraken_report(viral, fragments).splitlines(keepends=True)
    known = yaml.safe_load((Path(config.MODULE_DIR) / "search_patterns.yaml").read_text(encoding="utf-8"))["kraken"]
    assert any(re.match(known["contents_re"], row) for row in rows[: known["num_lines"]])
    counts, _ = parse_logs({"f": rows, "fn": "a.kraken2.report.txt"})
    assert (
        counts["U"] == {"unclassified": fragments - viral}
        and counts["R"] == {"root": viral}
        and counts["D"] == {"Viruses": viral}
    )
    # As KrakenTools reads it: two spaces for each level, and a clade holds those below it
    taxa = [row.rstrip("\n").split("\t") for row in rows]
    assert [(len(name) - len(name.lstrip())) // 2 for *_, name in taxa] == [0, 0, 1]
    assert sum(int(row[2]) for row in taxa) == fragments and [row[3] for row in taxa] == ["U", "R", "D"]


def test_virnucpro_has_a_row_for_each_scored_read() -> None:
    rows = [row.split(b"\t") for row in bytes(virnucpro_lines(IDS, np.full(4, 2), ODDS, CALL)).split(b"\n")[:-1]]
    assert [row[0] for row in rows] == [b"r1/2_chunk_1", b'r"2/2_chunk_1', b"\xffr4/2_chunk_1"]
    assert [row[1] for row in rows] == [b"True", b"False", b"False"]
    assert all(abs(float(row[2]) + float(row[3]) - 1) < 2e-6 for row in rows)
    assert bytes(virnucpro_lines(IDS, np.zeros(4, int), ODDS, CALL)).startswith(b"r1_chunk_1\tTrue\t0.047426\t0.952574\n")


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        (b"a/1", b"a/2", b"a"),
        (b"SRR1.7.1 x", b"SRR1.7.2 x", b"SRR1.7"),
        (b"a 1:N:0:AC", b"a 2:N:0:AC", b"a"),
        (b"a", b"a", b"a"),
    ],
)
def test_mates_have_one_id(one: bytes, other: bytes, wanted: bytes) -> None:
    ids = read_ids([pa.array([name, b"same"], BYTES) for name in (one, other)])
    assert [i.to_pylist() for i in ids] == [[wanted, b"same"]] * 2


def test_formats_are_named() -> None:
    assert parse_formats("virnucpro, lyra") == ["lyra", "virnucpro"] and parse_formats("") == []
    with pytest.raises(InputError, match="did you mean kraken"):
        parse_formats("lyra,kraken2")
