"""Contigs of ready features: which sources they are, and which clusters they form."""

import numpy as np
import pytest

from virshort.errors import InputError
from virshort.sources.contigs import Contigs
from virshort.sources.samplesheet import SheetRow, SourceRow, SourceTable


def contigs(table: SourceTable, *files: tuple[str, str | None, list[str], list[str | None], list[int]]) -> Contigs:
    """files: (name, cluster in the samplesheet, windows, their contigs, label codes)."""
    found = Contigs()
    for name, cluster, windows, names, labels in files:
        found.add(SheetRow(2, name, None, cluster=cluster), windows, names, np.array(labels), table)
    return found


def test_windows_are_counted_by_contig():
    found = contigs(
        SourceTable("t.tsv", {"b": SourceRow(2, kingdom="fungi")}),
        ("m/v.pt", None, ["a_1", "a_2", "b_1"], ["a", "a", "b"], [1, 1, 0]),
        ("m/n.pt", None, ["b_2"], ["b"], [0]),
    )
    found.check()
    assert [(s["source"], s["label"], s["kingdom"], s["file"], s["length"]) for s in found.sources.values()] == [
        ("a", "viral", "unknown", "m/v.pt", 2),
        ("b", "nonviral", "fungi", "m/v.pt", 2),
    ]
    summary = found.summary(9, 1300, "A note.")
    assert (summary["records"], summary["windows"], summary["rows"], summary["notes"]) == (2, 4, 9, ["A note."])
    assert summary["counts"][0] == {"label": "nonviral", "kingdom": "fungi", "records": 1, "bases": None, "skipped": 0}


def test_clusters_are_those_given_or_the_contigs_themselves():
    windows = ("x.pt", None, ["a", "b", "c"], ["a", "b", "c"], [1, 0, 0])
    assert contigs(SourceTable(), windows).clusters() == ["a", "b", "c"]
    full = SourceTable("t.tsv", {n: SourceRow(2, cluster=k) for n, k in (("a", "k"), ("b", "k"), ("c", "a"))})
    assert contigs(full, windows).clusters() == ["k", "k", "a"]


def test_a_partial_cluster_is_not_confused_with_a_contig_of_its_name():
    table = SourceTable("t.tsv", {n: SourceRow(2, cluster="c") for n in ("a", "b")})
    found = contigs(table, ("x.pt", None, ["a", "b", "c"], ["a", "b", "c"], [1, 0, 0]))
    found.check()
    assert found.clusters() == ["a", "a", "c"]


def test_a_contig_of_two_labels_is_refused():
    with pytest.raises(InputError, match=r"n\.pt: contig a is nonviral here, but viral in v\.pt"):
        contigs(SourceTable(), ("v.pt", None, ["a_1"], ["a"], [1]), ("n.pt", None, ["a_2"], ["a"], [0]))


def test_a_window_without_a_contig_needs_a_cluster():
    files = [("v.pt", None, ["read1"], [None], [1]), ("n.pt", None, ["h_1"], ["h"], [0])]
    with pytest.raises(InputError, match=r"id read1: does not name its contig"):
        contigs(SourceTable(), *files).check()
    files[0] = ("v.pt", "k", ["read1"], [None], [1])
    contigs(SourceTable(), *files).check()


def test_both_labels_are_needed():
    with pytest.raises(InputError, match="no nonviral source is left: give"):
        contigs(SourceTable(), ("v.pt", None, ["a_1"], ["a"], [1])).check()
