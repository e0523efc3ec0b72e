"""What is true of reads whose labels are known, beside their calls."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from virshort.calls.counts import EVIDENCE, kinds_of_evidence
from virshort.calls.decisions import CALLS, NONVIRAL, UNSCORED, VIRAL
from virshort.calls.sample_record import TruthRecord, TruthRow
from virshort.calls.summary import call_counts
from virshort.calls.truth_table import Truth
from virshort.errors import InputError
from virshort.labels import LABELS


@dataclass
class TruthCounts:
    """match_bits: from how many bits a match counts; None: from any.

    Fragments of a sample by label, evidence and call, [labels, evidence, calls], and by group, label and call, [groups,
    labels, calls]; unknown: those that the table does not name; seen: [n] bool, the rows of the table that were met."""

    truth: Truth
    match_bits: float | None
    calls: np.ndarray = field(default_factory=lambda: np.zeros((len(LABELS), len(EVIDENCE), len(CALLS)), np.int64))
    groups: np.ndarray = field(init=False)
    unknown: int = 0
    seen: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.groups = np.zeros((len(self.truth.groups), len(LABELS), len(CALLS)), np.int64)
        self.seen = np.zeros(len(self.truth.label), bool)

    def add(self, ids: Sequence[bytes], bits: np.ndarray, call: np.ndarray) -> None:
        """Count a block of fragments. ids: [n]; bits: [n, mates, labels] of the best matches; call: [n]."""
        row = np.array([self.truth.row.get(read, -1) for read in ids], np.int64)
        known = row >= 0
        self.unknown += int((~known).sum())
        row, called = row[known], call[known].astype(np.int64)
        self.seen[row] = True
        label, group = self.truth.label[row].astype(np.int64), self.truth.group[row]
        np.add.at(self.calls, (label, kinds_of_evidence(bits[known].max(axis=1), self.match_bits), called), 1)
        grouped = group >= 0
        np.add.at(self.groups, (group[grouped], label[grouped], called[grouped]), 1)

    def record(self) -> TruthRecord:
        """What the summary says. Raises InputError if the table names reads of the sample, but none is there."""
        if not self.seen.any():
            named = next(iter(self.truth.row)).decode()
            raise InputError(
                f"--truth: no read of the sample has the name {named[:60]!a}, or any other that is listed: name reads as in "
                "their files, up to the first white space and without /1 or /2"
            )
        scored = self.calls.copy()
        scored[..., UNSCORED] = 0  # what has no score has no evidence either
        return {
            "all": truth_row(self.calls.sum(axis=1)),
            "by_evidence": {name: truth_row(scored[:, i]) for i, name in enumerate(EVIDENCE)},
            "by_group": {name: truth_row(of) for name, of in zip(self.truth.groups, self.groups, strict=True)},
            "not_in_truth": self.unknown,
            "not_in_reads": int((~self.seen).sum()),
        }


def truth_row(by_label: np.ndarray) -> TruthRow:
    """The calls of fragments of both labels, and the rates that follow. by_label: [labels, calls]."""
    nonviral, viral = by_label
    return {
        "viral": call_counts(viral),
        "nonviral": call_counts(nonviral),
        "sensitivity": _share(viral[VIRAL], viral[NONVIRAL]),
        "false_positive_rate": _share(nonviral[VIRAL], nonviral[NONVIRAL]),
        "precision": _share(viral[VIRAL], nonviral[VIRAL]),
    }


def _share(part: int, rest: int) -> float | None:
    return float(part / (part + rest)) if part + rest else None
