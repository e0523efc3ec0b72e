"""What a GPU does with the language models and the heads: first whether it is right, then how fast it is, and where time goes.

One command for a machine with an NVIDIA GPU, PyTorch, numpy, safetensors and tokenizers (peft for one part); nothing is
downloaded. Weights are random, in the real sizes. Every part stands alone: one that fails is reported, and the others go on.
Prints a table; --out FILE also writes everything as JSON. With --device cpu --layers 1 --windows 200 it runs anywhere.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from common import ROOT
from language_models import best_of, products, random_windows
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from virshort.encoders import dnabert_s, esm2, fused
from virshort.encoders.attention import attend
from virshort.encoders.batching import Batcher
from virshort.encoders.byte_pair_tokenizer import BytePairTokenizer
from virshort.encoders.language_model import BUDGET
from virshort.encoders.precision import exact_fp32
from virshort.encoders.residue_tokenizer import ResidueTokenizer

MODELS: dict[str, tuple[ModuleType, int]] = {"dnabert-s": (dnabert_s, 36), "esm2-650m": (esm2, 52)}
"""The model, and the tokens of a 150 bp window (of ESM-2: of the longest translation)."""
RESIDUES = "LAGVSERTIDPKQNFYMHWCXBUZO"
GOALS = {"dnabert-s": 0.60, "esm2-650m": 0.70}
"""Share of the bare matrix products that a model should reach."""


@dataclass
class Machine:
    """Where and how large. rows: what the table shows, (part, what, value); found: the same for JSON."""

    device: torch.device
    layers: int | None
    windows: int
    golden: Path
    rounds: int
    budget: int
    rows: list[tuple[str, str, str]] = field(default_factory=list)
    found: dict[str, Any] = field(default_factory=dict)
    part: str = ""

    def say(self, what: str, shown: str, value: object = None) -> None:
        self.rows.append((self.part, what, shown))
        self.found.setdefault(self.part, {})[what] = shown if value is None else value
        print(f"{self.part}: {what}: {shown}", flush=True)

    @property
    def cuda(self) -> bool:
        return self.device.type == "cuda"

    def wait(self) -> None:
        if self.cuda:
            torch.cuda.synchronize()

    @property
    def dtype(self) -> torch.dtype:
        return torch.bfloat16 if self.cuda else torch.float32


def random_model(m: Machine, name: str, dtype: torch.dtype, layers: int | None = None, device: Any = None) -> Any:
    """The same random weights whatever the type and the device, scaled by the number of inputs."""
    module, _ = MODELS[name]
    config = module.Config()
    if layers or m.layers:
        config = replace(config, layers=layers or m.layers)
    return module.build(random_tensors(m, module.published_shapes(config)), config, dtype, device or m.device)


def random_tensors(m: Machine, shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    generator = torch.Generator(m.device).manual_seed(1)
    tensors = {}
    for name, shape in shapes.items():
        r = torch.randn(shape, generator=generator, device=m.device)
        norm = name.lower().endswith(("layernorm.weight", "norm_after.weight"))
        tensors[name] = norm + r * (
            0.1 if norm or name.endswith(".bias") else 0.5 if "embeddings" in name else shape[-1] ** -0.5
        )
    return tensors


def ids_of(m: Machine, n: int, tokens: int, seed: int = 2) -> Tensor:
    return torch.randint(5, 24, (n, tokens), generator=torch.Generator().manual_seed(seed)).to(m.device)


def random_peptides(n: int) -> list[bytes]:
    """Of the lengths that translations of random windows have: the longest stop-free stretch of six frames, 20 to 50."""
    rng = np.random.default_rng(3)
    lengths = np.clip(rng.normal(38, 8, n), 15, 50).astype(int)
    return [bytes(rng.choice(np.frombuffer(b"ACDEFGHIKLMNPQRSTVWY", np.uint8), k)) for k in lengths]


def tokenizer_file(m: Machine, folder: Path) -> Path:
    """DNABERT-S's tokenizer if it is here; otherwise one of the same kind and size, learned from random windows."""
    published = m.golden / "dnabert_tokenizer/tokenizer.json"
    if published.exists():
        return published
    from tokenizers import Tokenizer, models, processors, trainers

    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    tokenizer.train_from_iterator(
        [w.decode() for w in random_windows(3000)],
        trainers.BpeTrainer(vocab_size=4096, special_tokens=special, show_progress=False),
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder / "tokenizer.json"


def batcher(m: Machine, name: str, model: nn.Module, budget: int | None = None, log: Callable[[str], None] = print) -> Batcher:
    module, _ = MODELS[name]
    with tempfile.TemporaryDirectory() as folder:
        if name == "dnabert-s":
            tokenize: Any = BytePairTokenizer(tokenizer_file(m, Path(folder)))
        else:
            vocabulary = Path(folder) / "vocab.txt"
            vocabulary.write_text("\n".join(["<cls>", "<pad>", "<eos>", "<unk>", *RESIDUES]))
            tokenize = ResidueTokenizer(vocabulary)
    return Batcher(tokenize, partial(module.pooled, model), model.config.width, budget or m.budget, m.device, log)


def cosine(a: Tensor, b: Tensor) -> float:
    """The lowest cosine of any row."""
    return F.cosine_similarity(a.double().cpu(), b.double().cpu()).min().item()


def farthest(a: Tensor, b: Tensor) -> float:
    """The largest difference, as a share of the norm of its row."""
    a, b = a.double().cpu(), b.double().cpu()
    return ((a - b).norm(dim=1) / b.norm(dim=1)).max().item()


@contextmanager
def plain() -> Iterator[None]:
    """Without the fused kernels, which are otherwise on here."""
    fused.enabled = False
    try:
        yield
    finally:
        fused.enabled = True


# ---------------------------------------------------------------------------------------------------------------- right?


def golden(m: Machine) -> None:
    """The authors' own numbers for small models, where they are at hand."""
    for name, module, weights, key in (("dnabert_s_tiny", dnabert_s, "", "cases"), ("esm2_tiny", esm2, "model", "peptides")):
        folder = m.golden / name
        if not folder.exists():
            m.say(name, "not here")
            continue
        model = module.load_model(folder / weights, torch.float32, m.device)
        expected = load_file(folder / "expected.safetensors")
        cases = json.loads((folder / "inputs.json").read_text())[key]
        worst = max(
            (module.pooled(model, torch.tensor([c["input_ids"]], device=m.device))[0].cpu() - expected[f"{c['name']}.mean"])
            .abs()
            .max()
            .item()
            for c in cases
        )
        m.say(name, f"{len(cases)} sequences, largest difference {worst:.1e} (at most 1e-5)", worst)


def ports(m: Machine) -> None:
    """fp32 here and on the CPU; bf16 and fp16 compared with fp32; the same rows whatever shares their batch."""
    for name, (module, tokens) in MODELS.items():
        layers = m.layers or (12 if name == "dnabert-s" else 8)
        exact = random_model(m, name, torch.float32, layers)
        ids = ids_of(m, 64 if m.cuda else 10, tokens)
        reference = module.pooled(exact, ids)
        if m.cuda:
            cpu = module.build(
                {k: t.cpu() for k, t in random_tensors(m, module.published_shapes(exact.config)).items()}, exact.config
            )
            m.say(
                f"{name}, {layers} layers: fp32 and the CPU's",
                f"differ by {(d := farthest(reference, module.pooled(cpu, ids.cpu()))):.1e}",
                d,
            )
        alone = torch.cat([module.pooled(exact, row[None]) for row in ids[:8]])
        m.say(f"{name}: fp32 alone and in a batch", f"differ by {(d := farthest(reference[:8], alone)):.1e}", d)
        for dtype in (torch.bfloat16, torch.float16):
            model = random_model(m, name, dtype, layers)
            label = f"{name}: {str(dtype).removeprefix('torch.')}"
            rows = module.pooled(model, ids)
            m.say(f"{label} and fp32", f"cosine {(c := cosine(rows, reference)):.6f}", c)
            alone = torch.cat([module.pooled(model, row[None]) for row in ids[:8]])
            m.say(f"{label} alone and in a batch", f"cosine {(c := cosine(rows[:8], alone)):.6f}", c)
            if m.cuda and dtype == torch.bfloat16:
                with plain():
                    m.say(
                        f"{label} without fused kernels, and fp32",
                        f"cosine {(c := cosine(module.pooled(model, ids), reference)):.6f}",
                        c,
                    )


def halving(m: Machine) -> None:
    """A GPU whose memory other programs hold: batches are halved until they fit, and rows stay what they were."""
    if not m.cuda:
        return m.say("out of memory", "needs a GPU")
    model = random_model(m, "dnabert-s", m.dtype)
    windows = random_windows(min(m.windows, 20000))
    expected = torch.from_numpy(batcher(m, "dnabert-s", model)(windows))
    torch.cuda.empty_cache()
    free, _ = torch.cuda.mem_get_info()
    ballast = torch.empty(free - (2 << 30), dtype=torch.uint8, device=m.device)
    lines: list[str] = []
    embed = batcher(m, "dnabert-s", model, 1 << 19, lines.append)
    found = torch.from_numpy(embed(windows))
    del ballast
    torch.cuda.empty_cache()
    m.say(
        "out of memory",
        f"{lines or 'was not reached'}; budget {1 << 19} -> {embed.budget}; cosine {cosine(found, expected):.6f}",
        embed.budget,
    )
    return None


# ----------------------------------------------------------------------------------------------------------------- fast?


def bare(m: Machine) -> None:
    """What the card itself does: a large product, and a copy."""
    n = 8192 if m.cuda else 512
    a, b = (torch.randn(n, n, device=m.device).to(m.dtype) for _ in range(2))
    big = torch.randn(1 << (29 if m.cuda else 20), device=m.device).to(m.dtype)
    best = best_of({"product": lambda: a @ b, "copy": lambda: big.clone()}, m.rounds, m.device)
    m.say(f"product of {n} x {n}", f"{2 * n**3 / best['product'] / 1e12:.0f} TFLOP/s", 2 * n**3 / best["product"] / 1e12)
    m.say("copy", f"{(r := 2 * big.numel() * big.element_size() / best['copy'] / 1e12):.2f} TB/s read and written", r)


def kernels(m: Machine) -> None:
    """The fused kernels one by one: their error and time beside those of plain PyTorch. fp64 is the truth."""
    rows, tokens = m.budget, 52
    norm = nn.LayerNorm(1280, 1e-5, device=m.device, dtype=m.dtype)
    x, y, gate, up = (torch.randn(rows // tokens, tokens, w, device=m.device).to(m.dtype) for w in (1280, 1280, 3072, 3072))
    qkv = torch.randn(rows // tokens, tokens, 3, 20, 64, device=m.device).to(m.dtype)
    angles = esm2.rotations(tokens, esm2.frequencies(64).to(m.device))
    weight = torch.randn(5120, 1280, device=m.device).to(m.dtype) / 36
    bias = torch.randn(5120, device=m.device).to(m.dtype)

    def rotated(x: Tensor) -> Tensor:
        return x if fused.rotate_in_place(x, *angles) else torch.stack([*esm2.rotate(x.permute(2, 0, 3, 1, 4)[:2], *angles)])

    def truly_rotated() -> Tensor:
        q, k = esm2.rotate(qkv.double().permute(2, 0, 3, 1, 4)[:2], *(a.double() for a in angles))
        return torch.stack([q, k], 2).permute(0, 3, 2, 1, 4)

    works: dict[str, tuple[Callable[[], Tensor], Callable[[], Tensor]]] = {
        "add_norm": (lambda: fused.add_norm(x, y, norm)[1], lambda: F.layer_norm(x.double() + y.double(), (1280,), eps=1e-5)),
        "gated_gelu": (lambda: fused.gated_gelu(gate, up), lambda: F.gelu(gate.double()) * up.double()),
        "linear and gelu": (
            lambda: fused.linear_gelu(x, weight, bias),
            lambda: F.gelu(F.linear(x.double(), weight.double(), bias.double())),
        ),
    }
    for what, (work, truth) in works.items():
        with plain():
            slow = best_of({what: work}, m.rounds, m.device)[what]
            plain_error = farthest(work()[:8].flatten(0, 1), truth()[:8].flatten(0, 1))
        fast = best_of({what: work}, m.rounds, m.device)[what]
        error = farthest(work()[:8].flatten(0, 1), truth()[:8].flatten(0, 1))
        m.say(what, f"{fast * 1e6:.0f} us, error {error:.1e}; plain {slow * 1e6:.0f} us, error {plain_error:.1e}", [fast, slow])
    expected = truly_rotated()[:8]
    with plain():
        slow = best_of({"rotate": lambda: rotated(qkv)}, m.rounds, m.device)["rotate"]
    copy = qkv.clone()
    done = fused.rotate_in_place(copy, *angles)
    error = (
        farthest(copy[:8, :, :2].permute(0, 1, 3, 2, 4).flatten(0, 3), expected.permute(0, 1, 3, 2, 4).flatten(0, 3))
        if done
        else 0.0
    )
    fast = best_of({"rotate": lambda: rotated(qkv)}, m.rounds, m.device)["rotate"]
    m.say(
        "rotate",
        f"{'kernel' if done else 'no kernel'}: {fast * 1e6:.0f} us, error {error:.1e}; plain {slow * 1e6:.0f} us",
        [fast, slow],
    )


def share(m: Machine) -> None:
    """A batch of the budget, compared with its bare products; with the fused kernels and without."""
    for name, (module, tokens) in MODELS.items():
        model = random_model(m, name, m.dtype)
        rows = max(1, m.budget // tokens)
        many = ids_of(m, rows, tokens)
        product, operations = products(model, rows * tokens)

        def without(module: ModuleType = module, model: Any = model, many: Tensor = many) -> None:
            with plain():
                module.pooled(model, many)

        best = best_of(
            {
                "batch": lambda module=module, model=model, many=many: module.pooled(model, many),
                "plain": without,
                "bare": product,
            },
            m.rounds,
            m.device,
        )
        for key in ("batch", "plain"):
            what = f"{name}, {rows} windows{'' if key == 'batch' else ', without fused kernels'}"
            share = best["bare"] / best[key]
            m.say(
                what,
                f"{operations / best[key] / 1e12:.4g} TFLOP/s, {share:.0%} of {operations / best['bare'] / 1e12:.4g} "
                f"(goal {GOALS[name]:.0%}), {rows / best[key]:,.0f} windows/s",
                share,
            )


def rates(m: Machine) -> None:
    """From sequences to rows, tokens included, as a task does it; and the memory that it takes."""
    total = 0.0
    for name in MODELS:
        model = random_model(m, name, m.dtype)
        sequences = random_windows(m.windows) if name == "dnabert-s" else random_peptides(m.windows)
        embed = batcher(m, name, model)
        began = time.perf_counter()
        tokens = sum(len(t) for t in embed._tokenize(sequences))
        tokenizing = time.perf_counter() - began
        few = sequences[: min(8192, m.windows)]
        began = time.perf_counter()
        embed(few)
        m.say(f"{name}, {len(few):,} windows, the first of a task", f"{(s := time.perf_counter() - began):.2f} s", s)
        if m.cuda:
            torch.cuda.reset_peak_memory_stats()
        began = time.perf_counter()
        embed(sequences)
        seconds = time.perf_counter() - began
        total += seconds
        operations = 2.0 * tokens * sum(w.weight.numel() for w in model.modules() if isinstance(w, nn.Linear))
        peak = f", {torch.cuda.max_memory_allocated() / 1e9:.2f} GB" if m.cuda else ""
        m.say(
            f"{name}, {m.windows:,} windows of {tokens / m.windows:.1f} tokens",
            f"{seconds:.2f} s, {m.windows / seconds:,.0f} windows/s, {operations / seconds / 1e12:.4g} TFLOP/s (tokens alone "
            f"{tokenizing:.2f} s){peak}",
            seconds,
        )
    m.say(f"both models, {m.windows:,} windows", f"{total:.2f} s (goal 20 s for 100,000)", total)


def budgets(m: Machine) -> None:
    """Tokens in a batch."""
    for name, (module, tokens) in MODELS.items():
        model = random_model(m, name, m.dtype)
        sizes = [m.budget * k // 4 for k in (1, 2, 4, 8, 16)]
        works = {str(s): partial(module.pooled, model, ids_of(m, s // tokens, tokens)) for s in sizes}
        best = best_of(works, max(2, m.rounds // 2), m.device)
        told = {s: int(s) // tokens / best[s] for s in works}
        m.say(name, ", ".join(f"{int(s):,}: {rate:,.0f}/s" for s, rate in told.items()), told)


def ways(m: Machine) -> None:
    """Eager, torch.compile and CUDA graphs, at four layers and a common shape."""
    for name, (module, tokens) in MODELS.items():
        model = random_model(m, name, m.dtype, min(m.layers or 4, 4))
        for budget in (m.budget // 16, m.budget):
            ids = ids_of(m, budget // tokens, tokens)
            works: dict[str, Callable[[], object]] = {"eager": partial(module.pooled, model, ids)}
            if m.cuda:
                graph = torch.cuda.CUDAGraph()
                stream = torch.cuda.Stream()
                with torch.cuda.stream(stream):
                    module.pooled(model, ids)
                with torch.cuda.graph(graph):
                    module.pooled(model, ids)
                works["graph"] = graph.replay
                compiled = torch.compile(model, dynamic=True)
                began = time.perf_counter()
                module.pooled(compiled, ids)
                m.wait()
                m.say(f"{name}: to compile at {budget} tokens", f"{time.perf_counter() - began:.1f} s")
                works["compiled"] = partial(module.pooled, compiled, ids)
            best = best_of(works, m.rounds, m.device)
            m.say(f"{name}, batches of {budget} tokens", ", ".join(f"{w} {s * 1e3:.2f} ms" for w, s in best.items()), best)


def attention(m: Machine) -> None:
    """The ways to compute attention, at the shapes of a full batch."""
    shapes = [(name, tokens) for name, (_, tokens) in MODELS.items()]
    for name, tokens in [*shapes, *([("dnabert-s", 600), ("esm2-650m", 500)] if m.cuda else [])]:
        heads = 12 if name == "dnabert-s" else 20
        n = m.budget // tokens
        q, k, v = torch.randn(n, tokens, 3, heads, 64, device=m.device).to(m.dtype).permute(2, 0, 3, 1, 4).unbind()
        bias = dnabert_s.alibi(heads, tokens, m.device).to(m.dtype)

        def two(q: Tensor = q, k: Tensor = k, v: Tensor = v, bias: Tensor = bias) -> Tensor:
            return (((q * 64**-0.5) @ k.transpose(-1, -2)).add_(bias).softmax(-1) @ v).transpose(1, 2).flatten(2)

        works: dict[str, Callable[[], object]] = {
            "chosen with bias": partial(attend, q, k, v, bias),
            "chosen": partial(attend, q, k, v),
            "two products": two,
        }
        if m.cuda:
            from torch.nn.attention import SDPBackend, sdpa_kernel

            for backend in ("FLASH_ATTENTION", "EFFICIENT_ATTENTION", "CUDNN_ATTENTION"):
                for given in (None, bias):

                    def chosen(
                        backend: str = backend, given: Tensor | None = given, q: Tensor = q, k: Tensor = k, v: Tensor = v
                    ) -> Tensor:
                        with sdpa_kernel(getattr(SDPBackend, backend)):
                            return F.scaled_dot_product_attention(q, k, v, given).transpose(1, 2).flatten(2)

                    works[backend.split("_")[0].lower() + ("" if given is None else " with bias")] = chosen
        works = {what: work for what, work in works.items() if _works(m, name, what, work)}
        best = best_of(works, m.rounds, m.device)
        m.say(f"{name}, {n} x {heads} x {tokens}", ", ".join(f"{w} {s * 1e3:.2f} ms" for w, s in best.items()), best)


def _works(m: Machine, name: str, what: str, work: Callable[[], object]) -> bool:
    try:
        work()
        return True
    except RuntimeError as e:
        m.say(f"{name}: {what}", f"cannot be used here: {str(e).splitlines()[0][:80]}")
        return False


def profile(m: Machine) -> None:
    """Where the time of a batch goes."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as profiler

    for name, (module, tokens) in MODELS.items():
        model = random_model(m, name, m.dtype)
        ids = ids_of(m, max(1, m.budget // tokens), tokens)
        module.pooled(model, ids)
        with profiler(activities=[ProfilerActivity.CUDA if m.cuda else ProfilerActivity.CPU]) as seen:
            module.pooled(model, ids)
            m.wait()
        events = sorted(seen.key_averages(), key=lambda e: -(e.self_device_time_total if m.cuda else e.self_cpu_time_total))
        times = [(e.key, e.self_device_time_total if m.cuda else e.self_cpu_time_total, e.count) for e in events]
        whole = sum(t for _, t, _ in times) or 1.0
        for key, spent, count in times[:10]:
            m.say(f"{name}: {key[:90]}", f"{spent / whole:.1%}, {count} times, {spent / count:.0f} us each", spent)


def loading(m: Machine) -> None:
    """From published files in fp32 to a model that is ready, file cache warm; and straight to the GPU."""
    for name, (module, _) in MODELS.items():
        config = replace(module.Config(), layers=m.layers) if m.layers else module.Config()
        tensors = random_tensors(m, module.published_shapes(config))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.safetensors"
            save_file({k: t.cpu() for k, t in tensors.items()}, path)
            del tensors
            for what, device in (("through the CPU", "cpu"), *([("straight to the GPU", "cuda:0")] if m.cuda else [])):
                began = time.perf_counter()
                model = module.build(load_file(path, device), config, m.dtype, m.device)
                m.wait()
                m.say(f"{name}, {path.stat().st_size / 1e9:.2f} GB, {what}", f"{time.perf_counter() - began:.2f} s (goal 10 s)")
                del model


def two_tasks(m: Machine) -> None:
    """Two processes that embed on one GPU at the same time, compared with one."""
    if not m.cuda:
        return m.say("two tasks", "needs a GPU")
    seconds = 6

    def run(n: int) -> list[float]:
        command = [sys.executable, __file__, "--task", str(seconds), "--device", m.device.type, "--layers", str(m.layers or 0)]
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(n)]
        return [float(p.communicate()[0].split()[-1]) for p in running]

    one, two = run(1), run(2)
    m.say("esm2-650m, one task and two", f"{one[0]:,.0f} and {two[0]:,.0f} + {two[1]:,.0f} windows/s", [one, two])
    return None


def task(m: Machine, seconds: float) -> None:
    """What `two_tasks` starts: prints windows/s over that many seconds, the first two left out."""
    module, tokens = MODELS["esm2-650m"]
    model = random_model(m, "esm2-650m", m.dtype)
    ids = ids_of(m, max(1, m.budget // tokens), tokens)
    began, done, start = time.perf_counter(), 0, 0.0
    while (now := time.perf_counter() - began) < seconds + 2:
        module.pooled(model, ids)
        m.wait()
        if now >= 2:
            start, done = start or now, done + len(ids)
    print(done / (time.perf_counter() - began - start))


@torch.inference_mode(False)
@torch.enable_grad()
def head(m: Machine) -> None:
    """Training a head as train.py does it, and the same on the GPU."""
    n, inputs, batch = max(512, m.windows), 2048, 256
    x, y = torch.randn(n, inputs).half(), torch.randint(0, 2, (n,))
    times = {}
    for device in dict.fromkeys(["cpu", m.device.type]):
        torch.manual_seed(1)
        net = nn.Sequential(nn.Linear(inputs, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Dropout(0.1), nn.Linear(512, 2)).to(
            device
        )
        optimizer = torch.optim.Adam(net.parameters(), fused=True)
        xd, yd = x.to(device), y.to(device)
        for _ in range(2):  # the second epoch counts
            began = time.perf_counter()
            for first in range(0, n - batch + 1, batch):
                F.cross_entropy(net(xd[first : first + batch].float()), yd[first : first + batch]).backward()
                optimizer.step()
                optimizer.zero_grad()
            m.wait()
            times[device] = time.perf_counter() - began
    m.say(f"an epoch of {n:,} x {inputs}", ", ".join(f"{d} {s:.2f} s" for d, s in times.items()), times)


@torch.inference_mode(False)
@torch.enable_grad()
def lora(m: Machine) -> None:
    """Low-rank adapters (rank 8, on attention and MLP) on DNABERT-S, in bf16 by autocast."""
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError:
        return m.say("adapters", "not measured: the package peft is not installed")

    module, tokens = MODELS["dnabert-s"]
    rows, steps = (512, 20) if m.cuda else (16, 2)
    adapters = LoraConfig(r=8, lora_alpha=16, target_modules=["qkv", "attention_out", "mlp_out", "up"])
    model = inject_adapter_in_model(adapters, random_model(m, "dnabert-s", torch.float32))
    out = nn.Linear(model.config.width, 2).to(m.device)
    trained = [p for p in [*model.parameters(), *out.parameters()] if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, 1e-4)
    ids, y = ids_of(m, rows, tokens), torch.randint(0, 2, (rows,), device=m.device)
    if m.cuda:
        torch.cuda.reset_peak_memory_stats()

    def step() -> None:
        with torch.autocast(m.device.type, torch.bfloat16, enabled=m.cuda):
            loss = F.cross_entropy(out(module.pooled(model, ids)), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    step()
    m.wait()
    began = time.perf_counter()
    for _ in range(steps):
        step()
    m.wait()
    rate = rows * steps / (time.perf_counter() - began)
    peak = f", {torch.cuda.max_memory_allocated() / 1e9:.1f} GB" if m.cuda else ""
    m.say(f"dnabert-s, {sum(p.numel() for p in trained):,} numbers trained", f"{rate:,.0f} windows/s in training{peak}", rate)
    return None


PARTS = (golden, kernels, ports, halving, bare, share, rates, budgets, attention, profile, loading, two_tasks, head, lora, ways)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    p.add_argument("--layers", type=int, help="of both models (default: all)")
    p.add_argument("--windows", type=int, default=100_000)
    p.add_argument("--rounds", type=int, default=6, help="measurements of which the best counts")
    p.add_argument("--budget", type=int, help="tokens in a batch (default: a run's)")
    p.add_argument("--parts", default=",".join(f.__name__ for f in PARTS), help="which to run, separated by commas")
    p.add_argument("--golden", type=Path, default=ROOT.parent / "shared/golden", help="folder of reference vectors")
    p.add_argument("--out", type=Path, help="JSON file of everything measured")
    p.add_argument("--task", type=float, help=argparse.SUPPRESS)
    a = p.parse_args()
    unknown = set(a.parts.split(",")) - {f.__name__ for f in PARTS}
    if unknown:
        p.error(f"--parts: {', '.join(sorted(unknown))}: there are {', '.join(f.__name__ for f in PARTS)}")
    if a.device == "cuda" and not torch.cuda.is_available():
        p.error("no GPU is visible to PyTorch: give --device cpu, with --layers 1 --windows 200")
    exact_fp32()
    fused.enabled = True
    m = Machine(torch.device(a.device), a.layers or None, a.windows, a.golden, a.rounds, a.budget or BUDGET[a.device])
    with torch.inference_mode():
        if a.task:
            return task(m, a.task)
        m.part = "machine"
        m.say("card", torch.cuda.get_device_name() if m.cuda else f"CPU, {torch.get_num_threads()} threads")
        m.say("PyTorch", torch.__version__)
        failed = []
        for part in PARTS:
            if part.__name__ in a.parts.split(","):
                m.part = part.__name__
                began = time.perf_counter()
                try:
                    part(m)
                except Exception:  # the other parts must not be lost
                    failed.append(m.part)
                    m.say("failed", traceback.format_exc().strip())
                if m.cuda:
                    torch.cuda.empty_cache()
                m.found.setdefault("seconds", {})[m.part] = round(time.perf_counter() - began, 1)
                if a.out:
                    a.out.write_text(json.dumps(m.found, indent=1, default=str))
    print("\n| part | what | measured |\n| -- | -- | -- |")
    for row in m.rows:
        print("| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in row) + " |")
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
