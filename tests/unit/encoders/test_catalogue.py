"""Encoders by name: which one auto stands for, which module loads it, and whose weights it needs."""

from importlib import import_module

import numpy as np
import pytest

from shipped_rows import CATALOGUE, ROWS
from virshort.encoders.catalogue import TRANSFORMERS, catalogue_of, choose_encoder, entry_of, load_encoder
from virshort.encoders.encoder import LoadSettings
from virshort.encoders.revisions import choose_revisions
from virshort.encoders.rows import row_of
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
    assert {name for name, entry in CATALOGUE.items() if entry.row} == set(ROWS)
    assert entry_of("esm2-8m" + UNTRANSLATED, CATALOGUE).row.name == "esm2-8m"
    assert entry_of("kmer-protein" + UNTRANSLATED, CATALOGUE).row is None
    for name in ("dnabert-s", "esm2-8m"):
        with pytest.raises(InputError, match=f"{name}: needs its weights"):
            load_encoder(name, catalogue=CATALOGUE)
    for name in ("esm3", "kmer-dna" + UNTRANSLATED):
        with pytest.raises(InputError, match=f"encoder {name} is unknown: choose one of kmer-dna"):
            load_encoder(name, catalogue=CATALOGUE)


def test_every_module_of_the_table_loads_its_encoders():
    for name, entry in CATALOGUE.items():
        assert entry_of(name, CATALOGUE) is entry
        if entry.process == "SEARCH":  # depends on the sources too, so no function of the window alone
            continue
        if entry.module != TRANSFORMERS:  # whose import costs seconds
            assert callable(import_module(entry.module).load)
        if entry.row is None:
            encoder = load_encoder(name)
            assert (encoder.name, encoder.modality, encoder.dim) == (name, entry.modality, entry.dim)
            assert encoder.embed([b"ACGT"]).shape == (1, entry.dim)


def test_settings_without_a_meaning_for_kmers_are_refused(tmp_path):
    for settings in (LoadSettings(weights=tmp_path), LoadSettings(precision="bf16"), LoadSettings(device="cuda")):
        with pytest.raises(InputError, match="kmer-dna: is computed on the CPU in fp32 and has no weights"):
            load_encoder("kmer-dna", settings)
    assert load_encoder("kmer-dna", LoadSettings(precision="fp32", device="cpu", threads=1)).precision == "fp32"


def rows(*names):
    return {name: ROWS[name] for name in names}


def test_revisions_are_the_pinned_ones_unless_others_are_asked_for():
    pinned = ROWS["dnabert-s"].published.revision
    assert choose_revisions(rows("dnabert-s", "esm2-8m"), "esm2-8m=abc") == {"dnabert-s": pinned, "esm2-8m": "abc"}
    assert choose_revisions(rows("dnabert-s"), "local") == {"dnabert-s": "local"}
    with pytest.raises(InputError, match="fastesm2-650: no commit of Synthyra/FastESM2_650 is pinned"):
        choose_revisions(rows("fastesm2-650"), None)
    own = {"mine": row_of("mine", {"family": "transformers", "modality": "dna", "dim": 8, "folder": "/models/mine"})}
    assert choose_revisions(own, None) == {"mine": "local"}
    with pytest.raises(InputError, match="--weights_revision mine=abc: must be local, or"):
        choose_revisions(own, "mine=abc")


@pytest.mark.parametrize("asked", ["esm2-8m=abc", "esm2-9m=abc", "dnabert-s=", "dnabert-s"])
def test_a_revision_that_would_have_no_effect_is_refused(asked):
    with pytest.raises(InputError, match=rf"--weights_revision {asked}: must be local, or ENCODER=REVISION .*\(dnabert-s\)"):
        choose_revisions(rows("dnabert-s"), asked)


def test_bases_reach_an_untranslated_encoder_as_they_are():
    encoder, translated = load_encoder("kmer-protein" + UNTRANSLATED), load_encoder("kmer-protein")
    assert (encoder.translates, translated.translates, load_encoder("kmer-dna").translates) == (False, True, False)
    row = encoder.embed([b"ACGTTT"])[0]  # A, C, G and T are residues too
    assert np.count_nonzero(row[:20]) == 4 and row[20] == np.float32(np.log2(7))


def test_a_row_with_the_name_of_another_encoder_is_refused():
    with pytest.raises(InputError, match="encoder kmer-dna: virshort gives this name to something else"):
        catalogue_of({"kmer-dna": ROWS["dnabert-s"]})
