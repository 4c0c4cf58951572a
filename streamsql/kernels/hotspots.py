"""The hotspots around each point of a stream: density clusters (DBSCAN) of the last points.

Points are neighbours when they are no further than the radius apart (Euclidean), so each is its own. A core point has at least
so many neighbours; core points that are neighbours are in one hotspot, and so are all their neighbours.

The window is a ring of W slots, the state four arrays: `points` float64 (W, D), `neighbours` uint64 (W, ceil(W / 64)) with bit
b % 64 of word b // 64 set where slot b holds a neighbour, `counts` int64 (W,) of the bits set, `seen` int64 (1,), the
number of points so far: the next one goes to slot seen % W.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import types

from streamsql.kernels.jit import Float64s, Int64s, UInt64s, inlined, jit, read_only, writable

_WORD = 64


def new_window(size: int, columns: int) -> dict[str, npt.NDArray[np.generic]]:
    """An empty window of `size` points of `columns` numbers."""
    return {
        "points": np.zeros((size, columns), np.float64),
        "neighbours": np.zeros((size, -(-size // _WORD)), np.uint64),
        "counts": np.zeros(size, np.int64),
        "seen": np.zeros(1, np.int64),
    }


@inlined
def _holds(bits: UInt64s, row: int, slot: int) -> bool:
    return bool((bits[row, slot // 64] >> np.uint64(slot % 64)) & np.uint64(1))


@inlined
def _flip(bits: UInt64s, row: int, slot: int) -> None:
    bits[row, slot // 64] ^= np.uint64(1) << np.uint64(slot % 64)


@inlined
def _replace(
    point: Float64s, row: int, slot: int, filled: int, radius: float, points: Float64s, neighbours: UInt64s, counts: Int64s
) -> None:
    """Puts row `row` of `point` in place of what a slot holds; the first `filled` slots hold a point or are this one."""
    for other in range(filled):
        if other != slot and _holds(neighbours, slot, other):
            _flip(neighbours, other, slot)
            counts[other] -= 1
    for word in range(neighbours.shape[1]):
        neighbours[slot, word] = 0
    for j in range(points.shape[1]):
        points[slot, j] = point[row, j]
    _flip(neighbours, slot, slot)
    counts[slot] = 1
    for other in range(filled):
        square = 0.0
        for j in range(points.shape[1]):
            side = points[other, j] - points[slot, j]
            square += side * side
        if other != slot and square <= radius * radius:
            _flip(neighbours, slot, other)
            _flip(neighbours, other, slot)
            counts[slot] += 1
            counts[other] += 1


@inlined
def _spread(first: int, least: int, neighbours: UInt64s, counts: Int64s, members: UInt64s, queue: Int64s) -> int:
    """Makes `members` (1, words) the hotspot of a core point; gives how many points are in it."""
    for word in range(members.shape[1]):
        members[0, word] = 0
    _flip(members, 0, first)
    queue[0] = first
    taken, found = 0, 1
    while taken < found:
        core = queue[taken]
        taken += 1
        if counts[core] < least:
            continue
        for word in range(members.shape[1]):
            new = neighbours[core, word] & ~members[0, word]
            members[0, word] |= new
            slot = word * 64
            while new:
                if new & np.uint64(1):
                    queue[found] = slot
                    found += 1
                new >>= np.uint64(1)
                slot += 1
    return found


@jit(
    (
        read_only(types.float64, 2),
        types.int64,
        types.float64,
        types.int64,
        writable(types.float64, 2),
        writable(types.uint64, 2),
        writable(types.int64),
        writable(types.int64),
        writable(types.int64),
        writable(types.int64, 2),
        writable(types.float64, 3),
    )
)
def find_hotspots(
    rows: Float64s,
    start: int,
    radius: float,
    least: int,
    points: Float64s,
    neighbours: UInt64s,
    counts: Int64s,
    seen: Int64s,
    progress: Int64s,
    found: Int64s,
    boxes: Float64s,
) -> None:
    """Lets the rows from `start` on into the window, each before its hotspots are looked for.

    Hotspot h is one that row `found[h, 0]` is in, of `found[h, 1]` points between `boxes[h, 0]` and `boxes[h, 1]` (D,); those
    of a row are in the order of their oldest core point near it.  `progress` becomes the row to go on with and the number of
    hotspots: the kernel stops early when there may be no room for those of another row, W.  A row with a value that is not
    finite has no hotspots and does not enter the window.
    """
    size, columns = points.shape
    members = np.zeros((1, neighbours.shape[1]), np.uint64)
    done = np.zeros((1, neighbours.shape[1]), np.uint64)
    queue = np.empty(size, np.int64)
    hotspots = 0
    row = start
    while row < len(rows) and hotspots + size <= len(found):
        finite = True
        for j in range(columns):
            finite = finite and np.isfinite(rows[row, j])
        if finite:
            slot = seen[0] % size
            seen[0] += 1
            filled = min(seen[0], size)
            _replace(rows, row, slot, filled, radius, points, neighbours, counts)
            done[:] = 0
            for age in range(filled):
                core = (slot + 1 + age) % filled
                if counts[core] < least or not _holds(neighbours, slot, core) or _holds(done, 0, core):
                    continue
                number = _spread(core, least, neighbours, counts, members, queue)
                done |= members
                found[hotspots, 0] = row
                found[hotspots, 1] = number
                for j in range(columns):
                    boxes[hotspots, 0, j] = boxes[hotspots, 1, j] = points[queue[0], j]
                for i in range(1, number):
                    for j in range(columns):
                        boxes[hotspots, 0, j] = min(boxes[hotspots, 0, j], points[queue[i], j])
                        boxes[hotspots, 1, j] = max(boxes[hotspots, 1, j], points[queue[i], j])
                hotspots += 1
        row += 1
    progress[0] = row
    progress[1] = hotspots
