"""Training a head: what is trained and frozen, what is chosen on validation, and that interruptions change nothing."""

import json
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from virshort.heads import training
from virshort.heads.head import Head
from virshort.heads.labelled_windows import LabelledWindows
from virshort.heads.metrics import of_calls, threshold_of_best_mcc
from virshort.heads.scoring import log_odds, score_of
from virshort.heads.settings import Settings
from virshort.heads.training import TrainedHead, evaluate, head_of, predict

INPUTS = 12


class Split(NamedTuple):
    training: LabelledWindows
    validation: LabelledWindows


@pytest.fixture(scope="module")
def data() -> Split:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 3000).astype(np.int8)
    x = (rng.normal(size=(3000, INPUTS)) + label[:, None] * 0.5).astype(np.float16)
    return Split(*(LabelledWindows(lambda rows: x[rows], rows, label[rows]) for rows in np.split(np.arange(3000), [2500])))


@pytest.fixture(scope="module")
def base(data) -> TrainedHead:
    """A head after three epochs from random weights."""
    return train(data, settings())


def train(data: Split, settings: Settings, start=None, checkpoint=None) -> TrainedHead:
    return training.train(*data, INPUTS, settings, start, checkpoint)


def settings(**changes) -> Settings:
    values = {
        "epochs": 3,
        "learning_rate": 1e-3,
        "batch_size": 256,
        "dropout": 0.1,
        "patience": 3,
        "frozen": False,
        "seed": 1,
        "fold": 0,
        "replicate": 0,
    }
    return Settings(**values | changes)


def test_the_head_is_that_of_the_design():
    shapes = {k: tuple(v.shape) for k, v in Head(2048).state_dict().items()}
    assert shapes == {
        "hidden_layer.weight": (512, 2048),
        "hidden_layer.bias": (512,),
        "bn1.weight": (512,),
        "bn1.bias": (512,),
        "bn1.running_mean": (512,),
        "bn1.running_var": (512,),
        "bn1.num_batches_tracked": (),
        "output_layer.weight": (2, 512),
        "output_layer.bias": (2,),
    }


def test_training_learns_and_is_the_same_every_time(data, base):
    first, second = base, train(data, settings())
    assert first.validation["accuracy"] > 0.75
    assert first.history == second.history
    assert all((first.weights[k] == second.weights[k]).all() for k in first.weights)
    other = train(data, settings(replicate=1))
    assert (first.weights["output_layer.weight"] != other.weights["output_layer.weight"]).any()
    json.dumps(first.history)


DEEP = {"hidden": (64, 32), "weight_decay": 0.1, "one_cycle": True, "standardize": True}


@pytest.mark.parametrize("changes", [{}, DEEP])
def test_interrupted_training_continues_to_the_same_result(data, tmp_path, monkeypatch, changes):
    whole = train(data, settings(**changes))
    checkpoint = tmp_path / "c.pt"
    epoch = training._train_epoch

    def killed_in_the_third(head, optimizer, data, settings, number):
        if number == 3:
            raise KeyboardInterrupt
        return epoch(head, optimizer, data, settings, number)

    monkeypatch.setattr(training, "_train_epoch", killed_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        train(data, settings(**changes), checkpoint=checkpoint)
    done = []
    monkeypatch.setattr(training, "_train_epoch", lambda *a: done.append(a[-1]) or epoch(*a))
    resumed = train(data, settings(**changes), checkpoint=checkpoint)
    assert done == [3]
    assert resumed.history == whole.history and resumed.threshold == whole.threshold
    assert all((resumed.weights[k] == whole.weights[k]).all() for k in whole.weights)


def test_frozen_changes_the_output_layer_only(data, base):
    tuned = train(data, settings(frozen=True, fold=1), base.weights)
    for name in base.weights:
        assert (base.weights[name] == tuned.weights[name]).all() != name.startswith("output_layer"), name
    assert tuned.trained_parameters == 2 * 512 + 2


def test_training_begins_at_its_start(data, base):
    near = train(data, settings(epochs=1, learning_rate=1e-8, fold=1), base.weights)
    np.testing.assert_allclose(near.weights["hidden_layer.weight"], base.weights["hidden_layer.weight"], atol=1e-5)


def test_training_stops_when_validation_does_not_improve(data):
    wrong = np.random.default_rng(5).permutation(data.training.label)
    noise = Split(replace(data.training, label=wrong), data.validation)
    done = train(noise, settings(epochs=50, patience=2, learning_rate=1e-2))
    assert len(done.history) == done.best_epoch + 2 < 50


def test_a_last_batch_of_one_row_does_no_harm(data):
    few = replace(data.training, rows=data.training.rows[:257], label=data.training.label[:257])
    assert np.isfinite(train(Split(few, data.validation), settings(epochs=1)).history[0]["train"]["loss"])


def test_a_window_counts_once_in_validation_and_its_rows_each_in_training(data):
    """In validation a window has the largest score of its rows, and in training every row has the label of its window."""
    first = np.arange(0, len(data.validation.rows), 4)
    label = data.validation.label[first]
    done = train(Split(data.training, replace(data.validation, label=label, first=first)), settings(epochs=1))
    odds = log_odds(done.weights, data.validation.read(data.validation.rows)).reshape(-1, 4).max(1)
    assert done.validation["accuracy"] == of_calls(label, score_of(odds) >= done.threshold)["accuracy"]
    assert done.threshold == pytest.approx(threshold_of_best_mcc(label, score_of(odds)), abs=1e-4)

    pairs = np.arange(0, len(data.training.rows), 2)
    by_window = replace(data.training, label=data.training.label[pairs], first=pairs)
    by_row = replace(data.training, label=np.repeat(data.training.label[pairs], 2))
    windows, rows = (train(Split(t, data.validation), settings(epochs=1)) for t in (by_window, by_row))
    assert windows.history == rows.history


@pytest.mark.parametrize("changes", [{}, DEEP])
def test_numpy_and_torch_give_the_same_log_odds(data, changes):
    done = train(data, settings(**changes))
    head = head_of(done.weights)
    np.testing.assert_allclose(
        log_odds(done.weights, data.validation.read(data.validation.rows)), predict(head, data.validation), atol=1e-4
    )
    found, cut = evaluate(head, data.validation, done.threshold)
    assert cut == done.threshold and found == done.validation


def test_standardized_inputs_make_scale_and_origin_irrelevant(data):
    """Inputs that a head without standardization could not learn from within three epochs."""

    def moved(windows: LabelledWindows) -> LabelledWindows:
        return replace(windows, read=lambda rows: windows.read(rows).astype(np.float32) * 1e3 + 1e4)

    far = Split(*map(moved, data))
    done = train(far, settings(standardize=True))
    assert done.validation["accuracy"] > 0.75
    np.testing.assert_allclose(done.weights["input_sd"], far.training.read(far.training.rows).std(axis=0), rtol=1e-3)


def test_an_input_that_does_not_vary_does_no_harm(data):
    def constant(windows: LabelledWindows) -> LabelledWindows:
        return replace(windows, read=lambda rows: np.full((len(rows), INPUTS), 0.1, np.float16))

    done = train(Split(*map(constant, data)), settings(epochs=1, standardize=True))
    assert (done.weights["input_sd"] == 1).all() and np.isfinite(done.validation["loss"])


@pytest.mark.parametrize("viral", [0, 1, 6, 124, 125])
def test_training_ends_well_with_hardly_any_windows_of_a_label(data, viral):
    """From no viral windows in training and validation to nothing but viral windows."""
    label = (np.arange(125) < viral).astype(np.int8)
    tiny = Split(*(replace(d, rows=d.rows[:125], label=label) for d in data))
    done = train(tiny, settings(epochs=1))
    json.dumps([done.history, done.validation], allow_nan=False)
    assert 0 <= done.threshold <= 1
