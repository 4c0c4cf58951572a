"""Rows looked up in a table that memory may not hold: then both wait on disk, in parts by a hash of their keys.

When all are there, the rows of one part after the other are looked up in what that part has of the table.  Where that is too
much, both are parted again by another hash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from streamsql.external.scan.dynamic import AskedKeys
from streamsql.operator import Operator, Output
from streamsql.rows import QueryTime, Rows
from streamsql.run.operators import spill
from streamsql.run.operators.matching import Terms
from streamsql.run.operators.spill import Partitions
from streamsql.state import RowBuffer
from streamsql.time import END, Time
from streamsql.types import Batch


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: the columns of its rows, and what they are found by."""

    schema: pa.Schema
    terms: Terms


class PartedLookup(Operator):
    """Port 0 are the rows of a table, port 1 is the table, complete before the first of them comes.

    `make` makes the operator that looks rows up in what memory holds.  It is given whether that is the whole table: then the
    operator tells scans its keys; otherwise `asked` does.  The order of the rows is that of the parts.
    """

    ports = 2

    def __init__(
        self,
        rows: Side,
        table: Side,
        make: Callable[[bool], Operator],
        asked: AskedKeys | None,
        time: QueryTime,
        level: int = 0,
    ) -> None:
        self._sides = (rows, table)
        self._make = make
        self._asked = asked
        self._time = time
        self._level = level
        self._coming = RowBuffer(table.schema)
        self._bytes = 0
        self._whole: Operator | None = None
        self._parts: tuple[Partitions, Partitions] | None = None
        self._of_parts = 0

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        if self._whole is not None:
            yield from self._whole.push(batch)
        elif self._parts is not None:
            self._write(batch, port)
        else:
            self._coming.append(batch)
            self._bytes += batch.nbytes
            if self._bytes > spill.MEMORY // 2 and self._level < spill.DEEPEST:  # the index takes as much again
                rows, table = (Partitions(side.schema, "rows", self._level) for side in self._sides)
                self._parts = rows, table
                self._write(self._coming.take_all(), 1)

    def advance(self, t: Time, port: int = 0) -> Iterator[Output]:
        if t != END:
            return
        if port == 1 and self._parts is None:
            self._whole = self._make(self._level == 0)
            yield from self._whole.push(self._coming.take_all(), 1)
            yield from self._whole.advance(END, 1)
        elif port == 0 and self._whole is not None:
            yield from self._whole.advance(END)
        elif port == 0 and self._parts is not None:
            yield from self._look_up(*self._parts)

    @property
    def spilled(self) -> int:
        return self._of_parts + sum(each.bytes for each in self._parts or ())

    def close(self) -> None:
        for each in self._parts or ():
            each.close()

    def _write(self, batch: Batch, port: int) -> None:
        """Rows of a side, to their parts; what fails is found again, and reported, when the part is looked at."""
        assert self._parts is not None
        rows = Rows(batch, self._time)
        meets, columns = self._sides[port].terms.evaluate(rows)
        self._parts[port].write(batch, columns[0])
        if port == 1 and self._asked is not None:
            mask = pa.array(meets & rows.good())
            self._asked.add([column.filter(mask) for column in columns[0]])

    def _look_up(self, rows: Partitions, table: Partitions) -> Iterator[Output]:
        with rows, table:
            for number in range(spill.PARTS):
                part = PartedLookup(*self._sides, self._make, None, self._time, self._level + 1)
                try:
                    for port, batches in ((1, table.part(number)), (0, rows.part(number))):
                        for batch in batches:
                            yield from part.push(batch, port)
                        yield from part.advance(END, port)
                finally:
                    self._of_parts += part.spilled
                    part.close()
