"""The published weights: where they are, what they must be, and how they become safetensors.

Every file is pinned by revision, size and SHA-256 as far as public records agree on them; the others are checked
against the checksum that the hub itself states for that revision. What was fetched stands in weights.json, written
last, so that a folder without it is not used.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import HfFileMetadata, get_hf_file_metadata, hf_hub_url
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from virshort.errors import InputError
from virshort.files import digest, read_json, whole, write_json
from virshort.pickles import read_tensors

LOCAL = "local"
"""The revision of files that a user vouches for: taken from a folder as they are, their checksums recorded."""

RECORD = "weights.json"
_ESM_VOCABULARY = (93, "0b82cc0a7c7cf9e567b1e5892d793285b9fbae822c964ca48696f7db44598e03")
_HUB = (None, None)  # what the hub states

Pin = tuple[int | None, str | None]
"""Bytes and SHA-256 of a file; None where nothing is known beforehand."""


@dataclass(frozen=True)
class Published:
    """A model as its authors publish it. files: name -> pin; dim: numbers a row of the real model."""

    modality: str
    dim: int
    repo: str
    revision: str
    files: Mapping[str, Pin]


PUBLISHED: dict[str, Published] = {
    "dnabert-s": Published("dna", 768, "zhihan1996/DNABERT-S", "00e47f96cdea35e4b6f5df89e5419cbe47d490c6", {
        "config.json": (1025, "d54c142114563aa34ef7c2b54ccc921d08e50cd7c3cd69c439d5e0d2bbcfcdee"),
        "tokenizer.json": (168203, "667f5a0e6e9630f7052b004784dda7c7aeba395cc4ca3c01b11b02e6aa29d7b1"),
        "pytorch_model.bin": (468320053, "f3cfc3d0541859df64759e758cc4bc40fe1d5760799a7d098a9f9f09501c1e5f")}),
    "esm2-8m": Published("protein", 320, "facebook/esm2_t6_8M_UR50D", "c731040fcd8d73dceaa04b0a8e6329b345b0f5df", {
        "config.json": (775, "facb9355e8252149f6f99dff5fd1e32e890c3c655362b261d0c81cd6b5839c85"),
        "vocab.txt": _ESM_VOCABULARY,
        "model.safetensors": (31384292, "24c5fa474c48f3b754b86efe752d5f189d2bcd88190fa2270fc92b2ef3034189")}),
    "esm2-35m": Published("protein", 480, "facebook/esm2_t12_35M_UR50D", "6fbf070e65b0b7291e7bbcd451118c216cff79d8", {
        "config.json": (778, "ae07364efa51e0fa1d81da3fe608f6d948abdbbb69785ba6e1df379a458e58ee"),
        "vocab.txt": _ESM_VOCABULARY, "model.safetensors": _HUB}),
    "esm2-150m": Published("protein", 640, "facebook/esm2_t30_150M_UR50D", "a695f6045e2e32885fa60af20c13cb35398ce30c", {
        "config.json": (None, "e512f68ec444d99477703a9806639ca83da3dbc19f6c5fe428d6e5b7460972dc"),
        "vocab.txt": _ESM_VOCABULARY,
        "model.safetensors": (595257706, "c3f1da8aea53bddd32c246c86168c23b9fd72341fb9db9a94436f855f5053566")}),
    "esm2-650m": Published("protein", 1280, "facebook/esm2_t33_650M_UR50D",
                           "08e4846e537177426273712802403f7ba8261b6c", {
        "config.json": (724, "539095c22efc52a09d6147074ba4ca119f76a890df5901213b2b55f7d2f96b2b"),
        "vocab.txt": _ESM_VOCABULARY,
        "model.safetensors": (2609506392, "a08adabb949fa67ad3c14b509d04fd60368b35007b0095e3358f81200c4f4db0")}),
    "esm2-3b": Published("protein", 2560, "facebook/esm2_t36_3B_UR50D", "476b639933c8baad5ad09a60ac1a87f987b656fc", {
        "config.json": _HUB, "vocab.txt": _ESM_VOCABULARY, "pytorch_model.bin.index.json": _HUB,
        "pytorch_model-00001-of-00002.bin": (9976735419, None),
        "pytorch_model-00002-of-00002.bin": (1390347055, None)}),
    # Trained 50,000 steps more than facebook's: another model, offered under its own name and never in place of that.
    "fastesm2-650m": Published("protein", 1280, "Synthyra/FastESM2_650", "main", {
        "config.json": _HUB, "vocab.txt": _HUB, "model.safetensors": _HUB}),
}


@dataclass(frozen=True)
class Weights:
    """A folder ready for loading. digest: of the published files it was made from; revision: their commit, or local;
    pinned: that commit is ours, and every file had a checksum to be checked against."""

    encoder: str
    folder: Path
    digest: str
    revision: str
    pinned: bool


def published(encoder: str) -> Published:
    """Raises InputError for a name that is not among the language models."""
    if encoder not in PUBLISHED:
        raise InputError(f"encoder {encoder}: no such language model: one of {', '.join(PUBLISHED)}")
    return PUBLISHED[encoder]


def open_weights(folder: Path, encoder: str) -> Weights:
    """The fetched weights of an encoder in `folder/<encoder>`, checked by record and sizes: checksums were compared on
    fetching, and hashing gigabytes again would cost every task seconds. Raises InputError naming what is missing or cut
    short."""
    model, at = published(encoder), folder / encoder
    record = _read_record(at, encoder)
    for name, (size, _) in record["stored"].items():
        path = at / name
        if not path.is_file() or path.stat().st_size != size:
            raise InputError(f"{path}: {path.stat().st_size if path.is_file() else 'no'} bytes instead of {size}: "
                             "delete the folder and fetch the weights anew")
    pinned = record["revision"] == model.revision and len(model.revision) == 40 and not record["unchecked"]
    return Weights(encoder, at, record["digest"], record["revision"], pinned)


def verify(folder: Path, encoder: str) -> Weights:
    """As `open_weights`, and every file by its checksum. Raises InputError naming the first that differs."""
    weights = open_weights(folder, encoder)
    for name, pin in _read_record(weights.folder, encoder)["stored"].items():
        _check(weights.folder / name, tuple(pin))
    return weights


def _read_record(folder: Path, encoder: str) -> dict[str, Any]:
    path = folder / RECORD
    try:
        record = read_json(path)
        if record["encoder"] != encoder:
            raise InputError(f"{path}: weights of {record['encoder']} in the place of {encoder}'s")
        missing = {"stored", "published", "unchecked", "digest", "revision"} - record.keys()
        if missing:
            raise KeyError(*missing)
    except FileNotFoundError as e:
        raise InputError(f"{folder}: no {RECORD}, so no fetched weights of {encoder}: run bin/fetch_weights.py") from e
    except (json.JSONDecodeError, KeyError, TypeError) as e:
        raise InputError(f"{path}: damaged: delete the folder and fetch the weights anew") from e
    return record


def fetch(encoder: str, out: Path, folder: Path | None = None, revision: str | None = None, cache: Path | None = None,
          log: Callable[[str], None] = print) -> Weights:
    """Put an encoder's weights into `out/<encoder>`: from the hub, or from `folder/<encoder>` without a network.

    folder: holds the published files, or what an earlier fetch made; revision: the pinned one if None, another commit
    (checked against the hub's own checksums), or `local` (the folder's files as they are); cache: where an interrupted
    download goes on. Raises InputError naming a file that is missing or not what it must be, with both checksums."""
    model = published(encoder)
    target = out / encoder
    if folder is not None and (folder / encoder / RECORD).is_file() and revision in (None, LOCAL):
        return _copy_fetched(folder / encoder, target, encoder, revision)
    wanted = revision or model.revision
    if wanted == LOCAL and folder is None:
        raise InputError("revision local: give the folder with the files (--weights)")
    pins: Mapping[str, Pin] = model.files if wanted == model.revision else dict.fromkeys(model.files, _HUB)
    if folder is not None:
        if wanted not in (model.revision, LOCAL):
            raise InputError(f"revision {wanted} with --weights: there is nothing to check these files against: "
                             f"fetch them from the hub, or take them as they are by --revision {LOCAL}")
        sources = _from_folder(folder / encoder, model, pins, wanted)
        commit = wanted if len(wanted) == 40 else LOCAL
        unchecked = [n for n in sources if not pins.get(n, _HUB)[1]]
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
            stored[made.name] = (made.stat().st_size, sha256 if made.name == name else _sha256(made))
    if folder is None:
        shutil.rmtree(partial)
    if unchecked:
        log(f"{encoder}: no checksum is known beforehand for {', '.join(unchecked)}: taken as they are")
    known = {n: sha256 for n, (_, sha256) in sorted(sources.items())}
    write_json(target / RECORD, {
        "encoder": encoder, "repo": model.repo, "revision": commit, "published": known, "unchecked": unchecked,
        "stored": dict(sorted(stored.items())), "digest": digest(*(x for pair in known.items() for x in pair))})
    return open_weights(out, encoder)


def _copy_fetched(source: Path, target: Path, encoder: str, revision: str | None) -> Weights:
    """Copy what an earlier fetch made, checking every byte against its record."""
    model, record = published(encoder), _read_record(source, encoder)
    if revision is None and record["revision"] != model.revision:
        raise InputError(f"{source}: revision {record['revision']} instead of {model.revision}: "
                         f"fetch anew, or take it as it is by --revision {LOCAL}")
    for name, known in record["published"].items():
        expected = model.files.get(name, _HUB)[1]
        if revision is None and expected and known != expected:
            raise _differs(source / name, (None, expected), None, known)
    target.mkdir(parents=True, exist_ok=True)
    for name, (size, sha256) in record["stored"].items():
        if not (source / name).is_file():
            raise InputError(f"{source / name}: missing: fetch the weights anew")
        _check(source / name, (size, sha256))
        if target.resolve() != source.resolve():
            _place(source / name, target / name)
    if target.resolve() != source.resolve():
        _place(source / RECORD, target / RECORD)
    return open_weights(target.parent, encoder)


def _from_folder(folder: Path, model: Published, pins: Mapping[str, Pin], wanted: str) -> dict[str, tuple[Path, str]]:
    """Name -> path and SHA-256 of the published files in a folder."""
    files = dict(pins)
    if wanted == LOCAL and not all((folder / n).is_file() for n in files) and (folder / "model.safetensors").is_file():
        files = {n: _HUB for n in files if not n.startswith("pytorch_model")} | {"model.safetensors": _HUB}
    missing = [n for n in files if not (folder / n).is_file()]
    if missing:
        raise InputError(f"{folder}: no {', '.join(missing)}: put the files of https://huggingface.co/{model.repo} at "
                         f"revision {model.revision} there, or what bin/fetch_weights.py made on another machine")
    return {n: (folder / n, _check(folder / n, pin)) for n, pin in files.items()}


def _from_hub(model: Published, pins: Mapping[str, Pin], wanted: str, cache: Path,
              log: Callable[[str], None]) -> tuple[dict[str, tuple[Path, str]], str]:
    """Name -> path and SHA-256 of the published files, downloaded into `cache`, and the commit they are of."""
    out, commit = {}, wanted
    for name, pin in pins.items():
        try:
            path, stated = _download(model.repo, name, commit, cache, log)
        except Exception as e:  # the client lets errors of whichever HTTP library it uses through
            raise InputError(f"{model.repo} {name} at revision {wanted}: cannot be fetched ({_first_line(e)}): "
                             "mind the network and proxy, or give the files by --weights") from e
        commit = stated.commit_hash or commit
        try:
            out[name] = (path, _check(path, pin if pin[1] else (pin[0] or stated.size, None), stated.etag))
        except InputError:
            path.unlink()  # or the next attempt would take it as downloaded
            raise
    return out, commit


def _download(repo: str, name: str, revision: str, cache: Path,
              log: Callable[[str], None]) -> tuple[Path, HfFileMetadata]:
    """Download a file, or the rest of it where an earlier attempt got part of the same content. The hub's client
    itself goes on within a call only, and its caches hold every file twice."""
    endpoint = os.environ.get("HF_ENDPOINT")
    stated = get_hf_file_metadata(hf_hub_url(repo, name, revision=revision, endpoint=endpoint), token=False,
                                  endpoint=endpoint)
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / f"{name}.{stated.etag}.part"
    with path.open("ab") as f:
        log(f"{repo} at {revision}: {name}, {stated.size} bytes" + (f", {f.tell()} there already" if f.tell() else ""))
        http_get(stated.location, f, resume_size=f.tell(), expected_size=stated.size,
                 headers={**build_hf_headers(token=False), "Accept-Encoding": "identity"})
    return path, stated


def _first_line(e: Exception) -> str:
    return (str(e).strip().splitlines() or [type(e).__name__])[0][:200]


def _check(path: Path, pin: Pin, etag: str | None = None) -> str:
    """The file's SHA-256, if it is as pinned, or else as the hub's ETag says (SHA-256 of large files, git's SHA-1 of
    small ones). Raises InputError otherwise."""
    size, found = path.stat().st_size, _sha256(path)
    if (pin[1] and found != pin[1]) or (pin[0] is not None and size != pin[0]):
        raise _differs(path, pin, size, found)
    if not pin[1] and etag and len(etag) == 64 and found != etag:
        raise _differs(path, (pin[0], etag), size, found)
    if not pin[1] and etag and len(etag) == 40 and _git_sha1(path) != etag:
        raise _differs(path, (pin[0], f"(git) {etag}"), size, f"(git) {_git_sha1(path)}")
    return found


def _differs(path: Path, pin: Pin, size: int | None, found: str) -> InputError:
    sizes = f", {pin[0]} bytes expected, {size} found" if pin[0] is not None and size not in (None, pin[0]) else ""
    return InputError(f"{path}: not the published file: sha256 {pin[1] or 'not known'} expected, {found} found{sizes}: "
                      f"fetch it anew, or take it as it is by --revision {LOCAL}")


def _sha256(path: Path) -> str:
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def _git_sha1(path: Path) -> str:
    h = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    h.update(path.read_bytes())
    return h.hexdigest()


def _store(path: Path, name: str, target: Path) -> list[Path]:
    """Put a published file into the target as the loaders want it. Returns what was made of it."""
    if name.endswith(".bin"):
        made = target / name.replace("pytorch_model", "model").replace(".bin", ".safetensors")
        with whole(made) as temporary:
            save_file(_apart(read_tensors(path)), temporary, {"format": "pt"})
    elif name.endswith(".bin.index.json"):
        made = target / "model.safetensors.index.json"
        index = read_json(path)
        files = {k: v.replace("pytorch_model", "model").replace(".bin", ".safetensors")
                 for k, v in index["weight_map"].items()}
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
