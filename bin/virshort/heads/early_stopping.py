"""Epoch after epoch, with early stopping by the loss on validation windows, and a checkpoint from which an interrupted training
continues to the same result."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch

from virshort.errors import InputError
from virshort.files import whole
from virshort.heads.model_record import Epoch, EpochMetrics


class Optimizer(Protocol):
    """What is kept of an optimizer, by the names that torch's have."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any], /) -> None: ...


class Trainee(Protocol):
    """What is trained."""

    @property
    def optimizer(self) -> Optimizer: ...

    def tensors(self) -> dict[str, Any]:
        """A copy of all that is trained."""
        ...

    def load(self, tensors: dict[str, Any]) -> None:
        """Continue from `tensors()`."""
        ...

    def train_epoch(self, epoch: int) -> EpochMetrics:
        """One pass over the training windows. All that is random in it must follow from the number of the epoch."""
        ...

    def validate(self) -> EpochMetrics: ...


@dataclass
class Course:
    """How training went. best: the tensors after the best epoch."""

    epoch: int = 0
    best_epoch: int = 0
    best_loss: float = float("inf")
    best: dict[str, Any] = field(default_factory=dict)
    history: list[Epoch] = field(default_factory=list)


def train_epochs(
    trainee: Trainee, epochs: int, patience: int, checkpoint: Path | None = None, log: Callable[[str], None] | None = None
) -> Course:
    """Train until the validation loss has not improved for `patience` epochs, or all are done.

    checkpoint: a file that is updated after each epoch, and from which training continues if it is there; log: gets a line for
    each epoch. Raises InputError where the loss was never a number."""
    course = Course()
    saved = None
    if checkpoint:
        with suppress(FileNotFoundError):  # a task that outlived a killed run may remove it at any moment
            saved = torch.load(checkpoint, weights_only=True)
    if saved:
        trainee.load(saved["tensors"])
        trainee.optimizer.load_state_dict(saved["optimizer"])
        course = Course(**saved["course"])
    while course.epoch < epochs and course.epoch - course.best_epoch < patience:
        course.epoch += 1
        seen = trainee.train_epoch(course.epoch)
        checked = trainee.validate()
        course.history.append({"epoch": course.epoch, "train": seen, "validation": checked})
        if log:
            log(f"epoch {course.epoch}: loss {seen['loss']:.4f} in training, {checked['loss']:.4f} in validation")
        if checked["loss"] < course.best_loss:
            course.best_epoch, course.best_loss, course.best = course.epoch, checked["loss"], trainee.tensors()
        if checkpoint:
            kept = {"tensors": trainee.tensors(), "optimizer": trainee.optimizer.state_dict(), "course": asdict(course)}
            with whole(checkpoint) as path:
                torch.save(kept, path)
    if not course.best:
        raise InputError("the loss on validation windows was never a number: give the arm a smaller learning_rate")
    return course
