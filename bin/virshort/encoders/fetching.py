"""Fetching weights: from the hub or from a folder, checked, made into safetensors.

What was fetched stands in weights.json, written last.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from huggingface_hub import HfFileMetadata, get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from virshort.encoders.published import HUB, LOCAL, Pin, Published, published
from virshort.encoders.weights import RECORD, Weights, check_file, differs, open_weights, read_record, sha256_of
from virshort.errors import InputError, NetworkError
from virshort.files import digest, read_json, whole, write_json
from virshort.pickles import read_tensors


def fetch(
    encoder: str,
    out: Path,
    folder: Path | None = None,
    revision: str | None = None,
    cache: Path | None = None,
    log: Callable[[str], None] = print,
) -> Weights:
    """Put an encoder's weights into `out/<encoder>`: from the hub, or from `folder/<encoder>` without a network.

    folder: holds the published files, or what an earlier fetch made; revision: the pinned one if None, another commit
    (checked against the hub's own checksums), or `local` (the folder's files as they are); cache: where an interrupted
    download goes on. Raises InputError naming a file that is missing or not what it must be, with both checksums."""
    model = published(encoder)
    target = out / encoder
    wanted = revision or model.revision
    if not wanted:
        raise InputError(f"{encoder}: no commit of {model.repo} is pinned: name the one you want as its revision")
    if folder is not None and (folder / encoder / RECORD).is_file():
        return _copy_fetched(folder / encoder, target, encoder, wanted)
    if wanted == LOCAL and folder is None:
        raise InputError("revision local: give the folder with the files (--weights)")
    pins: Mapping[str, Pin] = model.files if wanted == model.revision else dict.fromkeys(model.files, HUB)
    if folder is not None:
        if wanted not in (model.revision, LOCAL):
            raise InputError(
                f"revision {wanted} with --weights: there is nothing to check these files against: "
                f"fetch them from the hub, or vouch for them yourself by revision {LOCAL}"
            )
        sources = _from_folder(folder / encoder, model, pins, wanted)
        commit = wanted
        unchecked = [n for n in sources if not pins.get(n, HUB)[1]]
    else:
        partial = (cache or out) / f".partial-{encoder}"
        sources, commit = _from_hub(model, pins, wanted, partial, log)
        unchecked = []
    target.mkdir(parents=True, exist_ok=True)
    (target / RECORD).unlink(missing_ok=True)
    stored: dict[str, Pin] = {}
    for name, (path, sha256) in sources.items():
        log(f"{encoder}: {name}, {path.stat().st_size} bytes, sha256 {sha256}")
        for made in _store(path, name, target):
            stored[made.name] = (made.stat().st_size, sha256 if made.name == name else sha256_of(made))
    if folder is None:
        shutil.rmtree(partial)
    if unchecked:
        log(f"{encoder}: no checksum is known beforehand for {', '.join(unchecked)}: taken as they are")
    known = {n: sha256 for n, (_, sha256) in sorted(sources.items())}
    write_json(
        target / RECORD,
        {
            "encoder": encoder,
            "repo": model.repo,
            "revision": commit,
            "published": known,
            "unchecked": unchecked,
            "stored": dict(sorted(stored.items())),
            "digest": digest(*(x for pair in known.items() for x in pair)),
        },
    )
    return open_weights(out, encoder)


def _copy_fetched(source: Path, target: Path, encoder: str, wanted: str) -> Weights:
    """Copy what an earlier fetch made, checking every byte against its record."""
    model, record = published(encoder), read_record(source, encoder)
    if wanted not in (LOCAL, record["revision"]):
        raise InputError(
            f"{source}: revision {record['revision']} instead of {wanted}: fetch anew, or vouch for it "
            f"yourself by revision {LOCAL}"
        )
    for name, known in record["published"].items():
        expected = model.files.get(name, HUB)[1]
        if wanted == model.revision and expected and known != expected:
            raise differs(source / name, (None, expected), None, known)
    target.mkdir(parents=True, exist_ok=True)
    for name, (size, sha256) in record["stored"].items():
        if not (source / name).is_file():
            raise InputError(f"{source / name}: missing: fetch the weights anew")
        check_file(source / name, (size, sha256))
        if target.resolve() != source.resolve():
            _place(source / name, target / name)
    if target.resolve() != source.resolve():
        _place(source / RECORD, target / RECORD)
    return open_weights(target.parent, encoder)


def _from_folder(folder: Path, model: Published, pins: Mapping[str, Pin], wanted: str) -> dict[str, tuple[Path, str]]:
    """Name -> path and SHA-256 of the published files in a folder."""
    files = dict(pins)
    if wanted == LOCAL and not all((folder / n).is_file() for n in files) and (folder / "model.safetensors").is_file():
        files = {n: HUB for n in files if not n.startswith("pytorch_model")} | {"model.safetensors": HUB}
    missing = [n for n in files if not (folder / n).is_file()]
    if missing:
        raise InputError(
            f"{folder}: no {', '.join(missing)}: put the files of https://huggingface.co/{model.repo} at "
            f"revision {model.revision} there, or what bin/fetch_weights.py made on another machine"
        )
    return {n: (folder / n, check_file(folder / n, pin)) for n, pin in files.items()}


def _from_hub(
    model: Published, pins: Mapping[str, Pin], wanted: str, cache: Path, log: Callable[[str], None]
) -> tuple[dict[str, tuple[Path, str]], str]:
    """Name -> path and SHA-256 of the published files, downloaded into `cache`, and the commit they are of."""
    out, commit = {}, wanted
    for name, pin in pins.items():
        try:
            path, stated = _download(model.repo, name, commit, cache, log)
        except (RepositoryNotFoundError, RevisionNotFoundError, EntryNotFoundError) as e:
            raise InputError(
                f"{model.repo} {name} at revision {wanted}: the hub has no such file ({_first_line(e)}): mind the revision"
            ) from e
        except Exception as e:  # the client lets errors of whichever HTTP library it uses through
            raise NetworkError(
                f"{model.repo} {name} at revision {wanted}: cannot be fetched ({_first_line(e)}): "
                "mind the network and proxy, or give the files by --weights"
            ) from e
        commit = stated.commit_hash or commit
        try:
            out[name] = (path, check_file(path, pin if pin[1] else (pin[0] or stated.size, None), stated.etag))
        except InputError:
            path.unlink()  # or the next attempt would take it as downloaded
            raise
    return out, commit


def _download(repo: str, name: str, revision: str, cache: Path, log: Callable[[str], None]) -> tuple[Path, HfFileMetadata]:
    """Download a file, or the rest of it where an earlier attempt got part of the same content. The hub's client
    itself goes on within a call only, and its caches hold every file twice."""
    endpoint = os.environ.get("HF_ENDPOINT")
    stated = get_hf_file_metadata(hf_hub_url(repo, name, revision=revision, endpoint=endpoint), token=False, endpoint=endpoint)
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / f"{name}.{stated.etag}.part"
    with path.open("ab") as f:
        log(f"{repo} at {revision}: {name}, {stated.size} bytes" + (f", {f.tell()} there already" if f.tell() else ""))
        http_get(
            stated.location,
            f,
            resume_size=f.tell(),
            expected_size=stated.size,
            headers={**build_hf_headers(token=False), "Accept-Encoding": "identity"},
        )
    return path, stated


def _store(path: Path, name: str, target: Path) -> list[Path]:
    """Put a published file into the target as the loaders want it. Returns what was made of it."""
    if name.endswith(".bin"):
        made = target / name.replace("pytorch_model", "model").replace(".bin", ".safetensors")
        with whole(made) as temporary:
            save_file(_apart(read_tensors(path)), temporary, {"format": "pt"})
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
                raise InputError(f"{path}: not a safetensors file ({_first_line(e)}): fetch it anew") from e
        _place(path, made)
    return [made]


def _apart(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Tied tensors share memory in a pickle; safetensors wants each its own. Only these are copied."""
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


def _first_line(e: Exception) -> str:
    return (str(e).strip().splitlines() or [type(e).__name__])[0][:200]
