"""Calls beside the truth: what a table may hold, and counts that add up."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from virshort.calls.truth import TruthCounts
from virshort.calls.truth_table import check_samples, read_truth
from virshort.errors import InputError


def table(folder: Path, text: str, name: str = "truth.tsv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_samples_are_told_apart_and_groups_are_optional(tmp_path: Path) -> None:
    path = table(tmp_path, "sample,read,label,group\na,r1,viral,new\na,r2,nonviral,\nb,r1,nonviral,old\n", "truth.csv")
    found = read_truth(path)
    assert set(found) == {"a", "b"} and found["a"].row == {b"r1": 0, b"r2": 1} and found["a"].groups == ["new"]
    assert found["a"].label.tolist() == [1, 0] and found["a"].group.tolist() == [0, -1]
    assert set(read_truth(path, "b")) == {"b"} and read_truth(path, "c") == {}
    check_samples(path, found, {"a", "b", "c"})
    with pytest.raises(InputError, match=r"truth.csv: 'b' is no sample of the sheet"):
        check_samples(path, found, {"a"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sample\tread\na\tr1\n", "the column label is missing"),
        ("sample\tread\tlabel\tkind\na\tr1\tviral\tx\n", "unknown column 'kind'"),
        ("sample\tread\tlabel\na\tr1\tvirus\n", "line 2, label: 'virus' is no label: write viral or nonviral"),
        ("sample\tread\tlabel\na\t\tviral\n", "line 2, read: the cell is empty"),
        ("sample\tread\tlabel\na\tr1\tviral\na\tr1\tviral\n", "line 3, read: 'r1' is listed twice"),
        ("sample\tread\tlabel\n", "has a header but no rows"),
    ],
)
def test_what_a_table_must_not_hold(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_truth(table(tmp_path, text))


@given(st.integers(0, 2**32 - 1))
def test_every_fragment_is_counted_once_and_rates_follow_their_definition(tmp_path_factory, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 40))
    label, call = rng.integers(0, 2, n), rng.integers(0, 3, n)
    listed = rng.random(n) < 0.8
    listed[0] = True
    rows = [f"s\tr{i}\t{('nonviral', 'viral')[label[i]]}\t{'ab'[i % 2]}\n" for i in np.flatnonzero(listed)]
    path = tmp_path_factory.mktemp("truth") / "truth.tsv"
    path.write_text("".join(["sample\tread\tlabel\tgroup\n", *rows, "s\tgone\tviral\ta\n"]))
    bits = np.where(rng.random((n, 2, 2)) < 0.5, rng.uniform(20, 90, (n, 2, 2)), 0)
    counts = TruthCounts(read_truth(path)["s"], None)
    for part in (slice(0, n // 2), slice(n // 2, n)):
        counts.add([b"r%d" % i for i in range(n)][part], bits[part], call[part])
    record = counts.record()
    assert record["not_in_reads"] == 1 and record["not_in_truth"] == n - listed.sum()
    of = {name: (label == y) & listed for y, name in enumerate(("nonviral", "viral"))}
    for name, mine in of.items():
        assert record["all"][name]["all"] == mine.sum() == sum(g[name]["all"] for g in record["by_group"].values())
        assert record["all"][name]["unscored"] == (mine & (call == 2)).sum()
        assert sum(e[name]["all"] for e in record["by_evidence"].values()) == (mine & (call < 2)).sum()
    viral, scored = call == 1, call < 2
    for key, part, whole in (
        ("sensitivity", of["viral"] & viral, of["viral"] & scored),
        ("false_positive_rate", of["nonviral"] & viral, of["nonviral"] & scored),
        ("precision", of["viral"] & viral, listed & viral),
    ):
        assert record["all"][key] == (part.sum() / whole.sum() if whole.sum() else None)


def test_a_table_that_names_no_read_of_its_sample_is_refused(tmp_path: Path) -> None:
    counts = TruthCounts(read_truth(table(tmp_path, "sample\tread\tlabel\ns\tr1/1\tviral\n"))["s"], None)
    counts.add([b"r1"], np.zeros((1, 1, 2)), np.array([1]))
    with pytest.raises(InputError, match=r"no read of the sample has the name 'r1/1', .* without /1 or /2"):
        counts.record()
