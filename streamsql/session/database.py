"""What a connection keeps under its path.

    PATH/catalog.sql       the catalog, an SQL script
    PATH/partitions/       the partitions of the external tables (see `streamsql.session.partition_files`)
    PATH/checkpoints/      state of the pumps, positions in the inputs, staged output (see `streamsql.run.checkpoint`)
    PATH/lock              held by the process that has the database open

Kept are databases and external tables, functions, streams, views, pumps and whether they run, what they have gathered, how far
the inputs and outputs are and which they are.  Not kept are registered tables, queries that run, and which database is in use.
The checkpoint holds its own copy of the script, so that catalog and state always belong together; the file is for people, and
is read where there is no checkpoint.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from streamsql.bind.uses import functions_of
from streamsql.catalog import Function, Stream, View
from streamsql.engine.engine import Engine
from streamsql.engine.layout import Open, layout_of, rebuild
from streamsql.errors import Error, OperationalError
from streamsql.external.databases import DEFAULT, Databases
from streamsql.external.ddl_text import database_text, schema_text, table_text
from streamsql.plan.explain import explain
from streamsql.run import error_stream
from streamsql.run.checkpoint import Checkpoint, CheckpointDirectory
from streamsql.session.partition_files import PartitionFiles
from streamsql.sql.parser import parse
from streamsql.statements.statement import Statement
from streamsql.statements.streaming import AlterPump, CreateFunction, CreatePump, CreateView

CATALOG = "catalog.sql"


class Database:
    """The directory of one connection, locked as long as it is open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._directory = CheckpointDirectory(path / "checkpoints")
        self._epoch = 0
        self._script: str | None = None
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock: IO[bytes] = (path / "lock").open("ab")
        except OSError as error:
            raise OperationalError(f"cannot open the database {str(path)!r}: {error.strerror}") from None
        _lock(self._lock, path)
        self._directory.open(fresh=False)
        self.partitions = PartitionFiles(path / "partitions")

    @property
    def staging(self) -> Path:
        """Where outputs keep what is not committed yet."""
        return self._directory.staging

    def latest(self) -> Checkpoint | None:
        """The newest checkpoint."""
        checkpoint = self._directory.latest()
        if checkpoint is not None:
            self._epoch = checkpoint.epoch
        return checkpoint

    def statements(self, checkpoint: Checkpoint | None) -> tuple[Statement, ...]:
        """The statements that make the catalog."""
        file = self.path / CATALOG
        if checkpoint is not None:
            self._script = checkpoint.facts["catalog"]
        elif file.exists():
            self._script = file.read_text(encoding="utf-8")
        try:
            return parse(self._script) if self._script and _has_statements(self._script) else ()
        except Error as error:
            raise error.located(self._script or "", str(file)) from None

    def save(
        self, engine: Engine, attached: Mapping[str, Any], staged: Mapping[str, Any], tables: Sequence[Mapping[str, Any]]
    ) -> None:
        """Make a checkpoint, and write the script where it has changed."""
        facts, state = engine.save()
        script = script_of(engine)
        facts |= {"catalog": script, "layout": layout_of(engine), "attached": attached, "staged": staged, "tables": tables}
        self.partitions.save(engine)
        kept = {name: containers for name, containers in state.items() if not name.startswith("query ")}
        self._epoch += 1
        self._directory.save(Checkpoint(self._epoch, fingerprint_of(engine), facts, kept))
        if script != self._script:
            partial = self.path / (CATALOG + ".tmp")
            partial.write_text(script, encoding="utf-8")
            partial.replace(self.path / CATALOG)
            self._script = script

    def close(self) -> None:
        """Let another process have it."""
        self._lock.close()


def restore_catalog(engine: Engine, statements: tuple[Statement, ...]) -> None:
    """Enter what a script names; pumps do not run yet.

    A view and a function are not looked into: what they use may not be there now, or not yet.
    """
    for statement in statements:
        match statement:
            case CreatePump(name=name):
                engine.execute(replace(statement, started=False))
                engine.catalog.pumps[name.name] = replace(engine.catalog.pumps[name.name], statement=statement)
            case CreateView(name=name):
                engine.catalog.relations[name.name] = View(name.name, statement, engine.catalog.databases.current)
            case CreateFunction(name=name):
                known = engine.catalog.functions.get(name.name, ())
                engine.catalog.functions[name.name] = (*known, Function(name.name, statement))
            case AlterPump():
                pass  # which pumps run is in the layout
            case _:
                engine.execute(statement)
    engine.catalog.databases.current = DEFAULT
    engine.warnings.clear()


def restore_state(engine: Engine, checkpoint: Checkpoint, open_input: Open) -> None:
    """Let a restored catalog go on where it was."""
    facts, state = rebuild(engine, checkpoint.facts, checkpoint.state, open_input)
    now = fingerprint_of(engine)
    changed = [pump for pump, digest in checkpoint.fingerprint.items() if now.get(pump) != digest]
    if changed:
        text = f"the state of {', '.join(changed)} was kept by another version of StreamSQL, which planned it in another way"
        raise OperationalError(text, hint=f"without the directory checkpoints, {CATALOG} is executed anew")
    engine.load(facts, state)


def script_of(engine: Engine) -> str:
    """The catalog as an SQL script."""
    script = _Script()
    script.add_external(engine.catalog.databases)
    functions = [function for overloads in engine.catalog.functions.values() for function in overloads]
    functions.sort(key=lambda function: len(functions_of(engine.catalog, function.statement.body)))  # first those that are called
    for function in functions:
        script.add(function.statement.text)
    for relation in engine.catalog.relations.values():
        if isinstance(relation, Stream) and relation.name != error_stream.NAME:
            script.add(_text(relation))
        elif isinstance(relation, View):
            script.add(relation.statement.text, relation.database)
    for pump in engine.catalog.pumps.values():
        script.add(pump.statement.text, pump.database)
        runs = engine.pumps.runs(pump.name)
        if runs != pump.statement.started:
            script.add(f"ALTER PUMP {_quoted(pump.name)} {'START' if runs else 'STOP'}")
    return script.text()


class _Script:
    """Statements one after the other, each in its database."""

    def __init__(self) -> None:
        self._lines = ["-- StreamSQL: the catalog of this database, written by the program"]
        self._current = DEFAULT

    def add(self, statement: str, database: str | None = None) -> None:
        """A statement, and the database in which its names are looked up."""
        if database is not None and database != self._current:
            self._lines.append(f"USE {_quoted(database)};")
            self._current = database
        self._lines.append(f"{statement};")

    def add_external(self, databases: Databases) -> None:
        """Databases, external schemas and tables; partitions have files of their own."""
        for database in databases:
            if database.name != DEFAULT or database.properties:
                self.add(database_text(database))
        for schema in databases.schemas.values():
            self.add(schema_text(schema))
        for database in databases:
            for table in database.tables.values():
                self.add(table_text(table))

    def text(self) -> str:
        return "\n\n".join(self._lines) + "\n"


def fingerprint_of(engine: Engine) -> dict[str, str]:
    """A digest of the plan of every pump that runs."""
    plans = {p.name: engine.plan_of(p.statement) for p in engine.catalog.pumps.values() if engine.pumps.runs(p.name)}
    return {name: hashlib.sha256(explain(plan).encode()).hexdigest()[:16] for name, plan in plans.items()}


def _text(stream: Stream) -> str:
    if stream.statement is not None and stream.statement.text:
        return stream.statement.text
    columns = [f"{_quoted(f.name)} {f.type}{'' if f.nullable else ' NOT NULL'}" for f in stream.schema.visible]
    return f"CREATE OR REPLACE STREAM {_quoted(stream.name)} ({', '.join(columns)})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _has_statements(script: str) -> bool:
    """Whether a script is more than the remark at its head."""
    return any(line.strip() and not line.lstrip().startswith("--") for line in script.splitlines())


def _lock(file: IO[bytes], path: Path) -> None:
    """Let no other process open the database."""
    try:
        import fcntl
    except ImportError:  # pragma: no cover - elsewhere than on Unix nothing guards it
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise OperationalError(f"the database {str(path)!r} is open elsewhere", hint="close it there first") from None
