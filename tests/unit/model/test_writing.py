"""Which arms become models, and what their records say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shipped_rows import ROWS
from virshort.encoders.catalogue import entry_of
from virshort.errors import InputError
from virshort.heads.prediction import Heads
from virshort.model.language_models import catalogue_of_model
from virshort.model.writing import Run, chosen_arm, lengths_trained_on, model_record, write_model

RUN = Run(4, [0, 2], 150, 1, "longest", "default")


def arm(name: str, **more: Any) -> dict[str, Any]:
    plain = {"description": "", "role": "remedy", "windows": "short", "modalities": ["dna"], "start": "random", "combine": []}
    return {"name": name, **plain, **more}


ARMS: list[Any] = [
    arm("baseline", role="baseline", windows="full"),
    arm("finetune", start="baseline"),
    arm("multilength", windows="mixed"),
    arm("homology", windows=None, modalities=["homology"], start="fitted"),
    arm("combined", windows=None, start="parts", combine=["homology", "multilength"]),
    arm("gc", role="control"),
    arm("combined_20", role="curve"),
]


def test_a_model_is_written_of_remedies_and_the_baseline_only() -> None:
    assert [chosen_arm(ARMS, name)["name"] for name in ("baseline", "combined")] == ["baseline", "combined"]
    for name, role in (("gc", "control"), ("combined_20", "curve")):
        with pytest.raises(InputError, match=f"--model_arm {name}: is a {role}, which is no classifier to use"):
            chosen_arm(ARMS, name)
    with pytest.raises(InputError, match="--model_arm combine: is no arm of this run: did you mean combined"):
        chosen_arm(ARMS, "combine")


def test_the_lengths_of_training_are_those_of_all_that_an_arm_is_made_of() -> None:
    by_arm = {a["name"]: lengths_trained_on(a, ARMS, 120) for a in ARMS}
    assert by_arm["baseline"] == {"full": [500, 3000]}
    assert by_arm["finetune"] == {"full": [500, 3000], "short": [120, 120]}
    assert by_arm["combined"] == {"mixed": [100, 3000]}
    assert by_arm["homology"] == {}
    pretrained: list[Any] = [arm("baseline", role="baseline", windows=None, start="pretrained"), ARMS[1]]
    assert lengths_trained_on(pretrained[0], pretrained, 150) == {}


def test_a_model_of_given_features_is_refused() -> None:
    of_head: Any = {"encoders": [{"modality": "dna", "encoder": "given", "weights": "", "pooling": ""}], "pretrained": None}
    with pytest.raises(InputError, match="arm finetune: its features were given"):
        model_record(ARMS[1], ARMS, of_head, {}, None, {"step": 1, "count": 0, "bases": 0}, RUN)


def test_an_arm_names_only_its_own_encoders_and_the_head_it_was_given() -> None:
    encoders = [{"modality": m, "encoder": f"kmer-{m}", "weights": "", "pooling": "p"} for m in ("dna", "protein")]
    of_head: Any = {"encoders": encoders, "pretrained": {"file": "head.pth"}}
    cuts = {"balanced": 1.0, "fpr_1e-2": None, "fpr_1e-3": None}
    scale = {"lengths": None, "windows": 1, "temperature": 1.0, "bias": 0.0, "thresholds": cuts}
    fitted: Any = {fold: [scale] for fold in (0, 2)}
    record = model_record(ARMS[1], ARMS, of_head, fitted, None, {"step": 1, "count": 0, "bases": 0}, RUN)
    assert [e["encoder"] for e in record["encoders"]] == ["kmer-dna"] and record["pretrained"] == "head.pth"
    assert record["search"] is None and record["pairs"] is None
    assert record["thresholds"][0]["thresholds"] == cuts


def test_a_record_holds_the_rows_of_the_language_models_that_its_arm_reads() -> None:
    read = {"dna": "metagene-1", "protein": "esm2-8m-untranslated"}
    encoders = [{"modality": m, "encoder": name, "weights": "0" * 16, "pooling": "p"} for m, name in read.items()]
    of_head: Any = {"encoders": encoders, "pretrained": None}
    rows = {name: ROWS[name].keys for name in ("metagene-1", "esm2-8m", "prott5")}
    both: Any = arm("both", modalities=["dna", "protein"])
    cuts = {"balanced": 1.0, "fpr_1e-2": None, "fpr_1e-3": None}
    scale: Any = {"lengths": None, "windows": 1, "temperature": 1.0, "bias": 0.0, "thresholds": cuts}
    record = model_record(
        both, ARMS, of_head, {0: [scale], 2: [scale]}, None, {"step": 1, "count": 0, "bases": 0}, RUN, None, rows
    )
    assert set(record["language_models"]) == {"metagene-1", "esm2-8m"}
    catalogue = catalogue_of_model(record)
    assert entry_of("metagene-1", catalogue).row == ROWS["metagene-1"]
    assert entry_of("esm2-8m-untranslated", catalogue).module == "virshort.encoders.esm2"


def test_an_arm_that_reads_matches_needs_databases(make_model: Callable, tmp_path: Path) -> None:
    made = make_model(["homology"])
    with pytest.raises(InputError, match="reads matches, but there are no databases"):
        write_model(tmp_path / "again", made.record, Heads({0: {}, 2: {}}, {}), made.heads.weights[0]["part0.folds"], None, "")


def test_the_same_model_has_the_same_bytes(make_model: Callable, tmp_path: Path) -> None:
    made = make_model(["homology", "codon"])
    kmers = made.heads.weights[0]["part0.folds"]
    folders = [tmp_path / "a", tmp_path / "b"]
    first, second = (write_model(f, made.record, made.heads, kmers, made.folder / "homology", "# Card\n") for f in folders)
    assert first == second and first["digest"] != made.record["digest"]
    assert len({p.stat().st_mode for p in folders[0].iterdir() if p.is_file()}) == 1, "who may read one file may read all"
