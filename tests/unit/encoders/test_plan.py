"""What a run needs of encoders."""

import json

import pytest

import plan
from harness import ROOT
from shipped_rows import CATALOGUE, ROWS
from virshort.encoders.plan import (
    PlannedEncoder,
    arms_by_default,
    encoders_by_window_set,
    encoders_of_run,
    make_plan,
    stand_in_note,
)
from virshort.encoders.revisions import PlannedWeights
from virshort.errors import InputError

KMERS, DNABERT_S = "virshort.encoders.kmer_encoders", "virshort.encoders.dnabert_s"


def arm(name, windows, dna="dnabert-s", protein="kmer-protein"):
    role = "baseline" if name == "baseline" else "remedy"
    encoders, modalities = {"dna": dna, "protein": protein}, ["dna", "protein", "length"]
    return {"name": name, "role": role, "windows": windows, "encoders": encoders, "modalities": modalities}


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
    plan = make_plan(["a.fa"], ARMS, None, CATALOGUE, "dnabert-s=abc")
    assert plan.arms == ARMS and plan.needed["full"] == ["dnabert-s", "kmer-protein", "kmer-protein-untranslated"]
    assert plan.encoders == {
        "dnabert-s": PlannedEncoder("EMBED", DNABERT_S, "dnabert-s", None),
        "kmer-dna": PlannedEncoder("EMBED_KMERS", KMERS, None, None),
        "kmer-protein": PlannedEncoder("EMBED_KMERS", KMERS, None, None),
        "kmer-protein-untranslated": PlannedEncoder("EMBED_KMERS", KMERS, None, None),
    }
    assert plan.weights == {"dnabert-s": PlannedWeights("abc", ROWS["dnabert-s"].keys)} and plan.width == 768 + 21 + 1
    assert plan.train_sets == ["full", "short"] and plan.fastas == ["a.fa"]
    with pytest.raises(InputError, match="--weights_revision esm2-8m=abc"):
        make_plan([], ARMS, None, CATALOGUE, "esm2-8m=abc")


def test_a_note_says_which_kmers_stand_in_for_language_models():
    asked = {"dna": ["auto"], "protein": ["auto"]}
    chosen = encoders_of_run(asked, False, "auto", CATALOGUE)
    assert stand_in_note(asked, chosen, CATALOGUE).startswith("kmer-dna and kmer-protein stand in for the language models")
    assert stand_in_note({"dna": ["kmer-dna"], "protein": ["kmer-protein"]}, chosen, CATALOGUE) is None
    assert stand_in_note(asked, encoders_of_run(asked, True, "auto", CATALOGUE), CATALOGUE) is None


def test_the_plan_says_how_a_model_of_transformers_reads_sequences():
    plan = make_plan([], [arm("baseline", "full", "metagene-1")], None, CATALOGUE)
    planned = plan.encoders["metagene-1"]
    assert planned.module == "virshort.encoders.transformers_model" and planned.reading["max_tokens"] == 512
    assert plan.weights["metagene-1"].row["repo"] == "metagene-ai/METAGENE-1" and plan.width == 4096 + 21 + 1


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("dnabert", "--dna_encoder dnabert: did you mean dnabert-s"),
        ("esm2-8m", "--dna_encoder esm2-8m: it can be kmer-dna, dnabert-s"),
        ("kmer-dna", "--dna_encoder names kmer-dna twice"),
    ],
)
def test_an_encoder_of_another_modality_or_of_none_is_refused(asked, message):
    with pytest.raises(InputError, match=message):
        encoders_of_run({"dna": ["kmer-dna", *asked.split(",")], "protein": ["auto"]}, False, "auto", CATALOGUE)


def trained(name, encoder, combine=()):
    finetune = {"finetune": {"encoder": encoder}} if not combine else {}
    read = {"finetuned": f"finetuned-{name}"}
    return {"name": name, "role": "remedy", "windows": "short", "encoders": read, "combine": combine} | finetune


def test_an_arm_that_trains_its_encoder_needs_the_weights_it_begins_with():
    arms = [arm("baseline", "full", "kmer-dna"), trained("lora", "dnabert-s")]
    plan = make_plan([], arms, None, CATALOGUE)
    assert plan.encoders["finetuned-lora"] == PlannedEncoder("SCORE_FINETUNED", DNABERT_S, "dnabert-s", None)
    assert "finetuned-lora" in plan.needed["test"] and "finetuned-lora" not in plan.needed["full"]
    assert [*plan.weights] == ["dnabert-s"]
    with pytest.raises(InputError, match=r"arm lora: trains its encoder, and kmer-dna is no language model: .* --weights"):
        make_plan([], [arms[0], trained("lora", "kmer-dna")], None, CATALOGUE)


def test_encoders_are_trained_by_default_only_where_a_gpu_is_requested():
    arms = [arm("baseline", "full") | {"combine": []}, trained("lora", "dnabert-s"), trained("both", "", ["lora", "x"])]
    assert arms_by_default(arms, "cuda", CATALOGUE) == ["baseline", "lora", "both"]
    assert arms_by_default(arms, "auto", CATALOGUE) == arms_by_default(arms, "cpu", CATALOGUE) == ["baseline"]
    assert arms_by_default([arms[0], trained("lora", "kmer-dna")], "cuda", CATALOGUE) == ["baseline"]


@pytest.mark.parametrize(
    ("words", "trained", "left_out"),
    [
        (["--device", "auto", "--weights-given"], [], ["lora"]),
        (["--device", "auto", "--weights-given", "--arms", "lora"], ["lora"], []),
        (["--device", "cuda"], ["lora"], []),
        (["--device", "cuda", "--dna-encoder", "dnabert-s,kmer-dna"], ["lora"], []),
        (["--device", "cuda", "--dna-encoder", "kmer-dna"], [], ["lora"]),
    ],
)
def test_the_script_says_which_arms_train_encoders_and_which_are_left_out(tmp_path, monkeypatch, words, trained, left_out):
    (tmp_path / "sheet.csv").write_text("fasta,label\na.fa,viral\nb.fa,nonviral\n")
    monkeypatch.chdir(tmp_path)
    given = ["--samplesheet", "sheet.csv", "--arms-file", ROOT / "assets/arms.yaml", "--dna-encoder", "auto"]
    monkeypatch.setattr("sys.argv", ["plan.py", *map(str, given), "--protein-encoder", "kmer-protein", *words])
    plan.main()
    found = json.loads((tmp_path / "plan.json").read_text())
    assert [arm["name"] for arm in found["arms"] if "finetune" in arm] == trained and found["left_out"] == left_out
    assert ("finetuned-lora" in found["encoders"]) == bool(trained) and ("dnabert-s" in found["weights"]) >= bool(trained)
