"""Training one head on one split: Adam, early stopping and the threshold on validation only.

A head is trained on one thread, and heads side by side: the numbers then do not depend on how many cores there are. What is
random in an epoch (the order, dropout) follows from the seed, the split, the replicate and the epoch, so that training which
was interrupted goes on from its last epoch to the same result.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from virshort.features.tensors import join
from virshort.files import digest, whole
from virshort.heads.adam import Adam
from virshort.heads.dropout import Dropout
from virshort.heads.head import HIDDEN, Head
from virshort.heads.metrics import of_calls, threshold_of_best_mcc

_READ = 1 << 14  # rows read from disk at once
_PREDICT = 1 << 10  # rows judged at once

Rows = Callable[[np.ndarray], np.ndarray]
"""Row numbers [n] -> features [n, inputs]."""


@dataclass
class Data:
    """Row numbers and labels of a split's two sets, [n] int64 and [n] int8 each, and where to read rows.

    Validation is of windows: validation_first says where each window's rows begin (None: a row each), and validation_label
    has a label a window. Training is of rows, which all count the same."""

    rows: Rows
    train: np.ndarray
    train_label: np.ndarray
    validation: np.ndarray
    validation_label: np.ndarray
    validation_first: np.ndarray | None = None


@dataclass
class Settings:
    """Hyperparameters of an arm, and what tells this head's random numbers from others'."""

    epochs: int
    learning_rate: float
    batch_size: int
    dropout: float
    patience: int
    frozen: bool
    seed: int
    fold: int
    replicate: int

    def number(self, *what: str | int) -> int:
        """A seed of 63 bits for some part of this head's training."""
        return int(digest(*(str(x) for x in (self.seed, self.fold, self.replicate, *what))), 16) >> 1


@dataclass
class Trained:
    """A head after training: its tensors by name, the threshold, the epochs' history and the best of them (None, as the
    validation metrics, for a head that was not trained here)."""

    weights: dict[str, np.ndarray]
    threshold: float
    history: list[dict[str, Any]]
    best_epoch: int | None
    validation: dict[str, Any] | None
    trained_parameters: int


def as_it_is(weights: dict[str, np.ndarray], threshold: float) -> Trained:
    """A head that is given, and not trained."""
    return Trained(weights, threshold, [], None, None, 0)


@dataclass
class _State:
    """What a checkpoint holds."""

    epoch: int = 0
    best_epoch: int = 0
    best_loss: float = float("inf")
    best: dict[str, torch.Tensor] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)


def train(
    data: Data, inputs: int, settings: Settings, start: dict[str, np.ndarray] | None = None, checkpoint: Path | None = None
) -> Trained:
    """Train a head from random weights, or from `start`; go on from `checkpoint` if it is there, and keep it up to date."""
    torch.manual_seed(settings.number("weights"))
    head = Head(inputs)
    if start is not None:
        head.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in start.items()})
    if settings.frozen:
        for part in (head.hidden_layer, head.bn1):
            part.requires_grad_(False)
    parameters = [p for p in head.parameters() if p.requires_grad]
    optimizer = Adam(parameters, settings.learning_rate)
    state = _State()
    saved = None
    if checkpoint:
        with suppress(FileNotFoundError):  # it may go while we look: a task that outlived a killed run tidies up
            saved = torch.load(checkpoint, weights_only=True)
    if saved:
        head.load_state_dict(saved["head"])
        optimizer.load(saved["optimizer"])
        state = _State(**saved["state"])
    while state.epoch < settings.epochs and state.epoch - state.best_epoch < settings.patience:
        state.epoch += 1
        measured = _train_epoch(head, optimizer, data, settings, state.epoch)
        odds = join(predict(head, data.rows, data.validation), data.validation_first)
        checked = _summary(data.validation_label, odds)
        state.history.append({"epoch": state.epoch, "train": measured, "validation": checked})
        if checked["loss"] < state.best_loss:
            state.best_epoch, state.best_loss = state.epoch, checked["loss"]
            state.best = {k: v.clone() for k, v in head.state_dict().items()}
        if checkpoint:
            with whole(checkpoint) as path:
                torch.save({"head": head.state_dict(), "optimizer": optimizer.state(), "state": asdict(state)}, path)
    head.load_state_dict(state.best)
    validation, threshold = evaluate(head, data.rows, data.validation, data.validation_label, data.validation_first)
    return Trained(
        {k: v.numpy() for k, v in state.best.items()},
        threshold,
        state.history,
        state.best_epoch,
        validation,
        sum(p.numel() for p in parameters),
    )


def _train_epoch(head: Head, optimizer: Adam, data: Data, settings: Settings, epoch: int) -> dict:
    """One pass over the training rows in a random order. Returns the loss, accuracy and F1 seen on the way."""
    dropout = Dropout(settings.dropout, HIDDEN, settings.number("dropout", epoch))
    order = np.random.default_rng(settings.number("order", epoch)).permutation(len(data.train))
    head.train()
    if settings.frozen:
        head.bn1.eval()
    batches = _READ // settings.batch_size * settings.batch_size or settings.batch_size
    seen: list[tuple[np.ndarray, np.ndarray]] = []
    for first in range(0, len(order), batches):
        part = order[first : first + batches]
        x = torch.from_numpy(data.rows(data.train[part]))
        y = torch.from_numpy(data.train_label[part].astype(np.int64))
        # Batches of nearly one size: a last batch of a single row would have no variance to normalize by.
        for xb, yb in zip(*(t.tensor_split(-(-len(part) // settings.batch_size)) for t in (x, y)), strict=True):
            logits = head(xb.float(), dropout(len(xb)))  # converted here, where it stays in the processor's cache
            loss = nn.functional.cross_entropy(logits, yb)
            loss.backward()
            optimizer.step()
            out = logits.detach().numpy()
            seen.append((yb.numpy().astype(np.int8), out[:, 1] - out[:, 0]))
    label, odds = (np.concatenate(s) for s in zip(*seen, strict=True))
    return _summary(label, odds)


def predict(head: Head, rows: Rows, which: np.ndarray) -> np.ndarray:
    """Log-odds of viral in evaluation mode. which: [n] row numbers. Returns [n] float32."""
    head.eval()
    out = [np.empty(0, np.float32)]
    with torch.inference_mode():
        for first in range(0, len(which), _READ):
            for x in torch.from_numpy(rows(which[first : first + _READ])).split(_PREDICT):
                logits = head(x.float()).numpy()
                out.append(logits[:, 1] - logits[:, 0])
    return np.concatenate(out)


def evaluate(
    head: Head,
    rows: Rows,
    which: np.ndarray,
    label: np.ndarray,
    first: np.ndarray | None = None,
    threshold: float | None = None,
) -> tuple[dict[str, Any], float]:
    """Metrics on some windows at a threshold on the score, or at the one with the best MCC there; and that threshold.

    which: [rows] row numbers; first: [windows], where each window's rows begin (None: a row each); label: [windows]."""
    odds = join(predict(head, rows, which), first)
    score = 1 / (1 + np.exp(-odds.astype(np.float64)))
    cut = threshold_of_best_mcc(label, score) if threshold is None else threshold
    return _summary(label, odds) | of_calls(label, score >= cut), cut


def _summary(label: np.ndarray, odds: np.ndarray) -> dict[str, float]:
    """Mean cross-entropy, accuracy and F1 at log-odds 0. label: [n] 0 or 1; odds: [n]."""
    y, call = label == 1, odds >= 0
    loss = np.logaddexp(0, np.where(y, -odds, odds).astype(np.float64)).mean()
    hits = np.sum(y & call)
    return {"loss": float(loss), "accuracy": float(np.mean(y == call)), "f1": float(2 * hits / max(1, y.sum() + call.sum()))}
