"""What a run on reads needs of a model: the modules and weights of its encoders."""

from typing import cast

import pytest

from virshort.encoders.published import PUBLISHED
from virshort.errors import InputError
from virshort.model.checking import Checked
from virshort.model.record import ModelRecord
from virshort.reads.plan import make_plan
from virshort.reads.sheet import Sample

SAMPLES = [Sample("lake", [["a.fq"]])]
CHECKED: Checked = {"digest": "abc", "files": {"heads.safetensors": [1, 2]}}


def model(*encoders: str) -> ModelRecord:
    return cast(ModelRecord, {"arm": "both", "encoders": [{"encoder": name} for name in encoders]})


def test_a_model_that_counts_and_searches_needs_no_weights() -> None:
    plan = make_plan(SAMPLES, model("kmer-dna", "kmer-protein", "codon", "homology"), CHECKED, None)
    assert plan.modules == ["virshort.encoders.codon_encoder", "virshort.encoders.kmer_encoders"]
    assert plan.weights == {} and plan.arm == "both" and (plan.samples, plan.checked) == (SAMPLES, CHECKED)


def test_language_models_have_their_pinned_or_named_revisions() -> None:
    pinned = make_plan(SAMPLES, model("dnabert-s", "kmer-protein"), CHECKED, None)
    assert pinned.weights == {"dnabert-s": PUBLISHED["dnabert-s"].revision}
    assert make_plan(SAMPLES, model("dnabert-s"), CHECKED, "local").weights == {"dnabert-s": "local"}
    with pytest.raises(InputError, match="esm2-8m"):
        make_plan(SAMPLES, model("dnabert-s"), CHECKED, "esm2-8m=abc")
