"""How the learning rate changes from step to step."""

import math

WARM_UP = 0.3
"""The part of the steps in which the rate of one cycle rises."""
START, END = 25, 1e4
"""One cycle begins at the highest rate divided by START and ends at the rate of its beginning divided by END."""


def one_cycle(step: int, steps: int) -> float:
    """The factor of the highest learning rate at a step, of `steps` in all, counted from 0.

    The rate rises along half a cosine and falls along another (Smith and Topin 2018; the shape and the constants are those
    of torch's OneCycleLR)."""
    done = (step + 0.5) / steps
    low = 1 / START
    if done < WARM_UP:
        return _cosine(low, 1.0, done / WARM_UP)
    return _cosine(1.0, low / END, (done - WARM_UP) / (1 - WARM_UP))


def _cosine(first: float, last: float, part: float) -> float:
    """From `first` at part 0 to `last` at part 1 along half a cosine."""
    return last + (first - last) / 2 * (1 + math.cos(math.pi * part))
