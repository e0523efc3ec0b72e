#!/usr/bin/env python3
"""Draw the window sets of a run and write them as shards."""

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

from virshort.errors import InputError, run
from virshort.files import read_json, write_json
from virshort.labels import LABELS
from virshort.windows.drawing import draw_windows, rechunk
from virshort.windows.manifests import manifest_table
from virshort.windows.pairs import draw_fragments, mark_pairs, mates_of
from virshort.windows.planning import DrawNumbers, SamplingDesign, plan_window_sets
from virshort.windows.recipes import Insert, Recipe, pairs, recipes
from virshort.windows.sampling import Sampler
from virshort.windows.shards import extract, write_shard
from virshort.windows.source_table import read_source_table
from virshort.windows.window_sets import PoolContents, PoolMetadata, WindowCount, WindowSets


def write_pool(
    sampler: Sampler, recipe: Recipe, draws: list[DrawNumbers], folder: Path, windows_per_shard: int, genetic_code: int
) -> PoolContents:
    """Write the shards of one pool. The mates of a fragment are neighbouring rows of one shard."""
    units, insert = sampler.units, recipe.insert
    counts: Counter[tuple[int, str, int]] = Counter()
    digests: list[str] = []
    fragments = 0
    for drawn in rechunk(draw_windows(sampler, recipe, draws), max(1, windows_per_shard // 2) if insert else windows_per_shard):
        windows = mates_of(draw_fragments(sampler, drawn, insert), recipe.strata[0].shortest) if insert else drawn
        sequences, gc = extract(sampler.bases, windows.start, windows.end, windows.minus)
        manifest = manifest_table(windows, sampler.sources, units, sequences, gc, genetic_code)
        if insert:
            manifest = mark_pairs(manifest, fragments)
            fragments += len(drawn.start)
        digests.append(write_shard(folder, len(digests), sequences, manifest))
        u = windows.unit
        counts.update(zip(units.label[u].tolist(), units.kingdom[u].tolist(), units.fold[u].tolist(), strict=True))
    rows = [WindowCount(label=LABELS[y], kingdom=k, fold=f, windows=n) for (y, k, f), n in sorted(counts.items())]
    return PoolContents(windows=counts.total(), shards=len(digests), digests=digests, counts=rows)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--folds", type=Path, required=True, help="folds.parquet")
    p.add_argument("--folds-json", type=Path, required=True, help="folds.json")
    p.add_argument("--sequences", type=Path, required=True, help="the bases of all sources: masked.seq")
    p.add_argument("--train-sets", nargs="+", required=True, help="window sets that the arms are trained on")
    p.add_argument("--window-length", type=int, required=True, help="bases of a short window")
    for name in ("short", "scratch", "mixed", "full", "test", "sweep", "pair"):
        p.add_argument(f"--{name}", type=int, required=True, help=f"the parameter {name}_windows")
    p.add_argument("--insert-mean", type=float, required=True, help="mean length of the fragments of pairs, in bases")
    p.add_argument("--insert-sd", type=float, required=True, help="standard deviation of that length")
    p.add_argument("--sweep-lengths", required=True, help="window lengths of the length sweep, separated by commas")
    p.add_argument("--viral-share", type=float, required=True, help="share of viral windows in each set")
    p.add_argument("--genetic-code", type=int, required=True, help="NCBI number of the genetic code")
    p.add_argument("--max-n", type=float, required=True, help="largest share of ambiguous bases in a window")
    p.add_argument("--cluster-cap", type=float, required=True, help="largest share of a label's windows from one cluster")
    p.add_argument("--windows-per-shard", type=int, required=True)
    p.add_argument("--seed", type=int, required=True)
    p.add_argument("--outdir", type=Path, required=True, help="receives windows/ and window_sets.json")
    args = p.parse_args()

    if "scratch" in args.train_sets and args.scratch < args.short:
        raise InputError(
            f"--scratch_windows {args.scratch}: this set contains the set `short`, so it needs at least as many windows as "
            f"--short_windows ({args.short})"
        )
    folds = read_json(args.folds_json)
    design = SamplingDesign(folds["folds"], folds["test_folds"], args.viral_share, args.cluster_cap)
    sampler = Sampler(read_source_table(args.folds), np.memmap(args.sequences, np.uint8, "r"), args.seed, args.max_n)
    wanted = recipes(
        window_length=args.window_length,
        short=args.short,
        scratch=args.scratch,
        mixed=args.mixed,
        full=args.full,
        test=args.test,
        train_sets=args.train_sets,
    ) + pairs(args.pair, args.window_length, Insert(args.insert_mean, args.insert_sd))
    sweep_lengths = sorted({int(length) for length in args.sweep_lengths.split(",")})
    # All sets are planned, and impossible ones refused, before anything is written.
    plans = plan_window_sets(sampler, wanted, args.sweep, sweep_lengths, design)

    sets = WindowSets(train={}, test={}, viral_share=args.viral_share, folds=design.folds, test_folds=design.test_folds)
    for plan in plans:
        for recipe in plan.recipe.chain:
            folder = args.outdir / "windows" / recipe.pool
            contents = PoolContents(windows=0, shards=0, digests=[], counts=[])
            if plan.draws:
                draws = plan.draws[recipe.pool]
                contents = write_pool(sampler, recipe, draws, folder, args.windows_per_shard, args.genetic_code)
            without = sampler.positions(recipe.strata[0]).without
            metadata = PoolMetadata(
                window_set=recipe.name,
                purpose=recipe.purpose,
                size=recipe.size,
                seed=args.seed,
                strata=[(s.shortest, s.longest, s.share) for s in recipe.strata],
                cut_from=recipe.strata[0].stretch if recipe.lattice else None,
                contains=[contained.name for contained in recipe.chain[:-1]],
                cluster_cap=args.cluster_cap,
                cluster_cap_used={LABELS[label]: cap for label, cap in plan.caps.items()},
                notes=plan.notes,
                **contents,
                sources_without_window=[sampler.sources.source[s] for s in without.tolist()],
            )
            write_json(folder / "metadata.json", metadata)
            if recipe.size:
                pools = [r.pool for r in recipe.chain if any(d.count.any() for d in plan.draws[r.pool])]
                sets[recipe.purpose][recipe.name] = {"pools": pools, "size": recipe.size, "notes": plan.notes}
            shards = f"{contents['shards']} shard{'s' * (contents['shards'] != 1)}"
            print(f"{recipe.pool}: {contents['windows']} windows in {shards}" + "".join(f". {note}" for note in plan.notes))
    write_json(args.outdir / "window_sets.json", sets)


if __name__ == "__main__":
    run(main)
