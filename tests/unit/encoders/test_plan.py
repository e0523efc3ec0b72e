"""What a run needs of encoders."""

import pytest

from virshort.encoders.plan import PlannedEncoder, encoders_of_run, make_plan, pairs_by_window_set, stand_in_note
from virshort.errors import InputError

COMPOSITION, DNABERT_S = "virshort.encoders.composition_encoders", "virshort.encoders.dnabert_s"


def arm(name, windows, dna="dnabert-s", protein="kmer-protein"):
    return {"name": name, "windows": windows, "encoders": {"dna": dna, "protein": protein}}


ARMS = [
    arm("baseline", "full"),
    arm("finetune", "short"),
    arm("kmer", "short", "kmer-dna"),
    arm("raw", "full", protein="kmer-protein-untranslated"),
]
A, B, C = "dnabert-s+kmer-protein", "kmer-dna+kmer-protein", "dnabert-s+kmer-protein-untranslated"


def test_a_window_set_is_embedded_by_the_pairs_of_the_arms_that_use_it():
    pairs = pairs_by_window_set([{"pair": A, "windows": "full"}, {"pair": B, "windows": "short"}, {"pair": C, "windows": None}])
    assert pairs == {
        "test": sorted([A, B, C]),
        "short": sorted([A, B, C]),  # whose validation windows every arm needs
        "scratch": [],
        "mixed": [],
        "full": [A],
    }


def test_the_plan_names_modules_models_and_revisions():
    plan = make_plan(["a.fa"], ARMS, None, "dnabert-s=abc")
    assert [a["pair"] for a in plan.arms] == [A, A, B, C] and "pair" not in ARMS[0]
    assert plan.encoders == {
        "dnabert-s": PlannedEncoder(DNABERT_S, "dnabert-s"),
        "kmer-dna": PlannedEncoder(COMPOSITION, None),
        "kmer-protein": PlannedEncoder(COMPOSITION, None),
        "kmer-protein-untranslated": PlannedEncoder(COMPOSITION, None),
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
