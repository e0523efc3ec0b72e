"""Fitted arms: matches and combinations, from window sets on disk to the log-odds of their written models."""

import json
import subprocess
import sys

import numpy as np
import pytest

from harness import ROOT
from trained_arm import arm
from virshort.errors import InputError
from virshort.features.tensors import write_tensors
from virshort.features.window_features import WindowFeatures
from virshort.fold_roles import training_folds
from virshort.heads.arm_data import ArmData, ArmWindows, TrainingSets, settings_of
from virshort.heads.arm_training import train_head
from virshort.heads.matches import best_bits
from virshort.heads.model_files import read_model, write_head
from virshort.heads.scoring import CUT, log_odds, matched, parts_of
from virshort.heads.stacking import EndToEnd, PartModel, fit_combined, fit_matches, take_log_odds

CLUSTERS, PER_CLUSTER, FOLDS = 30, 40, 5


@pytest.fixture
def made(window_features):
    """Windows of which half have a relative in another fold, with chance matches of up to 30 bits, and their features."""
    rng = np.random.default_rng(0)
    cluster = np.repeat(np.arange(CLUSTERS), PER_CLUSTER)
    label, fold, n = (cluster // FOLDS % 2), cluster % FOLDS, len(cluster)
    matches = np.zeros((n, FOLDS, 2, 2), np.float16)
    matches[..., 0] = rng.uniform(0, 30, (n, FOLDS, 2))
    related = np.flatnonzero(rng.random(n) < 0.5)
    for f in range(FOLDS):
        matches[related, f, label[related]] = rng.uniform([40, 0.3], [150, 0.9], (len(related), 2))
    matches[np.arange(n), fold] = 0  # never searched against its own fold
    return window_features(label, cluster, fold, matches=matches.reshape(n, -1)), related


def data_of(features, arm) -> ArmData:
    windows = ArmWindows(features, None, arm["modalities"])
    sets: TrainingSets = {"train": {}, "folds": FOLDS, "test_folds": [0], "viral_share": None}
    return ArmData(arm, sets, windows, windows)


def homology(features, **changes):
    data = data_of(features, arm(name="homology", modalities=["homology"], start="fitted") | changes)
    return fit_matches(data, settings_of(data.arm, 1, 0, 0))


def test_the_better_match_decides(made):
    features, related = made
    model = homology(features)
    assert 25 <= model.record["cut"] <= 41
    x = features.rows(np.arange(len(features)), ["homology"])
    odds = log_odds(model.weights, x)
    label = features.column("label")
    tested = np.flatnonzero(features.column("fold") == 0)
    known = np.intersect1d(related, tested)
    assert ((odds[known] > 0) == label[known]).all()
    (part,) = parts_of(model.weights)
    believed = best_bits(x, training_folds(0, FOLDS)).max(axis=1) >= model.record["cut"]
    np.testing.assert_array_equal(matched(part, x), believed)
    assert believed[known].all() and not believed.all()
    assert model.record["validation_windows"] == CLUSTERS * PER_CLUSTER // FOLDS and model.history == []
    json.dumps(model.record, allow_nan=False)


def test_a_combination_needs_nothing_but_its_own_files(made, tmp_path):
    """It is written and read again, and is better than each of its parts."""
    features, _ = made
    head_data = data_of(features, arm(name="head", modalities=["dna"], epochs=3))
    head = train_head(head_data, settings_of(head_data.arm, 1, 0, 0))
    parts = [PartModel(m.weights, m.record) for m in (homology(features), head)]
    joined = data_of(
        features, arm(name="combined", modalities=["dna", "homology"], combine=["homology", "head"], start="parts")
    )
    model = fit_combined(joined, settings_of(joined.arm, 1, 0, 0), parts)
    write_head(tmp_path, model.weights, model.record)
    weights, record = read_model(tmp_path)
    assert [CUT in part for part in parts_of(weights)] == [True, False]
    assert record["modalities"] == ["dna", "homology"] and record["cut"] is None

    tested = np.flatnonzero(features.column("fold") == 0)
    label = features.column("label")[tested]

    def right(weights, record):
        odds = log_odds(weights, features.rows(tested, record["modalities"]))
        return np.mean((1 / (1 + np.exp(-odds)) >= record["threshold"]) == label)

    assert right(weights, record) > max(right(p.weights, p.record) for p in parts)
    assert record["selection"]["accuracy"] == pytest.approx(right(weights, record), abs=0.08)


def test_a_combination_uses_only_the_folds_of_its_split(made):
    features, _ = made
    head_data = data_of(features, arm(name="head", modalities=["dna"], epochs=1))
    head = train_head(head_data, settings_of(head_data.arm, 1, 0, 0))
    joined = data_of(features, arm(modalities=["dna", "homology"], combine=["homology", "head"], start="parts"))
    parts = [PartModel(m.weights, m.record) for m in (homology(features), head)]
    model = fit_combined(joined, settings_of(joined.arm, 1, 0, 0), parts)
    x = features.rows(np.arange(50), ["dna", "homology"]).copy()
    before = log_odds(model.weights, x)
    closed = [f for f in range(FOLDS) if f not in training_folds(0, FOLDS)]
    x[:, 4:].reshape(50, FOLDS, 2, 2)[:, closed] = 500
    np.testing.assert_array_equal(log_odds(model.weights, x), before)


@pytest.mark.parametrize("kept", [1, 2])
def test_matches_of_clusters_outside_the_share_do_not_count(made, kept):
    features, _ = made
    few = homology(features, training_folds=kept)
    head_data = data_of(features, arm(name="head", modalities=["dna"], epochs=1, training_folds=kept))
    head = train_head(head_data, settings_of(head_data.arm, 1, 0, 0))
    assert head.record["training_windows"] == CLUSTERS * PER_CLUSTER * kept // FOLDS
    joined = data_of(
        features,
        arm(modalities=["dna", "homology"], combine=["homology", "head"], start="parts", training_folds=kept),
    )
    both = fit_combined(joined, settings_of(joined.arm, 1, 0, 0), [PartModel(m.weights, m.record) for m in (few, head)])
    x = features.rows(np.arange(50), ["dna", "homology"]).copy()
    before = [log_odds(few.weights, x[:, 4:]), log_odds(both.weights, x)]
    closed = [f for f in range(FOLDS) if f not in range(2, 2 + kept)]
    x[:, 4:].reshape(50, FOLDS, 2, 2)[:, closed] = 500
    np.testing.assert_array_equal([log_odds(few.weights, x[:, 4:]), log_odds(both.weights, x)], before)
    x[:, 4:].reshape(50, FOLDS, 2, 2)[:, 2, :, 0] = [0, 500]
    assert (log_odds(few.weights, x[:, 4:]) > before[0]).any()


def test_parts_of_other_features_are_refused(made):
    features, _ = made
    part = homology(features)
    part.record["encoders"] = [{**e, "pooling": "other"} for e in part.record["encoders"]]
    joined = data_of(features, arm(modalities=["homology"], combine=["homology", "homology2"], start="parts"))
    with pytest.raises(InputError, match="arm homology: was trained on other homology features"):
        fit_combined(joined, settings_of(joined.arm, 1, 0, 0), [PartModel(part.weights, part.record)])


def test_fitting_does_not_load_torch() -> None:
    """It takes two seconds in every task. Only a process of its own shows that, because other tests load it."""
    code = "import sys, train; from virshort.heads.stacking import fit_combined; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT / "bin")}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_log_odds_of_a_trained_encoder_are_used_as_they_are_and_can_be_joined_with_matches(made, tmp_path):
    features, _ = made
    n, rng = len(features), np.random.default_rng(5)
    label = features.column("label")
    odds = (rng.normal(size=(n, 2)) + np.array([1.5, 0.0]) * (2 * label - 1)[:, None]).astype(np.float32)
    encoder = {"modality": "finetuned", "encoder": "finetuned-lora", "weights": "w", "pooling": "s"}
    header = {"windows_digest": "w", "encoders": json.dumps([encoder]), "columns": json.dumps([[0, 1], [0, 0]])}
    write_tensors(tmp_path / "train.short.shard_00000.finetuned-lora.safetensors", {"finetuned": odds}, header)
    features = WindowFeatures(tmp_path, ["train/short"])
    data = data_of(features, arm(name="lora", modalities=["finetuned"], start="end_to_end"))
    settings = settings_of(data.arm, 1, 0, 0)
    one = {"loss": 0.5, "accuracy": 0.9, "f1": 0.9}
    how = EndToEnd([{"epoch": 1, "train": one, "validation": one}], 1, 10, 100, {})
    alone = take_log_odds(data, settings, how)
    x = features.rows(np.arange(n), ["finetuned"])
    assert np.array_equal(log_odds(alone.weights, x), odds[:, 1]), "those of replicate 0, the second column"
    assert alone.record["training"] == one and alone.history == how.history and alone.validation is not None
    with pytest.raises(InputError, match="fold 3, replicate 0: there are no log-odds"):
        take_log_odds(data, settings_of(data.arm, 1, 3, 0), how)

    both = data_of(
        features, arm(name="both", modalities=["homology", "finetuned"], combine=["homology", "lora"], start="parts")
    )
    matches = homology(features)
    strong = take_log_odds(data, settings_of(data.arm, 1, 0, 1), how)
    parts = [PartModel(m.weights, m.record) for m in (matches, strong)]
    joined = fit_combined(both, settings, parts)
    last = log_odds(joined.weights, features.rows(np.arange(n), ["homology", "finetuned"]))
    alone_too = np.corrcoef(last, odds[:, 0])[0, 1]
    assert alone_too > 0.5 and joined.record["selection"]["accuracy"] > matches.record["selection"]["accuracy"]
