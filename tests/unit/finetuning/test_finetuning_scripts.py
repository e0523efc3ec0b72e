"""From shards of windows to the models of an arm that is trained end to end: the three scripts after one another."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

import finetune
import score_finetuned
import train
from make_random_models import TOKENIZER, make
from shipped_rows import ROWS
from trained_arm import arm
from virshort.encoders.checksums import LOCAL
from virshort.encoders.encoder import LoadSettings
from virshort.encoders.fetching import fetch
from virshort.errors import InputError
from virshort.features.window_features import WindowFeatures
from virshort.heads.model_files import read_model
from virshort.heads.prediction import read_heads
from virshort.heads.scoring import log_odds
from virshort.model.checking import check_files, read_record
from virshort.model.opening import open_model
from virshort.model.scoring import raw_log_odds
from virshort.model.source_kmers import spaced_kmers
from virshort.model.writing import Run, model_record, write_model
from virshort.reads.plan import make_plan
from virshort.windows.shards import read_shard, write_shard

pytestmark = pytest.mark.skipif(not TOKENIZER.exists(), reason="the DNABERT-S tokenizer is not here")

FOLDS, CLUSTERS, PER_SHARD = 4, 24, 60
FINETUNE = {
    "encoder": "dnabert-s",
    "modality": "dna",
    "adapters": "lora",
    "rank": 2,
    "alpha": 4.0,
    "targets": ["qkv"],
    "batch_tokens": 500,
    "gradient_checkpointing": False,
}
LORA = arm(
    name="lora",
    modalities=["finetuned"],
    encoders={"finetuned": "finetuned-lora"},
    start="end_to_end",
    finetune=FINETUNE,
    epochs=1,
    hidden=[8],
)
SETS = {
    "train": {"short": {"pools": ["train/short"], "size": None}},
    "folds": FOLDS,
    "test_folds": [0, 2],
    "viral_share": None,
}


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> Path:
    """A folder with weights, the shards of train/short, and what the scripts read besides."""
    base = tmp_path_factory.mktemp("finetuning")
    make(base / "raw", "dnabert-s", 24, 1)
    (base / "weights").mkdir()
    fetch(ROWS["dnabert-s"], base / "weights", base / "raw", LOCAL, log=lambda _: None)
    rng = np.random.default_rng(0)
    for shard in range(2):
        cluster = rng.integers(0, CLUSTERS, PER_SHARD)
        names = [f"c{c}" for c in cluster]
        columns = {
            "window": [f"s{shard}w{i}" for i in range(PER_SHARD)],
            "source": names,
            "cluster": names,
            "kingdom": names,
            "fold": (cluster % FOLDS).astype(np.int8),
            "label": (cluster // FOLDS % 2).astype(np.int8),
            "length": np.full(PER_SHARD, 60, np.int32),
            "gc": rng.random(PER_SHARD, np.float32),
        }
        sequences = [rng.choice(np.frombuffer(b"ACGT", np.uint8), 60).tobytes() for _ in range(PER_SHARD)]
        write_shard(base / "shards", shard, sequences, pa.table(columns))
    (base / "arm.json").write_text(json.dumps(LORA))
    (base / "sets.json").write_text(json.dumps(SETS))
    return base


@pytest.fixture(autouse=True)
def settings_of_torch():
    """The script changes them for its whole process, which it has to itself in a run."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)


def call(script, monkeypatch, **options) -> None:
    words = [script.__name__]
    for name, value in options.items():
        words.append(f"--{name.replace('_', '-')}")
        words += [str(v) for v in value] if isinstance(value, list) else [] if value is True else [str(value)]
    monkeypatch.setattr("sys.argv", words)
    script.main()


def fine_tuned(given: Path, monkeypatch, fold: int, replicate: int, **more) -> Path:
    out = given / "models" / f"fold_{fold}_replicate_{replicate}"
    if not out.exists():
        common = {"arm": given / "arm.json", "data": given / "shards", "window_sets": given / "sets.json", "seed": 1}
        common |= {"module": "virshort.encoders.dnabert_s", "weights": given / "weights", "device": "cpu", "out": out}
        call(finetune, monkeypatch, fold=fold, replicate=replicate, **common, **more)
    return out


def scores(given: Path, monkeypatch, out: Path, shard: int, models: list[Path], **more) -> Path:
    at = given / "shards" / f"shard_{shard:05d}"
    found = out / f"train.short.{at.name}.finetuned-lora.safetensors"
    common = {"shard": at.with_suffix(".fa.gz"), "manifest": at.with_suffix(".windows.parquet"), "models": models, "out": found}
    common |= {"module": "virshort.encoders.dnabert_s", "weights": given / "weights", "folds": FOLDS, "device": "cpu"}
    call(score_finetuned, monkeypatch, precision="fp32", **common, **more)
    shutil.copy(at.with_suffix(".windows.parquet"), out / f"train.short.{at.name}.windows.parquet")
    return found


def test_an_arm_is_trained_end_to_end_and_judged_like_others(given, tmp_path, monkeypatch):
    folders = [fine_tuned(given, monkeypatch, fold, r) for fold in SETS["test_folds"] for r in (0, 1)]
    data = tmp_path / "data"
    data.mkdir()
    for shard in (0, 1):
        scores(given, monkeypatch, data, shard, folders[::-1])
    features = WindowFeatures(data, ["train/short"])
    x, fold = features.rows(np.arange(2 * PER_SHARD), ["finetuned"]), features.column("fold")
    assert x.shape == (120, 4) and x.dtype == np.float32
    # train/short only validates: the split that tests fold 0 validates on fold 1, and that of fold 2 on fold 3.
    for column, validates in enumerate((1, 1, 3, 3)):
        assert np.array_equal(x[:, column] != 0, fold == validates)

    call(
        train,
        monkeypatch,
        arm=given / "arm.json",
        data=data,
        window_sets=given / "sets.json",
        start=folders,
        replicates=2,
        seed=1,
        out=tmp_path / "lora",
    )
    for column, (f, r) in enumerate([(0, 0), (0, 1), (2, 0), (2, 1)]):
        at = tmp_path / "lora" / f"fold_{f}" / f"replicate_{r}"
        weights, record = read_model(at)
        assert np.array_equal(log_odds(weights, x), x[:, column])
        assert (record["arm"], record["best_epoch"], record["epochs_run"]) == ("lora", 1, 1)
        assert record["encoders"][0]["pooling"] == "log-odds by dnabert-s, trained end to end"
        assert record["validation_windows"] == np.count_nonzero(fold == (f + 1) % FOLDS)
        assert record["training_windows"] == np.count_nonzero(~np.isin(fold, [f, (f + 1) % FOLDS]))
        assert len(record["calibration"]) and record["trained_parameters"] > 0
        assert {p.name for p in at.iterdir()} >= {"adapter_model.safetensors", "adapter_config.json", "head.safetensors"}
    assert (tmp_path / "lora" / "fold_0" / "ensemble.json").exists()

    check_exported(given, tmp_path, x, fold)


def check_exported(given: Path, tmp_path: Path, x: np.ndarray, fold: np.ndarray) -> None:
    """A model of the arm scores sequences as the run did: x, the features of all windows, in their columns."""
    (heads, _), of_head = read_heads(tmp_path / "lora", SETS["test_folds"])
    kmers = spaced_kmers(np.frombuffer(b"ACGT" * 10, np.uint8), np.array([0]), np.array([40]), 1)
    trained = {"encoder": "dnabert-s", "columns": {"0": 0, "2": 2}, "width": 4}
    record = model_record(
        LORA,
        [LORA],
        of_head,
        heads.calibration,
        None,
        {"step": 1, "count": len(kmers), "bases": 40},
        Run(FOLDS, SETS["test_folds"], 60, 1, "longest", "default"),
        None,
        {"dnabert-s": ROWS["dnabert-s"].keys},
        trained,
    )
    write_model(tmp_path / "model", record, heads, kmers, None, "card", tmp_path / "lora")
    written = read_record(tmp_path / "model")
    plan = make_plan([], written, check_files(tmp_path / "model", written), "local")
    assert plan.modules == ["virshort.encoders.dnabert_s", "virshort.finetuning.ensemble"] and [*plan.weights] == ["dnabert-s"]
    model = open_model(tmp_path / "model", LoadSettings(given / "weights", "fp32", "cpu", 1, log=lambda _: None))
    sequences = [s for shard in (0, 1) for s in read_shard(given / f"shards/shard_{shard:05d}.fa.gz").sequences]
    odds = raw_log_odds(model, sequences, np.zeros((len(sequences), 1, 2, 2), np.float32))
    for column, f in ((0, 0), (2, 2)):
        here = fold == (f + 1) % FOLDS
        np.testing.assert_allclose(odds[f][here], x[here, column], rtol=0, atol=1e-5)
    other = tmp_path / "model/finetuned/fold_2/adapter_model.safetensors"
    other.write_bytes(other.read_bytes()[:-4] + b"\0\0\0\1")
    with pytest.raises(InputError, match=r"adapter_model\.safetensors: damaged"):
        open_model(tmp_path / "model")


def test_windows_of_a_test_set_are_scored_by_the_split_that_tests_them_too(given, tmp_path, monkeypatch):
    folder = fine_tuned(given, monkeypatch, 0, 0)
    scores(given, monkeypatch, tmp_path, 0, [folder], tested=True)
    scores(given, monkeypatch, tmp_path, 1, [folder], tested=True, frames="longest")
    features = WindowFeatures(tmp_path, ["train/short"])
    x, fold = features.rows(np.arange(2 * PER_SHARD), ["finetuned"]), features.column("fold")
    assert np.array_equal(x[:, 0] != 0, np.isin(fold, [0, 1]))


def test_a_run_without_the_model_of_a_split_is_refused(given, tmp_path, monkeypatch):
    folder = fine_tuned(given, monkeypatch, 0, 0)
    for shard in (0, 1):
        scores(given, monkeypatch, tmp_path, shard, [folder])
    common = {"arm": given / "arm.json", "data": tmp_path, "window_sets": given / "sets.json", "replicates": 1, "seed": 1}
    with pytest.raises(InputError, match="give the models of fold_0_replicate_0, fold_2_replicate_0 with --start"):
        call(train, monkeypatch, start=[folder], out=tmp_path / "x", **common)


def test_fp16_is_refused_for_training(given, monkeypatch):
    with pytest.raises(InputError, match="arm lora: fp16 is too narrow for training"):
        fine_tuned(given, monkeypatch, 3, 0, precision="fp16")
