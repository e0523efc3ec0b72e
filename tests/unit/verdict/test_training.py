"""Which arm validation prefers."""

from typing import Any

from virshort.verdict.training import best_arm, pretrained_baseline, training_summary


def entry(name: str, accuracy: float | None, role: str = "remedy", **model: Any) -> Any:
    record = {"selection": accuracy and {"accuracy": accuracy}, "best_epoch": 1, **model}
    history = [{"epoch": e, "train": {"accuracy": 0.5 + e / 10}} for e in (1, 2, 3)]
    return training_summary({"name": name, "role": role}, [(record, history)])


def test_best_arm_is_the_first_of_the_best_in_validation_and_no_control() -> None:
    entries = [entry("shuffled_labels", 0.99, "control"), entry("a", 0.7), entry("b", 0.7), entry("c", None)]
    assert best_arm(entries)["arm"] == "a"
    assert [c["arm"] for c in best_arm(entries)["candidates"]] == ["a", "b"]
    assert best_arm(entries[3:])["arm"] is None


def test_training_accuracy_is_that_of_the_epoch_that_was_kept() -> None:
    t = entry("a", 0.7)
    assert (t["training_accuracy"], t["last_training_accuracy"]) == (0.6, 0.8)
    assert entry("a", 0.7, best_epoch=None)["training_accuracy"] == 0.8
    assert training_summary({"name": "a"}, [])["training_accuracy"] is None


def test_a_pretrained_baseline_leaves_something_open() -> None:
    origin = {"file": "head.pth", "form": "VirNucPro", "sha256": "0", "metadata": {}}
    found = pretrained_baseline([entry("baseline", 0.7, "baseline", pretrained=origin)])
    assert found is not None and "pretrained head (head.pth)" in found["sentence"]
    assert pretrained_baseline([entry("baseline", 0.7, "baseline"), entry("a", 0.7, pretrained=origin)]) is None
