"""Replicates as one: the mean of their log-odds has a threshold and a calibration of its own."""

import numpy as np
import pytest

from virshort.heads.ensemble import ValidationOdds, fit_ensemble
from virshort.heads.evaluation import ensemble_metrics
from virshort.heads.prediction import Heads


class Windows:
    """The columns of the fixture `windows`."""

    def __init__(self, columns):
        self.columns = columns

    def column(self, name):
        return self.columns[name]

    def codes(self, name):
        return self.columns[name], []

    def knows(self, name):
        return name in self.columns

    @property
    def length(self):
        return self.columns["length"]


def validation(windows, odds):
    return ValidationOdds(windows["label"], odds, windows["length"], windows["cluster"])


def test_the_mean_of_noisy_replicates_is_better_than_each(windows):
    fitted = fit_ensemble([validation(windows, o) for o in windows["odds"]])
    assert fitted["replicates"] == 3
    judged = Heads({}, dict.fromkeys(range(3), fitted["threshold"]), dict.fromkeys(range(3), fitted["calibration"]))
    found = ensemble_metrics(Windows(windows), windows["odds"], judged)
    each = [np.mean((o >= 0) == windows["label"]) for o in windows["odds"]]
    assert found["accuracy"] == pytest.approx(found["share"]["share"]) and found["accuracy"] > max(each) + 0.02
    low, high = found["share"]["ci95"]
    assert low < found["accuracy"] < high
    balanced = next(t for t in found["thresholds"] if t["threshold"] == "balanced")
    assert balanced["accuracy"]["share"] == pytest.approx(found["accuracy"], abs=1e-3)


def test_equal_replicates_are_as_one(windows):
    once, twice = (fit_ensemble([validation(windows, windows["odds"][0])] * n) for n in (1, 2))
    assert once | {"replicates": 2} == twice
