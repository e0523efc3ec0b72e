"""The methods of a run as a paragraph ready to paste, and its references."""

from collections.abc import Mapping, Sequence

from virshort.report.inputs import Inputs
from virshort.report.lookup import Json, short_row
from virshort.sources.hold_out import CLUSTER, plural
from virshort.verdict.schema import Comparison
from virshort.verdict.wording import SIMULATED, listed, names_in_words, quoted

REFERENCES = {
    "nextflow": "Di Tommaso P et al. Nextflow enables reproducible computational workflows. Nat Biotechnol 35, 316-319 (2017).",
    "sourmash": "Irber L et al. sourmash v4: a multitool to quickly search, compare, and analyze genomic and metagenomic data "
    "sets. J Open Source Softw 9, 6830 (2024).",
    "torch": "Paszke A et al. PyTorch: an imperative style, high-performance deep learning library. NeurIPS 32 (2019).",
    "multiqc": "Ewels P et al. MultiQC: summarize analysis results for multiple tools and samples in a single report. "
    "Bioinformatics 32, 3047-3048 (2016).",
    "biopython": "Cock PJA et al. Biopython: freely available Python tools for computational molecular biology and "
    "bioinformatics. Bioinformatics 25, 1422-1423 (2009).",
    "dnabert-s": "Zhou Z et al. DNABERT-S: learning species-aware DNA embedding with genome foundation models. "
    "arXiv 2402.08777 (2024).",
    "esm2": "Lin Z et al. Evolutionary-scale prediction of atomic-level protein structure with a language model. Science 379, "
    "1123-1130 (2023).",
    "numba": "Lam SK, Pitrou A, Seibert S. Numba: a LLVM-based Python JIT compiler. Proc LLVM-HPC, 7 (2015).",
    "diamond": "Buchfink B, Xie C, Huson DH. Fast and sensitive protein alignment using DIAMOND. Nat Methods 12, 59-60 (2015).",
    "karlin": "Karlin S, Altschul SF. Methods for assessing the statistical significance of molecular sequence features by "
    "using general scoring schemes. Proc Natl Acad Sci USA 87, 2264-2268 (1990).",
    "obuchowski": "Obuchowski NA. Nonparametric analysis of clustered ROC curve data. Biometrics 53, 567-578 (1997).",
    "holm": "Holm S. A simple sequentially rejective multiple test procedure. Scand J Stat 6, 65-70 (1979).",
    "guo": "Guo C et al. On calibration of modern neural networks. ICML 34, 1321-1330 (2017).",
    "dome": "Walsh I et al. DOME: recommendations for supervised machine learning validation in biology. Nat Methods 18, "
    "1122-1127 (2021).",
}


def encoders_of(models: Mapping[str, Json]) -> list[Json]:
    """The encoders that the arms' models used, each once: {modality, encoder, weights, pooling}."""
    found = {e["encoder"]: e for m in models.values() if isinstance(m.get("encoders"), list) for e in m["encoders"]}
    return [found[k] for k in sorted(found)]


def references(data: Inputs) -> list[str]:
    """What the methods paragraph cites: the tools and encoders of this run, and the statistical methods."""
    names = " ".join(e["encoder"] for e in encoders_of(data.models))
    wanted = [k for k in ("nextflow", "sourmash", "torch", "biopython", "multiqc") if k in data.versions]
    wanted += ["dnabert-s"] * ("dnabert-s" in names) + ["esm2"] * ("esm2" in names)
    wanted += ["numba", "diamond", "karlin"] * ("homology" in names)
    return [REFERENCES[k] for k in (*wanted, "obuchowski", "holm", "guo", "dome")]


def paragraph(data: Inputs) -> str:
    """The methods of this run in a paragraph, with its parameters and versions."""
    c, v = data.comparison, data.versions
    unknown = "(version not recorded)"
    text = [SIMULATED] if data.simulated else []
    text.append(f"Analyses were run with virshort {v.get('virshort', unknown)} on Nextflow {v.get('nextflow', unknown)}.")
    text += [*_on_sources(data), *_on_windows(data), *_on_heads(data), *_on_tests(data), c["leakage"]["sentence"]]
    return " ".join(text)


def sources_text(data: Inputs) -> str:
    """How many sources there were, of genomes or of ready features; empty if input.json is absent."""
    if data.input is None:
        return ""
    of = f"{data.input['bases']:,} bases" if "bases" in data.input else f"{data.input['rows']:,} rows of ready features"
    return f"{data.input['records']:,} labelled sources ({of})"


def held_out_text(data: Inputs) -> str:
    """What was assigned to folds as a whole, as the subject of a sentence with its verb."""
    held = (data.folds or {}).get("hold_out", CLUSTER)
    if held == CLUSTER or not data.folds:
        return "Clusters were"
    return f"Whole {plural(held)} ({data.folds['units']:,} with the clusters of sources without one) were"


def encoder_text(e: Json) -> str:
    """An encoder with its modality, pooling and the first digits of its weights' digest."""
    weights = f", weights {e['weights'][:16]}" if e.get("weights") else ""
    return f"{e['encoder']} ({e['modality']}: {e.get('pooling') or 'pooling not recorded'}{weights})"


def novelty_text(c: Comparison) -> str:
    """How it is determined how new test windows are; empty where it was not."""
    found = {r["by"] for r in c["novelty"]["rows"]}
    if not found:
        return ""
    match = "the bit score of their best match among the training sources of their label, and by " if "match" in found else ""
    return (
        f"Rates on short windows are also given by {match}whether their family was in training; for new families, intervals "
        "count families instead of clusters."
    )


def search_text(e: Json) -> str:
    """How windows were searched for relatives."""
    return (
        "Each window was translated in six frames and searched against the translated, masked sources of every fold but its "
        "own with virshort's search: spaced seeds in a reduced alphabet, as in DIAMOND, extended without gaps and scored by "
        f"BLOSUM62 ({e.get('pooling') or 'settings not recorded'}; databases {e['weights'][:16]}). A split used the matches in "
        "the folds that it was trained on."
    )


def p_text(c: Comparison) -> str:
    """How the p values of differences to the baseline are computed."""
    remedies = sum(t["role"] == "remedy" for t in c["training"])
    return (
        "Each P value of a difference to the baseline is the larger of two: that of 10,000 random sign flips of whole "
        "clusters, and that of a t test whose variance includes the variation between replicates; P values are corrected "
        f"for the number of remedies ({remedies}) by Holm's method."
    )


def _on_sources(data: Inputs) -> list[str]:
    text = []
    if data.input:
        text.append(f"{sources_text(data)} were used; the input checks left out {data.input['skipped']:,}.")
    if data.clusters:
        found = data.clusters
        # There is no tool where the samplesheet gives every cluster.
        tool = f"; {found['tool']} {found['version']}, containment {found['containment']:g}" if found["containment"] else ""
        folds = f"{data.folds['folds']} folds" if data.folds else "folds"
        text.append(
            f"Sources were grouped into {found['clusters']:,} clusters ({found['method']}{tool}). {held_out_text(data)} "
            f"assigned to {folds}, balanced within label and kingdom."
        )
    if data.mask:
        text.append(f"31-mers that two folds have in common were masked ({100 * data.mask['share']:.2f} % of bases).")
    return text


def _on_windows(data: Inputs) -> list[str]:
    c, p = data.comparison, data.parameters
    text = []
    if "window_length" in p and c["window_length"]:
        text.append(
            f"Windows of {p['window_length']} bp were drawn with a viral share of {p['viral_share']:g}, and no cluster "
            f"provided more than {100 * p['cluster_cap']:g} % of the windows of a label; further test windows had lengths "
            f"of {p['sweep_lengths'].replace(',', ', ')} bp and 500-3000 bp."
        )
    if c["pair_gains"] and "insert_mean" in p:
        text.append(
            f"Pairs were both ends of fragments whose lengths follow a normal distribution with mean {p['insert_mean']:g} and "
            f"standard deviation {p['insert_sd']:g} bp. The score of a pair was the mean of its mates' log-odds, scaled to "
            "probabilities on validation mates, times a factor that was fitted on pairs of the validation fold and decreases "
            "linearly to 1 with the share of overlapping bases."
        )
    if p.get("frames") == "all" or not c["window_length"]:
        text.append(
            "Each stop-free reading frame of a window was a row of the features; heads were trained on rows, and the score "
            "of a window was the largest score of its rows."
        )
    if c["pretrained"]:
        text.append(c["pretrained"]["sentence"])
    if (encoders := encoders_of(data.models)) and c["window_length"]:
        read = [encoder_text(e) for e in encoders if e["modality"] != "homology"]
        text += ["Windows were embedded by " + listed(read) + "."] if read else []
        text += [search_text(e) for e in encoders if e["modality"] == "homology"]
    return text


def _on_heads(data: Inputs) -> list[str]:
    c = data.comparison
    short = short_row(c)
    by_head: dict[str, list[str]] = {}
    for arm, model in data.models.items():
        if model.get("architecture"):
            by_head.setdefault(head_in_words(model), []).append(arm)
    text = [
        f"The classifier was {head} in PyTorch {data.versions.get('torch', '')}".rstrip() + "."
        if i == 0
        else f"That of {names_in_words(arms)} was {head}."
        for i, (head, arms) in enumerate(by_head.items())
    ]
    text += [sentence for arm, model in data.models.items() if (sentence := fitted_in_words(arm, model))]
    arms = [t for t in c["training"] if t["role"] != "control"]
    replicates = f", each with {short['replicates']} replicates per fold (seed {c['seed']})" if short else ""
    text.append(
        f"{len(arms)} arms and {len(c['training']) - len(arms)} controls were trained{replicates}; thresholds, calibration "
        "and the best arm were chosen on validation windows only."
    )
    return text


def head_in_words(model: Json) -> str:
    """The shape of a head and how it was trained."""
    a, h = model["architecture"], model.get("hyperparameters", {})
    decay = f" and weight decay {h['weight_decay']:g}" if h.get("weight_decay") else ""
    rate = f", a one-cycle learning rate of at most {h['learning_rate']:g}" if h.get("schedule") == "one_cycle" else ""
    inputs = ", on standardized inputs" if a.get("standardized") else ""
    return (
        f"a multilayer perceptron ({hidden_in_words(a['hidden'])}, batch normalization, ReLU, dropout {a['dropout']:g}"
        f"{inputs}) trained with {'AdamW' if decay else 'Adam'}{decay} (batch size {h.get('batch_size', '?')}, at most "
        f"{h.get('epochs', '?')} epochs{rate}, early stopping on validation loss)"
    )


def fitted_in_words(arm: str, model: Json) -> str | None:
    """How an arm without a head of its own was fitted; None for others."""
    if parts := model.get("combine"):
        return (
            f"{quoted(arm)} is a logistic regression on validation windows over what {names_in_words(parts)} say of a "
            "window; its thresholds and calibration come from regressions on other clusters of these windows."
        )
    if model.get("cut") is not None:
        return (
            f"{quoted(arm)} goes by the bits of a window's best match among the training sources of each label; how log-odds "
            "rise and fall with them was fitted on validation windows."
        )
    return None


def hidden_in_words(hidden: int | Sequence[int]) -> str:
    """The units of each hidden layer; earlier versions wrote the only layer's number."""
    units = [hidden] if isinstance(hidden, int) else hidden
    return f"{' and '.join(map(str, units))} hidden units"


def _on_tests(data: Inputs) -> list[str]:
    c, short = data.comparison, short_row(data.comparison)
    if short is None:
        return []
    differ = any(r["difference_to_baseline"] for r in c["arms"])
    return [
        f"All were tested on the same {short['windows']:,} windows from {short['clusters']:,} clusters, none of which was in "
        "the training set. Confidence intervals (95 %) are delete-one-cluster jackknife intervals for accuracy, recall, "
        f"AUROC, AUPRC and differences, and percentile intervals of {c['draws']:,} cluster bootstrap samples for "
        "precision, F1 and MCC; both include the variance between replicates.",
        *([p_text(c)] if differ else []),
        *([text] if (text := novelty_text(c)) else []),
    ]
