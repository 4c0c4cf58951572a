"""What becomes of the rows of one part of a table: they are given as they are, or added up first.

A part is a text file, or some row groups of a Parquet file.  Its groups are those of its rows alone, in whatever thread they are
made; `run/operators/combine.py` puts those of all parts together, in the order of the parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
import pyarrow as pa

from streamsql.expressions.calls import mergeable
from streamsql.external.scan.asked import Arrays, Asked, Constants, chosen, plain
from streamsql.external.scan.bounds import Bounds
from streamsql.external.scan.facts import Fact, fact_of
from streamsql.external.scan.first_rows import FirstRows
from streamsql.external.scan.request import Grouping, Request
from streamsql.functions.aggregates.grouped import Mergeable
from streamsql.keys.interner import Interner
from streamsql.rows import Mask, QueryTime
from streamsql.types import Batch

BATCH = 131_072
"""Rows given at a time."""

SAMPLE = 1024
"""The first rows of a part, by which it is seen whether rows share their groups; if these hardly do, SAMPLES times as many."""

SAMPLES = 8


class Portion(Protocol):
    """Takes the rows of one part that are wanted, and gives what is asked for."""

    def give(self, columns: Arrays, constants: Constants, count: int) -> Iterator[Batch]:
        """Some rows, from first to last."""
        ...

    def give_facts(self, bounds: Mapping[int, Bounds], constants: Constants, rows: Sequence[int]) -> Mask:
        """Row groups of so many rows each, of which only this is known; gives for which of them that is enough: their rows are
        not to be given."""
        ...

    def end(self) -> Iterator[Batch]:
        """There are no more."""
        ...


class RowPortion:
    """The rows themselves; with `first` those that can be among the first of an order."""

    def __init__(self, request: Request, first: FirstRows | None) -> None:
        self._schema = request.rows.arrow()
        self._first = first

    def give(self, columns: Arrays, constants: Constants, count: int) -> Iterator[Batch]:
        if self._first is not None:
            key = self._first.key(columns, constants, count)
            self._first.note(key)
            mask = self._first.mask(key)
            if mask is not None:
                columns, count = chosen(columns, mask)
        arrays = [plain(columns[i]) if i in columns else pa.repeat(constants[i], count) for i in range(len(self._schema))]
        batch = pa.RecordBatch.from_arrays(arrays, schema=self._schema)
        return (batch.slice(start, BATCH) for start in range(0, count, BATCH))

    def give_facts(self, bounds: Mapping[int, Bounds], constants: Constants, rows: Sequence[int]) -> Mask:
        return np.zeros(len(rows), bool)

    def end(self) -> Iterator[Batch]:
        return iter(())


class Groups:
    """What is computed of rows to add them up; for all threads."""

    def __init__(self, request: Request, grouping: Grouping, time: QueryTime) -> None:
        self.calls = grouping.calls
        self.keys = [Asked(key, time) for key in grouping.keys]
        self.types = [key.type.arrow() for key in grouping.keys]
        self.arguments = [[Asked(argument, time) for argument in call.arguments] for call in grouping.calls]
        self._stored = frozenset(request.stored)
        self.varying = [i for i, key in enumerate(self.keys) if not self._stored.isdisjoint(key.columns)]
        """The keys that are not the same for all rows of a file."""
        self.schema = request.schema.arrow()

    @cached_property
    def of_footers(self) -> tuple[Fact, ...] | None:
        """What each call asks of a footer; None where some of it has to be read: rows of several groups, other calls."""
        if self.varying:
            return None
        found = [fact_of(call, self._stored) for call in self.calls]
        facts = tuple(fact for fact in found if fact is not None)
        return facts if len(facts) == len(found) else None


class GroupPortion:
    """The groups of the rows.  Where the first rows are nearly all groups of their own, rows are not compared with each other."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups
        self._known = Interner([groups.types[i] for i in groups.varying])
        self._accumulators = mergeable(groups.calls)
        self._fixed: dict[int, pa.Scalar] | None = None
        self._apart: bool | None = None

    def give(self, columns: Arrays, constants: Constants, count: int) -> Iterator[Batch]:
        if not count:
            return
        asked = self._groups
        if self._fixed is None:
            others = [i for i in range(len(asked.keys)) if i not in asked.varying]
            self._fixed = {i: asked.keys[i].values(columns, constants, 1)[0] for i in others}
        keys = [asked.keys[i].values(columns, constants, count) for i in asked.varying]
        if self._apart is None:
            self._apart = self._share_few(keys, count, SAMPLE) and self._share_few(keys, count, SAMPLES * SAMPLE)
        if self._apart:
            parts = [
                part
                for accumulator, arguments in zip(mergeable(asked.calls), asked.arguments, strict=True)
                for part in accumulator.alone([plain(a.values(columns, constants, count)) for a in arguments], count)
            ]
            yield self._batch([plain(key) for key in keys], parts, count)
            return
        ids = self._known.ids(keys, count)
        self._add(self._accumulators, ids, len(self._known), columns, constants)

    def _share_few(self, keys: Sequence[pa.Array], count: int, size: int) -> bool:
        """Whether of so many rows hardly any share their groups."""
        some = [_numbered(key.slice(0, size)) for key in keys]
        sample = Interner([key.type for key in some])
        sample.ids(some, min(count, size))
        return 2 * len(sample) > size

    def give_facts(self, bounds: Mapping[int, Bounds], constants: Constants, rows: Sequence[int]) -> Mask:
        facts = self._groups.of_footers
        if facts is None:
            return np.zeros(len(rows), bool)
        known: Mask = np.ones(len(rows), bool)
        for fact in facts:
            known &= fact.known(bounds, len(rows))
        count = int(np.asarray(rows)[known].sum())
        if count:
            self._fixed = {i: key.values({}, constants, 1)[0] for i, key in enumerate(self._groups.keys)}
            for accumulator, fact in zip(self._accumulators, facts, strict=True):
                if fact.name == "COUNT":
                    accumulator.merge(np.zeros(1, np.int64), 1, [pa.array([count])])
                else:
                    extremes = fact.values(bounds, known)
                    accumulator.add(np.zeros(len(extremes), np.int64), 1, [extremes])
        return known

    def _add(self, accumulators: Sequence[Mergeable], ids: np.ndarray[tuple[int], np.dtype[np.int64]], groups: int,
             columns: Arrays, constants: Constants) -> None:  # fmt: skip
        for accumulator, arguments in zip(accumulators, self._groups.arguments, strict=True):
            accumulator.add(ids, groups, [plain(argument.values(columns, constants, len(ids))) for argument in arguments])

    def end(self) -> Iterator[Batch]:
        if self._fixed is not None and not self._apart:
            parts = [part for accumulator in self._accumulators for part in accumulator.parts()]
            yield self._batch(self._known.columns() if self._groups.varying else [], parts, len(self._known))

    def _batch(self, varying: Sequence[pa.Array], parts: Sequence[pa.Array], count: int) -> Batch:
        assert self._fixed is not None
        keys = {i: pa.repeat(key, count) for i, key in self._fixed.items()}
        keys |= zip(self._groups.varying, varying, strict=True)
        return pa.RecordBatch.from_arrays([*(keys[i] for i in range(len(keys))), *parts], schema=self._groups.schema)


def _numbered(key: pa.Array) -> pa.Array:
    """Values of fixed width, or numbers that are equal exactly when the values are."""
    if pa.types.is_dictionary(key.type):
        return key.indices
    return key if pa.types.is_primitive(key.type) else key.dictionary_encode(null_encoding="encode").indices
