"""Adam and AdamW through torch's functional interface. torch's optimizer classes load its compiler, which takes longer than
training a head."""

from collections.abc import Iterable, Mapping

import torch
from torch.optim.adam import adam


class Adam:
    """The same, bit for bit, as torch.optim.Adam with its defaults and fused kernels, or as AdamW with a weight decay.

    parameters: those that are trained, each of which must have a gradient; learning_rate: the step size; weight_decay: the
    share of each parameter that a step of size 1 removes (Loshchilov and Hutter 2019)."""

    def __init__(self, parameters: Iterable[torch.nn.Parameter], learning_rate: float, weight_decay: float = 0.0):
        self.parameters: list[torch.Tensor] = list(parameters)
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.mean = [torch.zeros_like(p) for p in self.parameters]
        self.square = [torch.zeros_like(p) for p in self.parameters]
        self.steps = [torch.zeros((), dtype=torch.float32) for _ in self.parameters]

    def step(self) -> None:
        """Move the parameters along their gradients, and clear the gradients."""
        with torch.no_grad():
            adam(
                self.parameters,
                [p.grad for p in self.parameters if p.grad is not None],
                self.mean,
                self.square,
                [],
                self.steps,
                fused=True,
                amsgrad=False,
                beta1=0.9,
                beta2=0.999,
                lr=self.learning_rate,
                weight_decay=self.weight_decay,
                decoupled_weight_decay=True,
                eps=1e-8,
                maximize=False,
            )
        for p in self.parameters:
            p.grad = None

    def state_dict(self) -> dict[str, list[torch.Tensor]]:
        """What a checkpoint keeps of the optimizer."""
        return {"mean": self.mean, "square": self.square, "steps": self.steps}

    def load_state_dict(self, state: Mapping[str, list[torch.Tensor]]) -> None:
        """Continue from `state_dict()`."""
        self.mean, self.square, self.steps = state["mean"], state["square"], state["steps"]
