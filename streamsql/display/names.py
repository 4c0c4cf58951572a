"""The names of the catalog as a user writes them."""

from __future__ import annotations

import re

from streamsql.catalog import Function
from streamsql.sql import tables

_PLAIN = re.compile(r"[^\W\d][\w$]*")


def spelled(name: str, any_case: bool = False) -> str:
    """A name of the catalog as it must be written, with quotes where it needs them.

    `any_case`: of a table or a column of one, which match in any case.
    """
    reserved = tables.scanner().lists.get(name.upper()) in ("RESERVED", "RESERVED_FUNCTION")
    if (any_case or name == name.upper()) and _PLAIN.fullmatch(name) and not reserved:
        return name
    return '"' + name.replace('"', '""') + '"'


def signature_of(function: Function) -> str:
    """A function of the application as the manual writes those of the dialect."""
    parameters = ", ".join(f"{spelled(p.name.name)}: {p.type}" for p in function.statement.parameters)
    return f"{spelled(function.name)}({parameters}) -> {function.statement.returns}"
