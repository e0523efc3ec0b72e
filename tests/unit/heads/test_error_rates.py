"""Where calls are wrong: shares with intervals, by group and by source."""

import numpy as np
import pytest

from virshort.heads import error_rates


def test_groups_say_what_is_wrong_by_label(windows: dict[str, np.ndarray]) -> None:
    call = windows["odds"] >= 0
    group = windows["cluster"] // 60
    rows = error_rates.by_group(windows["label"], call, windows["cluster"], group, ["first", "second"])
    assert [(r["group"], r["label"]) for r in rows] == [
        ("first", "nonviral"),
        ("first", "viral"),
        ("second", "nonviral"),
        ("second", "viral"),
    ]
    for r in rows:
        here = (group == ("first", "second").index(r["group"])) & (windows["label"] == (r["label"] == "viral"))
        assert r["wrong"] == pytest.approx((call[:, here] != (r["label"] == "viral")).mean())
        assert r["ci95"][0] < r["wrong"] < r["ci95"][1] and (r["windows"], r["clusters"]) == (360, 30)
    few = error_rates.by_group(windows["label"][:60], call[:, :60], windows["cluster"][:60], group[:60], ["first"])
    assert all(r["ci95"] is None and r["effective"] < 10 for r in few)


def test_intervals_of_groups_cover_the_truth() -> None:
    rng = np.random.default_rng(5)
    covered = []
    for _ in range(300):
        cluster = np.repeat(np.arange(40), rng.integers(5, 40, 40))
        right = rng.random((3, len(cluster))) < np.clip(0.7 + rng.normal(0, 0.15, 40), 0, 1)[cluster]
        low, high = error_rates.share(right, cluster)["ci95"]
        covered.append(low <= 0.7 <= high)
    assert 0.90 <= np.mean(covered) <= 0.99, np.mean(covered)


def test_worst_sources_come_first(windows: dict[str, np.ndarray]) -> None:
    call = windows["odds"] >= 0
    call[:, windows["source"] == 17] = windows["label"][windows["source"] == 17][0] == 0
    found = error_rates.worst_sources(windows["label"], call, windows["source"])
    assert (found[0].source, found[0].wrong, found[0].windows) == (17, 1.0, 6)
    wrong = [s.wrong for s in found]
    assert wrong == sorted(wrong, reverse=True) and len(found) == error_rates.SHOWN


def test_rates_reached_on_test(windows: dict[str, np.ndarray]) -> None:
    label, odds, cluster, fold, length = (windows[k] for k in ("label", "odds", "cluster", "fold", "length"))
    cuts = {"balanced": 0.0, "fpr_1e-2": 2.0, "fpr_1e-3": None}
    entry = {"lengths": None, "temperature": 1.0, "bias": 0.0, "thresholds": cuts}
    fitted = [{f: [entry] for f in range(3)}] * 3
    found = {r["threshold"]: r for r in error_rates.at_thresholds(label, odds, fold, length, cluster, fitted)}
    assert all(r["lengths"] == [0, 200] and not r["own"] for r in found.values())
    assert found["fpr_1e-2"]["false_positive_rate"]["share"] == pytest.approx((odds[:, label == 0] >= 2).mean())
    assert found["balanced"]["true_positive_rate"]["share"] == pytest.approx((odds[:, label == 1] >= 0).mean())
    assert found["fpr_1e-3"]["false_positive_rate"] is None and found["fpr_1e-3"]["precision_at_prevalence"] == []
    tpr, fpr = (found["balanced"][k]["share"] for k in ("true_positive_rate", "false_positive_rate"))
    at = {p["prevalence"]: p["precision"] for p in found["balanced"]["precision_at_prevalence"]}
    assert at[0.01] == pytest.approx(tpr * 0.01 / (tpr * 0.01 + fpr * 0.99))
    only = error_rates.at_thresholds(np.zeros(1440, int), odds, fold, length, cluster, fitted)
    assert only[0]["true_positive_rate"] is None and only[0]["precision_at_prevalence"] == []


def test_bins_are_named() -> None:
    code, names = error_rates.binned(np.array([0.1, 0.3, 0.39, 0.7]), (0.3, 0.4))
    assert [names[c] for c in code] == ["under 0.3", "0.3 to 0.4", "0.3 to 0.4", "0.4 and more"]
