"""Signatures of functions, as they stand in the function table.

A signature is `NAME(parameter: TYPE, ...) -> RESULT`; NAME may have several words, as `IS NOT NULL`.  A parameter's TYPE is

* a type name (`DOUBLE`, `VARCHAR`, `TIMESTAMP` ...): the argument is converted to it where the dialect converts implicitly;
* a family (`NUMERIC`, `INTEGRAL`, `EXACT`, `CHARACTER`, `BINARYSTRING`, `BOOLEAN`, `DATE`, `TIME`, `TIMESTAMP`, `DATETIME`,
  `MOMENT` (a DATE or a TIMESTAMP), `INTERVAL`, `DAYTIME`, `YEARMONTH`, `COMPARABLE`, `ANY`): the argument stays as it is;
* `T`: all arguments so marked are converted to their common type;
* `UNIT` or `WORD`: not a value but a keyword (`MINUTE`, `LEADING`), passed to the implementation as a `str`.  To a
  `returns=` rule the type of a UNIT is the interval of that unit: `interval("MINUTE")`.

`parameter?: TYPE` may be left out, `parameter...: TYPE` takes any number.  Words between parameters (`t: T BY i: INTERVAL`)
are documentation.  RESULT is a type name, a parameter's name (its type, after conversion), or comes from `returns=`.  Of a
function with `record=` it is RECORD; its fields come from the values of the other arguments, which must be constants.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from streamsql.errors import InternalError


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a signature."""

    name: str
    type: str
    optional: bool = False
    variadic: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """`NAME(parameters) -> result`, parsed; `text` is as written, for the manual."""

    name: str
    parameters: tuple[Parameter, ...]
    result: str
    text: str

    @property
    def least(self) -> int:
        """The fewest arguments that fit; a list of them has one at least."""
        return sum(not p.optional for p in self.parameters)

    @property
    def most(self) -> int | None:
        """The most arguments that fit; None: any number."""
        return None if any(p.variadic for p in self.parameters) else len(self.parameters)

    def parameter(self, position: int) -> Parameter:
        """The parameter that takes the argument at this position."""
        return self.parameters[min(position, len(self.parameters) - 1)]


_SIGNATURE = re.compile(r"^(?P<name>[^(]+)\((?P<parameters>.*)\)(?:\s*->\s*(?P<result>\w+))?$", re.DOTALL)
_PARAMETER = re.compile(r"(\w+)(\?|\.\.\.)?:\s*(\w+)")


def parse_signature(text: str) -> Signature:
    """Parse a signature; a malformed one is a defect of the table.

    >>> parse_signature("STEP(t: TIMESTAMP BY i: INTERVAL) -> t").parameters[1].type
    'INTERVAL'
    """
    match = _SIGNATURE.match(text.strip())
    if match is None:
        raise InternalError(f"malformed signature {text!r}")
    parameters = tuple(
        Parameter(name, type_, mark == "?", mark == "...") for name, mark, type_ in _PARAMETER.findall(match["parameters"])
    )
    return Signature(match["name"], parameters, match["result"] or "", text.strip())
