"""Tables in the formats of other programs, as lines of bytes. docs/reads.md says what each is read by.

`ids` are the names by which other programs know reads: without description, and without what tells mates apart.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from virshort.calls.decisions import VIRAL
from virshort.calls.reads_table import BYTES, lines, scores, whole_numbers, words
from virshort.calls.records import first_words
from virshort.errors import InputError, nearest

FORMATS = ("lyra", "kraken", "virnucpro")
LYRA_COLUMNS = ("read_id", "score", "call")
LYRA_SHORTEST = 50
"""viral-ngs expects no row for reads that are shorter, in bp."""
VIRNUCPRO_COLUMNS = ("Modified_ID", "Is_Virus", "max_score_0", "max_score_1")
VIRUSES = 10239
"""The taxon "Viruses" at NCBI."""


def parse_formats(text: str) -> list[str]:
    """The formats of --formats, in the order of FORMATS. Raises InputError for one that is unknown."""
    wanted = [name.strip() for name in text.split(",") if name.strip()]
    for name in wanted:
        if name not in FORMATS:
            raise InputError(f"--formats '{name}': {nearest(name, FORMATS)}")
    return [name for name in FORMATS if name in wanted]


def read_ids(names: list[pa.LargeBinaryArray]) -> list[pa.LargeBinaryArray]:
    """The ids of fragments, [n] for each mate. names: the first lines of the records of each mate.

    Where the names of mates differ, it is by their last two characters (/1 and /2, or .1 and .2), which are left out."""
    ids = [first_words(n) for n in names]
    if len(ids) < 2:
        return ids
    differ = pc.not_equal(ids[0], ids[1])
    return [pc.if_else(differ, pc.binary_slice(i, 0, -2), i) for i in ids] if pc.any(differ).as_py() else ids


def lyra_lines(ids: pa.LargeBinaryArray, length: np.ndarray, log_odds: np.ndarray, call: np.ndarray) -> memoryview:
    """One row for each read of at least 50 bp: its id, its own score (0 if it was not scored), and 1 where it is called viral.

    length, log_odds, call: [n]."""
    long = np.flatnonzero(length >= LYRA_SHORTEST)
    odds = np.where(np.isnan(log_odds), -np.inf, log_odds)
    return lines([ids.take(pa.array(long)), scores(odds[long]), words((call[long] == VIRAL).astype(np.int64), ("0", "1"))])


def kraken_lines(ids: pa.LargeBinaryArray, length: np.ndarray, call: np.ndarray) -> memoryview:
    """One row for each fragment: C or U, its id, taxon, the lengths of its mates, and the taxon of each mate.

    length: [n, mates]; call: [n]. Kraken 2 lists the taxa of k-mers in the last column; here a mate stands for one."""
    viral = (call == VIRAL).astype(np.int64)
    taxa = ("0", str(VIRUSES))
    sizes, bar = [whole_numbers(length[:, m]) for m in range(length.shape[1])], pa.scalar(b"|", BYTES)
    hits = [" |:| ".join([f"{taxon}:1"] * length.shape[1]) for taxon in taxa]
    size = pc.binary_join_element_wise(*sizes, bar) if len(sizes) > 1 else sizes[0]
    return lines([words(viral, ("U", "C")), ids, words(viral, taxa), size, words(viral, hits)])


def kraken_report(viral: int, fragments: int) -> str:
    """Kraken 2's report on fragments: percent, fragments of the clade, of the taxon itself, rank, taxon, name."""
    rows = [
        (fragments - viral, fragments - viral, "U", 0, "unclassified"),
        (viral, 0, "R", 1, "root"),
        (viral, viral, "D", VIRUSES, "  Viruses"),
    ]
    return "".join(
        f"{100 * clade / max(fragments, 1):6.2f}\t{clade}\t{direct}\t{rank}\t{taxon}\t{name}\n"
        for clade, direct, rank, taxon, name in rows
    )


def virnucpro_lines(ids: pa.LargeBinaryArray, mate: np.ndarray, log_odds: np.ndarray, call: np.ndarray) -> memoryview:
    """One row for each read that was scored: <id>_chunk_1, or <id>/<mate>_chunk_1 for mates 1 and 2, whether it is called
    viral, and the scores of nonviral and viral. mate (0 for single reads), log_odds, call: [n]."""
    known = np.flatnonzero(~np.isnan(log_odds))
    suffix = words(mate[known], ("_chunk_1", "/1_chunk_1", "/2_chunk_1"))
    name = pc.binary_join_element_wise(ids.take(pa.array(known)), suffix, pa.scalar(b"", BYTES))
    viral = words((call[known] == VIRAL).astype(np.int64), ("False", "True"))
    return lines([name, viral, scores(-log_odds[known]), scores(log_odds[known])])
