"""Both ways of computing attention give the same numbers."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from virshort.encoders import attention
from virshort.encoders.attention import attend


@pytest.mark.parametrize("tokens", [1, 35, 300])
@pytest.mark.parametrize("biased", [False, True])
def test_two_products_in_bf16_are_attention(tokens, biased, monkeypatch):
    generator = torch.Generator().manual_seed(tokens)
    q, k, v = torch.randn(3, 2, 4, tokens, 16, generator=generator).bfloat16()
    bias = torch.randn(1, 4, tokens, tokens, generator=generator).bfloat16() if biased else None
    exact = F.scaled_dot_product_attention(q.float(), k.float(), v.float(), None if bias is None else bias.float())
    exact = exact.transpose(1, 2).flatten(2)
    products = attend(q, k, v, bias)
    monkeypatch.setattr(attention, "_TOKENS", 0)
    fused = attend(q, k, v, bias)
    assert products.shape == fused.shape == (2, tokens, 64)
    on_gpu = attention.attend_on_gpu(q, k, v, bias).transpose(1, 2).flatten(2)
    for found in (products, fused, on_gpu):
        np.testing.assert_allclose(found.float().numpy(), exact.numpy(), atol=0.03, rtol=0.02)
    assert not tokens > 1 or not torch.equal(products, fused), "both were computed in the same way"
