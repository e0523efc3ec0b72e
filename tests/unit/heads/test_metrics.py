"""Metrics of calls and the threshold on validation, compared with scikit-learn's on any labels and scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, matthews_corrcoef, precision_recall_fscore_support

from virshort.heads.metrics import of_calls, threshold_of_best_mcc
from virshort.heads.score_quality import rank_metrics

scored = st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0])), min_size=2, max_size=40)


@given(scored)
def test_no_threshold_has_a_higher_mcc(pairs):
    label, score = np.array([p[0] for p in pairs]).astype(int), np.array([p[1] for p in pairs])
    if len(set(label)) < 2:
        return
    best = threshold_of_best_mcc(label, score)
    mcc = max(of_calls(label, score >= t)["mcc"] or 0 for t in [*np.unique(score), 2])  # all different calls
    assert matthews_corrcoef(label, score >= best) == pytest.approx(mcc)


@given(scored)
def test_metrics_of_calls_are_scikit_learns_and_never_nan(pairs):
    label, call = np.array([p[0] for p in pairs]), np.array([p[1] > 0.5 for p in pairs])
    found = of_calls(label, call)
    assert found["tp"] + found["fp"] + found["tn"] + found["fn"] == len(pairs)
    assert found["accuracy"] == np.mean(label == call)
    assert [found[name] for name in ("tn", "fp", "fn", "tp")] == confusion_matrix(label, call, labels=[0, 1]).ravel().tolist()
    precision, recall, f1, _ = precision_recall_fscore_support(label, call, average="binary", zero_division=0)
    theirs = {"precision": precision, "recall": recall, "f1": f1, "mcc": matthews_corrcoef(label, call)}
    for name, value in theirs.items():
        assert found[name] is None or found[name] == pytest.approx(value), name
    assert all(v is None or np.isfinite(v) for v in (found | rank_metrics(label, call * 1.0)).values())


@pytest.mark.parametrize("label", [0, 1])
def test_a_threshold_is_found_with_one_label(label):
    assert threshold_of_best_mcc(np.full(3, label), np.array([0.2, 0.6, 0.9])) == pytest.approx(0.4)
