"""compare.py on synthetic results: the rows, the files, and what happens in degenerate cases."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compared import DEGENERATE, compared, plain
from synthetic_results import Arm, standard_arms, write_results
from virshort.errors import InputError
from virshort.verdict.parts import check_parts
from virshort.verdict.schema import ArmRow, Comparison
from virshort.verdict.verdict import BANDS

CHOSEN = [a for a in standard_arms() if a.name in ("baseline", "finetune", "scratch", "kmer", "shuffled_labels")]


@pytest.fixture(scope="module")
def standard(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = write_results(
        tmp_path_factory.mktemp("standard"), CHOSEN, {"short": 4000, "full": 1500, "length_100": 1000}, folds=3
    )
    return folder, compared(folder)


def test_rows_have_what_the_design_promises(standard: tuple[Path, dict[str, Any]]) -> None:
    folder, c = standard
    assert set(c) == set(Comparison.__annotations__)
    assert c["verdict"]["verdict"] in BANDS
    assert len(c["arms"]) == len(CHOSEN) * 3
    for row in c["arms"]:
        assert set(row) == set(ArmRow.__annotations__)
        assert set(row["metrics"]) == {"accuracy", "precision", "recall", "f1", "mcc", "auroc", "auprc"}
        for m in row["metrics"].values():
            assert m["ci95"][0] <= m["mean"] <= m["ci95"][1] and m["sd"] is not None
        assert (row["difference_to_baseline"] is None) == (row["arm"] == "baseline")
        assert sum(row["confusion"].values()) == pytest.approx(row["windows"])
    table = [line.split("\t") for line in (folder / "comparison.tsv").read_text().splitlines()]
    assert len(table) == 1 + len(CHOSEN) * 3 and len({len(line) for line in table}) == 1
    check_parts(folder, c)


def test_means_are_those_of_metrics_json(standard: tuple[Path, dict[str, Any]]) -> None:
    folder, c = standard
    for row in c["arms"]:
        pooled = json.loads((folder / "evaluation" / row["arm"] / row["test_set"] / "metrics.json").read_text())["pooled"]
        for name, m in row["metrics"].items():
            assert m["mean"] == pytest.approx(np.mean([p[name] for p in pooled]))


def test_the_best_arm_is_that_of_validation(standard: tuple[Path, dict[str, Any]]) -> None:
    c = standard[1]
    assert c["best_arm"]["arm"] == "scratch" == c["verdict"]["best_arm"]
    assert c["overfitting"] == []  # the baseline fails on short windows only
    assert c["controls"]["shuffled_labels"]["holds_chance"] is True


def test_permuted_test_labels_change_no_choice(tmp_path: Path, standard: tuple[Path, dict[str, Any]]) -> None:
    c = compared(write_results(tmp_path, CHOSEN, {"short": 4000}, folds=3, permute_labels=True))
    assert c["best_arm"] == standard[1]["best_arm"]
    assert c["verdict"]["verdict"] == "rejected"


def test_neither_the_order_of_rows_nor_their_blocks_change_a_byte(tmp_path: Path) -> None:
    arms = standard_arms()[:3]
    one = write_results(tmp_path / "a", arms, {"short": 3000}, mixed=6)
    two = write_results(tmp_path / "b", arms, {"short": 3000}, mixed=6, shuffle_rows=True, row_group_size=700)
    compared(one)
    compared(two)
    assert (one / "comparison.json").read_bytes() == (two / "comparison.json").read_bytes()


@pytest.mark.parametrize("case", DEGENERATE)
def test_a_degenerate_case_gives_a_sentence(case: str, degenerate: Callable[[str], tuple[Path, dict[str, Any]]]) -> None:
    sentence, (_, c) = DEGENERATE[case][1], degenerate(case)
    assert sentence in " ".join(n for row in c["arms"] for n in row["notes"])
    assert c["answer"] and c["recommendation"] and c["verdict"]["headline"]
    if case in ("no baseline", "no finetune", "only controls", "no windows"):
        assert c["verdict"]["verdict"] is None and "no verdict is claimed" in c["answer"]
        assert c["scenario"] is None
    elif not c["verdict"]["ci95"] or not c["verdict"]["balanced"]:
        assert not c["verdict"]["certain"] and c["scenario"]["name"] == "undecided"
        assert not c["recommendation"].startswith("Use ")
    assert "beyond chance" not in c["recommendation"] or c["verdict"]["ci95"]


def test_too_few_clusters_mean_no_interval_and_no_conclusion(tmp_path: Path) -> None:
    """However large the difference is."""
    arms = [*plain("baseline", accuracy=0.3), *plain("finetune", accuracy=0.9, selection=0.9), Arm("gc", 0.3, "control")]
    c = compared(write_results(tmp_path, arms, {"short": 1500, "full": 500}, clusters=14))
    assert c["verdict"]["verdict"] == "strong" and not c["verdict"]["certain"] and c["verdict"]["ci95"] is None
    assert all(m["ci95"] is None for row in c["arms"] for m in row["metrics"].values())
    differences = [d for row in c["arms"] if (d := row["difference_to_baseline"])]
    assert len(differences) == 4 and all(d["p"] is None and d["p_holm"] is None for d in differences)
    assert any("no intervals are given" in w for w in c["warnings"])
    assert c["best_arm"]["arm"] == "finetune" and c["recommendation"].startswith("Nothing is recommended")
    said = [c["answer"], c["recommendation"], c["cost"]["sentence"], c["votes"] or "", *c["scenario"]["next_steps"]]
    for word in ("beyond chance", "fixes", "Use ", "better", "worse", "more accurate", "less accurate"):
        assert not any(word in s for s in said), word


def test_the_same_genomes_under_both_labels_are_noticed(tmp_path: Path) -> None:
    c = compared(write_results(tmp_path, plain("baseline", "finetune"), {"short": 1500}, clusters=60, mixed=60))
    assert c["arms"][0]["clusters_with_both_labels"] >= 55
    assert any("hold both viral and nonviral windows" in w for w in c["warnings"])


def test_few_viral_windows_leave_no_verdict(tmp_path: Path) -> None:
    arms = [*plain("baseline", accuracy=0.6), *plain("finetune", constant=-3.0, selection=0.95)]
    c = compared(write_results(tmp_path, arms, {"short": 2000}, clusters=200, viral_share=0.05))
    assert c["verdict"]["verdict"] == "strong" and not c["verdict"]["certain"]
    assert c["recommendation"].startswith("Nothing is recommended")
    assert any("--viral_share 0.5" in w for w in c["warnings"])


def test_the_criteria_are_those_that_the_user_gives(tmp_path: Path) -> None:
    folder = write_results(tmp_path, plain("baseline", "finetune"), {"short": 1200})
    found = {k["name"]: k for k in compared(folder, "--min-accuracy", 0.99, "--min-recall", 0)["criteria"]["finetune"]}
    assert (found["Test accuracy"]["minimum"], found["Test accuracy"]["met"]) == (0.99, False)
    assert (found["Recall"]["target"], found["Recall"]["met"]) == ("0 % or more", True)
    with pytest.raises(InputError, match="min_f1 is 75: give a share between 0 and 1"):
        compared(folder, "--min-f1", 75)


def test_shuffled_labels_off_chance_warn_of_a_leak(tmp_path: Path) -> None:
    arms = [*plain("baseline", "finetune"), Arm("shuffled_labels", 0.75, "control", 0.5)]
    c = compared(write_results(tmp_path, arms, {"short": 3000}))
    assert c["controls"]["shuffled_labels"]["holds_chance"] is False
    assert any(w.startswith("LEAK?") for w in c["warnings"])


def test_an_audit_above_its_limit_is_reported(tmp_path: Path) -> None:
    folder = write_results(tmp_path, plain("baseline", "finetune"), {"short": 1200})
    pair = {"train_set": "short", "test_set": "short", "test_windows": 1000, "shared_windows": 20, "share": 0.02, "ok": False}
    (folder / "leakage.json").write_text(json.dumps({"k": 31, "limit": 0.001, "ok": False, "summary": [pair], "sets": []}))
    c = compared(folder)
    assert c["leakage"]["ok"] is False and "ABOVE THE LIMIT" in c["warnings"][0]


def test_metrics_that_disagree_with_the_predictions_stop_the_step(tmp_path: Path) -> None:
    folder = write_results(tmp_path, plain("baseline", "finetune"), {"short": 1200})
    metrics = folder / "evaluation" / "finetune" / "short" / "metrics.json"
    value = json.loads(metrics.read_text())
    value["pooled"][1]["accuracy"] += 0.01
    metrics.write_text(json.dumps(value))
    with pytest.raises(InputError, match=r"finetune.*accuracy.*replicate 1"):
        compared(folder)
    value["pooled"].pop()
    metrics.write_text(json.dumps(value))
    with pytest.raises(InputError, match=r"finetune.*has replicates \[0, 1\], but the predictions have \[0, 1, 2\]"):
        compared(folder)


def test_an_arm_that_is_not_in_arms_json_is_named(tmp_path: Path) -> None:
    folder = write_results(tmp_path, plain("baseline", "finetune"), {"short": 300})
    (folder / "evaluation" / "finetune").rename(folder / "evaluation" / "old")
    with pytest.raises(InputError, match=r"evaluation/old: is not an arm of arms\.json"):
        compared(folder)
