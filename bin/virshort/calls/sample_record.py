"""What <sample>.summary.json says. A value that is not known is None, and a sentence says why."""

from typing import TypedDict


class CallCounts(TypedDict):
    """viral + nonviral + unscored = all."""

    all: int
    viral: int
    nonviral: int
    unscored: int


class LengthCounts(CallCounts):
    """Reads of lengths [low, high) in bp; the last bin has no upper end."""

    lengths: list[int | None]


class StratumShare(TypedDict):
    """Scored fragments that are corrected together: those with a match, those without, or all (matched: None).

    called: share that is called viral; true_positive_rate, false_positive_rate: of held-out reads at the same threshold,
    weighted as the sample's; share, ci95: of these fragments, corrected for both. The share is estimated by the calls at
    `counted_at`, the threshold of the run or a more lenient one."""

    matched: bool | None
    fragments: int
    called: float
    true_positive_rate: float
    false_positive_rate: float
    counted_at: str | float
    share: float | None
    ci95: list[float] | None


class Prevalence(TypedDict):
    """How many of the scored fragments are viral (virshort.calls.prevalence).

    called: share that is called viral; share, ci95: corrected in each stratum, and added up; saerens: a second estimate, from
    log-odds alone; precision: expected share of viral calls that are right, and at the ends of the interval; detection_limit:
    the smallest share that this sample could have told from none; distinguishable: whether the interval leaves out 0."""

    fragments: int
    called: float
    strata: list[StratumShare]
    share: float | None
    ci95: list[float] | None
    saerens: float | None
    precision: float | None
    precision_ci95: list[float] | None
    detection_limit: float | None
    distinguishable: bool
    sentence: str


class FoundFamily(TypedDict):
    """Reads whose best match is with a source of one label, kingdom and family (None where it is not known). sources: how many
    are matched; most_matched: the one with most of these reads; identity: mean of their best matches, 0 to 1."""

    label: str
    kingdom: str
    family: str | None
    sources: int
    most_matched: str
    identity: float
    reads: CallCounts


class TruthRow(TypedDict):
    """The calls of fragments whose label is known. sensitivity, false_positive_rate: the share of viral and of nonviral ones
    that is called viral, of those with a score; precision: the share of viral calls that is right. None where there is none."""

    viral: CallCounts
    nonviral: CallCounts
    sensitivity: float | None
    false_positive_rate: float | None
    precision: float | None


class TruthRecord(TypedDict):
    """The calls beside the truth. by_evidence: fragments with a score, by the best match of their mates; by_group: as the table
    groups them; not_in_truth: fragments that the table does not name; not_in_reads: its rows that are no fragment."""

    all: TruthRow
    by_evidence: dict[str, TruthRow]
    by_group: dict[str, TruthRow]
    not_in_truth: int
    not_in_reads: int


class SampleSummary(TypedDict):
    """<sample>.summary.json. fragments: single reads or pairs; reads: by mate (`0` single, `1`, `2`); reasons: why reads were
    not scored; evidence, shares_31mer: of scored reads, by call; score_histogram: fragments in 20 bins of the score, 0 to 1;
    unlike: how the reads differ from what the model was trained on, one sentence each; found: what the reads
    match best, None where the model searches nothing; truth: None where the labels are not known."""

    sample: str
    layout: str
    model: str
    model_digest: str
    threshold: str | float
    pair_rule: str | None
    chunks: int
    fragments: CallCounts
    reads: dict[str, CallCounts]
    reasons: dict[str, int]
    flags: dict[str, int]
    lengths: list[LengthCounts]
    score_histogram: list[int]
    evidence: dict[str, CallCounts]
    shares_31mer: CallCounts
    prevalence: Prevalence | None
    why_no_prevalence: str | None
    unlike: list[str]
    found: list[FoundFamily] | None
    truth: TruthRecord | None
