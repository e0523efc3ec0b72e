"""Adam by torch's functional form. Its optimizer classes load torch's compiler, which takes longer than a head's training."""

from collections.abc import Iterable, Mapping

import torch
from torch.optim.adam import adam


class Adam:
    """As torch.optim.Adam with its defaults and fused kernels, to the last bit.

    parameters: those to be trained; learning_rate: the step size."""

    def __init__(self, parameters: Iterable[torch.nn.Parameter], learning_rate: float):
        self.parameters, self.learning_rate = list(parameters), learning_rate
        self.mean = [torch.zeros_like(p) for p in self.parameters]
        self.square = [torch.zeros_like(p) for p in self.parameters]
        self.steps = [torch.zeros((), dtype=torch.float32) for _ in self.parameters]

    def step(self) -> None:
        """Move the parameters by their gradients, and let the gradients go."""
        with torch.no_grad():
            adam(
                self.parameters,
                [p.grad for p in self.parameters],
                self.mean,
                self.square,
                [],
                self.steps,
                fused=True,
                amsgrad=False,
                beta1=0.9,
                beta2=0.999,
                lr=self.learning_rate,
                weight_decay=0.0,
                eps=1e-8,
                maximize=False,
            )
        for p in self.parameters:
            p.grad = None

    def state(self) -> dict[str, list[torch.Tensor]]:
        """What a checkpoint keeps."""
        return {"mean": self.mean, "square": self.square, "steps": self.steps}

    def load(self, state: Mapping[str, list[torch.Tensor]]) -> None:
        """Go on from `state()`."""
        self.mean, self.square, self.steps = state["mean"], state["square"], state["steps"]
