"""evaluate.py on pairs: one mate and both, by the models of the right splits, in blocks of any size."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import evaluate
from random_heads import random_head
from virshort.features.window_features import WindowFeatures
from virshort.files import read_json
from virshort.fold_roles import training_folds
from virshort.heads import prediction
from virshort.heads.matches import SIGNS
from virshort.heads.model_files import ensemble_of, folder_of, write_head
from virshort.heads.pairing import fit_rule, pair_odds, read_pairs
from virshort.heads.scoring import log_odds, score_of, stack_tensors
from virshort.labels import LABELS

FRAGMENTS, FOLDS, TESTED = 120, 4, [0, 2]
THRESHOLD = 0.4
SCALE, SHIFT = 2.0, 0.5


@pytest.fixture
def windows(window_features: Callable[..., WindowFeatures]) -> WindowFeatures:
    """Mates of fragments of four folds; a third of them overlap by half."""
    number = np.arange(FRAGMENTS)
    fragment = np.repeat(number, 2)
    start = np.stack([np.full(FRAGMENTS, 100), 100 + np.where(number // FOLDS % 3, 200, 75)], axis=1).ravel()
    return window_features(
        np.repeat(number // FOLDS % 2, 2),
        np.repeat(number // 8 * FOLDS + number % FOLDS, 2),  # a cluster is in one fold
        np.repeat(number % FOLDS, 2),
        "test/pair",
        window=[f"f{n}/{mate}" for n in number for mate in (1, 2)],
        start=start,
        end=start + 150,
        fragment=fragment,
        mate=np.tile([1, 2], FRAGMENTS).astype(np.int8),
    )


def run(folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch, different: bool = True, as_one: bool = False) -> None:
    """evaluate.py with two replicates of random heads for each tested fold, different ones or one and the same; as_one: with a
    threshold for their mean as well."""
    calibration = [{"lengths": None, "windows": 9, "temperature": SCALE, "bias": SHIFT, "thresholds": {"balanced": 0.0}}]
    calibration[0]["thresholds"] |= {"fpr_1e-2": None, "fpr_1e-3": None}
    encoders = WindowFeatures(folder, ["test/pair"]).encoders
    record = {"threshold": THRESHOLD, "calibration": calibration, "modalities": ["dna", "protein"], "encoders": encoders}
    record["cut"] = None
    for f in TESTED:
        for r in (0, 1):
            head = random_head(8, 10 * f + different * r)
            write_head(folder / "models" / folder_of(f, r), head, record)  # type: ignore[arg-type]
        if as_one:
            known = {"replicates": 2, "threshold": THRESHOLD, "calibration": calibration}
            (folder / "models" / ensemble_of(f)).write_text(json.dumps(known))
    sets = {"test": {"pair": {"pools": ["test/pair"]}}, "folds": FOLDS, "test_folds": TESTED}
    (folder / "sets.json").write_text(json.dumps(sets))
    words = ["--arm", "a", "--models", folder / "models", "--data", folder, "--window-sets", folder / "sets.json", "--out", out]
    monkeypatch.setattr("sys.argv", ["evaluate.py", "--role", "remedy", *map(str, words)])
    evaluate.main()


def predictions(folder: Path) -> dict[str, np.ndarray]:
    table = pq.read_table(folder / "predictions.parquet")
    return {name: table[name].to_numpy() for name in table.column_names}


@pytest.mark.parametrize("block", [10, 1 << 14])
def test_mates_and_pairs_are_judged_by_the_split_that_tests_their_fold(
    windows: WindowFeatures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(prediction, "_BLOCK", block)
    out = tmp_path / "out"
    run(tmp_path, out, monkeypatch)
    x = windows.rows(np.arange(2 * FRAGMENTS), ["dna", "protein"])
    fold = np.arange(FRAGMENTS) % FOLDS
    tested = np.isin(fold, TESTED)
    overlap = np.where(np.arange(FRAGMENTS) // FOLDS % 3, 0.0, 0.5)
    rules = read_json(out / "pair" / "pair_rule.json")
    assert [(rule["replicate"], rule["fold"]) for rule in rules] == [(r, f) for r in (0, 1) for f in TESTED]
    assert {rule["pairs"] for rule in rules} == {FRAGMENTS // FOLDS}
    assert [rule["overlapping"] for rule in rules] == [pytest.approx(1 / 3)] * 4
    single, both = (predictions(out / name) for name in ("mate", "pair"))
    for rule in rules:
        r, f = rule["replicate"], rule["fold"]
        here = fold == f
        mates = log_odds(random_head(8, 10 * f + r), x[np.repeat(here, 2)]).reshape(-1, 2)
        expected = pair_odds(mates / rule["temperature"] + rule["bias"], overlap[here], rule["factor"])
        for found, odds, threshold, end in ((single, mates[:, 0], THRESHOLD, "/1"), (both, expected, rule["threshold"], "")):
            shown = {name: column[(found["replicate"] == r) & (found["fold"] == f)] for name, column in found.items()}
            assert shown["window"].tolist() == [f"f{n}{end}" for n in np.flatnonzero(here)]
            np.testing.assert_allclose(shown["log_odds"], odds, rtol=1e-4, atol=1e-4)
            np.testing.assert_allclose(shown["score"], score_of(odds), rtol=1e-4, atol=1e-4)
            assert (shown["call"] == (shown["score"] >= np.float32(threshold))).all()
    for name in ("mate", "pair"):
        found = read_json(out / name / "metrics.json")
        assert (found["test_set"], found["windows"], found["replicates"]) == (name, tested.sum(), 2)
        assert found["clusters"] == 30 and {row["fold"] for row in found["rows"]} == set(TESTED)
        assert found.get("pair_rules") == (rules if name == "pair" else None)


@pytest.mark.usefixtures("windows")
def test_replicates_are_also_judged_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, tmp_path / "out", monkeypatch, as_one=True)
    single = predictions(tmp_path / "out" / "mate")
    odds, label = (single[name].reshape(2, -1) for name in ("log_odds", "label"))  # in one block, replicate by replicate
    found = read_json(tmp_path / "out" / "mate" / "metrics.json")["ensemble"]
    assert found["accuracy"] == pytest.approx(np.mean((score_of(odds.mean(axis=0)) >= THRESHOLD) == label[0]))


@pytest.mark.usefixtures("windows")
def test_equal_replicates_say_the_same_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, tmp_path / "out", monkeypatch, different=False, as_one=True)
    for name in ("mate", "pair"):
        found = read_json(tmp_path / "out" / name / "metrics.json")
        one, other = found["pooled"]
        assert {**one, "replicate": 1} == other
        assert {key: found["ensemble"][key] for key in one} == one, name


def test_a_pair_has_a_match_if_one_of_its_mates_has(
    window_features: Callable[..., WindowFeatures], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of every four fragments, the first mate of one matches, the second of another, and both of a third."""
    number = np.arange(FRAGMENTS)
    bits = np.zeros((FRAGMENTS, 2, FOLDS, 2, 2), np.float16)
    kind = number // 8 % 4
    bits[np.isin(kind, [1, 3]), 0, :, 1, 0] = 90
    bits[np.isin(kind, [2, 3]), 1, :, 0, 0] = 60
    windows = window_features(
        np.repeat(number // FOLDS % 2, 2),
        np.repeat(number // 8 * FOLDS + number % FOLDS, 2),
        np.repeat(number % FOLDS, 2),
        "test/pair",
        matches=bits.reshape(2 * FRAGMENTS, -1),
        window=[f"f{n}/{mate}" for n in number for mate in (1, 2)],
        start=np.tile([100, 300], FRAGMENTS),
        end=np.tile([250, 450], FRAGMENTS),
        fragment=np.repeat(number, 2),
        mate=np.tile([1, 2], FRAGMENTS).astype(np.int8),
    )
    calibration = [{"lengths": None, "windows": 9, "temperature": 1.0, "bias": 0.0, "thresholds": {"balanced": 0.0}}]
    calibration[0]["thresholds"] |= {"fpr_1e-2": None, "fpr_1e-3": None}
    record = {
        "threshold": 0.5,
        "calibration": calibration,
        "modalities": ["homology"],
        "encoders": windows.encoders,
        "cut": 30.0,
    }
    for f in TESTED:
        part = {"columns": np.arange(4 * FOLDS), "folds": training_folds(f, FOLDS), "cut": np.array(30.0)}
        write_head(tmp_path / "models" / folder_of(f, 0), stack_tensors([part], SIGNS.astype(float), 0.0), record)
    sets = {"test": {"pair": {"pools": ["test/pair"]}}, "folds": FOLDS, "test_folds": TESTED}
    (tmp_path / "sets.json").write_text(json.dumps(sets))
    words = [
        "--arm",
        "a",
        "--models",
        "models",
        "--data",
        ".",
        "--window-sets",
        "sets.json",
        "--role",
        "remedy",
        "--out",
        "out",
    ]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["evaluate.py", *words])
    evaluate.main()
    for name, none in (("mate", [0, 2]), ("pair", [0])):
        found = read_json(tmp_path / "out" / name / "metrics.json")["without_match"]
        tested = np.isin(number % FOLDS, TESTED)
        for y, label in enumerate(LABELS):
            share = np.isin(kind, none)[tested & (number // FOLDS % 2 == y)].mean()
            assert found[label]["share"] == pytest.approx(share), (name, label)


def test_a_model_reads_mates_by_one_rule_for_all_splits(
    windows: WindowFeatures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is fitted on the calibrated log-odds of the first replicate of each split."""
    run(tmp_path, tmp_path / "out", monkeypatch)
    found = read_json(tmp_path / "out" / "pair" / "pooled_rule.json")

    x = windows.rows(np.arange(2 * FRAGMENTS), ["dna", "protein"])
    pairs = read_pairs(windows)
    mates = np.empty((FRAGMENTS, 2))
    for f in TESTED:
        here = pairs.fold == f + 1
        mates[here] = log_odds(random_head(8, 10 * f), x[np.repeat(here, 2)]).reshape(-1, 2) / SCALE + SHIFT
    validating = np.isin(pairs.fold, [f + 1 for f in TESTED])
    expected = fit_rule(pairs.select(validating), mates[validating], "the run")
    assert found.keys() == expected.keys() and found["pairs"] == FRAGMENTS // 2
    assert [found[k] for k in ("temperature", "bias", "factor")] == pytest.approx(
        [expected["temperature"], expected["bias"], expected["factor"]], rel=1e-3, abs=1e-3
    )
