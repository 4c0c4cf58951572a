"""How the text of an input is laid out, where its format leaves that open, and how it becomes columns."""

from __future__ import annotations

from dataclasses import dataclass

from streamsql.io.json_path import ROOT, JsonPath
from streamsql.types import Field


@dataclass(frozen=True, slots=True)
class Layout:
    """What can be said of the records of a text format."""

    header: bool = True
    """CSV: whether there is a line of names; an input's `?header=` comes first."""
    column_delimiter: str = ","
    """CSV: what stands between fields."""
    row_delimiter: str = "\n"
    """CSV: what stands behind records.  A line feed means lines, however they end."""
    encoding: str = "utf-8"
    """As Python calls it."""
    row_path: JsonPath = ROOT
    """JSON: where in a record its rows are."""
    paths: tuple[JsonPath, ...] | None = None
    """JSON: where in a row the value of each column is; None: at the member of the column's name, in any case."""

    @property
    def members(self) -> tuple[str, ...] | None:
        """The member of the record that feeds each column exactly; None where paths say more than that."""
        if self.paths is None or self.row_path != ROOT:
            return None
        members = tuple(member for path in self.paths if (member := path.member) is not None)
        return members if len(set(members)) == len(self.paths) else None


PLAIN = Layout()


@dataclass(frozen=True, slots=True)
class RecordSchema:
    """The columns of an input and, where an InputSchema declares them, its format and layout.

    Without a `format` the input's name tells it.
    """

    fields: tuple[Field, ...]
    format: str | None = None
    layout: Layout = PLAIN
