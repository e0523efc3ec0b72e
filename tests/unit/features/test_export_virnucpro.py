"""Models and kept features written for VirNucPro's scripts."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from safetensors.numpy import save_file

from virshort.errors import InputError
from virshort.features.kept_shards import read_kept_shards
from virshort.features.ready_features import read_blocks
from virshort.features.tensors import FRAMES, ROWS, read_tensors, write_tensors
from virshort.features.virnucpro import head_shapes, read_head, read_merged
from virshort.files import read_json, write_json
from virshort.sources.samplesheet import SheetRow
from virshort.windows.shards import write_shard

SCRIPT = Path(__file__).resolve().parents[3] / "bin/export_virnucpro.py"


@pytest.fixture
def export(monkeypatch):
    def call(*words):
        monkeypatch.setattr(sys, "argv", [SCRIPT.name, *map(str, words)])
        runpy.run_path(str(SCRIPT), run_name="__main__")

    return call


def model(folder: Path, inputs: int, dna: str, protein: str, modalities=("dna", "protein")) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    weights = {
        k: np.array(3) if k.endswith("tracked") else np.abs(rng.standard_normal(s, dtype=np.float32))
        for k, s in head_shapes(inputs).items()
    }
    save_file(weights, folder / "model.safetensors")
    encoders = [{"modality": m, "encoder": e, "weights": "w", "pooling": "p"} for m, e in (("dna", dna), ("protein", protein))]
    about = {"arm": "finetune", "modalities": list(modalities), "threshold": 0.4, "encoders": encoders}
    write_json(folder / "model.json", about)
    return weights


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(
    ("encoders", "dims", "repo"),
    [
        (("dnabert-s", "esm2-650m"), (768, 1280), "facebook/esm2_t33_650M_UR50D"),
        (("kmer-dna", "kmer-protein"), (136, 21), "kmer-protein"),
        (("given", "given"), (768, 2560), "given"),
    ],
)
def test_heads(export, tmp_path, encoders, dims, repo, whole):
    weights = model(tmp_path, sum(dims), *encoders)
    export("head", tmp_path, tmp_path / "x.pth", *["--whole"] * whole)
    tensors, metadata = read_head(tmp_path / "x.pth", sum(dims))
    assert all(np.array_equal(tensors[k], v) for k, v in weights.items())
    if not whole:
        assert (metadata["dna_dim"], metadata["protein_dim"], metadata["huggingface_model_id"]) == (*dims, repo)


def test_a_head_of_one_modality_is_refused(export, tmp_path, capsys):
    model(tmp_path, 768, "dnabert-s", "esm2-650m", ["dna"])
    with pytest.raises(SystemExit):
        export("head", tmp_path, tmp_path / "x.pth")
    assert "a head for dna only, but VirNucPro" in capsys.readouterr().err


def test_a_combination_is_refused(export, tmp_path, capsys):
    model(tmp_path, 157, "kmer-dna", "kmer-protein")
    write_json(tmp_path / "model.json", read_json(tmp_path / "model.json") | {"combine": ["both", "kmer"]})
    with pytest.raises(SystemExit):
        export("head", tmp_path, tmp_path / "x.pth")
    assert "combines arms and has no head of its own: export both or kmer" in capsys.readouterr().err


LABELS = (1, 0, 1)
TABLES = ([[0, 1], [0, 4], [1, 6], [2, 5]], [[0, 6], [1, 0], [1, 3]])
"""Window and frame of each row, of two shards."""


def shards(folder: Path, frames: bool) -> tuple[list[Path], list[Path], list[Path]]:
    """Features of both encoders and manifests of two shards, in which the numbers of a row identify it."""
    files: tuple[list[Path], list[Path], list[Path]] = ([], [], [])
    for shard, table in enumerate(TABLES):
        n = max(w for w, _ in table) + 1
        rows = np.array(table if frames else [[w, 6] for w in range(n)], np.int32)
        names = [f"s{shard}:{i + 1}-{i + 150}(+)" for i in range(n)]
        manifest = pa.table({"window": names, "label": pa.array(LABELS[:n], pa.int8())})
        digest = write_shard(folder, shard, [b"ACGT"] * n, manifest)
        values = {"dna": np.float16(np.tile(100 * shard + 10 * rows[:, :1] + rows[:, 1:], 768)), "protein": np.float16(rows)}
        for found, (modality, numbers) in zip(files, values.items(), strict=False):
            found.append(folder / f"shard_{shard:05d}.x-{modality}.safetensors")
            made_by = {"modality": modality, "encoder": f"x-{modality}", "weights": "", "pooling": ""}
            header = {"windows_digest": digest, "encoders": json.dumps([made_by])}
            write_tensors(found[-1], {modality: numbers} | ({ROWS: rows} if frames else {}), header)
        files[2].append(folder / f"shard_{shard:05d}.windows.parquet")
    return files


@pytest.mark.parametrize("frames", [False, True])
def test_features_become_a_file_a_label_and_come_back(export, tmp_path, frames):
    dna, protein, windows = shards(tmp_path, frames)
    export("merged", tmp_path / "out", "--dna", *dna, "--protein", *protein, "--windows", *windows)
    expected: dict[int, list[tuple[str, float]]] = {0: [], 1: []}
    for shard, table in enumerate(TABLES):
        n = max(w for w, _ in table) + 1
        for w, f in table if frames else [[w, 6] for w in range(n)]:
            expected[LABELS[w]].append((f"s{shard}:{w + 1}-{w + 150}(+){FRAMES[f]}", 100 * shard + 10 * w + f))
    for name, label in (("viral", 1), ("nonviral", 0)):
        path = tmp_path / f"out/{name}_merged.pt"
        found = read_merged(path, 770)
        assert list(zip(found.ids, found.data[:, 0].tolist(), strict=True)) == expected[label]
        assert set(found.labels.tolist()) == {label}
        blocks = list(read_blocks([SheetRow(2, path.name, name)], [path]))
        assert blocks[0].source[0] == "s0" and sum(len(b.data) for b in blocks) == len(found.ids)


def test_features_of_other_windows_are_refused(export, tmp_path, capsys):
    dna, protein, windows = shards(tmp_path, False)
    with pytest.raises(SystemExit):
        export("merged", tmp_path / "out", "--dna", dna[0], "--protein", protein[0], "--windows", windows[1])
    assert "of windows other than those that shard_00001.windows.parquet lists" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.fixture
def results(tmp_path):
    """A results folder whose run drew two shards of train/short and kept their features."""
    dna, protein, windows = shards(tmp_path, False)
    kept: list[list[Path]] = []
    for files in (dna, protein):
        encoder = files[0].name.split(".")[1]
        (tmp_path / "features" / encoder).mkdir(parents=True)
        kept.append([path.rename(tmp_path / "features" / encoder / f"train.short.{path.name}") for path in files])
    write_json(
        tmp_path / "windows/train/short/metadata.json", {"digests": [read_tensors(p)[1]["windows_digest"] for p in kept[0]]}
    )
    return tmp_path, (*kept, windows)


def test_shards_left_over_from_another_run_are_refused(results):
    folder, files = results
    assert len(read_kept_shards(*files).ids) == 5
    record = folder / "windows/train/short/metadata.json"
    digests = json.loads(record.read_text())["digests"]
    for other in (digests[:1], [digests[0], "another draw"]):
        write_json(record, {"digests": other})
        with pytest.raises(
            InputError, match=r"^train\.short\.shard_00001\.x-dna\.safetensors: not a shard of this folder's last run"
        ):
            read_kept_shards(*files)
        assert len(read_kept_shards(*(paths[:1] for paths in files)).ids) == 3


def test_shards_that_do_not_belong_together_are_refused(tmp_path):
    dna, protein, windows = shards(tmp_path, False)
    with pytest.raises(InputError, match=r"its window s0:1-150\(\+\) is also in shard_00000\.x-dna"):
        read_kept_shards(*([paths[0]] * 2 for paths in (dna, protein, windows)))
    tensors, header = read_tensors(protein[1])
    encoders = json.dumps([{"modality": "protein", "encoder": "y", "weights": "w"}])
    write_tensors(protein[1], tensors, header | {"encoders": encoders})
    with pytest.raises(InputError, match=r"shard_00001\.x-dna\.safetensors: made by x-dna \(no weights\) and y \(w\), but"):
        read_kept_shards(dna, protein, windows)
    with pytest.raises(InputError, match=r"shard_00000\.x-protein\.safetensors: holds protein features: --dna is for others"):
        read_kept_shards(protein, dna, windows)
    with pytest.raises(InputError, match="--protein: 2 files, but --windows: 1"):
        read_kept_shards(dna[:1], protein, windows[:1])
