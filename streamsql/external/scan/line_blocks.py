"""A text read in blocks of whole lines, each into the same memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from streamsql.io.decoding import BOM
from streamsql.kernels.delimited import last_line_end
from streamsql.kernels.jit import Bytes

BLOCK = 1 << 22
"""Bytes read at a time; more where a line is longer."""

WORD = 8
"""Blocks are padded to a multiple of so many bytes: kernels read them by words."""


class ReadsInto(Protocol):
    """A file that reads into memory of somebody's own."""

    def readinto(self, memory: Any, /) -> int:
        """The next bytes; gives how many, 0 at the end."""
        ...


def line_blocks(stream: ReadsInto, header: int) -> Iterator[Bytes]:
    """The lines of a text behind its first `header` ones; all end with a newline.

    A block holds until the next one is asked for.  Behind its last newline there are zeros up to a whole word.
    """
    memory = np.empty(BLOCK + WORD, np.uint8)
    filled, begun, ended = 0, False, False
    while not ended:
        if filled == len(memory) - WORD:
            memory = np.concatenate((memory, np.empty_like(memory)))
        read = stream.readinto(memory.data[filled : len(memory) - WORD])
        filled += read
        ended = read == 0
        if not begun:
            begun = filled >= len(BOM) or ended
            if not begun:
                continue
            if memory[: min(filled, len(BOM))].tobytes() == BOM:
                filled = _dropped(memory, len(BOM), filled)
        if ended and filled and memory[filled - 1] != ord("\n"):
            memory[filled] = ord("\n")
            filled += 1
        stop = last_line_end(memory[:filled])
        while header and stop:
            start = memory[:stop].tobytes().index(b"\n") + 1
            filled, stop, header = _dropped(memory, start, filled), stop - start, header - 1
        if stop:
            rest = memory[stop:filled].copy()
            padded = -stop % WORD
            memory[stop : stop + padded] = 0
            yield memory[: stop + padded]
            memory[: len(rest)] = rest
            filled = len(rest)


def _dropped(memory: Bytes, start: int, filled: int) -> int:
    """Let the bytes before `start` go; gives how many are left."""
    memory[: filled - start] = memory[start:filled].copy()
    return filled - start
