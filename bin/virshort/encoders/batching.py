"""From sequences to vectors, in batches that hold one token count each and at most a budget of tokens.

With a single token count, a batch needs neither padding nor a mask. A thread tokenizes ahead of the model, longest sequences
first, and a batch runs as soon as it is full. What is left over at the end runs in batches of even size, longest first. Which
rows share a batch depends only on the sequences and the budget, never on which of the two threads is faster.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from virshort.encoders.progress import Log, Progress
from virshort.errors import RowError

_CHUNK = 1024  # sequences tokenized at a time

Tokenize = Callable[[Sequence[bytes]], list[np.ndarray]]
"""Sequences to ids, int64 [tokens] each; no ids if there is nothing to embed."""
Forward = Callable[[Tensor], Tensor]
"""Ids [n, tokens] int64 on the model's device to rows [n, dim] float32."""


class Batcher:
    """Runs a model on sequences. What it learns about the device's memory it remembers from call to call."""

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
        """budget: tokens that a batch may hold; a sequence with more than that is a batch of its own."""
        self._tokenize, self._forward, self._dim = tokenize, forward, dim
        self._device, self._log, self._progress = torch.device(device), log, progress
        self.budget = budget
        self._reported = False

    @torch.inference_mode()
    def __call__(self, sequences: Sequence[bytes]) -> np.ndarray:
        """Vectors [n, dim] float32 in the order of the sequences; zeros where there was nothing to embed.

        Raises RowError naming a sequence that cannot be tokenized, or that alone does not fit into memory."""
        if self._progress:
            self._progress.start()
        # Rows are gathered on the device: a copy to the host after every batch would make the GPU wait.
        out = torch.zeros(len(sequences), self._dim, device=self._device)
        waiting: dict[int, list[tuple[int, np.ndarray]]] = defaultdict(list)
        for chunk in self._tokens(sequences):
            for row, ids in chunk:
                waiting[len(ids)].append((row, ids))
            self._count(waiting.pop(0, []))
            for tokens in sorted(waiting, reverse=True):
                # Rows for a second full batch must be left, so that the last batches are not small.
                while len(waiting[tokens]) >= 2 * self._rows(tokens):
                    n = self._rows(tokens)
                    self._run(out, waiting[tokens][:n])
                    del waiting[tokens][:n]
        for tokens in sorted(waiting, reverse=True):
            self._run_evenly(out, waiting.pop(tokens))
        return out.cpu().numpy()

    def _tokens(self, sequences: Sequence[bytes]) -> Iterator[list[tuple[int, np.ndarray]]]:
        """Row numbers and ids, chunk by chunk, longest sequences first; a thread works one chunk ahead."""
        order = sorted(range(len(sequences)), key=lambda row: -len(sequences[row]))
        chunks = [order[i : i + _CHUNK] for i in range(0, len(order), _CHUNK)]

        def tokenize(rows: list[int]) -> list[tuple[int, np.ndarray]]:
            try:
                return list(zip(rows, self._tokenize([sequences[r] for r in rows]), strict=True))
            except RowError as e:
                raise RowError(rows[e.row], e.why) from None

        with ThreadPoolExecutor(1) as thread:
            ahead = deque(thread.submit(tokenize, chunk) for chunk in chunks[:1])
            for following in [*chunks[1:], None][: len(chunks)]:
                chunk = ahead.popleft().result()
                if following:
                    ahead.append(thread.submit(tokenize, following))
                yield chunk

    def _rows(self, tokens: int) -> int:
        return max(1, self.budget // tokens)

    def _run_evenly(self, out: Tensor, batch: list[tuple[int, np.ndarray]]) -> None:
        """Run rows of one token count in the fewest batches that the budget allows, all of about the same size."""
        while batch:
            parts = -(-len(batch) // self._rows(len(batch[0][1])))  # each time, since the budget may have been halved
            n = -(-len(batch) // parts)
            self._run(out, batch[:n])
            batch = batch[n:]

    def _run(self, out: Tensor, batch: list[tuple[int, np.ndarray]]) -> None:
        rows, tokens = [row for row, _ in batch], len(batch[0][1])
        try:
            ids = self._on_device(torch.from_numpy(np.stack([ids for _, ids in batch])))
            out.index_copy_(0, self._on_device(torch.tensor(rows)), self._forward(ids))
        except torch.OutOfMemoryError:
            if len(batch) == 1:
                raise RowError(
                    rows[0],
                    f"its {tokens} tokens alone do not fit into the memory of {self._device}: "
                    "use shorter windows or --device cpu",
                ) from None
        else:
            self._count(batch)
            return
        # Not in the handler, whose traceback would keep the failed batch's memory.
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        self.budget = min(self.budget, max(tokens, len(batch) * tokens // 2))
        if not self._reported:
            self._reported = True
            self._log(
                f"out of memory on {self._device} at {len(batch)} x {tokens} tokens: "
                f"from now on a batch has at most {self.budget} tokens"
            )
        self._run_evenly(out, batch)

    def _on_device(self, tensor: Tensor) -> Tensor:
        """The tensor on the device. From pinned memory it is copied while the GPU still works on something else."""
        return tensor.pin_memory().to(self._device, non_blocking=True) if self._device.type == "cuda" else tensor

    def _count(self, batch: list[tuple[int, np.ndarray]]) -> None:
        if self._progress and batch:
            self._progress(len(batch), len(batch) * len(batch[0][1]))
