"""Times in other zones.  There is no type with a zone: a time is one of UTC, or after these functions one of a wall's clock."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.functions.athena.time_units import STAMP, by_text, stamps
from streamsql.functions.registry import scalar
from streamsql.rows import Datum, Rows


def _by_zone(rows: Rows, zone: Datum, t: Datum, function: Callable[[str], Datum]) -> Datum:
    """What `function` gives for the zone of each row; a row whose zone is none fails, where the time is not NULL."""

    def at(name: str) -> Datum:
        try:
            return function(name)
        except pa.ArrowInvalid:
            raise ValueError(f"no time zone {name}") from None

    return by_text(rows, zone, STAMP, [t], at)


def _to(name: str, t: Datum) -> Datum:
    """UTC as the clock of a zone shows it."""
    return pc.local_timestamp(pc.assume_timezone(t, "UTC").cast(pa.timestamp("ms", name)))


def _from(name: str, t: Datum) -> Datum:
    """What the clock of a zone shows as UTC: the first time of two, and the end of a gap."""
    return pc.assume_timezone(t, name, ambiguous="earliest", nonexistent="latest").cast(pa.timestamp("ms", "UTC")).cast(STAMP)


@scalar("AT_TIMEZONE(t: MOMENT, zone: CHARACTER) -> TIMESTAMP", fails=True)
def at_timezone(rows: Rows, t: Datum, zone: Datum) -> Datum:
    """The time that a clock of the zone shows at a time of UTC; `t AT TIME ZONE zone` is the same.

    >>> AT_TIMEZONE(TIMESTAMP '2004-07-01 12:00:00', 'America/New_York')
    2004-07-01 08:00:00
    """
    return _by_zone(rows, zone, t, lambda name: _to(name, stamps(t)))


@scalar("CONVERT_TIMEZONE(target: CHARACTER, t: MOMENT) -> TIMESTAMP", fails=True)
def convert_timezone(rows: Rows, target: Datum, t: Datum) -> Datum:
    """The time that a clock of the zone `target` shows at a time of UTC.

    >>> CONVERT_TIMEZONE('Asia/Tokyo', TIMESTAMP '2004-07-01 12:00:00')
    2004-07-01 21:00:00
    """
    return at_timezone(rows, t, target)


@scalar("CONVERT_TIMEZONE(source: CHARACTER, target: CHARACTER, t: MOMENT) -> TIMESTAMP", fails=True)
def convert_between(rows: Rows, source: Datum, target: Datum, t: Datum) -> Datum:
    """The time that a clock of the zone `target` shows when one of the zone `source` shows `t`.

    >>> CONVERT_TIMEZONE('America/New_York', 'Europe/Berlin', TIMESTAMP '2004-07-01 12:00:00')
    2004-07-01 18:00:00
    """
    utc = _by_zone(rows, source, t, lambda name: _from(name, stamps(t)))
    return _by_zone(rows, target, utc, lambda name: _to(name, utc))
