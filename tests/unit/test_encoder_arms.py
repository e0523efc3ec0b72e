"""Several encoders in one run: which arms have variants, and what these begin with."""

from pathlib import Path

import pytest
import yaml

from shipped_rows import ENCODERS
from virshort.arms import choose, read_arms
from virshort.curve_arms import arms_of_curve
from virshort.encoder_arms import arms_of_encoders

BUNDLED = Path(__file__).parents[2] / "assets/arms.yaml"
FIRST = {"dna": "dnabert-s", "protein": "esm2-8m", "codon": "codon", "homology": "homology"}
READ_DNA = ["baseline", "finetune", "finetune_frozen", "scratch", "multilength", "length_aware", "both", "dna_only"]


def variants(path: Path = BUNDLED, names: str | None = None, protein_input: str = "translated", **others: list[str]) -> dict:
    arms = choose(read_arms(path, FIRST, ENCODERS, protein_input), names)
    return {arm["name"]: arm for arm in arms_of_encoders(arms, FIRST, others)}


def test_arms_that_read_the_first_encoder_have_a_variant_with_each_other_one() -> None:
    frozen = ",".join(name for name in yaml.safe_load(BUNDLED.read_text()) if name != "lora")
    found = variants(names=frozen, dna=["metagene-1", "kmer-dna"], protein=["prott5"])
    of_dna = [f"{name}@{encoder}" for encoder in ("metagene-1", "kmer-dna") for name in READ_DNA]
    assert list(found) == of_dna + [f"{name}@prott5" for name in (*READ_DNA[:-1], "protein_only")]
    for name, arm in found.items():
        original, _, encoder = name.partition("@")
        assert arm["variant_of"] == original and arm["role"] == "remedy"
        assert encoder in arm["encoders"].values() and len(set(arm["encoders"].values()) & set(FIRST.values())) == 1
    assert found["finetune@metagene-1"]["begins_with"] == ["baseline@metagene-1"]
    assert found["finetune@prott5"]["description"] == "finetune, with prott5 instead of esm2-8m"


def test_an_arm_that_trains_its_encoder_has_a_variant_that_trains_the_other() -> None:
    found = variants(names="lora", dna=["metagene-1"], protein=["prott5"])
    (arm,) = (a for a in found.values() if "finetune" in a)
    assert arm["name"] == "lora@metagene-1" and arm["finetune"]["encoder"] == "metagene-1"
    assert arm["encoders"] == {"finetuned": "finetuned-lora@metagene-1"} and arm["variant_of"] == "lora"


def test_without_other_encoders_there_are_no_variants() -> None:
    assert variants(dna=[], protein=[]) == {}


def test_what_is_fed_to_a_protein_encoder_stays_the_same() -> None:
    found = variants(protein_input="nucleotide", protein=["prott5"])
    assert found["both@prott5"]["encoders"] == {"dna": "dnabert-s", "protein": "prott5-untranslated"}


def test_a_combination_joins_the_variants_of_its_parts(tmp_path: Path) -> None:
    path = tmp_path / "arms.yaml"
    path.write_text(BUNDLED.read_text() + "joined:\n  combine: [homology, both]\n")
    joined = variants(path, "joined", dna=["metagene-1"])["joined@metagene-1"]
    assert joined["combine"] == joined["begins_with"] == ["homology", "both@metagene-1"]


@pytest.mark.parametrize("arm", ["finetune@metagene-1", "baseline@metagene-1"])
def test_a_variant_may_have_a_learning_curve(arm: str) -> None:
    arms = choose(read_arms(BUNDLED, FIRST, ENCODERS), "finetune")
    arms += arms_of_encoders(arms, FIRST, {"dna": ["metagene-1"]})
    curve = arms_of_curve(arms, arm, 5)
    assert {a["curve_of"].partition("@")[2] for a in curve} == {"metagene-1"} and {a["role"] for a in curve} == {"curve"}
