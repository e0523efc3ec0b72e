"""ESM-2 computes what transformers' EsmModel does. Importing that model takes as long as many unit tests together."""

from pathlib import Path

import torch

from make_random_models import make
from virshort.encoders.esm2 import load_model


@torch.inference_mode()
def test_esm2_is_that_of_transformers(tmp_path: Path) -> None:
    """With the published names of tensors, and with those under which transformers saves a model without its head."""
    from transformers import EsmModel

    published = make(tmp_path, "esm2-8m", 80, 3)
    reference = EsmModel.from_pretrained(published, add_pooling_layer=False).eval()
    reference.save_pretrained(tmp_path / "bare")
    ids = torch.randint(4, 24, (5, 52), generator=torch.Generator().manual_seed(1))
    expected = reference(input_ids=ids).last_hidden_state
    for folder in (published, tmp_path / "bare"):
        assert (load_model(folder)(ids) - expected).abs().max() <= 3e-5
