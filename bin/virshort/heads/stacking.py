"""Arms that are not trained but fitted on validation windows: the matches of a homology search, and combinations of arms.

Both are stacks (virshort.heads.scoring). Their coefficients are few. The threshold, the calibration and the metrics by which
arms are compared come from log-odds that each validation window gets from a fit on other clusters, so that fitting and judging
on the same windows gives no advantage.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from virshort.errors import InputError
from virshort.features.tensors import join, spread
from virshort.features.window_features import WindowFeatures
from virshort.heads import calibration
from virshort.heads.arm_training import ArmData, HeadFiles, record_of
from virshort.heads.ensemble import ValidationOdds
from virshort.heads.logistic import Logistic, fit_logistic, held_out
from virshort.heads.matches import SIGNS, best_bits, best_cut, evidence, training_folds
from virshort.heads.model_record import Model
from virshort.heads.scoring import COLUMNS, CUT, FOLDS, parts_of, stack_inputs, stack_tensors
from virshort.heads.training import Settings, judge

MATCHES = ["homology"]
"""The modalities of an arm whose features are matches."""
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
    """The arm that believes the best matches above a cut: the more bits the viral match has and the fewer the nonviral one, the
    higher its log-odds. The cut and the slopes are chosen on validation."""
    folds = np.array(training_folds(settings.fold, data.sets["folds"]))
    columns = columns_of(data.short.features, MATCHES, MATCHES)
    known = _read_validation(data, settings.fold, lambda x: best_bits(x[:, columns], folds))

    def fit(rows: np.ndarray) -> tuple[float, Logistic]:
        cut = best_cut(known.inputs[rows], known.label[rows])
        return cut, fit_logistic(_evidence(known.inputs[rows], cut), known.label[rows], SIGNS)

    def predictor(rows: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        cut, fitted = fit(rows)
        return lambda others: fitted.log_odds(_evidence(known.inputs[others], cut))

    cut, fitted = fit(np.arange(len(known.label)))
    part = {COLUMNS: columns, FOLDS: folds, CUT: np.array(cut)}
    weights = stack_tensors([part], fitted.coefficients, fitted.intercept)
    return _files(data, settings, known, weights, held_out(predictor, known.label, known.cluster))


def fit_combined(data: ArmData, settings: Settings, parts: Sequence[PartModel]) -> HeadFiles:
    """A logistic regression over the log-odds of heads and the evidence of matches, of which also weak ones count.

    parts: the models of this fold and replicate. Raises InputError where one was trained on features of other encoders."""
    modalities = data.arm["modalities"]
    features = data.short.features
    stacked: list[dict[str, np.ndarray]] = []
    signs: list[np.ndarray] = []
    for part in parts:
        _check_encoders(part.record, features)
        columns = columns_of(features, modalities, part.record["modalities"])
        if part.record["modalities"] == MATCHES:
            (matches,) = parts_of(part.weights)
            stacked.append({**matches, COLUMNS: columns[matches[COLUMNS]], CUT: np.array(0.0)})
            signs.append(SIGNS)
        else:
            stacked.append({**part.weights, COLUMNS: columns})
            signs.append(np.array([1]))
    known = _read_validation(data, settings.fold, lambda x: stack_inputs(stacked, x))
    every = np.concatenate(signs)

    def predictor(rows: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        fitted = fit_logistic(known.inputs[rows], known.label[rows], every)
        return lambda others: fitted.log_odds(known.inputs[others])

    fitted = fit_logistic(known.inputs, known.label, every)
    weights = stack_tensors(stacked, fitted.coefficients, fitted.intercept)
    return _files(data, settings, known, weights, held_out(predictor, known.label, known.cluster))


def columns_of(features: WindowFeatures, modalities: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    """Which columns of rows in `modalities` are those of `wanted`, [k] int64."""
    ends = np.cumsum([features.inputs([m]) for m in modalities])
    ranges = {m: np.arange(end - features.inputs([m]), end) for m, end in zip(modalities, ends, strict=True)}
    return np.concatenate([ranges[m] for m in wanted])


def _evidence(bits: np.ndarray, cut: float) -> np.ndarray:
    return evidence(np.where(bits >= cut, bits, 0))


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


def _files(
    data: ArmData, settings: Settings, known: _Validation, weights: dict[str, np.ndarray], row_odds: np.ndarray
) -> HeadFiles:
    """The files of a stack. row_odds: [rows], log-odds of validation rows by fits on other clusters."""
    short, windows = data.short, known.windows
    odds, label = join(row_odds, known.first).astype(np.float32), short.label[windows]
    judged, threshold = judge(label, odds)
    length, cluster = short.features.length[windows], short.cluster[windows]
    fitted = calibration.fit(label, odds, length, cluster)
    record = record_of(data, settings, threshold, fitted, judged)
    cuts = [float(part[CUT]) for part in parts_of(weights) if CUT in part]
    return HeadFiles(
        weights,
        [],
        {
            **record,
            "cut": cuts[0] if cuts and not data.arm["combine"] else None,
            "trained_parameters": len(weights["stack.coefficients"]) + 1,
            "validation_windows": len(windows),
            "validation": judged,
        },
        ValidationOdds(label, odds, length, cluster) if data.arm["combine"] else None,
    )
