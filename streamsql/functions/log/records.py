"""Records made of texts: each text is cut into those of its fields, which are then converted column by column."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.errors import InternalError
from streamsql.functions.cast import converter
from streamsql.functions.formats import char_to_date, char_to_time, char_to_timestamp
from streamsql.functions.log.column_descriptions import Description
from streamsql.rows import Datum, ErrorName, Mask, Rows
from streamsql.types import Family, varchar

Cut = Callable[[str], Sequence[str | None] | None]
"""The texts of the fields of one text; None where it does not fit.  May raise ValueError, which says why not."""

_BY_FORMAT = {Family.DATE: char_to_date, Family.TIME: char_to_time, Family.TIMESTAMP: char_to_timestamp}


def records(rows: Rows, s: Datum, columns: Sequence[Description], cut: Cut, misfit: str | None) -> pa.Array:
    """A record for each text.

    A text that does not fit fails its row with the message `misfit`, or, where that is None, gives a record that is NULL.
    Texts that are the same are cut once.
    """
    texts = rows.column(s).dictionary_encode()
    pieces, reasons = _cut(texts.dictionary.to_pylist(), cut)
    fits = pa.array([each is not None for each in pieces], pa.bool_()).take(texts.indices)
    if misfit is not None:
        failing = pc.fill_null(pc.invert(fits), False).to_numpy(zero_copy_only=False)
        rows.fail(failing, lambda i: reasons.get(texts.indices[i].as_py(), misfit), ErrorName.ARGUMENT)
    present = pc.fill_null(fits, False).to_numpy(zero_copy_only=False)
    arrays: list[pa.Array] = []
    for i, column in enumerate(columns):
        values = pa.array([None if each is None else each[i] for each in pieces], pa.string()).take(texts.indices)
        arrays.append(_converted(rows, values, column, present))
    fields = [column.field.arrow() for column in columns]
    return pa.StructArray.from_arrays(arrays, fields=fields, mask=pa.array(~(present & rows.good())))


def _cut(texts: Sequence[str], cut: Cut) -> tuple[list[Sequence[str | None] | None], dict[int, str]]:
    """The pieces of each text, and by its number what kept a text from being cut."""
    pieces: list[Sequence[str | None] | None] = []
    reasons: dict[int, str] = {}
    for number, text in enumerate(texts):
        try:
            pieces.append(cut(text))
        except ValueError as error:
            pieces.append(None)
            reasons[number] = str(error)
    return pieces, reasons


def _converted(rows: Rows, texts: pa.Array, column: Description, present: Mask) -> pa.Array:
    """The values of one field.  Blanks are NULL in a field that is no text."""
    field = column.field
    if field.type.is_character:
        values = texts
    else:
        values = pc.if_else(pc.equal(pc.utf8_trim_whitespace(texts), ""), pa.scalar(None, pa.string()), texts)
    if column.format is not None:
        values = rows.column(_BY_FORMAT[field.type.family](rows, pa.scalar(column.format), pc.utf8_ltrim_whitespace(values)))
    else:
        convert = converter(varchar(), field.type, assignment=field.type.is_character)
        if convert is None:
            raise InternalError(f"no conversion from text to {field.type}")
        values = rows.column(convert(rows, values))
    if not field.nullable:
        missing = values.is_null().to_numpy(zero_copy_only=False) & present & rows.good()
        rows.fail(missing, f"NULL in column {field.name}, which is NOT NULL", ErrorName.MISSING)
    return values
