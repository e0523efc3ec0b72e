"""Heads that were never trained."""

import numpy as np


def random_head(inputs: int, seed: int) -> dict[str, np.ndarray]:
    """The tensors of a head with one hidden layer, by name."""
    rng = np.random.default_rng(seed)
    shapes = {
        "hidden_layer.weight": (512, inputs),
        "hidden_layer.bias": (512,),
        "bn1.weight": (512,),
        "bn1.bias": (512,),
        "bn1.running_mean": (512,),
        "bn1.running_var": (512,),
        "output_layer.weight": (2, 512),
        "output_layer.bias": (2,),
    }
    return {
        k: np.abs(rng.normal(size=s)).astype(np.float32) * (1 if "var" in k else rng.choice([-1, 1])) for k, s in shapes.items()
    }
