"""Which folders to list so that the files of many partitions are found by few requests.

Listing S3 gives a thousand keys a request, of one prefix after the other in the order of their letters, and takes as long as a
small read.  So partitions that lie together are listed by the folder above them, unless too many others lie there as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from streamsql.external.partitions import LOCATION
from streamsql.external.table import ExternalTable, prefix

FEW = 8
"""So many partitions are listed one by one, all at once."""

PAGE = 1000
"""Keys that a request gives: folders with more partitions are not joined, so that they are listed at once."""

DENSE = 0.25
"""The share of a folder's partitions that must be wanted for it to be listed as a whole."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A folder to list, for the locations at some places."""

    folder: str
    places: Sequence[int]


def listings(table: ExternalTable, locations: Sequence[str], share: float) -> Iterator[Listing]:
    """The folders that have all files of some partitions, in the order in which they are needed.

    The partitions are this share of all; 0 where it is likely that few of them will be looked at.
    """
    folders: dict[str, list[int]] = {}
    for place, location in enumerate(locations):
        folders.setdefault(prefix(location), []).append(place)
    root = prefix(table.location)
    if len(folders) > FEW and share and (table.projection() is None or share >= DENSE):
        folders = _joined(folders, root, _known(table))
    yield from sorted((Listing(folder, places) for folder, places in folders.items()), key=lambda each: each.places[0])


def _known(table: ExternalTable) -> Sequence[str]:
    """Where all partitions of a table are, as far as they are known."""
    if table.projection() is not None:
        return ()
    return [prefix(location) for location in table.partitions.rows[LOCATION].to_pylist()]


def _joined(folders: Mapping[str, list[int]], root: str, known: Sequence[str]) -> dict[str, list[int]]:
    """With folders in the place of those below them, level by level up to `root`."""
    joined = dict(folders)
    level = set(joined)
    all_below: Mapping[str, int] = Counter(known)
    while level:
        below: dict[str, list[str]] = {}
        for folder in level:
            if folder != root and folder.startswith(root):
                below.setdefault(_above(folder), []).append(folder)
        all_below = _summed(all_below, root)
        level = set()
        for folder, those in below.items():
            count = sum(len(joined[each]) for each in those)
            dense = not known or count >= DENSE * all_below[folder]
            if count > 1 and dense and (count <= PAGE or all(len(joined[each]) == 1 for each in those)):
                joined[folder] = sorted({*joined.get(folder, ()), *(place for each in those for place in joined.pop(each))})
                level.add(folder)
    return joined


def _summed(counts: Mapping[str, int], root: str) -> Mapping[str, int]:
    """How many partitions are below each folder that is one level higher."""
    above: Counter[str] = Counter()
    for folder, count in counts.items():
        if folder != root and folder.startswith(root):
            above[_above(folder)] += count
    return above


def _above(folder: str) -> str:
    return folder[: folder.rstrip("/").rindex("/") + 1]
