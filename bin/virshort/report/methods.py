"""The run in words: a methods paragraph ready to paste, its references, and a DOME sheet.

DOME: the recommendations for reporting supervised machine learning in biology (Walsh et al. 2021). Every answer is made
from the run's own records; what a results folder does not hold is said to be missing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]
REFERENCES = {
    "nextflow": "Di Tommaso P et al. Nextflow enables reproducible computational workflows. Nat Biotechnol 35, 316-319 (2017).",
    "sourmash": "Irber L et al. sourmash v4: a multitool to quickly search, compare, and analyze genomic and metagenomic data "
    "sets. J Open Source Softw 9, 6830 (2024).",
    "torch": "Paszke A et al. PyTorch: an imperative style, high-performance deep learning library. NeurIPS 32 (2019).",
    "scikit-learn": "Pedregosa F et al. Scikit-learn: machine learning in Python. J Mach Learn Res 12, 2825-2830 (2011).",
    "multiqc": "Ewels P et al. MultiQC: summarize analysis results for multiple tools and samples in a single report. "
    "Bioinformatics 32, 3047-3048 (2016).",
    "biopython": "Cock PJA et al. Biopython: freely available Python tools for computational molecular biology and "
    "bioinformatics. Bioinformatics 25, 1422-1423 (2009).",
    "dnabert-s": "Zhou Z et al. DNABERT-S: learning species-aware DNA embedding with genome foundation models. "
    "arXiv 2402.08777 (2024).",
    "esm2": "Lin Z et al. Evolutionary-scale prediction of atomic-level protein structure with a language model. Science 379, "
    "1123-1130 (2023).",
    "obuchowski": "Obuchowski NA. Nonparametric analysis of clustered ROC curve data. Biometrics 53, 567-578 (1997).",
    "holm": "Holm S. A simple sequentially rejective multiple test procedure. Scand J Stat 6, 65-70 (1979).",
    "guo": "Guo C et al. On calibration of modern neural networks. ICML 34, 1321-1330 (2017).",
    "dome": "Walsh I et al. DOME: recommendations for supervised machine learning validation in biology. Nat Methods 18, "
    "1122-1127 (2021).",
}
MISSING = "Not recorded in this results folder"


def encoders_of(models: Mapping[str, Json]) -> list[Json]:
    """The encoders that the arms' models used, each once: {modality, encoder, weights, pooling}."""
    found = {e["encoder"]: e for m in models.values() if isinstance(m.get("encoders"), list) for e in m["encoders"]}
    return [found[k] for k in sorted(found)]


def references(data: Any) -> list[str]:
    """What the methods paragraph cites, for the tools and encoders of this run."""
    names = " ".join(e["encoder"] for e in encoders_of(data.models))
    wanted = [k for k in ("nextflow", "sourmash", "torch", "scikit-learn", "biopython", "multiqc") if k in data.versions]
    wanted += ["dnabert-s"] * ("dnabert-s" in names) + ["esm2"] * ("esm2" in names)
    return [REFERENCES[k] for k in (*wanted, "obuchowski", "holm", "guo", "dome")]


def paragraph(data: Any) -> str:
    """The methods of this run in a paragraph, with its parameters and versions."""
    c, p, v = data.comparison, data.parameters, data.versions
    short = next((r for r in c["arms"] if r["test_set"] == "short" and r["windows"]), None)
    model = next(iter(data.models.values()), {})
    text = [
        f"Analyses were run with virshort {v.get('virshort', '(version not recorded)')} on Nextflow "
        f"{v.get('nextflow', '(version not recorded)')}."
    ]
    if data.input:
        text.append(f"{_sources(data)} were used; {data.input['skipped']:,} were left out by the input checks.")
    if data.clusters:
        found = data.clusters
        tool = (
            ""
            if found["containment"] is None
            # none, where the samplesheet gives every cluster
            else (f"; {found['tool']} {found['version']}, containment {found['containment']:g}")
        )
        text.append(
            f"Sources were grouped into {found['clusters']:,} clusters ({found['method']}{tool}), and "
            f"clusters dealt into {data.folds['folds'] if data.folds else '?'} folds, balanced within label and "
            f"kingdom."
        )
    if data.mask:
        text.append(f"31-mers shared between folds were masked ({100 * data.mask['share']:.2f} % of bases).")
    if "window_length" in p and c["window_length"]:
        text.append(
            f"Windows of {p['window_length']} bp were drawn at a viral share of {p['viral_share']:g}, no cluster "
            f"giving "
            f"more than {100 * p['cluster_cap']:g} % of a label's windows; test windows of other lengths had "
            f"{p['sweep_lengths'].replace(',', ', ')} bp and 500-3000 bp."
        )
    if p.get("frames") == "all" or not c["window_length"]:
        text.append(
            "Each stop-free frame of a window was a row; heads were trained on rows, and a window had the largest "
            "score of its rows."
        )
    if c.get("pretrained"):
        text.append(c["pretrained"]["sentence"])
    if (encoders := encoders_of(data.models)) and c["window_length"]:
        text.append("Windows were embedded by " + " and ".join(_encoder(e) for e in encoders) + ".")
    if model.get("architecture"):
        a, h = model["architecture"], model.get("hyperparameters", {})
        text.append(
            f"The classifier was a multilayer perceptron ({a['hidden']} hidden units, batch normalization, ReLU, "
            f"dropout "
            f"{a['dropout']:g}) trained with Adam (batch {h.get('batch_size', '?')}, at most {h.get('epochs', '?')} "
            f"epochs, early stopping on validation loss) in PyTorch {v.get('torch', '')}".rstrip()
            + "."
        )
    arms = [t for t in c["training"] if t["role"] != "control"]
    text.append(
        f"{len(arms)} arms and {len(c['training']) - len(arms)} controls were trained, each with "
        f"{short['replicates'] if short else 0} replicates a fold (seed {c['seed']}); thresholds, calibration and the "
        f"best arm were chosen on validation windows only."
    )
    if short:
        text.append(
            f"All were tested on the same {short['windows']:,} windows of {short['clusters']:,} clusters that were "
            f"in no "
            f"training set. Confidence intervals (95 %) are delete-one-cluster jackknife intervals for accuracy, "
            f"recall, "
            f"AUROC, AUPRC and differences, and percentile intervals of {c['draws']:,} cluster bootstrap samples for "
            f"precision, F1 and MCC; both include the variance between replicates. P values are from sign flips of "
            f"whole "
            f"clusters, corrected by Holm's method."
        )
    text.append(c["leakage"]["sentence"])
    return " ".join(text)


def _sources(data: Any) -> str:
    """How many sources there were, of genomes or of ready features."""
    of = f"{data.input['bases']:,} bases" if "bases" in data.input else f"{data.input['rows']:,} rows of ready features"
    return f"{data.input['records']:,} labelled sources ({of})"


def dome(data: Any) -> list[tuple[str, str, str]]:
    """The DOME sheet: (part, question, answer)."""
    c, p, v = data.comparison, data.parameters, data.versions
    model = next(iter(data.models.values()), {})
    short = next((r for r in c["arms"] if r["test_set"] == "short" and r["windows"]), None)
    verdict = c["verdict"]
    found = encoders_of(data.models)
    sizes = ", ".join(f"{t['arm']} {t['training_windows']:,.0f}" for t in c["training"] if t["training_windows"])
    parameters = ", ".join(f"{t['arm']} {t['trained_parameters']:,.0f}" for t in c["training"] if t["trained_parameters"])
    gaps = ", ".join(
        f"{t['arm']} {100 * t['training_accuracy']:.1f} % / {100 * t['selection']['accuracy']:.1f} %"
        for t in c["training"]
        if t["training_accuracy"] is not None and t["selection"]
    )
    return [
        (part, question, answer or f"{MISSING}.")
        for part, question, answer in (
            (
                "Data",
                "Provenance",
                data.input
                and f"{_sources(data)}, from "
                f"{p.get('input') or p.get('features') or 'the simulated genomes of the demo'}; labels as given by the user.",
            ),
            (
                "Data",
                "Splits",
                short
                and data.folds
                and f"{data.folds['folds']} folds of clusters, {len(data.folds['test_folds'])} "
                f"tested; validation is the next fold, training the others. {short['windows']:,} short test windows.",
            ),
            (
                "Data",
                "Redundancy between splits",
                "Clusters of similar sources are never parted"
                + (f" ({data.clusters['method']}, {data.clusters['clusters']:,} clusters)" if data.clusters else "")
                + f". {c['leakage']['sentence']}",
            ),
            ("Data", "Label balance", short and f"{100 * short['shares']['viral']:.1f} % of the short test windows are viral."),
            (
                "Data",
                "Availability",
                "Windows with source and position, and every prediction, are in the results folder (windows/, evaluation/).",
            ),
            (
                "Optimization",
                "Algorithm",
                model.get("architecture")
                and f"Multilayer perceptron ({model['architecture']['hidden']} hidden units, batch normalization, dropout), Adam.",
            ),
            ("Optimization", "Meta-predictions", "Not used: no arm takes the output of another classifier."),
            ("Optimization", "Data encoding", found and "; ".join(_encoder(e) for e in found) + "."),
            ("Optimization", "Parameters trained", parameters),
            (
                "Optimization",
                "Features",
                model.get("architecture")
                and "Inputs of the head: "
                + ", ".join(f"{a} {m['architecture']['inputs']:,}" for a, m in data.models.items() if m.get("architecture"))
                + ". All are used.",
            ),
            ("Optimization", "Training windows", sizes),
            (
                "Optimization",
                "Fitting",
                (gaps and f"Accuracy in training / validation: {gaps}. ")
                + (" ".join(o["sentence"] for o in c["overfitting"]) or "No arm learned its training windows by heart."),
            ),
            (
                "Optimization",
                "Regularization",
                model.get("hyperparameters")
                and f"Dropout {model['hyperparameters'].get('dropout', 0):g}, early stopping (patience "
                f"{model['hyperparameters'].get('patience', '?')} epochs) on validation loss.",
            ),
            (
                "Optimization",
                "Configuration",
                "Arms and hyperparameters in pipeline_info/arms.json, parameters in "
                f"pipeline_info/parameters.json, seed {c['seed']}.",
            ),
            (
                "Model",
                "Interpretability",
                "Black box. Controls bound what composition alone explains: "
                + ((c["controls"]["gc"] or {}).get("sentence") or "the gc control was not run."),
            ),
            (
                "Model",
                "Output",
                "Log-odds and probability of viral, calibrated by temperature scaling on validation; a call by a "
                "threshold from validation.",
            ),
            (
                "Model",
                "Execution time",
                data.costs
                and f"{data.costs['seconds'] / 3600:.2f} hours of task time in all"
                + (
                    f"; {data.costs['windows_per_second']:,.0f} windows a second embedded by all their encoders."
                    if data.costs["windows_per_second"]
                    else "."
                ),
            ),
            (
                "Model",
                "Availability",
                f"virshort {v.get('virshort', '(version not recorded)')}, MIT licence; the heads are in models/ (safetensors).",
            ),
            (
                "Evaluation",
                "Method",
                "Every cluster of a tested fold is tested once, by heads that this run did not train on it; "
                + (f"{short['replicates']} replicates." if short else "no short test windows."),
            ),
            (
                "Evaluation",
                "Measures",
                "Accuracy, precision, recall, F1, MCC, AUROC, AUPRC, Brier score, log loss, calibration "
                "error, "
                "precision at lower prevalences.",
            ),
            (
                "Evaluation",
                "Comparison",
                f"{len(c['training'])} arms on the same windows, the controls "
                + (", ".join(t["arm"] for t in c["training"] if t["role"] == "control") or "(none)")
                + " among them.",
            ),
            (
                "Evaluation",
                "Confidence",
                f"{verdict['headline']}. Intervals over clusters and replicates; p values by sign flips "
                f"of "
                "clusters, Holm-corrected.",
            ),
            ("Evaluation", "Availability", "comparison.json, comparison.tsv and evaluation/ hold every figure of the report."),
        )
    ]


def _encoder(e: Json) -> str:
    weights = f", weights {e['weights'][:16]}" if e.get("weights") else ""
    return f"{e['encoder']} ({e['modality']}: {e.get('pooling') or 'pooling not recorded'}{weights})"


def sheet(rows: Sequence[tuple[str, str, str]]) -> dict[str, dict[str, str]]:
    """The DOME sheet as JSON: part: question: answer."""
    out: dict[str, dict[str, str]] = {}
    for part, question, answer in rows:
        out.setdefault(part, {})[question] = answer
    return out
