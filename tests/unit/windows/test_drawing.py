"""Windows: sizes, shares, caps, nesting, validity, and independence of how they are cut into blocks and shards."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from Bio.Seq import reverse_complement
from hypothesis import given, settings
from hypothesis import strategies as st

from virshort.errors import InputError
from virshort.heads.splits import label_sizes, shuffled_labels, split_rows
from virshort.windows.drawing import (
    MIXED,
    Recipe,
    Shortage,
    Stratum,
    allocate_recipe,
    by_the_rule,
    draw_windows,
    group_sources,
    rechunk,
    recipes,
    sweep,
)
from virshort.windows.shards import extract, read_manifest, read_shard, write_shard
from virshort.windows.start_positions import AmbiguousRuns, position_space

FOLDS = 5


class World:
    """Sources of many lengths in many clusters, one of which holds four fifths of the non-viral records."""

    def __init__(self, seed: int = 0, clusters: int = 60, ambiguous: float = 0.0):
        rng = np.random.default_rng(seed)
        sizes = np.concatenate([np.full(clusters, 2), np.r_[np.full(clusters - 1, 1), 4 * (clusters - 1)]])
        cluster = np.repeat(np.arange(2 * clusters), sizes)
        self.label = np.repeat([1, 0], [2 * clusters, len(cluster) - 2 * clusters]).astype(np.int8)
        self.length = rng.integers(700, 9000, len(cluster))
        self.offset = np.cumsum(self.length) - self.length
        letters = rng.choice(np.frombuffer(b"ACGT", np.uint8), self.length.sum())
        for start in rng.integers(0, len(letters) - 400, int(ambiguous * len(letters) / 200)):
            letters[start : start + rng.integers(1, 400)] = ord("N")
        self.bases = letters
        self.names = np.array([f"c{c:03d}" for c in cluster])
        kingdom = np.array(["abc"[c % 3] for c in cluster])
        self.groups, self.group = group_sources(self.names, kingdom, self.label, (cluster % FOLDS).astype(np.int8), 42)
        self.runs = AmbiguousRuns(letters)

    def space(self, stratum: Stratum, max_n: float):
        window = stratum.stretch
        space = position_space(
            self.offset, self.length, self.group, len(self.groups.label), window, stratum.most_ambiguous(max_n), self.runs
        )
        starts = np.bincount(space.source, np.diff(space.cumulated), len(self.length)).astype(np.int64)
        return space, [
            np.bincount(self.group, x, len(self.groups.label)).astype(np.int64)
            for x in (by_the_rule(starts, window), 2 * -(-starts // window), 2 * starts)
        ]

    def draw(self, recipe: Recipe, max_n: float = 0.1, cap: float = 0.05):
        spaces, stages = zip(*[self.space(s, max_n) for s in recipe.strata], strict=True)
        test = recipe.purpose == "test"
        result = allocate_recipe(recipe, self.groups, list(stages), list(range(FOLDS)), FOLDS if test else FOLDS - 2, 0.52, cap)
        if isinstance(result, Shortage):
            return result
        draws, caps = result
        return {
            step.pool: list(
                rechunk(
                    draw_windows(draws[step.pool], step, self.groups, list(spaces), self.offset, self.length, max_n, self.runs),
                    1 << 30,
                )
            )
            for step in recipe.chain
        }, caps


SHORT = Recipe("short", "train", 3000, (Stratum(150, 150),))
SCRATCH = Recipe("scratch", "train", 9000, (Stratum(150, 150),), SHORT)


@pytest.fixture(scope="module")
def world() -> World:
    return World(ambiguous=0.1)


@pytest.mark.parametrize(
    "recipe",
    [SCRATCH, Recipe("mixed", "train", 3000, MIXED), Recipe("full", "test", 2000, (Stratum(500, 3000),))],
    ids=lambda r: r.name,
)
def test_windows_lie_in_their_source_are_distinct_and_have_few_ns(world, recipe):
    pools, _ = world.draw(recipe)
    seen = set()
    for w in (block for blocks in pools.values() for block in blocks):
        assert (w.start >= world.offset[w.source]).all()
        assert (w.end <= world.offset[w.source] + world.length[w.source]).all()
        assert (world.group[w.source] == w.group).all()
        n = w.end - w.start
        assert n.min() >= min(s.shortest for s in recipe.strata) and n.max() <= max(s.longest for s in recipe.strata)
        assert (world.runs.count(w.start, w.end) <= 0.1 * n).all()
        keys = list(zip(w.start.tolist(), w.end.tolist(), w.minus.tolist(), strict=True))
        assert len(set(keys)) == len(keys) and not seen & set(keys)
        seen |= set(keys)
        assert 0.4 < w.minus.mean() < 0.6


def test_the_smaller_set_is_the_beginning_of_the_larger(world):
    """The 3000 of `short` are the same windows whether or not `scratch` is drawn too."""
    alone = world.draw(SHORT)[0]["train/short"][0]
    together = world.draw(SCRATCH)[0]["train/short"][0]
    np.testing.assert_array_equal(alone.start, together.start)


def test_every_split_has_the_size_and_shares_asked_for_and_no_cluster_more_than_the_cap(world):
    pools, caps = world.draw(SCRATCH)
    assert not caps
    for recipe, names in ((SHORT, ["train/short"]), (SCRATCH, ["train/short", "train/scratch"])):
        group = np.concatenate([b.group for n in names for b in pools[n]])
        label, fold = world.groups.label[group], world.groups.fold[group]
        for test_fold in range(FOLDS):
            train, validation = split_rows(label, fold, test_fold, FOLDS, recipe.size, 0.52)
            assert len(train) == recipe.size and label[train].sum() == label_sizes(recipe.size, 0.52)[1]
            assert not set(fold[train]) & {test_fold, (test_fold + 1) % FOLDS}
            assert set(fold[validation]) == {(test_fold + 1) % FOLDS}
            assert abs(label[validation].mean() - 0.52) < 0.01
            for y, n in label_sizes(recipe.size, 0.52).items():
                of_cluster = np.bincount(group[train][label[train] == y])
                assert of_cluster.max() <= np.ceil(0.05 * n)


def test_strata_have_their_shares(world):
    length = np.concatenate([b.end - b.start for b in world.draw(Recipe("mixed", "train", 3000, MIXED))[0]["train/mixed"]])
    shares = [np.mean((length >= s.shortest) & (length <= s.longest)) for s in MIXED]
    np.testing.assert_allclose(shares, [s.share for s in MIXED], atol=0.01)


def test_windows_are_spread_over_a_source():
    world = World(clusters=25)
    w = world.draw(Recipe("short", "train", 12_000, (Stratum(150, 150),)))[0]["train/short"][0]
    longest = np.argmax(np.bincount(w.source))
    at = (w.start - world.offset[longest])[w.source == longest] / (world.length[longest] - 150)
    assert np.histogram(at, 5, (0, 1))[0].min() > 0.1 * len(at)


def test_too_little_sequence_is_a_shortage_that_says_how_much_there_is(world):
    found = world.draw(Recipe("short", "train", 10**7, (Stratum(150, 150),)))
    assert isinstance(found, Shortage) and 0 < found.possible < 10**7
    assert not isinstance(world.draw(Recipe("short", "train", int(found.possible * 0.45), (Stratum(150, 150),))), Shortage)


def test_few_clusters_raise_the_cap_and_say_so():
    _, caps = World(clusters=5).draw(SHORT)
    assert caps.keys() == {0, 1} and caps[1] == pytest.approx(1 / 3, abs=0.01)


def test_rows_do_not_depend_on_the_shard_size(world):
    blocks = world.draw(SHORT)[0]["train/short"]
    for size in (1, 7, 1000, 10**6):
        again = list(rechunk(iter(blocks), size))
        assert all(len(b.start) == size for b in again[:-1])
        np.testing.assert_array_equal(np.concatenate([b.start for b in again]), np.concatenate([b.start for b in blocks]))


def test_recipes_hold_one_another_as_the_design_says():
    sets = {
        r.pool: r for r in recipes(window_length=150, short=10, scratch=20, mixed=5, full=5, test=9, train_sets=["scratch"])
    }
    assert set(sets) == {"train/short", "train/scratch", "test/short", "test/full"}
    assert sets["train/scratch"].contains is sets["train/short"]


@pytest.mark.parametrize("lengths", [[100, 150, 200, 300, 500, 1000, 3000], [130, 700, 1900], [150]])
@pytest.mark.parametrize("max_n", [0.0, 0.02, 0.1])
def test_along_the_sweep_nothing_changes_but_the_length(world, lengths, max_n):
    found = [world.draw(recipe, max_n)[0][recipe.pool][0] for recipe in sweep(500, lengths)]
    longest = found[-1]
    for w, n in zip(found, lengths, strict=True):
        assert (w.end - w.start == n).all() and len(w.start) == 500
        assert (world.runs.count(w.start, w.end) <= int(max_n * n)).all()
        for column in ("group", "source", "minus"):
            np.testing.assert_array_equal(getattr(w, column), getattr(longest, column))
        assert ((w.start >= longest.start) & (w.end <= longest.end)).all(), "not within the longest window"
        whole = world.runs.count(longest.start, longest.end) == 0
        ends = np.where(w.minus, w.end, w.start) == np.where(longest.minus, longest.end, longest.start)
        assert ends[whole].all(), "a stretch without Ns begins where its windows begin"


@given(st.lists(st.integers(1, 400), min_size=1, max_size=5, unique=True), st.floats(0, 0.5), st.data())
@settings(max_examples=200, deadline=None)
def test_a_valid_stretch_has_a_valid_window_of_every_length(lengths, max_n, data):
    stratum = Stratum(lengths[0], lengths[0], places=tuple(sorted(lengths)))
    ambiguous = np.zeros(stratum.stretch, bool)
    ambiguous[data.draw(st.permutations(range(stratum.stretch)))[: stratum.most_ambiguous(max_n)]] = True
    for n in lengths:
        parts = ambiguous[: stratum.stretch // n * n].reshape(-1, n).sum(1)
        assert parts.min() <= int(max_n * n)


def test_extract_reads_each_strand_5_to_3():
    text = "ACGTTGCANNRYACGTAC"
    bases = np.frombuffer(text.encode(), np.uint8)
    start, end = np.array([0, 3, 8]), np.array([5, 12, 8 + 6])
    sequences, gc = extract(bases, start, end, np.array([False, True, True]))
    assert [s.decode() for s in sequences] == [text[0:5], reverse_complement(text[3:12]), reverse_complement(text[8:14])]
    np.testing.assert_allclose(gc, [2 / 5, 2 / 5, 1 / 2])


def test_a_shard_comes_back_and_damage_is_found(tmp_path):
    table = pa.table({"window": ["ä|1/x:1-4(+)", "b:2-6(-)"]})
    digest = write_shard(tmp_path, 0, [b"ACGT", b"NACGT"], table)
    path = tmp_path / "shard_00000.fa.gz"
    shard = read_shard(path)
    assert (shard.ids, shard.sequences, shard.digest) == (["ä|1/x:1-4(+)", "b:2-6(-)"], [b"ACGT", b"NACGT"], digest)
    assert read_manifest(tmp_path / "shard_00000.windows.parquet") == (table, digest)
    raw = path.read_bytes()
    for damaged in (raw[:-5], raw[:20] + bytes([raw[20] ^ 1]) + raw[21:], b"no gzip"):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"shard_00000\.fa\.gz"):
            read_shard(path)
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"x\.parquet: damaged"):
        read_manifest(tmp_path / "x.parquet")
    pq.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(InputError, match=r"x\.parquet: damaged or truncated \(its columns"):
        read_manifest(tmp_path / "x.parquet")


@settings(max_examples=400)
@given(data=st.data())
def test_a_bit_that_flips_in_a_manifest_is_found_or_changes_nothing(a_manifest, data):
    """A flip in the digest of the windows is for MERGE to find: the embeddings' is another."""
    path, table, digest = a_manifest
    raw = bytearray(path.read_bytes())
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    damaged = path.with_name("damaged.parquet")
    damaged.write_bytes(raw)
    try:
        found = read_manifest(damaged)
    except InputError as e:
        assert str(e).startswith("damaged.parquet: damaged")
    else:
        assert found == (table, digest) or found[1] != digest


@pytest.fixture(scope="module")
def a_manifest(tmp_path_factory):
    folder, rows = tmp_path_factory.mktemp("manifest"), np.arange(300)
    table = pa.table(
        {
            "window": [f"w{i}" for i in rows],
            "label": (rows % 2).astype(np.int8),
            "start": rows,
            "gc": (rows / 300).astype(np.float32),
            "cluster": [f"c{i % 7}" for i in rows],
            "kingdom": [None, "a", "b"] * 100,
        }
    )
    digest = write_shard(folder, 0, [b"ACGT"] * 300, table)
    return folder / "shard_00000.windows.parquet", table, digest


def test_shuffled_labels_tell_nothing_and_never_part_a_cluster():
    rng = np.random.default_rng(1)
    cluster = np.repeat(np.arange(60), rng.integers(5, 60, 60))
    label, kingdom = (cluster < 30).astype(np.int8), cluster % 4
    for seed in range(20):
        new = shuffled_labels(label, cluster, kingdom, seed)
        for c in range(60):
            assert len(set(new[cluster == c])) == 1
        for y in (0, 1):
            assert abs(new[label == y].mean() - 0.5) < 0.05
    assert (shuffled_labels(label, cluster, kingdom, 1) != shuffled_labels(label, cluster, kingdom, 2)).any()


def test_a_split_that_lacks_rows_is_an_error():
    with pytest.raises(InputError, match="split 0: 1 training windows with label 1 where 3"):
        split_rows(np.array([1, 0, 0], np.int8), np.array([2, 2, 2], np.int8), 0, 3, 6, 0.5)
