"""The language models at their real size with random weights, in the precision that `auto` takes here, against one window at a
time in fp32 and against their bare matrix products. Ratios are of one process, by turns; the best of each counts.

bench.py runs it; alone it takes --layers and --rounds.
"""

import argparse
import resource
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import ModuleType

import numpy as np
import torch
from common import ROOT, Line, report
from torch import nn
from torch.ao.quantization import per_channel_dynamic_qconfig, quantize_dynamic
from torch.nn import functional as F
from virshort.encoders.language_models import BUDGET
from virshort.encoders.tokens import Bases

from virshort.encoders import dnabert_s, esm2
from virshort.encoders.batching import Batcher
from virshort.encoders.packed_linear import LinearGelu, pack
from virshort.encoders.precision import choose_device, choose_precision, exact_fp32

TOKENIZER = ROOT.parent / "shared/golden/dnabert_tokenizer/tokenizer.json"
CASES = {"dnabert-s": (dnabert_s, 35, 9.0), "esm2-650m": (esm2, 52, 4.0)}
"""The model, tokens of a 150 bp window, and how many times the rate of one at a time is wanted of bf16."""


def random_model(module: ModuleType, layers: int | None, dtype: torch.dtype, device: torch.device) -> nn.Module:
    config = module.Config() if layers is None else replace(module.Config(), layers=layers)
    generator = torch.Generator().manual_seed(1)
    tensors = {name: torch.randn(shape, generator=generator) * 0.03 for name, shape in module.published_shapes(config).items()}
    return module.build(tensors, config, dtype, device)


def best_of(works: dict[str, Callable[[], object]], rounds: int, device: torch.device) -> dict[str, float]:
    """Seconds of each piece of work, the best of several rounds by turns."""
    best = dict.fromkeys(works, float("inf"))
    for turn in range(rounds + 1):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            if device.type == "cuda":
                torch.cuda.synchronize()
            if turn:  # the first makes kernels
                best[name] = min(best[name], time.perf_counter() - began)
    return best


def products(model: nn.Module, rows: int) -> tuple[Callable[[], object], float]:
    """The bare products of a model's linear layers on that many tokens, and their floating point operations."""
    weights = [m.weight for m in model.modules() if isinstance(m, nn.Linear)]
    inputs = {w.shape[1]: torch.randn(rows, w.shape[1], device=w.device).to(w.dtype) for w in weights}
    return (lambda: [F.linear(inputs[w.shape[1]], w) for w in weights]), sum(2.0 * rows * w.numel() for w in weights)


@torch.inference_mode()
def bench_model(name: str, layers: int | None, rounds: int) -> list[Line]:
    module, tokens, wanted = CASES[name]
    device = choose_device("auto")
    dtype = choose_precision("auto", device)
    n = BUDGET[device.type] // tokens
    model = random_model(module, layers, dtype, device)
    exact = model if dtype == torch.float32 else random_model(module, layers, torch.float32, device)
    bare, operations = products(model, n * tokens)
    if device.type == "cpu" and dtype == torch.bfloat16:
        pack(model)
    one, many = (torch.randint(5, 24, (k, tokens), device=device) for k in (1, n))
    best = best_of(
        {"one": lambda: module.pooled(exact, one), "batch": lambda: module.pooled(model, many), "bare": bare}, rounds, device
    )
    alone, batched, share = 1 / best["one"], n / best["batch"], best["bare"] / best["batch"]
    kind, bf16 = str(dtype).removeprefix("torch."), dtype == torch.bfloat16
    where = torch.cuda.get_device_name() if device.type == "cuda" else f"{torch.get_num_threads()} threads"
    size = f"{name}{'' if layers is None else f', {layers} layers'}, {kind}, {where}"
    note = "" if bf16 else "the target is for processors with bf16 instructions, which this one lacks"
    return [
        Line(
            f"{size}: batches of {n} windows of 150 bp",
            f"one at a time, fp32: {alone:.3g} windows/s",
            f">= {wanted:g}x",
            f"{batched:.4g} windows/s",
            f"{batched / alone:.2f}x",
            batched / alone >= wanted if bf16 else None,
            note,
        ),
        Line(
            f"{size}: share of its bare matrix products",
            f"{operations / best['bare'] / 1e12:.3g} TFLOP/s",
            ">= 65 %",
            f"{operations / best['batch'] / 1e12:.3g} TFLOP/s",
            f"{share:.0%}",
            share >= 0.65,
        ),
    ]


def gelu_apart(model: nn.Module) -> nn.Module:
    """The model with plain linear layers only, as quantization knows no others."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, LinearGelu):
                child.__class__ = nn.Linear
                setattr(parent, name, nn.Sequential(child, nn.GELU()))
    return model


@torch.inference_mode()
def bench_int8(layers: int | None, rounds: int) -> Line:
    """PyTorch's dynamic quantization of all linear layers of DNABERT-S, a scale a channel, against what `auto` takes here."""
    device, (module, tokens, _) = torch.device("cpu"), CASES["dnabert-s"]
    exact = gelu_apart(random_model(module, layers, torch.float32, device))
    if "onednn" in torch.backends.quantized.supported_engines:
        torch.backends.quantized.engine = "onednn"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that torchao will take over
        small = quantize_dynamic(exact, {nn.Linear: per_channel_dynamic_qconfig})
    model = random_model(module, layers, choose_precision("auto", device), device)
    pack(model)
    ids = torch.randint(5, 4096, (BUDGET["cpu"] // tokens, tokens))
    best = best_of({"auto": lambda: module.pooled(model, ids), "int8": lambda: module.pooled(small, ids)}, rounds, device)
    cosine = F.cosine_similarity(module.pooled(small, ids), module.pooled(exact, ids)).min().item()
    ratio, kind = best["auto"] / best["int8"], str(model.norm.weight.dtype).removeprefix("torch.")
    rates = [f"{len(ids) / best[name]:.4g} windows/s" for name in ("auto", "int8")]
    return Line(
        f"dnabert-s in int8 (PyTorch's dynamic quantization), against {kind}",
        rates[0],
        ">= 1.5x, cosine >= .99",
        rates[1],
        f"{ratio:.2f}x, {cosine:.3f}",
        None,
        "would be offered if it met both against bf16; random weights",
    )


def bench_tokens() -> Line:
    windows = random_windows(20000)
    tokenize = Bases(TOKENIZER)
    began = time.process_time()
    tokenize(windows)
    rate = len(windows) / (time.process_time() - began)
    return Line(
        "tokens of 150 bp windows, a core",
        "-",
        ">= 20,000 windows/s",
        f"{rate:,.0f} windows/s",
        f"{rate / 20000:.2f}x",
        rate >= 20000,
    )


def bench_memory() -> Line:
    """Peak memory that a shard of 8192 windows adds to a model that is warm; before anything else has made a higher peak."""
    device, windows = torch.device("cpu"), random_windows(8192)
    model = random_model(dnabert_s, 1, choose_precision("auto", device), device)
    embed = Batcher(Bases(TOKENIZER), partial(dnabert_s.pooled, model), model.config.width, BUDGET["cpu"], log=print)
    embed(windows[:512])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    embed(windows)
    added = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / 1e6
    return Line(
        "memory that a shard of 8,192 windows adds",
        "a warm DNABERT-S",
        "<= 300 MB",
        f"{added:.0f} MB",
        f"{added / 300:.2f}",
        added <= 300,
    )


def random_windows(n: int) -> list[bytes]:
    return [bytes(w) for w in np.random.default_rng(1).choice(np.frombuffer(b"ACGT", np.uint8), (n, 150))]


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("folder", nargs="*", help="not used: every measurement is given one")
    p.add_argument("--rounds", type=int, default=8)
    p.add_argument("--layers", type=int, help="of both models (default: all)")
    a = p.parse_args()
    exact_fp32()
    lines = [bench_memory(), bench_tokens()] if TOKENIZER.exists() else []
    lines += [line for name in CASES for line in bench_model(name, a.layers, a.rounds)]
    report([*lines, bench_int8(a.layers, a.rounds)])
    if not TOKENIZER.exists():
        print("no DNABERT-S tokenizer here: tokens and memory are not measured", file=sys.stderr)


if __name__ == "__main__":
    main()
