"""JSON records by the paths of an InputSchema: values from within a record, and rows from the elements of an array.

* A path leads to NULL where something on its way is not there; of several members of one name the last counts.
* Each row that RecordRowPath leads to is one; an array there stands for its elements.
* Where a path goes on behind `[n:]` there is a row for each element, and the values beside the array stand in all of them.  A
  member that an element has not is NULL.  An array without such elements, or none at all, gives one row.
* An array or object as a value is its source text.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from streamsql.io.blocks import Decoded
from streamsql.io.conversion import Nested, Value
from streamsql.io.decoding import RowBuilder, Target
from streamsql.io.json.records import Members, Record, add_row, decoded, element_sources, member_source
from streamsql.io.json_path import From, JsonPath, Step, common_elements


class _Place(NamedTuple):
    """A value in a record, and the members and elements that lead to it from the root."""

    value: Any
    trail: tuple[str | int, ...]


class MappedDecoder:
    """Decodes lines record by record: the value of each column of the target is where its path leads."""

    def __init__(self, target: Target, row_path: JsonPath, paths: tuple[JsonPath, ...]) -> None:
        self._target = target
        self._rows = row_path.steps
        self._paths = paths
        self._elements = common_elements(paths)
        declared = target.rowtime_index
        self._rowtime = len(target.fields) if declared is None else declared

    def decode(self, block: bytes) -> Decoded:
        """Decode whole lines."""
        return decoded(block, self._target, self._add)

    def _add(self, record: Record, builder: RowBuilder) -> None:
        root = _Place(record.members, ())
        for row in _rows(root, self._rows):
            for element in self._elements_of(row):
                values = self._values(record, row, element)
                if self._rowtime not in values and self._target.rowtime is not None:
                    step = (self._target.rowtime,)
                    values[self._rowtime] = _value(record, _follow(row, step) or _follow(root, step))
                add_row(builder, self._target, self._rowtime, values, record.text)

    def _elements_of(self, row: _Place | None) -> list[_Place | None]:
        """The elements that become rows; one without a value where there are none."""
        if self._elements is None:
            return [None]
        return _elements(_follow(row, self._elements[:-1]), self._elements[-1]) or [None]

    def _values(self, record: Record, row: _Place | None, element: _Place | None) -> dict[int, Value]:
        values: dict[int, Value] = {}
        for index, path in enumerate(self._paths):
            elements = path.elements
            place = _follow(row, path.steps) if elements is None else _follow(element, path.steps[len(elements) :])
            values[index] = _value(record, place)
        return values


def _rows(root: _Place, steps: tuple[Step, ...]) -> list[_Place | None]:
    """The rows of a record; one without values where there are none."""
    places: list[_Place | None] = [root]
    if steps and isinstance(steps[0], From):
        steps = steps[1:]  # an array of records was taken apart before
    for step in steps:
        places = [
            found
            for place in places
            for found in (_elements(place, step) if isinstance(step, From) else [_follow(place, (step,))])
            if found is not None
        ]
    rows = [row for place in places for row in (_elements(place, From(0)) if _is_array(place) else [place])]
    return rows or [None]


def _elements(place: _Place | None, step: Step) -> list[_Place | None]:
    if place is None or not _is_array(place) or not isinstance(step, From):
        return []
    found: list[_Place | None] = [_Place(value, (*place.trail, index)) for index, value in enumerate(place.value)]
    return found[step.first :]


def _follow(place: _Place | None, steps: tuple[Step, ...]) -> _Place | None:
    """Where steps lead, None where one of them leads nowhere; `[n:]` at the end stays at the array."""
    for step in steps:
        if place is None:
            return None
        if isinstance(step, str):
            place = _member(place, step)
        elif not _is_array(place):
            return None
        elif isinstance(step, int):
            place = _Place(place.value[step], (*place.trail, step)) if step < len(place.value) else None
        elif step.first:
            return _Place(place.value[step.first :], (*place.trail, -step.first))
    return place


def _member(place: _Place, name: str) -> _Place | None:
    if isinstance(place.value, Members):
        for key, value in reversed(place.value):
            if key == name:
                return _Place(value, (*place.trail, name))
    return None


def _is_array(place: _Place | None) -> bool:
    return place is not None and isinstance(place.value, list) and not isinstance(place.value, Members)


def _value(record: Record, place: _Place | None) -> Value:
    if place is None or not isinstance(place.value, list):
        value: Value = None if place is None else place.value
        return value
    text = record.text
    for step in place.trail:
        if isinstance(step, str):
            text = member_source(text, step)
        elif step >= 0:
            text = element_sources(text)[step]
        else:  # all from an element on
            text = f"[{','.join(element_sources(text)[-step:])}]"
    return Nested(text)
