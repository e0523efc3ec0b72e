"""ESM-2 by transformers' EsmModel: from a folder as facebook publishes it to the mean over a peptide's residues.

Three traps are avoided. `model.to(bfloat16)` would round the rotary frequencies, so the type is given on loading.
Batches hold one length only, so no mask is needed; the scaling of the embeddings by 0.88 (token dropout) is the model's
own and stays. BOS and EOS are the model's context but not part of the mean.
"""

import logging
import re
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from transformers import EsmModel
from transformers.utils import logging as transformers_logging

from virshort.errors import InputError

_NOT_USED = re.compile(r"lm_head\.|(esm\.)?(contact_head|pooler)\.|(esm\.)?embeddings\.position_"
                       r"|.*rotary_embeddings\.inv_freq$")
_MINE = re.compile(r"contact_head\.|.*rotary_embeddings\.inv_freq$")  # no part of the last hidden state, or computed


def load(folder: Path, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu") -> EsmModel:
    """The model in evaluation mode from config.json and model.safetensors (or its shards and their index).

    Raises InputError naming tensors that are missing, unexpected or misshapen."""
    transformers_logging.set_verbosity(logging.ERROR)  # the report below says the same in one line
    transformers_logging.disable_progress_bar()
    try:
        model, report = EsmModel.from_pretrained(
            folder, add_pooling_layer=False, dtype=dtype, attn_implementation="sdpa", output_loading_info=True,
            use_safetensors=True, local_files_only=True, trust_remote_code=False, ignore_mismatched_sizes=True)
    except (OSError, ValueError, KeyError, RuntimeError) as e:
        raise InputError(f"{folder}: not a folder of ESM-2 ({_first_line(e)}): fetch the weights anew") from e
    wrong = {"missing": [k for k in report["missing_keys"] if not _MINE.match(k)],
             "unexpected": [k for k in report["unexpected_keys"] if not _NOT_USED.match(k)],
             "misshapen": [k if isinstance(k, str) else k[0] for k in report["mismatched_keys"]]}
    found = [f"{len(keys)} {what}: {', '.join(sorted(keys)[:3])}{' ...' * (len(keys) > 3)}"
             for what, keys in wrong.items() if keys]
    if found:
        raise InputError(f"{folder}: not the tensors of the ESM-2 that config.json describes: {'; '.join(found)}: "
                         "fetch the weights anew")
    if model.rotary_embeddings is None or model.rotary_embeddings.inv_freq.dtype != torch.float32:
        raise InputError(f"{folder}: config.json is not ESM-2's (no rotary positions in fp32): fetch the weights anew")
    return model.to(device).eval().requires_grad_(False)  # a move only: the type stays


def _first_line(e: Exception) -> str:
    return str(e).strip().split("\n")[0][:200]


def hidden(model: EsmModel, ids: Tensor) -> Tensor:
    """Last hidden state after the final LayerNorm, [n, tokens, width]. ids: [n, tokens], BOS and EOS included."""
    return model(input_ids=ids).last_hidden_state


def pooled(model: Callable[[Tensor], Tensor], ids: Tensor) -> Tensor:
    """Mean over residues, without BOS and EOS. model: ids to hidden states; ids: [n, residues + 2].
    Returns [n, width] float32."""
    return model(ids)[:, 1:-1].mean(1, dtype=torch.float32)
