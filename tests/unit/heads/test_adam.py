"""Adam without torch's compiler: the same numbers as torch's own class."""

import subprocess
import sys
from types import ModuleType

import pytest
import torch

from harness import ROOT
from virshort.heads.adam import Adam
from virshort.heads.head import Head


@pytest.fixture
def compiler_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch's optimizer class asks the compiler to leave it alone, which takes many seconds to load: a stub does that here."""
    stub = ModuleType("torch._dynamo")
    stub.disable = lambda function, *_, **__: function
    stub.graph_break = lambda *_, **__: None
    monkeypatch.setitem(sys.modules, "torch._dynamo", stub)
    monkeypatch.setitem(vars(torch), "_dynamo", stub)


def losses(head: Head, rounds: int):
    x, y = torch.randn(rounds, 32, 7), torch.randint(0, 2, (rounds, 32))
    for i in range(rounds):
        yield torch.nn.functional.cross_entropy(head(x[i]), y[i])


@pytest.mark.usefixtures("compiler_out_of_reach")
@pytest.mark.parametrize(("theirs_of", "decay"), [(torch.optim.Adam, 0.0), (torch.optim.AdamW, 0.1)])
def test_every_bit_is_the_same_as_with_torchs_own_class(theirs_of: type[torch.optim.Adam], decay: float) -> None:
    torch.manual_seed(1)
    ours, theirs = Head(7), Head(7)
    theirs.load_state_dict(ours.state_dict())
    one, other = (
        Adam(ours.parameters(), 1e-3, decay),
        theirs_of(theirs.parameters(), lr=1e-3, weight_decay=decay, fused=True),
    )
    for head, step in ((ours, one.step), (theirs, other.step)):
        torch.manual_seed(2)
        for loss in losses(head, 5):
            head.zero_grad()
            loss.backward()
            step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(a, b)


def test_training_does_not_load_the_compiler() -> None:
    """It takes seconds in every task that trains. Only a process of its own shows that, because other tests load it."""
    code = (
        "import sys, numpy as np; from virshort.heads.labelled_windows import LabelledWindows; "
        "from virshort.heads.settings import Settings; from virshort.heads.training import train; "
        "x = np.random.default_rng(1).random((64, 3), np.float32); y = (x[:, 0] > .5).astype(np.int8); "
        "windows = LabelledWindows(lambda r: x[r], np.arange(64), y); "
        "train(windows, windows, 3, Settings(1, 1e-3, 16, .1, 1, False, 1, 0, 0)); "
        "print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT / "bin")}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
