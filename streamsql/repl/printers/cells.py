"""Values as texts of one line."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.interval_text import interval_text
from streamsql.io.texts import value_texts
from streamsql.repl.width import INVISIBLE, printable
from streamsql.types import Family, SqlType

_INVISIBLE = f"[{INVISIBLE}]"


def cell_texts(array: pa.Array, type: SqlType) -> pa.Array:
    """Each value as one line of text, NULL for NULL."""
    texts = texts_of(array, type)
    if type.is_character and pc.any(pc.match_substring_regex(texts, _INVISIBLE)).as_py():
        return pa.array([None if text is None else printable(text) for text in texts.to_pylist()], pa.string())
    return texts


def texts_of(array: pa.Array, type: SqlType) -> pa.Array:
    """The text of values of any type, those included that no stream can hold."""
    if not has_own_text(type):
        return value_texts(array, type)
    if type.is_interval and type.qualifier is not None:
        numbers = array.cast(pa.int64()).to_pylist()
        return pa.array([None if n is None else interval_text(n, type.qualifier) for n in numbers], pa.string())
    return pa.array([None if value is None else str(value) for value in array.to_pylist()], pa.string())


def has_own_text(type: SqlType) -> bool:
    return type.is_interval or type.family in (Family.NULL, Family.ROW)


def is_right(type: SqlType) -> bool:
    """Whether values of this type stand to the right of their column."""
    return type.is_numeric or type.is_interval
