"""VirNucPro's files in the pipeline: its head as the baseline, its rows, and its features in place of genomes."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file

from harness import Run, run_nextflow
from virshort.encoders.catalogue import COUNTED, load_encoder
from virshort.features.frames import find_rows, row_sequences
from virshort.features.tensors import FRAMES, STRETCH
from virshort.features.virnucpro import head_shapes, read_merged, write_head, write_merged
from virshort.heads.scoring import log_odds
from virshort.windows.shards import read_shard

WIDTH = 800
SIZES = ("--folds", 3, "--test_folds", 1, "--replicates", 2)
DIM = COUNTED["kmer-dna"].dim + COUNTED["kmer-protein"].dim


def random_head(inputs: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    tensors = {
        k: np.array(7) if k.endswith("tracked") else rng.normal(0, 0.05, s).astype(np.float32)
        for k, s in head_shapes(inputs).items()
    }
    return tensors | {"bn1.running_var": np.ones(512, np.float32)}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A small experiment with one of VirNucPro's heads as the baseline, and one row for every stop-free frame."""
    folder = tmp_path_factory.mktemp("virnucpro")
    write_head(folder / "300 model.pth", random_head(DIM), "", as_module=True)
    done = run_nextflow(
        "-profile",
        "test",
        *SIZES,
        "--arms",
        "finetune,gc",
        "--short_windows",
        600,
        "--scratch_windows",
        600,
        "--full_windows",
        400,
        "--test_windows",
        600,
        "--pair_windows",
        60,
        "--sweep_windows",
        60,
        "--sweep_lengths",
        150,
        "--windows_per_shard",
        350,
        "--frames",
        "all",
        "--pretrained",
        folder / "300 model.pth",
        folder=folder,
    )
    assert done.rc == 0, done.output
    return done


def test_the_baseline_is_the_head_as_it_is(run: Run) -> None:
    models = sorted((run.results / "models/baseline").glob("fold_*/replicate_*"))
    assert len(models) == 2
    for model in models:
        about = json.loads((model / "model.json").read_text())
        assert all((load_file(model / "model.safetensors")[k] == v).all() for k, v in random_head(DIM).items())
        assert about["threshold"] == 0.5 and about["training_windows"] == 0 and len(about["pretrained"]["sha256"]) == 64
        assert json.loads((model / "history.json").read_text()) == []
    tuned = json.loads((run.results / "models/finetune/fold_0/replicate_0/model.json").read_text())
    assert tuned["pretrained"] == about["pretrained"] and tuned["start"] == "baseline"
    assert not (run.results / "windows/train/full").exists()


def test_what_the_head_has_seen_is_said_to_be_unknown(run: Run) -> None:
    found = json.loads((run.results / "comparison.json").read_text())
    assert "not known" in found["pretrained"]["sentence"] and found["pretrained"]["sentence"] in found["warnings"]
    assert "not the data on which the pretrained head was trained" in found["leakage"]["sentence"]
    assert "not covered" in json.loads((run.results / "leakage.json").read_text())["message"]
    page = (run.results / "report.html").read_text()
    assert (
        found["pretrained"]["sha256"] in page and "it is not known whether its own training included the test sources" in page
    )
    assert "it is not known whether its own training included the test sources" in " ".join(run.output.split())


def test_a_window_has_the_largest_score_of_its_frames(run: Run) -> None:
    """Each step once more in this test: rows, DNA first, both encoders, the head, and the maximum."""
    shards = list((run.results / "windows/test/short").glob("*.fa.gz"))
    predicted = pq.read_table(run.results / "evaluation/baseline/short/predictions.parquet", filters=[("replicate", "==", 0)])
    dna, protein = load_encoder("kmer-dna"), load_encoder("kmer-protein")
    expected, rows, stretches = {}, 0, 0
    for path in shards:
        shard = read_shard(path)
        table = find_rows(shard.sequences, "all")
        x = np.hstack([e.embed(row_sequences(shard.sequences, table, e is protein)) for e in (dna, protein)])
        odds = log_odds(random_head(DIM), x.astype(np.float16))
        for window, value in zip(table.window.tolist(), odds.tolist(), strict=True):
            expected[shard.ids[window]] = max(value, expected.get(shard.ids[window], -np.inf))
        rows, stretches = rows + len(table), stretches + int((table.frame == STRETCH).sum())
    assert len(shards) == 2 and predicted.num_rows == len(expected) == 600
    np.testing.assert_allclose(
        predicted["log_odds"].to_numpy(), [expected[w] for w in predicted["window"].to_pylist()], atol=1e-4
    )
    counted = {"rows": rows, "windows_without_stop_free_frame": stretches}
    assert json.loads((run.results / "evaluation/baseline/short/metrics.json").read_text())["frame_rows"] == counted
    assert 0 < stretches < 600 < rows
    assert f">{rows:,}<" in (run.results / "report.html").read_text()


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """VirNucPro's merged files, divided in the middle of a chunk, with a head of the same kind."""
    folder = tmp_path_factory.mktemp("ready")
    rng = np.random.default_rng(0)
    for name, shift in (("v", 0.1), ("h", -0.1)):
        ids, data = [], []
        for contig in range(24):
            centre = rng.normal(shift, 0.3, WIDTH)
            for chunk in (1, 2, 3):
                frames = sorted(rng.choice(FRAMES[:6], rng.integers(1, 4), replace=False))
                ids += [f"{name}{contig}_chunk_{chunk}{f}" for f in frames]
                data += list(rng.normal(centre, 1, (len(frames), WIDTH)))
        cut = next(i for i in range(40, len(ids)) if ids[i][:-2] == ids[i - 1][:-2])
        for part, which in (("a", slice(None, cut)), ("b", slice(cut, None))):
            (folder / part).mkdir(exist_ok=True)
            write_merged(folder / part / f"{name}_merged.pt", ids[which], np.array(data[which]), int(name == "v"))
    write_head(folder / "head.pth", random_head(WIDTH), "")
    (folder / "sheet.csv").write_text(
        "features,label\na/v_merged.pt,viral\nb/v_merged.pt,viral\na/h_merged.pt,\nb/h_merged.pt,\n"
    )
    done = run_nextflow(
        "--features",
        folder / "sheet.csv",
        "--pretrained",
        folder / "head.pth",
        *SIZES,
        "--arms",
        "finetune",
        folder=folder,
        parser="v2",
    )
    assert done.rc == 0, done.output
    return done


def test_ready_features_are_trained_on_and_judged(ready: Run) -> None:
    found = json.loads((ready.results / "comparison.json").read_text())
    assert {(r["arm"], r["test_set"]) for r in found["arms"]} == {("baseline", "short"), ("finetune", "short")}
    assert found["verdict"]["difference_points"] is not None and "On the given windows" in found["answer"]
    assert "without their sequences" in found["leakage"]["sentence"] and found["leakage"]["ok"] is None
    assert found["pretrained"]["sentence"] in found["warnings"]
    assert "without their sequences" in (ready.results / "report.html").read_text()
    assert (ready.results / "window_sets.json").exists() and (ready.results / "leakage.json").exists()
    tuned = json.loads((ready.results / "models/finetune/fold_0/replicate_0/model.json").read_text())
    assert tuned["architecture"]["inputs"] == WIDTH


def test_a_chunk_has_the_largest_score_of_its_rows(ready: Run) -> None:
    rows: dict[str, list[float]] = {}
    for path in sorted(ready.folder.glob("?/*.pt")):
        merged = read_merged(path)
        for name, value in zip(merged.ids, log_odds(random_head(WIDTH), merged.data).tolist(), strict=True):
            rows.setdefault(name[:-2], []).append(value)
    table = pq.read_table(ready.results / "evaluation/baseline/short/predictions.parquet", filters=[("replicate", "==", 0)])
    folds = dict(
        zip(
            *pq.read_table(ready.results / "sources/folds.parquet", columns=["source", "fold"]).to_pydict().values(),
            strict=True,
        )
    )
    tested = {w for w in rows if folds[w.split("_")[0]] == 0}
    assert set(table["window"].to_pylist()) == tested and len(rows) == 144 and 20 < len(tested) == table.num_rows < 144
    np.testing.assert_allclose(table["log_odds"].to_numpy(), [max(rows[w]) for w in table["window"].to_pylist()], atol=1e-4)
