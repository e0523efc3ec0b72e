"""Folded heads say what heads say, and a row is the same bit for bit whatever the others are."""

from collections.abc import Callable

import numpy as np
import pytest

from random_heads import random_head, random_two_layer_head
from virshort.heads.fast_scoring import ROWS, FoldedHead, prepared
from virshort.heads.matches import SIGNS
from virshort.heads.scoring import COLUMNS, CUT, FOLDS, log_odds, stack_tensors

INPUTS = 30


@pytest.mark.parametrize("made", [random_head, random_two_layer_head])
def test_log_odds_are_those_of_the_head(made: Callable) -> None:
    weights = made(INPUTS, 1)
    x = np.random.default_rng(0).normal(size=(ROWS + 100, INPUTS)).astype(np.float32)
    before = x.copy()
    expected = log_odds(weights, x)
    assert prepared(weights)(x) == pytest.approx(expected, rel=1e-4, abs=1e-4 * np.abs(expected).max())
    assert np.array_equal(x, before)
    assert len(prepared(weights)(x[:0])) == 0


def test_a_stack_says_what_it_did() -> None:
    matches = {COLUMNS: np.arange(8), FOLDS: np.arange(2), CUT: np.array(30.0)}
    part = {**random_two_layer_head(INPUTS, 2), COLUMNS: np.arange(8, 8 + INPUTS)}
    weights = stack_tensors([matches, part], np.append(2.0 * SIGNS, 0.1), 0.5)
    x = np.random.default_rng(0).uniform(0, 80, (50, 8 + INPUTS)).astype(np.float32)
    assert prepared(weights)(x) == pytest.approx(log_odds(weights, x), rel=1e-4, abs=1e-3)


def test_neither_order_nor_company_change_a_row() -> None:
    folded = FoldedHead(random_two_layer_head(INPUTS, 2))
    x = np.random.default_rng(0).normal(size=(2 * ROWS + 7, INPUTS)).astype(np.float32)
    order = np.random.default_rng(1).permutation(len(x))
    assert np.array_equal(folded(x[order]), folded(x)[order])
    assert np.array_equal(folded(x[:3]), folded(x)[:3])
