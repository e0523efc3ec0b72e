"""Heads: what is trained, what is frozen, what is chosen on validation, and that nothing depends on interruption."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, matthews_corrcoef, precision_score, recall_score

from virshort.heads import training
from virshort.heads.evaluation import Heads, log_odds, metrics, of_scores, score_of
from virshort.heads.head import Head
from virshort.heads.metrics import of_calls, threshold_of_best_mcc
from virshort.heads.training import Data, Settings, evaluate, train

INPUTS = 12


@pytest.fixture(scope="module")
def data() -> Data:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 3000).astype(np.int8)
    x = (rng.normal(size=(3000, INPUTS)) + label[:, None] * 0.5).astype(np.float16)
    split = np.arange(2500), np.arange(2500, 3000)
    return Data(lambda rows: x[rows], split[0], label[split[0]], split[1], label[split[1]])


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


def test_training_learns_and_is_the_same_every_time(data):
    first, second = train(data, INPUTS, settings()), train(data, INPUTS, settings())
    assert first.validation["accuracy"] > 0.75
    assert first.history == second.history
    assert all((first.weights[k] == second.weights[k]).all() for k in first.weights)
    other = train(data, INPUTS, settings(replicate=1))
    assert (first.weights["output_layer.weight"] != other.weights["output_layer.weight"]).any()
    json.dumps(first.history)


def test_interrupted_training_goes_on_to_the_same_result(data, tmp_path, monkeypatch):
    whole = train(data, INPUTS, settings())
    checkpoint = tmp_path / "c.pt"
    epoch = training._train_epoch

    def killed_in_the_third(head, optimizer, data, settings, number):
        if number == 3:
            raise KeyboardInterrupt
        return epoch(head, optimizer, data, settings, number)

    monkeypatch.setattr(training, "_train_epoch", killed_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        train(data, INPUTS, settings(), checkpoint=checkpoint)
    done = []
    monkeypatch.setattr(training, "_train_epoch", lambda *a: done.append(a[-1]) or epoch(*a))
    resumed = train(data, INPUTS, settings(), checkpoint=checkpoint)
    assert done == [3]
    assert resumed.history == whole.history and resumed.threshold == whole.threshold
    assert all((resumed.weights[k] == whole.weights[k]).all() for k in whole.weights)


def test_frozen_changes_the_output_layer_only(data):
    base = train(data, INPUTS, settings())
    tuned = train(data, INPUTS, settings(frozen=True, fold=1), base.weights)
    for name in base.weights:
        assert (base.weights[name] == tuned.weights[name]).all() != name.startswith("output_layer"), name
    assert tuned.trained_parameters == 2 * 512 + 2


def test_a_start_is_where_training_begins(data):
    base = train(data, INPUTS, settings())
    near = train(data, INPUTS, settings(epochs=1, learning_rate=1e-8, fold=1), base.weights)
    np.testing.assert_allclose(near.weights["hidden_layer.weight"], base.weights["hidden_layer.weight"], atol=1e-5)


def test_training_stops_when_validation_gets_no_better(data):
    noise = Data(
        data.rows, data.train, np.random.default_rng(5).permutation(data.train_label), data.validation, data.validation_label
    )
    done = train(noise, INPUTS, settings(epochs=50, patience=2, learning_rate=1e-2))
    assert len(done.history) == done.best_epoch + 2 < 50


def test_a_last_batch_of_one_row_does_no_harm(data):
    odd = Data(data.rows, data.train[:257], data.train_label[:257], data.validation, data.validation_label)
    assert np.isfinite(train(odd, INPUTS, settings(epochs=1)).history[0]["train"]["loss"])


def test_validation_is_of_windows_that_have_the_largest_score_of_their_rows(data):
    first = np.arange(0, len(data.validation), 4)
    label = data.validation_label[first]
    done = train(Data(data.rows, data.train, data.train_label, data.validation, label, first), INPUTS, settings())
    odds = log_odds(done.weights, data.rows(data.validation)).reshape(-1, 4).max(1)
    assert done.validation["accuracy"] == of_calls(label, score_of(odds) >= done.threshold)["accuracy"]
    assert done.threshold == pytest.approx(threshold_of_best_mcc(label, score_of(odds)), abs=1e-4)


def test_numpy_and_torch_give_the_same_log_odds(data):
    done = train(data, INPUTS, settings())
    head = Head(INPUTS)
    head.load_state_dict({k: torch.from_numpy(v) for k, v in done.weights.items()})
    found = training.predict(head, data.rows, data.validation)
    np.testing.assert_allclose(log_odds(done.weights, data.rows(data.validation)), found, atol=1e-4)
    judged, cut = evaluate(head, data.rows, data.validation, data.validation_label, threshold=done.threshold)
    assert cut == done.threshold and judged == done.validation


scored = st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0])), min_size=2, max_size=40)


@given(scored)
def test_threshold_has_the_best_mcc_there_is(pairs):
    label, score = np.array([p[0] for p in pairs]).astype(int), np.array([p[1] for p in pairs])
    if len(set(label)) < 2:
        return
    best = threshold_of_best_mcc(label, score)
    mcc = max(matthews_corrcoef(label, score >= t) for t in [*np.unique(score), 2])  # every call there can be
    assert matthews_corrcoef(label, score >= best) == pytest.approx(mcc)


@given(scored)
def test_metrics_of_calls_add_up_and_are_never_nan(pairs):
    label, call = np.array([p[0] for p in pairs]), np.array([p[1] > 0.5 for p in pairs])
    found = of_calls(label, call)
    assert found["tp"] + found["fp"] + found["tn"] + found["fn"] == len(pairs)
    assert found["accuracy"] == np.mean(label == call)
    assert [found[name] for name in ("tn", "fp", "fn", "tp")] == confusion_matrix(label, call, labels=[0, 1]).ravel().tolist()
    theirs = {
        "accuracy": accuracy_score,
        "precision": precision_score,
        "recall": recall_score,
        "f1": f1_score,
        "mcc": matthews_corrcoef,
    }
    for name, metric in theirs.items():
        assert found[name] is None or found[name] == pytest.approx(metric(label, call)), name
    assert all(v is None or np.isfinite(v) for v in (found | of_scores(label, call * 1.0)).values())


@given(st.lists(st.floats(-30, 30, width=32), min_size=2, max_size=20), st.floats(0, 1), st.floats(0, 1))
def test_raising_a_threshold_never_adds_a_call(odds, a, b):
    low, high = sorted((a, b))
    score, fold = score_of(np.array(odds, np.float32)), np.zeros(len(odds), int)
    assert not (Heads({}, {0: high}).calls(score, fold) & ~Heads({}, {0: low}).calls(score, fold)).any()


def test_each_window_is_called_by_the_threshold_of_its_own_fold():
    heads = Heads({}, {1: 0.9, 3: 0.1})
    assert heads.calls(np.full(3, 0.5, np.float32), np.array([1, 3, 1])).tolist() == [False, True, False]
    found = metrics(np.array([0, 1, 1]), np.array([1, 3, 1]), np.array([[0.0, 0.0, 3.0]]), [heads])
    assert found["pooled"][0]["accuracy"] == 1 and found["rows"][1]["auroc"] is None
    assert found["pooled"][0]["auroc"] == 1
