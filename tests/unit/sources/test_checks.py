"""Requirements on single records and on all sources together."""

import pytest

from virshort.errors import InputError
from virshort.sources.checks import check_given_splits, check_labels, metadata_of, why_skipped
from virshort.sources.samplesheet import SheetRow, SourceRow, SourceTable
from virshort.sources.store import Source


def source(name: str, label: str = "viral", length: int = 1000, cluster: str | None = None, split: str | None = None) -> Source:
    return {
        "source": name,
        "label": label,
        "kingdom": "unknown",
        "family": None,
        "cluster": cluster,
        "split": split,
        "file": "x.fa",
        "offset": 0,
        "length": length,
        "unambiguous": length,
        "gc": 0.5,
    }


@pytest.mark.parametrize(
    ("length", "unambiguous", "reason"),
    [
        (0, 0, "empty"),
        (149, 149, "too short (149 bp, at least 150 are needed)"),
        (150, 75, None),
        (150, 74, "too many Ns (50.7% ambiguous, at most 50% are allowed)"),
    ],
)
def test_why_a_record_is_skipped(length, unambiguous, reason):
    assert why_skipped(length, unambiguous, 150, 0.5) == reason


def test_metadata_of_the_table_take_precedence():
    sheet = SheetRow(2, "v.fa", "viral", "phage", "k1", "train")
    table = SourceTable("t.tsv", {"a": SourceRow(2, "viral", None, "Sipho", "k2", None)})
    assert metadata_of("a", sheet, "viral", table) == {
        "label": "viral",
        "kingdom": "phage",
        "family": "Sipho",
        "cluster": "k2",
        "split": "train",
    }
    assert metadata_of("b", SheetRow(2, "v.fa", "viral"), "viral", table)["kingdom"] == "unknown"
    assert metadata_of("b", SheetRow(2, "v.fa", "viral", family="Myo"), "viral", table)["family"] == "Myo"
    assert metadata_of("a", SheetRow(2, "v.fa", "viral", family="Myo"), "viral", table)["family"] == "Sipho"
    with pytest.raises(InputError, match=r"t\.tsv, line 2, label: a is viral here, but its file n\.fa is nonviral"):
        metadata_of("a", SheetRow(3, "n.fa", "nonviral"), "nonviral", table)


def test_each_label_needs_a_long_source():
    short = [source("a", "viral", 499), source("b", "nonviral", 500)]
    with pytest.raises(InputError, match="the longest viral source has 499 bp, so these look like sequencing reads"):
        check_labels(short, [], 500)
    check_labels(short, [], 499)
    with pytest.raises(InputError, match="no viral source is left: give longer"):
        check_labels(short[1:], [], 499)


def test_splits_are_for_all_sources_and_for_whole_clusters():
    check_given_splits([source("a"), source("b", cluster="k")])
    check_given_splits([source("a", split="train", cluster="k"), source("b", split="train", cluster="k")])
    with pytest.raises(InputError, match="b has no split, but 1 of 2 sources have one"):
        check_given_splits([source("a", split="train"), source("b")])
    with pytest.raises(InputError, match="cluster k is in two splits, with a in train and b in test"):
        check_given_splits([source("a", split="train", cluster="k"), source("b", split="test", cluster="k")])
