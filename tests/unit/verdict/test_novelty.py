"""What the results by novelty say in words, and the thresholds that they use."""

import csv
from pathlib import Path

from compared import compared
from synthetic_results import Arm, write_results
from virshort.heads.calibration import LENGTHS
from virshort.inference.novelty_rates import Rate
from virshort.verdict.novelty import find, novelty_in_words, strict_cuts
from virshort.verdict.schema import ArmNovelty


def row(by: str, group: str, share: float, strict: float | None = 0.1, label: str = "viral", units: int = 20) -> ArmNovelty:
    def rate(value: float) -> Rate:
        return {"share": value, "ci95": [value - 0.05, value + 0.05]}

    return {
        "arm": "combined",
        "by": by,
        "group": group,
        "label": label,
        "windows": 100,
        "clusters": 30,
        "units": units,
        "effective": 15.0,
        "called": rate(share),
        "called_strictly": None if strict is None else rate(strict),
    }


RELATED = [row("relative", "relative", 0.9, 0.8), row("relative", "no relative", 0.6, 0.1)]
KNOWN, NEW = row("family", "known", 0.7, 0.5), row("family", "new", 0.6, 0.2, units=24)


def test_the_sentence_names_known_relatives_and_new_families():
    assert novelty_in_words([*RELATED, KNOWN, NEW], "combined") == (
        "Relatives known: at its threshold for 1 % false positives, 'combined' finds 80.0 % (95 % interval 75.0 to 85.0) of "
        "the viral windows that match a virus in training (35 bits or more), and of the others 10.0 % (95 % interval 5.0 to "
        "15.0). Family new: it finds 20.0 % (95 % interval 15.0 to 25.0) of the viral windows of 24 families without a "
        "member in training."
    )


def test_without_a_search_families_are_compared_and_what_is_not_known_is_said():
    assert "Family known: at its threshold for 1 % false positives, 'combined' finds 50.0 %" in (
        novelty_in_words([KNOWN, NEW], "combined") or ""
    )
    assert "(--hold_out family)" in (novelty_in_words([KNOWN], "combined") or "")
    assert "no family is given (column family)" in (novelty_in_words([row("family", "unknown", 0.5)], "combined") or "")
    one = novelty_in_words([row("family", "new", 0.6, None, units=1)], "combined") or ""
    assert "Family new: at its threshold from validation, 'combined' finds 60.0 %" in one and "of 1 family without" in one
    assert novelty_in_words([], "combined") is None and novelty_in_words([KNOWN], "other") is None


def test_the_threshold_is_that_of_the_length_if_a_head_has_one():
    own = {"lengths": list(LENGTHS[0]), "thresholds": {"fpr_1e-2": 2.0}}
    every = {"lengths": None, "thresholds": {"fpr_1e-2": 1.0}}
    models = [
        ({"fold": 0, "replicate": 0, "calibration": [every, own]}, []),
        ({"fold": 1, "replicate": 0, "calibration": [every]}, []),
        ({"fold": 2, "replicate": 0}, []),
    ]
    assert strict_cuts(models, 150) == {(0, 0): 2.0, (1, 0): 1.0, (2, 0): None}
    assert strict_cuts(models, 300) == {(0, 0): 1.0, (1, 0): 1.0, (2, 0): None}
    assert strict_cuts(models, 0) == strict_cuts(models, 150), "the length of ready features is not known"


def test_the_comparison_has_every_arm_and_novelty_tsv_the_same_numbers(tmp_path: Path):
    write_results(tmp_path, [Arm("baseline", role="baseline"), Arm("finetune", 0.8)], {"short": 2000, "full": 300})
    c = compared(tmp_path)
    rows = c["novelty"]["rows"]
    assert {r["arm"] for r in rows} == {"baseline", "finetune"} and c["novelty"]["sentence"].startswith("Relatives known")
    short = next(r for r in c["arms"] if (r["arm"], r["test_set"]) == ("finetune", "short"))
    for by in ("family", "match", "relative"):
        viral = [r for r in rows if (r["arm"], r["by"], r["label"]) == ("finetune", by, "viral")]
        found = sum(r["windows"] * r["called"]["share"] for r in viral)
        assert abs(found - short["confusion"]["tp"]) < 1e-6
    with (tmp_path / "novelty.tsv").open() as f:
        table = list(csv.DictReader(f, delimiter="\t"))
    assert len(table) == len(rows)
    new = find(rows, "finetune", "family", "new")
    (same,) = (t for t in table if (t["arm"], t["by"], t["group"], t["label"]) == ("finetune", "family", "new", "viral"))
    assert new and float(same["called_viral"]) == float(f"{new['called']['share']:.6g}") and int(same["units"]) == new["units"]


def test_a_folder_without_novelty_is_compared_as_before(tmp_path: Path):
    write_results(tmp_path, [Arm("baseline", role="baseline"), Arm("finetune", 0.8)], {"short": 900})
    (tmp_path / "evaluation" / "novelty.parquet").unlink()
    assert compared(tmp_path)["novelty"] == {"rows": [], "sentence": None}
