"""Adam without torch's compiler: the same numbers as torch's own class."""

import subprocess
import sys

import torch

from harness import ROOT
from virshort.heads.adam import Adam
from virshort.heads.head import Head


def losses(head: Head, rounds: int):
    x, y = torch.randn(rounds, 32, 7), torch.randint(0, 2, (rounds, 32))
    for i in range(rounds):
        yield torch.nn.functional.cross_entropy(head(x[i]), y[i])


def test_every_bit_is_torchs() -> None:
    torch.manual_seed(1)
    ours, theirs = Head(7), Head(7)
    theirs.load_state_dict(ours.state_dict())
    one, other = Adam(ours.parameters(), 1e-3), torch.optim.Adam(theirs.parameters(), lr=1e-3, fused=True)
    for head, step in ((ours, one.step), (theirs, other.step)):
        torch.manual_seed(2)
        for loss in losses(head, 5):
            head.zero_grad()
            loss.backward()
            step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(a, b)


def test_training_does_not_load_the_compiler() -> None:
    """It takes seconds in every task that trains."""
    code = (
        "import sys, numpy as np; from virshort.heads.training import Data, Settings, train; "
        "x = np.random.default_rng(1).random((64, 3), np.float32); y = (x[:, 0] > .5).astype(np.int8); n = np.arange(64); "
        "train(Data(lambda r: x[r], n, y, n, y), 3, Settings(1, 1e-3, 16, .1, 1, False, 1, 0, 0)); "
        "print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT / "bin")}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
