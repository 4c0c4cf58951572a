"""Which window of WINDOWED BY STAGGER each row belongs to."""

from __future__ import annotations

from numba import types

from streamsql.kernels.jit import Int64s, jit, read_only, writable

_INPUT, _CHANGED = read_only(types.int64), writable(types.int64)


@jit((_INPUT, _INPUT, types.int64, types.int64, _CHANGED, _CHANGED, _CHANGED, _CHANGED))
def open_windows(
    times: Int64s,
    ids: Int64s,
    length: int,
    last: int,
    ends: Int64s,
    open_window: Int64s,
    windows: Int64s,
    openers: Int64s,
) -> int:
    """A row at or behind the end of its key's window opens the next one, which ends `length` milliseconds after it.

    `times` (milliseconds) and `ids` (keys) are those of the rows; windows are numbered from `last` on.  `ends` and
    `open_window` (keys,) are each key's last window.  `windows` (rows,) becomes the window of each row, `openers` (rows,) the
    rows that open one.  Gives how many do.
    """
    opened = 0
    for i in range(len(times)):
        key = ids[i]
        if times[i] >= ends[key]:
            ends[key] = times[i] + length
            open_window[key] = last + opened
            openers[opened] = i
            opened += 1
        windows[i] = open_window[key]
    return opened
