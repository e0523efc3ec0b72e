"""DNABERT-S gives the numbers of the authors' own code at its full size. To make 117 million weights and use them takes as
long as many unit tests together."""

import hashlib
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from make_random_models import SHARED
from virshort.encoders.dnabert_s import Config, build, pooled, published_shapes

FULL = SHARED / "golden/dnabert_s_full_recipe"


def ids_of(case: dict) -> torch.Tensor:
    return torch.tensor([case["input_ids"]])


def full_recipe_tensors(config: Config) -> tuple[dict[str, torch.Tensor], str]:
    """The weights of golden/dnabert_s_full_recipe, and the digest of their bytes."""
    rng = np.random.RandomState(20260303)
    tensors, digest = {}, hashlib.sha256()
    for name, shape in sorted(published_shapes(config).items()):
        r = rng.standard_normal(shape).astype(np.float32)
        if name.lower().endswith("layernorm.weight"):
            r = 1 + np.float32(0.1) * r
        else:
            scale = 0.5 if "embeddings" in name else 0.04 if "Wqkv" in name else 0.03
            r *= np.float32(0.1 if name.endswith(".bias") else scale)
        digest.update(r.tobytes())
        tensors[name] = torch.from_numpy(r)
    return tensors, digest.hexdigest()


@pytest.mark.skipif(not FULL.exists(), reason="golden data not here")
@torch.inference_mode()
def test_the_authors_numbers_at_full_size_and_low_precision() -> None:
    inputs, config = json.loads((FULL / "inputs.json").read_text()), Config.read(FULL / "config.json")
    tensors, digest = full_recipe_tensors(config)
    assert digest == inputs["weights_sha256"]
    assert sum(t.numel() for t in tensors.values()) == 117_068_544
    expected = load_file(FULL / "expected.safetensors")
    model = build(tensors, config)
    for case in inputs["cases"]:
        hidden = model(ids_of(case))[0]
        assert (hidden.mean(0) - expected[f"{case['name']}.mean"]).abs().max() <= 5e-5
        assert (hidden[[0, -1]] - expected[f"{case['name']}.first_and_last_token"]).abs().max() <= 5e-5
    for dtype in (torch.bfloat16, torch.float16):
        low = build(tensors, config, dtype)
        for case in inputs["cases"][: 3 if dtype == torch.float16 else None]:  # CPUs emulate fp16, slowly
            row = pooled(low, ids_of(case))[0]
            assert row.dtype == torch.float32
            assert torch.cosine_similarity(row, expected[f"{case['name']}.mean"], 0) >= 0.999, (dtype, case["name"])
