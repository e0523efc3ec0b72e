#!/usr/bin/env python3
"""Reads with a truth: train on some genomes, classify reads that ART simulates of the others, beside Kraken 2 and DIAMOND.

    benchmarks/truth.py GENOMES WORK [--hold-out cluster|family]

GENOMES holds viral.fa.gz, nonviral.fa.gz and genomes.tsv (id, label, kingdom, family, cluster). A fifth of the clusters, or
of the families of viruses, is held out. Kraken 2 and DIAMOND get databases of the same training genomes. Needs art_illumina,
kraken2 and diamond (Debian: art-nextgen-simulation-tools, kraken2, diamond-aligner), and Nextflow. Prints tables in Markdown.
"""

import argparse
import csv
import gzip
import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common import ROOT, Usage, command
from sklearn.metrics import roc_auc_score

from virshort.files import read_json
from virshort.homology.stretches import stop_free_stretches
from virshort.inference.estimates import precision_at
from virshort.inference.held_out_rates import Rate, at_threshold, rates_for
from virshort.model.record import ModelRecord
from virshort.model.thresholds import thresholds_for

HELD_OUT = 5
"""One cluster, or family, in so many is held out."""
SHARES = (50, 10, 1, 0)
"""Viral pairs in percent, of samples with equal numbers of nonviral pairs. The first is the one that all tools classify."""
ARMS = {"arms": "codon,homology,combined", "model_arm": "combined", "replicates": 1}
LENGTH, INSERT, INSERT_SD = 150, 350, 50
SHORTEST = 25
"""Residues of the shortest stop-free stretch in DIAMOND's database, as in virshort's own."""
LABELS = ("nonviral", "viral")
TAXON = {"viral": 10239, "nonviral": 2}
TARGET, PREVALENCE = 0.01, 0.01


@dataclass(frozen=True)
class Source:
    """A row of genomes.tsv."""

    id: str
    label: str
    kingdom: str
    family: str
    cluster: str


@dataclass(frozen=True)
class Judged:
    """What a tool says of the pairs of the sample: [n] scores, of which larger ones are more viral, and [n] calls."""

    name: str
    score: np.ndarray
    call: np.ndarray
    usage: Usage


def sizes(windows: int) -> dict[str, object]:
    """The sizes of the window sets. windows: of `short`, of which the others are parts or multiples."""
    unused = {"full_windows": 20, "mixed_windows": 20, "sweep_windows": 100, "sweep_lengths": "150"}
    used = {"short": windows, "scratch": 3 * windows, "test": windows // 3, "pair": 3 * windows // 8}
    return unused | {f"{name}_windows": size for name, size in used.items()}


def read_sources(genomes: Path) -> list[Source]:
    """The rows of genomes.tsv."""
    names = Source.__dataclass_fields__
    with (genomes / "genomes.tsv").open(encoding="utf-8") as file:
        return [Source(**{n: row[n] for n in names}) for row in csv.DictReader(file, delimiter="\t")]


def choose_held_out(sources: Sequence[Source], by: str, seed: int) -> set[str]:
    """The ids that are held out: of each kingdom, a fifth of its clusters, or of its families of viruses.

    A virus whose family is not known counts as a family of its cluster. A kingdom with one cluster stays in training."""
    rng = np.random.default_rng(seed)
    unit = {
        s.id: s.family if by == "family" and s.label == "viral" and s.family not in ("", "NA") else s.cluster for s in sources
    }
    chosen: set[str] = set()
    for kingdom in sorted({s.kingdom for s in sources}):
        units = sorted({unit[s.id] for s in sources if s.kingdom == kingdom} - chosen)
        count = max(len(units) // HELD_OUT, 1) if len(units) > 1 else 0
        chosen |= {units[i] for i in rng.permutation(len(units))[:count]}
    clusters = {s.cluster for s in sources if unit[s.id] in chosen}  # none may be on both sides
    return {s.id for s in sources if s.cluster in clusters}


def records(path: Path) -> Iterator[tuple[str, str]]:
    """The id and the bases of each record of a FASTA file."""
    name = ""
    lines: list[str] = []
    with gzip.open(path, "rt") as file:
        for line in file:
            if line.startswith(">"):
                if name:
                    yield name, "".join(lines)
                name, lines = line[1:].split()[0], []
            else:
                lines.append(line.strip())
    yield name, "".join(lines)


def prepare(genomes: Path, work: Path, sources: Sequence[Source], held: set[str]) -> None:
    """Write the training genomes with their samplesheet, and the held-out genomes of each kingdom."""
    by_id = {s.id: s for s in sources}
    (work / "held_out").mkdir(parents=True)
    for label in LABELS:
        with gzip.open(work / f"{label}.fa.gz", "wt", 1) as training:
            for name, bases in records(genomes / f"{label}.fa.gz"):
                if name not in held:
                    training.write(f">{name}\n{bases}\n")
                elif len(bases) > INSERT + 4 * INSERT_SD:
                    with (work / "held_out" / f"{label}.{by_id[name].kingdom.replace(' ', '_')}.fa").open("a") as file:
                        file.write(f">{name}\n{bases}\n")
    rows = "".join(f"{label}.fa.gz,{label}\n" for label in LABELS)
    (work / "sheet.csv").write_text("fasta,label\n" + rows)
    with (work / "sources.tsv").open("w", encoding="utf-8") as file:
        file.write("id\tkingdom\tfamily\tcluster\n")
        file.writelines(f"{s.id}\t{s.kingdom}\t{s.family}\t{s.cluster}\n" for s in sources if s.id not in held)


Pair = tuple[str, str]


def simulate(work: Path, pairs: int, seed: int) -> dict[str, list[Pair]]:
    """So many pairs of each label, as FASTQ records, evenly over its kingdoms and over the records of each, in random order."""
    found: dict[str, list[Pair]] = {}
    for label in LABELS:
        files = sorted((work / "held_out").glob(f"{label}.*.fa"))
        wanted = -(-pairs // len(files))
        of_label: list[Pair] = []
        for i, file in enumerate(files):
            out = work / "held_out" / f"{file.stem}_"
            count = sum(line.startswith(">") for line in file.open())
            art = ["art_illumina", "-ss", "HS25", "-i", file, "-p", "-l", LENGTH, "-c", -(-wanted * 5 // (4 * count))]
            art += ["-m", INSERT, "-s", INSERT_SD, "-rs", seed + i, "-na", "-q", "-o", out]
            subprocess.run([*map(str, art)], check=True, capture_output=True)
            mates = [list(fastq(Path(f"{out}{mate}.fq"))) for mate in (1, 2)]
            both = list(zip(*mates, strict=True))
            order = np.random.default_rng(seed + i).permutation(len(both))[:wanted]
            of_label += [both[k] for k in order.tolist()]
        order = np.random.default_rng(seed).permutation(len(of_label))[:pairs]
        found[label] = [of_label[k] for k in order.tolist()]
    return found


def fastq(path: Path) -> Iterator[str]:
    """The records of a FASTQ file of four lines each."""
    with path.open() as file:
        yield from map("".join, zip(file, file, file, file, strict=True))


def write_samples(work: Path, pairs: dict[str, list[Pair]]) -> dict[str, float]:
    """Write the samples and their sheet. Returns the viral share of each."""
    rows, truth = ["sample,fastq_1,fastq_2"], {}
    for percent in SHARES:
        nonviral = pairs["nonviral"]
        viral = pairs["viral"][: round(len(nonviral) * percent / (100 - percent))]
        name, mixed = f"viral_{percent}", [*nonviral, *viral]
        for mate in (0, 1):
            with gzip.open(work / f"{name}_{mate + 1}.fq.gz", "wt", 1) as file:
                file.writelines(pair[mate] for pair in mixed)
        rows.append(f"{name},{name}_1.fq.gz,{name}_2.fq.gz")
        truth[name] = len(viral) / len(mixed)
    (work / "reads.csv").write_text("\n".join(rows) + "\n")
    return truth


def nextflow(work: Path, **parameters: object) -> Usage:
    """Run the pipeline in WORK."""
    words = [word for name, value in parameters.items() for word in (f"--{name}", value)]
    folder = work / "run"
    folder.mkdir(exist_ok=True)
    return command("nextflow", "run", ROOT / "main.nf", "-ansi-log", "false", *words, folder=folder)


def virshort(work: Path, name: str) -> Judged:
    """The calls of a sample in the results folder, by pair. Its usage is that of a run on this sample alone."""
    sheet = work / "one.csv"
    sheet.write_text(
        "".join(line for i, line in enumerate((work / "reads.csv").open()) if not i or line.startswith(f"{name},"))
    )
    usage = nextflow(work, reads=sheet, model=work / "results" / "model", outdir=work / "one")
    with gzip.open(work / "one" / name / f"{name}.reads.tsv.gz", "rt") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if row["mate"] == "1"]
    score = np.array([float(row["pair_score"] or row["score"] or 0) for row in rows])
    return Judged("virshort, `combined`", score, np.array([row["call"] == "viral" for row in rows]), usage)


def kraken(work: Path, name: str) -> Judged:
    """Kraken 2: a pair is viral if its taxon is; its score is the share of its k-mers that are viral, less that of others."""
    db = work / "kraken"
    (db / "taxonomy").mkdir(parents=True)
    nodes = [(1, 1, "root", "no rank"), *((TAXON[label], 1, label, "superkingdom") for label in LABELS)]
    (db / "taxonomy" / "nodes.dmp").write_text("".join(f"{n}\t|\t{up}\t|\t{rank}\t|\t-\t|\n" for n, up, _, rank in nodes))
    (db / "taxonomy" / "names.dmp").write_text(
        "".join(f"{n}\t|\t{name}\t|\t\t|\tscientific name\t|\n" for n, _, name, _ in nodes)
    )
    for label in LABELS:
        fasta = db / f"{label}.fa"
        with fasta.open("w") as file:
            file.writelines(f">{i}|kraken:taxid|{TAXON[label]}\n{b}\n" for i, b in records(work / f"{label}.fa.gz"))
        command("kraken2-build", "--add-to-library", fasta, "--no-masking", "--db", db)
        fasta.unlink()
    command("kraken2-build", "--build", "--db", db, "--threads", 1)  # more threads may wait for each other without end
    reads = [work / f"{name}_{mate}.fq.gz" for mate in (1, 2)]
    words = ["kraken2", "--db", db, "--threads", 2, "--paired", "--output", work / "kraken.txt", *reads]
    usage = command(*words, OMP_NUM_THREADS="2")
    score, call = [], []
    for line in (work / "kraken.txt").open():
        _, _, taxon, _, kmers = line.rstrip("\n").split("\t")
        counts = {"viral": 0, "nonviral": 0, "all": 0}
        for word in kmers.split():
            taxid, _, number = word.partition(":")
            if number.isdigit():
                counts["all"] += int(number)
                for label in LABELS:
                    counts[label] += int(number) * (taxid == str(TAXON[label]))
        score.append((counts["viral"] - counts["nonviral"]) / max(counts["all"], 1))
        call.append(taxon == str(TAXON["viral"]))
    return Judged("Kraken 2", np.array(score), np.array(call), usage)


def diamond(work: Path, name: str, ids: Sequence[str], mode: str) -> Judged:
    """DIAMOND blastx against the stop-free stretches of the training genomes: a pair is viral if its best hit is; its score is
    the bits of its best viral hit, less those of its best nonviral one."""
    usages, bits = [], {label: dict.fromkeys(ids, 0.0) for label in LABELS}
    for label in LABELS:
        db = work / f"diamond.{label}"
        if not db.with_suffix(f".{label}.dmnd").exists():
            with (work / "proteins.fa").open("wb") as file:
                for source, bases in records(work / f"{label}.fa.gz"):
                    for number, stretch in enumerate(stop_free_stretches(np.frombuffer(bases.encode(), np.uint8), 1, SHORTEST)):
                        file.write(b">%s_%d\n%s\n" % (source.encode(), number, stretch))
            command("diamond", "makedb", "--in", work / "proteins.fa", "--db", db, "--threads", 2)
            (work / "proteins.fa").unlink()
        for mate in (1, 2):
            out = work / f"diamond_{mate}.tsv"
            words = [
                "diamond",
                "blastx",
                mode,
                "--query",
                work / f"{name}_{mate}.fq.gz",
                "--db",
                db,
                "--out",
                out,
                "--threads",
                2,
            ]
            usages.append(command(*words, "-k", 1, "--evalue", 1, "--masking", 0, "--outfmt", 6, "qseqid", "bitscore"))
            for line in out.open():
                read, found = line.split("\t")
                pair = read.rsplit("/", 1)[0]
                bits[label][pair] = max(bits[label][pair], float(found))
    score = np.array([bits["viral"][i] - bits["nonviral"][i] for i in ids])
    total = Usage(
        sum(u.seconds for u in usages), sum(u.cpu_seconds for u in usages), max(u.peak_bytes for u in usages), usages[-1].output
    )
    return Judged(f"DIAMOND `{mode}`", score, score > 0, total)


def compare(tools: Iterable[Judged], label: np.ndarray) -> list[list[str]]:
    """A row for each tool. label: [n] 0 or 1."""
    rows = []
    for tool in tools:
        found, false = tool.call[label == 1].mean(), tool.call[label == 0].mean()
        at_target = tool.score[label == 1] > np.quantile(tool.score[label == 0], 1 - TARGET, method="higher")
        precision = float(precision_at(found, false, PREVALENCE))
        figures = [f"{roc_auc_score(label, tool.score):.3f}", *(f"{100 * x:.1f}" for x in (found,)), f"{100 * false:.2f}"]
        figures += [f"{100 * at_target.mean():.1f}", f"{100 * precision:.0f}"]
        figures += [f"{2 * len(label) / tool.usage.cpu_seconds:,.0f}", f"{tool.usage.peak_mb:,.0f}"]
        rows.append([tool.name, *figures])
    return rows


def promised(model: ModelRecord, matched: bool | None) -> tuple[Rate, Rate]:
    """The true and the false positive rate of pairs at fpr_1e-2 that the model states, of those with a match or without one."""
    if model["held_out"] is None:
        raise SystemExit("the model states no rates of held-out pairs")
    rates = rates_for(model["held_out"]["rates"], "model", (0, 200), matched)
    if rates is None:
        raise SystemExit("the model states no rates of held-out pairs")
    cut = thresholds_for(model, np.array([LENGTH]), "fpr_1e-2", pairs=True)
    return at_threshold(rates, float(cut[0]))


def against_promise(
    work: Path, name: str, call: np.ndarray, pairs: Sequence[Source], sources: Sequence[Source], held: set[str]
) -> list[list[str]]:
    """Rows of groups of pairs: how many, the rate at which they are called viral, and the rate that the model states."""
    model: ModelRecord = read_json(work / "results" / "model" / "model.json")
    with gzip.open(work / "one" / name / f"{name}.reads.tsv.gz", "rt") as file:
        evidence = [row["evidence"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    least = model["held_out"]["match_bits"] if model["held_out"] else None
    bits = np.array([float(e.split()[2]) if e.startswith("homology") else 0.0 for e in evidence]).reshape(-1, 2).max(axis=1)
    matched = bits >= least if least is not None else np.zeros(len(call), bool)
    label = np.array([s.label == "viral" for s in pairs])
    known = {s.family for s in sources if s.id not in held and s.label == "viral"} - {"", "NA"}
    rows = []

    def row(group: str, here: np.ndarray, rate: Rate | None) -> None:
        if here.any():
            clusters = len({s.cluster for s, one in zip(pairs, here, strict=True) if one})
            said = f"{100 * rate.value:.1f}" if rate else ""
            rows.append([group, f"{here.sum():,}", str(clusters), f"{100 * call[here].mean():.1f}", said])

    for y, of_label in reversed([*enumerate(LABELS)]):
        mine = label == y
        row(of_label, mine, promised(model, None)[1 - y])
        if least is not None:
            row(f"{of_label}, with a match", mine & matched, promised(model, True)[1 - y])
            row(f"{of_label}, without", mine & ~matched, promised(model, False)[1 - y])
        if y:
            family = np.array([s.family for s in pairs])
            named = ~np.isin(family, ["", "NA"])
            row("viral, family in training", mine & named & np.isin(family, [*known]), None)
            row("viral, new family", mine & named & ~np.isin(family, [*known]), None)
        for kingdom in sorted({s.kingdom for s in pairs if s.label == of_label}):
            row(f"{of_label}: {kingdom}", mine & np.array([s.kingdom == kingdom for s in pairs]), None)
    return rows


def shares(work: Path, truth: dict[str, float]) -> list[list[str]]:
    """What the run says of the viral share of each sample."""
    rows = []
    for name, share in truth.items():
        found = json.loads((work / "calls" / name / f"{name}.summary.json").read_text())["prevalence"]
        ends = found["ci95"] and " to ".join(f"{100 * end:.1f}" for end in found["ci95"])
        said = "unknown" if found["share"] is None else f"{100 * found['share']:.1f}"
        rows.append(
            [f"{100 * share:.1f}", f"{100 * found['called']:.1f}", said, ends or "none", f"{100 * found['saerens']:.1f}"]
        )
    return rows


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, ["--"] * len(head), *rows)) + "\n"


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("genomes", type=Path)
    p.add_argument("work", type=Path, help="folder for everything that is written; must not exist")
    p.add_argument("--hold-out", choices=["cluster", "family"], default="cluster")
    p.add_argument("--windows", type=int, default=16000, help="windows of `short` to train on")
    p.add_argument("--pairs", type=int, default=3000, help="nonviral pairs in each sample, and viral ones in the first")
    p.add_argument("--seed", type=int, default=6)
    args = p.parse_args()
    for tool in ("art_illumina", "kraken2", "diamond"):
        if not shutil.which(tool):
            raise SystemExit(f"{tool}: not on PATH: install the Debian packages named in --help")
    work = args.work.resolve()

    sources = read_sources(args.genomes)
    held = choose_held_out(sources, args.hold_out, args.seed)
    prepare(args.genomes.resolve(), work, sources, held)
    training = nextflow(
        work,
        input=work / "sheet.csv",
        source_table=work / "sources.tsv",
        outdir=work / "results",
        hold_out=args.hold_out,
        **ARMS,
        **sizes(args.windows),
    )
    truth = write_samples(work, simulate(work, args.pairs, args.seed))
    sample = next(iter(truth))
    nextflow(work, reads=work / "reads.csv", model=work / "results" / "model", outdir=work / "calls")
    with gzip.open(work / f"{sample}_1.fq.gz", "rt") as file:
        ids = [line[1:].split()[0].removesuffix("/1") for i, line in enumerate(file) if i % 4 == 0]
    by_id = {s.id: s for s in sources}
    pairs = [by_id[i.rsplit("-", 1)[0]] for i in ids]
    label = np.array([int(s.label == "viral") for s in pairs])
    ours = virshort(work, sample)
    tools = [ours, kraken(work, sample), *(diamond(work, sample, ids, mode) for mode in ("--fast", "--sensitive"))]

    print(f"## Held out by {args.hold_out}: {len(held)} of {len(sources)} records\n")
    print(f"Training took {training.cpu_seconds:.0f} CPU seconds.\n")
    head = ["pairs", "AUROC", "found, %", "false positives, %", "found at 1 % false positives, %"]
    print(table([*head, "precision at 1 % viral, %", "reads per CPU second", "memory, MB"], compare(tools, label)))
    rows = against_promise(work, sample, ours.call, pairs, sources, held)
    print(table(["pairs", "number", "clusters", "called viral, %", "held-out windows, %"], rows))
    head = ["viral, %", "called, %", "corrected, %", "95 % interval", "by log-odds alone, %"]
    print(table(head, shares(work, truth)))


if __name__ == "__main__":
    main()
