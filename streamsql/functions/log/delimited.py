"""A text cut at its delimiters, as a line of CSV is: escapes and quotes hide them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delimited:
    """How a text is delimited.  `quotes` are the characters that begin and end what is quoted, or none."""

    delimiter: str
    escape: str = ""
    quotes: str = ""

    def cut(self, text: str, count: int) -> list[str | None]:
        """The first fields of a text; NULL for those that are empty without quotes, or not there.

        Raises ValueError where a quote has no end.
        """
        fields = self._split(text) if self.escape or self.quotes else [part or None for part in text.split(self.delimiter)]
        return [*fields[:count], *[None] * (count - len(fields))]

    def _split(self, text: str) -> list[str | None]:
        fields: list[str | None] = []
        field, is_quoted, at = "", False, 0
        hidden = [part for part in (self.delimiter, self.escape, *self.quotes) if part]
        while at < len(text):
            escaped = next((p for p in hidden if text.startswith(self.escape + p, at)), None) if self.escape else None
            if escaped is not None:
                field, at = field + escaped, at + len(self.escape) + len(escaped)
            elif text.startswith(self.delimiter, at):
                fields.append(field or ("" if is_quoted else None))
                field, is_quoted, at = "", False, at + len(self.delimiter)
            elif self.quotes and text[at] == self.quotes[0]:
                quoted, at = self._quoted(text, at + 1)
                field, is_quoted = field + quoted, True
            else:
                field, at = field + text[at], at + 1
        return [*fields, field or ("" if is_quoted else None)]

    def _quoted(self, text: str, at: int) -> tuple[str, int]:
        """What stands between quotes, and where it goes on behind them; a quote that is doubled is one."""
        start, end, quoted = at, self.quotes[-1], ""
        while at < len(text):
            if self.escape and text.startswith(self.escape + end, at):
                quoted, at = quoted + end, at + len(self.escape) + 1
            elif text[at] != end:
                quoted, at = quoted + text[at], at + 1
            elif text.startswith(end, at + 1):
                quoted, at = quoted + end, at + 2
            else:
                return quoted, at + 1
        raise ValueError(f"the quote at {start - 1} has no end")
