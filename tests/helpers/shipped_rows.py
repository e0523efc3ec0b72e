"""The language models of assets/encoders.yaml, and all encoders with them."""

from virshort.encoders.catalogue import by_modality, catalogue_of
from virshort.encoders.rows import read_rows

ROWS = read_rows()
CATALOGUE = catalogue_of(ROWS)
ENCODERS = by_modality(CATALOGUE)
