"""How the two mates of a fragment are read together: by the mean of their log-odds, times what two mates are worth.

Two windows that say independent things are worth twice their mean log-odds, and the same window read twice is worth it once.
Mates lie between: they share a source and, where the fragment is short, bases. The log-odds of a pair are

    (1 + (factor - 1) * (1 - overlap)) * (mate 1 + mate 2) / 2

where `overlap` is the share of a mate's bases that the other reads too. First the log-odds of single mates are brought to the
scale of probabilities, on validation mates: a head that was trained on long windows is too sure of short ones, and only on that
scale does a mate that is read twice count once. The factor is then the only parameter, and is fitted on validation pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from virshort.errors import InputError
from virshort.heads import calibration
from virshort.heads.evaluation import WindowColumns
from virshort.heads.metrics import threshold_of_best_mcc
from virshort.heads.pair_record import MateRule, PairRule
from virshort.heads.prediction import Heads
from virshort.heads.scoring import score_of
from virshort.labels import LABELS

LARGEST_FACTOR = 20.0
"""Scores that rank the labels the wrong way round are flattened by 1 / 20, as in calibration."""


@dataclass(frozen=True)
class Pairs:
    """The pairs of a test set, in its order.

    label, fold, cluster (codes), length (of a mate): [n]; overlap: [n], the share of its bases that the other mate reads."""

    label: np.ndarray
    fold: np.ndarray
    cluster: np.ndarray
    length: np.ndarray
    overlap: np.ndarray

    def __len__(self) -> int:
        return len(self.label)

    def select(self, which: np.ndarray) -> "Pairs":
        """Some pairs. which: their numbers, or [n] bool."""
        columns = (self.label, self.fold, self.cluster, self.length, self.overlap)
        return Pairs(*(column[which] for column in columns))


def read_pairs(windows: WindowColumns) -> Pairs:
    """The pairs whose mates these windows are. Raises InputError where the mates of a fragment are not neighbouring rows."""
    fragment, mate = windows.column("fragment"), windows.column("mate")
    if len(mate) % 2 or (fragment[::2] != fragment[1::2]).any() or (mate != 1 + np.arange(len(mate)) % 2).any():
        raise InputError(
            "test set pair: the mates of a fragment are not neighbouring rows: delete the work folder of SAMPLE_WINDOWS "
            "and resume"
        )
    start, end = (windows.column(name).reshape(-1, 2) for name in ("start", "end"))
    first = slice(None, None, 2)
    cluster, _ = windows.codes("cluster")
    label, fold, length = windows.column("label"), windows.column("fold"), windows.length
    return Pairs(label[first], fold[first], cluster[first], length[first], overlap_of(start, end))


def overlap_of(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The share of a mate's bases that the other mate reads too, [n]. start, end: [n, 2], of both mates."""
    shared = end.min(axis=1) - start.max(axis=1)
    return np.maximum(shared, 0) / (end - start)[:, 0]


def pair_odds(mates: np.ndarray, overlap: np.ndarray, factor: float) -> np.ndarray:
    """Log-odds of pairs. mates: [n, 2] log-odds on the scale of probabilities; overlap: [n]. Returns [n]."""
    return (1 + (factor - 1) * (1 - overlap)) * mates.mean(axis=1)


def odds_by_rule(mates: np.ndarray, overlap: np.ndarray, rule: MateRule) -> np.ndarray:
    """Log-odds of pairs by a rule, before its calibration. mates: [n, 2] log-odds of mates; overlap: [n]. Returns [n]."""
    return pair_odds(mates / rule["temperature"] + rule["bias"], overlap, rule["factor"])


def pooled_log_odds(mates: np.ndarray, overlap: np.ndarray, length: np.ndarray, rule: MateRule) -> np.ndarray:
    """Calibrated log-odds of pairs by one rule. mates: [n, 2] log-odds of mates; overlap, length (bp of a mate): [n]. Returns
    [n] float64."""
    return calibration.calibrated(rule["calibration"], odds_by_rule(mates, overlap, rule).astype(np.float32), length)


def fit_factor(label: np.ndarray, mates: np.ndarray, overlap: np.ndarray) -> float:
    """The factor with the lowest log loss, where a constant may be added. label: [n] 0 or 1; mates: [n, 2]; overlap: [n];
    both as in `pair_odds`.

    The log-odds of a pair are linear in the factor, so this is a logistic regression and has one solution."""
    from scipy import optimize  # only here, because it takes a second to import

    side = np.where(label == 1, 1.0, -1.0)
    mean = mates.mean(axis=1, dtype=float)
    fixed, free = overlap * mean, (1 - overlap) * mean

    def loss(p: np.ndarray) -> tuple[float, np.ndarray]:
        margin = side * (fixed + p[0] * free + p[1])
        slope = -side / (1 + np.exp(np.clip(margin, -500, 500))) / len(side)
        return float(np.logaddexp(0, -margin).mean()), np.array([(slope * free).sum(), slope.sum()])

    bounds = [(1 / LARGEST_FACTOR, LARGEST_FACTOR), (-20, 20)]
    return float(optimize.minimize(loss, [1.0, 0.0], jac=True, method="L-BFGS-B", bounds=bounds).x[0])


def fit_rules(pairs: Pairs, split: np.ndarray, odds: np.ndarray) -> list[PairRule]:
    """The rule of every model, by replicate and tested fold, fitted on the pairs that validate its split.

    split: [n], the tested fold of that split; odds: [replicates, n, 2], the log-odds of both mates by its model. Raises
    InputError where a label is missing."""
    return [
        {"fold": f, "replicate": r, **fit_rule(pairs.select(split == f), mates[split == f], f"split {f}")}
        for r, mates in enumerate(odds)
        for f in np.unique(split).tolist()
    ]


def fit_rule(pairs: Pairs, odds: np.ndarray, of: str) -> MateRule:
    """The rule for some pairs. odds: [n, 2], of both mates; of: what they are, for the message.

    Raises InputError where a label is missing."""
    for y, name in enumerate(LABELS):
        if not (pairs.label == y).any():
            raise InputError(
                f"{of}: none of its {len(pairs)} validation pairs is {name}, so two mates cannot be read together: "
                "use more pairs (--pair_windows), or none (0)"
            )
    temperature, bias = calibration.scale(np.repeat(pairs.label, 2), odds.ravel())
    mates = odds / temperature + bias
    factor = fit_factor(pairs.label, mates, pairs.overlap)
    together = pair_odds(mates, pairs.overlap, factor).astype(np.float32)
    return {
        "temperature": temperature,
        "bias": bias,
        "factor": factor,
        "threshold": threshold_of_best_mcc(pairs.label, score_of(together)),
        "calibration": calibration.fit(pairs.label, together, pairs.length, pairs.cluster),
        "pairs": len(pairs),
        "overlapping": float((pairs.overlap > 0).mean()),
    }


def judge_pairs(pairs: Pairs, tested: np.ndarray, split: np.ndarray, odds: np.ndarray) -> tuple[list[PairRule], np.ndarray]:
    """The rule of every model, as of `fit_rules`, and by these rules the log-odds [replicates, k] of tested pairs.

    tested: [k], their numbers; split: [n], the tested fold of the split that each pair validates, or -1; odds: [2, replicates,
    n, 2], of both mates by the heads that test their fold, and by those that validate on it."""
    validating = np.flatnonzero(split >= 0)
    rules = fit_rules(pairs.select(validating), split[validating], odds[1][:, validating])
    return rules, read_together(pairs.select(tested), odds[0][:, tested], rules)


def read_together(pairs: Pairs, odds: np.ndarray, rules: Sequence[PairRule]) -> np.ndarray:
    """Log-odds of pairs by the models that test their folds. odds: [replicates, n, 2], of both mates. Returns [replicates, n]
    float32."""
    found = np.empty(odds.shape[:2], np.float32)
    for rule in rules:
        r, here = rule["replicate"], pairs.fold == rule["fold"]
        found[r, here] = odds_by_rule(odds[r, here], pairs.overlap[here], rule)
    return found


def heads_of_pairs(rules: Sequence[PairRule]) -> list[Heads]:
    """What calls pairs as heads call windows: the thresholds and calibrations of each replicate's rules, by tested fold."""
    replicates = sorted({rule["replicate"] for rule in rules})
    by_replicate = [{rule["fold"]: rule for rule in rules if rule["replicate"] == r} for r in replicates]
    return [
        Heads({}, {f: rule["threshold"] for f, rule in of.items()}, {f: rule["calibration"] for f, rule in of.items()})
        for of in by_replicate
    ]
