"""The command line: `streamsql`, `streamsql run`, `explain`, `discover`, `test`.

What can be known at the start (a wrong option, wrong SQL, a missing input) leaves with 2, a failure while running with 1,
Ctrl-C with 130.  Nothing heavy is imported before a command needs it, so that `streamsql --version` answers at once.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from streamsql import __version__

if TYPE_CHECKING:
    from streamsql.application import Settings
    from streamsql.attach.attacher import Attachments

WRONG, FAILED, INTERRUPTED = 2, 1, 130
"""Exit statuses."""

F = TypeVar("F", bound=Callable[..., Any])


class Named(click.ParamType[tuple[str, str]]):
    """NAME=VALUE; `name` is its form for messages."""

    def __init__(self, name: str = "NAME=URI", may_be_empty: bool = False) -> None:
        self.name = name
        self._may_be_empty = may_be_empty

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        name, equals, text = str(value).partition("=")
        if not equals or not name or not (text or self._may_be_empty):
            self.fail(f"{value!r} is not {self.name}", param, ctx)
        return name, text


NAMED = Named()
PARAMETER = Named("KEY=VALUE", may_be_empty=True)

_ATTACHMENTS = (
    click.option("--input", "inputs", type=NAMED, multiple=True, help="Rows of the stream NAME come from URI."),
    click.option("--output", "outputs", type=NAMED, multiple=True, help="Rows of the stream NAME go to URI; - is stdout."),
    click.option("--reference", "references", type=NAMED, multiple=True, help="The reference table NAME."),
    click.option("--schema", "schemas", type=NAMED, multiple=True, metavar="NAME=FILE", help="Columns of an input or table."),
    click.option("--s3-root", envvar="STREAMSQL_S3_ROOT", metavar="DIR", help="s3://bucket/key means DIR/bucket/key."),
)

_PARAMETER = click.option(
    "--parameter", "parameters", type=PARAMETER, multiple=True, metavar="KEY=VALUE", help="What ${KEY} in the application is."
)

_PROCESSOR = click.option(
    "--processor", "processors", type=NAMED, multiple=True, metavar="NAME=MODULE:FUNCTION", help="What an input's Lambda did."
)

_FORMAT = click.option("--format", "format_", type=click.Choice(["table", "csv", "json"]), help="For rows on stdout.")


def _attachments(command: F) -> F:
    for option in reversed(_ATTACHMENTS):
        command = option(command)
    return command


class _Commands(click.Group):
    """A first argument that is no command is a database for the REPL."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        words = _positional(self, args)
        if words and words[0] not in self.commands:
            ctx.meta["database"] = words[0]
            args = [*args]
            args.remove(words[0])
        return super().parse_args(ctx, args)


def _positional(group: click.Group, args: list[str]) -> list[str]:
    """The arguments that are neither options nor their values."""
    takes_value = {o for p in group.params if isinstance(p, click.Option) and not p.is_flag for o in p.opts}
    found: list[str] = []
    skip = False
    for argument in args:
        if skip:
            skip = False
        elif argument in takes_value:
            skip = True
        elif not argument.startswith("-") or argument == "-":
            found.append(argument)
            break
    return found


@click.group(cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="streamsql", message="%(prog)s %(version)s")
@click.option("-c", "commands", multiple=True, metavar="SQL", help="Run statements, print results, exit.")
@_FORMAT
@click.option("--no-color", is_flag=True, help="The REPL without colours; so does the variable NO_COLOR.")
@_attachments
@click.pass_context
def cli(ctx: click.Context, /, commands: tuple[str, ...], format_: str | None, no_color: bool, **attached: Any) -> None:
    """Run Amazon Kinesis Data Analytics SQL applications anywhere.

    Without a command: the interactive REPL (with a terminal), or statements from stdin (without one).
    DATABASE, a directory, keeps the catalog and progress; without it everything is in memory.
    """
    if ctx.invoked_subcommand is not None:
        return
    if no_color:
        os.environ["NO_COLOR"] = "1"
    with _errors_shown():
        ctx.exit(_session(ctx.meta.get("database"), commands, format_, attached))


def _session(database: str | None, commands: tuple[str, ...], format_: str | None, attached: dict[str, Any]) -> int:
    interactive = not commands and sys.stdin.isatty()
    options: dict[str, Any] = {key: dict(attached[key]) for key in ("inputs", "outputs", "references", "schemas")}
    if interactive:
        from streamsql.repl.session import interactive as run_interactive

        return run_interactive(database, s3_root=attached["s3_root"], **options)
    from streamsql.dbapi import connect
    from streamsql.repl.batch import run_statements

    with connect(database, s3_root=attached["s3_root"], **options) as connection:
        texts = list(commands) if commands else [sys.stdin.read()]
        return run_statements(connection, texts, format_ or "table", sys.stdout, sys.stderr)


@cli.command()
@click.argument("app", type=click.Path(path_type=Path))
@_attachments
@_PARAMETER
@_PROCESSOR
@click.option("--checkpoint", type=click.Path(path_type=Path), metavar="DIR", help="Durable progress: go on where it stopped.")
@click.option("--checkpoint-interval", default="5s", show_default=True, metavar="TIME", help="How far apart checkpoints are.")
@click.option("--fresh", is_flag=True, help="Forget the checkpoint and start over.")
@_FORMAT
@click.option("--explain", "explained", is_flag=True, help="Print the plans on stderr before the run.")
@click.option("--dry-run", is_flag=True, help="Check SQL, inputs and outputs, and run nothing.")
@click.option("--watch", is_flag=True, help="Reload the application when its file changes; what stays the same keeps its state.")
@click.option("--metrics", type=click.IntRange(0, 65_535), metavar="PORT", help="Serve Prometheus metrics on 127.0.0.1:PORT.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="For stderr.")
def run(
    app: Path,
    checkpoint: Path | None,
    checkpoint_interval: str,
    fresh: bool,
    format_: str | None,
    explained: bool,
    dry_run: bool,
    watch: bool,
    metrics: int | None,
    log_format: str,
    **attached: Any,
) -> None:
    """Run the application APP headless."""
    with _errors_shown(log_format):
        from streamsql.application.headless import Surroundings
        from streamsql.application.headless import run as run_headless
        from streamsql.io.uri import parse_duration
        from streamsql.monitor.log import Log

        settings = _settings(attached)
        settings.checkpoint, settings.fresh, settings.format = checkpoint, fresh, format_
        settings.checkpoint_seconds = parse_duration(checkpoint_interval) / 1000
        surroundings = Surroundings(metrics=metrics, explain=explained, dry_run=dry_run, watch=watch)
        surroundings.live = surroundings.live and log_format == "text"
        sys.exit(run_headless(app, settings, surroundings, Log(sys.stderr, log_format)))


@cli.command()
@click.argument("app", type=click.Path(path_type=Path))
@_attachments
@_PARAMETER
@_PROCESSOR
def explain(app: Path, **attached: Any) -> None:
    """Print the plans of the application APP."""
    with _errors_shown():
        from streamsql.application import Trial
        from streamsql.monitor.log import Log

        click.echo(Trial(app, _settings(attached), Log(sys.stderr)).plans)


@cli.command()
@click.argument("uri")
@click.option("--json", "as_json", is_flag=True, help="Print the DiscoverInputSchema form.")
@click.option("--s3-root", envvar="STREAMSQL_S3_ROOT", metavar="DIR", help="s3://bucket/key means DIR/bucket/key.")
def discover(uri: str, as_json: bool, s3_root: str | None) -> None:
    """Infer the schema of URI and print it as a CREATE FOREIGN STREAM statement."""
    with _errors_shown():
        from streamsql.configuration.discovery import input_schema, statement

        click.echo((input_schema if as_json else statement)(uri, s3_root))


@cli.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--match", metavar="TEXT", default="", help="Only tests with this in their names.")
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write the outcomes as JUnit's XML.")
def test(paths: tuple[Path, ...], match: str, junit: Path | None) -> None:
    """Run the SQL tests in files and folders: --@test blocks with a virtual clock."""
    with _errors_shown():
        from streamsql.errors import ProgrammingError
        from streamsql.testing import files, report, runner

        tests = [each for path in files.found(paths) for each in files.read(path) if match.lower() in each.name.lower()]
        if not tests:
            raise ProgrammingError("no tests", hint="a test begins with a line --@test: NAME")
        outcomes = []
        for each in tests:
            outcomes.append(runner.run(each))
            click.echo(report.line(outcomes[-1]))
        click.echo(report.summary(outcomes))
        if junit is not None:
            report.write_junit(outcomes, junit)
        sys.exit(FAILED if any(not outcome.passed for outcome in outcomes) else 0)


def _settings(attached: dict[str, Any]) -> Settings:
    from streamsql.application import Settings

    return Settings(attachments=_attachments_of(attached), parameters=dict(attached["parameters"]))


def _attachments_of(attached: dict[str, Any]) -> Attachments:
    from streamsql.attach.attacher import Attachments

    return Attachments(
        inputs=dict(attached["inputs"]),
        outputs=dict(attached["outputs"]),
        references=dict(attached["references"]),
        schemas=dict(attached["schemas"]),
        processors=dict(attached["processors"]),
        s3_root=attached["s3_root"],
    )


@contextlib.contextmanager
def _errors_shown(log_format: str = "text") -> Iterator[None]:
    """Print a user's mistake as one, and leave with its status; a reader that goes away is none."""
    from streamsql.errors import Error

    try:
        yield
    except BrokenPipeError:
        # nobody reads stdout any more: keep the interpreter from complaining when it flushes it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Error as error:
        from streamsql.monitor.log import Log

        Log(sys.stderr, log_format).error(error)
        sys.exit(WRONG)


def main() -> None:
    """The entry point."""
    try:
        cli(prog_name="streamsql")
    except SystemExit as left:
        if left.code == INTERRUPTED:
            _leave_unfinished_requests()
        raise


def _leave_unfinished_requests() -> None:
    """Leave now, where requests to S3 are under way whose answers nobody waits for any more."""
    read_ahead = sys.modules.get("streamsql.external.scan.read_ahead")
    if read_ahead is not None and read_ahead.under_way():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(INTERRUPTED)
