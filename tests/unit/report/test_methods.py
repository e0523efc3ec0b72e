"""The methods paragraph and the DOME sheet: from the records of the run, and honest about what is missing."""

from dataclasses import replace

from virshort.report.dome import MISSING, dome, sheet
from virshort.report.inputs import Inputs
from virshort.report.methods import fitted_in_words, head_in_words, paragraph, references

CLUSTERS = {"clusters": 100, "method": "given", "containment": None, "tool": None, "version": None}


def test_the_paragraph_says_how_p_is_computed(data: Inputs) -> None:
    text = paragraph(data)
    assert "the larger of two" in text and "10,000 random sign flips of whole clusters" in text and "t test" in text
    assert "the number of remedies (2) by Holm's method" in text  # finetune and multilength


def test_the_paragraph_claims_no_p_without_a_baseline(data: Inputs) -> None:
    arms = [{**r, "difference_to_baseline": None} for r in data.comparison["arms"] if r["arm"] != "baseline"]
    assert "P value" not in paragraph(replace(data, comparison={**data.comparison, "arms": arms}))


def test_families_that_are_held_out_are_named(data: Inputs) -> None:
    held = replace(data, folds={**(data.folds or {}), "hold_out": "family", "units": 24}, clusters=CLUSTERS)
    assert "Whole families (24 with the clusters of sources without one) were assigned to 4 folds" in paragraph(held)
    found = sheet(dome(held))["Data"]
    assert (
        found["Splits"].startswith("4 folds of families")
        and ", and families, are never split" in found["Redundancy between splits"]
    )
    assert "Clusters were assigned to 4 folds" in paragraph(replace(data, clusters=CLUSTERS))
    assert "for new families, intervals count families" in paragraph(data)


def test_references_are_those_of_the_tools_that_ran(data: Inputs) -> None:
    assert not any("Nextflow" in r for r in references(data))
    assert any("Nextflow" in r for r in references(replace(data, versions={"nextflow": "25.04"})))
    model = {"encoders": [{"modality": "dna", "encoder": "dnabert-s", "weights": "", "pooling": "mean"}]}
    assert any("DNABERT-S" in r for r in references(replace(data, models={"finetune": model})))


def test_a_bare_folder_leaves_answers_open(data: Inputs) -> None:
    full, bare = sheet(dome(data)), sheet(dome(Inputs(data.comparison)))
    assert list(full) == ["Data", "Optimization", "Model", "Evaluation"]
    assert {part: list(answers) for part, answers in full.items()} == {part: list(answers) for part, answers in bare.items()}
    assert bare["Data"]["Provenance"] == bare["Optimization"]["Algorithm"] == bare["Model"]["Execution time"] == MISSING
    assert full["Optimization"]["Algorithm"] != MISSING
    assert "the controls among them ('gc' and 'shuffled_labels')" in full["Evaluation"]["Comparison"]
    assert full["Optimization"]["Training windows"].startswith("'baseline' ")
    assert all(answer for part in bare.values() for answer in part.values())


def test_heads_and_fitted_arms_are_described_in_words() -> None:
    deep = {
        "architecture": {"hidden": [512, 256], "dropout": 0.3, "standardized": True},
        "hyperparameters": {
            "batch_size": 64,
            "epochs": 5,
            "weight_decay": 0.1,
            "schedule": "one_cycle",
            "learning_rate": 0.002,
        },
    }
    text = head_in_words(deep)
    assert "512 and 256 hidden units" in text and "AdamW and weight decay 0.1" in text
    assert "standardized inputs" in text and "one-cycle learning rate of at most 0.002" in text
    assert fitted_in_words("deep", deep) is None
    joined = fitted_in_words("joined", {"combine": ["homology", "deep"]})
    assert joined and "over what 'homology' and 'deep' say" in joined
    assert "goes by the bits" in (fitted_in_words("homology", {"combine": [], "cut": 32.0}) or "")
