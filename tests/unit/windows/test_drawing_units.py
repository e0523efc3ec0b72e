"""Drawing units: what they group, and that clusters with one kingdom are drawn from as if kingdoms were not there."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from virshort.files import digest
from virshort.windows.drawing_units import group_sources

sources = st.lists(
    st.tuples(st.sampled_from(["c1", "c2", "c10", "c"]), st.sampled_from(["a", "b", "ab"]), st.integers(0, 1)), min_size=1
)


@given(sources)
def test_a_unit_holds_the_sources_of_one_cluster_label_and_kingdom(rows):
    cluster, kingdom, label = (np.array(x) for x in zip(*rows, strict=True))
    fold = np.array([len(c) for c in cluster])
    units, unit = group_sources(cluster, kingdom, label, fold, 7)
    assert len(set(zip(units.cluster, units.label, units.kingdom, strict=True))) == len(units.label) == len(set(rows))
    for column, expected in (("cluster", cluster), ("kingdom", kingdom), ("label", label), ("fold", fold)):
        np.testing.assert_array_equal(getattr(units, column)[unit], expected)
    assert len(set(units.key.tolist())) == len(units.key)


@given(sources)
def test_the_key_names_the_kingdom_only_where_a_cluster_holds_several(rows):
    cluster, kingdom, label = (np.array(x) for x in zip(*rows, strict=True))
    units, _ = group_sources(cluster, kingdom, label, np.zeros(len(rows), int), 7)
    names = [f"{c}\t{y}" for c, y in zip(units.cluster, units.label, strict=True)]
    assert names == sorted(names)
    for name, k, key in zip(names, units.kingdom, units.key, strict=True):
        assert key == int(digest("7", name if names.count(name) == 1 else f"{name}\t{k}"), 16)
