"""Fetching weights from the hub or from a folder: they are checked and stored as safetensors.

The record of what was fetched, weights.json, is written last.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from huggingface_hub import HfFileMetadata, get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from virshort.encoders.checksums import LOCAL, UNPINNED, Pin, check_file, not_published
from virshort.encoders.rows import Published, Row
from virshort.encoders.weights import RECORD, Weights, WeightsRecord, open_weights, read_record
from virshort.errors import InputError, NetworkError, first_line
from virshort.files import content_digest, digest, read_json, whole, write_json
from virshort.pickles import read_tensors

Sources = dict[str, tuple[Path, str]]
"""Name of a published file -> its path on this machine, and its SHA-256."""
Log = Callable[[str], None]
_WEIGHTS = (".bin", ".safetensors", ".bin.index.json", ".safetensors.index.json")
_OF_MODEL = ("model", "pytorch_model")
"""How the names of files of tensors end, and how they begin if they are the model itself, and not its optimizer's state."""


def fetch(
    row: Row,
    out: Path,
    folder: Path | None = None,
    revision: str | None = None,
    cache: Path | None = None,
    log: Log = print,
) -> Weights:
    """Put the weights of an encoder into `out/<encoder>`: from the hub, or without a network from `folder/<encoder>` or the
    folder that its row names.

    folder: holds the published files, or what an earlier fetch made; revision: the pinned one if None, another commit (compared
    with the hub's own checksums), or `local` (the folder's files as they are); cache: keeps interrupted downloads, which the
    next call continues. Raises InputError naming a file that is missing or differs from the published one, with both
    checksums."""
    encoder, model = row.name, row.published
    if model.folder and folder is None:
        sources = _from_folder(Path(model.folder), model, {}, LOCAL)
        return _store_all(encoder, out, "", LOCAL, sources, [*sources], log)
    wanted = revision or model.revision
    if not wanted:
        raise InputError(f"{encoder}: no commit of {model.repo} is pinned: name the one you want as its revision")
    pins: Mapping[str, Pin] = model.files if wanted == model.revision else dict.fromkeys(model.files, UNPINNED)
    if folder is not None:
        if (folder / encoder / RECORD).is_file():
            return _copy_fetched(folder / encoder, out / encoder, row, wanted)
        if wanted not in (model.revision, LOCAL):
            raise InputError(
                f"revision {wanted} with --weights: there is nothing to compare these files with: "
                f"fetch them from the hub, or vouch for them yourself with the revision {LOCAL}"
            )
        sources = _from_folder(folder / encoder, model, pins, wanted)
        unchecked = [name for name in sources if not pins.get(name, UNPINNED)[1]]
        return _store_all(encoder, out, model.repo, wanted, sources, unchecked, log)
    if wanted == LOCAL:
        raise InputError(f"revision {LOCAL}: name the folder that holds the files with --weights")
    downloads = (cache or out) / f".partial-{encoder}"
    with _used_alone(downloads, log):
        sources, commit = _from_hub(model, pins, wanted, downloads, log)
        return _store_all(encoder, out, model.repo, commit, sources, [], log)


def is_pinned(weights: Weights, row: Row) -> bool:
    """Whether these weights are those of the row's commit, and every file had a checksum to compare with."""
    return weights.checked and weights.revision == row.published.revision


def verify(folder: Path, encoder: str) -> Weights:
    """Open weights as `open_weights` does, and also compare every file with its checksum. Raises InputError naming the first
    that differs."""
    weights = open_weights(folder, encoder)
    for name, (size, sha256) in read_record(weights.folder, encoder)["stored"].items():
        check_file(weights.folder / name, (size, sha256))
    return weights


def _store_all(encoder: str, out: Path, repo: str, commit: str, sources: Sources, unchecked: list[str], log: Log) -> Weights:
    """Store published files in `out/<encoder>` as the loaders want them, and write the record."""
    target = out / encoder
    target.mkdir(parents=True, exist_ok=True)
    (target / RECORD).unlink(missing_ok=True)
    stored: dict[str, tuple[int, str]] = {}
    for name, (path, sha256) in sources.items():
        log(f"{encoder}: {name}, {path.stat().st_size} bytes, sha256 {sha256}")
        made = _store(path, name, target)
        stored[made.name] = (made.stat().st_size, sha256 if made.name == name else content_digest(made))
    if unchecked:
        log(f"{encoder}: no checksum is known beforehand for {', '.join(unchecked)}: taken as they are")
    known = {name: sha256 for name, (_, sha256) in sorted(sources.items())}
    record: WeightsRecord = {
        "encoder": encoder,
        "repo": repo,
        "revision": commit,
        "published": known,
        "unchecked": unchecked,
        "stored": dict(sorted(stored.items())),
        "digest": digest(*(x for pair in known.items() for x in pair)),
    }
    write_json(target / RECORD, record)
    return open_weights(out, encoder)


def _copy_fetched(source: Path, target: Path, row: Row, wanted: str) -> Weights:
    """Copy what an earlier fetch made, comparing every file with its record."""
    model, record = row.published, read_record(source, row.name)
    if wanted not in (LOCAL, record["revision"]):
        raise InputError(
            f"{source}: revision {record['revision']} instead of {wanted}: fetch it again, or vouch for it "
            f"yourself with the revision {LOCAL}"
        )
    for name, known in record["published"].items():
        expected = model.files.get(name, UNPINNED)[1]
        if wanted == model.revision and expected and known != expected:
            raise not_published(source / name, (None, expected), None, known)
    target.mkdir(parents=True, exist_ok=True)
    for name, (size, sha256) in record["stored"].items():
        if not (source / name).is_file():
            raise InputError(f"{source / name}: missing: fetch the weights again")
        check_file(source / name, (size, sha256))
        if target.resolve() != source.resolve():
            _place(source / name, target / name)
    if target.resolve() != source.resolve():
        _place(source / RECORD, target / RECORD)
    return open_weights(target.parent, row.name)


def _from_folder(folder: Path, model: Published, pins: Mapping[str, Pin], wanted: str) -> Sources:
    """The published files in a folder."""
    files = dict(pins)
    if wanted == LOCAL and (not files or not all((folder / n).is_file() for n in files)):
        files = dict.fromkeys([*(n for n in files if not n.endswith(_WEIGHTS)), *_files_in(folder, not files)], UNPINNED)
    missing = [n for n in files if not (folder / n).is_file()]
    if missing:
        raise InputError(
            f"{folder}: has no {', '.join(missing)}: put the files of https://huggingface.co/{model.repo} at "
            f"revision {model.revision or wanted} there, or what bin/fetch_weights.py made on another machine"
        )
    return {n: (folder / n, check_file(folder / n, pin)) for n, pin in files.items()}


def _files_in(folder: Path, every: bool) -> list[str]:
    """Names of the files of tensors in a folder of the user: as safetensors if there are any, and otherwise as pickles, which
    are converted. every: also those that describe the model and its tokens.

    Raises InputError where there is no folder, and where it holds no tensors that can be read."""
    if not folder.is_dir():
        raise InputError(f"{folder}: is not a folder: name the one that holds the files of the model")
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and path.name != RECORD)
    tensors = [n for n in names if n.endswith(_WEIGHTS) and n.startswith(_OF_MODEL)]
    chosen = [n for n in tensors if ".safetensors" in n] or [n for n in tensors if ".bin" in n]
    if not chosen:
        raise InputError(
            f"{folder}: holds neither model.safetensors nor pytorch_model.bin, nor parts of one: put the weights there in such "
            "a form"
        )
    return [*chosen, *(n for n in names if every and n.endswith((".json", ".txt", ".model")) and n not in tensors)]


@contextmanager
def _used_alone(downloads: Path, log: Log) -> Iterator[None]:
    """Let one process at a time use a folder of downloads. When it succeeds the folder is removed, unless another process waits
    for it, which then finds the files complete.

    Two processes meet here when a run is killed and resumed at once, since its task may outlive it. The locks are flock, which
    the kernel releases however a process ends; a SoftFileLock is a mere file, which would stay behind a killed process. On NFS,
    Linux passes flock on to the server, so that it holds between machines. (Where a file system has no flock at all, filelock
    falls back to such a file.) `queue` is held while waiting for `use`, so that the user can see whether someone waits.
    """
    downloads.parent.mkdir(parents=True, exist_ok=True)
    use, queue = (FileLock(downloads.with_name(f"{downloads.name}.{kind}.lock")) for kind in ("use", "queue"))
    with queue:
        try:
            use.acquire(timeout=0)
        except Timeout:
            log(f"another process downloads into {downloads}: waiting for it")
            use.acquire()
    try:
        yield
        with suppress(Timeout), queue.acquire(timeout=0):
            shutil.rmtree(downloads)
            for lock in (use, queue):  # a process that opened one of them meanwhile notices that it is gone, and makes another
                Path(lock.lock_file).unlink(missing_ok=True)
    finally:
        use.release()


def _from_hub(model: Published, pins: Mapping[str, Pin], wanted: str, downloads: Path, log: Log) -> tuple[Sources, str]:
    """The published files, downloaded into a folder, and the commit to which they belong."""
    out, commit = {}, wanted
    for name, pin in pins.items():
        try:
            path, stated = _download(model.repo, name, commit, downloads, log)
        except (RepositoryNotFoundError, RevisionNotFoundError, EntryNotFoundError) as e:
            raise InputError(
                f"{model.repo} {name} at revision {wanted}: the hub does not have this file ({first_line(e)}): "
                "check the revision, and HF_ENDPOINT if you set it"
            ) from e
        except Exception as e:  # the client passes on the errors of whichever HTTP library it uses
            raise NetworkError(
                f"{model.repo} {name} at revision {wanted}: cannot be fetched ({first_line(e)}): "
                "check the network and the proxy, or give the files with --weights"
            ) from e
        commit = stated.commit_hash or commit
        try:
            out[name] = (path, check_file(path, pin if pin[1] else (pin[0] or stated.size, None), stated.etag))
        except InputError:
            path.unlink()  # otherwise the next attempt would take it as downloaded
            raise
    return out, commit


def _download(repo: str, name: str, revision: str, downloads: Path, log: Log) -> tuple[Path, HfFileMetadata]:
    """Download a file, or the rest of it if an earlier attempt got a part of the same content. The hub's own client continues
    within one call only, and its caches hold every file twice."""
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co"
    stated = get_hf_file_metadata(hf_hub_url(repo, name, revision=revision, endpoint=endpoint), token=False, endpoint=endpoint)
    downloads.mkdir(parents=True, exist_ok=True)
    path = downloads / f"{name}.{stated.etag}.part"
    with path.open("ab") as f:
        log(f"{repo} at {revision}: {name}, {stated.size} bytes" + (f", {f.tell()} already here" if f.tell() else ""))
        http_get(
            stated.location,
            f,
            resume_size=f.tell(),
            expected_size=stated.size,
            headers={**build_hf_headers(token=False), "Accept-Encoding": "identity"},
        )
    return path, stated


def _store(path: Path, name: str, target: Path) -> Path:
    """Put a published file into the target as the loaders want it. Returns the file that was written."""
    if name.endswith(".bin"):
        made = target / name.replace("pytorch_model", "model").replace(".bin", ".safetensors")
        with whole(made) as temporary:
            save_file(_unshared(read_tensors(path)), temporary, {"format": "pt"})
    elif name.endswith(".bin.index.json"):
        made = target / "model.safetensors.index.json"
        index = read_json(path)
        files = {k: v.replace("pytorch_model", "model").replace(".bin", ".safetensors") for k, v in index["weight_map"].items()}
        write_json(made, {"metadata": index.get("metadata", {}), "weight_map": files})
    else:
        made = target / name
        if name.endswith(".safetensors"):
            try:
                with safe_open(path, "pt"):
                    pass
            except (SafetensorError, OSError) as e:
                raise InputError(f"{path}: not a safetensors file ({first_line(e)}): fetch it again") from e
        _place(path, made)
    return made


def _unshared(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same tensors, none of which share memory: tied tensors do in a pickle, but must not in safetensors. Only these are
    copied."""
    seen: set[int] = set()
    out = {}
    for name, tensor in tensors.items():
        at = tensor.untyped_storage().data_ptr()
        out[name] = tensor.clone(memory_format=torch.contiguous_format) if at in seen else tensor.contiguous()
        seen.add(at)
    return out


def _place(source: Path, target: Path) -> None:
    with whole(target) as temporary:
        shutil.copyfile(source, temporary)
