"""What a run needs of encoders."""

import pytest

from virshort.encoders.plan import (
    PlannedEncoder,
    arms_by_default,
    encoders_by_window_set,
    encoders_of_run,
    make_plan,
    stand_in_note,
)
from virshort.errors import InputError

KMERS, DNABERT_S = "virshort.encoders.kmer_encoders", "virshort.encoders.dnabert_s"


def arm(name, windows, dna="dnabert-s", protein="kmer-protein"):
    return {"name": name, "windows": windows, "encoders": {"dna": dna, "protein": protein}}


ARMS = [
    arm("baseline", "full"),
    arm("finetune", "short"),
    arm("kmer", "short", "kmer-dna"),
    arm("raw", "full", protein="kmer-protein-untranslated"),
]


def test_a_window_set_is_embedded_by_the_encoders_of_the_arms_that_use_it():
    arms = [arm("a", "full", "x", "y"), arm("b", "short", "z", "y"), arm("c", None, "x", "v")]
    assert encoders_by_window_set(arms) == {
        "test": ["v", "x", "y", "z"],
        "short": ["v", "x", "y", "z"],  # whose validation windows every arm needs
        "scratch": [],
        "mixed": [],
        "full": ["x", "y"],
    }


def test_the_plan_names_modules_models_and_revisions():
    plan = make_plan(["a.fa"], ARMS, None, "dnabert-s=abc")
    assert plan.arms == ARMS and plan.needed["full"] == ["dnabert-s", "kmer-protein", "kmer-protein-untranslated"]
    assert plan.encoders == {
        "dnabert-s": PlannedEncoder("EMBED", DNABERT_S, "dnabert-s"),
        "kmer-dna": PlannedEncoder("EMBED_KMERS", KMERS, None),
        "kmer-protein": PlannedEncoder("EMBED_KMERS", KMERS, None),
        "kmer-protein-untranslated": PlannedEncoder("EMBED_KMERS", KMERS, None),
    }
    assert plan.weights == {"dnabert-s": "abc"} and plan.train_sets == ["full", "short"] and plan.fastas == ["a.fa"]
    with pytest.raises(InputError, match="--weights_revision esm2-8m=abc"):
        make_plan([], ARMS, None, "esm2-8m=abc")


def test_a_note_says_which_kmers_stand_in_for_language_models():
    asked = {"dna": "auto", "protein": "auto"}
    chosen = encoders_of_run(asked, False, "auto")
    assert stand_in_note(asked, chosen).startswith("kmer-dna and kmer-protein stand in for the language models")
    assert stand_in_note({"dna": "kmer-dna", "protein": "kmer-protein"}, chosen) is None
    assert stand_in_note(asked, encoders_of_run(asked, True, "auto")) is None


def trained(name, encoder, combine=()):
    finetune = {"finetune": {"encoder": encoder}} if not combine else {}
    return {"name": name, "windows": "short", "encoders": {"finetuned": f"finetuned-{name}"}, "combine": combine} | finetune


def test_an_arm_that_trains_its_encoder_needs_the_weights_it_begins_with():
    plan = make_plan([], [arm("a", "full", "kmer-dna"), trained("lora", "dnabert-s")], None)
    assert plan.encoders["finetuned-lora"] == PlannedEncoder("SCORE_FINETUNED", DNABERT_S, "dnabert-s")
    assert "finetuned-lora" in plan.needed["test"] and "finetuned-lora" not in plan.needed["full"]
    assert [*plan.weights] == ["dnabert-s"]
    with pytest.raises(InputError, match=r"arm lora: trains its encoder, and kmer-dna is no language model: .* --weights"):
        make_plan([], [trained("lora", "kmer-dna")], None)


def test_encoders_are_trained_by_default_only_where_a_gpu_is_requested():
    arms = [arm("a", "full") | {"combine": []}, trained("lora", "dnabert-s"), trained("both", "", ["a", "lora"])]
    assert arms_by_default(arms, "cuda") == ["a", "lora", "both"]
    assert arms_by_default(arms, "auto") == arms_by_default(arms, "cpu") == ["a"]
    assert arms_by_default([*arms[:1], trained("lora", "kmer-dna")], "cuda") == ["a"]
