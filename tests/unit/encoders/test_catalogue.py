"""Encoders by name: which one auto stands for, which module loads it, and whose weights it needs."""

from importlib import import_module

import numpy as np
import pytest

from virshort.encoders.catalogue import CATALOGUE, ENCODERS, choose_encoder, entry_of, load_encoder, model_of
from virshort.encoders.encoder import LoadSettings
from virshort.encoders.published import PUBLISHED, choose_revisions
from virshort.errors import InputError
from virshort.modalities import UNTRANSLATED


@pytest.mark.parametrize(
    ("weights", "device", "expected"),
    [
        (False, "auto", ["kmer-dna", "kmer-protein"]),
        (False, "cpu", ["kmer-dna", "kmer-protein"]),
        (True, "auto", ["dnabert-s", "esm2-650m"]),
        (False, "cuda", ["dnabert-s", "esm2-650m"]),
    ],
)
def test_auto_is_the_language_model_if_its_weights_can_be_had(weights, device, expected):
    assert [choose_encoder(m, "auto", weights, device) for m in ("dna", "protein")] == expected
    assert choose_encoder("protein", "esm2-8m", weights, device) == "esm2-8m"


def test_every_language_model_is_an_encoder_and_needs_its_own_weights():
    names = [name for members in ENCODERS.values() for name in members]
    assert {n for n in names if model_of(n)} == set(PUBLISHED)
    assert model_of("esm2-8m" + UNTRANSLATED) == "esm2-8m" and model_of("kmer-protein" + UNTRANSLATED) is None
    for name in PUBLISHED:
        with pytest.raises(InputError, match=f"{name}: needs its weights"):
            load_encoder(name)
    for name in ("esm3", "kmer-dna" + UNTRANSLATED):
        with pytest.raises(InputError, match=f"encoder {name} is unknown: choose one of kmer-dna"):
            load_encoder(name)


def test_every_module_of_the_table_loads_its_encoders():
    for name, entry in CATALOGUE.items():
        assert entry_of(name) is entry
        if entry.process == "SEARCH":  # depends on the sources too, so no function of the window alone
            continue
        assert callable(import_module(entry.module).load)
        if model_of(name) is None:
            encoder = load_encoder(name)
            assert (encoder.name, encoder.modality, encoder.dim) == (name, entry.modality, entry.dim)
            assert encoder.embed([b"ACGT"]).shape == (1, entry.dim)


def test_settings_without_a_meaning_for_kmers_are_refused(tmp_path):
    for settings in (LoadSettings(weights=tmp_path), LoadSettings(precision="bf16"), LoadSettings(device="cuda")):
        with pytest.raises(InputError, match="kmer-dna: is computed on the CPU in fp32 and has no weights"):
            load_encoder("kmer-dna", settings)
    assert load_encoder("kmer-dna", LoadSettings(precision="fp32", device="cpu", threads=1)).precision == "fp32"


def test_revisions_are_the_pinned_ones_unless_others_are_asked_for():
    pinned = PUBLISHED["dnabert-s"].revision
    assert choose_revisions({"dnabert-s", "esm2-8m"}, "esm2-8m=abc") == {"dnabert-s": pinned, "esm2-8m": "abc"}
    assert choose_revisions({"dnabert-s"}, "local") == {"dnabert-s": "local"}
    with pytest.raises(InputError, match="fastesm2-650: no commit of Synthyra/FastESM2_650 is pinned"):
        choose_revisions({"fastesm2-650"}, None)
    with pytest.raises(InputError, match="esm2-9m is not a language model that can be fetched: choose one of dnabert-s"):
        choose_revisions({"dnabert-s"}, "esm2-9m=abc")


@pytest.mark.parametrize("asked", ["esm2-8m=abc", "dnabert-s=", "dnabert-s"])
def test_a_revision_that_would_have_no_effect_is_refused(asked):
    with pytest.raises(InputError, match=rf"--weights_revision {asked}: must be local, or ENCODER=REVISION .*\(dnabert-s\)"):
        choose_revisions({"dnabert-s"}, asked)


def test_bases_reach_an_untranslated_encoder_as_they_are():
    encoder, translated = load_encoder("kmer-protein" + UNTRANSLATED), load_encoder("kmer-protein")
    assert (encoder.translates, translated.translates, load_encoder("kmer-dna").translates) == (False, True, False)
    row = encoder.embed([b"ACGTTT"])[0]  # A, C, G and T are residues too
    assert np.count_nonzero(row[:20]) == 4 and row[20] == np.float32(np.log2(7))
