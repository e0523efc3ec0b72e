"""The language models at real width with random weights, in the precision that `auto` takes here, against one window at a time
in fp32 and against their bare matrix products. Ratios are of one process, by turns; the best of each counts.

bench.py runs it; alone it takes a folder to work in, and --layers and --rounds.
"""

import argparse
import resource
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from common import ROOT, Line, report
from torch import nn
from torch.nn import functional as F
from transformers import EsmConfig, EsmModel

from virshort import dnabert_s, esm2
from virshort.batching import Batcher
from virshort.language_models import BUDGET
from virshort.packing import pack
from virshort.precision import choose_device, choose_precision, exact_fp32
from virshort.tokens import Bases

TOKENIZER = ROOT.parent / "shared/golden/dnabert_tokenizer/tokenizer.json"
CASES = {"dnabert-s": (35, ">= 9x"), "esm2-650m": (52, ">= 4x")}
"""Tokens of a 150 bp window, and what is wanted against one at a time where the processor has bf16 instructions."""


def random_dnabert_s(dtype: torch.dtype, layers: int, device: torch.device) -> nn.Module:
    config, generator = dnabert_s.Config(layers=layers), torch.Generator().manual_seed(1)
    tensors = {n: torch.randn(s, generator=generator) * 0.03 for n, s in dnabert_s.published_shapes(config).items()}
    return dnabert_s.build(tensors, config, dtype, device)


def random_esm2(dtype: torch.dtype, layers: int, device: torch.device) -> nn.Module:
    config = EsmConfig(vocab_size=33, hidden_size=1280, num_hidden_layers=layers, num_attention_heads=20,
                       intermediate_size=5120, max_position_embeddings=1026, position_embedding_type="rotary",
                       token_dropout=True, mask_token_id=32, pad_token_id=1, emb_layer_norm_before=False,
                       attn_implementation="sdpa")
    torch.manual_seed(1)
    model = EsmModel(config, add_pooling_layer=False)
    frequencies = model.rotary_embeddings.inv_freq.clone()
    model = model.to(dtype).eval().requires_grad_(False)
    model.rotary_embeddings.inv_freq = nn.Buffer(frequencies)
    return model.to(device)


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


def products(model: nn.Module, rows: int, dtype: torch.dtype, device: torch.device) -> tuple[Callable[[], object], float]:
    """The model's bare matrix products on that many tokens, and their floating point operations."""
    weights = [m.weight for m in model.modules() if isinstance(m, nn.Linear) and m.weight.shape[0] > 8]
    inputs = {w.shape[1]: torch.randn(rows, w.shape[1], device=device).to(dtype) for w in weights}
    return (lambda: [F.linear(inputs[w.shape[1]], w) for w in weights]), sum(2.0 * rows * w.numel() for w in weights)


@torch.inference_mode()
def bench_model(name: str, layers: int, rounds: int) -> list[Line]:
    device = choose_device("auto")
    dtype = choose_precision("auto", device)
    make, pooled, hidden = ((random_dnabert_s, dnabert_s.pooled, lambda m: m) if name == "dnabert-s" else
                            (random_esm2, esm2.pooled, lambda m: partial(esm2.hidden, m)))
    tokens, wanted = CASES[name]
    n = BUDGET[device.type] // tokens
    exact, plain = make(torch.float32, layers, device), make(dtype, layers, device)
    bare, operations = products(plain, n * tokens, dtype, device)
    fast = make(dtype, layers, device)
    if device.type == "cpu" and dtype == torch.bfloat16:
        pack(fast)
    one, many = (torch.randint(5, 24, (k, tokens), device=device) for k in (1, n))
    best = best_of({"one": lambda: pooled(hidden(exact), one), "batch": lambda: pooled(hidden(fast), many), "bare": bare},
                   rounds, device)
    alone, batched, share = 1 / best["one"], n / best["batch"], best["bare"] / best["batch"]
    kind = str(dtype).removeprefix("torch.")
    size = f"{name}, {layers} layers"
    fit = dtype == torch.bfloat16 and batched / alone >= float(wanted[3:-1])
    note = "" if dtype == torch.bfloat16 else "the target is for processors with bf16 instructions, which this one lacks"
    return [Line(f"{size}: {n} windows of 150 bp a batch, {kind}", f"one at a time, fp32: {alone:.3g} windows/s", wanted,
                 f"{batched:.3g} windows/s", f"{batched / alone:.2f}x", fit if dtype == torch.bfloat16 else None, note),
            Line(f"{size}: share of the bare products' speed, {kind}", f"{operations / best['bare'] / 1e12:.3g} TFLOP/s",
                 ">= 65 %", f"{operations / best['batch'] / 1e12:.3g} TFLOP/s", f"{share:.0%}", share >= 0.65)]


def bench_tokens() -> Line:
    windows = random_windows(20000)
    tokenize = Bases(TOKENIZER)
    began = time.process_time()
    tokenize(windows)
    rate = len(windows) / (time.process_time() - began)
    return Line("tokens of 150 bp windows, a core", "-", ">= 20,000 windows/s", f"{rate:,.0f} windows/s",
                f"{rate / 20000:.2f}x", rate >= 20000)


def bench_memory() -> Line:
    """Peak memory that a shard of 8192 windows adds to a model that is warm."""
    device, windows = torch.device("cpu"), random_windows(8192)
    model = random_dnabert_s(choose_precision("auto", device), 1, device)
    embed = Batcher(Bases(TOKENIZER), partial(dnabert_s.pooled, model), 768, BUDGET["cpu"], log=print)
    embed(windows[:512])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    embed(windows)
    added = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / 1e6
    return Line("memory a shard of 8,192 windows adds", "a warm DNABERT-S", "<= 300 MB", f"{added:.0f} MB",
                f"{added / 300:.2f}", added <= 300)


def random_windows(n: int) -> list[bytes]:
    return [bytes(w) for w in np.random.default_rng(1).choice(np.frombuffer(b"ACGT", np.uint8), (n, 150))]


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("folder", nargs="*", help="not used: every measurement is given one")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--layers", type=int, default=4, help="of both models; 0: all (default: %(default)s)")
    a = p.parse_args()
    exact_fp32()
    models = {"dnabert-s": 12, "esm2-650m": 33}
    lines = [line for name, layers in models.items() for line in bench_model(name, a.layers or layers, a.rounds)]
    if not TOKENIZER.exists():
        report(lines)
        print("no DNABERT-S tokenizer here: tokens and memory are not measured", file=sys.stderr)
        return
    report([*lines, bench_tokens(), bench_memory()])


if __name__ == "__main__":
    main()
