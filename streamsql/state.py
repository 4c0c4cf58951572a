"""The containers that hold everything an operator must not lose.

* `RowBuffer`: rows, appended at the back and taken from the front (sort, merge).
* `RowLog`: rows that keep their numbers and are taken by them (joins).
* `Queue`: numbers in columns, appended at the back and dropped from the front (stagger, joins).
* `Arrays`: named numpy arrays (windows, forests, sketches, accumulators by dense key id).
* `Interner` (`streamsql.keys.interner`): the key values behind the dense ids.

Operators keep their state in these and implement no saving or loading of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streamsql.errors import OperationalError
from streamsql.types import Batch

Array = npt.NDArray[Any]


class RowBuffer:
    """Rows of one schema in arrival order."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self._batches: list[Batch] = []
        self._rows = 0
        self._nothing = empty_batch(schema)

    def __len__(self) -> int:
        return self._rows

    def append(self, batch: Batch) -> None:
        """Add rows at the back."""
        if batch.num_rows:
            self._batches.append(batch)
            self._rows += batch.num_rows

    def batch(self) -> Batch:
        """All rows as one batch."""
        merged = joined(self._batches, self.schema)
        self._batches = [merged] if merged.num_rows else []
        return merged

    def take_front(self, count: int) -> Batch:
        """Remove the first `count` rows and give them."""
        batch = self.batch()
        front, rest = batch.slice(0, count), batch.slice(count)
        self._batches = [rest] if rest.num_rows else []
        self._rows = rest.num_rows
        return front

    def take_all(self) -> Batch:
        """Remove all rows and give them."""
        batch = self.batch()
        self._batches, self._rows = [], 0
        return batch

    def take_while(self, ready: Callable[[Batch], int]) -> Batch:
        """Remove the rows in front, of each batch as many as `ready` says, up to the first that is not ready whole."""
        taken: list[Batch] = []
        if not self._rows:
            return self._nothing
        rest = iter(self._batches)
        self._batches = []
        for batch in rest:
            count = ready(batch)
            taken += [batch.slice(0, count)] if count else []
            if count < batch.num_rows:
                self._batches = [batch.slice(count), *rest]
        self._rows -= sum(batch.num_rows for batch in taken)
        return joined(taken, self.schema) if taken else self._nothing

    def save(self) -> pa.Table:
        return pa.Table.from_batches(self._batches, self.schema)

    def load(self, table: pa.Table) -> None:
        self._batches = table.combine_chunks().to_batches()
        self._rows = table.num_rows


class RowLog:
    """Rows that keep their numbers, counted from the first one ever: appended at the back, dropped from the front.

    They lie in few pieces: a piece is joined to the one before it when it is half as long.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self.first = 0
        self._starts: list[int] = []
        self._pieces: list[Batch] = []

    @property
    def last(self) -> int:
        """The number that the next row gets."""
        return self._starts[-1] + len(self._pieces[-1]) if self._pieces else self.first

    def append(self, batch: Batch) -> None:
        """Add rows at the back."""
        if not batch.num_rows:
            return
        self._starts.append(self.last)
        self._pieces.append(batch)
        while len(self._pieces) > 1 and 2 * len(self._pieces[-1]) >= len(self._pieces[-2]):
            *self._pieces, one, other = self._pieces
            *self._starts, start, _ = self._starts
            dropped = max(0, self.first - start)
            self._pieces.append(joined([one.slice(dropped), other], self.schema))
            self._starts.append(start + dropped)

    def drop(self, count: int) -> None:
        """Forget the rows in front."""
        last = self.last
        self.first += count
        if self.first == last:
            self._starts, self._pieces = [], []
        while self._pieces and self._starts[0] + len(self._pieces[0]) <= self.first:
            del self._starts[0], self._pieces[0]

    def column(self, column: int, numbers: npt.NDArray[np.int64]) -> pa.Array:
        """The values of a column for the rows of these numbers; NULL for a number below zero."""
        if not self._pieces:
            return pa.nulls(len(numbers), self.schema.types[column])
        places = numbers - self._starts[0]
        missing = numbers < 0
        indices = pa.array(places, mask=missing) if missing.any() else pa.array(places)
        if len(self._pieces) == 1:
            return self._pieces[0].column(column).take(indices)
        return pa.chunked_array([piece.column(column) for piece in self._pieces]).take(indices).combine_chunks()

    def take(self, numbers: npt.NDArray[np.int64]) -> Batch:
        """The rows of these numbers."""
        columns = [self.column(i, numbers) for i in range(len(self.schema))]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def save(self) -> pa.Table:
        live = [p.slice(max(0, self.first - s)) for s, p in zip(self._starts, self._pieces, strict=True)]
        return pa.Table.from_batches(live, self.schema).replace_schema_metadata({"first": str(self.first)})

    def load(self, table: pa.Table) -> None:
        self.first = int(table.schema.metadata[b"first"])
        self._starts, self._pieces = [], []
        self.append(joined(table.replace_schema_metadata(self.schema.metadata).to_batches(), self.schema))


class Queue:
    """Columns of numbers, an element of each an entry: appended at the back, dropped from the front.

    An entry keeps its number, counted from the first one ever: entry `n` stands at `n - first` of `queue[column]`.  Appending
    and dropping cost the same however many entries there are.
    """

    def __init__(self, **types: npt.DTypeLike) -> None:
        self.first = 0
        self._begin = self._end = 0
        self._columns = {name: np.empty(64, dtype) for name, dtype in types.items()}

    def __len__(self) -> int:
        return self._end - self._begin

    def __getitem__(self, column: str) -> Array:
        """A view of a column, to be read and changed."""
        return self._columns[column][self._begin : self._end]

    @property
    def last(self) -> int:
        """The number that the next entry gets."""
        return self.first + len(self)

    def append(self, **columns: Array) -> None:
        """Add entries at the back."""
        count = len(next(iter(columns.values())))
        self._fit(count)
        for name, values in columns.items():
            self._columns[name][self._end : self._end + count] = values
        self._end += count

    def drop(self, count: int) -> None:
        """Forget the entries in front."""
        self.first += count
        self._begin += count

    def _fit(self, count: int) -> None:
        """Have room for so many more; what was dropped makes room when it is more than half."""
        if all(self._end + count <= len(column) for column in self._columns.values()):
            return
        kept = len(self)
        for name, column in self._columns.items():
            fits = 2 * (kept + count) <= len(column)
            room = column if fits else np.empty(2 * (kept + count), column.dtype)
            room[:kept] = column[self._begin : self._end].copy()
            self._columns[name] = room
        self._begin, self._end = 0, kept

    def save(self) -> pa.Table:
        table = pa.table({name: self[name] for name in self._columns})
        return table.replace_schema_metadata({"first": str(self.first)})

    def load(self, table: pa.Table) -> None:
        self.first = int(table.schema.metadata[b"first"])
        self._begin, self._end = 0, table.num_rows
        self._columns = {name: table[name].to_numpy().copy() for name in self._columns}


class Arrays(MutableMapping[str, Array]):
    """Named numpy arrays of any length and shape; object arrays hold Python values that Arrow can hold."""

    def __init__(self, arrays: dict[str, Array] | None = None) -> None:
        self._arrays: dict[str, Array] = dict(arrays or {})

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def __setitem__(self, name: str, array: Array) -> None:
        self._arrays[name] = array

    def __delitem__(self, name: str) -> None:
        del self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def save(self) -> pa.Table:
        """One row an array: its name, element type, shape and its bytes (object arrays: as an Arrow IPC stream)."""
        return pa.table(
            {
                "name": pa.array(self._arrays.keys(), pa.string()),
                "dtype": pa.array([a.dtype.str for a in self._arrays.values()], pa.string()),
                "shape": pa.array([list(a.shape) for a in self._arrays.values()], pa.list_(pa.int64())),
                "data": pa.array([_to_bytes(a) for a in self._arrays.values()], pa.large_binary()),
            }
        )

    def load(self, table: pa.Table) -> None:
        self._arrays = {
            row["name"]: _from_bytes(row["data"], np.dtype(row["dtype"]), tuple(row["shape"])) for row in table.to_pylist()
        }


def joined(batches: Sequence[Batch], schema: pa.Schema) -> Batch:
    """Some batches as one; raises OperationalError where a column of it cannot hold all of their text."""
    if len(batches) == 1:
        return batches[0]
    whole = pa.Table.from_batches(batches, schema).combine_chunks().to_batches()
    if len(whole) > 1:
        raise OperationalError("an operator holds more than 2 GB of text in one column", hint="use a shorter window")
    return whole[0] if whole else empty_batch(schema)


def empty_batch(schema: pa.Schema) -> Batch:
    """A batch without rows."""
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)


def _to_bytes(array: Array) -> bytes:
    if array.dtype.kind != "O":
        return np.ascontiguousarray(array).tobytes()
    values = pa.table({"values": pa.array(array.ravel().tolist())})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, values.schema) as writer:
        writer.write_table(values)
    return bytes(sink.getvalue())


def _from_bytes(data: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    if dtype.kind != "O":
        return np.frombuffer(data, dtype).reshape(shape).copy()
    values = pa.ipc.open_stream(data).read_all()["values"].to_pylist()
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array.reshape(shape)
