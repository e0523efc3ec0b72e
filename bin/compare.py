#!/usr/bin/env python3
"""Compare every arm on every test set, with intervals that account for clusters and replicates, and give the verdict.

Reads from one folder: arms.json, leakage.json (if it is there), evaluation/<arm>/<test set>/{predictions.parquet,
metrics.json}, evaluation/novelty.parquet (likewise), models/<arm>/fold_*/replicate_*/{model.json, history.json} and, for the
learning curve, sources/folds.parquet. Writes comparison.json, whose fields virshort.verdict.schema describes, and the same
numbers as tables, comparison.tsv and novelty.tsv.
"""

import argparse
import csv
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from virshort.arm_record import Arm
from virshort.arms import untranslated_twins
from virshort.curve_arms import CURVE
from virshort.errors import InputError, run
from virshort.files import read_json, whole, write_json
from virshort.inference.cluster_counts import TestClusters, read_arm_counts, read_test_clusters
from virshort.inference.novelty_rates import novelty_rates, read_novelty
from virshort.labels import LABELS
from virshort.paired_sets import MATE, PAIR
from virshort.verdict.comparison import (
    DETAILS,
    Evaluation,
    Options,
    SetComparison,
    compare_arms,
    conclude,
    empty_row,
    order_of_test_set,
)
from virshort.verdict.criteria import Criteria
from virshort.verdict.differences import TwoArms, arms_to_contrast, gain
from virshort.verdict.learning_curve import SourceFolds, Trained, learning_curve
from virshort.verdict.novelty import strict_cuts
from virshort.verdict.parts import NOVELTY, digest_parts
from virshort.verdict.schema import ArmNovelty, LearningCurve, PairGain
from virshort.verdict.table import comparison_table, novelty_table
from virshort.verdict.training import ModelFiles, best_arm, training_summary


def main() -> None:
    args = parse()
    criteria = Criteria(args.min_training_accuracy, args.min_accuracy, args.min_precision, args.min_recall, args.min_f1)
    options = Options(args.seed, args.draws, args.window_length, criteria)
    arms_file = args.arms or find_file(args.folder, "arms.json")
    if arms_file is None:
        raise InputError(f"{args.folder}: arms.json is missing: give the results folder of a run, or the file with --arms")
    every_arm = read_json(arms_file)
    found = evaluated_arms(args.folder, [a["name"] for a in every_arm])
    arms = [a for a in every_arm if a.get("role") != CURVE]
    evaluated = [a["name"] for a in arms if a["name"] in found]
    roles = {a["name"]: a.get("role", "remedy") for a in arms}
    sets = {p.name for n in evaluated for p in (args.folder / "evaluation" / n).glob("*") if p.is_dir()}
    training = [training_summary(a, read_models(args.folder, a["name"])) for a in arms if a["name"] in evaluated]
    best, twins = best_arm(training), untranslated_twins(arms)

    combined = {a["name"]: a["combine"] for a in arms if a.get("combine")}
    variants = [(a["name"], a["variant_of"]) for a in arms if a.get("variant_of")]
    details: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in evaluated}
    results = []
    for test_set in sorted(sets, key=order_of_test_set):
        contrasted = arms_to_contrast(best["arm"], test_set, combined) + [(a, b) for a, b, where in twins if where == test_set]
        contrasted += variants if test_set == "short" else []
        results.append(compare_test_set(args.folder, test_set, evaluated, roles, contrasted, details, options))
    leakage = args.leakage or find_file(args.folder, "leakage.json")
    comparison = conclude(
        results,
        pair_gains(args.folder, evaluated),
        curve_of_arms(args.folder, every_arm, args.folds or args.folder / "sources" / "folds.parquet", options),
        novelty_of_arms(args.folder, evaluated, args.window_length),
        details,
        training,
        best,
        twins,
        read_json(leakage) if leakage else None,
        [a["note"] for a in arms if a.get("note")],
        digest_parts(args.folder, leakage),
        options,
    )
    write_json(args.out, comparison)
    for path, table in ((args.tsv, comparison_table(comparison)), (args.novelty_tsv, novelty_table(comparison))):
        with whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as f:
            csv.writer(f, delimiter="\t", lineterminator="\n").writerows(table)
    rows = comparison["arms"]
    windows = sum({r["test_set"]: r["windows"] for r in rows}.values())
    print(
        f"compared {len(evaluated)} arms on {len(sets)} test sets with {windows} windows, giving {len(rows)} rows; "
        f"{comparison['verdict']['headline']}"
    )


def parse() -> argparse.Namespace:
    p = argparse.ArgumentParser(description="Compare the arms and give the verdict.")
    p.add_argument("folder", type=Path, help="the folder that holds evaluation/, models/, arms.json and leakage.json")
    p.add_argument("--out", type=Path, default=Path("comparison.json"))
    p.add_argument("--tsv", type=Path, default=Path("comparison.tsv"))
    p.add_argument("--novelty-tsv", type=Path, default=Path("novelty.tsv"))
    p.add_argument("--arms", type=Path, help="arms.json, if it is not in the folder")
    p.add_argument("--leakage", type=Path, help="leakage.json, if it is not in the folder")
    p.add_argument("--folds", type=Path, help="folds.parquet, if it is not in the folder")
    p.add_argument("--seed", type=int, default=42)
    p.add_argument("--draws", type=int, default=2000, help="number of bootstrap resamples")
    p.add_argument(
        "--window-length",
        type=int,
        default=150,
        help="length of the short windows in bp; 0 if it is not known (ready features)",
    )
    asked = Criteria()
    p.add_argument("--min-training-accuracy", type=float, default=asked.training_accuracy, help="success criterion, 0 to 1")
    p.add_argument("--min-accuracy", type=float, default=asked.accuracy, help="success criterion on short test windows, 0 to 1")
    p.add_argument("--min-precision", type=float, default=asked.precision, help="likewise")
    p.add_argument("--min-recall", type=float, default=asked.recall, help="likewise")
    p.add_argument("--min-f1", type=float, default=asked.f1, help="likewise")
    return p.parse_args()


def evaluated_arms(folder: Path, order: list[str]) -> list[str]:
    """The arms in evaluation/, in the order of arms.json."""
    found = {p.name for p in (folder / "evaluation").glob("*") if p.is_dir()}
    if not found:
        raise InputError(f"{folder}/evaluation: holds no arm: run EVALUATE first")
    if unknown := sorted(found - set(order)):
        raise InputError(
            f"{folder}/evaluation/{unknown[0]}: is not an arm of arms.json: remove this folder, or add the arm to arms.json"
        )
    return [name for name in order if name in found]


def compare_test_set(
    folder: Path,
    test_set: str,
    evaluated: list[str],
    roles: dict[str, str],
    contrasted: list[TwoArms],
    details: dict[str, dict[str, dict[str, Any]]],
    options: Options,
) -> SetComparison:
    """Read all arms on one test set and compare them. What EVALUATE found beyond metrics is added to `details`."""
    places = {n: place for n in evaluated if (place := folder / "evaluation" / n / test_set).is_dir()}
    test = read_test_clusters(next(iter(places.values())) / "predictions.parquet")
    if not test.names:
        return SetComparison([empty_row(n, test_set, roles[n]) for n in places], [])
    evaluations = {name: read_evaluation(place, test) for name, place in places.items()}
    for name, e in evaluations.items():
        details[name][test_set] = {k: e.metrics[k] for k in DETAILS if k in e.metrics}
    return compare_arms(test_set, test, evaluations, roles, contrasted, options)


def read_evaluation(place: Path, test: TestClusters) -> Evaluation:
    """What EVALUATE found for one arm on one test set. place: evaluation/<arm>/<test set>."""
    return Evaluation(read_arm_counts(place / "predictions.parquet", test), read_json(place / "metrics.json"), str(place))


def curve_of_arms(folder: Path, arms: list[Arm], folds: Path, options: Options) -> LearningCurve | None:
    """The learning curve over genomes; None where it was not asked for, or where there are no short windows."""
    fewer = [a for a in arms if a.get("role") == CURVE]
    if not fewer:
        return None
    shown = [*fewer, *(a for a in arms if a["name"] in {b["curve_of"] for b in fewer})]
    places = {a["name"]: folder / "evaluation" / a["name"] / "short" for a in shown}
    test = read_test_clusters(next(iter(places.values())) / "predictions.parquet")
    if not test.names:
        return None
    table = pq.read_table(folds, columns=["cluster", "label", "fold"])
    label, fold = np.array(table["label"].to_pylist(), str) == LABELS[1], table["fold"].to_numpy()
    sources = SourceFolds(np.unique(table["cluster"].to_pylist(), return_inverse=True)[1], label.astype(np.int8), fold)
    evaluations = {name: read_evaluation(place, test) for name, place in places.items()}
    rows = compare_arms("short", test, evaluations, {a["name"]: a["role"] for a in shown}, [], options).rows
    trained = [
        Trained(
            a.get("curve_of", a["name"]),
            a["training_folds"] or sources.count - 2,
            row,
            evaluations[a["name"]].counts,
            training_summary(a, read_models(folder, a["name"]))["training_windows"],
        )
        for a, row in zip(shown, rows, strict=True)
    ]
    return learning_curve(trained, sources, test, options.short_windows)


def pair_gains(folder: Path, evaluated: list[str]) -> list[PairGain]:
    """What the second mate of a fragment adds, for every arm that was tested on pairs."""
    gains: list[PairGain] = []
    for arm in evaluated:
        mate, pair = (folder / "evaluation" / arm / name / "predictions.parquet" for name in (MATE, PAIR))
        if mate.exists() and pair.exists() and (test := read_test_clusters(mate)).names:
            gains.append({"arm": arm, **gain(test, read_arm_counts(pair, test), read_arm_counts(mate, test))})
    return gains


def novelty_of_arms(folder: Path, evaluated: list[str], window_length: int) -> list[ArmNovelty]:
    """How often each arm calls short windows viral, by how new they are; nothing where that was not determined."""
    path = folder / "evaluation" / NOVELTY
    if not path.exists():
        return []
    table = read_novelty(path)
    rows: list[ArmNovelty] = []
    for arm in evaluated:
        predictions = folder / "evaluation" / arm / "short" / "predictions.parquet"
        if predictions.exists():
            cuts = strict_cuts(read_models(folder, arm), window_length)
            rows += [{"arm": arm, **rate} for rate in novelty_rates(predictions, table, cuts)]
    return rows


def read_models(folder: Path, arm: str) -> list[ModelFiles]:
    """model.json and history.json of every model of an arm."""
    found: list[ModelFiles] = []
    for path in sorted((folder / "models" / arm).glob("fold_*/replicate_*/model.json")):
        history = path.with_name("history.json")
        found.append((read_json(path), read_json(history) if history.exists() else []))
    return found


def find_file(folder: Path, name: str) -> Path | None:
    """A file in the folder or in its pipeline_info/."""
    return next((p for p in (folder / name, folder / "pipeline_info" / name) if p.exists()), None)


if __name__ == "__main__":
    run(main)
