"""Arms whose heads are not trained here: the matches of a homology search, combinations of arms, and the log-odds of encoders
that were trained end to end.

All are stacks (virshort.heads.scoring). Log-odds stay as they are; the others are fitted on validation windows, with few
coefficients. Their threshold, calibration and the metrics by which arms are compared come from log-odds that each validation
window gets from a fit on other clusters, so that fitting and judging on the same windows gives no advantage.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from virshort.errors import InputError
from virshort.features.tensors import join, spread
from virshort.features.window_features import WindowFeatures
from virshort.fold_roles import training_folds
from virshort.heads import calibration
from virshort.heads.arm_data import ArmData, HeadFiles, record_of
from virshort.heads.ensemble import ValidationOdds
from virshort.heads.finetuned import column_number
from virshort.heads.logistic import fit_logistic, held_out
from virshort.heads.matches import SIGNS, best_bits, best_cut, evidence
from virshort.heads.metrics import judge
from virshort.heads.model_record import Epoch, Model
from virshort.heads.scoring import COLUMNS, CUT, FOLDS, parts_of, stack_inputs, stack_tensors
from virshort.heads.settings import Settings
from virshort.modalities import FINETUNED, MATCHES

_READ = 1 << 14  # rows that are read from disk at once


@dataclass(frozen=True)
class PartModel:
    """A model of one arm that is combined with others: its tensors by name, and its record."""

    weights: Mapping[str, np.ndarray]
    record: Model


@dataclass(frozen=True)
class _Validation:
    """The validation windows of a split, row by row. inputs: [rows, k], what the parts say; label, cluster: [rows]; first:
    where the rows of each window begin (None: each window has one row); windows: their numbers."""

    inputs: np.ndarray
    label: np.ndarray
    cluster: np.ndarray
    first: np.ndarray | None
    windows: np.ndarray


def fit_matches(data: ArmData, settings: Settings) -> HeadFiles:
    """The arm that goes by the best matches: the more bits the viral match has and the fewer the nonviral one, the higher its
    log-odds. The cut of the plain rule is recorded with it."""
    folds = training_folds(settings.fold, data.sets["folds"], data.arm["training_folds"])
    columns = columns_of(data.short.features, [MATCHES], [MATCHES])
    bits = _read_validation(data, settings.fold, lambda x: best_bits(x[:, columns], folds))
    part = {COLUMNS: columns, FOLDS: folds, CUT: np.array(best_cut(bits.inputs, bits.label))}
    return _fit(data, settings, replace(bits, inputs=evidence(bits.inputs)), [part], SIGNS)


@dataclass(frozen=True)
class EndToEnd:
    """How an encoder and its head were trained: what a model.json says of it."""

    history: list[Epoch]
    best_epoch: int
    trained_parameters: int
    training_windows: int
    hyperparameters: dict[str, int | float | str]


def take_log_odds(data: ArmData, settings: Settings, how: EndToEnd) -> HeadFiles:
    """The arm whose encoder was trained end to end: the log-odds of its own model as they are, with a threshold and a
    calibration from validation windows."""
    short = data.short
    number = column_number(short.features.features.headers[0], (settings.fold, settings.replicate))
    column = columns_of(short.features, [FINETUNED], [FINETUNED])[[number]]
    part = {COLUMNS: column}
    known = _read_validation(data, settings.fold, lambda x: stack_inputs([part], x))
    windows = known.windows
    odds, label = join(known.inputs[:, 0], known.first).astype(np.float32), short.label[windows]
    length, cluster = short.features.length[windows], short.cluster[windows]
    judged, threshold = judge(label, odds)
    record = record_of(data, settings, threshold, calibration.fit(label, odds, length, cluster), judged)
    record |= {
        "hyperparameters": how.hyperparameters,
        "best_epoch": how.best_epoch,
        "epochs_run": len(how.history),
        "trained_parameters": how.trained_parameters,
        "training_windows": how.training_windows,
        "validation_windows": len(windows),
        "training": how.history[how.best_epoch - 1]["train"],
        "validation": judged,
    }
    return HeadFiles(stack_tensors([part], np.ones(1), 0.0), how.history, record, ValidationOdds(label, odds, length, cluster))


def fit_combined(data: ArmData, settings: Settings, parts: Sequence[PartModel]) -> HeadFiles:
    """A logistic regression over the log-odds of heads and the evidence of matches.

    parts: the models of this fold and replicate. Raises InputError where one was trained on features of other encoders."""
    modalities = data.arm["modalities"]
    features = data.short.features
    stacked: list[dict[str, np.ndarray]] = []
    signs: list[np.ndarray] = []
    for part in parts:
        _check_encoders(part.record, features)
        columns = columns_of(features, modalities, part.record["modalities"])
        if part.record["modalities"] == [FINETUNED]:
            (log_odds,) = parts_of(part.weights)
            stacked.append({COLUMNS: columns[log_odds[COLUMNS]]})
            signs.append(np.array([1]))
        elif part.record["modalities"] == [MATCHES]:
            (matches,) = parts_of(part.weights)
            stacked.append({**matches, COLUMNS: columns})
            signs.append(SIGNS)
        else:
            stacked.append({**part.weights, COLUMNS: columns})
            signs.append(np.array([1]))
    known = _read_validation(data, settings.fold, lambda x: stack_inputs(stacked, x))
    return _fit(data, settings, known, stacked, np.concatenate(signs))


def columns_of(features: WindowFeatures, modalities: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    """Which columns of rows in `modalities` are those of `wanted`, [k] int64."""
    ends = np.cumsum([features.inputs([m]) for m in modalities])
    ranges = {m: np.arange(end - features.inputs([m]), end) for m, end in zip(modalities, ends, strict=True)}
    return np.concatenate([ranges[m] for m in wanted])


def _check_encoders(record: Model, features: WindowFeatures) -> None:
    """Raise InputError where an arm was trained on features of another encoder than those that the combination reads."""
    trained = {e["modality"]: e for e in record["encoders"] or []}
    for found in features.encoders:
        if found["modality"] in record["modalities"] and trained.get(found["modality"]) != found:
            raise InputError(
                f"arm {record['arm']}: was trained on other {found['modality']} features than those of {found['encoder']} that "
                "are given here: resume the run"
            )


def _read_validation(data: ArmData, fold: int, said: Callable[[np.ndarray], np.ndarray]) -> _Validation:
    """The validation windows of `short` and what the parts say of each row. said: from features [n, inputs] to [n, k]."""
    short = data.short
    _, windows = data.split(short, fold)
    rows, first = short.features.rows_of(windows)
    blocks = [said(short.features.rows(rows[i : i + _READ], data.arm["modalities"])) for i in range(0, len(rows), _READ)]
    return _Validation(
        np.concatenate(blocks),
        spread(short.label[windows], first, len(rows)),
        spread(short.cluster[windows], first, len(rows)),
        first,
        windows,
    )


def _fit(
    data: ArmData, settings: Settings, known: _Validation, parts: list[dict[str, np.ndarray]], signs: np.ndarray
) -> HeadFiles:
    """A stack of parts, fitted on all validation windows and judged on each by a fit on other clusters. signs: [k]."""

    def predictor(rows: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        fitted = fit_logistic(known.inputs[rows], known.label[rows], signs)
        return lambda others: fitted.log_odds(known.inputs[others])

    fitted = fit_logistic(known.inputs, known.label, signs)
    row_odds = held_out(predictor, known.label, known.cluster)

    short, windows, combines = data.short, known.windows, data.arm["combine"]
    odds, label = join(row_odds, known.first).astype(np.float32), short.label[windows]
    length, cluster = short.features.length[windows], short.cluster[windows]
    judged, threshold = judge(label, odds)
    record = record_of(data, settings, threshold, calibration.fit(label, odds, length, cluster), judged)
    record |= {
        "cut": None if combines else float(parts[0][CUT]),
        "trained_parameters": len(fitted.coefficients) + 1,
        "validation_windows": len(windows),
        "validation": judged,
    }
    weights = stack_tensors(parts, fitted.coefficients, fitted.intercept)
    return HeadFiles(weights, [], record, ValidationOdds(label, odds, length, cluster) if combines else None)
