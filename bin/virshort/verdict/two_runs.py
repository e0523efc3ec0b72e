"""Two runs side by side: which arms they share, how accurate those are, and by how much they differ."""

from collections.abc import Callable, Iterable
from typing import TypedDict

from virshort.inference.cluster_counts import ArmCounts, TestClusters
from virshort.inference.estimates import MINIMUM_EFFECTIVE
from virshort.inference.intervals import accuracy_difference, fewest_effective
from virshort.verdict.schema import Comparison, Interval

COLUMNS = ("arm", "test set", "A, %", "B, %", "B minus A, points", "windows")


class RunDifference(TypedDict):
    """One arm on one test set in two runs: accuracies between 0 and 1, and their difference, B minus A, in points."""

    arm: str
    test_set: str
    a: float
    b: float
    points: float
    ci95: Interval | None  # only where both runs tested the same windows
    same_windows: bool


class TwoRuns(TypedDict):
    only_in_a: list[str]
    only_in_b: list[str]
    rows: list[RunDifference]


def side_by_side(
    a: Comparison,
    b: Comparison,
    same_windows: Callable[[str], bool],
    paired_interval: Callable[[str, str], Interval | None],
) -> TwoRuns:
    """Compare the arms that both runs have, on the test sets where both have windows.

    `same_windows`: whether both runs tested the same windows, by test set. `paired_interval`: the interval of the difference
    by arm and test set; it is asked only where the windows are the same.
    """
    arms = [list(dict.fromkeys(r["arm"] for r in c["arms"])) for c in (a, b)]
    accuracies = {(r["arm"], r["test_set"]): r["metrics"]["accuracy"]["mean"] for r in b["arms"]}
    rows: list[RunDifference] = []
    for r in a["arms"]:
        arm, test_set, mine = r["arm"], r["test_set"], r["metrics"]["accuracy"]["mean"]
        other = accuracies.get((arm, test_set))
        if mine is None or other is None:
            continue
        same = same_windows(test_set)
        rows.append(
            {
                "arm": arm,
                "test_set": test_set,
                "a": mine,
                "b": other,
                "points": 100 * (other - mine),
                "ci95": paired_interval(arm, test_set) if same else None,
                "same_windows": same,
            }
        )
    return {
        "only_in_a": [x for x in arms[0] if x not in arms[1]],
        "only_in_b": [x for x in arms[1] if x not in arms[0]],
        "rows": rows,
    }


def interval_between(test: TestClusters, a: ArmCounts, b: ArmCounts) -> Interval | None:
    """95 % interval, in points, of B's accuracy minus A's on the same windows; None with too few effective clusters."""
    ci = accuracy_difference(test, b, a).interval()
    return [100 * x for x in ci] if ci and fewest_effective(test) >= MINIMUM_EFFECTIVE else None


def as_text(rows: Iterable[RunDifference]) -> str:
    """The rows as a table for the terminal."""
    cells = [list(COLUMNS)]
    for r in rows:
        between = f" ({r['ci95'][0]:.1f} to {r['ci95'][1]:.1f})" if r["ci95"] else ""
        cells.append(
            [
                r["arm"],
                r["test_set"],
                f"{100 * r['a']:.1f}",
                f"{100 * r['b']:.1f}",
                f"{r['points']:+.1f}{between}",
                "the same" if r["same_windows"] else "different, so unpaired",
            ]
        )
    widths = [max(len(row[i]) for row in cells) for i in range(len(COLUMNS))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells)
