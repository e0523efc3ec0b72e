"""What the best arm needs of every read."""

from dataclasses import replace

from virshort.report.costs import costs
from virshort.report.inputs import Inputs
from virshort.report.needs import needs_text
from virshort.report.sections.arms import unmatched_in_words
from virshort.report.sections.lengths import own_thresholds


def test_the_best_arm_names_its_encoders_and_their_speed(data: Inputs) -> None:
    best = data.comparison["best_arm"]["arm"]
    model = {"modalities": ["codon", "homology"], "encoders": [{"modality": m, "encoder": m} for m in ("codon", "homology")]}
    task = {"name": "E:EMBED_KMERS (codon test/short s)", "status": "COMPLETED", "realtime": "2s", "peak_rss": "1 MB"}
    made = replace(data, models={best: model}, costs=costs([task], {"test/short": 5000}))
    assert needs_text(made) == (
        f"For every read, '{best}' needs the features of codon (2,500 windows per second and task in this run) and homology. "
        "The search needs a database of the proteins of the training genomes (size not known)."
    )
    sized = replace(made, homology={"databases": [{"residues": 2_000_000}, {"residues": 1_500_000}]})
    assert "(4 MB for the genomes of all folds)" in (needs_text(sized) or "")
    assert needs_text(replace(data, models={})) is None


def test_windows_without_a_match_and_thresholds_by_length(data: Inputs) -> None:
    c = data.comparison
    found = {"viral": {"share": 0.52, "ci95": [0.5, 0.54]}, "nonviral": {"share": 0.8, "ci95": None}}
    balanced = {"own": True, "threshold": "balanced", "accuracy": {"share": 0.75, "ci95": [0.7, 0.8]}}
    lengths = {f"length_{n}": {"thresholds": [balanced]} for n in (100, 500)}
    details = {**c["details"], "finetune": {"short": {"without_match": found}, **lengths}}
    made = replace(data, comparison={**c, "details": details}, models={"finetune": {"cut": 31.0}})
    text = unmatched_in_words(made, "finetune")
    assert text and text.startswith("52.0 % (95 % interval 50.0 to 54.0) of the viral windows and 80.0 %")
    assert "no match of 31 bits or more" in text and unmatched_in_words(made, "baseline") is None
    (name,) = own_thresholds(made.comparison)
    assert name == "finetune, threshold by length"
    assert own_thresholds(made.comparison)[name][500]["mean"] == 0.75
