"""Times rounded to a part of a unit by hand: FLOOR(t TO HOUR) + EXTRACT(MINUTE FROM t) / 15 * INTERVAL '15' MINUTE.

The second summand goes back to its start with every hour, so the rules for sums call the whole not monotonic.  It never goes
back all the same, as long as what the second summand loses at a change of the hour is no more than what the first one gains.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import floor
from typing import Any

from streamsql.expressions.nodes import Call, Constant, Expression, Word

Ascends = Callable[[Expression], bool]

_DAY = 86_400_000
_SHORTEST = {
    "SECOND": 1_000,
    "MINUTE": 60_000,
    "HOUR": 3_600_000,
    "DAY": _DAY,
    "MONTH": 28 * _DAY,
    "YEAR": 365 * _DAY,
}
"""The least by which FLOOR(t TO unit) grows when it changes, in milliseconds."""

_FIELDS = {
    "SECOND": ("MINUTE", 0.0, 59.999),
    "MINUTE": ("HOUR", 0.0, 59.0),
    "HOUR": ("DAY", 0.0, 23.0),
    "DAY": ("MONTH", 1.0, 31.0),
    "MONTH": ("YEAR", 1.0, 12.0),
}
"""Within which unit a field of a time ascends, from where to where."""

_NUMBER_ROUNDING, _INTERVAL_ROUNDING = 1e-6, 0.5
"""How far a computed fraction, or the milliseconds of an interval, may be from the exact ones."""


@dataclass(frozen=True, slots=True)
class _Stairs:
    """A value that keeps still while a `unit` of the time lasts, and grows by `step` milliseconds or more at its end."""

    time: Expression
    unit: str
    step: float


@dataclass(frozen=True, slots=True)
class _Climb:
    """A value between `low` and `high` that ascends while the unit around a field of the time lasts.

    It grows by `step` or more whenever the field does.  `whole`: it has no fractions.
    """

    time: Expression
    field: str
    low: float
    high: float
    step: float
    whole: bool

    def scaled(self, factor: float, whole: bool, slack: float = 0.0) -> _Climb:
        """So many times as much, give or take what is lost in rounding."""
        low, high = self.low * factor - slack, self.high * factor + slack
        return _Climb(self.time, self.field, low, high, max(0.0, self.step * factor - 2 * slack), whole)

    def cut(self) -> _Climb:
        """Without its fractions, so that it may stand still for a while."""
        return _Climb(self.time, self.field, floor(self.low), floor(self.high), floor(self.step), True)


def is_staircase(expression: Expression, ascends: Ascends) -> bool:
    """Whether a sum never goes back; `ascends` says so of the time that it is made of."""
    stairs = _stairs(expression)
    return stairs is not None and ascends(stairs.time)


def _stairs(expression: Expression) -> _Stairs | None:
    match expression:
        case Call(function=function, arguments=(time, Word(word=unit))) if function.name == "FLOOR" and unit in _SHORTEST:
            return _Stairs(time, unit, _SHORTEST[unit])
        case Call(function=function, arguments=(one, other)) if function.name == "+":
            return _sum(_stairs(one), _climb(other)) or _sum(_stairs(other), _climb(one))
        case _:
            return None


def _sum(stairs: _Stairs | None, climb: _Climb | None) -> _Stairs | None:
    """Stairs whose single steps a climb fills."""
    if stairs is None or climb is None or stairs.time != climb.time or _FIELDS[climb.field][0] != stairs.unit:
        return None
    step = min(climb.step, stairs.step - (climb.high - climb.low))
    return _Stairs(stairs.time, climb.field, step) if step >= 0 else None


def _climb(expression: Expression) -> _Climb | None:
    match expression:
        case Call(function=function, arguments=(Word(word=field), time)) if function.name == "EXTRACT" and field in _FIELDS:
            _, low, high = _FIELDS[field]
            return _Climb(time, field, low, high, 0.001 if field == "SECOND" else 1.0, field != "SECOND")
        case Call(function=function, arguments=(one, Constant(value=factor))) if function.name in ("*", "/"):
            return _scaled(expression, function.name, one, factor)
        case Call(function=function, arguments=(Constant(value=factor), one)) if function.name == "*":
            return _scaled(expression, "*", one, factor)
        case Call(function=function, arguments=(one,)) if function.name == "FLOOR":
            climb = _climb(one)
            return None if climb is None else climb.cut()
        case _:
            return None


def _scaled(expression: Call, operator: str, one: Expression, factor: Any) -> _Climb | None:
    """A climb times a positive constant, or divided by one; whole numbers are divided without a remainder."""
    climb = _climb(one)
    if climb is None or factor is None or not factor > 0:
        return None
    if climb.whole and isinstance(factor, int):
        return climb.scaled(factor, True) if operator == "*" else climb.scaled(1 / factor, False).cut()
    times = float(factor) if operator == "*" else 1 / float(factor)
    return climb.scaled(times, False, _INTERVAL_ROUNDING if expression.type.is_interval else _NUMBER_ROUNDING)
