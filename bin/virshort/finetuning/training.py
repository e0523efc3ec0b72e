"""Training a language model and a head together, with early stopping by the loss on validation windows.

A step takes windows at random, as many as its tokens allow. The encoder reads those of one token count together, so that it
needs neither padding nor a mask, and the head reads all of them at once, so that its normalization does not depend on lengths.
All that is random in an epoch follows from the seed, the fold, the replicate and the number of the epoch, as for a head alone
(virshort.heads.training), so that interrupted training continues to the same result.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import AdamW
from torch.utils.checkpoint import checkpoint as recomputed

from virshort.arm_record import Finetuning
from virshort.encoders.language_model import Parts
from virshort.encoders.progress import Log
from virshort.errors import InputError
from virshort.finetuning.files import FineTuned
from virshort.finetuning.low_rank import attach
from virshort.heads.dropout import Dropout
from virshort.heads.early_stopping import train_epochs
from virshort.heads.head import Head
from virshort.heads.metrics import epoch_metrics
from virshort.heads.model_record import EpochMetrics
from virshort.heads.schedule import one_cycle
from virshort.heads.settings import Settings


@dataclass(frozen=True)
class TokenizedWindows:
    """ids: int64 [tokens] of each window, none where there is nothing to read; label: [n] int8, 0 or 1."""

    ids: list[np.ndarray]
    label: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)


class _Model:
    """An encoder and a head on one device."""

    def __init__(self, parts: Parts, settings: Settings, how: Finetuning, device: torch.device, low_precision: bool):
        """low_precision: whether the encoder's matrix products are computed in bf16; its weights stay in fp32."""
        self.parts, self.how, self.device, self.low_precision = parts, how, device, low_precision
        torch.manual_seed(settings.seed_of("weights"))
        if how["adapters"] == "lora":
            attach(parts.model, how["targets"], how["rank"], how["alpha"])
        else:
            parts.model.requires_grad_(True)
        self.head = Head(parts.dim, settings.hidden).to(device)
        self.encoder = {name: p for name, p in parts.model.named_parameters() if p.requires_grad}

    @property
    def parameters(self) -> list[nn.Parameter]:
        return [*self.encoder.values(), *self.head.parameters()]

    def tensors(self) -> dict[str, dict[str, Tensor]]:
        """A copy of all that is trained, on the CPU."""
        named = {"encoder": self.encoder, "head": self.head.state_dict()}
        return {part: {k: v.detach().cpu().clone() for k, v in tensors.items()} for part, tensors in named.items()}

    @torch.no_grad()
    def load(self, tensors: dict[str, dict[str, Tensor]]) -> None:
        for name, tensor in tensors["encoder"].items():
            self.encoder[name].copy_(tensor)
        self.head.load_state_dict(tensors["head"])

    def vectors(self, windows: TokenizedWindows, rows: np.ndarray) -> tuple[Tensor, np.ndarray]:
        """The vectors of some windows by the encoder, [n, dim] fp32 in the order of their token counts, and their numbers in
        this order. A window without tokens has zeros, as in embeddings."""
        by_tokens: dict[int, list[int]] = defaultdict(list)
        for row in rows.tolist():
            by_tokens[len(windows.ids[row])].append(row)
        found, order = [], []
        for tokens, same in sorted(by_tokens.items()):
            order += same
            if not tokens:
                found.append(torch.zeros(len(same), self.parts.dim, device=self.device))
                continue
            ids = torch.from_numpy(np.stack([windows.ids[row] for row in same])).to(self.device)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.low_precision):
                if self.how["gradient_checkpointing"] and torch.is_grad_enabled():
                    found.append(recomputed(self.parts.pooled, self.parts.model, ids, use_reentrant=False))
                else:
                    found.append(self.parts.pooled(self.parts.model, ids))
        return torch.cat(found).float(), np.array(order)

    @torch.no_grad()
    def log_odds(self, windows: TokenizedWindows) -> np.ndarray:
        """Log-odds of viral in evaluation mode, [n] float32."""
        self.head.eval()
        out = np.empty(len(windows), np.float32)
        by_length = np.argsort([len(ids) for ids in windows.ids], kind="stable")
        for rows in batches(by_length, windows, self.how["batch_tokens"]):
            vectors, order = self.vectors(windows, rows)
            logits = self.head(vectors)
            out[order] = (logits[:, 1] - logits[:, 0]).cpu().numpy()
        return out


@dataclass(frozen=True)
class _Training:
    """A model in training (virshort.heads.early_stopping.Trainee)."""

    model: _Model
    optimizer: AdamW
    training: TokenizedWindows
    validation: TokenizedWindows
    settings: Settings

    def tensors(self) -> dict[str, dict[str, Tensor]]:
        return self.model.tensors()

    def load(self, tensors: dict[str, dict[str, Tensor]]) -> None:
        self.model.load(tensors)

    def train_epoch(self, epoch: int) -> EpochMetrics:
        return _epoch(self.model, self.optimizer, self.training, self.settings, epoch)

    def validate(self) -> EpochMetrics:
        return epoch_metrics(self.validation.label, self.model.log_odds(self.validation))


def batches(order: np.ndarray, windows: TokenizedWindows, tokens: int) -> Iterator[np.ndarray]:
    """The windows in that order, in parts of nearly equal size that have about so many tokens each, and two windows or more
    if there are as many: one row alone has no variance to normalize by."""
    total = sum(len(windows.ids[row]) for row in order.tolist())
    yield from np.array_split(order, max(1, min(-(-total // tokens), len(order) // 2)))


def fine_tune(
    parts: Parts,
    training: TokenizedWindows,
    validation: TokenizedWindows,
    settings: Settings,
    how: Finetuning,
    device: torch.device,
    low_precision: bool = False,
    checkpoint: Path | None = None,
    log: Log = print,
) -> FineTuned:
    """Train the encoder `parts`, in fp32 on `device`, together with a new head. The parts are changed in place.

    checkpoint: as for `train_epochs`. Raises InputError where a step does not fit into the memory of the GPU, and where the
    loss was never a number."""
    try:
        model = _Model(parts, settings, how, device, low_precision)
        optimizer = AdamW(model.parameters, settings.learning_rate, weight_decay=settings.weight_decay)
        job = _Training(model, optimizer, training, validation, settings)
        course = train_epochs(job, settings.epochs, settings.patience, checkpoint, log)
    except torch.OutOfMemoryError as e:
        raise InputError(
            f"a step with {how['batch_tokens']} tokens does not fit into the memory of {device}: give the arm a smaller "
            "batch_tokens, or gradient_checkpointing: true"
        ) from e
    trained = sum(p.numel() for p in model.parameters)
    return FineTuned(course.best["encoder"], course.best["head"], course.history, course.best_epoch, trained)


def _epoch(model: _Model, optimizer: AdamW, data: TokenizedWindows, settings: Settings, epoch: int) -> EpochMetrics:
    """One pass over the training windows in a random order. Returns the metrics of its steps before each update."""
    dropouts = [
        Dropout(settings.dropout, norm.num_features, settings.seed_of("dropout", epoch, layer))
        for layer, (_, norm) in enumerate(model.head.layers)
    ]
    order = np.random.default_rng(settings.seed_of("order", epoch)).permutation(len(data))
    model.head.train()
    steps = list(batches(order, data, model.how["batch_tokens"]))
    seen: list[tuple[np.ndarray, Tensor]] = []
    for number, rows in enumerate(steps, (epoch - 1) * len(steps)):
        if settings.one_cycle:
            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate * one_cycle(number, settings.epochs * len(steps))
        vectors, read = model.vectors(data, rows)
        logits = model.head(vectors, [dropout(len(rows)).to(model.device) for dropout in dropouts])
        label = data.label[read]
        loss = nn.functional.cross_entropy(logits, torch.from_numpy(label.astype(np.int64)).to(model.device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen.append((label, (logits[:, 1] - logits[:, 0]).detach()))  # copied at the end: a copy would make the GPU wait
    return epoch_metrics(np.concatenate([label for label, _ in seen]), torch.cat([odds for _, odds in seen]).cpu().numpy())


def tokenized(parts: Parts, sequences: Sequence[bytes], label: np.ndarray) -> TokenizedWindows:
    """Windows as the encoder reads them. label: [n]. Raises RowError for a sequence that cannot be tokenized."""
    return TokenizedWindows(parts.tokenize(sequences), label)
