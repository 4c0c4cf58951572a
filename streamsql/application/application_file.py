"""What `streamsql run` is given: a script, or a configuration that holds one, and the parameters that fill it in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from streamsql.configuration.document import closest
from streamsql.configuration.model import Code, Configuration
from streamsql.configuration.read import ENDINGS, read_configuration
from streamsql.errors import Error, OperationalError, ProgrammingError
from streamsql.sql.parser import parse
from streamsql.statements.statement import Statement

_PLACEHOLDER = re.compile(r"\$\{([^}]+)\}|%%(\w+)%%")


@dataclass(frozen=True, slots=True)
class ApplicationFile:
    """The SQL of an application, its file, and its configuration if it has one."""

    text: str
    path: Path
    name: str
    """What messages call the place where the SQL is written."""
    configuration: Configuration | None = None

    def statements(self) -> tuple[Statement, ...]:
        """The SQL parsed.  Raises ProgrammingError with its place."""
        try:
            return parse(self.text)
        except Error as error:
            raise error.located(self.text, self.name) from None

    def differs_in_code_alone(self, other: ApplicationFile) -> bool:
        """Whether all that a configuration says besides the SQL is the same."""
        mine, others = (
            None if file.configuration is None else replace(file.configuration, code=Code("", "")) for file in (self, other)
        )
        return mine == others


def read_application(path: Path, parameters: Mapping[str, str]) -> ApplicationFile:
    """Read an application; `PATH#NAME` is the application NAME of a template.

    Raises OperationalError where the file cannot be read, ProgrammingError where it is no configuration and for a parameter
    that it does not take.
    """
    path, wanted = _apart(path)
    text = _read(path)
    if path.suffix.lower() not in ENDINGS:
        _check(parameters, _placeholders(text), path)
        return ApplicationFile(_filled(text, parameters), path, str(path))
    try:
        configuration, taken = read_configuration(text, path.name.partition(".")[0], parameters, wanted)
    except Error as error:
        raise error.located(text, str(path)) from None
    code = configuration.code
    _check(parameters, taken | _placeholders(code.text), path)
    return ApplicationFile(_filled(code.text, parameters), path, f"{path}#{code.key}", configuration)


def _apart(path: Path) -> tuple[Path, str | None]:
    """A path, and the application behind `#`."""
    file, _, name = str(path).rpartition("#")
    return (Path(file), name) if file and name and not path.exists() else (path, None)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise OperationalError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise OperationalError(f"{path} is not UTF-8 text") from None


def _placeholders(text: str) -> set[str]:
    """The names of `${NAME}` and `%%NAME%%` in SQL."""
    return {match[1] or match[2] for match in _PLACEHOLDER.finditer(text)}


def _filled(text: str, parameters: Mapping[str, str]) -> str:
    """SQL with the parameters in the place of placeholders; those for which there is none stay."""
    return _PLACEHOLDER.sub(lambda match: parameters.get(match[1] or match[2], match[0]), text)


def _check(parameters: Mapping[str, str], taken: set[str], path: Path) -> None:
    for name in parameters:
        if name not in taken:
            raise ProgrammingError(f"--parameter {name}: {path} has no such parameter", hint=closest(name, taken))
