"""What stands in metrics.json beside the metrics: held against plain computations, and on degenerate test sets."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from virshort.heads import calibration
from virshort.heads import diagnostics as details


@pytest.fixture(scope="module")
def windows() -> dict[str, np.ndarray]:
    """A test set of 120 clusters of 12 windows, two sources each, three replicates."""
    rng = np.random.default_rng(1)
    cluster = np.repeat(np.arange(120), 12)
    label = (cluster % 2).astype(np.int8)
    hard = rng.normal(0, 0.5, 120)[cluster]
    odds = np.stack([np.where(label == 1, 1, -1) * (0.6 + hard) + rng.normal(0, 1.5, len(label)) for _ in range(3)])
    return {
        "label": label,
        "odds": odds.astype(np.float32),
        "cluster": cluster,
        "fold": cluster % 3,
        "source": np.arange(len(label)) // 6,
        "length": np.full(len(label), 150),
    }


def test_curves_have_the_area_of_the_metrics(windows: dict[str, np.ndarray]) -> None:
    label, odds, fold = (windows[k] for k in ("label", "odds", "fold"))
    found = details.curves(label, fold, odds)
    roc, precision = (np.array(found[k]) for k in ("roc", "precision_recall"))
    areas = (roc_auc_score, average_precision_score)
    each = [[f(label[fold == k], o[fold == k]) for k in range(3) for o in odds] for f in areas]
    assert np.trapezoid(roc[:, 1], roc[:, 0]) == pytest.approx(np.mean(each[0]), abs=0.005)
    assert np.trapezoid(precision[:, 1], precision[:, 0]) == pytest.approx(np.mean(each[1]), abs=0.02)
    assert details.curves(np.ones(9, int), np.zeros(9, int), odds[:, :9]) is None


def test_scores_drawn_from_their_own_probability_are_calibrated() -> None:
    rng = np.random.default_rng(2)
    odds = rng.normal(0, 1.5, (1, 20_000))
    label = (rng.random(20_000) < 1 / (1 + np.exp(-odds[0]))).astype(int)
    good, bad = (details.reliability(label, o, rng) for o in (odds, 3 * odds))
    assert good["ece"] == pytest.approx(good["ece_if_perfect"], rel=0.5)
    assert bad["ece"] > 5 * bad["ece_if_perfect"]
    assert good["brier"] < bad["brier"] and good["log_loss"] < bad["log_loss"]
    p = 1 / (1 + np.exp(-odds[0]))
    assert (good["log_loss"], good["brier"]) == pytest.approx((log_loss(label, p), brier_score_loss(label, p)))
    assert sum(n for _, _, n in good["curve"]) == 20_000 and len(good["curve"]) == 15


@pytest.mark.parametrize(("factor", "shift"), [(4.0, 0.7), (0.5, -1.0)])
def test_scaling_finds_temperature_and_bias(factor: float, shift: float) -> None:
    rng = np.random.default_rng(3)
    odds = rng.normal(0, 2, 50_000)
    label = (rng.random(50_000) < 1 / (1 + np.exp(-(odds / factor + shift)))).astype(int)
    assert calibration.scale(label, odds) == pytest.approx((factor, shift), rel=0.1)


def test_scores_that_rank_the_wrong_way_end_flat() -> None:
    label = np.arange(100) % 2
    temperature, bias = calibration.scale(label, 10.0 * (1 - 2 * label))
    assert temperature == pytest.approx(20) and np.isfinite(bias)


def test_a_bin_of_lengths_has_its_own_values_only_with_enough_windows_and_clusters() -> None:
    rng = np.random.default_rng(4)
    label, length = rng.integers(0, 2, 9000), np.repeat([150, 300, 2000], 3000)
    odds = (rng.normal(0, 1, 9000) + label).astype(np.float32)
    cluster = np.where(length == 300, 0, rng.integers(0, 50, 9000))
    found = calibration.fit(label, odds, length, cluster)
    assert [e["lengths"] for e in found] == [None, [0, 200], [1000, None]]
    assert calibration.entry(found, (200, 500)) is found[0] and calibration.entry(found, (0, 200)) is found[1]
    assert found[0]["thresholds"]["fpr_1e-2"] is not None and found[1]["thresholds"]["fpr_1e-3"] is None
    assert json.loads(json.dumps(found)) == found
    scaled = calibration.calibrated(found, odds, length)
    assert scaled[0] == pytest.approx(odds[0] / found[1]["temperature"] + found[1]["bias"])
    assert scaled[3000] == pytest.approx(odds[3000] / found[0]["temperature"] + found[0]["bias"])


@settings(max_examples=30)
@given(some.lists(some.floats(-5, 5, width=16), min_size=1, max_size=30), some.integers(0, 99))
def test_thresholds_keep_their_rate_on_validation(scores: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    odds, label = rng.choice(np.array(scores, np.float32), 12_000), rng.integers(0, 2, 12_000)
    found = calibration.thresholds(label, odds)
    for name, rate in calibration.RATES.items():
        assert np.mean(odds[label == 0] >= np.float32(found[name])) <= rate
    assert found["fpr_1e-2"] <= found["fpr_1e-3"]


def test_groups_say_what_is_wrong_by_label(windows: dict[str, np.ndarray]) -> None:
    call = windows["odds"] >= 0
    group = windows["cluster"] // 60
    rows = details.groups(windows["label"], call, windows["cluster"], group, ["first", "second"])
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
    few = details.groups(windows["label"][:60], call[:, :60], windows["cluster"][:60], group[:60], ["first"])
    assert all(r["ci95"] is None and r["effective"] < 10 for r in few)


def test_intervals_of_groups_cover_the_truth() -> None:
    rng = np.random.default_rng(5)
    covered = []
    for _ in range(300):
        cluster = np.repeat(np.arange(40), rng.integers(5, 40, 40))
        right = rng.random((3, len(cluster))) < np.clip(0.7 + rng.normal(0, 0.15, 40), 0, 1)[cluster]
        low, high = details.share(right, cluster)["ci95"]
        covered.append(low <= 0.7 <= high)
    assert 0.90 <= np.mean(covered) <= 0.99, np.mean(covered)


def test_voting_is_the_mean_of_log_odds(windows: dict[str, np.ndarray]) -> None:
    label, odds, cluster = (windows[k] for k in ("label", "odds", "cluster"))
    source = cluster  # 12 windows each
    cut = np.full(odds.shape, 0.2)
    found = details.voting(label, odds, cut, source, cluster)
    assert [v["windows"] for v in found["votes"]] == [1, 2, 3, 5, 10] and found["sources"] == 120
    for v in found["votes"]:
        k = v["windows"]
        rounds = odds.reshape(3, 120, 12)[:, :, : 12 // k * k].reshape(3, 120, -1, k).mean(axis=3)
        right = ((rounds >= 0.2) == (np.arange(120) % 2 == 1)[None, :, None]).mean()
        assert v["accuracy"] == pytest.approx(right), k
        assert v["ci95"][0] < v["accuracy"] < v["ci95"][1]
    accuracies = [v["accuracy"] for v in found["votes"]]
    assert accuracies == sorted(accuracies)


def test_voting_uses_sources_with_as_many_windows_as_there_are(windows: dict[str, np.ndarray]) -> None:
    """Six windows a source: five may vote, ten not. Rows in any order give the same."""
    label, odds, cluster, source = (windows[k] for k in ("label", "odds", "cluster", "source"))
    found = details.voting(label, odds, np.zeros(odds.shape), source, cluster)
    assert [v["windows"] for v in found["votes"]] == [1, 2, 3, 5] and found["clusters"] == 120
    assert found["votes"][0]["accuracy"] == pytest.approx(np.mean((odds >= 0) == (label == 1)))
    alone = details.voting(label, odds, np.zeros(odds.shape), np.arange(len(label)), cluster)
    assert alone["votes"] == [] and alone["sources"] == 0


def test_worst_sources_come_first(windows: dict[str, np.ndarray]) -> None:
    call = windows["odds"] >= 0
    call[:, windows["source"] == 17] = windows["label"][windows["source"] == 17][0] == 0
    found = details.worst_sources(windows["label"], call, windows["source"])
    assert (found[0]["source"], found[0]["wrong"], found[0]["windows"]) == (17, 1.0, 6)
    wrong = [r["wrong"] for r in found]
    assert wrong == sorted(wrong, reverse=True) and len(found) == details.SHOWN
    assert details.worst_sources(windows["label"][:4], call[:, :4], windows["source"][:4]) == []


def test_rates_reached_on_test(windows: dict[str, np.ndarray]) -> None:
    label, odds, cluster, fold, length = (windows[k] for k in ("label", "odds", "cluster", "fold", "length"))
    cuts = {"balanced": 0.0, "fpr_1e-2": 2.0, "fpr_1e-3": None}
    entry = {"lengths": None, "temperature": 1.0, "bias": 0.0, "thresholds": cuts}
    fitted = [{f: [entry] for f in range(3)}] * 3
    found = {r["threshold"]: r for r in details.reached(label, odds, fold, length, cluster, fitted)}
    assert all(r["lengths"] == [0, 200] and not r["own"] for r in found.values())
    assert found["fpr_1e-2"]["false_positive_rate"]["share"] == pytest.approx((odds[:, label == 0] >= 2).mean())
    assert found["balanced"]["true_positive_rate"]["share"] == pytest.approx((odds[:, label == 1] >= 0).mean())
    assert found["fpr_1e-3"]["false_positive_rate"] is None and found["fpr_1e-3"]["precision_at_prevalence"] == []
    tpr, fpr = (found["balanced"][k]["share"] for k in ("true_positive_rate", "false_positive_rate"))
    at = {p["prevalence"]: p["precision"] for p in found["balanced"]["precision_at_prevalence"]}
    assert at[0.01] == pytest.approx(tpr * 0.01 / (tpr * 0.01 + fpr * 0.99))
    only = details.reached(np.zeros(1440, int), odds, fold, length, cluster, fitted)
    assert only[0]["true_positive_rate"] is None and only[0]["precision_at_prevalence"] == []


def test_bins_are_named() -> None:
    code, names = details.binned(np.array([0.1, 0.3, 0.39, 0.7]), (0.3, 0.4), "")
    assert [names[c] for c in code] == ["under 0.3", "0.3 to 0.4", "0.3 to 0.4", "0.4 and more"]
