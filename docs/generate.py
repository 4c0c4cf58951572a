"""Write what the pages of docs/ say of the code's tables: `python docs/generate.py`.  A test holds the two together."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path

from streamsql.functions import library as _library  # noqa: F401 - fills the tables
from streamsql.functions.registry import AGGREGATES, SCALARS, TABLE_FUNCTIONS, AggregateFunction, ScalarFunction
from streamsql.io.generated import FORMS
from streamsql.io.servers.server import SERVERS, Server
from streamsql.repl.commands import COMMANDS
from streamsql.repl.settings import OPTIONS

TITLES = {
    "operators": "Operators",
    "comparisons": "Comparisons",
    "conditional": "Conditions",
    "numeric": "Numbers",
    "string": "Text",
    "patterns": "LIKE and SIMILAR TO",
    "regex": "Regular expressions",
    "rounding": "Date and time: FLOOR, CEIL and STEP",
    "datetime": "Date and time",
    "intervals": "Intervals",
    "formats": "Date and time as text",
    "periods": "Periods",
    "log_parsers": "Log parsers",
    "athena_text": "Text, as Athena and Redshift have it",
    "athena_time_parts": "Parts of dates and times, as Athena and Redshift have them",
    "athena_time": "Date and time, as Athena and Redshift have it",
    "athena_formats": "Date and time as text, as Athena has it",
    "redshift_formats": "Values as text, as Redshift has them",
    "athena_time_zones": "Time zones",
    "athena_numbers": "Numbers and conditions, as Athena and Redshift have them",
    "trigonometry": "Trigonometry",
    "bits": "Bits",
    "athena_json": "JSON and URLs, as Athena and Redshift have them",
    "athena_patterns": "Regular expressions, as Athena and Redshift have them",
    "athena_arrays": "Arrays, as Athena has them",
    "athena_array_sets": "Arrays as sets",
    "athena_binary": "Binary values, as Athena has them",
    "session": "The session, as Redshift has it",
}

HEAD = """# Functions

Generated from the function table (`streamsql/functions`) by `python docs/generate.py`. Every example is run as a test.

A NULL argument gives NULL unless the text says otherwise. A row for which a function is not defined goes to `error_stream`.
"""


def manual() -> str:
    """The whole page."""
    parts = [HEAD]
    records = [record for overloads in SCALARS.values() for record in overloads]
    for category in dict.fromkeys([*TITLES, *(record.category for record in records)]):
        named = _by_name(record for record in records if record.category == category)
        if named:
            parts.append(f"## {TITLES[category]}\n")
            parts += [_entry(name, overloads) for name, overloads in named.items()]
    parts.append("## Aggregates and analytic functions\n")
    parts.append("`G`: in a GROUP BY. `O`: with OVER.\n")
    parts += [_aggregate(name, overloads) for name, overloads in sorted(AGGREGATES.items())]
    parts.append("## Table functions\n")
    for table_function in TABLE_FUNCTIONS.values():
        arguments = ", ".join(["CURSOR(SELECT STREAM ...)", *table_function.parameters])
        parts.append(f"### {table_function.name}\n\n`TABLE({table_function.name}({arguments}))`\n")
        parts.append(_text(table_function.documentation))
    return "\n".join(parts)


def _by_name(records: Iterable[ScalarFunction]) -> dict[str, list[ScalarFunction]]:
    named: dict[str, list[ScalarFunction]] = {}
    for record in records:
        named.setdefault(record.name, []).append(record)
    return named


def _entry(name: str, overloads: list[ScalarFunction]) -> str:
    documentation = next(iter(dict.fromkeys(_text(o.documentation) for o in overloads)))
    return f"### {_escaped(name)}\n\n{_signatures(overloads)}\n\n{documentation}"


def _aggregate(name: str, overloads: list[AggregateFunction]) -> str:
    uses = [mark for mark, held in (("G", overloads[0].accumulator), ("O", overloads[0].sliding)) if held]
    return f"### {name}\n\n{_signatures(overloads)} ({', '.join(uses)})\n\n{_text(overloads[0].documentation)}"


def _signatures(overloads: Iterable[ScalarFunction | AggregateFunction]) -> str:
    return ", ".join(dict.fromkeys(f"`{overload.signature.text}`" for overload in overloads))


def _text(documentation: str) -> str:
    """A docstring as Markdown: the examples as a block."""
    lines = [line.strip() for line in documentation.strip().splitlines()]
    prose = [line for i, line in enumerate(lines) if not _is_example(lines, i)]
    examples = [line for i, line in enumerate(lines) if _is_example(lines, i)]
    text = "\n".join(prose).strip()
    return f"{text}\n\n```sql\n{chr(10).join(examples)}\n```\n" if examples else f"{text}\n"


def _is_example(lines: list[str], i: int) -> bool:
    return lines[i].startswith((">>>", "...")) or (i > 0 and lines[i] != "" and _is_example(lines, i - 1))


def _escaped(name: str) -> str:
    return f"`{name}`" if not name[0].isalpha() else name


def shell(page: str) -> str:
    """The page of the shell with its tables of commands and settings."""
    commands = [
        (" ".join(f"`{name}`" for name in each.names) + (f" `{each.arguments}`" if each.arguments else ""), each.help)
        for each in COMMANDS
    ]
    settings = [(f"`{name}`", ", ".join(each.values), each.help) for name, each in OPTIONS.items()]
    page = _filled(page, "commands", _table(("command", "what it does"), commands))
    return _filled(page, "settings", _table(("setting", "values", "what it is"), settings))


def foreign_streams(page: str) -> str:
    """The page of foreign streams with its tables of servers and of what a generator fills columns with."""
    servers = "\n".join(_server(server) for server in SERVERS.values())
    described = ((maker.__doc__ or "").partition(": ") for maker in FORMS.values())
    forms = [(f"`{form.replace(' or ', '` or `')}`", what.rstrip(".")) for form, _, what in described]
    return _filled(_filled(page, "servers", servers), "forms", _table(("form", "what"), forms))


def _server(server: Server) -> str:
    options = _table(("option", "what it is"), ((f"`{name}`", text) for name, text in server.options.items()))
    return f"## SERVER {server.name}\n\n{_text(server.documentation)}\n{options}\n"


def _table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = list(titles)
    lines = [titles, ["---"] * len(titles), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _filled(page: str, mark: str, text: str) -> str:
    """The page with a text between `<!-- mark -->` and `<!-- end -->`."""
    return re.sub(rf"(<!-- {mark} -->\n).*?(<!-- end -->)", lambda match: f"{match[1]}{text}\n{match[2]}", page, flags=re.DOTALL)


CONFORMANCE = """# Conformance

Generated from `docs/conformance.toml` and the first lines of `tests/aws/*.slt` by `python docs/generate.py`.

What the documentation of the discontinued service says, page by page and construct by construct, and what StreamSQL makes of it.

* passes: each statement of the page that stands alone is run, with its results where the page gives them.
* differs: it is run as well, and the text says which results or rules are others.
* not supported: nothing here stands for it. [not-supported.md](not-supported.md) says what is meant to come.
"""

ROOT = Path(__file__).parents[1]


def conformance() -> str:
    """The page on what passes, differs and is not supported."""
    records = tomllib.loads((ROOT / "docs/conformance.toml").read_text(encoding="utf-8"))
    tests = tests_of_pages()
    parts = [CONFORMANCE]
    for title, prefix, key in (("The SQL reference", "sqlref/", "reference"), ("The developer guide", "dev/", "guide")):
        parts.append(f"## {title}\n")
        rows: list[tuple[str, str, str, str]] = []
        for page in records[key].split():
            if page in records["unsupported"]:
                rows.append((f"`{page}`", *_state([], records["unsupported"][page])))
            else:
                names = tests.get(prefix + page) or [records["elsewhere"][page]]
                rows.append((f"`{page}`", *_state(names, "; ".join(records["differs"].get(page, [])))))
        parts.append(_table(("page", "state", "how", "tests"), rows) + "\n")
    parts.append("## Constructs\n")
    for section, constructs in records["constructs"].items():
        rows = [(name, *_state([test] if test else [], "; ".join(differs))) for name, test, *differs in constructs]
        parts.append(f"### {section}\n\n{_table(('construct', 'state', 'how', 'tests'), rows)}\n")
    return "\n".join(parts)


def tests_of_pages() -> dict[str, list[str]]:
    """The files of tests/aws for each page, as their first lines say."""
    found: dict[str, list[str]] = {}
    for file in sorted((ROOT / "tests/aws").glob("*.slt")):
        first = file.read_text(encoding="utf-8").partition("\n")[0]
        for page in first.removeprefix("# page: ").split(", "):
            found.setdefault(page, []).append(f"tests/aws/{file.name}")
    return found


def _state(tests: list[str], differs: str) -> tuple[str, str, str]:
    state = "not supported" if not tests else "differs" if differs else "passes"
    return state, differs, ", ".join(f"[{Path(test).name}](../{test})" for test in tests)


PAGES: dict[str, Callable[[str], str]] = {
    "functions.md": lambda _: manual(),
    "repl.md": shell,
    "foreign-streams.md": foreign_streams,
    "conformance.md": lambda _: conformance(),
}
"""How each page is made from what it says now."""


if __name__ == "__main__":
    for name, make in PAGES.items():
        path = Path(__file__).parent / name
        path.write_text(make(path.read_text(encoding="utf-8")), encoding="utf-8")
