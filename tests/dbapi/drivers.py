"""The modules that the compliance suite is run against: ours, and sqlite3, which checks the suite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import streamsql


@dataclass(frozen=True)
class Driver:
    """A PEP 249 module, and where it goes its own way."""

    module: ModuleType
    create: str
    """A statement that makes the relation BOOZE, with the columns NAME (text) and STRENGTH (a number)."""
    has_type_objects: bool
    """Whether there are STRING, NUMBER and their like, and type codes in `description`."""
    fetch_needs_query: bool
    """Whether fetching without a query raises, as the PEP asks."""
    arguments: tuple[Any, ...] = ()

    def connect(self) -> Any:
        return self.module.connect(*self.arguments)

    def rows(self, values: Sequence[int]) -> str:
        """A query that gives these numbers as the column N."""
        return " UNION ALL ".join(f"SELECT {value} AS n" for value in values)


DRIVERS = {
    "streamsql": Driver(
        streamsql, "CREATE STREAM booze (name VARCHAR(40), strength DOUBLE)", has_type_objects=True, fetch_needs_query=True
    ),
    "sqlite3": Driver(
        sqlite3,
        "CREATE TABLE booze (name VARCHAR(40), strength DOUBLE)",
        has_type_objects=False,
        fetch_needs_query=False,
        arguments=(":memory:",),
    ),
}
