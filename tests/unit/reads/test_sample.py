"""Samples: lanes, mates in step, layouts, chunks, and what is refused."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from fastq_text import fastq
from virshort.errors import InputError
from virshort.reads.chunks import read_chunk, write_chunk
from virshort.reads.mates import are_interleaved, first_stranger
from virshort.reads.parsing import parse_fastq
from virshort.reads.records import Records, join
from virshort.reads.sample import Counts, ReadFile, read_sample
from virshort.reads.sheet import read_sheet

STYLES = {
    "slash": ("r{}/1", "r{}/2"),
    "casava": ("r{} 1:N:0:ACGT", "r{} 2:N:0:ACGT"),
    "sra": ("SRR1.{}.1 x length=4", "SRR1.{}.2 x length=4"),
    "equal": ("r{}", "r{}"),
}


def named(names: list[str]) -> Records:
    return parse_fastq(np.frombuffer(fastq([b"ACGT"] * len(names), names), np.uint8))[0]


def mates(style: str, n: int, which: int) -> list[str]:
    return [STYLES[style][which].format(i) for i in range(n)]


def write(folder: Path, name: str, names: list[str], read: bytes = b"ACGT") -> ReadFile:
    path = folder / name
    path.write_bytes(fastq([read] * len(names), names))
    return ReadFile(path, name)


@pytest.mark.parametrize("style", STYLES)
def test_mates_in_four_styles(style: str) -> None:
    one, other = (mates(style, 5, which) for which in (0, 1))
    assert first_stranger(named(one), named(other)) is None
    assert are_interleaved(named([name for pair in zip(one, other, strict=True) for name in pair]))
    row, why = first_stranger(named(one), named([*other[:2], other[3], other[2], other[4]])) or (None, "")
    assert row == 2 and "is not the mate of" in why
    if style != "equal":
        assert not are_interleaved(named(one))
    if style in ("slash", "casava"):
        assert (first_stranger(named(one), named(one)) or (None, ""))[0] == 0
        assert (first_stranger(named(other), named(one)) or (None, ""))[0] == 0


def test_reads_that_are_numbered_are_no_mates() -> None:
    assert not are_interleaved(named([f"SRR1.{i}" for i in range(1, 7)]))
    assert not are_interleaved(named(["SRR1.1", "SRR1.2"]))
    assert not are_interleaved(named(["r"]))
    assert first_stranger(named(["a11"]), named(["a12"])) is not None


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize("layout", ["single", "paired", "interleaved"])
def test_lanes_follow_each_other_in_chunks_of_any_size(tmp_path: Path, layout: str, size: int) -> None:
    one, other = (mates("slash", 5, which) for which in (0, 1))
    lanes = []
    for lane, rows in enumerate((slice(0, 2), slice(2, 5))):
        if layout == "interleaved":
            lanes.append([write(tmp_path, f"{lane}.fq", [x for p in zip(one[rows], other[rows], strict=True) for x in p])])
        else:
            lanes.append([write(tmp_path, f"{lane}_1.fq", one[rows])])
        if layout == "paired":
            lanes[-1].append(write(tmp_path, f"{lane}_2.fq", other[rows]))
    counts = Counts()
    chunks = list(read_sample(lanes, size, counts))
    found = [join(list(of_mate)) for of_mate in zip(*chunks, strict=True)]
    assert [[r.name(i) for i in range(5)] for r in found] == [one, other][: len(found)]
    assert [len(chunk[0]) for chunk in chunks] == [min(size, 5 - i) for i in range(0, 5, size)]
    assert (counts.layout, counts.form, counts.records) == (layout, "fastq", 5)
    assert counts.histogram() == [[4, 5 * len(found)]]
    for number, chunk in enumerate(chunks):
        write_chunk(tmp_path, "s", number, chunk)
        again = read_chunk(tmp_path / f"s.chunk_{number:05d}.R1.fastq.gz")
        assert again.text.tobytes() == chunk[0].text.tobytes()


def test_mates_out_of_step_and_missing(tmp_path: Path) -> None:
    one = write(tmp_path, "1.fq", mates("slash", 40000, 0))
    names = mates("slash", 40000, 1)
    names[33333] = "stranger/2"
    for second, complaint in (
        (names, "2.fq, record 33334: stranger/2 is not the mate of r33333/1 in 1.fq"),
        (names[:20000], "1.fq, record 20001: r20000/1 has no mate, since 2.fq ends after 20000 records"),
    ):
        other = write(tmp_path, "2.fq", second)
        with pytest.raises(InputError, match=complaint):
            list(read_sample([[one, other]], 1000, Counts()))
    odd = write(tmp_path, "i.fq", ["a/1", "a/2", "b/1", "b/2", "c/1"])
    with pytest.raises(InputError, match=r"i.fq, record 5: c/1 has no mate after it"):
        list(read_sample([[odd]], 10, Counts()))


def test_lanes_of_one_sample_are_alike(tmp_path: Path) -> None:
    single = write(tmp_path, "s.fq", ["a", "b", "c"])
    interleaved = write(tmp_path, "i.fq", ["a/1", "a/2", "b/1", "b/2"])
    fasta = ReadFile(tmp_path / "f.fa", "f.fa")
    fasta.path.write_bytes(b">a\nACGT\n")
    empty = write(tmp_path, "e.fq", [])
    with pytest.raises(InputError, match=r"i.fq: its layout is interleaved, but that of the file before it .* is single"):
        list(read_sample([[single], [interleaved]], 10, Counts()))
    with pytest.raises(InputError, match=r"f.fa: its form is fasta, but that of the file before it .* is fastq"):
        list(read_sample([[single], [fasta]], 10, Counts()))
    counts = Counts()
    assert [len(chunk[0]) for chunk in read_sample([[empty], [interleaved], [empty]], 10, counts)] == [2]
    assert counts.layout == "interleaved"
    assert list(read_sample([[empty]], 10, Counts())) == []


def test_a_sheet_of_lanes(tmp_path: Path) -> None:
    path = tmp_path / "reads.csv"
    path.write_text("sample,fastq_1,fastq_2\nx,a_1.fq,a_2.fq\ny-2.b,b.fq,\nx,c_1.fq,c_2.fq\n")
    assert [(s.name, s.lanes) for s in read_sheet(path)] == [
        ("x", [["a_1.fq", "a_2.fq"], ["c_1.fq", "c_2.fq"]]),
        ("y-2.b", [["b.fq"]]),
    ]


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("sample,fastq1\nx,a\n", "line 1, header: the column fastq_1 is missing: rename 'fastq1'"),
        ("sample,fastq_1,strand\nx,a,b\n", "unknown column 'strand'"),
        ("sample,fastq_1\nx,a\nx,a\n", "line 3, fastq_1: a is also listed on line 2"),
        ("sample,fastq_1,fastq_2\nx,a,./a\n", "line 2, fastq_2: ./a is also listed on line 2"),
        ("sample,fastq_1,fastq_2\nx,a,b\nx,c,\n", "line 3, fastq_2: the sample x has rows with and without a second mate"),
        ("sample,fastq_1\nx,\n", "line 2, fastq_1: the cell is empty"),
        ("sample,fastq_1\n,a\n", "line 2, sample: the cell is empty"),
        ("sample,fastq_1\n../x,a\n", "line 2, sample: '../x' cannot name files"),
        ("sample,fastq_1\n$(id),a\n", "cannot name files"),
        ("sample,fastq_1\n-x,a\n", "cannot name files"),
        ("sample,fastq_1\nx y,a\n", "cannot name files"),
        ("sample,fastq_1\nFigures,a\n", "is the name of a part of the results"),
        ("sample,fastq_1\nx,s3://a/b\n", "is a URL"),
        ("sample,fastq_1\nx,*.fq\n", "has a wildcard"),
    ],
)
def test_a_sheet_that_is_refused(tmp_path: Path, rows: str, complaint: str) -> None:
    path = tmp_path / "reads.csv"
    path.write_text(rows)
    with pytest.raises(InputError) as found:
        read_sheet(path)
    assert complaint in str(found.value) and str(found.value).startswith("reads.csv, line")


READS = Path(__file__).resolve().parents[4] / "shared/data/reads"
REAL = {
    "czid/norg_6_R{}.fastq.gz": ("paired", 4849),
    "czid/sars_cov_2_R{}.fastq.gz": ("paired", 23554),
    "czid/snap_top10k_R{}_001.fastq.gz": ("paired", 2500),
    "viral-ngs/G5012.3.testreads.bam": ("interleaved", 9355),
    "viral-ngs/almost-empty.bam": ("interleaved", 6),
    "viral-ngs/in1.fastq": ("single", 4),
    "viral-ngs/in_sra1.fastq": ("single", 4),
}


@pytest.mark.skipif(not READS.exists(), reason=f"needs the reads in {READS}")
@pytest.mark.parametrize("name", REAL)
def test_real_reads_go_through(name: str) -> None:
    files = [READS / name.format(mate) for mate in ((1, 2) if "{}" in name else (1,))]
    counts = Counts()
    chunks = list(read_sample([[ReadFile(path, path.name) for path in files]], 10_000, counts))
    assert (counts.layout, counts.records) == REAL[name]
    assert sum(len(chunk[0]) for chunk in chunks) == counts.records
    if not name.endswith(".bam"):
        for mate, path in enumerate(files):
            text = (gzip.open if path.suffix == ".gz" else open)(path, "rb").read()
            assert b"".join(chunk[mate].text.tobytes() for chunk in chunks) == text


@pytest.mark.skipif(not READS.exists(), reason=f"needs the reads in {READS}")
@pytest.mark.parametrize("name", ["in{}.fastq", "in_sra{}.fastq"])
def test_real_mates_out_of_step(name: str) -> None:
    lane = [ReadFile(READS / "viral-ngs" / name.format(mate), name.format(mate)) for mate in (1, 2)]
    with pytest.raises(InputError, match=name.format(2) + ", record 1: from_chr9_1.2 is not the mate of from_chr1_1.1"):
        list(read_sample([lane], 10, Counts()))
