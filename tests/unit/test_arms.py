"""Arms: their defaults, errors that name the key, and the baseline that always comes along."""

import copy
import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness import ARMS
from shipped_rows import ENCODERS
from virshort.arm_record import Arm
from virshort.arms import choose, read_arms, trained_alike, untranslated_twins
from virshort.errors import InputError

BUNDLED = Path(__file__).parents[2] / "assets" / "arms.yaml"
RUN = {"dna": "kmer-dna", "protein": "kmer-protein", "codon": "codon", "homology": "homology"}
ROWS = yaml.safe_load(BUNDLED.read_text())


def test_the_bundled_arms_are_those_of_the_design():
    arms = {a["name"]: a for a in read_arms(BUNDLED, RUN, ENCODERS)}
    assert [name for name in arms if "finetune" not in arms[name]] == ARMS
    assert [name for name in arms if "finetune" in arms[name]] == ["lora"]
    assert arms["finetune"]["learning_rate"] == 1e-4 and arms["finetune"]["start"] == "baseline"
    assert arms["scratch"]["learning_rate"] == 1e-3 and arms["scratch"]["windows"] == "scratch"
    assert all(a["batch_size"] == 256 for a in arms.values())
    assert {name for name, a in arms.items() if (a["epochs"], a["dropout"], a["hidden"]) != (10, 0.1, [512])} == {
        "codon",
        "lora",
    }


@pytest.mark.parametrize("name", ["arms.yaml", "arms_features.yaml"])
def test_the_arms_that_show_what_each_encoder_contributes_differ_in_modalities_only(name):
    arms = {a["name"]: a for a in read_arms(BUNDLED.with_name(name), RUN, ENCODERS)}
    both = arms["both"]
    assert (both["windows"], both["start"], both["modalities"]) == ("short", "random", ["dna", "protein"])
    for modality in ("dna", "protein"):
        one = arms[f"{modality}_only"]
        assert one["modalities"] == [modality] and not trained_alike(one, both)
        assert trained_alike(one | {"modalities": both["modalities"]}, both)


def read(tmp_path: Path, rows: object, **options: object) -> list[Arm]:
    path = tmp_path / "mine.yaml"
    path.write_text(rows if isinstance(rows, str) else yaml.safe_dump(rows, sort_keys=False))
    return read_arms(path, RUN, ENCODERS, **options)


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
        ({"windows": "long"}, "arm kmer: windows is 'long': it can be short, scratch, mixed, full"),
        ({"windows": "Short"}, "windows is 'Short': did you mean short?"),
        ({"windows": None}, "windows is missing: it can be short"),
        ({"Windows": "short"}, "unknown key Windows: did you mean windows?"),
        ({"description": 3}, "description is 3: must be text"),
        ({"frozen": 1}, "frozen is 1: must be true or false"),
        ({"labels": "no"}, "labels is 'no': it can be true, shuffled"),
        ({"epochs": 0}, "epochs is 0: must be a whole number from 1 to 1000"),
        ({"epochs": 2.5}, "epochs is 2.5: must be a whole number"),
        ({"learning_rate": "fast"}, "learning_rate is 'fast': must be a number"),
        ({"modalities": ["rna"]}, "modalities is"),
        ({"modalities": []}, "modalities is"),
        ({"modalities": "dna"}, "modalities is 'dna': must be a list"),
        ({"modalities": ["dna", "dna"]}, "each at most once"),
        ({"modalities": [["dna"]]}, "modalities is"),
        ({"encoders": ["kmer-dna"]}, "encoders is .*: must name encoders for dna, protein.*, as in"),
        ({"encoders": {"gc": "kmer-dna"}}, "must name encoders for dna, protein"),
        ({"encoders": {"dna": ["kmer-dna"]}}, "unknown dna encoder"),
        ({"encoders": {"dna": "kmer-dna"}, "modalities": ["protein"]}, "names one for dna, which is not among its modalities"),
        ({"encoders": {}, "modalities": ["dna"], "protein_input": "nucleotide"}, "protein is not among its modalities"),
        ({"encoders": {"dna": "kmer-dan"}}, "unknown dna encoder kmer-dan: did you mean kmer-dna?"),
        ({"hidden": []}, "hidden is \\[\\]: must be a list of the units of one to 4 layers"),
        ({"hidden": [6]}, "hidden is \\[6\\]: must be a list"),
        ({"hidden": 512}, "hidden is 512: must be a list"),
        ({"hidden": [True]}, "hidden is \\[True\\]"),
        ({"optimizer": "sgd"}, "optimizer is 'sgd': it can be adam, adamw"),
        ({"weight_decay": 0.1}, "weight_decay has no effect with optimizer adam"),
        ({"optimizer": "adamw", "weight_decay": 2}, "weight_decay is 2: must be a number from 0.0 to 1.0"),
        ({"schedule": "cosine"}, "schedule is 'cosine': it can be constant, one_cycle"),
        ({"standardize": 1}, "standardize is 1: must be true or false"),
        ({"start": "baseline", "hidden": [64]}, "its head is the baseline's: remove hidden and standardize"),
        ({"frozen": True}, "frozen with random weights"),
        ({"start": "baseline", "modalities": ["dna"], "encoders": {}}, "needs the baseline's modalities"),
        ({"role": "baseline"}, "exactly one arm must have the role baseline"),
    ],
)
def test_an_error_names_the_arm_and_the_key(tmp_path, change, complaint):
    rows = copy.deepcopy(ROWS)
    rows["kmer"] |= change
    with pytest.raises(InputError, match=complaint.replace("?", r"\?")):
        choose(read(tmp_path, rows), None)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "contains no arms"),
        ("- a\n- b\n", "contains no arms"),
        ("a: [", "line 1: "),
        ("baseline: 3\n", "arm baseline: expected keys and values, got 3"),
        ("baseline: {role: baseline, windows: full}\nbaseline: {windows: short}\n", "line 2: baseline is given twice"),
        ("baseline:\n  role: baseline\n  windows: full\n  windows: short\n", "line 4: windows is given twice"),
        ("1: {windows: short}\n", "arm 1: the name 1 is not text: put it in quotes"),
        ("a b: {windows: short}\n", "arm a b: a name consists of letters"),
        ("_: {windows: short}\n", "arm _: a name consists of letters"),
        ("-a: {windows: short}\n", "arm -a: a name consists of letters"),
        ("baseline: {role: baseline, windows: full, start: baseline}\n", "arm baseline: cannot start from itself"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole(tmp_path, text, complaint):
    with pytest.raises(InputError, match=r"^mine\.yaml: .*" + complaint):
        read(tmp_path, text)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["dna", "short", "baseline"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["dna", "gc", "x"]), inner, max_size=2),
    max_leaves=4,
)


@given(
    st.sampled_from(
        [*ROWS["finetune"], "modalities", "encoders", "epochs", "dropout", "frozen", "labels", "hidden", "weight_decay", "x"]
    ),
    values,
)
def test_any_value_is_taken_or_refused_in_one_line(tmp_path_factory, key, value):
    folder = tmp_path_factory.getbasetemp()
    try:
        arms = read(folder, {"baseline": ROWS["baseline"], "mine": {"windows": "short"} | {key: value}})
    except InputError as e:
        assert str(e).startswith("mine.yaml: ")
    else:
        assert [a["name"] for a in arms] == ["baseline", "mine"]
        json.dumps(arms, allow_nan=False)


def test_numbers_may_be_written_with_an_exponent(tmp_path):
    text = "baseline: {role: baseline, windows: full, learning_rate: 1e-4, batch_size: 1e2, dropout: 0}\n"
    (arm,) = read(tmp_path, text)
    assert (arm["learning_rate"], arm["batch_size"], arm["dropout"]) == (1e-4, 100, 0.0)
    assert isinstance(arm["batch_size"], int)


def test_labels_may_be_written_as_a_bare_true(tmp_path):
    (arm,) = read(tmp_path, "baseline: {role: baseline, windows: full, labels: true}\n")
    assert arm["labels"] == "true"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"windows": "mixed"}, "with --features it must be short"),
        ({"protein_input": "nucleotide"}, "protein_input has no effect with --features"),
        ({"modalities": ["gc"]}, "GC content of rows given with --features is not known"),
        ({"modalities": ["dna", "length"]}, "length of rows given with --features is not known"),
    ],
)
def test_ready_features_leave_less_to_choose(tmp_path, change, complaint):
    rows = {"baseline": {"role": "baseline", "windows": "short"}, "mine": {"windows": "short"} | change}
    read(tmp_path, rows)
    with pytest.raises(InputError, match=f"arm mine: .*{complaint}"):
        read(tmp_path, rows, ready_features=True)


def test_choosing_brings_the_baseline_and_suggests_a_name():
    arms = read_arms(BUNDLED, RUN, ENCODERS)
    assert [a["name"] for a in choose(arms, "kmer, finetune")] == ["baseline", "finetune", "kmer"]
    with pytest.raises(InputError, match="unknown arm finetun: did you mean finetune"):
        choose(arms, "finetun")
    with pytest.raises(InputError, match="--arms names no arm"):
        choose(arms, " , ")


@pytest.mark.parametrize(
    ("modalities", "encoders"),
    [
        (["protein"], ["kmer-dna", "kmer-protein"]),
        (["gc"], ["kmer-dna", "kmer-protein"]),
        (["length", "protein"], ["kmer-dna", "kmer-protein"]),
        (["codon"], ["codon"]),
        (["gc", "codon"], ["codon"]),
    ],
)
def test_arms_are_given_the_features_of_dna_and_protein_unless_they_read_others(tmp_path, modalities, encoders):
    (tmp_path / "mine.yaml").write_text(
        yaml.safe_dump({"baseline": ROWS["baseline"], "mine": {"windows": "short", "modalities": modalities}})
    )
    run = {"homology": "relatives"} | RUN
    fed = "nucleotide" if "codon" in modalities else "translated"
    assert list(read_arms(tmp_path / "mine.yaml", run, ENCODERS, fed)[1]["encoders"].values()) == encoders


def test_an_arm_may_feed_bases_to_its_protein_encoder(tmp_path):
    arms = read(tmp_path, ROWS | {"wrong": {"windows": "short", "modalities": ["protein"], "protein_input": "nucleotide"}})
    assert arms[-1]["encoders"] == {"dna": "kmer-dna", "protein": "kmer-protein-untranslated"}
    assert arms[0]["encoders"]["protein"] == "kmer-protein"
    everywhere = read_arms(BUNDLED, RUN, ENCODERS, "nucleotide")
    assert {a["encoders"].get("protein") for a in everywhere} == {"kmer-protein-untranslated", None}  # None: the arm codon


def test_the_bundled_translation_control_has_each_arm_both_ways():
    arms = {a["name"]: a for a in read_arms(BUNDLED.with_name("arms_untranslated.yaml"), RUN, ENCODERS)}
    pairs = [(name, name.removesuffix("_untranslated")) for name in arms if name.endswith("_untranslated")]
    assert len(pairs) == 3
    for wrong, right in pairs:
        assert all(arms[wrong][k] == arms[right][k] for k in ("windows", "modalities", "start", "epochs"))
        assert arms[wrong]["encoders"]["protein"] == "kmer-protein-untranslated" != arms[right]["encoders"]["protein"]


def test_twins_differ_only_in_what_the_protein_encoder_is_fed():
    arms = read_arms(BUNDLED.with_name("arms_untranslated.yaml"), RUN, ENCODERS)
    twins = (("both", "short"), ("protein_only", "short"), ("protein_full", "full"))
    assert untranslated_twins(arms) == [(f"{name}_untranslated", name, test_set) for name, test_set in twins]
    next(a for a in arms if a["name"] == "protein_only")["epochs"] = 3
    assert [fed for fed, *_ in untranslated_twins(arms)] == ["both_untranslated", "protein_full_untranslated"]
    assert untranslated_twins(read_arms(BUNDLED, RUN, ENCODERS)) == []


PARTS = {"combine": ["homology", "dna_only"]}


def test_a_modality_without_an_encoder_is_refused():
    without = {modality: encoder for modality, encoder in RUN.items() if modality != "homology"}
    with pytest.raises(InputError, match="arm homology: modalities contains homology, for which this run has no encoder"):
        read_arms(BUNDLED, without, ENCODERS)


def test_an_arm_that_combines_others_reads_what_they_read(tmp_path):
    arms = {a["name"]: a for a in read(tmp_path, ROWS | {"mine": PARTS})}
    one, both = arms["homology"], arms["mine"]
    assert (one["start"], one["windows"], one["encoders"]) == ("fitted", "short", {"homology": "homology"})
    assert (both["start"], both["modalities"], both["combine"]) == ("parts", ["dna", "homology"], ["homology", "dna_only"])
    assert both["encoders"] == {"dna": "kmer-dna", "homology": "homology"}
    assert [a["name"] for a in choose(list(arms.values()), "mine")] == ["baseline", "dna_only", "homology", "mine"]


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"combine": ["homology"]}, "combine is .*: must be a list of two or more arms"),
        ({"combine": ["homology", "homology"]}, "must be a list of two or more arms"),
        ({"combine": ["homology", 3]}, "must be a list of two or more arms"),
        ({"combine": []}, "must be a list of two or more arms"),
        ({"combine": ["homology", "scrach"]}, "combine: unknown arm scrach: did you mean scratch"),
        ({"combine": ["mine", "scratch"]}, "combine: mine combines arms itself"),
        ({"combine": ["combined", "scratch"]}, "combine: combined combines arms itself: name the arms"),
        ({"combine": ["scratch", "shuffled_labels"]}, "combine: shuffled_labels is trained on shuffled labels"),
        ({"combine": ["scratch", "other"]}, "combine: other reads protein by esm2-8m, but another part by kmer-protein"),
        ({"combine": ["scratch", "homology"], "epochs": 3}, "epochs has no effect on an arm that combines other arms"),
        ({"modalities": ["homology"], "windows": "short"}, "windows has no effect on an arm that believes matches"),
        ({"modalities": ["homology"], "labels": "shuffled"}, "labels has no effect on an arm that believes matches"),
        ({"modalities": ["homology", "dna"], "windows": "short"}, "homology is not read by a head together with others"),
    ],
)
def test_a_fitted_arm_has_no_keys_of_training_and_names_its_parts(tmp_path, row, complaint):
    other = {"windows": "short", "encoders": {"protein": "esm2-8m"}}
    with pytest.raises(InputError, match=f"arm mine: .*{complaint}"):
        read(tmp_path, ROWS | {"other": other, "mine": row})


RUN_WITH_MODELS = RUN | {"dna": "dnabert-s", "protein": "esm2-8m"}
LORA = {"windows": "short", "modalities": ["dna"], "adapters": "lora"}


def read_row(tmp_path, row):
    path = tmp_path / "arms.yaml"
    path.write_text(yaml.safe_dump({"baseline": ROWS["baseline"], "mine": row}))
    return read_arms(path, RUN_WITH_MODELS, ENCODERS)[1]


@pytest.mark.parametrize(
    "row",
    [
        LORA | {"targets": ["qkv"], "rank": 4, "alpha": 8, "batch_tokens": 1000, "gradient_checkpointing": True},
        LORA | {"adapters": "none", "modalities": ["protein"], "learning_rate": 1e-5},
    ],
)
def test_an_arm_with_adapters_reads_what_its_own_encoder_says(tmp_path, row):
    arm = read_row(tmp_path, row)
    assert (arm["modalities"], arm["encoders"]) == (["finetuned"], {"finetuned": "finetuned-mine"})
    (modality,) = row["modalities"]
    expected = {"rank": 8, "alpha": 16.0, "targets": [], "batch_tokens": 16384, "gradient_checkpointing": False}
    expected |= {"encoder": RUN_WITH_MODELS[modality], "modality": modality}
    assert arm["finetune"] == expected | {key: row[key] for key in ("adapters", *expected) if key in row}
    assert "finetune" not in read_row(tmp_path, {"windows": "short"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"adapters": "dora"}, "adapters is 'dora': did you mean lora? It can be lora, none"),
        ({"modalities": ["dna", "protein"]}, "with adapters one encoder is trained"),
        ({"modalities": ["finetuned"]}, "must be a list of dna, protein, codon, homology, gc, length"),
        ({"modalities": ["codon"]}, "with adapters one encoder is trained"),
        ({"windows": "mixed"}, "set windows: short"),
        ({"batch_size": 32}, "batch_size has no effect on an arm whose encoder is trained end to end"),
        ({"labels": "shuffled"}, "labels has no effect on"),
        ({"start": "baseline"}, "start has no effect on"),
        ({"rank": 0}, "rank is 0: must be a whole number from 1"),
        ({"targets": "qkv"}, "must be a list of names of linear layers"),
        ({"adapters": "none", "rank": 4}, "rank has no effect with adapters: none"),
        ({"adapters": None}, "adapters is missing: it can be lora, none"),
    ],
)
def test_wrong_keys_of_an_arm_with_adapters_are_named(tmp_path, change, said):
    with pytest.raises(InputError, match=re.escape(said)):
        read_row(tmp_path, LORA | change)


def test_keys_of_adapters_need_adapters(tmp_path):
    with pytest.raises(InputError, match="rank has no effect without adapters"):
        read_row(tmp_path, {"windows": "short", "rank": 4})
