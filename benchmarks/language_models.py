#!/usr/bin/env python3
"""Speed of the language models at real size with random weights: ratios of one process on one machine.

What is compared runs by turns in short bursts and the best of each counts; on a busy machine, count processor time.
"""

import argparse
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from transformers import EsmConfig, EsmModel

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bin"))
from virshort import dnabert_s, esm2
from virshort.batching import Batcher
from virshort.language_models import BUDGET
from virshort.packing import pack
from virshort.tokens import Bases


def random_dnabert_s(dtype: torch.dtype, layers: int) -> nn.Module:
    config, generator = dnabert_s.Config(layers=layers), torch.Generator().manual_seed(1)
    tensors = {n: torch.randn(s, generator=generator) * 0.03 for n, s in dnabert_s.published_shapes(config).items()}
    return dnabert_s.build(tensors, config, dtype)


def random_esm2(dtype: torch.dtype, layers: int, width: int = 1280, heads: int = 20) -> nn.Module:
    config = EsmConfig(vocab_size=33, hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads,
                       intermediate_size=4 * width, max_position_embeddings=1026, position_embedding_type="rotary",
                       token_dropout=True, mask_token_id=32, pad_token_id=1, emb_layer_norm_before=False,
                       attn_implementation="sdpa")
    torch.manual_seed(1)
    model = EsmModel(config, add_pooling_layer=False)
    frequencies = model.rotary_embeddings.inv_freq.clone()
    model = model.to(dtype).eval().requires_grad_(False)
    model.rotary_embeddings.inv_freq = nn.Buffer(frequencies)
    return model


def best_of(works: dict[str, Callable[[], None]], rounds: int, cpu_time: bool) -> dict[str, float]:
    """Seconds of each piece of work, the best of several rounds by turns."""
    clock = time.process_time if cpu_time else time.perf_counter
    best = dict.fromkeys(works, float("inf"))
    for turn in range(rounds + 1):
        for name, work in works.items():
            start = clock()
            work()
            if turn:  # the first makes kernels
                best[name] = min(best[name], clock() - start)
    return best


def products(model: nn.Module, rows: int, dtype: torch.dtype) -> Callable[[], None]:
    """The model's bare matrix products on that many tokens."""
    weights = [m.weight for m in model.modules() if isinstance(m, nn.Linear) and m.weight.ndim == 2
               and m.weight.shape[0] > 8]
    inputs = {w.shape[1]: torch.randn(rows, w.shape[1]).to(dtype) for w in weights}
    return lambda: [F.linear(inputs[w.shape[1]], w) for w in weights]


@torch.inference_mode()
def bench_model(name: str, layers: int, rounds: int, cpu_time: bool) -> None:
    """Windows of 150 bp: one at a time in fp32, batches in bf16 plain and packed, and the bare products."""
    if name == "dnabert-s":
        make, tokens, pooled, hidden = random_dnabert_s, 35, dnabert_s.pooled, lambda m: m
    else:
        make, tokens, pooled, hidden = random_esm2, 52, esm2.pooled, lambda m: partial(esm2.hidden, m)
    exact, plain, packed = make(torch.float32, layers), make(torch.bfloat16, layers), make(torch.bfloat16, layers)
    pack(packed)
    works: dict[str, Callable[[], None]] = {}
    one = torch.randint(5, 24, (1, tokens))
    works["one at a time, fp32"] = partial(pooled, hidden(exact), one)
    count = {"one at a time, fp32": 1}
    for budget in sorted({BUDGET["cpu"], 2 * BUDGET["cpu"], 4 * BUDGET["cpu"]}):
        n = budget // tokens
        ids = torch.randint(5, 24, (n, tokens))
        for kind, model in (("plain", plain), ("packed", packed)):
            key = f"bf16 {kind}, {n} x {tokens} tokens"
            works[key], count[key] = partial(pooled, hidden(model), ids), n
    n = BUDGET["cpu"] // tokens
    works["bare products, bf16"], count["bare products, bf16"] = products(plain, n * tokens, torch.bfloat16), n
    seconds = {k: v / count[k] for k, v in best_of(works, rounds, cpu_time).items()}
    base, bare = seconds["one at a time, fp32"], seconds["bare products, bf16"]
    print(f"{name}, {layers} layers")
    for key, value in seconds.items():
        print(f"  {key:32} {1 / value:8.1f} windows/s  {base / value:5.2f} x one at a time  "
              f"{bare / value:6.1%} of bare products")


def bench_tokens(tokenizer: Path) -> None:
    rng = np.random.default_rng(1)
    windows = [bytes(w) for w in rng.choice(np.frombuffer(b"ACGT", np.uint8), (20000, 150))]
    tokenize = Bases(tokenizer)
    start = time.process_time()
    tokenize(windows)
    print(f"tokens: {len(windows) / (time.process_time() - start):.0f} windows/s a core")


def bench_memory(tokenizer: Path) -> None:
    """Peak memory that a shard of 8192 windows adds to a model that is warm."""
    rng = np.random.default_rng(1)
    windows = [bytes(w) for w in rng.choice(np.frombuffer(b"ACGT", np.uint8), (8192, 150))]
    model = random_dnabert_s(torch.bfloat16, 1)
    pack(model)
    embed = Batcher(Bases(tokenizer), partial(dnabert_s.pooled, model), 768, BUDGET["cpu"])
    embed(windows[:512])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    embed(windows)
    added = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"memory: {added:.0f} MiB more for 8192 windows")


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--threads", type=int, default=torch.get_num_threads())
    p.add_argument("--cpu-time", action="store_true", help="count processor time (with --threads 1, on a busy machine)")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--layers", type=int, default=0, help="fewer layers than the real models have")
    p.add_argument("--tokenizer", type=Path, help="DNABERT-S's tokenizer.json")
    p.add_argument("--models", nargs="*", default=["dnabert-s", "esm2-650m"])
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    print(f"{torch.cpu.get_capabilities().get('cpu_name')}, {a.threads} threads, torch {torch.__version__}")
    if a.tokenizer:
        bench_tokens(a.tokenizer)
        bench_memory(a.tokenizer)
    for name in a.models:
        bench_model(name, a.layers or {"dnabert-s": 12, "esm2-650m": 33}[name], a.rounds, a.cpu_time)


if __name__ == "__main__":
    main()
