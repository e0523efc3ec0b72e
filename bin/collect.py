#!/usr/bin/env python3
"""Call the reads of one sample viral or nonviral, and write its tables, its viral reads and its summary.

The scores of all chunks are read in order, a block at a time. Another threshold or pair rule needs no new scores.
"""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa

from virshort.calls import formats
from virshort.calls.counts import SampleCounts
from virshort.calls.decisions import PAIR_RULES, VIRAL, CallRules, FragmentCalls, call_fragments, log_odds_of, parse_threshold
from virshort.calls.found import FoundCounts
from virshort.calls.gzip_members import GzipWriter, gzip_writer
from virshort.calls.reads_table import COLUMNS, SourceCells, header, read_lines, source_cells
from virshort.calls.records import RecordReader, content, names
from virshort.calls.sample_record import SampleSummary
from virshort.calls.scores_file import ScoredReads, read_scores
from virshort.calls.summary import by_evidence, by_length, by_mate, call_counts, prevalence, score_histogram, unlike
from virshort.calls.truth import TruthCounts
from virshort.calls.truth_table import read_truth
from virshort.errors import InputError, run
from virshort.files import read_json, whole, write_json
from virshort.homology.source_list import NO_SOURCES, SourceList, read_sources
from virshort.model.record import HOMOLOGY, ModelRecord
from virshort.model.thresholds import pair_log_odds, thresholds_for
from virshort.reads.chunks import reads_name, scores_name
from virshort.reads.sample import SampleRecord


class Chunk(NamedTuple):
    """The files of a chunk: its scores, and the records of single reads or of each mate."""

    scores: Path
    reads: list[Path]


def find_chunks(folder: Path, reads: SampleRecord) -> list[Chunk]:
    """The chunks of a sample in order. Raises InputError where a file is missing or one too many."""
    sample, mates, fasta = reads["sample"], mates_of(reads), reads["form"] == "fasta"
    chunks = [
        Chunk(folder / scores_name(sample, number), [folder / reads_name(sample, number, mate, fasta) for mate in range(mates)])
        for number in range(reads["chunks"])
    ]
    expected = {path for chunk in chunks for path in (chunk.scores, *chunk.reads)}
    for path in sorted(expected ^ set(folder.iterdir())):
        what = "is missing" if path in expected else f"belongs to none of its {len(chunks)} chunks"
        raise InputError(f"sample {sample}: {path.name} {what}: run again with -resume")
    return chunks


def mates_of(reads: SampleRecord) -> int:
    """1 for single reads, 2 for pairs."""
    return 1 if reads["layout"] == "single" else 2


def rules_of(model: ModelRecord, threshold: str | float, rule: str) -> CallRules:
    """How the model's log-odds become calls."""
    single, pair = (partial(cut_of, model, threshold, pairs) for pairs in (False, True))
    return CallRules(single, pair, partial(pair_log_odds, model), rule)


def cut_of(model: ModelRecord, threshold: str | float, pairs: bool, length: np.ndarray) -> np.ndarray:
    """The log-odds that reads, or pairs, of each length [n] must reach to be called viral: [n]."""
    if isinstance(threshold, str):
        return thresholds_for(model, length, threshold, pairs)
    return np.full(len(length), log_odds_of(threshold))


class Outputs:
    """The files of a sample, which grow block by block."""

    def __init__(self, stack: ExitStack, out: Path, reads: SampleRecord, sources: SourceList, wanted: list[str], threads: int):
        sample = reads["sample"]

        def compressed(name: str, columns: Sequence[str] = ()) -> GzipWriter:
            writer = stack.enter_context(gzip_writer(out / f"{sample}.{name}.gz", threads))
            if columns:
                writer.write(header(columns))
            return writer

        form = "fasta" if reads["form"] == "fasta" else "fastq"
        parts = ["viral"] if reads["layout"] == "single" else ["viral_R1", "viral_R2"]
        self.viral = [compressed(f"{part}.{form}") for part in parts]
        self.cells = source_cells(sources.names)
        self.table = compressed("reads.tsv", COLUMNS)
        self.lyra = compressed("lyra.tsv", formats.LYRA_COLUMNS) if "lyra" in wanted else None
        self.virnucpro = compressed("virnucpro.tsv", formats.VIRNUCPRO_COLUMNS) if "virnucpro" in wanted else None
        self.kraken = stack.enter_context(plain_writer(out / f"{sample}.kraken2.txt")) if "kraken" in wanted else None

    def add(self, records: list[pa.LargeBinaryArray], scored: ScoredReads, found: FragmentCalls) -> None:
        """Write a block of fragments. records: [n] of single reads or of each mate."""
        viral = pa.array(found.call == VIRAL)
        for writer, of_mate in zip(self.viral, records, strict=True):
            writer.write(content(of_mate.filter(viral)))
        first_lines = [names(of_mate) for of_mate in records]
        self.table.write(table_lines(first_lines, scored, found, self.cells))
        if not (self.lyra or self.virnucpro or self.kraken):
            return
        ids = formats.read_ids(first_lines)
        by_read, odds, call = mates_together(ids), scored.log_odds.ravel(), np.repeat(found.call, scored.mates)
        if self.lyra:
            self.lyra.write(formats.lyra_lines(by_read, scored.length.ravel(), odds, call))
        if self.virnucpro:
            self.virnucpro.write(formats.virnucpro_lines(by_read, mate_numbers(scored), odds, call))
        if self.kraken:
            self.kraken.write(formats.kraken_lines(ids[0], scored.length, found.call))


@contextmanager
def plain_writer(path: Path) -> Iterator[BinaryIO]:
    """A file that appears whole or not at all."""
    with whole(path) as temporary, temporary.open("wb") as file:
        yield file


def mates_together(by_mate: list[pa.LargeBinaryArray]) -> pa.LargeBinaryArray:
    """Arrays of each mate [n] as one in which the mates of a fragment follow each other [n * mates]."""
    m, n = len(by_mate), len(by_mate[0])
    return pa.concat_arrays(by_mate).take(pa.array(np.arange(n * m).reshape(m, n).T.ravel()))


def mate_numbers(scored: ScoredReads) -> np.ndarray:
    """0 for single reads; 1 and 2 for mates, which follow each other."""
    return np.tile(np.arange(scored.mates) + (scored.mates > 1), len(scored))


def table_lines(
    first_lines: list[pa.LargeBinaryArray], scored: ScoredReads, found: FragmentCalls, cells: SourceCells
) -> memoryview:
    """The lines of reads.tsv.gz for a block of fragments."""
    n, m = len(scored), scored.mates
    pair_odds = np.where(found.as_pair, found.log_odds, np.nan)
    return read_lines(
        mates_together(first_lines),
        mate_numbers(scored),
        scored.length.ravel(),
        scored.log_odds.ravel(),
        np.repeat(pair_odds, m),
        np.repeat(found.call, m),
        scored.reason,
        scored.bits.reshape(n * m, -1),
        scored.identity.reshape(n * m, -1),
        scored.source.ravel(),
        cells,
        scored.shares_31mer.ravel(),
        scored.flags,
    )


class Tallies(NamedTuple):
    """All that is counted of a sample. truth: None where no labels are known."""

    counts: SampleCounts
    matches: FoundCounts
    truth: TruthCounts | None

    def add(self, records: list[pa.LargeBinaryArray], scored: ScoredReads, found: FragmentCalls) -> None:
        """Count a block of fragments. records: [n] of single reads or of each mate."""
        self.counts.add(scored, found)
        self.matches.add(scored, found.call)
        if self.truth:
            ids, *_ = formats.read_ids([names(of_mate) for of_mate in records])
            self.truth.add(ids.to_pylist(), scored.bits, found.call)


def call_sample(outputs: Outputs, chunks: Sequence[Chunk], rules: CallRules, tallies: Tallies, model: str) -> int:
    """Read all chunks, call their fragments, write and count them. model: its digest. Returns the number of fragments."""
    done = 0
    for chunk in chunks:
        readers = [RecordReader(path) for path in chunk.reads]
        for scored in read_scores(chunk.scores, tallies.counts.mates, done, model):
            found = call_fragments(scored.log_odds, scored.scored_length, scored.overlap, rules)
            records = [reader.take(len(scored)) for reader in readers]
            outputs.add(records, scored, found)
            tallies.add(records, scored, found)
            done += len(scored)
        for reader in readers:
            reader.finish()
    return done


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--reads", type=Path, required=True, help="<sample>.reads.json of CHECK_READS")
    p.add_argument("--chunks", type=Path, required=True, help="folder with the reads and the scores of all chunks")
    p.add_argument("--model", type=Path, required=True, help="model.json, in the folder of the model")
    p.add_argument("--threshold", default="fpr_1e-2", help="fpr_1e-2 (default), fpr_1e-3, balanced, or a score from 0 to 1")
    p.add_argument("--pair-rule", default="model", choices=PAIR_RULES, help="how two mates are called (default: model)")
    p.add_argument("--formats", default="", help="tables for other programs too: lyra, kraken, virnucpro")
    p.add_argument("--truth", type=Path, help="table of reads whose labels are known: sample, read, label[, group]")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--out", type=Path, required=True, help="folder for the files of the sample")
    args = p.parse_args()

    threshold, wanted = parse_threshold(args.threshold), formats.parse_formats(args.formats)
    reads: SampleRecord = read_json(args.reads)
    model: ModelRecord = read_json(args.model)
    sample, mates = reads["sample"], mates_of(reads)
    chunks = find_chunks(args.chunks, reads)
    held_out = model.get("held_out")
    match_bits = held_out and held_out["match_bits"]
    sources = read_sources(args.model.parent / HOMOLOGY) if model["search"] else NO_SOURCES
    matches = FoundCounts(sources, match_bits)
    labels = read_truth(args.truth, sample).get(sample) if args.truth else None
    truth = TruthCounts(labels, match_bits) if labels else None
    rules, counts = rules_of(model, threshold, args.pair_rule), SampleCounts(mates, match_bits)
    args.out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        outputs = Outputs(stack, args.out, reads, sources, wanted, args.threads)
        done = call_sample(outputs, chunks, rules, Tallies(counts, matches, truth), model["digest"])
        if done != reads["records"]:
            raise InputError(f"sample {sample}: has {reads['records']} records but scores of {done}: run again with -resume")
    fragments = call_counts(counts.fragments)
    if "kraken" in wanted:
        with whole(args.out / f"{sample}.kraken2.report.txt") as path:
            path.write_text(formats.kraken_report(fragments["viral"], fragments["all"]), encoding="utf-8")
    balanced = rules_of(model, "balanced", args.pair_rule)
    share, why_not = prevalence(counts, rules, balanced, threshold, held_out["rates"] if held_out else [])
    summary: SampleSummary = {
        "sample": sample,
        "layout": reads["layout"],
        "model": model["arm"],
        "model_digest": model["digest"],
        "threshold": threshold,
        "pair_rule": args.pair_rule if mates == 2 else None,
        "chunks": len(chunks),
        "fragments": fragments,
        "reads": by_mate(counts),
        "reasons": dict(sorted(counts.reasons.items())),
        "flags": dict(sorted(counts.flags.items())),
        "lengths": by_length(counts),
        "score_histogram": score_histogram(counts),
        "evidence": by_evidence(counts),
        "shares_31mer": call_counts(counts.shares_31mer),
        "prevalence": share,
        "why_no_prevalence": why_not,
        "unlike": unlike(counts, model["trained_on"], held_out),
        "found": matches.families() if model["search"] else None,
        "truth": truth.record() if truth else None,
    }
    write_json(args.out / f"{sample}.summary.json", summary)
    called = ", ".join(f"{fragments[name]} {name}" for name in ("viral", "nonviral", "unscored"))
    print(f"{sample}: {fragments['all']} {'pairs' if mates == 2 else 'reads'} in, {called}")


if __name__ == "__main__":
    run(main)
