"""Training one head: Adam or AdamW, with early stopping and the decision threshold from validation windows only.

A head is trained on one thread, and several heads side by side, so that the numbers do not depend on the number of cores. All
that is random in an epoch (the order of rows, dropout) follows from the seed, the fold, the replicate and the number of the
epoch, so that interrupted training continues from its last epoch to the same result.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from virshort.features.tensors import join, spread
from virshort.heads.adam import Adam
from virshort.heads.architecture import MEAN, hidden_widths
from virshort.heads.dropout import Dropout
from virshort.heads.early_stopping import train_epochs
from virshort.heads.head import Head
from virshort.heads.labelled_windows import LabelledWindows
from virshort.heads.metrics import epoch_metrics, judge
from virshort.heads.model_record import Epoch, EpochMetrics, ValidationMetrics
from virshort.heads.schedule import one_cycle
from virshort.heads.settings import Settings

_READ = 1 << 14  # rows that are read from disk at once
_PREDICT = 1 << 10  # rows that go through the head at once


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


@dataclass(frozen=True)
class _Training:
    """A head in training (virshort.heads.early_stopping.Trainee)."""

    head: Head
    optimizer: Adam
    training: LabelledWindows
    validation: LabelledWindows
    settings: Settings

    def tensors(self) -> dict[str, torch.Tensor]:
        return {k: v.clone() for k, v in self.head.state_dict().items()}

    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        self.head.load_state_dict(tensors)

    def train_epoch(self, epoch: int) -> EpochMetrics:
        return _train_epoch(self.head, self.optimizer, self.training, self.settings, epoch)

    def validate(self) -> EpochMetrics:
        return epoch_metrics(self.validation.label, predict(self.head, self.validation))


def train(
    training: LabelledWindows,
    validation: LabelledWindows,
    inputs: int,
    settings: Settings,
    start: dict[str, np.ndarray] | None = None,
    checkpoint: Path | None = None,
) -> TrainedHead:
    """Train a head from random weights, or from the tensors of `start`.

    inputs: numbers per row; checkpoint: as for `train_epochs`. Raises InputError where the loss was never a number."""
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
    job = _Training(head, optimizer, training, validation, settings)
    course = train_epochs(job, settings.epochs, settings.patience, checkpoint)
    head.load_state_dict(course.best)
    found, threshold = evaluate(head, validation)
    return TrainedHead(
        {k: v.numpy() for k, v in course.best.items()},
        threshold,
        course.history,
        course.best_epoch,
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
