"""Any model whose architecture ships with the library transformers: encoders, the encoder half of encoder-decoder models, and
causal models, from checked local files.

No code of a model's repository is run, and no pickle is read: weights are safetensors, which a fetch makes of pickles without
running them. Importing transformers costs seconds, so that only tasks of this family import this module.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoModelForTextEncoding, AutoTokenizer
from transformers.utils import logging

from virshort.encoders.encoder import LoadSettings
from virshort.encoders.language_model import LanguageModel, LoadParts, Parts, load_language_model
from virshort.encoders.progress import Log
from virshort.encoders.reading import Reading
from virshort.errors import InputError, first_line

_PROBE = {"dna": b"ACGT" * 12, "protein": b"ACDEFGHIKLMNPQRSTVWY"}
"""A sequence that shows which special tokens a tokenizer adds, and how long a model's vectors are."""
_NEEDLESS = re.compile(r"(.*\.)?((pooler|contact_head)\..*|inv_freq)")
"""Tensors that may be missing: of parts that read the last hidden state and do not change it, and what positions determine."""
_LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


class LastHidden(nn.Module):
    """A model that gives its last hidden state [n, tokens, dim] of ids [n, tokens], without padding."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor) -> Tensor:
        return self.model(input_ids=ids).last_hidden_state


class SequenceTokenizer:
    """A published tokenizer: sequences to ids, with its special tokens, without padding and without truncation.

    special: the ids of tokens that mark beginning, end and the like; before, after: how many it puts around a sequence."""

    def __init__(self, tokenizer: Any, reading: Reading):
        self._tokenizer, self._reading = tokenizer, reading
        marks = {tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.cls_token_id, tokenizer.sep_token_id}
        self.special = sorted((marks | {tokenizer.pad_token_id, tokenizer.mask_token_id}) - {None, tokenizer.unk_token_id})
        content = np.flatnonzero(~np.isin(ids := self._ids([_PROBE[reading.modality]])[0], self.special))
        if not len(content):
            raise InputError("its tokenizer makes no tokens of a sequence")
        self.before, self.after = int(content[0]), len(ids) - 1 - int(content[-1])

    def __call__(self, sequences: Sequence[bytes]) -> list[np.ndarray]:
        """Ids of each sequence, int64 [tokens]; none where there is nothing but special tokens."""
        return [ids if len(ids) > self.before + self.after else ids[:0] for ids in self._ids(sequences)]

    def _ids(self, sequences: Sequence[bytes]) -> list[np.ndarray]:
        text = [self._reading.text(s) for s in sequences]
        return [np.array(ids, np.int64) for ids in self._tokenizer(text, return_attention_mask=False)["input_ids"]]


class Pooled:
    """Vectors of ids. Where a sequence has more tokens than the model may be given at once, it is cut into even pieces, each
    with the special tokens around it, and their vectors are averaged, weighted by their tokens."""

    def __init__(self, pooling: str, tokenizer: SequenceTokenizer, most: int | None, log: Log = print):
        """most: tokens that the model may be given at once, special ones included; None for any number."""
        self._pooling, self._before, self._after, self._most = pooling, tokenizer.before, tokenizer.after, most
        self._special = torch.tensor(tokenizer.special)
        self._log, self._noted = log, False

    def __call__(self, model: Callable[[Tensor], Tensor], ids: Tensor) -> Tensor:
        """model: ids to hidden states; ids: [n, tokens]. Returns [n, dim] float32."""
        tokens = ids.shape[1]
        if self._most is None or tokens <= self._most:
            return self._pool(model(ids), ids)
        head, body, tail = ids[:, : self._before], ids[:, self._before : tokens - self._after], ids[:, tokens - self._after :]
        pieces = body.tensor_split(-(-body.shape[1] // (self._most - self._before - self._after)), 1)
        if not self._noted:
            self._noted = True
            self._log(
                f"note: a sequence of {tokens} tokens is longer than the {self._most} that the model reads at once: such "
                "sequences are cut into even pieces, whose vectors are averaged"
            )
        whole = [torch.cat([head, piece, tail], 1) for piece in pieces]
        share = [piece.shape[1] / body.shape[1] for piece in pieces]
        return torch.stack([self._pool(model(part), part) * s for part, s in zip(whole, share, strict=True)]).sum(0)

    def _pool(self, hidden: Tensor, ids: Tensor) -> Tensor:
        if self._pooling in ("first", "last"):
            return hidden[:, 0 if self._pooling == "first" else -1].float()
        if self._pooling == "mean_with_special":
            return hidden.mean(1, dtype=torch.float32)
        counts = ~torch.isin(ids, self._special.to(ids.device))
        return (hidden.float() * counts[..., None]).sum(1) / counts.sum(1, keepdim=True).clamp(min=1)


def load(name: str, settings: LoadSettings) -> LanguageModel:
    """The encoder (see virshort.encoders.encoder). Raises InputError where the settings do not say how it reads sequences."""
    parts = parts_loader(name, settings)
    return load_language_model(name, settings.reading.modality if settings.reading else "", settings, parts)


def parts_loader(name: str, settings: LoadSettings) -> LoadParts:
    """What loads its parts (see virshort.encoders.language_model). Raises InputError likewise."""
    if settings.reading is None:
        raise InputError(f"{name}: nothing says how it reads sequences: name its row with --reading")
    return partial(_load_parts, name, settings.reading, settings.log)


def _load_parts(name: str, reading: Reading, log: Log, folder: Path, dtype: torch.dtype, device: torch.device) -> Parts:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(folder, **_LOCAL)
        tokenizer = AutoTokenizer.from_pretrained(folder, **_LOCAL)
        tokenize = SequenceTokenizer(tokenizer, reading)
        model = load_model(folder, config, dtype)
    except torch.OutOfMemoryError:
        raise
    except InputError as e:
        raise InputError(f"{name}: {folder}: {e}: give the files of another revision, or correct its row") from e
    except ImportError as e:
        raise InputError(f"{name}: needs a package that is not here ({first_line(e)}): install requirements.txt") from e
    except (OSError, ValueError, KeyError, RuntimeError) as e:
        raise InputError(
            f"{name}: {folder}: transformers cannot load this model without code of its repository ({first_line(e)}): "
            "check its files, and that its architecture is one of transformers"
        ) from e
    hidden = LastHidden(model).to(device).eval().requires_grad_(False)
    most = longest(name, reading, config, tokenizer)
    pooled = Pooled(reading.pooling, tokenize, most, log)
    with torch.no_grad():  # what it keeps must serve training too
        width = hidden(torch.from_numpy(tokenize([_PROBE[reading.modality]])[0])[None].to(device)).shape[-1]
    if width != reading.dim:
        raise InputError(f"{name}: its vectors have {width} numbers instead of {reading.dim}: correct dim in its row")
    return Parts(hidden, reading.dim, pooled, tokenize, str(reading), packable=False)


def load_model(folder: Path, config: Any, dtype: torch.dtype) -> nn.Module:
    """The model from config.json and its safetensors, on the CPU. Raises InputError where a weight is missing or misshapen,
    since transformers would then draw it at random."""
    config.use_cache = False
    kind = AutoModelForTextEncoding if type(config) in AutoModelForTextEncoding._model_mapping else AutoModel
    model, about = kind.from_pretrained(
        folder, config=config, dtype=dtype, use_safetensors=True, output_loading_info=True, **_LOCAL
    )
    missing = sorted(name for name in about["missing_keys"] if not _NEEDLESS.fullmatch(name))
    wrong = [*missing, *(str(n) for n in about["mismatched_keys"])]
    if wrong:
        raise InputError(f"{len(wrong)} weights are missing or misshapen, such as {wrong[0]}")
    return model.get_encoder() if config.is_encoder_decoder and kind is AutoModel else model


def longest(name: str, reading: Reading, config: Any, tokenizer: Any) -> int | None:
    """How many tokens the model may be given at once; None where neither its row nor its files limit them.

    Raises InputError where the row allows more than the model's files do."""
    stated = [getattr(config, "max_position_embeddings", None), tokenizer.model_max_length]
    limits = [n for n in stated if isinstance(n, int) and 0 < n < 10**9]
    if reading.max_tokens is None:
        return min(limits, default=None)
    if limits[:1] and isinstance(stated[0], int) and reading.max_tokens > stated[0]:
        raise InputError(f"{name}: max_tokens is {reading.max_tokens}, but its config.json allows {stated[0]}: correct its row")
    return reading.max_tokens
