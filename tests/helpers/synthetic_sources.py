"""Random sources: to draw windows from, and some that share stretches of sequence."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from virshort.labels import LABELS
from virshort.sequence.canonical_31mers import K
from virshort.windows.drawing import DrawnWindows, draw_windows
from virshort.windows.planning import SamplingDesign, WindowSetPlan
from virshort.windows.sampling import Sampler
from virshort.windows.source_table import SourceTable

FOLDS = 5
COMPLEMENT = str.maketrans("ACGT", "TGCA")
DESIGN = SamplingDesign(FOLDS, list(range(FOLDS)), 0.52, 0.05)


def source_table(
    length: np.ndarray, cluster: np.ndarray, label: np.ndarray, kingdom: np.ndarray, fold: np.ndarray
) -> SourceTable:
    """A table of sources, each directly following the one before. All [sources]; cluster and kingdom strings."""
    return SourceTable(
        source=[f"s{i}" for i in range(len(length))],
        label=label.astype(np.int8),
        kingdom=kingdom,
        family=[None] * len(length),
        cluster=cluster,
        fold=fold.astype(np.int8),
        offset=np.cumsum(length) - length,
        length=length,
        unambiguous=length,
    )


def write_source_table(sources: SourceTable, path: object) -> None:
    """Write folds.parquet."""
    n = len(sources.source)
    columns = {
        "source": sources.source,
        "label": [LABELS[y] for y in sources.label],
        "kingdom": sources.kingdom.tolist(),
        "family": pa.array(sources.family, pa.string()),
        "cluster": sources.cluster.tolist(),
        "split": pa.nulls(n, pa.string()),
        "file": ["x.fa"] * n,
        "offset": sources.offset,
        "length": sources.length,
        "unambiguous": sources.unambiguous,
        "gc": np.full(n, 0.5),
        "fold": sources.fold,
    }
    pq.write_table(pa.table(columns), path)


def random_bases(rng: np.random.Generator, total: int, ambiguous: float) -> np.ndarray:
    """[total] uint8 random letters, with runs of N at about total * ambiguous / 200 places."""
    bases = rng.choice(np.frombuffer(b"ACGT", np.uint8), total)
    for start in rng.integers(0, total - 400, int(ambiguous * total / 200)):
        bases[start : start + rng.integers(1, 400)] = ord("N")
    return bases


def skewed_sampler(seed: int = 0, clusters: int = 60, ambiguous: float = 0.0, mixed: bool = False) -> Sampler:
    """Sources of many lengths in `clusters` clusters of each label, one of which holds four fifths of the nonviral sources.

    mixed: a cluster holds sources of several kingdoms; otherwise each cluster has one kingdom."""
    rng = np.random.default_rng(seed)
    sizes = np.concatenate([np.full(clusters, 2), np.r_[np.full(clusters - 1, 1), 4 * (clusters - 1)]])
    cluster = np.repeat(np.arange(2 * clusters), sizes)
    label = np.repeat([1, 0], [2 * clusters, len(cluster) - 2 * clusters])
    length = rng.integers(700, 9000, len(cluster))
    bases = random_bases(rng, int(length.sum()), ambiguous)
    kingdom = np.array(["abc"[n % 3] for n in (range(len(cluster)) if mixed else cluster)])
    sources = source_table(length, np.array([f"c{c:03d}" for c in cluster]), label, kingdom, cluster % FOLDS)
    return Sampler(sources, bases, 42, 0.1)


def drawn(sampler: Sampler, plan: WindowSetPlan) -> dict[str, DrawnWindows]:
    """The windows of each pool of a plan."""
    pools = {}
    for recipe in plan.recipe.chain:
        blocks = list(draw_windows(sampler, recipe, plan.draws[recipe.pool]))
        columns = [[b.unit, b.source, b.start, b.end, b.minus] for b in blocks]
        pools[recipe.pool] = DrawnWindows(*(np.concatenate(c) for c in zip(*columns, strict=True)))
    return pools


def canonical(text: str) -> list[str | None]:
    """The canonical 31-mers of a text, or None where one holds another letter than A, C, G and T."""
    words = [text[i : i + K] for i in range(len(text) - K + 1)]
    return [min(w, w.translate(COMPLEMENT)[::-1]) if set(w) <= set("ACGT") else None for w in words]


def store(texts: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The sequence file that holds some texts: its bases, and the offset and length of each text."""
    length = np.array([len(t) for t in texts], np.int64)
    return np.frombuffer("".join(texts).encode(), np.uint8), np.cumsum(length) - length, length


@st.composite
def texts_that_share(draw: st.DrawFn) -> list[str]:
    """Sources that are put together from a few stretches on either strand, some with ambiguous bases and some very short."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    parts = ["".join(rng.choice(list("ACGT"), n)) for n in (25, 31, 40, 90)] + ["A" * 45, "AT" * 20]
    texts = []
    for _ in range(draw(st.integers(2, 9))):
        chosen = [parts[i] for i in rng.integers(0, len(parts), rng.integers(1, 5))]
        text = "".join(p if rng.random() < 0.5 else p.translate(COMPLEMENT)[::-1] for p in chosen)
        letters = np.array(list(text))
        letters[rng.random(len(letters)) < 0.01] = rng.choice(list("NRACGT"))
        texts.append("".join(letters)[: rng.integers(20, 200)])
    return texts
