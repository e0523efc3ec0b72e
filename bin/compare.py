#!/usr/bin/env python3
"""Compare every arm on every test set, with intervals that know about clusters and replicates, and give the verdict.

Reads, in one folder: arms.json, evaluation/<arm>/<test set>/{predictions.parquet, metrics.json},
models/<arm>/fold_*/replicate_*/{model.json, history.json}, and leakage.json if there. Writes comparison.json:

- verdict {verdict, difference_points, ci95, certain, baseline_accuracy, finetuned_accuracy, best_arm, headline, reason,
  bands, level, interval_at_level, p, effective_clusters}; answer (a paragraph); best_arm {arm, chosen_by, candidates}
- criteria {arm: [{name, target, value, ci95, met, note}]}; scenario {name, title, certain, next_steps}; overfitting; cost;
  recommendation; controls {gc, shuffled_labels, untranslated}; leakage; warnings; contrasts [{arm, against, points, ci95}];
  pretrained {file, form, sha256, metadata, sentence}, null where the baseline was trained here
- training [{arm, role, training_accuracy, selection, ...}]: one entry an arm
- details {arm: {test set: {calibration, thresholds, curves, groups, worst_sources, voting}}}: as EVALUATE wrote them
- arms [{arm, test_set, role, replicates, windows, clusters, shares, effective_clusters, metrics
  {name: {mean, sd, ci95}}, confusion, false_positive_rate, precision_at_prevalence, difference_to_baseline {points,
  ci95, interval_at_level, level, p, p_holm, band, certain, auroc, auroc_ci95}, notes}]

Differences and their intervals are in percentage points, metrics and theirs between 0 and 1. Unknown is null.
"""

import argparse
import csv
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from virshort.arms import untranslated_twins
from virshort.errors import InputError, run
from virshort.files import read_json, whole, write_json
from virshort.inference import cluster_counts as tallies
from virshort.inference import estimates as st
from virshort.inference import intervals
from virshort.verdict import comparison as words

Pair = tuple[str | None, str]
DETAILS = ("calibration", "thresholds", "curves", "groups", "worst_sources", "voting")


def main() -> None:
    args = parse()
    arms = read_json(args.arms or locate(args.folder, "arms.json"))
    order = [a["name"] for a in arms]
    found = sorted(
        (p.name for p in (args.folder / "evaluation").glob("*") if p.is_dir()),
        key=lambda n: order.index(n) if n in order else -1,
    )
    if not found:
        raise InputError(f"{args.folder}/evaluation: no arm in it: run EVALUATE first")
    if unknown := [n for n in found if n not in order]:
        raise InputError(
            f"{args.folder}/evaluation/{unknown[0]}: this arm is not in arms.json: remove the folder or add the arm"
        )
    roles = {a["name"]: a.get("role", "remedy") for a in arms}
    sets = sorted({p.name for n in found for p in (args.folder / "evaluation" / n).glob("*") if p.is_dir()}, key=set_order)
    training = [words.training_summary(a, read_models(args.folder, a["name"])) for a in arms if a["name"] in found]
    best = words.best_arm(training)
    twins = untranslated_twins(arms)
    details: dict[str, dict[str, Any]] = {n: {} for n in found}
    rows: list[dict[str, Any]] = []
    contrasts: list[dict[str, Any]] = []
    shuffled = None
    for test_set in sets:
        asked = asked_pairs(best["arm"], test_set) + [(a, b) for a, b, where in twins if where == test_set]
        part, pairs, control = compare_set(args, test_set, found, roles, asked, details)
        rows, contrasts, shuffled = rows + part, contrasts + pairs, control or shuffled
    leakage_file = args.leakage or find_file(args.folder, "leakage.json")
    result = conclude(
        rows, contrasts, twins, shuffled, training, best, read_json(leakage_file) if leakage_file else None, details, args
    )
    result["warnings"] += dict.fromkeys(a["note"] for a in arms if a.get("note"))
    write_json(args.out, result)
    write_table(args.tsv, result)
    windows = sum({r["test_set"]: r["windows"] for r in rows}.values())
    print(
        f"compared {len(found)} arms on {len(sets)} test sets: {len(rows)} rows, {windows} windows in; "
        f"{result['verdict']['headline']}"
    )


def parse() -> argparse.Namespace:
    p = argparse.ArgumentParser(description="Compare the arms and give the verdict.")
    p.add_argument("folder", type=Path, help="holds evaluation/, models/, arms.json, leakage.json")
    p.add_argument("--out", type=Path, default=Path("comparison.json"))
    p.add_argument("--tsv", type=Path, default=Path("comparison.tsv"))
    p.add_argument("--arms", type=Path, help="arms.json, if not in the folder")
    p.add_argument("--leakage", type=Path, help="leakage.json, if not in the folder")
    p.add_argument("--seed", type=int, default=42)
    p.add_argument("--draws", type=int, default=2000, help="bootstrap resamples")
    p.add_argument("--window-length", type=int, default=150, help="of the short windows; 0: not known, ready features")
    return p.parse_args()


def compare_set(
    args: argparse.Namespace,
    test_set: str,
    found: Sequence[str],
    roles: Mapping[str, str],
    pairs: Sequence[Pair],
    details: dict[str, dict[str, Any]],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any] | None]:
    """All arms on one test set: their rows, the contrasts between them, and the shuffled control's AUROC on `short`.

    What EVALUATE found beyond metrics is put into `details`, by arm and test set."""
    here = [n for n in found if (args.folder / "evaluation" / n / test_set).is_dir()]
    folder = {n: args.folder / "evaluation" / n / test_set for n in here}
    rng = np.random.default_rng(np.random.SeedSequence([args.seed, zlib.crc32(test_set.encode())]))
    groups = tallies.read_test_clusters(folder[here[0]] / "predictions.parquet")
    if not groups.clusters:
        return [empty_row(n, test_set, roles[n]) for n in here], [], None
    counts = {n: tallies.read_arm_counts(folder[n] / "predictions.parquet", groups) for n in here}
    resampled = intervals.resampled_rates(groups, list(counts.values()), args.draws, rng)
    rows, shuffled = [], None
    for (name, tally), rates in zip(counts.items(), resampled, strict=True):
        metrics = read_json(folder[name] / "metrics.json")
        details[name][test_set] = {k: metrics[k] for k in DETAILS if k in metrics}
        numbers = intervals.arm_metrics(groups, tally, pooled(metrics, tally, groups, folder[name]), rates)
        if name == "shuffled_labels" and test_set == "short":
            shuffled = shuffled_control(groups, tally, metrics)
        rows.append(
            {
                "arm": name,
                "test_set": test_set,
                "role": roles[name],
                "replicates": len(tally.replicates),
                "windows": int(groups.windows.sum()),
                "clusters": len(groups.clusters),
                "frame_rows": metrics.get("frame_rows"),
                "shares": {"viral": float(groups.shares[1]), "nonviral": float(groups.shares[0])},
                "effective_clusters": intervals.effective(groups),
                **numbers,
                "difference_to_baseline": None,
            }
        )
    add_differences(rows, groups, counts, rng)
    return rows, contrast(groups, counts, pairs, test_set), shuffled


def pooled(
    metrics: Mapping[str, Any], tally: tallies.ArmCounts, groups: tallies.TestClusters, folder: Path
) -> list[Mapping[str, Any]]:
    """The pooled metrics in the order of the tally's replicates, found to agree with the predictions beside them."""
    by_replicate = {int(p["replicate"]): p for p in metrics["pooled"]}
    if sorted(by_replicate) != tally.replicates:
        raise InputError(
            f"{folder}/metrics.json: replicates {sorted(by_replicate)}, predictions have {tally.replicates}: run EVALUATE again"
        )
    ordered = [by_replicate[r] for r in tally.replicates]
    counted = tally.right(groups).sum(axis=(1, 2)) / groups.windows.sum()
    for p, accuracy in zip(ordered, counted, strict=True):
        if p.get("accuracy") is None or abs(p["accuracy"] - accuracy) > 1e-6:
            raise InputError(
                f"{folder}/metrics.json: accuracy {p.get('accuracy')} of replicate {p['replicate']}, "
                f"the predictions give {accuracy:.6f}: run EVALUATE again"
            )
    return ordered


def add_differences(
    rows: list[dict[str, Any]], groups: tallies.TestClusters, counts: Mapping[str, tallies.ArmCounts], rng: np.random.Generator
) -> None:
    """Fill in difference_to_baseline; Holm and the level of the verdict count the arms that are no control."""
    if "baseline" not in counts:
        return
    others = [r for r in rows if r["arm"] != "baseline"]
    if not others:
        return
    family = [r for r in others if r["role"] != "control"]
    level = 1 - 0.05 / max(1, len(family))
    flips = st.sign_flip_p(
        np.stack([intervals.cluster_differences(groups, counts[r["arm"]], counts["baseline"]) for r in others]), rng
    )
    enough = intervals.weakest(groups) >= st.MINIMUM_EFFECTIVE
    for row, flip in zip(others, flips, strict=True):
        estimate = intervals.accuracy_difference(groups, counts[row["arm"]], counts["baseline"])
        auroc = intervals.auroc_difference(groups, counts[row["arm"]], counts["baseline"])
        ci, wide = (estimate.interval(at) if enough else None for at in (0.95, level))
        points, at_level = 100 * estimate.value, hundred(wide)
        auroc_ci = auroc.interval() if auroc and enough else None
        row["difference_to_baseline"] = {
            "points": points,
            "ci95": hundred(ci),
            "interval_at_level": at_level,
            "level": level,
            # The sign flips know the clusters, the t test the noise of training as well: the larger p holds for both.
            "p": float(max(flip, estimate.p_value() or 0.0)),
            "p_holm": None,
            "band": words.band(points),
            "certain": at_level is not None and words.bands_touched(*at_level) == [words.band(points)],
            "auroc": auroc.value if auroc and np.isfinite(auroc.value) else None,
            "auroc_ci95": list(auroc_ci) if auroc_ci else None,
        }
    for row, p in zip(family, st.holm([r["difference_to_baseline"]["p"] for r in family]), strict=True):
        row["difference_to_baseline"]["p_holm"] = p


def asked_pairs(best: str | None, test_set: str) -> list[Pair]:
    """Arms to hold against an arm other than the baseline: for the next steps, on `short`; for what the protein adds, at every
    length."""
    wanted: list[Pair] = [("finetune", "dna_only")]
    if test_set == "short":
        wanted += [("finetune", "protein_only"), (best, "kmer"), ("scratch", "finetune"), (best, "gc")]
    return wanted


def contrast(
    groups: tallies.TestClusters, counts: Mapping[str, tallies.ArmCounts], pairs: Sequence[Pair], test_set: str
) -> list[dict[str, Any]]:
    """Differences in accuracy between the arms of each pair; pairs that were not run are left out."""
    enough = intervals.weakest(groups) >= st.MINIMUM_EFFECTIVE
    found = []
    for arm, against in pairs:
        if arm in counts and against in counts and arm != against:
            estimate = intervals.accuracy_difference(groups, counts[arm], counts[against])
            ci = hundred(estimate.interval()) if enough else None
            found.append({"arm": arm, "against": against, "test_set": test_set, "points": 100 * estimate.value, "ci95": ci})
    return found


def shuffled_control(groups: tallies.TestClusters, tally: tallies.ArmCounts, metrics: Mapping[str, Any]) -> dict[str, Any]:
    models = [r["auroc"] for r in metrics.get("rows", []) if r.get("auroc") is not None]
    estimate = intervals.auroc_with_model_noise(groups, tally, models)
    ci = estimate.interval(low=0.0, high=1.0) if intervals.weakest(groups) >= st.MINIMUM_EFFECTIVE else None
    return {"auroc": estimate.value if np.isfinite(estimate.value) else None, "ci95": list(ci) if ci else None}


def conclude(
    rows: list[dict[str, Any]],
    contrasts: list[dict[str, Any]],
    twins: Sequence[tuple[str, str, str]],
    shuffled: dict[str, Any] | None,
    training: list[dict[str, Any]],
    best: dict[str, Any],
    leakage: dict[str, Any] | None,
    details: Mapping[str, Mapping[str, Any]],
    args: argparse.Namespace,
) -> dict[str, Any]:
    """Everything that is said about the numbers, with the numbers."""
    name = best["arm"]
    verdict = words.verdict(rows, name, f"{args.window_length} bp" if args.window_length else "the given")
    untranslated = [c for c in contrasts if (c["arm"], c["against"], c["test_set"]) in twins]
    control = words.controls(rows, name, shuffled, untranslated)
    pretrained = words.pretrained(training)
    audit = words.leakage_summary(leakage, training, pretrained)
    learned = {t["arm"]: t["training_accuracy"] for t in training}
    judged = [a for a in dict.fromkeys(["finetune", name]) if a and words.find(rows, a, "short")]
    return {
        "format": 1,
        "seed": args.seed,
        "draws": args.draws,
        "window_length": args.window_length,
        "verdict": verdict,
        "answer": words.answer(verdict, rows, name, pretrained),
        "pretrained": pretrained,
        "best_arm": best,
        "recommendation": words.recommendation(rows, name),
        "criteria": {a: words.criteria(words.find(rows, a, "short"), learned.get(a)) for a in judged},
        "scenario": words.scenario(verdict, rows, name, training, contrasts),
        "overfitting": words.overfitting(rows, training),
        "cost": words.cost(rows, name),
        "controls": control,
        "leakage": audit,
        "warnings": words.warnings(rows, audit, control, pretrained),
        "contrasts": contrasts,
        "protein": words.protein_by_length(contrasts),
        "votes": words.votes(details, rows, name),
        "training": training,
        "arms": rows,
        "details": details,
    }


def empty_row(arm: str, test_set: str, role: str) -> dict[str, Any]:
    nothing = {m: {"mean": None, "sd": None, "ci95": None} for m in intervals.METRICS}
    return {
        "arm": arm,
        "test_set": test_set,
        "role": role,
        "replicates": 0,
        "windows": 0,
        "clusters": 0,
        "shares": {"viral": None, "nonviral": None},
        "effective_clusters": {"viral": 0.0, "nonviral": 0.0},
        "metrics": nothing,
        "precision_at_prevalence": [],
        "false_positive_rate": None,
        "confusion": None,
        "notes": ["The test set has no windows."],
        "difference_to_baseline": None,
    }


def write_table(path: Path, result: Mapping[str, Any]) -> None:
    """comparison.tsv: a row an arm and test set, flat; an empty cell is unknown."""
    header = ["arm", "test_set", "role", "replicates", "windows", "clusters", "effective_viral", "effective_nonviral"]
    for m in intervals.METRICS:
        header += [m, f"{m}_sd", f"{m}_low", f"{m}_high"]
    header += [
        "points",
        "points_low",
        "points_high",
        "p",
        "p_holm",
        "band",
        "certain",
        "precision_at_1_percent",
        "tp",
        "fp",
        "tn",
        "fn",
    ]
    with whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as f:
        table = csv.writer(f, delimiter="\t", lineterminator="\n")
        table.writerow(header)
        for row in result["arms"]:
            table.writerow(["" if v is None else f"{v:.6g}" if isinstance(v, float) else v for v in flat(row)])


def flat(row: Mapping[str, Any]) -> list[Any]:
    out = [row[k] for k in ("arm", "test_set", "role", "replicates", "windows", "clusters")] + list(
        row["effective_clusters"].values()
    )
    for m in intervals.METRICS:
        v = row["metrics"][m]
        out += [v["mean"], v["sd"], *(v["ci95"] or [None, None])]
    d = row["difference_to_baseline"] or {}
    rare = next((p["precision"] for p in row["precision_at_prevalence"] if p["prevalence"] == 0.01), None)
    out += [
        d.get("points"),
        *(d.get("ci95") or [None, None]),
        d.get("p"),
        d.get("p_holm"),
        d.get("band"),
        d.get("certain"),
        rare,
    ]
    return out + [(row["confusion"] or {}).get(k) for k in ("tp", "fp", "tn", "fn")]


def read_models(folder: Path, arm: str) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    found = []
    for path in sorted((folder / "models" / arm).glob("fold_*/replicate_*/model.json")):
        history = path.with_name("history.json")
        found.append((read_json(path), read_json(history) if history.exists() else []))
    return found


def find_file(folder: Path, name: str) -> Path | None:
    return next((p for p in (folder / name, folder / "pipeline_info" / name) if p.exists()), None)


def locate(folder: Path, name: str) -> Path:
    path = find_file(folder, name)
    if path is None:
        raise InputError(f"{folder}: {name} is missing: give a folder as the pipeline writes it")
    return path


def set_order(name: str) -> tuple[int, int, str]:
    """short, full, then the sweep by length, then any other."""
    if name.startswith("length_") and name[7:].isdigit():
        return 2, int(name[7:]), name
    return ({"short": 0, "full": 1}.get(name, 3), 0, name)


def hundred(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else [100 * interval[0], 100 * interval[1]]


if __name__ == "__main__":
    run(main)
