"""Heads that were never trained."""

import numpy as np

from virshort.heads.architecture import MEAN, SD


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


def random_two_layer_head(inputs: int, seed: int) -> dict[str, np.ndarray]:
    """The tensors of a head with two hidden layers that standardizes its inputs, by name."""
    rng = np.random.default_rng(seed)
    second = {k: v for k, v in random_head(512, seed + 1).items() if "output" not in k}
    named = {k.replace("hidden_layer.", "hidden_layer2.").replace("bn1.", "bn2."): v / 20 for k, v in second.items()}
    named["bn2.running_var"] += 1
    scale = {MEAN: rng.normal(size=inputs), SD: rng.uniform(0.05, 2, inputs)}
    return random_head(inputs, seed) | named | {k: v.astype(np.float32) for k, v in scale.items()}
