"""The arms of the learning curve: which are trained on what, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import plan
from harness import ROOT
from trained_arm import arm
from virshort.arm_record import Arm
from virshort.arms import trained_alike
from virshort.curve_arms import CURVE, arms_of_curve, steps
from virshort.errors import InputError

ARMS: list[Arm] = [
    arm(name="baseline", role="baseline", windows="full"),
    arm(name="combined", start="parts", combine=["homology", "tuned"], begins_with=["homology", "tuned"]),
    arm(name="tuned", start="baseline", begins_with=["baseline"]),
    arm(name="homology", start="fitted", modalities=["homology"]),
    arm(name="gc", role="control", modalities=["gc"]),
]


@given(st.integers(1, 100))
def test_steps_are_about_a_quarter_half_and_three_quarters(folds: int) -> None:
    found = steps(folds)
    assert found == sorted(set(found)) and all(0 < kept < folds for kept in found)
    assert len(found) == min(3, max(0, folds - 1))
    assert all(
        min(abs(kept / folds - share) for share in (0.25, 0.5, 0.75)) <= 0.5 / folds + 1e-9 or kept == 1 for kept in found
    )


def test_an_arm_is_trained_again_with_all_that_it_begins_with() -> None:
    found = {a["name"]: a for a in arms_of_curve(ARMS, "combined", folds=5)}
    parts = [f"{name}_{n}" for n in ("1_fold", "2_folds") for name in ("combined", "baseline", "tuned", "homology")]
    assert list(found) == parts
    assert found["combined_1_fold"]["combine"] == found["combined_1_fold"]["begins_with"] == ["homology_1_fold", "tuned_1_fold"]
    assert found["tuned_2_folds"]["begins_with"] == ["baseline_2_folds"] and found["tuned_2_folds"]["combine"] == []
    for a in found.values():
        (original,) = (b for b in ARMS if b["name"] == a["curve_of"])
        assert a["role"] == CURVE and str(a["training_folds"]) in a["name"] and not trained_alike(a, original)
        assert trained_alike(a | {key: original[key] for key in ("training_folds", "begins_with", "combine")}, original)
    assert all(a["training_folds"] is None and "curve_of" not in a for a in ARMS), "the arms themselves stay as they are"


def test_an_encoder_is_trained_again_too() -> None:
    finetune: Any = {"encoder": "dnabert-s", "modality": "dna"}
    read: dict[str, str] = {"finetuned": "finetuned-lora"}
    lora = arm(name="lora", modalities=["finetuned"], encoders=read, start="end_to_end", finetune=finetune)
    both = arm(
        name="both",
        modalities=["homology", "finetuned"],
        encoders={"homology": "homology", **read},
        combine=["homology", "lora"],
        begins_with=["homology", "lora"],
    )
    found = {a["name"]: a["encoders"] for a in arms_of_curve([*ARMS, lora, both], "both", folds=4)}
    again = {"finetuned": "finetuned-lora_1_fold"}
    assert found["lora_1_fold"] == again and found["both_1_fold"] == {"homology": "homology", **again}


def test_a_pretrained_baseline_stays_as_it_is() -> None:
    arms = [a | {"start": "pretrained", "windows": None} if a["name"] == "baseline" else a for a in ARMS]
    found = arms_of_curve(arms, "tuned", folds=4)
    assert [(a["name"], a["begins_with"]) for a in found] == [("tuned_1_fold", ["baseline"])]
    with pytest.raises(InputError, match="--learning_curve baseline: is not trained, because it is given with --pretrained"):
        arms_of_curve(arms, "baseline", folds=4)


@pytest.mark.parametrize(
    ("name", "folds", "message"),
    [
        ("codn", 5, "--learning_curve codn: is not an arm of this run"),
        ("gc", 3, "--learning_curve gc: each split trains on one fold only.*--folds 4 or more, and no column split"),
        ("gc", 4, "--learning_curve gc: arm gc_1_fold has a name that the curve needs: rename it"),
    ],
)
def test_what_is_refused(name: str, folds: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        arms_of_curve([*ARMS, arm(name="gc_1_fold")], name, folds)


def run_plan(folder: Path, monkeypatch: pytest.MonkeyPatch, sheet: str, *words: object) -> list[Arm]:
    """plan.py on a samplesheet. Returns arms.json."""
    (folder / "sheet.csv").write_text(sheet)
    monkeypatch.chdir(folder)
    files = ["--samplesheet", folder / "sheet.csv", "--arms-file", ROOT / "assets/arms.yaml", "--arms", "finetune,combined"]
    encoders = ["--dna-encoder", "kmer-dna", "--protein-encoder", "kmer-protein"]
    monkeypatch.setattr("sys.argv", ["plan.py", *map(str, [*files, *encoders, *words])])
    plan.main()
    found: list[Arm] = json.loads((folder / "arms.json").read_text())
    return found


SHEET = "fasta,label{}\na.fa,viral{}\nb.fa,nonviral{}\n"


def test_the_plan_holds_the_arms_of_the_curve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = SHEET.format("", "", "")
    plain = run_plan(tmp_path, monkeypatch, sheet)
    before = json.loads((tmp_path / "plan.json").read_text())
    arms = run_plan(tmp_path, monkeypatch, sheet, "--learning-curve", "combined", "--folds", 4)
    after = json.loads((tmp_path / "plan.json").read_text())
    assert arms[: len(plain)] == plain
    assert [a["name"] for a in arms[len(plain) :]] == ["combined_1_fold", "codon_1_fold", "homology_1_fold"]
    assert {**after, "arms": None} == {**before, "arms": None}, "nothing else is embedded, fetched or drawn"


@pytest.mark.parametrize("column", [",split", ""])
def test_a_given_split_has_no_curve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, column: str) -> None:
    cells = (",train", ",test") if column else ("", "")
    table = [] if column else ["--source-table", tmp_path / "sources.tsv"]
    (tmp_path / "sources.tsv").write_text("id\tsplit\na\ttrain\nb\tNA\n")
    with pytest.raises(InputError, match="each split trains on one fold only"):
        run_plan(tmp_path, monkeypatch, SHEET.format(column, *cells), *table, "--learning-curve", "finetune", "--folds", 5)
