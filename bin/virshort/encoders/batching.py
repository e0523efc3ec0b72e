"""From sequences to rows: batches of exactly one token count, filled by a budget of tokens, in order at the end.

One count a batch needs neither padding nor mask. A thread makes tokens ahead of the model, longest sequences first, and
a batch runs as soon as it is full; what is left over at the end runs in batches of even size, longest first. Which rows
share a batch follows from the sequences and the budget alone, not from who is faster.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from virshort.encoders.progress import Log, Progress
from virshort.errors import RowError

_CHUNK = 1024  # sequences a tokenizing step

Tokenize = Callable[[Sequence[bytes]], list[np.ndarray]]
"""Sequences to ids, int64 [tokens] each; no ids where there is nothing to embed."""
Forward = Callable[[Tensor], Tensor]
"""Ids [n, tokens] int64 on the model's device to rows [n, dim] float32."""


class Batcher:
    """Runs a model over sequences. It keeps what it learnt about the device's memory from call to call."""

    def __init__(
        self,
        tokenize: Tokenize,
        forward: Forward,
        dim: int,
        budget: int,
        device: torch.device | str = "cpu",
        log: Log = print,
        progress: Progress | None = None,
    ):
        """budget: tokens a batch may hold; one sequence with more than that is a batch of its own."""
        self._tokenize, self._forward, self._dim = tokenize, forward, dim
        self._device, self._log, self._progress = torch.device(device), log, progress
        self.budget = budget
        self._told = False

    @torch.inference_mode()
    def __call__(self, sequences: Sequence[bytes]) -> np.ndarray:
        """Rows [n, dim] float32 in the order of the sequences; zeros where there was nothing to embed.

        Raises RowError naming a sequence that cannot be tokenized, or that alone does not fit into memory."""
        if self._progress:
            self._progress.start()
        # Rows are gathered where they are made: a copy to the host a batch would make the GPU wait.
        out = torch.zeros(len(sequences), self._dim, device=self._device)
        waiting: dict[int, list[tuple[int, np.ndarray]]] = defaultdict(list)
        for chunk in self._tokens(sequences):
            for row, ids in chunk:
                waiting[len(ids)].append((row, ids))
            self._count(waiting.pop(0, []))
            for tokens in sorted(waiting, reverse=True):
                # A full batch leaves as many rows again, so that the last ones are not few.
                while len(waiting[tokens]) >= 2 * self._rows(tokens):
                    n = self._rows(tokens)
                    self._run(out, waiting[tokens][:n])
                    del waiting[tokens][:n]
        for tokens in sorted(waiting, reverse=True):
            self._run_evenly(out, waiting.pop(tokens))
        return out.cpu().numpy()

    def _tokens(self, sequences: Sequence[bytes]) -> Iterator[list[tuple[int, np.ndarray]]]:
        """Rows and their ids by the chunk, longest sequences first, made by a thread one chunk ahead."""
        order = sorted(range(len(sequences)), key=lambda row: -len(sequences[row]))
        chunks = [order[i : i + _CHUNK] for i in range(0, len(order), _CHUNK)]

        def tokenize(rows: list[int]) -> list[tuple[int, np.ndarray]]:
            try:
                return list(zip(rows, self._tokenize([sequences[r] for r in rows]), strict=True))
            except RowError as e:
                raise RowError(rows[e.row], e.why) from None

        with ThreadPoolExecutor(1) as thread:
            ahead = thread.submit(tokenize, chunks[0]) if chunks else None
            for following in [*chunks[1:], None][: len(chunks)]:
                chunk = ahead.result()
                ahead = thread.submit(tokenize, following) if following else None
                yield chunk

    def _rows(self, tokens: int) -> int:
        return max(1, self.budget // tokens)

    def _run_evenly(self, out: Tensor, batch: list[tuple[int, np.ndarray]]) -> None:
        """Rows of one count in the fewest batches the budget allows, of even size."""
        while batch:
            parts = -(-len(batch) // self._rows(len(batch[0][1])))  # anew each time: the budget may have halved
            n = -(-len(batch) // parts)
            self._run(out, batch[:n])
            batch = batch[n:]

    def _run(self, out: Tensor, batch: list[tuple[int, np.ndarray]]) -> None:
        rows, tokens = [row for row, _ in batch], len(batch[0][1])
        try:
            ids = self._there(torch.from_numpy(np.stack([ids for _, ids in batch])))
            out.index_copy_(0, self._there(torch.tensor(rows)), self._forward(ids))
        except torch.OutOfMemoryError:
            if len(batch) == 1:
                raise RowError(
                    rows[0],
                    f"its {tokens} tokens alone do not fit into the memory of {self._device}: "
                    "shorten the window or run it on the CPU",
                ) from None
        else:
            self._count(batch)
            return
        # Outside the handler, whose traceback would hold on to the failed batch's memory.
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        self.budget = min(self.budget, max(tokens, len(batch) * tokens // 2))
        if not self._told:
            self._told = True
            self._log(
                f"out of memory on {self._device} at {len(batch)} x {tokens} tokens: "
                f"batches of {self.budget} tokens or fewer from here on"
            )
        self._run_evenly(out, batch)

    def _there(self, tensor: Tensor) -> Tensor:
        """On the device. From pinned memory, so that the GPU need not have finished what it does before."""
        return tensor.pin_memory().to(self._device, non_blocking=True) if self._device.type == "cuda" else tensor

    def _count(self, batch: list[tuple[int, np.ndarray]]) -> None:
        if self._progress and batch:
            self._progress(len(batch), len(batch) * len(batch[0][1]))
