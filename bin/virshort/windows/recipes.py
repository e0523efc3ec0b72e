"""The window sets of a run: what each is for, how many windows it has, and how long they are."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Stratum:
    """The windows of a set that have `shortest` to `longest` bases; `share` is their share of the set.

    cut_lengths: the window lengths of several sets that are cut from the same stretches, each stretch as long as the longest of
    these windows. It is empty where windows have places of their own.
    """

    shortest: int
    longest: int
    share: float = 1.0
    cut_lengths: tuple[int, ...] = ()

    @property
    def stretch(self) -> int:
        """The bases of the stretch that begins at a valid position."""
        return max(self.cut_lengths, default=self.shortest)

    def most_ambiguous(self, max_n: float) -> int:
        """The most ambiguous bases that a stretch may hold.

        A stretch is cut end to end into windows of each length, and for every length at least one of them must be valid,
        that is, have at most max_n of its bases ambiguous. If all were invalid, their ambiguous bases would add up to more
        than this."""
        lengths = self.cut_lengths or (self.shortest,)
        return min(self.stretch // n * (int(max_n * n) + 1) - 1 for n in lengths)


@dataclass(frozen=True)
class Insert:
    """The length of sequenced fragments in bp: a normal distribution."""

    mean: float
    sd: float


@dataclass(frozen=True)
class Recipe:
    """A window set as it is asked for.

    size: the number of windows: for training, in the training folds of each split; for testing, over all tested folds.
    insert: the windows are the mates of fragments of such lengths (virshort.windows.pairs), and the size counts fragments.
    The folds that validate the tested splits give fragments too, each as many as a tested fold: how two mates are read
    together is fitted on them.
    contains: a smaller set with the same strata whose windows are the first of this one.
    lattice: sets of the same name here have their windows at the same places and in the same order.
    """

    name: str
    purpose: Literal["train", "test"]
    size: int
    strata: tuple[Stratum, ...]
    contains: "Recipe | None" = None
    lattice: str = ""
    insert: Insert | None = None

    @property
    def chain(self) -> list["Recipe"]:
        """All sets that this one contains, the smallest first, and itself."""
        return [*(self.contains.chain if self.contains else []), self]

    @property
    def pool(self) -> str:
        """The folder with the windows that this set has in addition to those of the sets it contains."""
        return f"{self.purpose}/{self.name}"


MIXED = (Stratum(100, 199, 0.3), Stratum(200, 499, 0.4), Stratum(500, 3000, 0.3))
FULL = (Stratum(500, 3000),)


def recipes(
    *, window_length: int, short: int, scratch: int, mixed: int, full: int, test: int, train_sets: list[str]
) -> list[Recipe]:
    """All window sets of a run except the length sweep: `short`, the training sets named in `train_sets`, and the test sets."""
    fixed = (Stratum(window_length, window_length),)
    short_set = Recipe("short", "train", short, fixed)
    training = [
        short_set,
        Recipe("scratch", "train", scratch, fixed, short_set),
        Recipe("mixed", "train", mixed, MIXED),
        Recipe("full", "train", full, FULL),
    ]
    testing = [Recipe("short", "test", test, fixed), Recipe("full", "test", test, FULL)]
    return [r for r in training if r.name in {"short", *train_sets}] + testing


def pairs(size: int, window_length: int, insert: Insert) -> list[Recipe]:
    """The test set of pairs of short windows; none where its size is 0."""
    return [Recipe("pair", "test", size, (Stratum(window_length, window_length),), insert=insert)] if size else []


def sweep(size: int, lengths: list[int]) -> list[Recipe]:
    """The length sweep: one test set per length, from the shortest to the longest.

    All are cut from the same stretches, each as long as the longest window, so that only the length differs between them."""
    cut = tuple(sorted(lengths))
    return [Recipe(f"length_{n}", "test", size, (Stratum(n, n, cut_lengths=cut),), lattice="test/length") for n in cut]
