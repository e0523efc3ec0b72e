"""What was found: reads by the source of their best match, added up by kingdom and family."""

import numpy as np
import pytest

from scored_reads import SOURCES, make_sample, write_chunks
from virshort.calls.decisions import CALLS, UNSCORED
from virshort.calls.found import FoundCounts
from virshort.calls.scores_file import read_scores


def test_reads_are_added_up_by_the_family_of_their_best_match(tmp_path):
    sample = make_sample("s", 200, 2)
    write_chunks(tmp_path / "chunks", sample, 200)
    call = np.random.default_rng(1).integers(0, len(CALLS), 200)
    counts, other = FoundCounts(SOURCES, None), FoundCounts(SOURCES, None)
    path = tmp_path / "chunks/s.chunk_00000.scores.parquet"
    for scored in read_scores(path, 2, 0, "0123456789abcdef"):
        counts.add(scored, call)
        for part in (slice(150, 200), slice(0, 150)):  # neither blocks nor their order matter
            other.add(type(scored)(*(getattr(scored, f)[part] for f in scored.__dataclass_fields__)), call[part])
        source, identity, bits = scored.source, scored.identity, scored.bits
    assert counts.families() == other.families()
    found = {(f["label"], f["kingdom"], f["family"]): f for f in counts.families()}
    assert set(found) == {("nonviral", "bacteria", None), ("viral", "phage", "family 0"), ("viral", "phage", "family 1")}
    rows = {"family 1": (1, 3), "family 0": (2,), None: (0,)}
    for (_, _, family), f in found.items():
        mine = np.isin(source, rows[family])
        assert f["reads"]["all"] == mine.sum() and f["sources"] == len(rows[family])
        assert f["reads"]["unscored"] == (mine & (call == UNSCORED)[:, None]).sum()
        assert f["most_matched"] == SOURCES.names[max(rows[family], key=lambda r: (source == r).sum())].source
        best = np.take_along_axis(identity, bits.argmax(axis=-1)[..., None], -1)[..., 0]
        assert f["identity"] == pytest.approx(best[mine].mean(), abs=1e-4)
    fewer = FoundCounts(SOURCES, 60)
    for scored in read_scores(path, 2, 0, "0123456789abcdef"):
        fewer.add(scored, call)
    assert fewer.calls.sum() == (bits.max(axis=-1) >= 60).sum() < counts.calls.sum()
    viral = [f["reads"]["viral"] for f in counts.families()]
    assert viral == sorted(viral, reverse=True)


def test_nothing_is_found_where_nothing_matches():
    assert FoundCounts(SOURCES, None).families() == []
