"""The model card: every figure in it is one of comparison.json."""

from collections.abc import Callable

import numpy as np
import pytest

from report_examples import EVIL, write_everything
from shipped_rows import ROWS
from virshort.files import read_json
from virshort.model.card import model_card
from virshort.model.record import ModelRecord
from virshort.verdict.schema import Comparison
from virshort.verdict.wording import SIMULATED
from virshort.windows.source_table import SourceTable


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = tmp_path_factory.mktemp("results")
    write_everything(folder)
    found: Comparison = read_json(folder / "comparison.json")
    return found


@pytest.fixture
def record(make_model: Callable) -> ModelRecord:
    """Of the arm finetune."""
    return make_model(["codon"]).record | {"arm": "finetune"}


@pytest.fixture
def table() -> SourceTable:
    kingdom, family = np.array(["virus", "virus", "a|b", "a|b"]), ["F", "F", None, None]
    label, number = np.array([1, 1, 0, 0], np.int8), np.arange(4)
    cluster = np.array(["c1", "c2", "c3", "c3"])
    return SourceTable([*"wxyz"], label, kingdom, family, cluster, number % 3, 1000 * number, np.full(4, 1000), number)


def test_every_figure_is_that_of_the_comparison(record: ModelRecord, comparison: Comparison, table: SourceTable) -> None:
    card = model_card(record, comparison, table, simulated=False)
    short = next(r for r in comparison["arms"] if (r["arm"], r["test_set"]) == ("finetune", "short"))
    accuracy = short["metrics"]["accuracy"]
    assert accuracy["mean"] is not None and accuracy["ci95"] is not None
    low, high = accuracy["ci95"]
    assert f"| `short` | {short['windows']:,} | {100 * accuracy['mean']:.1f} ({100 * low:.1f} to {100 * high:.1f}) |" in card
    for group in comparison["details"]["finetune"]["short"]["groups"]["kingdom"]:
        assert f"{100 * group['wrong']:.1f}" in card
    assert "| virus | viral | 2 | 2 | 1 | 2,000 |" in card
    assert "| a\\|b | nonviral | 2 | 1 | not named | 2,000 |" in card, "a name must not break the table"
    assert comparison["leakage"]["sentence"] in card
    for heading in ("Data", "Optimization", "Model", "Evaluation", "Thresholds", "Limits"):
        assert f"\n## {heading}\n" in card
    assert "None" not in card and "nan" not in card.split()
    tables = [block.splitlines() for block in card.split("\n\n") if block.startswith("|")]
    assert all(len({line.replace("\\|", "").count("|") for line in lines}) == 1 for lines in tables) and len(tables) >= 4


def test_the_demo_is_called_what_it_is(record: ModelRecord, comparison: Comparison, table: SourceTable) -> None:
    assert SIMULATED in model_card(record, comparison, table, simulated=True)
    assert SIMULATED not in model_card(record, comparison, table, simulated=False)


def test_what_a_model_cannot_do_is_said(record: ModelRecord, comparison: Comparison, table: SourceTable) -> None:
    card = model_card(record, comparison, table, simulated=False)
    assert "use that of all validation windows: 200 to 499, 500 to 999 and 1000 and more bp." in card
    assert "There is no threshold fpr_1e-3 for some lengths" in card
    assert "every stretch of 33 bases" in card
    kept = {**record, "pretrained": "head.pth"}
    assert "it is `head.pth`, and what that was trained on is not known" in model_card(kept, comparison, table, False)  # type: ignore[arg-type]


def test_a_language_model_is_cited_with_its_licence(record: ModelRecord, comparison: Comparison, table: SourceTable) -> None:
    rows = {"metagene-1": ROWS["metagene-1"].keys, "mine": ROWS["metagene-1"].keys | {"citation": EVIL, "licence": ""}}
    card = model_card({**record, "language_models": rows}, comparison, table, simulated=False)
    assert "`metagene-1` is metagene-ai/METAGENE-1, licence apache-2.0: cite Liu et al. 2025" in card
    assert "`mine` is metagene-ai/METAGENE-1: cite &lt;" in card and "<script>" not in card


def test_a_name_is_not_markup(record: ModelRecord, comparison: Comparison, table: SourceTable) -> None:
    table.kingdom = np.array([EVIL] * 4)
    card = model_card({**record, "description": EVIL}, comparison, table, simulated=False)
    assert "<script>" not in card and card.count("&lt;script&gt;") >= 3
