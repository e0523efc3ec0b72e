#!/usr/bin/env python3
"""Draw every window set of a run and write it in shards."""

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from virshort.errors import InputError, run
from virshort.files import read_json, write_json
from virshort.labels import LABELS
from virshort.sequence.translation import longest_peptides
from virshort.windows.drawing import (
    Recipe,
    Shortage,
    Stratum,
    Windows,
    allocate_recipe,
    by_the_rule,
    draw_windows,
    group_sources,
    rechunk,
    recipes,
    sweep,
)
from virshort.windows.shards import extract, write_shard
from virshort.windows.start_positions import AmbiguousRuns, PositionSpace, position_space


class Sampler:
    """The sources, and what is derived from them once for all window sets."""

    def __init__(self, args: argparse.Namespace):
        table = pq.read_table(args.folds).to_pydict()
        self.bases = np.memmap(args.sequences, np.uint8, "r")
        self.source = table["source"]
        self.family = table["family"]
        self.offset, self.length = (np.array(table[c], np.int64) for c in ("offset", "length"))
        label = np.array([LABELS.index(x) for x in table["label"]], np.int8)
        self.groups, self.group = group_sources(
            np.array(table["cluster"], str), np.array(table["kingdom"], str), label, np.array(table["fold"], np.int8), args.seed
        )
        self.runs = AmbiguousRuns(self.bases)
        self.args = args
        self._spaces: dict[tuple[int, int], tuple[PositionSpace, list[np.ndarray], np.ndarray]] = {}

    def space(self, stratum: Stratum) -> tuple[PositionSpace, list[np.ndarray], np.ndarray]:
        """Valid positions for the shortest window of a stratum; the stages of drawing; sources where none fits."""
        window, most = stratum.stretch, stratum.most_ambiguous(self.args.max_n)
        if (window, most) not in self._spaces:
            groups = len(self.groups.label)
            space = position_space(self.offset, self.length, self.group, groups, window, most, self.runs)
            starts = np.bincount(space.source, np.diff(space.cumulated), len(self.source)).astype(np.int64)
            stages = [by_the_rule(starts, window), 2 * -(-starts // window), 2 * starts]
            self._spaces[window, most] = (
                space,
                [np.bincount(self.group, stage, groups).astype(np.int64) for stage in stages],
                np.flatnonzero(starts == 0),
            )
        return self._spaces[window, most]


def allocate(sampler: Sampler, recipe: Recipe, folds: dict) -> tuple[Recipe, dict, dict, list[str]]:
    """Allocate a recipe; a test set that the sources cannot fill is made smaller, a training set is refused."""
    k, tested = folds["folds"], folds["test_folds"]
    needed = sorted({f for t in tested for f in range(k) if f != t})
    drawn, parts = (tested, len(tested)) if recipe.purpose == "test" else (needed, k - 2)
    stages = [sampler.space(s)[1] for s in recipe.strata]
    asked = recipe.size
    while True:
        result = allocate_recipe(
            recipe, sampler.groups, stages, drawn, parts, sampler.args.viral_share, sampler.args.cluster_cap
        )
        if not isinstance(result, Shortage):
            draws, caps = result
            break
        share = sampler.args.viral_share if result.label else 1 - sampler.args.viral_share
        possible = min(int(result.possible / share), recipe.size - 1)
        if recipe.purpose == "train":
            raise InputError(
                f"--{recipe.name}_windows {recipe.size}: fold {result.fold} has room for too few distinct "
                f"{LABELS[result.label]} windows of {recipe.strata[0].shortest} bp or more: ask for "
                f"{possible} at most, or give more sources"
            )
        recipe = replace(recipe, size=max(0, possible))
        if recipe.size < 2 * parts:
            return (
                replace(recipe, size=0),
                {},
                {},
                [
                    f"test set {recipe.name}: left out, because fold {result.fold} has no "
                    f"{LABELS[result.label]} source with windows of that length"
                ],
            )
    notes = (
        [f"test set {recipe.name}: {recipe.size} windows of {asked} asked for, because fold {result.fold} holds no more"]
        if recipe.size < asked and isinstance(result, Shortage)
        else []
    )
    if recipe.size < asked and not notes:
        notes = [f"test set {recipe.name}: {recipe.size} windows of the {asked} asked for: the sources hold no more"]
    notes += [
        f"window set {recipe.name}: the cap of {sampler.args.cluster_cap:.0%} of the {LABELS[label]} windows a cluster "
        f"was raised to {cap:.0%}, because a fold has too few {LABELS[label]} clusters"
        for label, cap in caps.items()
    ]
    return recipe, draws, caps, notes


def allocate_sweep(sampler: Sampler, lengths: list[int], folds: dict) -> list[tuple[Recipe, dict, dict, list[str]]]:
    """Allocate the length sweep; a length that the sources cannot offer is left out, and the others share the places of the
    next shorter one."""
    planned = []
    while lengths:
        *shorter, longest = [allocate(sampler, recipe, folds) for recipe in sweep(sampler.args.sweep, lengths)]
        planned.append(longest)
        if longest[1]:
            return shorter + planned
        lengths = lengths[:-1]
    return planned


def write_pool(sampler: Sampler, recipe: Recipe, draws: list, root: Path) -> dict:
    """Write one pool's shards; return its metadata."""
    folder = root / recipe.pool
    groups = sampler.groups
    spaces = [sampler.space(s)[0] for s in recipe.strata]
    counts: Counter = Counter()
    digests = []
    blocks = draw_windows(draws, recipe, groups, spaces, sampler.offset, sampler.length, sampler.args.max_n, sampler.runs)
    for rows in rechunk(blocks, sampler.args.windows_per_shard):
        sequences, gc = extract(sampler.bases, rows.start, rows.end, rows.minus)
        digests.append(write_shard(folder, len(digests), sequences, manifest(sampler, rows, gc, sequences)))
        g = rows.group
        counts.update(zip(groups.label[g].tolist(), groups.kingdom[g].tolist(), groups.fold[g].tolist(), strict=True))
    rows = [{"label": LABELS[y], "kingdom": k, "fold": f, "windows": n} for (y, k, f), n in sorted(counts.items())]
    return {"windows": sum(counts.values()), "shards": len(digests), "digests": digests, "counts": rows}


def manifest(sampler: Sampler, rows: Windows, gc: np.ndarray, sequences: list[bytes]) -> pa.Table:
    """The manifest of some rows; gc: [n] float32; sequences: n windows."""
    groups, group, source = sampler.groups, rows.group, rows.source
    start, end = rows.start - sampler.offset[source], rows.end - sampler.offset[source]
    names = [sampler.source[s] for s in source.tolist()]
    strand = ["-" if m else "+" for m in rows.minus.tolist()]
    peptide = pa.array([len(p) for p in longest_peptides(sequences, sampler.args.genetic_code)], pa.int32())
    ids = [f"{n}:{a + 1}-{b}({c})" for n, a, b, c in zip(names, start.tolist(), end.tolist(), strand, strict=True)]
    return pa.table(
        {
            "window": ids,
            "source": names,
            "start": start,
            "end": end,
            "strand": strand,
            "length": (end - start).astype(np.int32),
            "label": groups.label[group],
            "kingdom": groups.kingdom[group].tolist(),
            "family": pa.array([sampler.family[s] for s in source], pa.string()),
            "cluster": groups.cluster[group].tolist(),
            "fold": groups.fold[group],
            "gc": gc,
            "peptide": peptide,
        }
    )


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--folds", type=Path, required=True, help="folds.parquet")
    p.add_argument("--folds-json", type=Path, required=True, help="folds.json")
    p.add_argument("--sequences", type=Path, required=True, help="sources.seq")
    p.add_argument("--train-sets", nargs="+", required=True, help="window sets that the arms train on")
    p.add_argument("--window-length", type=int, required=True)
    for name in ("short", "scratch", "mixed", "full", "test", "sweep"):
        p.add_argument(f"--{name}", type=int, required=True, help=f"{name}_windows")
    p.add_argument("--sweep-lengths", required=True, help="comma-separated")
    p.add_argument("--viral-share", type=float, required=True)
    p.add_argument("--genetic-code", type=int, required=True)
    p.add_argument("--max-n", type=float, required=True)
    p.add_argument("--cluster-cap", type=float, required=True)
    p.add_argument("--windows-per-shard", type=int, required=True)
    p.add_argument("--seed", type=int, required=True)
    p.add_argument("--outdir", type=Path, required=True)
    args = p.parse_args()

    if "scratch" in args.train_sets and args.scratch < args.short:
        raise InputError(
            f"--scratch_windows {args.scratch}: the set contains `short`, so it needs at least --short_windows ({args.short})"
        )
    wanted = recipes(
        window_length=args.window_length,
        short=args.short,
        scratch=args.scratch,
        mixed=args.mixed,
        full=args.full,
        test=args.test,
        train_sets=args.train_sets,
    )
    sampler = Sampler(args)
    folds = read_json(args.folds_json)
    sets: dict = {"train": {}, "test": {}}
    planned = []
    for recipe in wanted:  # everything is decided, and refused, before anything is written
        if any(recipe in other.chain[:-1] for other in wanted):
            continue  # drawn with the set that contains it
        planned.append(allocate(sampler, recipe, folds))
    planned += allocate_sweep(sampler, sorted({int(x) for x in args.sweep_lengths.split(",")}), folds)
    for recipe, draws, caps, notes in planned:
        for step in recipe.chain:
            contained = step.chain[:-1]
            metadata = {
                "window_set": step.name,
                "purpose": step.purpose,
                "size": step.size,
                "seed": args.seed,
                "strata": [[s.shortest, s.longest, s.share] for s in step.strata],
                "cut_from": step.strata[0].stretch if step.lattice else None,
                "contains": [c.name for c in contained],
                "cluster_cap": args.cluster_cap,
                "cluster_cap_used": {LABELS[k]: v for k, v in caps.items()},
                "notes": notes,
            }
            pool = (
                write_pool(sampler, step, draws[step.pool], args.outdir / "windows")
                if draws
                else {"windows": 0, "shards": 0, "digests": [], "counts": []}
            )
            none = sampler.space(step.strata[0])[2]
            metadata |= pool | {"sources_without_window": [sampler.source[s] for s in none.tolist()]}
            write_json(args.outdir / "windows" / step.pool / "metadata.json", metadata)
            pools = [c.pool for c in step.chain if draws and any(d.count.any() for d in draws[c.pool])]
            if step.size:
                sets[step.purpose][step.name] = {"pools": pools, "size": step.size, "notes": notes}
            print(f"{step.pool}: {pool['windows']} windows in {pool['shards']} shards" + "".join(f"; {n}" for n in notes))
    sets |= {"viral_share": args.viral_share, "folds": folds["folds"], "test_folds": folds["test_folds"]}
    write_json(args.outdir / "window_sets.json", sets)


if __name__ == "__main__":
    run(main)
