"""Folded heads say what heads say, and a row is the same bit for bit whatever the others are."""

import numpy as np
import pytest

from random_heads import random_head
from virshort.heads.architecture import MEAN, SD
from virshort.heads.fast_scoring import ROWS, FoldedHead, prepared
from virshort.heads.matches import SIGNS
from virshort.heads.scoring import COLUMNS, CUT, FOLDS, log_odds, stack_tensors

INPUTS = 30


def head(layers: int, scaled: bool) -> dict[str, np.ndarray]:
    """The tensors of a random head with one or two hidden layers."""
    rng = np.random.default_rng(layers)
    weights = random_head(INPUTS, 1)
    if layers == 2:
        second = random_head(512, 2)
        names = {"hidden_layer.": "hidden_layer2.", "bn1.": "bn2."}
        weights |= {new + k.removeprefix(old): v / 20 for old, new in names.items() for k, v in second.items() if old in k}
        weights["bn2.running_var"] = np.abs(weights["bn2.running_var"]) + 1
    if scaled:
        weights |= {
            MEAN: rng.normal(size=INPUTS).astype(np.float32),
            SD: rng.uniform(0.05, 2, INPUTS).astype(np.float32),
        }
    return weights


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("scaled", [False, True])
def test_log_odds_are_those_of_the_head(layers: int, scaled: bool) -> None:
    weights = head(layers, scaled)
    x = np.random.default_rng(0).normal(size=(ROWS + 100, INPUTS)).astype(np.float32)
    before = x.copy()
    expected = log_odds(weights, x)
    assert prepared(weights)(x) == pytest.approx(expected, rel=1e-4, abs=1e-4 * np.abs(expected).max())
    assert np.array_equal(x, before)
    assert len(prepared(weights)(x[:0])) == 0


def test_a_stack_says_what_it_did() -> None:
    matches = {COLUMNS: np.arange(8), FOLDS: np.arange(2), CUT: np.array(30.0)}
    part = {**head(2, True), COLUMNS: np.arange(8, 8 + INPUTS)}
    weights = stack_tensors([matches, part], np.append(2.0 * SIGNS, 0.1), 0.5)
    x = np.random.default_rng(0).uniform(0, 80, (50, 8 + INPUTS)).astype(np.float32)
    assert prepared(weights)(x) == pytest.approx(log_odds(weights, x), rel=1e-4, abs=1e-3)


def test_neither_order_nor_company_change_a_row() -> None:
    folded = FoldedHead(head(2, True))
    x = np.random.default_rng(0).normal(size=(2 * ROWS + 7, INPUTS)).astype(np.float32)
    order = np.random.default_rng(1).permutation(len(x))
    assert np.array_equal(folded(x[order]), folded(x)[order])
    assert np.array_equal(folded(x[:3]), folded(x)[:3])
