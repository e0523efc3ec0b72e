"""Training one head: Adam or AdamW, with early stopping and the decision threshold from validation windows only.

A head is trained on one thread, and several heads side by side, so that the numbers do not depend on the number of cores. All
that is random in an epoch (the order of rows, dropout) follows from the seed, the fold, the replicate and the number of the
epoch, so that interrupted training continues from its last epoch to the same result.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn

from virshort.features.tensors import join, spread
from virshort.files import digest, whole
from virshort.heads.adam import Adam
from virshort.heads.architecture import HIDDEN, MEAN, hidden_widths
from virshort.heads.dropout import Dropout
from virshort.heads.head import Head
from virshort.heads.metrics import of_calls, probability_of, threshold_of_best_mcc
from virshort.heads.model_record import Epoch, EpochMetrics, ValidationMetrics
from virshort.heads.schedule import one_cycle

_READ = 1 << 14  # rows that are read from disk at once
_PREDICT = 1 << 10  # rows that go through the head at once


@dataclass(frozen=True)
class LabelledWindows:
    """Windows with their labels, whose features are read from disk when they are needed.

    read: from row numbers [k] to features [k, inputs]; rows: [m] int64, the rows of all windows, window by window; label:
    [n] int8, 0 or 1; first: [n], where in `rows` each window's rows begin (None: each window has one row). In training every
    row is an example of its own; in validation a window has the largest log-odds of its rows."""

    read: Callable[[np.ndarray], np.ndarray]
    rows: np.ndarray
    label: np.ndarray
    first: np.ndarray | None = None


@dataclass(frozen=True)
class Settings:
    """The hyperparameters of an arm, and what distinguishes the random numbers of this head from those of others.

    hidden: units of each hidden layer; weight_decay: 0 is Adam, more is AdamW; one_cycle: whether the learning rate goes
    through one cycle over all epochs, of which `learning_rate` is the top; standardize: whether inputs get the mean 0 and the
    standard deviation 1 of the training rows."""

    epochs: int
    learning_rate: float
    batch_size: int
    dropout: float
    patience: int
    frozen: bool
    seed: int
    fold: int
    replicate: int
    hidden: tuple[int, ...] = HIDDEN
    weight_decay: float = 0.0
    one_cycle: bool = False
    standardize: bool = False

    def seed_of(self, *purpose: str | int) -> int:
        """A seed of 63 bits for one part of this head's training."""
        return int(digest(*(str(x) for x in (self.seed, self.fold, self.replicate, *purpose))), 16) >> 1


@dataclass(frozen=True)
class TrainedHead:
    """A head after its best epoch: its tensors by name, the threshold on the score, and how training went.

    trained_parameters: how many numbers were not frozen."""

    weights: dict[str, np.ndarray]
    threshold: float
    history: list[Epoch]
    best_epoch: int
    validation: ValidationMetrics
    trained_parameters: int


@dataclass
class _State:
    """What a checkpoint keeps besides the head and the optimizer."""

    epoch: int = 0
    best_epoch: int = 0
    best_loss: float = float("inf")
    best: dict[str, torch.Tensor] = field(default_factory=dict)
    history: list[Epoch] = field(default_factory=list)


def train(
    training: LabelledWindows,
    validation: LabelledWindows,
    inputs: int,
    settings: Settings,
    start: dict[str, np.ndarray] | None = None,
    checkpoint: Path | None = None,
) -> TrainedHead:
    """Train a head from random weights, or from the tensors of `start`.

    inputs: numbers per row; checkpoint: a file that is updated after each epoch, and from which training continues if it is
    there."""
    torch.manual_seed(settings.seed_of("weights"))
    if start is None:
        head = Head(inputs, settings.hidden, _scale(training, inputs) if settings.standardize else None)
    else:
        head = head_of(start)
    if settings.frozen:
        for part in (part for layer in head.layers for part in layer):
            part.requires_grad_(False)
    parameters = [p for p in head.parameters() if p.requires_grad]
    optimizer = Adam(parameters, settings.learning_rate, settings.weight_decay)
    state = _State()
    saved = None
    if checkpoint:
        with suppress(FileNotFoundError):  # a task that outlived a killed run may remove it at any moment
            saved = torch.load(checkpoint, weights_only=True)
    if saved:
        head.load_state_dict(saved["head"])
        optimizer.load(saved["optimizer"])
        state = _State(**saved["state"])
    while state.epoch < settings.epochs and state.epoch - state.best_epoch < settings.patience:
        state.epoch += 1
        seen = _train_epoch(head, optimizer, training, settings, state.epoch)
        checked = epoch_metrics(validation.label, predict(head, validation))
        state.history.append({"epoch": state.epoch, "train": seen, "validation": checked})
        if checked["loss"] < state.best_loss:
            state.best_epoch, state.best_loss = state.epoch, checked["loss"]
            state.best = {k: v.clone() for k, v in head.state_dict().items()}
        if checkpoint:
            with whole(checkpoint) as path:
                torch.save({"head": head.state_dict(), "optimizer": optimizer.state(), "state": asdict(state)}, path)
    head.load_state_dict(state.best)
    found, threshold = evaluate(head, validation)
    return TrainedHead(
        {k: v.numpy() for k, v in state.best.items()},
        threshold,
        state.history,
        state.best_epoch,
        found,
        sum(p.numel() for p in parameters),
    )


def head_of(weights: dict[str, np.ndarray]) -> Head:
    """A head with these tensors."""
    inputs = weights["hidden_layer.weight"].shape[1]
    scale = (torch.zeros(inputs), torch.ones(inputs)) if MEAN in weights else None
    head = Head(inputs, hidden_widths(weights), scale)
    head.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in weights.items()})
    return head


def _scale(training: LabelledWindows, inputs: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean and the standard deviation of each input over all training rows, both [inputs] float32; 1 for an input that
    does not vary. Sums are kept in float64 and read block by block."""
    total, square = np.zeros(inputs), np.zeros(inputs)
    for first in range(0, len(training.rows), _READ):
        x = training.read(training.rows[first : first + _READ]).astype(np.float64)
        total += x.sum(axis=0)
        square += (x * x).sum(axis=0)
    mean = total / len(training.rows)
    variance = square / len(training.rows) - mean * mean
    # A constant input leaves rounding errors only.
    sd = np.sqrt(np.where(variance > 1e-9 * mean * mean, variance, 1.0))
    sd[sd == 0] = 1.0
    return torch.from_numpy(mean.astype(np.float32)), torch.from_numpy(sd.astype(np.float32))


def _train_epoch(head: Head, optimizer: Adam, data: LabelledWindows, settings: Settings, epoch: int) -> EpochMetrics:
    """One pass over the training rows in a random order. Returns the metrics of its batches before each step."""
    dropouts = [
        Dropout(settings.dropout, norm.num_features, settings.seed_of("dropout", epoch, *([layer] if layer else [])))
        for layer, (_, norm) in enumerate(head.layers)
    ]
    row_label = spread(data.label, data.first, len(data.rows))
    order = np.random.default_rng(settings.seed_of("order", epoch)).permutation(len(data.rows))
    head.train()
    if settings.frozen:
        for _, norm in head.layers:
            norm.eval()
    block = _READ // settings.batch_size * settings.batch_size or settings.batch_size
    steps = -(-len(order) // settings.batch_size)
    step = (epoch - 1) * steps
    seen: list[tuple[np.ndarray, np.ndarray]] = []
    for first in range(0, len(order), block):
        part = order[first : first + block]
        x = torch.from_numpy(data.read(data.rows[part]))
        y = torch.from_numpy(row_label[part].astype(np.int64))
        # Batches of nearly equal size, because a last batch of one row would have no variance to normalize by.
        for xb, yb in zip(*(t.tensor_split(-(-len(part) // settings.batch_size)) for t in (x, y)), strict=True):
            if settings.one_cycle:
                optimizer.learning_rate = settings.learning_rate * one_cycle(step, settings.epochs * steps)
            step += 1
            logits = head(
                xb.float(), [dropout(len(xb)) for dropout in dropouts]
            )  # converted batch by batch, so that it stays in the processor's cache
            loss = nn.functional.cross_entropy(logits, yb)
            loss.backward()
            optimizer.step()
            out = logits.detach().numpy()
            seen.append((yb.numpy().astype(np.int8), out[:, 1] - out[:, 0]))
    label, odds = (np.concatenate(s) for s in zip(*seen, strict=True))
    return epoch_metrics(label, odds)


def predict(head: Head, windows: LabelledWindows) -> np.ndarray:
    """Log-odds of viral in evaluation mode, of each window the largest of its rows. Returns [n] float32."""
    head.eval()
    out = [np.empty(0, np.float32)]
    with torch.inference_mode():
        for first in range(0, len(windows.rows), _READ):
            for x in torch.from_numpy(windows.read(windows.rows[first : first + _READ])).split(_PREDICT):
                logits = head(x.float()).numpy()
                out.append(logits[:, 1] - logits[:, 0])
    return join(np.concatenate(out), windows.first)


def evaluate(head: Head, windows: LabelledWindows, threshold: float | None = None) -> tuple[ValidationMetrics, float]:
    """The metrics of a head's calls, and the threshold, as `judge` gives them."""
    return judge(windows.label, predict(head, windows), threshold)


def judge(label: np.ndarray, odds: np.ndarray, threshold: float | None = None) -> tuple[ValidationMetrics, float]:
    """Metrics of calls at a threshold on the score, and the threshold; if None, the one with the best Matthews correlation.

    label: [n] 0 or 1; odds: [n] log-odds."""
    score = probability_of(odds)
    cut = threshold_of_best_mcc(label, score) if threshold is None else threshold
    return {**epoch_metrics(label, odds), **of_calls(label, score >= cut)}, cut


def epoch_metrics(label: np.ndarray, odds: np.ndarray) -> EpochMetrics:
    """Mean cross-entropy, and accuracy and F1 at log-odds 0. label: [n] 0 or 1; odds: [n]."""
    y, call = label == 1, odds >= 0
    loss = np.logaddexp(0, np.where(y, -odds, odds).astype(np.float64)).mean()
    hits = np.sum(y & call)
    return {"loss": float(loss), "accuracy": float(np.mean(y == call)), "f1": float(2 * hits / max(1, y.sum() + call.sum()))}
