"""The one-cycle schedule: it rises to the highest rate and falls to almost nothing, however many steps there are."""

import numpy as np
import pytest

from virshort.heads.schedule import WARM_UP, one_cycle


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 100, 5000])
def test_one_cycle_rises_and_falls(steps):
    rates = np.array([one_cycle(i, steps) for i in range(steps)])
    top = rates.argmax()
    assert ((rates > 0) & (rates <= 1)).all()
    assert (np.diff(rates[: top + 1]) > 0).all() and (np.diff(rates[top:]) < 0).all()
    if steps >= 100:
        assert top == pytest.approx(WARM_UP * steps, abs=1)
        assert rates[0] == pytest.approx(1 / 25, abs=1e-2) and rates[-1] < 1e-3 and rates[top] > 0.99
