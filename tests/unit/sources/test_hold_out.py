"""What --hold_out keeps together: no family is in two folds, and sources without a family are divided by cluster."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustered_sources import assigned, clustered_sources
from virshort.errors import InputError
from virshort.sources.folds import Folds, check_whole_families
from virshort.sources.hold_out import (
    check_hold_out,
    family_column,
    note_joined_families,
    note_unused_family,
    unit_names,
    units_of_clusters,
)
from virshort.sources.samplesheet import read_source_table, table_columns

FOLDS = 3


def families_of(cluster: np.ndarray, label: np.ndarray, seed: int, known: float) -> list[str | None]:
    """A family for about `known` of the sources. Families consist of clusters of one label; some clusters hold two."""
    rng = np.random.default_rng(seed)
    names = np.unique(cluster)
    of_cluster = dict(zip(names.tolist(), rng.integers(0, max(2, len(names) // 2), len(names)).tolist(), strict=True))
    families: list[str | None] = []
    for c, x in zip(cluster.tolist(), label.tolist(), strict=True):
        f = of_cluster[c] if rng.random() < 0.95 else int(rng.integers(0, 9))
        families.append(f"{x} {f}" if rng.random() < known else None)
    return families


def assign(
    cluster: np.ndarray,
    label: np.ndarray,
    kingdom: np.ndarray,
    bases: np.ndarray,
    family: list[str | None],
    split: list[str | None] | None = None,
) -> Folds:
    return assigned((cluster, label, kingdom, bases), split, family, "family", FOLDS)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32), st.integers(40, 90), st.sampled_from([0.1, 0.5, 0.9, 1.0]))
def test_no_family_and_no_cluster_is_in_two_folds(seed, clusters, known):
    cluster, label, kingdom, bases = clustered_sources(seed, clusters)
    family = families_of(cluster, label, seed, known)
    try:
        found = assign(cluster, label, kingdom, bases, family)
    except InputError as e:
        assert "too few for 3 folds" in str(e) or "in one family" in str(e)
        return
    folds_of = defaultdict(set)
    for c, f, fold in zip(cluster.tolist(), family, found.fold.tolist(), strict=True):
        folds_of["cluster", c].add(fold)
        if f is not None:
            folds_of["family", f].add(fold)
    assert max(map(len, folds_of.values())) == 1
    assert len(found.fold) == len(cluster) and set(found.fold.tolist()) == set(range(FOLDS))
    assert (found.fold == assign(cluster, label, kingdom, bases, family).fold).all()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.sampled_from([None, "a", "b", "c", "d, e", "c0"])), min_size=1, max_size=40))
def test_units_are_what_families_connect(pairs):
    """Compared with the closure by repeated merging."""
    clusters = sorted({c for c, _ in pairs})
    cluster = np.array([clusters.index(c) for c, _ in pairs])
    family = [f for _, f in pairs]
    groups = [
        {("cluster", c)} | {("family", f) for k, f in zip(cluster.tolist(), family, strict=True) if k == c and f}
        for c in set(cluster)
    ]
    merged: list[set] = []
    for group in groups:
        joined = [m for m in merged if m & group]
        merged = [m for m in merged if not m & group] + [set.union(group, *joined)]
    unit = units_of_clusters(cluster, family)
    same = {frozenset(c for kind, c in m if kind == "cluster") for m in merged}
    assert {frozenset(np.flatnonzero(unit == u).tolist()) for u in range(unit.max() + 1)} == same
    names = unit_names(np.array([f"c{c}" for c in cluster]), family, unit[cluster])
    assert len(set(zip(names.tolist(), unit[cluster].tolist(), strict=True))) == len(same) == len(set(names.tolist()))


def test_without_families_each_cluster_is_a_unit():
    assert sorted(units_of_clusters(np.array([2, 0, 1, 1]), [None] * 4).tolist()) == [0, 1, 2]
    cluster, label, kingdom, bases = clustered_sources(1, 40)
    with pytest.raises(InputError, match="--hold_out family: the column family has no value for any source"):
        assign(cluster, label, kingdom, bases, [None] * len(cluster))


def test_families_are_balanced_as_clusters_are_and_a_huge_one_is_noted():
    cluster, label, kingdom, bases = clustered_sources(3, 300)
    family = [f"f{int(c[1:]) // 2}" for c in cluster.tolist()]
    found = assign(cluster, label, kingdom, bases, family)
    for x in ("viral", "nonviral"):
        mine = label == x
        share = np.bincount(found.fold[mine], bases[mine], FOLDS) / bases[mine].sum()
        assert share.min() > 0.27 and share.max() < 0.4
    viral = np.unique(cluster[label == "viral"])
    huge = set(viral[: len(viral) * 2 // 3].tolist())
    family = ["Big" if c in huge else f for c, f in zip(cluster.tolist(), family, strict=True)]
    notes = assign(cluster, label, kingdom, bases, family).notes
    assert any(n.startswith("Family Big has ") and "of the viral bases" in n and "more than a fold's share" in n for n in notes)


def test_the_notes_say_what_has_no_family_and_which_families_are_joined():
    notes = note_joined_families(["a", "b", None], np.array([0, 0, 1]))
    assert notes[0] == "1 of 3 sources have no family: they are held out by cluster."
    assert "2 families share clusters and are therefore held out together: a, b." in notes


def test_a_given_split_may_not_divide_a_family():
    cluster, label, kingdom, bases = clustered_sources(9, 40)
    split = ["train" if int(c[1:]) < 30 else "test" for c in cluster.tolist()]
    family = ["one" if c in (cluster[0], cluster[-1]) else None for c in cluster.tolist()]
    with pytest.raises(InputError, match=r"split: family one is in two splits.*leave --hold_out out"):
        assign(cluster, label, kingdom, bases, family, split)
    family = ["one" if c == cluster[0] else None for c in cluster.tolist()]
    assert assign(cluster, label, kingdom, bases, family, split).given


def test_a_family_in_two_folds_is_named():
    with pytest.raises(InputError, match=r"genus x is in folds 0 \(s0\) and 1 \(s2\)"):
        check_whole_families(["s0", "s1", "s2"], ["x", None, "x"], np.array([0, 1, 1]), "genus")
    check_whole_families(["s0", "s1"], [None, None], np.array([0, 1]), "genus")


def test_an_unknown_column_is_refused_in_one_line_that_lists_the_others():
    tables = {"sheet.csv": ["fasta", "label", "kingdom"], "sources.tsv": ["id", "genus"]}
    check_hold_out("cluster", {})
    check_hold_out("genus", tables)
    with pytest.raises(InputError) as e:
        check_hold_out("genuss", tables)
    assert str(e.value) == (
        "--hold_out genuss: there is no such column in sheet.csv (fasta, label, kingdom) and sources.tsv (id, genus): did you "
        "mean genus? It can be cluster, kingdom, genus"
    )
    with pytest.raises(InputError, match="--hold_out label"):
        check_hold_out("label", tables)


def test_the_column_that_is_held_out_gives_the_family(tmp_path: Path):
    assert (family_column("cluster"), family_column("genus")) == ("family", "genus")
    sheet, table = tmp_path / "sheet.csv", tmp_path / "t.tsv"
    sheet.write_text("\n fasta , label\nv.fa,viral\n")
    table.write_text("id\tfamily\tgenus\nr\tA\tB\n")
    assert table_columns(sheet, table) == {"sheet.csv": ["fasta", "label"], "t.tsv": ["id", "family", "genus"]}
    assert read_source_table(table, "genus").rows["r"].family == "B"
    with pytest.raises(InputError, match="unknown column 'genus'"):
        read_source_table(table)
    assert note_unused_family("genus", table_columns(sheet, table)) and not note_unused_family("family", {"t": ["family"]})
    sheet.write_text("")
    table.write_text('"id"\t"family\n')
    assert table_columns(sheet, table) == {"sheet.csv": [], "t.tsv": ['"id"', '"family']}
    sheet.write_text('fasta,"label\n')
    assert table_columns(sheet, None) == {"sheet.csv": []}, "the reader of the rows complains of it"
