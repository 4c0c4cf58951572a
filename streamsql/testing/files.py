"""SqlTest files: what stands in front of the first `--@test` line is for every test, a test goes on to the next such line.

    RUN SCRIPT 'app.sql';

    --@test: a window is complete when time has passed it
    INSERT INTO s (ROWTIME, k) VALUES (TIMESTAMP '2026-01-01 00:00:01', 'a');
    ADVANCE TO '2026-01-01 00:01:00';
    ASSERT VALUES counts (k, n) VALUES ('a', 1);

A step is a statement of the dialect or one of a test; each keeps its place in the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from streamsql.errors import OperationalError, ProgrammingError, Span
from streamsql.sql.parser import split

_DIRECTIVE = re.compile(r"^[ \t]*--@([\w.]+):[ \t]*(.*?)[ \t]*$", re.MULTILINE)

TEST, EXPECTED = "test", "expected.error"
DIRECTIVES = (TEST, EXPECTED)


@dataclass(frozen=True, slots=True)
class Step:
    """One statement; the text stands behind as many line ends and blanks as in its file, so that places in it are those there."""

    text: str
    line: int

    def words(self) -> str:
        """The statement on one line, for a list of what was done."""
        return " ".join(self.text.split())


@dataclass(frozen=True, slots=True)
class SqlTest:
    """One test: its name, its line, its steps behind those of every test, and the error that it must end with, if any."""

    file: Path
    name: str
    line: int
    steps: tuple[Step, ...]
    expected_error: str | None = None


@dataclass(slots=True)
class _Section:
    name: str
    line: int
    start: int
    expected: str | None = None
    parts: list[tuple[int, int]] = field(default_factory=list)


def read(path: Path) -> list[SqlTest]:
    """The tests of a file.  Raises OperationalError for one that cannot be read, ProgrammingError for a wrong directive."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise OperationalError(f"cannot read {path}: {reason}") from None
    return parse(text, path)


def parse(text: str, path: Path) -> list[SqlTest]:
    """The tests in a text."""
    sections = [_Section("", 1, 0)]
    for match in _DIRECTIVE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        kind, value = match[1], match[2]
        if kind not in DIRECTIVES:
            span = Span(line, match.start(1) - match.start() - 2, line, match.end(1) - match.start() + 1)
            known = ", ".join(f"--@{name}" for name in DIRECTIVES)
            raise ProgrammingError(f"no directive --@{kind}", span, f"there are {known}").located(text, str(path))
        if kind == TEST:
            sections[-1].parts.append((sections[-1].start, match.start()))
            sections.append(_Section(value or f"line {line}", line, match.end()))
        elif len(sections) == 1:
            span = Span.point(line, 1)
            error = ProgrammingError("--@expected.error belongs into a test", span, "behind its --@test line")
            raise error.located(text, str(path))
        else:
            sections[-1].expected = value
    sections[-1].parts.append((sections[-1].start, len(text)))
    first, *tests = sections
    common = tuple(_steps(text, first))
    return [SqlTest(path, each.name, each.line, (*common, *_steps(text, each)), each.expected) for each in tests]


def _steps(text: str, section: _Section) -> Iterator[Step]:
    for start, end in section.parts:
        piece = text[start:end]
        at = 0
        for statement, _ in split(piece):
            at = piece.index(statement, at)
            before = text[: start + at].split("\n")
            yield Step("\n" * (len(before) - 1) + " " * len(before[-1]) + statement, len(before))
            at += len(statement)


def found(paths: tuple[Path, ...]) -> list[Path]:
    """The test files among some files and folders: of a folder all `.sql` files with a test in them, at any depth."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += [file for file in sorted(path.rglob("*.sql")) if _has_tests(file)]
        elif path.exists():
            files.append(path)
        else:
            raise OperationalError(f"no such file or folder: {path}")
    return files


def _has_tests(path: Path) -> bool:
    return any(match[1] == TEST for match in _DIRECTIVE.finditer(path.read_text(encoding="utf-8", errors="replace")))
