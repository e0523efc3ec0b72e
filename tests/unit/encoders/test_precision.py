"""Which numbers are computed with."""

import pytest
import torch

from virshort.encoders.precision import choose_device, choose_precision, has_bf16
from virshort.errors import InputError


def test_names():
    cpu = torch.device("cpu")
    assert choose_precision("fp32", cpu) == torch.float32
    assert choose_precision("fp16", cpu) == torch.float16
    assert choose_precision("auto", cpu) == (torch.bfloat16 if has_bf16(cpu) else torch.float32)
    with pytest.raises(InputError, match="one of auto, fp32"):
        choose_precision("bf17", cpu)


def test_a_cpu_without_bf16_instructions_computes_in_fp32(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    assert choose_precision("auto", torch.device("cpu")) == torch.float32


def test_a_gpu_that_is_not_there():
    if torch.cuda.is_available():
        assert choose_device("auto").type == "cuda"
    else:
        assert choose_device("auto").type == "cpu"
        with pytest.raises(InputError, match="GPU"):
            choose_device("cuda")
