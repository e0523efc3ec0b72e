"""How a language model reads sequences: as which text, up to which length, and what of its output makes a vector."""

from dataclasses import dataclass

POOLINGS = ("mean", "mean_with_special", "first", "last")


@dataclass(frozen=True)
class Reading:
    """modality: dna or protein; dim: numbers in a vector; pooling: of POOLINGS, where `mean` leaves special tokens out;
    max_tokens: how many the model may be given at once, special ones included, None for what its config.json says; spaces:
    whether letters are separated by spaces; case: upper or lower; thymine: T or U; letters, unknown: the letters that it knows,
    and the one that all others become (both empty: they are given to the tokenizer as they are); precision: what `auto` means
    for this model."""

    modality: str
    dim: int
    pooling: str = "mean"
    max_tokens: int | None = None
    spaces: bool = False
    case: str = "upper"
    thymine: str = "T"
    letters: str = ""
    unknown: str = ""
    precision: str = "auto"

    def text(self, sequence: bytes) -> str:
        """A sequence as the tokenizer is given it."""
        letters = sequence.upper().translate(self._table()).decode("latin-1")
        if self.case == "lower":
            letters = letters.lower()
        return " ".join(letters) if self.spaces else letters

    def _table(self) -> bytes:
        """What becomes of each byte of an upper-case sequence. T and U are the same base, so both are known where one is."""
        table = bytearray(range(256))
        if self.letters:
            known = set(self.letters.upper().encode())
            if self.modality == "dna" and known & set(b"TU"):
                known |= set(b"TU")
            table = bytearray(byte if byte in known else ord(self.unknown.upper()) for byte in range(256))
        if self.modality == "dna":
            other = "U" if self.thymine == "T" else "T"
            table[ord(other)] = ord(self.thymine)
        return bytes(table)

    def __str__(self) -> str:
        """For the records of features and models: two models with different sentences are not the same encoder."""
        pooled = {
            "mean": "mean over tokens without special ones",
            "mean_with_special": "mean over tokens with special ones",
            "first": "first token",
            "last": "last token",
        }[self.pooling]
        conventions = [
            *([f"up to {self.max_tokens} tokens at a time"] if self.max_tokens else []),
            *(["letters with spaces"] if self.spaces else []),
            *(["lower case"] if self.case == "lower" else []),
            *(["U for T"] if self.thymine == "U" else []),
            *([f"letters other than {self.letters} as {self.unknown}"] if self.letters else []),
        ]
        return ", ".join([pooled, *conventions])
