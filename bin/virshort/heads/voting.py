"""What several windows of one source are worth: they vote by the mean of their log-odds."""

import numpy as np

from virshort.heads.error_rates import stratified_share
from virshort.heads.metrics_record import Vote, Voting
from virshort.inference.estimates import MINIMUM_EFFECTIVE

VOTES = (1, 2, 3, 5, 10)


def voting(label: np.ndarray, odds: np.ndarray, cut: np.ndarray, source: np.ndarray, cluster: np.ndarray) -> Voting:
    """Accuracy where 1, 2, 3, 5 or 10 windows of one source vote.

    label: [n] 0 or 1; odds: [replicates, n] log-odds; cut: [replicates, n], the log-odds from which each window's head calls
    viral; source, cluster: [n] integer codes. The same sources vote at every number: those with ten windows, or with the
    largest number for which each label keeps ten clusters. The windows of a source vote in groups, in the order of the test
    set. A source counts by its number of windows and a label by its share of the test set, so that votes of one window have
    the accuracy of single windows. There are no votes where too few sources have several windows."""
    order = np.argsort(source, kind="stable")
    _, first, count = np.unique(source[order], return_index=True, return_counts=True)
    source_label, source_cluster = label[order][first], cluster[order][first]
    most = _largest_vote(source_label, source_cluster, count)
    if most is None:
        return {"sources": 0, "clusters": 0, "effective": 0.0, "votes": []}
    kept = np.flatnonzero(count >= most)
    by_label = [np.flatnonzero(source_label[kept] == y) for y in (0, 1)]
    fractions = [1 - float(label.mean()), float(label.mean())]
    clusters = [source_cluster[kept][p] for p in by_label]
    weights = [count[kept][p].astype(float) for p in by_label]
    above = [(o - c)[order] for o, c in zip(odds, cut, strict=True)]
    votes: list[Vote] = []
    for size in (v for v in VOTES if v <= most):
        right = np.stack([_right_votes(a, source_label[kept] == 1, first[kept], count[kept], size) for a in above])
        found = stratified_share(np.concatenate([right[:, p] for p in by_label], axis=1), clusters, weights, fractions)
        votes.append({"windows": size, "accuracy": found["share"], "ci95": found["ci95"]})
    return {"sources": len(kept), "clusters": found["clusters"], "effective": found["effective"], "votes": votes}


def _largest_vote(label: np.ndarray, cluster: np.ndarray, count: np.ndarray) -> int | None:
    """The largest number of votes above one for which enough clusters of each label have sources with that many windows.

    label, cluster, count: [sources]."""
    for votes in reversed(VOTES[1:]):
        enough = count >= votes
        if all(len(np.unique(cluster[enough & (label == y)])) >= MINIMUM_EFFECTIVE for y in (0, 1)):
            return votes
    return None


def _right_votes(above: np.ndarray, viral: np.ndarray, first: np.ndarray, count: np.ndarray, size: int) -> np.ndarray:
    """The share of each source's votes that is right, [sources].

    above: [n] log-odds above the threshold, source by source; viral: [sources] bool; first, count: [sources], where the windows
    of a source begin and how many there are. A rest of fewer than `size` windows does not vote."""
    summed = np.concatenate([[0.0], np.cumsum(above, dtype=float)])
    rounds = count // size
    which = np.repeat(np.arange(len(first)), rounds)
    start = np.repeat(first, rounds) + size * _numbers_within(rounds)
    called = summed[start + size] - summed[start] >= 0
    return np.bincount(which, called == viral[which]) / rounds


def _numbers_within(counts: np.ndarray) -> np.ndarray:
    """0 to c - 1 for each c of `counts`, one after another."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
