"""What a run on reads needs of a model: the modules and weights of its encoders."""

from typing import cast

import pytest

from shipped_rows import ROWS
from virshort.encoders.revisions import PlannedWeights
from virshort.errors import InputError
from virshort.model.checking import Checked
from virshort.model.record import ModelRecord
from virshort.reads.plan import make_plan
from virshort.reads.sheet import Sample

SAMPLES = [Sample("lake", [["a.fq"]])]
CHECKED: Checked = {"digest": "abc", "files": {"heads.safetensors": [1, 2]}}


def model(*encoders: str) -> ModelRecord:
    rows = {name: ROWS[name].keys for name in encoders if name in ROWS}
    # The digest of the databases stands where language models have that of their weights
    made_by = [
        {"encoder": name, "modality": name, "weights": "0" * 16 * (name in ROWS or name == "homology")} for name in encoders
    ]
    return cast(ModelRecord, {"arm": "both", "encoders": made_by} | ({"language_models": rows} if rows else {}))


def test_a_model_that_counts_and_searches_needs_no_weights() -> None:
    plan = make_plan(SAMPLES, model("kmer-dna", "kmer-protein", "codon", "homology"), CHECKED, None)
    assert plan.modules == ["virshort.encoders.codon_encoder", "virshort.encoders.kmer_encoders"]
    assert plan.weights == {} and plan.arm == "both" and (plan.samples, plan.checked) == (SAMPLES, CHECKED)


def test_language_models_have_their_pinned_or_named_revisions() -> None:
    pinned = make_plan(SAMPLES, model("dnabert-s", "kmer-protein"), CHECKED, None)
    row = ROWS["dnabert-s"]
    assert pinned.weights == {"dnabert-s": PlannedWeights(row.published.revision, row.keys)}
    assert make_plan(SAMPLES, model("dnabert-s"), CHECKED, "local").weights["dnabert-s"].revision == "local"
    with pytest.raises(InputError, match="esm2-8m"):
        make_plan(SAMPLES, model("dnabert-s"), CHECKED, "esm2-8m=abc")


def test_a_model_whose_language_model_is_not_described_is_refused() -> None:
    record = model("dnabert-s")
    del record["language_models"]
    with pytest.raises(InputError, match="does not say how its encoder dnabert-s is loaded, since an earlier version wrote it"):
        make_plan(SAMPLES, record, CHECKED, None)
