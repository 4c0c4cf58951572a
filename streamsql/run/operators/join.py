"""Join: streams, each within its window; a combination of rows comes when its last row arrives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from streamsql.arrays import from_numbers
from streamsql.keys.interner import Ids, Interner
from streamsql.operator import Failed, FailedRow, Operator, Output, State
from streamsql.plan.joins import JoinKind, JoinWindow
from streamsql.rows import Failure, QueryTime, Rows
from streamsql.run.operators.inputs import Inputs
from streamsql.run.operators.join_input import JoinInput
from streamsql.run.operators.join_order import JoinOrder
from streamsql.run.operators.join_rows import Combinations, Moments, in_order
from streamsql.run.operators.matching import NONE, Rest, Terms, key_ids
from streamsql.run.operators.window import times_of
from streamsql.state import Arrays
from streamsql.time import BEGIN, END, Time
from streamsql.types import Batch

_LEAST_KEYS = 4_096

Lost = Sequence[dict[int, Failure]]
"""Of each input, the rows of its batch that are lost, and why."""


class Join(Operator):
    """What arrives is put into the order of ROWTIME, input and arrival; at each row's moment the windows of the others are
    searched for what belongs to it.

    At one ROWTIME the combinations come first, in the order of the first input's rows, then of the second's and so on; then
    the rows without a match, input by input.  A combination for which the condition cannot be told is no match: the row that
    came last is reported, and does not come as one without a match.
    """

    def __init__(
        self,
        schema: pa.Schema,
        inputs: Sequence[pa.Schema],
        windows: Sequence[JoinWindow],
        kind: JoinKind,
        terms: Sequence[Terms],
        order: JoinOrder,
        key_types: Sequence[Sequence[pa.DataType]],
        rest: Rest,
        unread: frozenset[int],
        time: QueryTime,
    ) -> None:
        self.ports = len(inputs)
        self._schema = schema
        self._terms = tuple(terms)
        self._order = order
        self._rest = rest
        self._unread = unread
        self._time = time
        self._places = [(port, column) for port, s in enumerate(inputs) for column in range(len(s))]
        kept = {JoinKind.INNER: (), JoinKind.LEFT: (0,), JoinKind.RIGHT: (1,), JoinKind.FULL: (0, 1)}[kind]
        self._inputs = Inputs(inputs)
        self._sides = [
            JoinInput(s, window, port in kept, order.classes_of(port))
            for port, (s, window) in enumerate(zip(inputs, windows, strict=True))
        ]
        self._keys = [Interner(types) for types in key_types]
        self._latest = Arrays({"time": np.array([BEGIN])})
        self._passed = BEGIN

    @property
    def state(self) -> Mapping[str, State]:
        sides = {f"side {i} {name}": state for i, side in enumerate(self._sides) for name, state in side.state.items()}
        keys = {f"keys {i}": keys for i, keys in enumerate(self._keys)}
        return {**self._inputs.state, **sides, **keys, "latest": self._latest}

    def push(self, batch: Batch, port: int = 0) -> Iterator[Output]:
        self._inputs.push(batch, port)
        yield from self._go_on()

    def advance(self, t: Time, port: int = 0) -> Iterator[Output]:
        self._inputs.advance(t, port)
        yield from self._go_on()

    def bound(self, t: Time) -> Time:
        return min(t, int(self._latest["time"][0])) if any(side.waits for side in self._sides) else t

    def _go_on(self) -> Iterator[Output]:
        """Join what all inputs have passed, and give what is complete."""
        passed = self._inputs.passed
        if passed == self._passed:
            return
        self._passed = passed
        released = self._inputs.release()
        lost: Lost = [{} for _ in released]
        if any(batch.num_rows for batch in released):
            moments = self._enter(released, lost)
            for start, stop in moments.rounds():
                found = self._matches(moments, start, stop, lost)
                yield from self._give([found], int(moments.times[stop]) if stop < len(moments.times) else passed)
        yield from self._give([], passed)
        yield from _reported(released, lost)
        for side in self._sides:
            side.expire(passed)
        self._forget_keys()

    # -- rows come in --------------------------------------------------------------------------------------------------------

    def _enter(self, released: Sequence[Batch], lost: Lost) -> Moments:
        """Put rows into their windows."""
        arrived = [self._keyed(port, batch, lost[port]) for port, batch in enumerate(released)]
        self._latest["time"][0] = max(self._latest["time"][0], *(times_of(batch)[-1] for batch in released if batch.num_rows))
        bases = [side.log.last for side in self._sides]
        for port, (side, (batch, keys, _)) in enumerate(zip(self._sides, arrived, strict=True)):
            for c in self._order.classes_of(port):
                side.know(c, len(self._keys[c]))
            side.append(batch, keys)
        counts = [batch.num_rows for batch, _, _ in arrived]
        times = np.concatenate([times_of(batch) for batch, _, _ in arrived])
        order = np.argsort(times, kind="stable")
        times, ports = times[order], np.repeat(np.arange(self.ports), counts)[order]
        numbers = np.concatenate([base + np.arange(count) for base, count in zip(bases, counts, strict=True)])[order]
        origins = np.concatenate([origin for _, _, origin in arrived])[order]
        end = [base + np.cumsum(ports == port) - (ports == port) for port, base in enumerate(bases)]
        least = [side.least(times, e) for side, e in zip(self._sides, end, strict=True)]
        return Moments(times, ports, numbers, origins, least, end)

    def _keyed(self, port: int, batch: Batch, lost: dict[int, Failure]) -> tuple[Batch, dict[int, Ids], Ids]:
        """The rows of an input that count, their keys, and their places in the batch; one whose key cannot be told is lost."""
        rows = Rows(batch, self._time)
        meets, columns = self._terms[port].evaluate(rows)
        lost |= rows.failures
        good = rows.good()
        classes = self._order.classes_of(port)
        keys = {c: key_ids(self._keys[c], meets & good, of) for c, of in zip(classes, columns, strict=True)}
        counts = good if self._sides[port].needs_all else np.logical_and.reduce([ids != NONE for ids in keys.values()])
        if counts.all():
            return batch, keys, np.arange(batch.num_rows)
        return batch.filter(pa.array(counts)), {c: ids[counts] for c, ids in keys.items()}, np.flatnonzero(counts)

    def _forget_keys(self) -> None:
        """Forget the keys that no row has, when they are more than half of many."""
        for c, keys in enumerate(self._keys):
            sides = [side for port, side in enumerate(self._sides) if c in self._order.classes_of(port)]
            if len(keys) < max(_LEAST_KEYS, 2 * sum(map(len, sides))):
                continue
            kept = np.unique(np.concatenate([side.live(c) for side in sides]))
            new = np.full(len(keys) + 1, NONE)
            new[kept] = np.arange(len(kept))
            for side in sides:
                side.know(c, len(keys))
                side.renumber(c, kept, new)
            keys.keep(kept)

    # -- matching ------------------------------------------------------------------------------------------------------------

    def _matches(self, moments: Moments, start: int, stop: int, lost: Lost) -> Combinations:
        """What matches the rows from `start` to `stop`, at its ROWTIME."""
        ports = moments.ports[start:stop]
        parts = [self._candidates(moments, port, start + np.flatnonzero(ports == port)) for port in range(self.ports)]
        moment = Combinations.together(parts, self.ports)
        moment = moment.where(in_order([moments.times[moment.at], *moment.numbers]))
        found = Combinations(moments.times[moment.at], moment.numbers)
        holds, failures = self._rest.holds(lambda column: self._column(column, found), len(found))
        for row, failure in failures.items():
            last = moment.at[row]
            port = int(moments.ports[last])
            lost[port].setdefault(int(moments.origins[last]), failure)
            self._sides[port].mark(moments.numbers[last])
        if holds is not None:
            found = found.where(holds)
        for side, numbers in zip(self._sides, found.numbers, strict=True):
            if side.keeps:
                side.mark(numbers)
        return found

    def _candidates(self, moments: Moments, port: int, at: Ids) -> Combinations:
        """For the rows of an input that came at these moments: rows in the others' windows, the keys of all agreeing."""
        numbers = {port: moments.numbers[at]}
        for step in self._order.steps[port]:
            side = self._sides[step.port]
            keys = self._sides[step.by].keys(step.key, numbers[step.by])
            counts, new = side.find(step.key, keys, moments.least[step.port][at], moments.end[step.port][at])
            at, numbers = np.repeat(at, counts), {p: np.repeat(of, counts) for p, of in numbers.items()} | {step.port: new}
            for c, other in step.checks:
                agree = side.keys(c, numbers[step.port]) == self._sides[other].keys(c, numbers[other])
                at, numbers = at[agree], {p: of[agree] for p, of in numbers.items()}
        return Combinations(at, [numbers[p] for p in range(self.ports)])

    # -- rows come out -------------------------------------------------------------------------------------------------------

    def _give(self, parts: list[Combinations], passed: Time) -> Iterator[Output]:
        """Combinations, and the rows without a match that can have none any more, since all before `passed` has come."""
        alone = [
            Combinations.alone(port, *side.unmatched(passed), self.ports) for port, side in enumerate(self._sides) if side.keeps
        ]
        alone = [rows for rows in alone if len(rows)]
        if alone:
            times = np.concatenate([part.at for part in alone])
            last = max(self._latest["time"][0], times[times != END].max(initial=BEGIN))
            self._latest["time"][0] = last
            for part in alone:
                part.at[part.at == END] = last
        given = Combinations.together([*parts, *alone], self.ports)
        if len(given):
            given = given.where(np.argsort(given.at, kind="stable")) if alone else given
            columns = [
                pa.nulls(len(given), type) if column in self._unread else self._column(column, given)
                for column, type in enumerate(self._schema.types)
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=self._schema)

    def _column(self, column: int, rows: Combinations) -> pa.Array:
        """A column of the result."""
        if column == 0:
            return from_numbers(rows.at, pa.timestamp("ms"))
        port, place = self._places[column - 1]
        return self._sides[port].log.column(place, rows.numbers[port])


def _reported(released: Sequence[Batch], lost: Lost) -> Iterator[Failed]:
    """The lost rows of all inputs, in the order of the join."""
    rows = [row for batch, failures in zip(released, lost, strict=True) if failures for row in Failed.of(batch, failures).rows]
    if rows:
        yield Failed(tuple(sorted(rows, key=_time)))


def _time(row: FailedRow) -> Time:
    assert row.rowtime is not None
    return row.rowtime
