"""Training an arm: what a head's record says, on which windows it is judged, and that a pretrained head is kept as it is."""

import json
from contextlib import nullcontext

import numpy as np
import pytest

from trained_arm import arm
from virshort.arm_record import Arm
from virshort.errors import InputError
from virshort.heads.arm_data import ArmData, ArmWindows, TrainingSets, settings_of
from virshort.heads.arm_training import Start, check_encoders, keep_head, train_head
from virshort.heads.splits import split_rows

CLUSTERS, PER_CLUSTER, FOLDS = 12, 40, 3


def data_of(window_features, arm: Arm, label=None, cluster=None, size: int | None = None, viral_share=None) -> ArmData:
    """An arm that is trained and judged on the same windows, half of them viral unless `label` says otherwise."""
    cluster = np.repeat(np.arange(CLUSTERS), PER_CLUSTER) if cluster is None else cluster
    label = cluster // FOLDS % 2 if label is None else label
    windows = ArmWindows(window_features(label, cluster, cluster % FOLDS), size, arm["modalities"])
    sets: TrainingSets = {"train": {}, "folds": FOLDS, "test_folds": [0], "viral_share": viral_share}
    return ArmData(arm, sets, windows, windows)


def test_the_record_says_what_the_head_was_trained_and_judged_on(window_features):
    data = data_of(window_features, arm(), size=100, viral_share=0.6)
    head = train_head(data, settings_of(data.arm, seed=1, fold=0, replicate=2))
    record = head.record
    assert (record["arm"], record["fold"], record["replicate"], record["window_set"]) == ("mine", 0, 2, "short")
    assert (record["training_windows"], record["validation_windows"], record["epochs_run"]) == (100, 100, 2)
    assert record["architecture"]["inputs"] == 8 == head.weights["hidden_layer.weight"].shape[1]
    assert record["training"] == head.history[record["best_epoch"] - 1]["train"]
    assert record["selection"] == record["validation"]  # its own windows are those of `short`
    assert record["selection"]["accuracy"] > 0.7 and record["pretrained"] is None
    assert [c["windows"] for c in record["calibration"]] == [100]
    json.dumps([record, head.history], allow_nan=False)


def test_a_modality_is_trained_alone(window_features):
    data = data_of(window_features, arm(modalities=["gc"], epochs=1))
    assert train_head(data, settings_of(data.arm, 1, 0, 0)).record["architecture"]["inputs"] == 1


def test_an_arm_chooses_its_head(window_features):
    deep = arm(hidden=[32, 16], optimizer="adamw", weight_decay=0.1, schedule="one_cycle", standardize=True)
    data = data_of(window_features, deep)
    head = train_head(data, settings_of(data.arm, 1, 0, 0))
    made = head.record["architecture"]
    assert (made["hidden"], made["standardized"]) == ([32, 16], True)
    training, _ = data.split(data.windows, 0)
    x = data.windows.features.rows(training, ["dna", "protein"]).astype(float)
    np.testing.assert_allclose(head.weights["input_mean"], x.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(head.weights["input_sd"], x.std(axis=0), rtol=1e-5)
    assert head.record["hyperparameters"]["schedule"] == "one_cycle"


def test_shuffled_labels_are_learned_but_judged_by_the_true_ones(window_features):
    """Training and calibration see the permuted labels, and the comparison between arms sees the true ones."""
    data = data_of(window_features, arm(labels="shuffled", epochs=1))
    record = train_head(data, settings_of(data.arm, 1, 0, 0)).record
    _, validation = data.split(data.windows, 0)
    true = data.windows.label[validation]
    judged = record["selection"]
    assert judged["tp"] + judged["fn"] == true.sum()
    assert record["validation"] != judged


@pytest.mark.parametrize("clusters", [6, 12])
@pytest.mark.parametrize("viral_share", [None, 0.05])
@pytest.mark.parametrize("labels", ["true", "shuffled"])
def test_tiny_and_unbalanced_sets_are_trained(window_features, clusters, viral_share, labels):
    """Three clusters per label, and 95 nonviral windows for each 5 viral ones."""
    cluster = np.repeat(np.arange(clusters), PER_CLUSTER)
    label = cluster // FOLDS % 2
    if viral_share is None:  # in the shares in which they are given
        kept = (label == 0) | (np.arange(len(label)) % 20 == 0)
        cluster, label = cluster[kept], label[kept]
    data = data_of(window_features, arm(labels=labels, epochs=1), label, cluster, 20 if viral_share else None, viral_share)
    for fold in range(FOLDS):
        head = train_head(data, settings_of(data.arm, 1, fold, 0))
        json.dumps([head.record, head.history], allow_nan=False)
        assert head.record["selection"]["fp"] + head.record["selection"]["tn"] > 0


@pytest.mark.parametrize(
    ("size", "viral_share", "folds", "complaint"),
    [
        (20, 0.05, 5, "none of its 6 validation windows is viral"),
        (20, 0.95, 5, "none of its 6 validation windows is nonviral"),
        (5, 0.05, 3, "none of its 5 training windows is viral"),
        (4, 0.5, 8, "none of its 0 validation windows is nonviral"),
    ],
)
def test_a_split_without_windows_of_a_label_is_refused(size, viral_share, folds, complaint):
    fold, label = np.arange(800) % folds, np.arange(800) // folds % 2
    with pytest.raises(InputError, match=f"split 1: {complaint}"):
        split_rows(label, fold, 1, folds, size, viral_share)


def test_given_rows_of_one_label_are_refused():
    with pytest.raises(InputError, match="split 0: none of its 2 validation windows is viral"):
        split_rows(np.array([0, 0, 0, 1, 0]), np.array([0, 1, 1, 2, 2]), 0, 3, None, None)


def test_a_pretrained_head_is_kept_with_its_threshold(window_features):
    data = data_of(window_features, arm())
    trained = train_head(data, settings_of(data.arm, 1, 0, 0))
    origin = {"file": "m.safetensors", "sha256": "0", "form": "virshort", "metadata": {}}
    start = Start(trained.weights, {"threshold": 0.7, "encoders": trained.record["encoders"], "pretrained": origin})
    given = data_of(window_features, arm(start="pretrained", windows=None))
    kept = keep_head(given, settings_of(given.arm, 1, 0, 0), start)
    assert kept.weights is trained.weights and kept.history == []
    assert (kept.record["threshold"], kept.record["pretrained"]) == (0.7, origin)
    assert [kept.record[k] for k in ("training_windows", "epochs_run", "best_epoch", "training", "validation")] == [
        0,
        0,
        None,
        None,
        None,
    ]
    assert kept.record["calibration"] == trained.record["calibration"]  # both on the same validation windows
    assert list(kept.record) == list(trained.record)


@pytest.mark.parametrize(
    ("encoder", "weights", "refused"),
    [("kmer-dna", "", False), ("dnabert-s", "", True), ("kmer-dna", "0123", True), ("given", "", False)],
)
def test_a_head_is_for_features_of_its_own_encoders(encoder, weights, refused):
    record = {
        "threshold": 0.5,
        "pretrained": {"file": "m.safetensors", "sha256": "0", "form": "virshort", "metadata": {}},
        "encoders": [{"modality": "dna", "encoder": "kmer-dna", "weights": "", "pooling": "p"}],
    }
    found = [{"modality": "dna", "encoder": encoder, "weights": weights, "pooling": "p"}]
    message = f"m.safetensors: trained on features of kmer-dna, but this run's dna features are of {encoder}"
    with pytest.raises(InputError, match=message) if refused else nullcontext():
        check_encoders(record, found)
    check_encoders(record | {"encoders": None}, found)  # VirNucPro's heads do not say
