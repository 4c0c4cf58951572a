"""A file that takes rows.  They are kept as Arrow until it is complete: only then it is known what is in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from streamsql.external.write.limits import Limits, row_sizes
from streamsql.external.write.places import Key
from streamsql.io.arrow import arrow_batches, arrow_writer
from streamsql.io.sinks.parts import UNFINISHED, PartFile, TablePart
from streamsql.time import Time
from streamsql.types import Batch, Schema

Times = npt.NDArray[np.int64]
"""ROWTIMEs, as milliseconds."""

BATCH_BYTES = 2_000
"""What a batch takes besides its values, about."""


@dataclass(slots=True)
class OpenFile:
    """A file that is not complete: its name, partition and location, how much it has, and the ROWTIME of its first row.

    Its rows are in `parts`, files of the working directory, and behind them in `batches`.
    """

    name: str
    key: Key
    location: str
    since: Time
    rows: int = 0
    size: int = 0
    parts: list[str] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    held: int = 0
    """Bytes in memory."""

    def take(self, batch: Batch, times: Times | None, limits: Limits) -> tuple[int, bool]:
        """Take rows from the beginning of a batch; gives how many, and whether the file is complete now."""
        count = batch.num_rows
        ends = False
        if times is not None and limits.time is not None:
            count = int(np.searchsorted(times, self.since + limits.time))
            ends = count < batch.num_rows
        if limits.rows is not None and count >= limits.rows - self.rows:
            count, ends = limits.rows - self.rows, True
        sizes = np.cumsum(row_sizes(batch.slice(0, count)))
        full = int(np.searchsorted(sizes, limits.bytes - self.size))
        if full < count:
            count, ends = full + 1, True
        if count:
            self.batches.append(batch.slice(0, count))
            self.held += self.batches[-1].nbytes + BATCH_BYTES
            self.rows += count
            self.size += int(sizes[count - 1])
        return count, ends

    def spill(self, folder: Path, schema: Schema) -> None:
        """Make the rows that are in memory a part."""
        if not self.batches:
            return
        name = f"{self.rows}-{self.name}.arrow"
        part = PartFile(folder / UNFINISHED, lambda file: TablePart(file, arrow_writer, schema))
        for batch in self.batches:
            part.write(batch)
        part.publish(folder / name)
        self.parts.append(name)
        self.batches, self.held = [], 0

    def content(self, folder: Path, schema: Schema) -> Iterator[Batch]:
        """All rows."""
        for part in self.parts:
            with (folder / part).open("rb") as stream:
                yield from arrow_batches(stream, [f.name for f in schema.fields], 0)
        yield from self.batches

    def saved(self) -> dict[str, Any]:
        """What must be known to go on with it, once all of its rows are in parts."""
        return {
            "name": self.name,
            "key": list(self.key),
            "location": self.location,
            "since": self.since,
            "rows": self.rows,
            "size": self.size,
            "parts": list(self.parts),
        }

    @staticmethod
    def restored(saved: Mapping[str, Any]) -> OpenFile:
        """The file again."""
        return OpenFile(**{**saved, "key": tuple(saved["key"]), "parts": list(saved["parts"])})
