"""Which windows a fine-tuned model scores, and where in the features its log-odds stand.

The features of an arm that is trained end to end are log-odds, [windows, models]: one column for each split and replicate. A
model scores the windows of the fold that its split tests, and of the fold that it validates on. Nothing reads the other
places of its column, and they are 0.
"""

import numpy as np

from virshort.errors import InputError
from virshort.finetuning.files import FinetunedModel
from virshort.fold_roles import validation_fold
from virshort.heads.finetuned import Column


def in_order(models: list[FinetunedModel]) -> list[FinetunedModel]:
    """The models in the order of their columns: by fold, then by replicate. Raises InputError where two are of the same fold
    and replicate, or of different arms."""
    columns = [column_of(m) for m in models]
    if len({*columns}) < len(columns) or len({m.record["arm"] for m in models}) > 1:
        raise InputError(f"--models: {', '.join(m.folder.name for m in models)}: give each model of one arm once")
    return sorted(models, key=column_of)


def column_of(model: FinetunedModel) -> Column:
    """Whose log-odds they are."""
    return model.record["fold"], model.record["replicate"]


def scored(fold: np.ndarray, test_fold: int, folds: int, tested: bool) -> np.ndarray:
    """Which windows the models of a split score, ascending. fold: [n]; tested: whether these windows are used to test;
    otherwise they only validate."""
    return np.flatnonzero((fold == validation_fold(test_fold, folds)) | ((fold == test_fold) & tested))
