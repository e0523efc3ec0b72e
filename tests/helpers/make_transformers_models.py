"""Make tiny models with random weights as those of assets/encoders.yaml are published, with the library transformers itself."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    EsmConfig,
    EsmForMaskedLM,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    ModernBertConfig,
    ModernBertForMaskedLM,
    T5Config,
    T5EncoderModel,
)
from transformers import PreTrainedModel as Model

from make_random_models import make_esm2

WIDTH = 32
SIZES: dict[str, Any] = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
RESIDUES = "LAGVESIKRDTPNQFYMHCWX"
MARKS = {"cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]", "pad_token": "[PAD]", "mask_token": "[MASK]"}


def make(folder: Path, encoder: str) -> Path:
    """The files of a tiny model in `folder/<encoder>`, named as those of the published one."""
    out = folder / encoder
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    {
        "esm2-8m-transformers": lambda: make_esm2(out, 40, 2, 20, np.random.default_rng(1)),
        "metagene-1": lambda: _metagene(out),
        "nucleotide-transformer-500m": lambda: _nucleotide_transformer(out),
        "modernbert-dna-virus": lambda: _modernbert(out),
        "genomeocean-100m": lambda: _genomeocean(out),
        "prott5": lambda: _prott5(out),
        "protbert": lambda: _protbert(out),
        "gpt-neox": lambda: _gpt_neox(out),
    }[encoder]()
    return out


def _byte_pairs(out: Path, before: str = "", after: str = "", **marks: str) -> None:
    """A tokenizer of byte pairs of bases, which puts marks before and after a sequence."""
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    rng = torch.Generator().manual_seed(1)
    corpus = ["".join("ACGT"[i] for i in torch.randint(4, (150,), generator=rng)) for _ in range(50)]
    names = [*dict.fromkeys(["[PAD]", "[UNK]", "[MASK]", *marks.values()])]
    tokenizer.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=80, special_tokens=names))
    around = [(mark, tokenizer.token_to_id(mark)) for mark in (before, after) if mark]
    if around:
        tokenizer.post_processor = processors.TemplateProcessing(single=f"{before} $A {after}".strip(), special_tokens=around)
    tokenizer.enable_padding(length=200)  # as published: to be ignored
    tokenizer.save(str(out / "tokenizer.json"))
    about = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 10**30, **marks}
    (out / "tokenizer_config.json").write_text(json.dumps(about))
    (out / "special_tokens_map.json").write_text(json.dumps(marks))


def _as_pickle(out: Path, model: Model) -> None:
    """config.json and pytorch_model.bin."""
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(out)
    torch.save(model.state_dict(), out / "pytorch_model.bin")


def _metagene(out: Path) -> None:
    config = LlamaConfig(vocab_size=80, max_position_embeddings=512, **SIZES)
    LlamaForCausalLM(config).save_pretrained(out, max_shard_size="20KB")
    _byte_pairs(out, before="[BOS]", bos_token="[BOS]", unk_token="[UNK]", pad_token="[PAD]")


def _nucleotide_transformer(out: Path) -> None:
    words = ["<unk>", "<pad>", "<mask>", "<cls>", "<eos>", "<bos>", *map("".join, product("ATCG", repeat=6)), *"ATCGN"]
    (out / "vocab.txt").write_text("\n".join(words))
    (out / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "EsmTokenizer", "eos_token": None}))
    marks = {name: f"<{name[:-6]}>" for name in ("cls_token", "mask_token", "pad_token", "unk_token")}
    (out / "special_tokens_map.json").write_text(json.dumps(marks))
    config = EsmConfig(
        vocab_size=len(words),
        max_position_embeddings=1002,
        position_embedding_type="absolute",
        token_dropout=False,
        mask_token_id=2,
        pad_token_id=1,
        **SIZES,
    )
    _as_pickle(out, EsmForMaskedLM(config))


def _modernbert(out: Path) -> None:
    config = ModernBertConfig(vocab_size=80, max_position_embeddings=512, pad_token_id=0, **SIZES)
    ModernBertForMaskedLM(config).save_pretrained(out)
    _byte_pairs(out, "[CLS]", "[SEP]", **MARKS)


def _genomeocean(out: Path) -> None:
    config = MistralConfig(vocab_size=80, num_key_value_heads=2, max_position_embeddings=10240, sliding_window=None, **SIZES)
    MistralForCausalLM(config).save_pretrained(out)
    _byte_pairs(out, "[CLS]", "[SEP]", **MARKS)
    about = json.loads((out / "config.json").read_text())
    about["auto_map"] = {"AutoModelForCausalLM": "modeling_mistral.MistralForCausalLM"}  # code that must not be run
    (out / "config.json").write_text(json.dumps(about))


def _gpt_neox(out: Path) -> None:
    GPTNeoXForCausalLM(GPTNeoXConfig(vocab_size=80, max_position_embeddings=256, **SIZES)).save_pretrained(out)
    _byte_pairs(out, unk_token="[UNK]", pad_token="[PAD]")


def _protbert(out: Path) -> None:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *RESIDUES, *"UBZO"]
    (out / "vocab.txt").write_text("\n".join(words))
    (out / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": False, "tokenizer_class": "BertTokenizer"}))
    (out / "special_tokens_map.json").write_text(json.dumps(MARKS))
    _as_pickle(out, BertForMaskedLM(BertConfig(vocab_size=len(words), max_position_embeddings=400, **SIZES)))


def _prott5(out: Path) -> None:
    words = ["<pad>", "</s>", "<unk>", *(f"▁{residue}" for residue in RESIDUES), "▁", *RESIDUES]
    (out / "spiece.model").write_bytes(_pieces(words))
    marks = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    (out / "tokenizer_config.json").write_text(
        json.dumps({"do_lower_case": False, "extra_ids": 0, "tokenizer_class": "T5Tokenizer"})
    )
    (out / "special_tokens_map.json").write_text(json.dumps(marks))
    config = T5Config(vocab_size=len(words), d_model=WIDTH, d_kv=8, d_ff=48, num_layers=2, num_heads=4, is_encoder_decoder=True)
    _as_pickle(out, T5EncoderModel(config).half())


def _pieces(words: list[str]) -> bytes:
    """A SentencePiece unigram model: of each piece its text, score and type (unknown 2, control 3, normal 1)."""
    from sentencepiece import sentencepiece_model_pb2 as proto

    model = proto.ModelProto()
    model.trainer_spec.model_type = 1
    model.trainer_spec.unk_id, model.trainer_spec.pad_id, model.trainer_spec.eos_id, model.trainer_spec.bos_id = 2, 0, 1, -1
    model.normalizer_spec.name, model.normalizer_spec.add_dummy_prefix = "identity", True
    for number, word in enumerate(words):
        kind = {0: 3, 1: 3, 2: 2}.get(number, 1)
        model.pieces.add(piece=word, score=-float(number), type=kind)
    return model.SerializeToString()
