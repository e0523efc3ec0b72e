"""The results of a whole run: on the demo, and on real genomes if these are available."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file

from harness import ARMS, ROOT, Run
from virshort.fold_roles import training_folds
from virshort.heads.fast_scoring import prepared
from virshort.heads.scoring import FOLDS
from virshort.heads.splits import split_rows
from virshort.model.opening import open_model, read_heads
from virshort.model.scoring import find_matches, raw_log_odds, score
from virshort.verdict.wording import SIMULATED
from virshort.windows.shards import read_shard


def read(path: Path) -> dict:
    return json.loads(path.read_text())


def pool(results: Path, name: str) -> pa.Table:
    return pa.concat_tables(pq.read_table(p) for p in sorted((results / "windows" / name).glob("*.parquet")))


def check_windows(results: Path, cap: float | None) -> None:
    """No cluster is in two folds; every training set has the right size and shares, and no cluster above the cap."""
    sets = read(results / "window_sets.json")
    fold_of: dict[str, int] = {}
    for name, spec in sets["train"].items():
        table = pa.concat_tables([pool(results, p) for p in spec["pools"]])
        assert len(set(table["window"].to_pylist())) == table.num_rows
        for cluster, fold in set(zip(table["cluster"].to_pylist(), table["fold"].to_pylist(), strict=True)):
            assert fold_of.setdefault(cluster, fold) == fold
        label, fold = table["label"].to_numpy(), table["fold"].to_numpy()
        for test_fold in sets["test_folds"]:
            train, _ = split_rows(label, fold, test_fold, sets["folds"], spec["size"], sets["viral_share"])
            assert len(train) == spec["size"]
            assert label[train].sum() == round(spec["size"] * sets["viral_share"])
            if cap and name in ("short", "scratch"):
                for y in (0, 1):
                    mine = table["cluster"].take(train[label[train] == y])
                    most = max(row["counts"] for row in mine.value_counts().to_pylist())
                    assert most <= cap * len(mine) + 1, (name, test_fold, y)


def check_conclusion(results: Path) -> dict:
    """Nothing leaks, the shuffled control is at chance, and the verdict follows from the numbers beside it."""
    found = read(results / "comparison.json")
    assert read(results / "leakage.json")["ok"]
    assert found["controls"]["shuffled_labels"]["holds_chance"]
    verdict = found["verdict"]
    points = verdict["difference_points"]
    assert verdict["verdict"] == ("strong" if points > 15 else "moderate" if points >= 5 else "rejected")
    assert points == pytest.approx(100 * (verdict["finetuned_accuracy"] - verdict["baseline_accuracy"]))
    page = (results / "report.html").read_text()
    assert "<html" in page and verdict["headline"] in page
    return found


def test_the_demo_runs_every_arm_and_ends_with_a_verdict(demo: Run) -> None:
    found = check_conclusion(demo.results)
    assert {row["arm"] for row in found["arms"]} == set(ARMS)
    assert {row["test_set"] for row in found["arms"]} >= {"short", "full", "length_100", "length_150", "length_3000"}
    assert (demo.results / "summary.txt").read_text().splitlines()[0] in demo.output
    check_windows(demo.results, None)
    for arm in ARMS:
        models = list((demo.results / "models" / arm).glob("fold_*/replicate_*/model.json"))
        assert len(models) == 9
        rows = pq.read_metadata(demo.results / "evaluation" / arm / "short" / "predictions.parquet").num_rows
        assert rows == 3 * read(demo.results / "evaluation" / arm / "short" / "metrics.json")["windows"]


def test_the_demo_writes_its_best_arm_as_a_model(demo: Run) -> None:
    """The model is intact and says what it is, and the head of each fold scores the windows that it was tested on as in
    evaluation, if it may read the matches that it was fitted with."""
    model = open_model(demo.results / "model")
    arm = read(demo.results / "comparison.json")["best_arm"]["arm"]
    assert model.record["arm"] == arm and SIMULATED in (demo.results / "model" / "README.md").read_text()
    heads = {}
    for fold, tensors in read_heads(demo.results / "model", model.record).items():
        own = {name: training_folds(fold, model.record["folds"]) for name in tensors if name.endswith(FOLDS)}
        heads[fold] = prepared(tensors | own)
    model = replace(model, heads=heads)
    shard = read_shard(demo.results / "windows/test/short/shard_00000.fa.gz")
    reads = dict(zip(shard.ids[:300], shard.sequences, strict=False))
    scored = pq.read_table(
        demo.results / "evaluation" / arm / "short" / "predictions.parquet", filters=[("replicate", "==", 0)]
    )
    expected = {
        w: (f, odds) for w, f, odds in zip(*(scored[c].to_pylist() for c in ("window", "fold", "log_odds")), strict=True)
    }
    raw = raw_log_odds(model, list(reads.values()), find_matches(model, list(reads.values()), 1).scores)
    found = [raw[expected[name][0]][i] for i, name in enumerate(reads)]
    assert found == pytest.approx([expected[name][1] for name in reads], abs=1e-3)
    assert score(model, list(reads.values())).shares_31mer.mean() > 0.9  # they are stretches of sources


def test_the_demo_tells_known_families_from_new_ones(demo: Run) -> None:
    """Every short window is counted once, some families are new, a search finds what has relatives, and the summary says so."""
    found = read(demo.results / "comparison.json")["novelty"]
    novelty = pq.read_table(demo.results / "evaluation" / "novelty.parquet")
    rows = [r for r in found["rows"] if r["arm"] == "finetune" and r["by"] == "family"]
    assert sum(r["windows"] for r in rows) == novelty.num_rows
    assert {(r["group"], r["label"]) for r in rows} == {(g, x) for g in ("known", "new") for x in ("viral", "nonviral")}
    by_group = {
        (r["arm"], r["group"]): r["called"]["share"] for r in found["rows"] if (r["by"], r["label"]) == ("relative", "viral")
    }
    assert by_group["homology", "relative"] > by_group["homology", "no relative"]
    assert found["sentence"].startswith("Relatives known")
    assert " ".join(found["sentence"].split()) in " ".join(demo.output.split())
    assert (demo.results / "novelty.tsv").read_text().count("\n") == 1 + len(found["rows"])


def test_two_mates_are_compared_with_one(demo: Run) -> None:
    found, mates = read(demo.results / "comparison.json"), pool(demo.results, "test/pair")
    rows = mates.num_rows // 2
    assert mates["fragment"].to_pylist()[::2] == mates["fragment"].to_pylist()[1::2] == list(range(rows))
    assert set(mates["fold"].to_pylist()) == {0, 1, 2, 3}, "fold 3 validates the split that tests fold 2"
    tested = sum(fold < 3 for fold in mates["fold"].to_pylist()) // 2
    assert [g["arm"] for g in found["pair_gains"]] == ARMS
    for arm in ARMS:
        rules = read(demo.results / "evaluation" / arm / "pair" / "pair_rule.json")
        assert len(rules) == 9 and all(rule["pairs"] > 300 for rule in rules)
        for name in ("mate", "pair"):
            assert read(demo.results / "evaluation" / arm / name / "metrics.json")["windows"] == tested
    gain = next(g for g in found["pair_gains"] if g["arm"] == "finetune")
    assert gain["points"] > 0 and found["pairs"] in " ".join(demo.output.split())


def test_every_window_is_embedded_once(demo: Run) -> None:
    embedded = [
        row["name"].split("(")[1].strip(")").split() for row in demo.trace if row["process"].endswith(("EMBED_KMERS", "SEARCH"))
    ]
    each = [(encoder, pool, shard) for encoders, pool, shard in embedded for encoder in encoders.split("+")]
    assert len(each) == len(set(each)), "no encoder reads a shard twice"
    counted = [(pool, shard) for encoders, pool, shard in embedded if encoders != "homology"]
    assert len(counted) == len(set(counted)), "one task counts for all encoders of a shard"
    names = [path.name.split(".") for path in (demo.folder / "work/shelves").glob("*/*.safetensors")]
    shelved = {(encoder, f"{purpose}/{name}") for purpose, name, _shard, encoder, _ in names}
    assert {(encoder, pool) for encoder, pool, _ in each} == shelved
    assert {encoder for encoder, *_ in each} == {"kmer-dna", "kmer-protein", "codon", "homology"}


def test_frozen_heads_are_frozen(demo: Run) -> None:
    where = "fold_0/replicate_0/model.safetensors"
    base, tuned = (load_file(demo.results / "models" / arm / where) for arm in ("baseline", "finetune_frozen"))
    for name in base:
        assert (base[name] == tuned[name]).all() != name.startswith("output_layer"), name


def test_sources_left_out_are_listed(demo: Run) -> None:
    rows = (demo.results / "sources/skipped.tsv").read_text().splitlines()
    assert len(rows) == 3 and "too short" in "".join(rows) and "too many Ns" in "".join(rows)


def every_second_record(path: Path, out: Path) -> None:
    """Write half of the records of a FASTA file."""
    with gzip.open(path, "rt") as f:
        records = f.read().split(">")[1:]
    out.write_text("".join(f">{record}" for record in records[::2]))


def test_real_genomes(shared: Path, tmp_path: Path, run_pipeline: Callable[..., Run]) -> None:
    """2,511 real records, most of the nonviral ones from one genus, are clustered and capped, and nothing leaks. They are half
    of those of docs/results.md, because all of them would take minutes."""
    genomes = shared / "data" / "genomes"
    for label in ("viral", "nonviral"):
        every_second_record(genomes / f"{label}.fa.gz", tmp_path / f"{label}.fa")
    (tmp_path / "sheet.csv").write_text("fasta,label\nviral.fa,viral\nnonviral.fa,nonviral\n")
    ids = {line[1:].split()[0] for path in tmp_path.glob("*.fa") for line in path.read_text().splitlines() if line[0] == ">"}
    assert len(ids) == 2511
    columns = [line.split("\t") for line in (genomes / "genomes.tsv").read_text().splitlines()]
    keep = [columns[0].index(name) for name in ("id", "kingdom", "family")]
    rows = [columns[0], *(row for row in columns if row[keep[0]] in ids)]
    (tmp_path / "sources.tsv").write_text("".join("\t".join(row[i] for i in keep) + "\n" for row in rows))
    run = run_pipeline(
        "--input",
        tmp_path / "sheet.csv",
        "--source_table",
        tmp_path / "sources.tsv",
        "--arms",
        "finetune,shuffled_labels",
        "--short_windows",
        4000,
        "--scratch_windows",
        4000,
        "--full_windows",
        2000,
        "--test_windows",
        5000,
        "--sweep_windows",
        500,
        "--pair_windows",
        500,
        "--sweep_lengths",
        150,
    )  # all folds and replicates, since a single permutation may be above chance
    assert run.rc == 0, run.output
    check_windows(run.results, 0.05)
    check_conclusion(run.results)


def test_the_readme_names_commands_that_exist() -> None:
    text = (ROOT / "README.md").read_text()
    made = (ROOT / "Makefile").read_text()
    for target in ("demo", "test"):
        assert f"make {target}" in text and f"\n{target}:" in made
