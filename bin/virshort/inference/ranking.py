"""AUROC and average precision as sums over windows, so that clusters can be added up and left out.

Both take a histogram of the scores of one model by label, and give each score bin its part in the metric.
Sources: Obuchowski 1997 (placement values), Efron 1982 (infinitesimal jackknife).
"""

import numpy as np


def placements(histogram: np.ndarray) -> np.ndarray:
    """How many windows of the other label each score bin is ranked correctly against, doubled so that it is whole.

    `histogram`: [2 labels, bins], with rising scores. Returns int64 [2, bins]: for a positive in bin b, twice the negatives
    below it plus those in its bin (a tie counts half); for a negative, twice the positives above it plus those in its bin.
    Divided by twice the number of windows of the other label, this is the placement value; its mean over the windows of
    either label is AUROC.
    """
    counts = np.asarray(histogram, np.int64)
    below = np.cumsum(counts[0])
    above = counts[1].sum() - np.cumsum(counts[1])
    return np.stack([2 * above + counts[1], 2 * (below - counts[0]) + counts[0]])


def precision_pulls(histogram: np.ndarray) -> np.ndarray:
    """How strongly a window in each score bin pulls on average precision: the derivative of average precision by the
    window's weight, times the number of windows of its label (the infinitesimal jackknife; Efron 1982).

    `histogram`: [2 labels, bins], with rising scores. Returns float64 [2, bins], with a mean of 0 over the windows of each
    label. If one cluster is deleted and the shares of the labels stay fixed, average precision changes by
    -(sum of the pulls of its windows) / (number of windows left).
    """
    counts = np.asarray(histogram, float)[:, ::-1]
    total = counts.sum(axis=1)
    if not total.all():
        return np.zeros(counts.shape)
    share = total[1] / total.sum()
    steps = counts[1] / total[1]
    above, below = share * np.cumsum(steps), (1 - share) * np.cumsum(counts[0]) / total[0]
    called = np.where(above + below > 0, above + below, 1.0)
    precision = above / called
    # A window changes the precision of its own bin and of every bin below it.
    by_fpr = -_from_here_on(steps * (1 - share) * above / called**2)
    by_tpr = _from_here_on(steps * share * below / called**2)
    pulls = np.stack([by_fpr, precision + by_tpr])
    pulls -= (pulls * counts).sum(axis=1, keepdims=True) / total[:, None]
    return pulls[:, ::-1]


def _from_here_on(values: np.ndarray) -> np.ndarray:
    return np.cumsum(values[::-1])[::-1]
