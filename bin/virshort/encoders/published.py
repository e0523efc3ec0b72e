"""The language models as their authors publish them: where, at which commit, and what each file must be.

Every file is pinned by revision, size and SHA-256 as far as public records agree on them. The others are compared with the
checksum that the hub itself states for that revision.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from virshort.encoders.checksums import LOCAL, UNPINNED, Pin
from virshort.errors import InputError

_ESM_VOCABULARY: Pin = (93, "0b82cc0a7c7cf9e567b1e5892d793285b9fbae822c964ca48696f7db44598e03")


@dataclass(frozen=True)
class Published:
    """A model as its authors publish it. files: name -> pin; revision: the commit that is used, empty if no public record names
    one, so that the user has to."""

    repo: str
    revision: str
    files: Mapping[str, Pin]


PUBLISHED: dict[str, Published] = {
    "dnabert-s": Published(
        "zhihan1996/DNABERT-S",
        "00e47f96cdea35e4b6f5df89e5419cbe47d490c6",
        {
            "config.json": (1025, "d54c142114563aa34ef7c2b54ccc921d08e50cd7c3cd69c439d5e0d2bbcfcdee"),
            "tokenizer.json": (168203, "667f5a0e6e9630f7052b004784dda7c7aeba395cc4ca3c01b11b02e6aa29d7b1"),
            "pytorch_model.bin": (468320053, "f3cfc3d0541859df64759e758cc4bc40fe1d5760799a7d098a9f9f09501c1e5f"),
        },
    ),
    "esm2-8m": Published(
        "facebook/esm2_t6_8M_UR50D",
        "c731040fcd8d73dceaa04b0a8e6329b345b0f5df",
        {
            "config.json": (775, "facb9355e8252149f6f99dff5fd1e32e890c3c655362b261d0c81cd6b5839c85"),
            "vocab.txt": _ESM_VOCABULARY,
            "model.safetensors": (31384292, "24c5fa474c48f3b754b86efe752d5f189d2bcd88190fa2270fc92b2ef3034189"),
        },
    ),
    "esm2-35m": Published(
        "facebook/esm2_t12_35M_UR50D",
        "6fbf070e65b0b7291e7bbcd451118c216cff79d8",
        {
            "config.json": (778, "ae07364efa51e0fa1d81da3fe608f6d948abdbbb69785ba6e1df379a458e58ee"),
            "vocab.txt": _ESM_VOCABULARY,
            "model.safetensors": UNPINNED,
        },
    ),
    "esm2-150m": Published(
        "facebook/esm2_t30_150M_UR50D",
        "a695f6045e2e32885fa60af20c13cb35398ce30c",
        {
            "config.json": (None, "e512f68ec444d99477703a9806639ca83da3dbc19f6c5fe428d6e5b7460972dc"),
            "vocab.txt": _ESM_VOCABULARY,
            "model.safetensors": (595257706, "c3f1da8aea53bddd32c246c86168c23b9fd72341fb9db9a94436f855f5053566"),
        },
    ),
    "esm2-650m": Published(
        "facebook/esm2_t33_650M_UR50D",
        "08e4846e537177426273712802403f7ba8261b6c",
        {
            "config.json": (724, "539095c22efc52a09d6147074ba4ca119f76a890df5901213b2b55f7d2f96b2b"),
            "vocab.txt": _ESM_VOCABULARY,
            "model.safetensors": (2609506392, "a08adabb949fa67ad3c14b509d04fd60368b35007b0095e3358f81200c4f4db0"),
        },
    ),
    "esm2-3b": Published(
        "facebook/esm2_t36_3B_UR50D",
        "476b639933c8baad5ad09a60ac1a87f987b656fc",
        {
            "config.json": UNPINNED,
            "vocab.txt": _ESM_VOCABULARY,
            "pytorch_model.bin.index.json": UNPINNED,
            "pytorch_model-00001-of-00002.bin": (9976735419, None),
            "pytorch_model-00002-of-00002.bin": (1390347055, None),
        },
    ),
    # Trained for 50,000 steps more than facebook's model, so it is offered under its own name and never in place of that.
    "fastesm2-650": Published(
        "Synthyra/FastESM2_650", "", {"config.json": UNPINNED, "vocab.txt": UNPINNED, "model.safetensors": UNPINNED}
    ),
}


def choose_revisions(encoders: Iterable[str], asked: str | None) -> dict[str, str]:
    """The revision of each language model: the pinned one, unless another is asked for.

    asked: `local` for all, or ENCODER=REVISION, comma-separated. Raises InputError for a model without a revision, for an
    unknown name, and for a revision of a model that the run does not use."""
    wanted = sorted(encoders)
    named: dict[str, str] = {}
    for part in asked.split(",") if asked and asked != LOCAL else []:
        encoder, _, revision = part.partition("=")
        published(encoder)
        if encoder not in wanted or not revision:
            raise InputError(
                f"--weights_revision {part}: must be {LOCAL}, or ENCODER=REVISION of a language model that this run uses "
                f"({', '.join(wanted) or 'it uses none'})"
            )
        named[encoder] = revision
    chosen = {encoder: LOCAL if asked == LOCAL else named.get(encoder) or published(encoder).revision for encoder in wanted}
    for encoder, revision in chosen.items():
        if not revision:
            raise InputError(
                f"{encoder}: no commit of {PUBLISHED[encoder].repo} is pinned: name the one you want by "
                f"--weights_revision {encoder}=COMMIT"
            )
    return chosen


def published(encoder: str) -> Published:
    """The model of that name. Raises InputError if it is not one of the language models."""
    if encoder not in PUBLISHED:
        raise InputError(f"{encoder} is not a language model that can be fetched: choose one of {', '.join(PUBLISHED)}")
    return PUBLISHED[encoder]
