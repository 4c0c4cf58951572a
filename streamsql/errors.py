"""Every error a user can see, as PEP 249 classes that know where in the text they happened.

An error is raised with a message in the user's words, a `Span` and a `hint`; whoever holds the text (the engine, the
command line) calls `located` once, and `render` then prints it: one line that names file, line and column, the source
line, a caret under the span, and the hint.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

RENDER_WIDTH = 80
"""Columns of a terminal that a rendered source line may take; longer lines are cut around the span."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a statement's text.  Lines and columns count from 1; `end_column` is the first column after it."""

    line: int
    column: int
    end_line: int
    end_column: int

    @staticmethod
    def point(line: int, column: int) -> Span:
        """The span of one character."""
        return Span(line, column, line, column + 1)

    def to(self, other: Span) -> Span:
        """From the start of this span to the end of `other`."""
        return Span(self.line, self.column, other.end_line, other.end_column)


class Warning(Exception):
    """Important warnings, as PEP 249 asks."""


class Error(Exception):
    """The base of all errors of StreamSQL.

    `span` says where in the statement's text, `hint` what to do about it; `source` and `file` are attached at the boundary
    that knows the text.  A traceback shows the hint, too.
    """

    def __init__(self, message: str, span: Span | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.hint = hint
        self.source: str | None = None
        self.file: str | None = None
        if hint:
            self.add_note(f"  hint: {hint}")

    @property
    def line(self) -> int | None:
        """The line of the error, from 1, where it has a place in the text."""
        return self.span.line if self.span else None

    @property
    def column(self) -> int | None:
        """The column of the error, from 1, where it has a place in the text."""
        return self.span.column if self.span else None

    def located(self, source: str, file: str | None = None) -> Error:
        """Attach the text that the span points into; the innermost holder of the text wins."""
        if self.source is None:
            self.source, self.file = source, file
        return self

    def show_in_traceback(self) -> None:
        """Let a traceback show all that is known: the line, a caret and the hint."""
        heading, _, rest = self.render().partition("\n")
        if rest:
            self.__notes__ = [f"{heading}\n{rest}" if self.span else rest]

    def render(self) -> str:
        """The error as the command line prints it, without the `streamsql: ` in front.

        >>> print(ProgrammingError("no column PRICES", Span(1, 8, 1, 14), "PRICE").located("SELECT prices FROM t").render())
        <input>:1:8: no column PRICES
          1 | SELECT prices FROM t
                     ^^^^^^
          hint: PRICE
        """
        lines = [self._heading()]
        if self.span and self.source is not None:
            lines += _excerpt(self.source, self.span)
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)

    def _heading(self) -> str:
        if self.span:
            return f"{self.file or '<input>'}:{self.span.line}:{self.span.column}: {self.message}"
        return self.message


class InterfaceError(Error):
    """The library was used in a way it does not allow (a closed cursor, a wrong number of parameters)."""


class DatabaseError(Error):
    """The base of everything that concerns statements and data."""


class DataError(DatabaseError):
    """A value that cannot be processed: out of range, division by zero, not convertible."""


class OperationalError(DatabaseError):
    """What fails outside the statement: files, storage, interruption, time-outs."""


class IntegrityError(DatabaseError):
    """A rule between objects is broken, as when a stream is dropped that a pump still reads."""


class InternalError(DatabaseError):
    """The engine contradicts itself: always a defect of StreamSQL."""


class ProgrammingError(DatabaseError):
    """The SQL is wrong: syntax, names, types."""


class NotSupportedError(DatabaseError):
    """The SQL is right, and StreamSQL does not carry it out."""


def not_supported(what: str, span: Span | None = None, hint: str | None = None) -> NotSupportedError:
    """The one wording for what is not there yet; docs/not-supported.md lists them."""
    return NotSupportedError(f"not supported yet: {what}", span, hint)


def reserved_word(word: str, span: Span) -> ProgrammingError:
    """The error for a reserved word that is written as a name."""
    hint = f'as a name it is written in double quotes: "{word}"'
    return ProgrammingError(f"{word.upper()} is a reserved word", span, hint)


def _width(text: str) -> int:
    """Terminal columns that `text` takes: wide characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _excerpt(source: str, span: Span) -> list[str]:
    """The first source line of `span` and a line of carets under it."""
    lines = source.splitlines() or [""]
    number = min(span.line, len(lines))
    text = lines[number - 1].replace("\t", " ")
    start = min(span.column - 1, len(text))
    end = span.end_column - 1 if span.end_line == span.line else len(text)
    end = max(min(end, len(text)), start)
    prefix = f"  {number} | "
    room = RENDER_WIDTH - len(prefix)
    if _width(text) > room:
        cut = max(0, min(start - room // 3, len(text) - room))
        head = "..." if cut else ""
        body = text[cut : cut + room - len(head)]
        text, start, end = head + body, start - cut + len(head), end - cut + len(head)
        end = min(end, len(text))
    carets = "^" * max(1, _width(text[start:end]))
    return [prefix + text.rstrip(), " " * (len(prefix) + _width(text[:start])) + carets]
