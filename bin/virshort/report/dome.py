"""The DOME sheet: the recommendations for reporting supervised machine learning in biology (Walsh et al. 2021).

Every answer is made from the run's own records; what a results folder does not hold is reported as missing.
"""

from collections.abc import Sequence

from virshort.report.inputs import Inputs
from virshort.report.lookup import short_row
from virshort.report.methods import encoder_text, encoders_of, fitted_in_words, head_in_words, sources_text
from virshort.report.wording import overfitting_text
from virshort.sources.hold_out import CLUSTER, plural
from virshort.verdict.wording import SIMULATED, names_in_words, quoted

MISSING = "Not recorded in this results folder."
Answers = list[tuple[str, str | None]]
"""Questions with their answers; an answer that is empty or None is not known."""


def dome(data: Inputs) -> list[tuple[str, str, str]]:
    """The sheet as rows: part, question, answer."""
    parts = {
        "Data": _data(data),
        "Optimization": _optimization(data),
        "Model": _model(data),
        "Evaluation": _evaluation(data),
    }
    return [(part, question, answer or MISSING) for part, answers in parts.items() for question, answer in answers]


def sheet(rows: Sequence[tuple[str, str, str]]) -> dict[str, dict[str, str]]:
    """The sheet as JSON: part: question: answer."""
    out: dict[str, dict[str, str]] = {}
    for part, question, answer in rows:
        out.setdefault(part, {})[question] = answer
    return out


def _data(data: Inputs) -> Answers:
    c, p, short = data.comparison, data.parameters, short_row(data.comparison)
    clusters = f" ({data.clusters['method']}; {data.clusters['clusters']:,} clusters)" if data.clusters else ""
    given = p.get("input") or p.get("features")
    provenance = SIMULATED if data.simulated else f"The files are those of {given}; the user gave the labels." if given else ""
    viral = short["shares"]["viral"] if short else None
    splits = None
    held_out = plural((data.folds or {}).get("hold_out", CLUSTER))
    if short and data.folds:
        splits = (
            f"{data.folds['folds']} folds of {held_out}, of which {len(data.folds['test_folds'])} were tested. For each tested "
            f"fold the next one is for validation and the others for training. {short['windows']:,} short test windows."
        )
    return [
        ("Provenance", f"{sources_text(data)}. {provenance}".rstrip() if data.input else provenance),
        ("Splits", splits),
        (
            "Redundancy between splits",
            f"Clusters of similar sources{'' if held_out == plural(CLUSTER) else f', and {held_out},'} are never split between "
            f"training, validation and test{clusters}. "
            f"{c['leakage']['sentence']}",
        ),
        ("Label balance", None if viral is None else f"{100 * viral:.1f} % of the short test windows are viral."),
        (
            "Availability",
            "The results folder holds the windows with their sources and positions (windows/) and every prediction "
            "(evaluation/).",
        ),
    ]


def _optimization(data: Inputs) -> Answers:
    c, model = data.comparison, next(iter(data.models.values()), {})
    hyperparameters = model.get("hyperparameters")
    gaps = ", ".join(
        f"{quoted(t['arm'])} {100 * t['training_accuracy']:.1f} % / {100 * validation:.1f} %"
        for t in c["training"]
        if t["training_accuracy"] is not None and (validation := (t["selection"] or {}).get("accuracy")) is not None
    )
    inputs = ", ".join(f"{quoted(a)} {m['architecture']['inputs']:,}" for a, m in data.models.items() if m.get("architecture"))
    return [
        (
            "Algorithm",
            "; ".join(dict.fromkeys(head_in_words(m) for m in data.models.values() if m.get("architecture"))).replace(
                "a ", "A ", 1
            ),
        ),
        (
            "Meta-predictions",
            " ".join(s for a, m in data.models.items() if m.get("combine") and (s := fitted_in_words(a, m)))
            or "Not used: no arm takes the output of another classifier.",
        ),
        ("Data encoding", "; ".join(encoder_text(e) for e in encoders_of(data.models))),
        (
            "Parameters trained",
            ", ".join(f"{quoted(t['arm'])} {t['trained_parameters']:,.0f}" for t in c["training"] if t["trained_parameters"]),
        ),
        ("Features", inputs and f"Inputs of the head: {inputs}. All are used."),
        (
            "Training windows",
            ", ".join(f"{quoted(t['arm'])} {t['training_windows']:,.0f}" for t in c["training"] if t["training_windows"]),
        ),
        ("Fitting", (gaps and f"Accuracy in training / validation: {gaps}. ") + overfitting_text(c)),
        (
            "Regularization",
            hyperparameters
            and f"Dropout {hyperparameters.get('dropout', 0):g}, and early stopping on validation loss (patience "
            f"{hyperparameters.get('patience', '?')} epochs).",
        ),
        (
            "Configuration",
            "pipeline_info/arms.json holds the arms and their hyperparameters, pipeline_info/parameters.json the parameters; "
            f"the seed is {c['seed']}.",
        ),
    ]


def _model(data: Inputs) -> Answers:
    gc = data.comparison["controls"]["gc"]
    execution = None
    if data.costs:
        speed = data.costs.windows_per_second
        execution = f"The tasks ran {data.costs.seconds / 3600:.2f} hours, added up." + (
            f" {speed:,.0f} windows per second were embedded by all their encoders." if speed else ""
        )
    return [
        (
            "Interpretability",
            "The classifier is a black box. Controls show how much composition alone explains: "
            + (gc["sentence"] if gc else "the control 'gc' was not run."),
        ),
        (
            "Output",
            "Log-odds, and the probability of viral, calibrated by temperature scaling on validation windows; a call by a "
            "threshold that was chosen there too.",
        ),
        ("Execution time", execution),
        (
            "Availability",
            f"virshort {data.versions.get('virshort', '(version not recorded)')}, MIT licence; models/ holds the heads "
            "(safetensors).",
        ),
    ]


def _evaluation(data: Inputs) -> Answers:
    c, short = data.comparison, short_row(data.comparison)
    replicates = f"There are {short['replicates']} replicates." if short else "There are no short test windows."
    controls = names_in_words(t["arm"] for t in c["training"] if t["role"] == "control") or "none"
    return [
        (
            "Method",
            "Every cluster of a tested fold is tested once, by heads that this run did not train on it. " + replicates,
        ),
        (
            "Measures",
            "Accuracy, precision, recall, F1, MCC, AUROC, AUPRC, Brier score, log loss, calibration error, and precision where "
            "fewer reads are viral.",
        ),
        ("Comparison", f"{len(c['training'])} arms on the same windows, with the controls among them ({controls})."),
        (
            "Confidence",
            f"{c['verdict']['headline']}. Intervals include the variation between clusters and between replicates; p values "
            "are the larger of a sign-flip test over clusters and a t test, corrected by Holm's method.",
        ),
        ("Availability", "comparison.json, comparison.tsv and evaluation/ hold every figure of the report."),
    ]
