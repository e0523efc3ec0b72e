"""Arms: defaults, refusals by name, and the baseline that comes along."""

import copy
from pathlib import Path

import pytest
import yaml

from virshort.arms import choose, read_arms, untranslated_twins
from virshort.encoders.catalogue import ENCODERS
from virshort.errors import InputError

BUNDLED = Path(__file__).parents[2] / "assets" / "arms.yaml"
RUN = {"dna": "kmer-dna", "protein": "kmer-protein"}
ROWS = yaml.safe_load(BUNDLED.read_text())


def test_the_bundled_arms_are_those_of_the_design():
    arms = {a["name"]: a for a in read_arms(BUNDLED, RUN, ENCODERS)}
    assert list(arms) == [
        "baseline",
        "finetune",
        "finetune_frozen",
        "scratch",
        "multilength",
        "dna_only",
        "protein_only",
        "kmer",
        "gc",
        "shuffled_labels",
    ]
    assert arms["finetune"]["learning_rate"] == 1e-4 and arms["finetune"]["start"] == "baseline"
    assert arms["scratch"]["learning_rate"] == 1e-3 and arms["scratch"]["windows"] == "scratch"
    assert all(a["batch_size"] == 256 and a["epochs"] == 10 and a["dropout"] == 0.1 for a in arms.values())


def read(tmp_path: Path, rows: object) -> list[dict]:
    path = tmp_path / "mine.yaml"
    path.write_text(rows if isinstance(rows, str) else yaml.safe_dump(rows, sort_keys=False))
    return read_arms(path, RUN, ENCODERS)


def test_a_user_adds_an_arm_without_touching_code(tmp_path):
    mine = {
        "windows": "mixed",
        "modalities": ["protein", "dna"],
        "dropout": 0.2,
        "epochs": 5,
        "start": "baseline",
        "frozen": True,
    }
    arm = read(tmp_path, ROWS | {"mine": mine})[-1]
    assert (arm["dropout"], arm["epochs"], arm["modalities"], arm["frozen"]) == (0.2, 5, ["dna", "protein"], True)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"dropuot": 0.2}, "mine.yaml: arm kmer: unknown key dropuot: did you mean dropout?"),
        ({"windows": "long"}, "arm kmer: windows is 'long': must be one of short, scratch, mixed, full"),
        ({"epochs": 0}, "epochs is 0: must be a whole number from 1 to 1000"),
        ({"epochs": 2.5}, "epochs is 2.5: must be a whole number"),
        ({"learning_rate": "fast"}, "learning_rate is 'fast': must be a number"),
        ({"modalities": ["rna"]}, "modalities is"),
        ({"modalities": []}, "modalities is"),
        ({"encoders": {"dna": "kmer-dan"}}, "unknown dna encoder kmer-dan: did you mean kmer-dna?"),
        ({"frozen": True}, "frozen with random weights"),
        ({"start": "baseline", "modalities": ["dna"]}, "needs the baseline's modalities"),
        ({"role": "baseline"}, "exactly one arm must have the role baseline"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, change, complaint):
    rows = copy.deepcopy(ROWS)
    rows["kmer"] |= change
    with pytest.raises(InputError, match=complaint.replace("?", r"\?")):
        choose(read(tmp_path, rows), None)


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "a: [", "baseline: 3\n"])
def test_no_arms_at_all(tmp_path, text):
    with pytest.raises(InputError, match=r"mine\.yaml"):
        read(tmp_path, text)


def test_choosing_brings_the_baseline_and_suggests_a_name():
    arms = read_arms(BUNDLED, RUN, ENCODERS)
    assert [a["name"] for a in choose(arms, "kmer, finetune")] == ["baseline", "finetune", "kmer"]
    with pytest.raises(InputError, match="unknown arm finetun: did you mean finetune"):
        choose(arms, "finetun")


def test_an_arm_may_feed_bases_to_its_protein_encoder(tmp_path):
    arms = read(tmp_path, ROWS | {"wrong": {"windows": "short", "modalities": ["protein"], "protein_input": "nucleotide"}})
    assert arms[-1]["encoders"] == {"dna": "kmer-dna", "protein": "kmer-protein-untranslated"}
    assert arms[0]["encoders"]["protein"] == "kmer-protein"
    everywhere = read_arms(BUNDLED, RUN, ENCODERS, "nucleotide")
    assert {a["encoders"]["protein"] for a in everywhere} == {"kmer-protein-untranslated"}


def test_the_bundled_translation_control_has_each_arm_both_ways():
    arms = {a["name"]: a for a in read_arms(BUNDLED.with_name("arms_untranslated.yaml"), RUN, ENCODERS)}
    pairs = [(name, name.removesuffix("_untranslated")) for name in arms if name.endswith("_untranslated")]
    assert len(pairs) == 3
    for wrong, right in pairs:
        assert all(arms[wrong][k] == arms[right][k] for k in ("windows", "modalities", "start", "epochs"))
        assert arms[wrong]["encoders"]["protein"] == "kmer-protein-untranslated" != arms[right]["encoders"]["protein"]


def test_twins_differ_in_what_the_protein_encoder_is_fed_alone():
    arms = read_arms(BUNDLED.with_name("arms_untranslated.yaml"), RUN, ENCODERS)
    twins = (("both", "short"), ("protein_only", "short"), ("protein_full", "full"))
    assert untranslated_twins(arms) == [(f"{name}_untranslated", name, test_set) for name, test_set in twins]
    next(a for a in arms if a["name"] == "protein_only")["epochs"] = 3
    assert [fed for fed, *_ in untranslated_twins(arms)] == ["both_untranslated", "protein_full_untranslated"]
    assert untranslated_twins(read_arms(BUNDLED, RUN, ENCODERS)) == []
