"""DNABERT-S: a BERT with linear position biases and gated MLPs, from its published weights (zhihan1996/DNABERT-S).

This is an implementation of the published architecture. The published remote code is not used: it needs triton and does not
load under transformers 5. The model has twelve post-norm layers. Attention has the ALiBi bias -slope |i - j| instead of
position embeddings (Press et al. 2022, symmetric as in MosaicBERT). The MLP is wo(gelu(g) * u), where g and u are the two
halves of one published projection; they are separate layers here, so that gelu is computed together with its product.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from virshort.encoders.attention import attend
from virshort.encoders.byte_pair_tokenizer import BytePairTokenizer
from virshort.encoders.encoder import LoadSettings
from virshort.encoders.fused import add_norm, gated_gelu
from virshort.encoders.language_model import LanguageModel, LoadParts, Parts, load_language_model
from virshort.encoders.packed_linear import LinearGelu
from virshort.encoders.tensor_shapes import Shapes, check_tensors, linear, norm
from virshort.errors import InputError
from virshort.files import read_json

_ROOT = {"embeddings.LayerNorm": "norm"}
_LAYER = {
    "attention.self.Wqkv": "qkv",
    "attention.output.dense": "attention_out",
    "attention.output.LayerNorm": "attention_norm",
    "mlp.wo": "mlp_out",
    "mlp.layernorm": "mlp_norm",
}


@dataclass(frozen=True)
class Config:
    """Sizes of the model. The published config.json has them under BERT's names."""

    vocabulary: int = 4096
    width: int = 768
    layers: int = 12
    heads: int = 12
    intermediate: int = 3072
    token_types: int = 2
    epsilon: float = 1e-12

    @classmethod
    def read(cls, path: Path) -> "Config":
        """From a published config.json. Raises InputError if a size is missing."""
        raw = read_json(path)
        try:
            return cls(
                raw["vocab_size"],
                raw["hidden_size"],
                raw["num_hidden_layers"],
                raw["num_attention_heads"],
                raw["intermediate_size"],
                raw["type_vocab_size"],
                raw["layer_norm_eps"],
            )
        except KeyError as e:
            raise InputError(f"{path}: has no {e}, so this is not DNABERT-S's config.json: fetch the weights again") from e


class Layer(nn.Module):
    """One post-norm layer."""

    def __init__(self, config: Config):
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.qkv = nn.Linear(width, 3 * width)
        self.attention_out = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width, config.epsilon)
        self.gate = LinearGelu(width, config.intermediate, bias=False)
        self.up = nn.Linear(width, config.intermediate, bias=False)
        self.mlp_out = nn.Linear(config.intermediate, width)
        self.mlp_norm = nn.LayerNorm(width, config.epsilon)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """x: [n, tokens, width]; bias: [1, heads, tokens, tokens]. Returns [n, tokens, width]."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind()
        _, x = add_norm(self.attention_out(attend(q, k, v, bias)), x, self.attention_norm, keep_sum=False)
        # On a GPU, gelu is computed with the product that follows it, on a CPU with the one before it.
        # An adapter beside the gate (virshort.finetuning.low_rank) stands in its place and computes gelu itself.
        if x.is_cuda and isinstance(self.gate, LinearGelu):
            inner = gated_gelu(F.linear(x, self.gate.weight), self.up(x))
        else:
            inner = self.gate(x) * self.up(x)
        return add_norm(self.mlp_out(inner), x, self.mlp_norm, keep_sum=False)[1]


class DnabertS(nn.Module):
    """The model up to its last hidden state. The published pooler is left out, since embeddings do not use it."""

    def __init__(self, config: Config = Config()):
        super().__init__()
        self.config = config
        # Without values: drawing them, even on the meta device, would import sympy, which takes seconds.
        self.words = nn.Embedding.from_pretrained(torch.empty(config.vocabulary, config.width))
        self.norm = nn.LayerNorm(config.width, config.epsilon)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self._bias: dict[int, Tensor] = {}

    def forward(self, ids: Tensor) -> Tensor:
        """ids: [n, tokens] int64, no padding. Returns the last hidden state [n, tokens, width]."""
        x = self.norm(self.words(ids))
        bias = self.bias(ids.shape[1], x)
        for layer in self.layers:
            x = layer(x, bias)
        return x

    def bias(self, tokens: int, like: Tensor) -> Tensor:
        """The ALiBi bias for that many tokens, [1, heads, tokens, tokens], in the type and on the device of `like`."""
        if tokens not in self._bias:
            if sum(b.numel() for b in self._bias.values()) > 1 << 23:  # there are hundreds of lengths: keep few
                self._bias.clear()
            self._bias[tokens] = alibi(self.config.heads, tokens, like.device).to(like.dtype)
        return self._bias[tokens]


def alibi(heads: int, tokens: int, device: torch.device | str = "cpu") -> Tensor:
    """-slope |i - j|, [1, heads, tokens, tokens] float32. Rows are aligned to 16 bytes, as the GPU's kernels need them."""
    position = torch.arange(tokens, device=device, dtype=torch.float32)
    columns = torch.arange(-(-tokens // 8) * 8, device=device, dtype=torch.float32)
    slope = torch.tensor(alibi_slopes(heads), device=device)
    return (-slope[:, None, None] * (position[:, None] - columns).abs())[None, :, :, :tokens]


def alibi_slopes(heads: int) -> list[float]:
    """Slopes of n heads: 2^(-8/n), 2^(-16/n) ... if n is a power of two; otherwise those of the next lower power of two,
    followed by every other slope of twice that power (the reference code of Press et al. 2022)."""
    near = 1 << int(math.log2(heads))
    slopes = [2 ** (-8 * (i + 1) / near) for i in range(near)]
    return slopes if near == heads else slopes + alibi_slopes(2 * near)[::2][: heads - near]


def published_shapes(config: Config) -> Shapes:
    """Name and shape of every tensor of the published file (138 of them for the real model)."""
    width, inner = config.width, config.intermediate
    shapes: Shapes = {
        "embeddings.word_embeddings.weight": (config.vocabulary, width),
        "embeddings.token_type_embeddings.weight": (config.token_types, width),
        **norm("embeddings.LayerNorm", width),
    }
    for i in range(config.layers):
        at = f"encoder.layer.{i}"
        shapes |= (
            linear(f"{at}.attention.self.Wqkv", width, 3 * width)
            | linear(f"{at}.attention.output.dense", width, width)
            | norm(f"{at}.attention.output.LayerNorm", width)
            | {f"{at}.mlp.gated_layers.weight": (2 * inner, width)}
            | linear(f"{at}.mlp.wo", inner, width)
            | norm(f"{at}.mlp.layernorm", width)
        )
    return shapes | linear("pooler.dense", width, width)


def build(
    tensors: Mapping[str, Tensor],
    config: Config,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    where: str = "weights",
) -> DnabertS:
    """The model with these published tensors, in evaluation mode. Raises InputError if they do not fit."""
    hint = " (names as DNABERT-2's)" if any(name.startswith(("bert.", "cls.")) for name in tensors) else ""
    check_tensors(tensors, published_shapes(config), where, f"DNABERT-S{hint}")
    with torch.device("meta"):
        model = DnabertS(config)
    # There is only one type of token here, so its embedding is added to those of the words once, in fp32.
    words, types = (tensors[f"embeddings.{kind}_embeddings.weight"].float() for kind in ("word", "token_type"))
    own = {"words.weight": words + types[0]}
    for name, tensor in tensors.items():
        own |= _own(name, tensor)
    model.load_state_dict({k: t.to(device=device, dtype=dtype) for k, t in own.items()}, strict=True, assign=True)
    return model.eval().requires_grad_(False)


def _own(published: str, tensor: Tensor) -> dict[str, Tensor]:
    """A published tensor under the names of this module: two for the gated projection, none if it is unused or already added to
    another, otherwise one."""
    module, _, kind = published.rpartition(".")
    if module in _ROOT:
        return {f"{_ROOT[module]}.{kind}": tensor}
    if not module.startswith("encoder.layer."):
        return {}
    number, _, part = module.removeprefix("encoder.layer.").partition(".")
    if part == "mlp.gated_layers":
        return {f"layers.{number}.{name}.{kind}": half for name, half in zip(("gate", "up"), tensor.chunk(2), strict=True)}
    return {f"layers.{number}.{_LAYER[part]}.{kind}": tensor}


def load_model(folder: Path, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu") -> DnabertS:
    """The model from a folder with config.json and model.safetensors. Raises InputError if they do not fit."""
    path = folder / "model.safetensors"
    return build(load_file(path), Config.read(folder / "config.json"), dtype, device, str(path))


def pooled(model: Callable[[Tensor], Tensor], ids: Tensor) -> Tensor:
    """Mean over all tokens, [CLS] and [SEP] included, as in the authors' own evaluation. ids: [n, tokens].
    Returns [n, width] float32."""
    return model(ids).mean(1, dtype=torch.float32)


def load(name: str, settings: LoadSettings) -> LanguageModel:
    """The encoder (see virshort.encoders.encoder)."""
    return load_language_model(name, "dna", settings, parts_loader(name, settings))


def parts_loader(_name: str, _settings: LoadSettings) -> LoadParts:
    """What loads its parts (see virshort.encoders.language_model)."""
    return _load_parts


def _load_parts(folder: Path, dtype: torch.dtype, device: torch.device) -> Parts:
    model, tokenize = load_model(folder, dtype, device), BytePairTokenizer(folder / "tokenizer.json")
    return Parts(model, model.config.width, pooled, tokenize, "mean over tokens with [CLS] and [SEP]")
