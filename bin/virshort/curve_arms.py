"""The learning curve over genomes: an arm that is trained again on fewer folds, so that it knows fewer clusters.

Its unit is the training fold, because that serves every arm: heads leave out the windows of a fold, and matches those with its
sources, without another search. Each split keeps its first training folds, so the shares are nested, and whole clusters.
"""

from collections.abc import Sequence

from virshort.arm_record import Arm
from virshort.errors import InputError, nearest
from virshort.modalities import FINETUNED, OF_ARM

CURVE = "curve"
"""The role of the arms of the curve. They are no remedies, so none of them is recommended or compared with the baseline."""
SHARES = (0.25, 0.5, 0.75)
"""Of the training folds, as nearly as their number allows."""


def steps(training_folds: int) -> list[int]:
    """How many of so many training folds the arms of the curve learn from: ascending, and fewer than all."""
    return sorted({max(1, round(share * training_folds)) for share in SHARES} - {training_folds})


def at_step(name: str, kept: int) -> str:
    """The name of the arm that learns like another, from fewer training folds."""
    return f"{name}_{kept}_{'fold' if kept == 1 else 'folds'}"


def arms_of_curve(arms: Sequence[Arm], name: str, folds: int) -> list[Arm]:
    """The arms to train for the learning curve of one of `arms`: for each step that arm and those that it begins with, since
    what they know it knows too. That arm comes first. A pretrained baseline stays as it is. folds: those of the run.

    Raises InputError where there is no such arm, where it is not trained, where the splits have a single training fold, and
    where an arm already has the name of one of the curve."""
    by_name = {arm["name"]: arm for arm in arms}
    where = f"--learning_curve {name}"
    if name not in by_name:
        raise InputError(f"{where}: is not an arm of this run: {nearest(name, by_name)}")
    if by_name[name]["start"] == "pretrained":
        raise InputError(f"{where}: is not trained, because it is given with --pretrained: name another arm")
    if not steps(folds - 2):
        raise InputError(
            f"{where}: each split trains on one fold only, of which no part can be left out: use --folds 4 or more, and no "
            "column split"
        )
    needed = _needed(by_name, name)
    chosen = [by_name[name], *(arm for arm in arms if arm["name"] in needed - {name})]
    found = [_at(arm, kept, needed) for kept in steps(folds - 2) for arm in chosen]
    for arm in found:
        if arm["name"] in by_name:
            raise InputError(f"{where}: arm {arm['name']} has a name that the curve needs: rename it")
    return found


def _needed(arms: dict[str, Arm], name: str) -> set[str]:
    """An arm and all that are trained before it."""
    before = [other for other in arms[name]["begins_with"] if arms[other]["start"] != "pretrained"]
    return {name}.union(*(_needed(arms, other) for other in before))


def _at(arm: Arm, kept: int, needed: set[str]) -> Arm:
    """An arm that learns from so many training folds, and begins with arms that do."""

    def renamed(names: Sequence[str]) -> list[str]:
        return [at_step(n, kept) if n in needed else n for n in names]

    encoders = dict(arm["encoders"])
    if trained := encoders.get(FINETUNED):
        encoders[FINETUNED] = OF_ARM + at_step(trained.removeprefix(OF_ARM), kept)
    return {
        **arm,
        "name": at_step(arm["name"], kept),
        "description": f"{arm['name']}, trained on {kept} of the training folds",
        "role": CURVE,
        "encoders": encoders,
        "training_folds": kept,
        "begins_with": renamed(arm["begins_with"]),
        "combine": renamed(arm["combine"]),
        "curve_of": arm["name"],
    }
