"""The experiment with small random language models in the published layout, without a network."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from safetensors import safe_open

import embed
from harness import ROOT, Run, as_words, copy_pipeline, run_nextflow
from make_random_models import TOKENIZER, make
from shipped_rows import CATALOGUE
from virshort.verdict.verdict import band

pytestmark = pytest.mark.skipif(not TOKENIZER.exists(), reason="the DNABERT-S tokenizer is not here")

OPTIONS = {
    "arms": "finetune,dna_only,kmer,lora",
    "dna_encoder": "dnabert-s",
    "protein_encoder": "esm2-8m",
    "short_windows": 1000,
    "scratch_windows": 1000,
    "full_windows": 300,
    "test_windows": 3000,
    "sweep_windows": 100,
    "pair_windows": 0,
    "sweep_lengths": 150,
    "folds": 3,
    "test_folds": 1,
    "replicates": 1,
    "windows_per_shard": 10000,
    "model_arm": "lora",
}
OFFLINE = {"HF_ENDPOINT": "http://127.0.0.1:9"}


def read(path: Path) -> dict:
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of published files for --weights."""
    out = tmp_path_factory.mktemp("weights")
    make(out, "dnabert-s", 48, 1)
    make(out, "esm2-8m", 40, 1)
    return out


class Experiment:
    """An experiment with language models and k-mers side by side, run once, and runs that resume it."""

    def __init__(self, base: Path, weights: Path):
        self.folder, genomes = base / "run", base / "genomes"
        subprocess.run([sys.executable, ROOT / "bin/simulate.py", "--outdir", genomes], check=True)
        self.pipeline = copy_pipeline(base / "pipeline")
        self.elsewhere = base / "elsewhere"
        self.elsewhere.mkdir()
        self.options = OPTIONS | {
            "weights": weights,
            "weights_revision": "local",
            "input": genomes / "samplesheet.csv",
            "source_table": genomes / "sources.tsv",
            "hold_out": "family",
        }
        self.first = self.run()
        assert self.first.rc == 0, self.first.output

    def run(self, *more: object, **changes: object) -> Run:
        return run_nextflow(
            *as_words({name: value for name, value in (self.options | changes).items() if value is not None}),
            *more,
            folder=self.folder,
            pipeline=self.pipeline,
            HOME=str(self.elsewhere),
            TMPDIR=str(self.elsewhere),
            **OFFLINE,
        )


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Experiment:
    return Experiment(tmp_path_factory.mktemp("language_models"), weights)


def headers(run: Run, encoder: str) -> list[dict]:
    """The headers of an encoder's embeddings in the work folder, with their types."""
    found = []
    for path in run.folder.glob(f"work/*/*/shard_*.{encoder}.safetensors"):
        with safe_open(path, "np") as f:
            header = json.loads(f.metadata()["virshort"])
            (written_by,) = json.loads(header["encoders"])
            found.append(header | written_by | {"dtype": f.get_slice(written_by["modality"]).get_dtype()})
    return found


def test_arms_are_trained_on_the_encoders_that_they_name(experiment: Experiment) -> None:
    results = experiment.first.results
    rows = read(results / "comparison.json")["arms"]
    arms = {row["arm"] for row in rows if row["test_set"] == "short" and row["windows"]}
    assert arms == {"baseline", "finetune", "dna_only", "kmer", "lora"}
    models = {arm: next((results / "models" / arm).glob("fold_*/replicate_*/model.json")) for arm in arms}
    used = {arm: {e["modality"]: e for e in read(path)["encoders"]} for arm, path in models.items()}
    for arm in ("baseline", "finetune", "dna_only"):
        assert {m: e["encoder"] for m, e in used[arm].items()} == {"dna": "dnabert-s", "protein": "esm2-8m"}, arm
        assert all(len(e["weights"]) == 16 for e in used[arm].values())
    assert {m: e["encoder"] for m, e in used["kmer"].items()} == {"dna": "kmer-dna", "protein": "kmer-protein"}
    assert {m: e["encoder"] for m, e in used["lora"].items()} == {"finetuned": "finetuned-lora"}


def test_an_encoder_is_trained_end_to_end_once_and_compared_like_other_arms(experiment: Experiment) -> None:
    results, names = experiment.first.results, [row["name"].split(":")[-1] for row in experiment.first.trace]
    assert [n for n in names if n.startswith("FINETUNE (")] == ["FINETUNE (lora fold 0 replicate 0)"]
    # Windows are scored where some split tests them or validates on them: not those of the baseline's training set.
    scored = {n.split()[2] for n in names if n.startswith("SCORE_FINETUNED")}
    assert scored == {"train/short"} | {n.split()[2] for n in names if n.startswith("EMBED (") and " test/" in n}
    table = (results / "comparison.tsv").read_text().splitlines()
    assert any(line.split("\t")[0] == "lora" for line in table)
    model = results / "models/lora/fold_0/replicate_0"
    assert {p.name for p in model.iterdir()} >= {"adapter_config.json", "adapter_model.safetensors", "head.safetensors"}
    record = read(model / "model.json")
    assert record["training_windows"] == OPTIONS["short_windows"] and record["trained_parameters"] > 1000
    exported = read(results / "model/model.json")
    assert exported["arm"] == "lora" and exported["finetuned"]["encoder"] == "dnabert-s"
    assert "finetuned/fold_0/adapter_model.safetensors" in exported["files"]


def test_no_family_is_in_two_folds(experiment: Experiment) -> None:
    """The option reaches SPLIT, the audit proves it, and every tested family is new."""
    results = experiment.first.results
    sources = pq.read_table(results / "sources" / "folds.parquet")
    pairs = set(zip(sources["family"].to_pylist(), sources["fold"].to_pylist(), strict=True))
    assert len(pairs) == len({family for family, _ in pairs}) > 10
    assert "No family is in two folds." in read(results / "leakage.json")["message"]
    assert {r["group"] for r in read(results / "comparison.json")["novelty"]["rows"] if r["by"] == "family"} == {"new"}


def test_a_model_is_fetched_once_and_a_window_embedded_once(experiment: Experiment) -> None:
    names = [row["name"].split(":")[-1] for row in experiment.first.trace]
    assert sorted(n for n in names if n.startswith("FETCH")) == ["FETCH_WEIGHTS (dnabert-s)", "FETCH_WEIGHTS (esm2-8m)"]
    embedded = [n for n in names if n.startswith("EMBED")]
    assert len(embedded) == len(set(embedded))


def test_embeddings_record_how_they_were_made(experiment: Experiment) -> None:
    for encoder in ("dnabert-s", "esm2-8m"):
        found = headers(experiment.first, encoder)
        assert found
        for header in found:
            assert (header["encoder"], header["device"], header["dtype"]) == (encoder, "cpu", "F16")
            assert header["precision"] in ("bf16", "fp32")
    logs = [p.read_text() for p in experiment.folder.glob("work/*/*/.command.log")]
    assert any("windows/s" in text and "tokens/s" in text and " left" in text for text in logs)


def test_files_stay_in_the_tasks_folders(experiment: Experiment) -> None:
    """Neither the home folder nor the machine's folder for temporary files is used, since they may be read-only or small."""
    assert not list(experiment.elsewhere.iterdir())


def test_after_success_nothing_is_computed_again(experiment: Experiment) -> None:
    run = experiment.run("-resume")
    assert run.rc == 0, run.output
    assert run.executed() == set()


def points(evaluation: Path) -> float:
    """What fine-tuning gains on short windows, in points, for one replicate."""
    found = {arm: read(evaluation / arm / "short/metrics.json")["pooled"][0]["accuracy"] for arm in ("baseline", "finetune")}
    return 100 * (found["finetune"] - found["baseline"])


def test_verdicts_from_fp16_and_fp32_storage_agree(
    experiment: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps from windows to verdict once more, with rows stored in the precision in which they were computed."""
    results, data = experiment.first.results, tmp_path / "data"
    data.mkdir()

    def script(name: str, *words: object) -> None:
        subprocess.run([sys.executable, ROOT / "bin" / name, *map(str, words)], check=True, capture_output=True)

    for pool in ("train/short", "train/full", "test/short"):
        shard = results / "windows" / pool / "shard_00000.fa.gz"
        manifest = shard.with_name("shard_00000.windows.parquet")
        for encoder in ("dnabert-s", "esm2-8m"):
            fetched = next(experiment.folder.glob(f"work/*/*/{encoder}/weights.json")).parents[1]
            words = ("--shard", shard, "--encoders", f"{encoder}={CATALOGUE[encoder].module}")
            words += ("--weights", fetched, "--storage", "float32", "--out", tmp_path)
            monkeypatch.setattr("sys.argv", ["embed.py", *map(str, words)])
            embed.main()  # here, where torch is loaded already
            rows = tmp_path / f"shard_00000.{encoder}.safetensors"
            rows.rename(data / f"{pool.replace('/', '.')}.{rows.name}")
        shutil.copy(manifest, data / f"{pool.replace('/', '.')}.{manifest.name}")
    with safe_open(data / "test.short.shard_00000.dnabert-s.safetensors", "np") as f:
        assert f.get_slice("dna").get_dtype() == "F32"
    known, sets, models = read(results / "window_sets.json"), tmp_path / "sets.json", tmp_path / "models"
    sets.write_text(json.dumps(known | {"test": {"short": known["test"]["short"]}}))
    for arm in read(results / "pipeline_info/arms.json"):
        if arm["name"] in ("baseline", "finetune"):
            (tmp_path / "arm.json").write_text(json.dumps(arm))
            script(
                "train.py",
                "--arm",
                tmp_path / "arm.json",
                "--data",
                data,
                "--window-sets",
                sets,
                *(("--start", models / "baseline") if arm["start"] == "baseline" else ()),
                "--replicates",
                1,
                "--seed",
                42,
                "--out",
                models / arm["name"],
            )
            script(
                "evaluate.py",
                "--arm",
                arm["name"],
                "--role",
                arm["role"],
                "--models",
                models / arm["name"],
                "--data",
                data,
                "--window-sets",
                sets,
                "--out",
                tmp_path / "evaluation" / arm["name"],
            )
    half = points(results / "evaluation")
    verdict, full = read(results / "comparison.json")["verdict"], points(tmp_path / "evaluation")
    assert verdict["difference_points"] == pytest.approx(half)
    assert full == pytest.approx(half, abs=0.1)
    assert band(full) == verdict["verdict"]


def test_weights_that_nobody_vouches_for_are_refused(experiment: Experiment) -> None:
    run = experiment.run(weights_revision=None, arms="protein_only", model_arm=None, outdir=experiment.folder / "refused")
    assert run.rc == 1
    said = [line for line in run.output.splitlines() if line.startswith("virshort: ")]
    assert said and all("not the published file: sha256 " in line for line in said), run.output
