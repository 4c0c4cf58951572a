"""Time as the engine counts it, and the only clocks that may be asked.

A `Time` is a whole number of milliseconds since 1970-01-01 00:00:00 UTC: the resolution of the dialect's TIMESTAMP.
"""

from __future__ import annotations

import time as _time
from datetime import UTC, datetime, timedelta
from typing import Protocol

Time = int
"""Milliseconds since 1970, UTC."""

BEGIN: Time = -(2**63)
"""Before every row: the bound of a source that has promised nothing."""

END: Time = 2**63 - 1
"""After every row: the bound of a source that has finished."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """What may be asked the time: the wall clock in service, a manual one in tests."""

    def now(self) -> Time:
        """Milliseconds since 1970, UTC."""
        ...


class WallClock:
    """The computer's clock."""

    def now(self) -> Time:
        return _time.time_ns() // 1_000_000


class ManualClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self, now: Time = 0) -> None:
        self._now = now

    def now(self) -> Time:
        return self._now

    def set(self, now: Time) -> None:
        """Move the clock to `now`."""
        self._now = now


def from_datetime(value: datetime) -> Time:
    """A `datetime` as `Time`; one without a zone is taken as UTC, fractions below a millisecond are cut."""
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return (value - _EPOCH) // timedelta(milliseconds=1)


def timestamp_text(t: Time) -> str:
    """A time as output records show it.

    >>> timestamp_text(0)
    '1970-01-01 00:00:00.000'
    """
    seconds, milliseconds = divmod(t, 1000)
    if not -62_135_596_800 <= seconds <= 253_402_300_799:
        return f"{t} ms"  # outside the years 1 to 9999, which the text form cannot show
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S").zfill(19) + f".{milliseconds:03d}"
