"""Results folders with a known truth, in which windows of a cluster resemble each other, as do arms on the same window."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import stats

from virshort.heads.evaluation import Heads, describe, metrics
from virshort.inference.novelty import KNOWN, NEW, match_bins

KINGDOM = "<script>kingdom"  # a user may give any name


@dataclass
class Arm:
    """An arm that is correct with probability `accuracy` on average. `spread`: how much clusters differ."""

    name: str
    accuracy: float = 0.7
    role: str = "remedy"
    selection: float | None = 0.7
    training_accuracy: float = 0.8
    full_accuracy: float | None = None
    spread: float = 0.8
    seed_noise: float = 0.05
    replicates: int | None = None
    constant: float | None = None  # the same score for every window
    perfect: bool = False
    curve_of: str | None = None
    training_folds: int | None = None

    @property
    def record(self) -> dict[str, object]:
        """What arms.json says of it."""
        curve = {"curve_of": self.curve_of} if self.curve_of else {}
        windows = "full" if self.role == "baseline" else "short"
        named = {"name": self.name, "role": self.role, "windows": windows, "modalities": ["dna"]}
        return named | {"training_folds": self.training_folds} | curve


def standard_arms() -> list[Arm]:
    return [
        Arm("baseline", 0.53, "baseline", 0.54, 0.93, full_accuracy=0.88),
        Arm("finetune", 0.73, selection=0.74, training_accuracy=0.82, full_accuracy=0.84),
        Arm("finetune_frozen", 0.62, selection=0.62, full_accuracy=0.87),
        Arm("scratch", 0.75, selection=0.76, training_accuracy=0.84, full_accuracy=0.70),
        Arm("multilength", 0.72, selection=0.73, full_accuracy=0.88),
        Arm("both", 0.74, selection=0.75, full_accuracy=0.82),
        Arm("dna_only", 0.72, selection=0.73, full_accuracy=0.80),
        Arm("protein_only", 0.64, selection=0.65, full_accuracy=0.78),
        Arm("kmer", 0.70, selection=0.71, full_accuracy=0.76),
        Arm("gc", 0.58, "control", 0.58, full_accuracy=0.60),
        Arm("shuffled_labels", 0.5, "control", 0.5, 0.95, full_accuracy=0.5),
    ]


def make_test_set(
    rng: np.random.Generator,
    windows: int,
    clusters: int,
    folds: int = 5,
    mixed: int = 0,
    viral_clusters: int | None = None,
    viral_share: float = 0.52,
) -> dict[str, np.ndarray]:
    """Windows of clusters with skewed sizes: cluster, label and fold, one entry per window.

    `mixed`: the number of clusters in which a third of the windows has the other label.
    """
    sizes = rng.lognormal(0, 0.7, clusters)
    viral = np.zeros(clusters, bool)
    viral[rng.permutation(clusters)[: clusters // 2 if viral_clusters is None else viral_clusters]] = True
    counts = np.zeros(clusters, int)
    for members, share in ((viral, viral_share), (~viral, 1 - viral_share)):
        if members.any():
            counts[members] = np.maximum(1, np.round(windows * share * sizes[members] / sizes[members].sum()))
    cluster = np.repeat(np.arange(clusters), counts)
    label = np.repeat(viral, counts).astype(int)
    for c in range(mixed):
        members = np.flatnonzero(cluster == c)
        label[members[: len(members) // 3]] ^= 1
    return {"cluster": cluster, "label": label, "fold": (np.arange(clusters) % folds)[cluster]}


def scores(
    rng: np.random.Generator,
    test: dict[str, np.ndarray],
    arm: Arm,
    accuracy: float,
    hardness: np.ndarray,
    replicates: int,
) -> np.ndarray:
    """Log-odds [replicates, windows] that are correct for a share `accuracy` of clusters and windows on average."""
    clusters, count = len(hardness), len(test["cluster"])
    own, window = rng.normal(0, arm.spread / 2, clusters), rng.normal(0, 1, count)
    shift = np.sqrt(1 + 1.25 * arm.spread**2) * stats.norm.ppf(accuracy)
    by_cluster = shift + (arm.spread * hardness + own)[test["cluster"]]
    side = np.where(test["label"] == 1, 1, -1)
    out = np.empty((replicates, count), np.float32)
    for r in range(replicates):
        margin = by_cluster + rng.normal(0, arm.seed_noise) + np.sqrt(0.8) * window + np.sqrt(0.2) * rng.normal(0, 1, count)
        out[r] = margin * side
    if arm.perfect:
        out = np.abs(out) * side.astype(np.float32)
    if arm.constant is not None:
        out[:] = arm.constant
    return out


def write_results(
    folder: Path,
    arms: list[Arm] | None = None,
    sets: dict[str, int] | None = None,
    clusters: int = 100,
    replicates: int = 3,
    folds: int = 5,
    seed: int = 0,
    mixed: int = 0,
    viral_clusters: int | None = None,
    viral_share: float = 0.52,
    permute_labels: bool = False,
    row_group_size: int = 1 << 16,
    shuffle_rows: bool = False,
) -> Path:
    """Write a results folder as COMPARE and REPORT find it. `sets`: the number of windows by test set."""
    arms = standard_arms() if arms is None else arms
    sets = {"short": 4000, "full": 1500} if sets is None else sets
    for number, (name, windows) in enumerate(sets.items()):
        # Pairs are of the fragments whose first mates are tested too, so they are the same clusters.
        rng = np.random.default_rng([seed, list(sets).index("mate") if name == "pair" else number])
        test = make_test_set(rng, windows, clusters, folds, mixed, viral_clusters, viral_share)
        if not windows:
            test = {k: v[:0] for k, v in test.items()}
        hardness = rng.normal(0, 1, clusters)
        raws = [scores(rng, test, a, _accuracy(a, name), hardness, a.replicates or replicates) for a in arms]
        if permute_labels:
            test = {**test, "label": rng.permutation(test["label"])}
        if name == "short":
            write_novelty(folder / "evaluation", test)
        for arm, raw in zip(arms, raws, strict=True):
            order = rng if shuffle_rows else None
            write_evaluation(folder / "evaluation" / arm.name / name, arm.name, name, test, raw, row_group_size, order)
    for arm in arms:
        write_models(folder / "models" / arm.name, arm, folds, arm.replicates or replicates, seed)
    (folder / "arms.json").write_text(json.dumps([a.record for a in arms]))
    write_folds(folder / "sources", clusters, folds)
    audit = [
        {"train_set": "short", "test_set": s, "fold": f, "test_windows": n // folds, "shared_windows": 0, "share": 0.0}
        for s, n in sets.items()
        for f in range(folds)
    ]
    (folder / "leakage.json").write_text(json.dumps({"k": 31, "limit": 0.001, "ok": True, "sets": audit}))
    return folder


def write_folds(folder: Path, clusters: int, folds: int) -> None:
    """Write folds.parquet: two sources of each cluster, in the folds of the test sets; every second cluster is viral."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster = np.repeat(np.arange(clusters), 2)
    table = {
        "source": [f"source_{i}" for i in range(len(cluster))],
        "cluster": [f"cluster_{c}" for c in cluster],
        "label": ["viral" if c % 2 else "nonviral" for c in cluster],
        "fold": (cluster % folds).astype(np.int8),
    }
    pq.write_table(pa.table(table), folder / "folds.parquet")


def write_novelty(folder: Path, test: dict[str, np.ndarray]) -> None:
    """Write novelty.parquet: every cluster is a family, half of which are new; every fifth window has no relative."""
    folder.mkdir(parents=True, exist_ok=True)
    number = np.arange(len(test["cluster"]))
    bits = np.where(number % 5 == 0, 0, 20 + number % 100).astype(np.float32)
    table = {
        "window": pa.array(number.astype(str).tolist(), pa.string()),
        "label": test["label"].astype(np.int8),
        "cluster": pa.array([f"cluster_{c}" for c in test["cluster"]], pa.string()),
        "family": pa.array([f"family_{c}" for c in test["cluster"]], pa.string()),
        "status": np.where(test["cluster"] % 2, NEW, KNOWN).astype(np.int8),
        "bits": bits,
        "identity": (bits / 120).astype(np.float32),
        "match": match_bins(bits),
    }
    pq.write_table(pa.table(table), folder / "novelty.parquet")


def write_evaluation(
    folder: Path,
    arm: str,
    test_set: str,
    test: dict[str, np.ndarray],
    raw: np.ndarray,
    row_group_size: int = 1 << 16,
    shuffle: np.random.Generator | None = None,
) -> None:
    """Write predictions.parquet and metrics.json of one arm on one test set; `shuffle` permutes the rows."""
    folder.mkdir(parents=True, exist_ok=True)
    s, n = raw.shape
    names = pa.array([f"cluster_{i}" for i in range(int(test["cluster"].max(initial=-1)) + 1)], pa.string())
    cluster = pa.DictionaryArray.from_arrays(pa.array(np.tile(test["cluster"], s), pa.int32()), names)
    flat = raw.ravel()
    table = pa.table(
        {
            "window": pa.array(np.tile(np.arange(n), s)).cast(pa.string()),
            "source": cluster,
            "cluster": cluster.cast(pa.string()),
            "fold": np.tile(test["fold"], s).astype(np.int8),
            "replicate": np.repeat(np.arange(s), n).astype(np.int8),
            "label": np.tile(test["label"], s).astype(np.int8),
            "score": (1 / (1 + np.exp(-flat.astype(float)))).astype(np.float32),
            "log_odds": flat,
            "call": flat >= 0,
        }
    )
    if shuffle is not None:
        table = table.take(shuffle.permutation(len(flat)))
    pq.write_table(table, folder / "predictions.parquet", row_group_size=row_group_size)
    found = {"rows": [], "pooled": []}
    if n:
        cuts = {"balanced": 0.0, "fpr_1e-2": 3.0, "fpr_1e-3": None}
        fitted = [{"lengths": None, "temperature": 1.5, "bias": 0.1, "thresholds": cuts}]
        folds = np.unique(test["fold"]).tolist()
        heads = [Heads({}, dict.fromkeys(folds, 0.5), dict.fromkeys(folds, fitted)) for _ in range(s)]
        found = metrics(test["label"], test["fold"], raw, heads) | describe(
            Columns(test), raw, heads, test_set, np.random.default_rng(0)
        )
    if test_set == "pair":
        of_models = [(r, f) for r in range(s) for f in np.unique(test["fold"]).tolist()]
        found["pair_rules"] = [{"replicate": r, "fold": f, "factor": 1.6, "overlapping": 0.25} for r, f in of_models]
    value = {
        **found,
        "arm": arm,
        "test_set": test_set,
        "replicates": s,
        "windows": n,
        "clusters": len(names),
    }
    (folder / "metrics.json").write_text(json.dumps(value, allow_nan=False))


class Columns:
    """What EVALUATE reads from the manifests, for synthetic windows: two sources per cluster, and a few kingdoms."""

    def __init__(self, test: dict[str, np.ndarray]):
        number = np.arange(len(test["cluster"]))
        self.text = {
            "cluster": test["cluster"],
            "source": 2 * test["cluster"] + number % 2,
            "kingdom": 2 * (test["cluster"] // 2 % 3) + test["label"],
            "family": test["cluster"] % 7,
        }
        self.number = {
            "label": test["label"],
            "fold": test["fold"],
            "gc": 0.25 + number % 40 / 100,
            "peptide": 15 + number % 36,
        }

        self.length = np.full(len(number), 150)

    def knows(self, name: str) -> bool:
        return name in self.text or name in self.number

    def column(self, name: str) -> np.ndarray:
        return self.number[name]

    def codes(self, name: str) -> tuple[np.ndarray, list[str]]:
        values, code = np.unique(self.text[name], return_inverse=True)
        return code, [f"{KINGDOM if name == 'kingdom' else name}_{v}" for v in values]


def write_models(folder: Path, arm: Arm, folds: int, replicates: int, seed: int) -> None:
    """Write model.json and history.json of every fold and replicate, without weights."""
    rng = np.random.default_rng([seed, 7])
    for f in range(folds):
        for r in range(replicates):
            path = folder / f"fold_{f}" / f"replicate_{r}"
            path.mkdir(parents=True, exist_ok=True)
            history = []
            for epoch in range(1, 11):
                train = 0.5 + (arm.training_accuracy - 0.5) * (1 - np.exp(-epoch / 2)) / (1 - np.exp(-5)) + rng.normal(0, 0.002)
                val = 0.5 + ((arm.selection or 0.5) - 0.5) * (1 - np.exp(-epoch / 2)) + rng.normal(0, 0.004)
                history.append(
                    {
                        "epoch": epoch,
                        "train": {"loss": 1.2 - train, "accuracy": train, "f1": train},
                        "validation": {"loss": 1.25 - val, "accuracy": val, "f1": val},
                    }
                )
            (path / "history.json").write_text(json.dumps(history))
            chosen = arm.selection and {
                "accuracy": arm.selection,
                "f1": arm.selection,
                "mcc": 0.4,
                "auroc": 0.8,
                "loss": 0.5,
            }
            model = {
                "arm": arm.name,
                "fold": f,
                "replicate": r,
                "threshold": 0.5,
                "modalities": ["dna"],
                "calibration": [{"lengths": None, "thresholds": {"balanced": 0.0, "fpr_1e-2": 3.0, "fpr_1e-3": None}}],
                "encoders": [{"modality": "dna", "encoder": "kmer-dna", "weights": "", "pooling": "4-mer frequencies"}],
                "architecture": {"inputs": 256, "hidden": 512, "classes": 2, "dropout": 0.1},
                "best_epoch": 8,
                "epochs_run": 10,
                "training_windows": 60000,
                "validation_windows": 5000,
                "trained_parameters": 1_050_000,
                "selection": chosen,
                "hyperparameters": {"epochs": 10, "batch_size": 256, "dropout": 0.1, "patience": 3},
            }
            (path / "model.json").write_text(json.dumps(model))


def _accuracy(arm: Arm, test_set: str) -> float:
    full = arm.full_accuracy or arm.accuracy
    if test_set == "pair":
        return arm.accuracy + 0.05
    if test_set.startswith("length_"):
        return arm.accuracy + (full - arm.accuracy) * min(1.0, max(0.0, np.log(int(test_set[7:]) / 150) / np.log(20)))
    return full if test_set == "full" else arm.accuracy
