"""The model card: what a model is, what it was trained on, how good it is, and where not to trust it, in Markdown.

Its figures are those of comparison.json. The parts of the DOME sheet (Walsh et al. 2021) are named in the headings.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from virshort.heads.calibration import RATES, THRESHOLDS
from virshort.heads.metrics_record import GroupErrors, Share, ThresholdRates
from virshort.inference.intervals import MetricEstimate
from virshort.labels import LABELS
from virshort.model.record import ModelRecord, Thresholds
from virshort.model.thresholds import threshold_of
from virshort.paired_sets import MATE, PAIR
from virshort.sequence.canonical_31mers import K
from virshort.verdict.schema import ArmNovelty, Comparison, TrainingSummary
from virshort.verdict.wording import SIMULATED, interval_in_words, listed
from virshort.windows.source_table import SourceTable

PREVALENCE = 0.1
"""The share of viral reads for which the card gives the precision to expect."""


def model_card(record: ModelRecord, comparison: Comparison, sources: SourceTable, simulated: bool) -> str:
    """The card of a model. sources: what its run read; simulated: whether these are the demo's."""
    training = next(t for t in comparison["training"] if t["arm"] == record["arm"])
    parts = [
        f"# Model card: {record['arm']}",
        _purpose(record),
        f"**{SIMULATED}**" if simulated else "",
        "## Data",
        _data(record, comparison, sources),
        "## Optimization",
        _optimization(record, training),
        "## Model",
        _model(record),
        "## Evaluation",
        EVALUATION,
        _test_sets(record, comparison),
        *_groups(record, comparison),
        *_novelty(record, comparison),
        "## Thresholds",
        THRESHOLD_TEXT,
        _thresholds(record, comparison),
        "## How the ensemble relates to these figures",
        _ensemble(record),
        "## Limits",
        _limits(record, comparison),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


EVALUATION = (
    "All figures are out of fold: a window was scored only by heads, stacks and databases that hold nothing of its cluster. "
    "Intervals are at 95 % and count clusters, and none is given where fewer than ten clusters of equal size would carry the "
    "same evidence."
)
THRESHOLD_TEXT = (
    "A read is called viral from these calibrated log-odds on. They were chosen on validation windows only; beside them stand "
    "the rates that the thresholds of single folds reached on held-out clusters, and the precision that follows where "
    f"{100 * PREVALENCE:.0f} % of the reads are viral."
)


def _purpose(record: ModelRecord) -> str:
    lengths = [length for pair in record["trained_on"].values() for length in pair if length is not None]
    spans = sorted({*lengths})
    trained = f" It was trained on windows of {_span(spans)} bp." if spans else ""
    return (
        f"This model says how likely a sequencing read is to be viral: {_text(record['description'])}.{trained} It was written "
        f"by virshort {record['virshort']}. `bin/show_model.py MODEL --verify` checks that its files are intact."
    )


def _span(lengths: Sequence[int]) -> str:
    return str(lengths[0]) if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]}"


def _data(record: ModelRecord, comparison: Comparison, sources: SourceTable) -> str:
    kingdom, label = np.asarray(sources.kingdom), np.asarray(sources.label)
    rows = []
    for y, name in reversed([*enumerate(LABELS)]):
        for group in sorted({*kingdom[label == y].tolist()}):
            here = np.flatnonzero((kingdom == group) & (label == y))
            families = {sources.family[i] for i in here.tolist()} - {None, ""}
            rows.append(
                [
                    group,
                    name,
                    f"{len(here):,}",
                    f"{len({*np.asarray(sources.cluster)[here].tolist()}):,}",
                    f"{len(families):,}" if families else "not named",
                    f"{sources.length[here].sum():,}",
                ]
            )
    folds = (
        f"Clusters of similar sources were assigned to {record['folds']} folds as wholes, of which "
        f"{len(record['tested_folds'])} were tested. For each tested fold, the next one validates and the others train. "
        f"{comparison['leakage']['sentence']}"
    )
    return f"{_table(['kingdom', 'label', 'sources', 'clusters', 'families', 'bases'], rows)}\n\n{folds}"


def _optimization(record: ModelRecord, training: TrainingSummary) -> str:
    if record["pretrained"]:
        how = f"Its head was not trained here: it is `{record['pretrained']}`, and what that was trained on is not known."
    elif training["best_epoch"] is None:
        joined = f", which join the arms {listed(record['parts'])}," if record["parts"] else ""
        how = f"Its coefficients{joined} were fitted on validation windows by logistic regression."
    else:
        how = (
            f"Each head was trained on {training['training_windows'] or 0:,.0f} windows, with early stopping on the loss of "
            f"{training['validation_windows'] or 0:,.0f} validation windows."
        )
    sets = [f"`{name}` ({_span(sorted({n for n in pair if n}))} bp)" for name, pair in record["trained_on"].items()]
    seen = f" Window sets: {listed(sets)}." if sets else ""
    return (
        f"{how}{seen} There is one model for each tested fold, which has "
        f"{training['trained_parameters'] or 0:,.0f} trained parameters. Model, threshold and calibration were chosen on "
        "validation windows, never on test windows."
    )


def _model(record: ModelRecord) -> str:
    encoders = [
        f"`{e['encoder']}` ({e['modality']}: {e['pooling'] or 'pooling not recorded'}"
        + (f"; weights {e['weights']}" if e["weights"] else "")
        + ")"
        for e in record["encoders"]
    ]
    search = ""
    if record["search"]:
        search = (
            f" Reads are searched by translation ({record['search']['sensitivity']} sensitivity) against all sources, which "
            "`homology/` holds as text."
        )
    kmers = record["kmers"]
    exact = (
        f"every {K}-mer of the sources"
        if kmers["step"] == 1
        else f"one in {kmers['step']} {K}-mers of the sources, so that every stretch of {K - 1 + kmers['step']} bases that a "
        "read shares with them is found, and none is reported that is not there"
    )
    return (
        f"It reads {listed(encoders) or listed(record['modalities'])}, with NCBI's genetic code {record['genetic_code']}. Its "
        "output is log-odds on the scale of probabilities, calibrated by temperature scaling on validation windows, which "
        f"hold about as many viral as nonviral ones.{search} `kmers.safetensors` holds {exact}.{_language_models(record)}"
    )


def _language_models(record: ModelRecord) -> str:
    """Where the language models come from, under which licence, and how to cite them."""
    said = ""
    for name, keys in sorted(record.get("language_models", {}).items()):
        licence = f", licence {_text(keys['licence'])}" if keys["licence"] else ""
        cite = f": cite {_text(keys['citation'])}" if keys["citation"] else ""
        said += f" `{name}` is {_text(keys['repo'] or keys['folder'])}{licence}{cite}."
    return said


def _test_sets(record: ModelRecord, comparison: Comparison) -> str:
    rows = [
        [
            f"`{row['test_set']}`",
            f"{row['windows']:,}",
            _metric(row["metrics"]["accuracy"], 100, 1),
            _metric(row["metrics"]["auroc"], 1, 3),
        ]
        for row in comparison["arms"]
        if row["arm"] == record["arm"] and row["windows"]
    ]
    text = (
        f"`short`: windows of {record['window_length']} bp; `full`: 500 to 3000 bp; `mate` and `pair`: one and both mates of "
        "the same fragments."
    )
    return f"{_table(['test set', 'windows', 'accuracy, %', 'AUROC'], rows)}\n\n{text}"


def _groups(record: ModelRecord, comparison: Comparison) -> list[str]:
    """Errors on short windows by kingdom; nothing where no kingdom is known."""
    short = comparison["details"].get(record["arm"], {}).get("short", {})
    found: list[GroupErrors] = short.get("groups", {}).get("kingdom", [])
    rows = [[g["group"], g["label"], f"{g['windows']:,}", f"{g['clusters']:,}", _share(g["wrong"], g["ci95"])] for g in found]
    if not rows:
        return []
    return [
        "### By kingdom (short windows, balanced threshold)",
        _table(["kingdom", "label", "windows", "clusters", "wrong, %"], rows),
    ]


def _novelty(record: ModelRecord, comparison: Comparison) -> list[str]:
    """How often short windows are called viral by how new they are; nothing where that is not known."""
    found: list[ArmNovelty] = [r for r in comparison["novelty"]["rows"] if r["arm"] == record["arm"]]
    rows = [
        [
            f"{r['by']}: {r['group']}",
            r["label"],
            f"{r['windows']:,}",
            f"{r['units']:,}",
            _share(r["called"]["share"], r["called"]["ci95"]),
            _share(s["share"], s["ci95"]) if (s := r["called_strictly"]) else "",
        ]
        for r in found
    ]
    if not rows:
        return []
    head = ["relatives in training", "label", "windows", "clusters or families", "called viral, %", "at fpr_1e-2, %"]
    return ["### By novelty (short windows)", _table(head, rows)]


def _thresholds(record: ModelRecord, comparison: Comparison) -> str:
    details = comparison["details"].get(record["arm"], {})
    rows = []
    for lengths in record["thresholds"]:
        for name in THRESHOLDS:
            test_set, reached = _rates(details, lengths, name)
            rows.append([_bin(lengths), name, _odds(lengths["thresholds"][name]), test_set, *_reached(reached)])
    if record["pairs"]:
        pair_rows: list[ThresholdRates] = details.get(PAIR, {}).get("thresholds", [])
        for found in pair_rows:
            of = next(t for t in record["thresholds"] if t["lengths"] == found["lengths"])
            cut = threshold_of(record, of, found["threshold"], pairs=True)
            rows.append([f"{_bin(of)}, pairs", found["threshold"], _odds(cut), f"`{PAIR}`", *_reached(found)])
    head = ["length, bp", "threshold", "log-odds", "test set", "false positives, %", "found, %", "precision, %"]
    return _table(head, rows)


def _rates(details: Mapping[str, Any], lengths: Thresholds, name: str) -> tuple[str, ThresholdRates | None]:
    """The test set with the most windows of these lengths, and what a threshold reached there."""
    found: list[tuple[int, str, ThresholdRates]] = []
    for test_set, detail in details.items():
        if test_set in (MATE, PAIR):
            continue
        rates: list[ThresholdRates] = detail.get("thresholds", [])
        found += [(r["windows"], test_set, r) for r in rates if r["lengths"] == lengths["lengths"] and r["threshold"] == name]
    if not found:
        return "", None
    _, test_set, best = max(found, key=lambda f: f[0])
    return f"`{test_set}`", best


def _reached(found: ThresholdRates | None) -> list[str]:
    if found is None:
        return ["", "", ""]
    precision = next((p["precision"] for p in found["precision_at_prevalence"] if p["prevalence"] == PREVALENCE), None)
    return [
        _of(found["false_positive_rate"]),
        _of(found["true_positive_rate"]),
        "" if precision is None else f"{100 * precision:.1f}",
    ]


def _ensemble(record: ModelRecord) -> str:
    search = (
        " Matches are searched in the databases of all folds, which hold more sources than those that a fold's stack was "
        "fitted with: more relatives are found, and chance matches become a little stronger, by about "
        f"{np.log2(record['folds'] / max(record['folds'] - 2, 1)):.1f} bits."
        if record["search"]
        else ""
    )
    return (
        f"A new read is scored by the heads of all {len(record['tested_folds'])} tested folds, and what they say is averaged: "
        "what the head of a fold says is brought to the scale of probabilities by its own calibration, and then folds are "
        "averaged. Every source was held out from some folds only, so the whole ensemble cannot be tested on the run's own "
        "genomes. **The figures above are the promise for single folds; they were not measured for the ensemble.** Averages "
        "usually rank better than what they are made of, and are less spread out, so that at the same threshold fewer nonviral "
        f"reads are called viral, and sometimes fewer viral ones too.{search} docs/model.md has a measurement."
    )


def _limits(record: ModelRecord, comparison: Comparison) -> str:
    borrowed = [_bin(t) for t in record["thresholds"] if not t["own"]]
    missing = sorted({name for t in record["thresholds"] for name in RATES if t["thresholds"][name] is None})
    points = [
        "Reads of viruses without relatives in training are found much less often than others: see the table by novelty."
        if comparison["novelty"]["rows"]
        else "",
        "Windows were cut from assembled genomes without sequencing errors or adapters.",
        f"Lengths without a calibration of their own use that of all validation windows: {listed(borrowed)} bp."
        if borrowed
        else "",
        f"There is no threshold {listed(missing)} for some lengths, since validation had too few nonviral windows."
        if missing
        else "",
        "Where few reads are viral, most calls at a lenient threshold are wrong: the precision above says what to expect.",
        "Organisms of kingdoms that are not in the table of data were never seen.",
    ]
    return "\n".join(f"- {point}" for point in points if point)


def _bin(row: Thresholds) -> str:
    low, high = row["lengths"]
    return f"{low} and more" if high is None else f"{low} to {high - 1}"


def _odds(cut: float | None) -> str:
    return "none" if cut is None else f"{cut:.2f}"


def _of(share: Share | None) -> str:
    return "" if share is None else _share(share["share"], share["ci95"])


def _share(value: float | None, interval: Sequence[float] | None) -> str:
    """A share in percent with its interval."""
    if value is None:
        return ""
    return f"{100 * value:.1f}" + (f" ({interval_in_words(interval, 100)})" if interval else "")


def _metric(metric: MetricEstimate, scale: float, digits: int) -> str:
    """A metric of comparison.json with its interval."""
    if metric["mean"] is None:
        return ""
    interval = f" ({interval_in_words(metric['ci95'], scale, digits)})" if metric["ci95"] else ""
    return f"{scale * metric['mean']:.{digits}f}{interval}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown. Names of the user's are text and no markup."""
    lines = [head, ["--"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_text(cell) for cell in line) + " |" for line in lines)


def _text(name: str) -> str:
    return escape(name, quote=False).replace("|", "\\|")
