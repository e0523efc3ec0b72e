"""The search of windows: what it finds, what it must never see, and what must not change it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from planted_relatives import gene, mutated, protein
from virshort.errors import InputError
from virshort.homology import composition, matching, searching, seeds
from virshort.homology import databases as module
from virshort.homology.databases import encode
from virshort.homology.matching import Translated
from virshort.homology.residues import ALPHABET, CODES, END, PAD, SCORE, UNKNOWN
from virshort.homology.searching import best_in, compile_search, search, translated
from virshort.homology.seeds import index_seeds
from virshort.homology.shapes import LONG_SHAPES, SHAPES, kind_of
from virshort.homology.source_list import best_source, read_sources

NONVIRAL, VIRAL = 0, 1


def matches_in(searched, sequences, fold, shapes=(2, 1, 1), threads=1):
    fold = np.array(fold, np.int8)
    return search(sequences, fold, searched.folder, searched.databases, searched.folds, 1, shapes, threads, lambda _: None)


def found_in(searched, sequences, fold, shapes=(2, 1, 1), threads=1):
    return matches_in(searched, sequences, fold, shapes, threads).scores


def background(rng, n=20, bases=2000):
    return [(rng.choice(np.frombuffer(b"ACGT", np.uint8), bases).tobytes(), f % 3, f % 2) for f in range(n)]


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize(("identity", "least"), [(1.0, 1.0), (0.9, 1.0), (0.6, 0.6)])
def test_planted_relatives_are_found(databases, rng, identity, least):
    proteins = [protein(rng, 50) for _ in range(40)]
    relatives = [(gene(protein(rng, 30) + mutated(rng, p, identity) + protein(rng, 30)), 1, VIRAL) for p in proteins]
    found = found_in(databases(background(rng) + relatives), [gene(p) for p in proteins], [0] * 40)
    bits, share = found[:, 1, VIRAL].T
    assert (bits >= 32).mean() >= least
    assert abs(share[bits >= 32].mean() - identity) < 0.1
    assert found[:, 1, VIRAL, 0].mean() > found[:, 2, :, 0].max(1).mean() + 20


def test_nothing_planted_gives_no_match_worth_the_name(databases, rng):
    found = found_in(databases(background(rng)), [gene(protein(rng, 50)) for _ in range(200)], [0] * 200)
    assert (found[..., 0] < 32).all()


def test_a_window_never_meets_its_own_source_or_fold(databases, rng):
    sources = background(rng, 30, 900)
    searched = databases(sources)
    windows, fold = [s[:150] for s, _, _ in sources], [f for _, f, _ in sources]
    found = found_in(searched, windows, fold)
    assert not found[np.arange(30), fold].any()
    assert (found[..., 0] < 40).all()  # its own source would give 100 bits
    elsewhere = found_in(searched, windows, [(f + 1) % 3 for f in fold])  # as if they were of another fold
    assert (elsewhere[np.arange(30), fold, [y for _, _, y in sources], 0] > 50).all()


def test_a_database_holds_its_fold_and_label_alone(databases, rng):
    planted = protein(rng, 60)
    searched = databases([*background(rng), (gene(planted), 2, NONVIRAL)])
    where = [d.file for d in searched.databases if planted.encode() in (searched.folder / d.file).read_bytes()]
    assert where == ["fold_2.nonviral.txt"]


def test_threads_sharding_and_order_change_nothing(databases, rng, monkeypatch):
    sources = background(rng, 60, 3000)
    searched = databases(sources)
    lengths = ((150, 650), (150, 1150))  # short, long and very long ones
    windows = [s[500 : 500 + length] for number, (s, _, _) in enumerate(sources) for length in lengths[number % 2]]
    fold = rng.integers(0, 3, len(windows)).astype(np.int8)
    expected, start = matches_in(searched, windows, fold)
    assert expected.any() and start.any()
    monkeypatch.setattr(module.blocks, "__defaults__", (5000,))
    smaller = matches_in(searched, windows, fold, threads=2)
    assert np.array_equal(smaller.scores, expected) and np.array_equal(smaller.start, start)
    monkeypatch.setattr(searching, "BATCH", 1000)
    smaller = matches_in(searched, windows, fold)
    assert np.array_equal(smaller.scores, expected) and np.array_equal(smaller.start, start)
    monkeypatch.undo()
    order = rng.permutation(len(windows))
    assert np.array_equal(found_in(searched, [windows[i] for i in order], fold[order]), expected[order])
    parts = [found_in(searched, windows[a : a + 37], fold[a : a + 37]) for a in range(0, len(windows), 37)]
    assert np.array_equal(np.concatenate(parts), expected)
    reordered = found_in(databases(sources[::-1], folder="reordered"), windows, fold)
    assert np.array_equal(reordered, expected)


def test_a_match_is_named_by_the_source_that_it_is_in(databases, rng, monkeypatch):
    sources = [*background(rng, 60, 3000), (b"ACG" * 10, 1, VIRAL)]  # the last is too short for any stretch
    searched = databases(sources)
    named = read_sources(searched.folder)
    monkeypatch.setattr(module.blocks, "__defaults__", (5000,))
    found = matches_in(searched, [s[600:750] for s, _, _ in sources[:60]], [(f + 1) % 3 for _, f, _ in sources[:60]])
    best = best_source(found, named).tolist()
    assert [named.names[row].source for row in best] == [f"source {i}" for i in range(60)]
    assert [named.names[row].kingdom for row in best] == [("bacteria", "virus")[y] for _, _, y in sources[:60]]
    nothing = matches_in(searched, [b"ACG" * 40, b""], [0, 0])
    assert best_source(nothing, named).tolist() == [-1, -1]


def test_of_equal_matches_the_first_in_a_database_counts(databases, rng, monkeypatch):
    copy = gene(protein(rng, 60))
    searched = databases([*background(rng), (copy, 1, VIRAL), (copy, 1, VIRAL), (copy, 2, VIRAL)])
    for size in (100, 1 << 20):
        monkeypatch.setattr(module.blocks, "__defaults__", (size,))
        named = read_sources(searched.folder)
        (row,) = best_source(matches_in(searched, [copy], [0]), named)
        assert named.names[row].source == "source 20"


def test_a_damaged_list_of_sources_gives_one_line(databases, rng):
    searched = databases(background(rng))
    (searched.folder / "sources.json").write_text("{}")
    with pytest.raises(InputError, match=r"sources.json: damaged or truncated"):
        read_sources(searched.folder)


def test_more_shapes_never_find_less(databases, rng):
    searched = databases(background(rng, 60, 3000))
    windows = [gene(protein(rng, 50)) for _ in range(50)]
    one, two, four = (found_in(searched, windows, [0] * 50, shapes)[..., 0] for shapes in ((1, 1, 1), (2, 1, 1), (4, 1, 1)))
    assert (one <= two).all() and (two <= four).all() and (one < four).any()


def test_empty_shards_empty_databases_and_short_windows(databases, rng):
    searched = databases([(gene(protein(rng, 200)), 1, VIRAL)])
    assert [d.stretches > 0 for d in searched.databases] == [False, False, False, True, False, False]
    assert found_in(searched, [], []).shape == (0, 3, 2, 2)
    assert not found_in(searched, [b"ACG" * 19, b"A", b""], [0, 0, 2]).any()


def test_a_repeat_matches_nothing(databases):
    repeat = gene("Q" * 60)
    assert not found_in(databases([(repeat, 1, VIRAL)]), [repeat], [0]).any()


def test_a_damaged_database_gives_one_line(databases, rng):
    searched = databases(background(rng))
    path = searched.folder / searched.databases[1].file
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError, match=r"fold_0.viral.txt: damaged or truncated .* run again with -resume"):
        found_in(searched, [b"ACGT" * 40], [1])
    path.unlink()
    with pytest.raises(InputError, match=r"fold_0.viral.txt: damaged or truncated"):
        found_in(searched, [b"ACGT" * 40], [1])
    with pytest.raises(InputError, match="there are databases for 3"):
        found_in(searched, [b"ACGT" * 40], [3])


USED = (*SHAPES[:2], LONG_SHAPES[0])


def slow_best(text: np.ndarray, windows: np.ndarray, correction: np.ndarray) -> int:
    """The best ungapped score of two texts, around the seeds of USED, as the definition says."""
    best = 0
    groups = {letter: i for i, group in enumerate((b"A", b"KR", b"EDNQ", b"C", b"G", b"H", b"ILVM", b"FYW", b"P", b"ST"))
              for letter in group}  # fmt: skip
    group = [groups.get(ALPHABET[c]) if c < 20 else None for c in range(22)]
    table = SCORE.reshape(32, 32)
    for shape in USED:
        span = int(shape[-1]) + 1
        for t in range(PAD, len(text) - PAD):
            for w in range(PAD, len(windows) - PAD):
                pairs = [(group[text[t + k]], group[windows[w + k]]) for k in shape.tolist()]
                if any(a is None or a != b for a, b in pairs):
                    continue
                score = sum(int(table[text[t + i], windows[w + i]]) + int(correction[w + i]) for i in range(span))
                if score < 20:
                    continue
                top, i = score, span
                while score >= top - 16:
                    score += int(table[text[t + i], windows[w + i]]) + int(correction[w + i])
                    top, i = max(top, score), i + 1
                score, i = top, 1
                while score >= top - 16:
                    score += int(table[text[t - i], windows[w - i]]) + int(correction[w - i])
                    top, i = max(top, score), i + 1
                best = max(best, top)
    return best


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_the_compiled_search_follows_its_definition(seed):
    rng = np.random.default_rng(seed)
    peptide = protein(rng, 30)
    text = encode(f"{protein(rng, 8)}{mutated(rng, peptide, 0.7)}\n{protein(rng, 20)}X\n".encode())
    windows = encode(f"{protein(rng, 5)}\n{peptide}\n".encode())
    correction = rng.integers(-2, 2, len(windows)).astype(np.int8)
    indexes = [index_seeds(windows, correction, shape) for shape in USED]
    query = Translated(windows, correction, np.zeros(len(windows), np.int32))
    allowed = [np.array([True]), np.array([False])]
    with ThreadPoolExecutor(1) as pool:
        (score, _, _), (none, _, _) = best_in([[(0, text)], [(0, text)]], query, allowed, indexes, pool, 1)
    expected = slow_best(text, windows, correction)
    assert score[0] == (expected if expected >= 38 else 0)
    assert none[0] == 0


def test_all_that_a_search_needs_is_compiled_beforehand_even_if_a_lock_stayed_behind(databases, rng, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "compiled"))
    compile_search()
    with FileLock(tmp_path / "compiled/compiling.lock"):
        compile_search(seconds=0.01)
    found_in(databases(background(rng)), [gene(protein(rng, 50)), gene(protein(rng, 150))], [0, 1])
    for function in (composition._correct, matching._search, seeds._keys, seeds._fill):  # what is called from Python
        assert len(function.signatures) == 1, function


def test_windows_of_each_length_have_patterns_of_their_own(databases, rng):
    """A window finds what its own kind of patterns finds, and nothing where there are none."""
    planted = gene(protein(rng, 50))
    searched = databases([*background(rng), (planted, 2, VIRAL)])
    windows = [planted + b"A" * (length - len(planted)) for length in (400, 401, 1000, 1001)]
    assert kind_of(np.array([400, 401, 1000, 1001])).tolist() == [0, 1, 1, 2]
    for kind, which in enumerate(([0], [1, 2], [3])):
        found = found_in(searched, windows, [0] * 4, shapes=[int(k == kind) for k in range(3)])
        assert np.flatnonzero(found[:, 2, VIRAL, 0] > 60).tolist() == which


def test_windows_are_translated_with_the_window_of_each_residue():
    found = translated([b"GCT" * 25, b"ACG", gene(protein(np.random.default_rng(1), 40))], 1)
    assert len(found.codes) == len(found.window) == len(found.correction)
    real = found.codes < UNKNOWN
    assert set(found.window[real]) == {0, 2}  # the second is too short
    assert (found.codes[:PAD] == END).all() and (found.codes[-PAD:] == END).all()
    a = CODES[ord("A")]
    assert (found.correction[(found.codes == a) & (found.window == 0)] <= -4).all()  # a repeat
