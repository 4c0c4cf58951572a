"""Values as texts of one line."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.display.width import INVISIBLE, printable
from streamsql.io.texts import value_texts
from streamsql.types import SqlType

_INVISIBLE = f"[{INVISIBLE}]"


def cell_texts(array: pa.Array, type: SqlType) -> pa.Array:
    """Each value as one line of text, NULL for NULL."""
    texts = value_texts(array, type)
    if type.is_character and pc.any(pc.match_substring_regex(texts, _INVISIBLE)).as_py():
        return pa.array([None if text is None else printable(text) for text in texts.to_pylist()], pa.string())
    return texts


def is_right(type: SqlType) -> bool:
    """Whether values of this type stand to the right of their column."""
    return type.is_numeric or type.is_interval
