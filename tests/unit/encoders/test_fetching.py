"""Weights from a server that speaks the hub's protocol, and from folders. What is wrong is refused by name."""

import hashlib
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from hub import COMMIT, Hub
from make_random_models import TOKENIZER, make
from shipped_rows import ROWS
from slurm_cluster import until
from virshort.encoders import fetching
from virshort.encoders.checksums import LOCAL
from virshort.encoders.fetching import fetch
from virshort.encoders.rows import row_of
from virshort.encoders.weights import open_weights
from virshort.errors import InputError
from virshort.files import content_digest, read_json, write_json

pytestmark = pytest.mark.skipif(not TOKENIZER.exists(), reason="the DNABERT-S tokenizer is not here")


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """A folder of published files, DIR/<encoder>."""
    out = tmp_path_factory.mktemp("raw")
    make(out, "dnabert-s", 24, 1)
    make(out, "esm2-8m", 40, 1)
    return out


def publish(monkeypatch, encoder, **changes):
    """Change what a row says is published."""
    row = ROWS[encoder]
    monkeypatch.setitem(ROWS, encoder, replace(row, published=replace(row.published, **changes)))


def is_pinned(weights):
    return fetching.is_pinned(weights, ROWS[weights.encoder])


@pytest.fixture
def pinned(raw, monkeypatch):
    """The small models take the place of the published ones in the list."""
    for encoder in ("dnabert-s", "esm2-8m"):
        model = ROWS[encoder].published
        files = {n: ((raw / encoder / n).stat().st_size, content_digest(raw / encoder / n)) for n in model.files}
        publish(monkeypatch, encoder, revision=COMMIT, files=files)


@pytest.fixture
def hub(raw, tmp_path, monkeypatch):
    for encoder in ("dnabert-s", "esm2-8m"):
        folder = tmp_path / "hub" / ROWS[encoder].published.repo
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.symlink_to(raw / encoder)
    server = Hub(tmp_path / "hub")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setattr("time.sleep", lambda _: None)  # between the client's attempts
    yield server
    server.shutdown()
    server.server_close()


def silent(_):
    pass


sleep = time.sleep  # the fixture `hub` replaces it


class FetchProcess:
    """A process that fetches esm2-8m into a folder of its own; its log goes to a file."""

    def __init__(self, folder: Path, name: str):
        self.out, self.log = folder / name, folder / f"{name}.log"
        self.log.touch()
        # By fork, since a new interpreter would import torch for seconds.
        self.process = multiprocessing.get_context("fork").Process(target=self._run, args=(folder / "cache",))
        self.process.start()

    def _run(self, cache: Path) -> None:
        time.sleep = sleep
        with self.log.open("a") as f:
            fetch(ROWS["esm2-8m"], self.out, cache=cache, log=lambda line: print(line, file=f, flush=True))

    def waits(self) -> bool:
        return "another process downloads into" in self.log.read_text()

    def join(self) -> int | None:
        self.process.join(60)
        return self.process.exitcode


@pytest.fixture
def two_downloads(hub, tmp_path, monkeypatch):
    """A process in the middle of the largest file, another that waits for the first, and the file's part."""
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1 << 14)  # the file is smaller than one chunk
    monkeypatch.setattr("time.sleep", sleep)
    hub.rest = threading.Event()
    first = FetchProcess(tmp_path, "first")
    until(
        lambda: any(p.stat().st_size for p in tmp_path.glob("cache/.partial-esm2-8m/model.safetensors.*.part")),
        60,
        "half a file",
    )
    (part,) = tmp_path.glob("cache/.partial-esm2-8m/model.safetensors.*.part")
    second = FetchProcess(tmp_path, "second")
    until(second.waits, 60, "the second waits")
    yield first, second, part
    hub.rest.set()
    for started in (first, second):
        started.process.kill()
        started.process.join()


def largest_file_requests(hub) -> int:
    return sum(method == "GET" and path.endswith("model.safetensors") and path.startswith("/cdn") for method, path in hub.log)


@pytest.mark.usefixtures("pinned")
def test_from_the_hub_to_safetensors(hub, raw, tmp_path):
    for encoder in ("dnabert-s", "esm2-8m"):
        got = fetch(ROWS[encoder], tmp_path / "out", cache=tmp_path / "cache", log=silent)
        assert is_pinned(got)
        assert got.revision == COMMIT
        assert open_weights(tmp_path / "out", encoder) == got
        assert not list(got.folder.glob("*.bin"))
    published = torch.load(raw / "dnabert-s/pytorch_model.bin")
    stored = load_file(tmp_path / "out/dnabert-s/model.safetensors")
    assert stored.keys() == published.keys()
    assert all(torch.equal(stored[k], published[k]) for k in stored)
    assert any(path.startswith("/cdn/") for _, path in hub.log)


@pytest.mark.usefixtures("pinned")
def test_a_download_goes_on_where_it_broke_off(hub, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1 << 14)  # the file is smaller than one chunk
    hub.cut = 30  # more than one run's retries
    with pytest.raises(InputError, match=r"pytorch_model\.bin at revision .* cannot be fetched"):
        fetch(ROWS["dnabert-s"], tmp_path / "out", cache=tmp_path / "cache", log=silent)
    with pytest.raises(InputError, match=r"no weights\.json"):
        open_weights(tmp_path / "out", "dnabert-s")
    hub.cut, hub.ranges[:] = 0, []
    fetch(ROWS["dnabert-s"], tmp_path / "out", cache=tmp_path / "cache", log=silent)
    assert hub.ranges
    assert hub.ranges[-1] > 0
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.usefixtures("pinned")
def test_of_two_downloads_at_once_the_second_finds_the_files_complete(hub, two_downloads, tmp_path):
    first, second, _ = two_downloads
    hub.rest.set()
    assert (first.join(), second.join()) == (0, 0), first.log.read_text() + second.log.read_text()
    assert largest_file_requests(hub) == 1 and hub.ranges == []
    digests = {open_weights(started.out, "esm2-8m").digest for started in (first, second)}
    assert len(digests) == 1 and is_pinned(fetching.verify(second.out, "esm2-8m"))
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.usefixtures("pinned")
def test_a_download_continues_that_of_a_killed_process(hub, two_downloads, tmp_path):
    first, second, part = two_downloads
    first.process.kill()
    first.join()
    size = part.stat().st_size
    hub.rest.set()
    assert second.join() == 0, second.log.read_text()
    assert hub.ranges == [size] and size > 0 and not (first.out / "esm2-8m").exists()
    assert is_pinned(fetching.verify(second.out, "esm2-8m"))
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.usefixtures("pinned")
def test_an_endpoint_with_a_slash_at_its_end(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", f"{hub.url}/")
    assert is_pinned(fetch(ROWS["esm2-8m"], tmp_path / "out", cache=tmp_path / "cache", log=silent))
    assert not [path for _, path in hub.log if "//" in path]


@pytest.mark.parametrize("endpoint", ["", None])
def test_an_empty_endpoint_is_the_hub_itself(tmp_path, monkeypatch, endpoint):
    def metadata(url, **_):
        raise ConnectionError(url)

    monkeypatch.setattr(fetching, "get_hf_file_metadata", metadata)
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    if endpoint is not None:
        monkeypatch.setenv("HF_ENDPOINT", endpoint)
    with pytest.raises(InputError, match=r"\(https://huggingface\.co/facebook/esm2_t6_8M_UR50D/resolve/\w+/config\.json\)"):
        fetch(ROWS["esm2-8m"], tmp_path / "out", log=silent)


@pytest.mark.usefixtures("pinned")
def test_a_tampered_file_of_the_hub_is_refused_and_fetched_again(hub, raw, tmp_path):
    repo = hub.folder / ROWS["dnabert-s"].published.repo
    repo.unlink()
    repo.mkdir()
    for f in (raw / "dnabert-s").iterdir():
        (repo / f.name).write_bytes(f.read_bytes())
    data = bytearray((repo / "pytorch_model.bin").read_bytes())
    data[-5000] ^= 1
    (repo / "pytorch_model.bin").write_bytes(data)
    expected, found = ROWS["dnabert-s"].published.files["pytorch_model.bin"][1], hashlib.sha256(data).hexdigest()
    with pytest.raises(InputError, match=f"sha256 {expected} expected, {found} found"):
        fetch(ROWS["dnabert-s"], tmp_path / "out", cache=tmp_path / "cache", log=silent)
    (repo / "pytorch_model.bin").write_bytes((raw / "dnabert-s/pytorch_model.bin").read_bytes())
    assert is_pinned(fetch(ROWS["dnabert-s"], tmp_path / "out", cache=tmp_path / "cache", log=silent))


def test_another_revision_is_checked_against_what_the_hub_states(hub, tmp_path):
    got = fetch(ROWS["esm2-8m"], tmp_path / "out", revision="main", cache=tmp_path / "cache", log=silent)
    assert (got.revision, is_pinned(got)) == (COMMIT, False)
    hub.etag = "0" * 64
    with pytest.raises(InputError, match=f"sha256 {'0' * 64} expected"):
        fetch(ROWS["esm2-8m"], tmp_path / "again", revision="main", cache=tmp_path / "cache2", log=silent)
    hub.etag = "0" * 40
    with pytest.raises(InputError, match=rf"\(git\) {'0' * 40} expected"):
        fetch(ROWS["esm2-8m"], tmp_path / "again", revision="main", cache=tmp_path / "cache3", log=silent)


def test_a_file_or_revision_that_is_not_there(hub, tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"esm2_t6_8M_UR50D config\.json at revision f+: the hub does not have this file"):
        fetch(ROWS["esm2-8m"], tmp_path / "out", revision="f" * 40, cache=tmp_path / "cache", log=silent)
    assert hub.log
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(InputError, match=r"cannot be fetched .* check the network"):
        fetch(ROWS["esm2-8m"], tmp_path / "out", revision=COMMIT, cache=tmp_path / "cache", log=silent)


def test_the_script_in_its_own_process(hub, tmp_path):
    """The real client reads its endpoint from the environment."""
    script = Path(__file__).resolve().parents[3] / "bin/fetch_weights.py"
    run = subprocess.run(
        [sys.executable, script, "esm2-8m", "--out", "out", "--revision", "main", "--cache", "cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home")},
    )
    assert run.returncode == 0, run.stderr
    assert f"esm2-8m: revision {COMMIT} (NOT pinned)" in run.stdout


def test_weights_of_another_revision_are_refused(hub, tmp_path):
    assert hub.url
    fetch(ROWS["esm2-8m"], tmp_path / "out", revision="main", cache=tmp_path / "cache", log=silent)
    with pytest.raises(InputError, match=f"out/esm2-8m: revision {COMMIT} instead of {ROWS['esm2-8m'].published.revision}"):
        fetch(ROWS["esm2-8m"], tmp_path / "again", tmp_path / "out", log=silent)


@pytest.fixture
def folder(raw, tmp_path):
    """A copy of the published files that a test may spoil."""
    for encoder in ("dnabert-s", "esm2-8m"):
        (tmp_path / "given" / encoder).mkdir(parents=True)
        for f in (raw / encoder).iterdir():
            (tmp_path / "given" / encoder / f.name).write_bytes(f.read_bytes())
    return tmp_path / "given"


@pytest.mark.usefixtures("pinned")
@pytest.mark.parametrize("encoder", ["dnabert-s", "esm2-8m"])
def test_a_folder_without_a_network(folder, tmp_path, encoder, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    first = fetch(ROWS[encoder], tmp_path / "out", folder, log=silent)
    assert is_pinned(first)
    # What was made once can be given in turn.
    again = fetch(ROWS[encoder], tmp_path / "again", tmp_path / "out", log=silent)
    assert (again.digest, is_pinned(again)) == (first.digest, True)


@pytest.mark.usefixtures("pinned")
@pytest.mark.parametrize(
    ("spoil", "encoder"),
    [
        (lambda f: f.write_bytes(f.read_bytes()[:-1]), "dnabert-s"),
        (lambda f: f.write_bytes(f.read_bytes()[:-1] + b"x"), "dnabert-s"),
        (lambda f: f.write_bytes(b""), "esm2-8m"),
        (lambda f: save_file({"other": torch.zeros(3)}, f), "esm2-8m"),
    ],
)
def test_a_spoilt_file_is_refused_with_both_checksums(folder, tmp_path, spoil, encoder):
    name = "pytorch_model.bin" if encoder == "dnabert-s" else "model.safetensors"
    spoil(folder / encoder / name)
    found = hashlib.sha256((folder / encoder / name).read_bytes()).hexdigest()
    expected = ROWS[encoder].published.files[name][1]
    with pytest.raises(InputError, match=rf"{name}: not the published file: sha256 {expected} expected, {found} found"):
        fetch(ROWS[encoder], tmp_path / "out", folder, log=silent)
    with pytest.raises(InputError, match=r"no weights\.json"):
        open_weights(tmp_path / "out", encoder)


@pytest.mark.usefixtures("pinned")
def test_what_an_earlier_fetch_made_is_checked_again(folder, tmp_path):
    made = fetch(ROWS["dnabert-s"], tmp_path / "out", folder, log=silent).folder / "model.safetensors"
    data = bytearray(made.read_bytes())
    data[-1] ^= 1
    made.write_bytes(data)
    with pytest.raises(InputError, match=r"model\.safetensors: not the published file: sha256 \w+ expected"):
        fetch(ROWS["dnabert-s"], tmp_path / "again", tmp_path / "out", log=silent)
    made.write_bytes(data[:-1])
    with pytest.raises(InputError, match="bytes instead of"):
        open_weights(tmp_path / "out", "dnabert-s")


def test_random_weights_are_taken_only_if_vouched_for(folder, tmp_path):
    with pytest.raises(InputError, match=r"config\.json: not the published file"):
        fetch(ROWS["dnabert-s"], tmp_path / "out", folder, log=silent)
    lines = []
    got = fetch(ROWS["dnabert-s"], tmp_path / "out", folder, LOCAL, log=lines.append)
    assert (got.revision, is_pinned(got)) == (LOCAL, False)
    assert read_json(got.folder / "weights.json")["unchecked"] == ["config.json", "tokenizer.json", "pytorch_model.bin"]
    assert any("no checksum is known" in line for line in lines)
    with pytest.raises(InputError, match="these are the weights of dnabert-s, not of esm2-8m"):
        got.folder.rename(tmp_path / "out/esm2-8m")
        open_weights(tmp_path / "out", "esm2-8m")


def test_sharded_pickles_become_sharded_safetensors(folder, tmp_path, monkeypatch):
    at = folder / "esm2-8m"
    tensors = load_file(at / "model.safetensors")
    names = sorted(tensors)
    parts = {"pytorch_model-00001-of-00002.bin": names[::2], "pytorch_model-00002-of-00002.bin": names[1::2]}
    for file, members in parts.items():
        # As in the published pickles, tied tensors share their memory.
        torch.save({n: tensors[n] for n in members} | {f"lm_head.{file[14:19]}": tensors[members[0]]}, at / file)
    write_json(at / "pytorch_model.bin.index.json", {"metadata": {}, "weight_map": {n: f for f, m in parts.items() for n in m}})
    (at / "model.safetensors").unlink()
    files = dict.fromkeys(("config.json", "vocab.txt", "pytorch_model.bin.index.json", *parts), (None, None))
    publish(monkeypatch, "esm2-8m", files=files)
    got = fetch(ROWS["esm2-8m"], tmp_path / "out", folder, LOCAL, log=silent)
    from virshort.encoders.esm2 import load_model

    found = load_model(got.folder).state_dict()["layers.0.mlp_out.weight"]
    assert torch.equal(found, tensors["esm.encoder.layer.0.output.dense.weight"])


def test_names_and_missing_files(folder, tmp_path):
    (folder / "esm2-8m/vocab.txt").unlink()
    with pytest.raises(InputError, match=r"has no vocab\.txt: put the files of https://huggingface\.co/facebook/esm2_t6_8M"):
        fetch(ROWS["esm2-8m"], tmp_path / "out", folder, LOCAL, log=silent)
    with pytest.raises(InputError, match="nothing to compare these files with"):
        fetch(ROWS["dnabert-s"], tmp_path / "out", folder, "f" * 40, log=silent)


def test_a_pickle_in_place_of_safetensors_is_converted_for_who_vouches_for_it(folder, tmp_path):
    at = folder / "esm2-8m"
    tensors = load_file(at / "model.safetensors")
    torch.save(tensors | {"classifier.dense.weight": torch.zeros(2, 2)}, at / "pytorch_model.bin")  # a fine-tuned model
    torch.save({"step": 1}, at / "optimizer.bin")
    (at / "model.safetensors").unlink()
    got = fetch(ROWS["esm2-8m"], tmp_path / "out", folder, LOCAL, log=silent)
    assert {path.name for path in got.folder.iterdir()} == {"config.json", "vocab.txt", "model.safetensors", "weights.json"}
    from virshort.encoders.esm2 import load_model

    found = load_model(got.folder).state_dict()["layers.0.mlp_out.weight"]
    assert torch.equal(found, tensors["esm.encoder.layer.0.output.dense.weight"])
    (at / "pytorch_model.bin").unlink()
    with pytest.raises(InputError, match=r"esm2-8m: holds neither model\.safetensors nor pytorch_model\.bin"):
        fetch(ROWS["esm2-8m"], tmp_path / "again", folder, LOCAL, log=silent)


def test_the_folder_that_a_row_names_is_taken_as_it_is(folder, tmp_path):
    (folder / "esm2-8m/modeling.py").write_text("raise SystemExit")
    keys = {"modality": "protein", "family": "transformers", "dim": 40, "folder": str(folder / "esm2-8m")}
    row = row_of("mine", keys)
    got = fetch(row, tmp_path / "out", log=silent)
    assert {path.name for path in got.folder.iterdir()} == {"config.json", "vocab.txt", "model.safetensors", "weights.json"}
    assert got.revision == LOCAL and not got.checked
    assert fetch(row, tmp_path / "again", tmp_path / "out", log=silent).digest == got.digest
    with pytest.raises(InputError, match="nowhere: is not a folder"):
        fetch(row_of("mine", keys | {"folder": str(tmp_path / "nowhere")}), tmp_path / "out", log=silent)
