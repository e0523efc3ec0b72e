"""ESM-2: a BERT with rotary positions and pre-norm layers, from its published weights (facebook/esm2_*).

This is an implementation of the published architecture (Lin et al. 2023), which tests compare with the numbers of fair-esm and
of transformers' EsmModel. EsmModel itself is not used, because importing it also imports torch's compiler, sympy and scipy,
which costs every task seconds.

All sequences of a batch have one length, so there is no mask. Token dropout has an effect in evaluation too: embeddings are
scaled by 0.88. BOS and EOS are context for the model but not part of the mean.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from virshort.encoders.attention import attend
from virshort.encoders.encoder import LoadSettings
from virshort.encoders.fused import add_norm, rotate_in_place
from virshort.encoders.language_model import LanguageModel, LoadParts, Parts, load_language_model
from virshort.encoders.packed_linear import LinearGelu
from virshort.encoders.residue_tokenizer import ResidueTokenizer
from virshort.encoders.tensor_shapes import Shapes, check_tensors, linear, norm
from virshort.errors import InputError
from virshort.files import read_json

_LAYER = {
    "attention.LayerNorm": "attention_norm",
    "attention.output.dense": "attention_out",
    "LayerNorm": "mlp_norm",
    "intermediate.dense": "mlp_in",
    "output.dense": "mlp_out",
}
_NOT_USED = re.compile(r"(lm_head|contact_head|pooler|classifier)\.|embeddings\.position_|.*rotary_embeddings\.inv_freq$")
_SCALE = 1 - 0.15 * 0.8
"""Scale of an embedding when no token is masked: in training 15 % of tokens were chosen, and 80 % of these were masked."""


@dataclass(frozen=True)
class Config:
    """Sizes of the model, by default of 650M. The published config.json has them under BERT's names."""

    vocabulary: int = 33
    width: int = 1280
    layers: int = 33
    heads: int = 20
    intermediate: int = 5120
    epsilon: float = 1e-5

    @classmethod
    def read(cls, path: Path) -> "Config":
        """From a published config.json. Raises InputError if it is not ESM-2's."""
        try:
            raw = read_json(path)
            config = cls(
                raw["vocab_size"],
                raw["hidden_size"],
                raw["num_hidden_layers"],
                raw["num_attention_heads"],
                raw["intermediate_size"],
                raw["layer_norm_eps"],
            )
            is_esm2 = raw["position_embedding_type"] == "rotary" and raw["token_dropout"] and not raw["emb_layer_norm_before"]
        except (OSError, ValueError, TypeError, KeyError) as e:
            raise InputError(f"{path}: not ESM-2's config.json ({e!r}): fetch the weights again") from e
        if not is_esm2:
            raise InputError(
                f"{path}: not ESM-2's config.json, which has rotary positions, token dropout and no norm after "
                "the embeddings: fetch the weights again"
            )
        return config


class Layer(nn.Module):
    """One pre-norm layer. Query, key and value are computed by one product."""

    def __init__(self, config: Config):
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.attention_norm = nn.LayerNorm(width, config.epsilon)
        self.qkv = nn.Linear(width, 3 * width)
        self.attention_out = nn.Linear(width, width)
        self.mlp_norm = nn.LayerNorm(width, config.epsilon)
        self.mlp_in = LinearGelu(width, config.intermediate)
        self.mlp_out = nn.Linear(config.intermediate, width)

    def attention(self, x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        """x: [n, tokens, width], normed; rotation: from `rotations`. Returns [n, tokens, width], to be added."""
        qkv = self.qkv(x).unflatten(-1, (3, self.heads, -1))
        rotated = rotate_in_place(qkv, *rotation)
        qkv = qkv.permute(2, 0, 3, 1, 4)
        q, k = qkv[:2] if rotated else rotate(qkv[:2], *rotation)
        return self.attention_out(attend(q, k, qkv[2]))

    def mlp(self, x: Tensor) -> Tensor:
        """x: [n, tokens, width], normed. Returns [n, tokens, width], to be added."""
        return self.mlp_out(self.mlp_in(x))


class Esm2(nn.Module):
    """The model up to its last hidden state."""

    def __init__(self, config: Config = Config()):
        super().__init__()
        self.config = config
        # Without values: drawing them, even on the meta device, would import sympy, which takes seconds.
        self.words = nn.Embedding.from_pretrained(torch.empty(config.vocabulary, config.width))
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width, config.epsilon)
        self.frequency = torch.empty(0)  # of the rotations, fp32 whatever the type of the weights: from `build`

    def forward(self, ids: Tensor) -> Tensor:
        """ids: [n, tokens] int64, BOS and EOS included, nothing masked, no padding. Returns the last hidden state
        [n, tokens, width]."""
        rotation = rotations(ids.shape[1], self.frequency)
        # A sum and the norm that follows it are computed together, and that norm may be the next layer's.
        layers = cast("list[Layer]", list(self.layers))
        following = [*(layer.attention_norm for layer in layers[1:]), self.norm]
        x = self.words(ids)
        normed = layers[0].attention_norm(x)
        for layer, next_norm in zip(layers, following, strict=True):
            x, normed = add_norm(x, layer.attention(normed, rotation), layer.mlp_norm)
            x, normed = add_norm(x, layer.mlp(normed), next_norm)
        return normed


def frequencies(size: int) -> Tensor:
    """By which angle each pair of elements of a head is rotated from one position to the next, [size / 2] fp32. size: of a
    head."""
    return 10000 ** -(torch.arange(0, size, 2, dtype=torch.float32) / size)


def published_frequencies(tensors: Mapping[str, Tensor], size: int, where: str) -> Tensor:
    """The frequencies that a published file states, and otherwise those of the definition. The authors' files have them rounded
    to fp16, and their models compute with these: vectors differ by 2e-4 of their norm.

    Raises InputError where the layers of a file do not agree."""
    stated = [tensor.float() for name, tensor in tensors.items() if name.endswith("rotary_embeddings.inv_freq")]
    if any(len(one) != size // 2 or not torch.equal(one, stated[0]) for one in stated):
        raise InputError(f"{where}: layers rotate by different angles, which no ESM-2 does: fetch the weights again")
    return stated[0] if stated else frequencies(size)


def rotations(tokens: int, frequency: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine of every position's angles, [tokens, size / 2] fp32 each. In bf16 the frequencies would be off by up to
    0.4 %, and the angles of distant positions by much more."""
    angle = torch.arange(tokens, device=frequency.device, dtype=torch.float32)[:, None] * frequency
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions (Su et al. 2021): element i of the first half and element i of the second are the coordinates of a point
    in a plane, which is rotated by the angle of its position. x: [..., tokens, size]."""
    a, b = x.chunk(2, -1)
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def published_shapes(config: Config) -> Shapes:
    """Name, without its prefix `esm.`, and shape of every tensor that the last hidden state needs."""
    width, inner = config.width, config.intermediate
    shapes: Shapes = {"embeddings.word_embeddings.weight": (config.vocabulary, width)}
    for i in range(config.layers):
        at = f"encoder.layer.{i}"
        for part in ("query", "key", "value"):
            shapes |= linear(f"{at}.attention.self.{part}", width, width)
        shapes |= (
            norm(f"{at}.attention.LayerNorm", width)
            | linear(f"{at}.attention.output.dense", width, width)
            | norm(f"{at}.LayerNorm", width)
            | linear(f"{at}.intermediate.dense", width, inner)
            | linear(f"{at}.output.dense", inner, width)
        )
    return shapes | norm("encoder.emb_layer_norm_after", width)


def build(
    tensors: Mapping[str, Tensor],
    config: Config,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    where: str = "weights",
) -> Esm2:
    """The model with these published tensors, in evaluation mode. Raises InputError if they do not fit."""
    # The names lack `esm.` if a model was saved without its head, and norms have gamma and beta if transformers 5 saved them.
    named = {
        name.removeprefix("esm.").replace("Norm.gamma", "Norm.weight").replace("Norm.beta", "Norm.bias"): tensor
        for name, tensor in tensors.items()
    }
    found = {name: tensor for name, tensor in named.items() if not _NOT_USED.match(name)}
    check_tensors(found, published_shapes(config), where, "the ESM-2 that config.json describes")
    with torch.device("meta"):
        model = Esm2(config)

    def ready(name: str) -> Tensor:
        return found[name].to(device=device, dtype=dtype)

    own = {"words.weight": (found["embeddings.word_embeddings.weight"].float() * _SCALE).to(device=device, dtype=dtype)}
    for kind in ("weight", "bias"):
        own[f"norm.{kind}"] = ready(f"encoder.emb_layer_norm_after.{kind}")
        for i in range(config.layers):
            at = f"encoder.layer.{i}"
            own[f"layers.{i}.qkv.{kind}"] = torch.cat(
                [ready(f"{at}.attention.self.{part}.{kind}") for part in ("query", "key", "value")]
            )
            for published, own_name in _LAYER.items():
                own[f"layers.{i}.{own_name}.{kind}"] = ready(f"{at}.{published}.{kind}")
    model.load_state_dict(own, strict=True, assign=True)
    model.frequency = published_frequencies(tensors, config.width // config.heads, where).to(device)
    return model.eval().requires_grad_(False)


def load_model(folder: Path, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu") -> Esm2:
    """The model from config.json and model.safetensors (or its parts, model-00001-of-00002.safetensors ...) in a folder.
    Raises InputError if they do not fit."""
    config, tensors = Config.read(folder / "config.json"), dict[str, Tensor]()
    for path in sorted(folder.glob("model*.safetensors")):
        try:
            tensors |= load_file(path)
        except (SafetensorError, OSError) as e:
            raise InputError(f"{path}: not a safetensors file ({e}): fetch the weights again") from e
    return build(tensors, config, dtype, device, str(folder))


def pooled(model: Callable[[Tensor], Tensor], ids: Tensor) -> Tensor:
    """Mean over residues, without BOS and EOS. ids: [n, residues + 2]. Returns [n, width] float32."""
    return model(ids)[:, 1:-1].mean(1, dtype=torch.float32)


def load(name: str, settings: LoadSettings) -> LanguageModel:
    """The encoder (see virshort.encoders.encoder)."""
    return load_language_model(name, "protein", settings, parts_loader(name, settings))


def parts_loader(_name: str, _settings: LoadSettings) -> LoadParts:
    """What loads its parts (see virshort.encoders.language_model)."""
    return _load_parts


def _load_parts(folder: Path, dtype: torch.dtype, device: torch.device) -> Parts:
    model = load_model(folder, dtype, device)
    return Parts(model, model.config.width, pooled, ResidueTokenizer(folder / "vocab.txt"), "mean over residues")
