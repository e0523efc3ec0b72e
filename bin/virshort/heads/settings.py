"""The settings of one head."""

from dataclasses import dataclass

from virshort.files import digest
from virshort.heads.architecture import HIDDEN


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
