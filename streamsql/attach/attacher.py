"""Inputs, outputs and reference tables of an engine: URIs to sources and sinks at named streams.

What the command line and `connect()` have in common.  Which stream an input feeds, and with which columns, is settled here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from streamsql.attach.foreign import ForeignStreams, WaitingOutlets, matched
from streamsql.attach.mentions import missing_tables, names_of, system_columns
from streamsql.attach.processors import function_named
from streamsql.attach.schema_file import schema_of
from streamsql.bind.scope import folded
from streamsql.catalog import Stream, Table, nearest
from streamsql.engine.engine import Engine
from streamsql.engine.foreign import server_of
from streamsql.errors import OperationalError, ProgrammingError
from streamsql.io.layout import RecordSchema
from streamsql.io.metadata import MetadataSource
from streamsql.io.open import check_sink, open_sink, open_source
from streamsql.io.processing import Processor
from streamsql.io.sinks.sink import Sink
from streamsql.io.source import Source
from streamsql.io.uri import Uri, parse_uri
from streamsql.run.graph import Vertex
from streamsql.run.operators.merge import Merge
from streamsql.run.operators.retime import Retime
from streamsql.statements.statement import Statement
from streamsql.statements.streaming import CreateForeignStream, CreateStream
from streamsql.types import SYSTEM_FIELDS, Batch, Field, Schema


def _nothing() -> None:
    pass


@dataclass(slots=True)
class Attachments:
    """What is to be attached to an engine: URIs by name, as the user gave them."""

    inputs: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    schemas: dict[str, str] = field(default_factory=dict)
    s3_root: str | None = None
    processors: dict[str, str] = field(default_factory=dict)


class SinkOutlet:
    """Passes a stream's visible columns to a sink, and counts them."""

    def __init__(self, sink: Sink, schema: Schema) -> None:
        self.sink = sink
        self.rows = 0
        self._columns = list(schema.visible_indices)

    def write(self, batch: Batch) -> None:
        self.rows += batch.num_rows
        self.sink.write(batch.select(self._columns))

    def end(self) -> None:
        pass


class Attacher:
    """Attaches inputs, outputs and reference tables to one engine."""

    def __init__(self, engine: Engine, attachments: Attachments, wake: Callable[[], None] = _nothing) -> None:
        self._engine = engine
        self._attachments = replace(attachments, inputs=dict(attachments.inputs), outputs=dict(attachments.outputs))
        self.foreign = ForeignStreams(engine)
        self.waiting = WaitingOutlets(engine)
        self._wake = wake
        self._opened: dict[str, tuple[Source, Uri]] = {}
        self._used_schemas: set[str] = set()
        engine.system_fields = self._system_of
        self._system: tuple[Field, ...] = SYSTEM_FIELDS
        """The system columns that streams of inputs have: those that anything names, where that is known beforehand."""
        self.declared: set[str] = set()
        """The streams that no statement creates: they have the columns of their inputs."""

    def declare(self, statements: Sequence[Statement]) -> None:
        """Before the statements are executed: the streams and tables that they read and do not create."""
        mentioned, created = names_of(statements)
        self._system = system_columns(statements)
        for option in self._attachments.processors:
            if matched(option, self._attachments.inputs) not in self._attachments.inputs:
                hint = nearest(option, self._attachments.inputs)
                raise ProgrammingError(f"--processor {option}: no input of this name", hint=hint)
        for given, text in self._attachments.references.items():
            name = matched(given, mentioned)
            self._engine.catalog.relations[name] = self._reference(name, text, self._declared(given))
        for given, text in self._attachments.inputs.items():
            if matched(given, created) in created:
                continue
            self._declare_input(given, matched(given, mentioned), text)
        for given in self._attachments.schemas:
            self._declare_only(given, mentioned, created)
        for table in missing_tables(statements, {*created, *self._engine.catalog.relations}):
            name = folded(table.this)
            hint = f"--input {name}=URI brings its rows, --schema {name}=FILE its columns"
            raise ProgrammingError(f"no stream {name}", table.meta.get("span"), hint)

    def _declare_input(self, given: str, name: str, text: str) -> None:
        """A stream that nobody creates, with the columns of its input."""
        uri = parse_uri(text)
        source = self._open(uri, self._declared(given), self._processor(given, uri))
        self._opened[given] = (source, uri)
        columns = [f for f in source.schema.fields if not f.hidden]
        self._engine.declare_stream(Stream(name, Schema.stream(columns, self._system)))
        self.declared.add(name)

    def _declare_only(self, given: str, mentioned: Iterable[str], created: Iterable[str]) -> None:
        """A schema without an input: enough for EXPLAIN."""
        name = matched(given, mentioned)
        if given in self._attachments.inputs or given in self._attachments.references or name in created:
            return
        declared = self._declared(given)
        assert declared is not None
        self._engine.declare_stream(Stream(name, Schema.stream(declared.fields, self._system)))
        self.declared.add(name)

    @property
    def everything(self) -> Attachments:
        """What is attached, foreign streams among it."""
        return self._attachments

    def record_schemas(self) -> dict[str, RecordSchema]:
        """How the records of inputs and tables become rows, where that is declared, by the names they are given by."""
        return {given: schema_of(Path(file)) for given, file in self._attachments.schemas.items()}

    def adopt(self) -> None:
        """Let the foreign streams that are read or written be inputs and outputs."""
        self.foreign.adopt(self._attachments.inputs, self._attachments.outputs)

    def open_inputs(self) -> None:
        """After the statements: let the rows of every input enter its stream."""
        for given in self._attachments.inputs:
            name = matched(given, self._engine.catalog.relations)
            stream = self._engine.catalog.relation(name)
            if not isinstance(stream, Stream):
                known = [s.name for s in self._engine.catalog.streams()]
                raise ProgrammingError(f"--input {given}: no stream of this name", hint=nearest(given, known))
            self._open_input(given, stream)

    def open_input_of(self, stream: str) -> bool:
        """Let the rows of the input of a stream enter it; False where it has none."""
        relation = self._engine.catalog.relation(stream)
        given = [each for each in self._attachments.inputs if matched(each, self._engine.catalog.relations) == stream]
        if not given or not isinstance(relation, Stream):
            return False
        self._open_input(given[0], relation)
        return True

    def _open_input(self, given: str, stream: Stream) -> None:
        """Let the rows of one input enter its stream."""
        if given in self._opened:
            source, uri = self._opened[given]
        else:
            uri = parse_uri(self._attachments.inputs[given])
            declared = self._declared(given)
            columns = stream.schema.visible
            declared = RecordSchema(columns) if declared is None else replace(declared, fields=columns)
            source = self._open(uri, declared, self._processor(given, uri))
        self._feed(stream, source, uri)

    def _system_of(self, statement: CreateStream | CreateForeignStream) -> tuple[Field, ...]:
        """The system columns of a stream that a statement creates: none, unless an input or a server may feed it."""
        name = statement.name.name
        fed = any(matched(given, (name,)) == name for given in self._attachments.inputs)
        return self._system if fed or (isinstance(statement, CreateForeignStream) and server_of(statement).reads) else ()

    def _feed(self, stream: Stream, source: Source, uri: Uri) -> None:
        """Let the rows of a source enter a stream."""
        pipeline = self._engine.pipeline
        if stream.schema.system:
            source = MetadataSource(source, stream.schema.system, self._engine.clock)
        hub = pipeline.hub(stream.name)
        self.waiting.take(stream.name)
        name = f"input {stream.name}"
        if source.schema.is_stream:
            pipeline.join(self._enter(name, source, stream.schema, uri), hub)
        else:
            pipeline.feed(name, source, hub, pipeline.new_writer(hub))

    def _enter(self, name: str, source: Source, schema: Schema, uri: Uri) -> Vertex:
        """The vertex by which the rows of a source enter the graph, in the order of their ROWTIME."""
        pipeline, replay = self._engine.pipeline, source.schema.is_stream
        lateness = uri.options.lateness or 0
        entry = Retime(schema.arrow(), 0, lateness, (), (), self._engine.time) if replay else Merge(schema.arrow(), 1)
        vertex = pipeline.add(name, entry, "null")
        pipeline.feed(name, source, vertex, 0)
        return vertex

    def open_outputs(self, staging: Path | None, resume: bool) -> dict[str, SinkOutlet]:
        """A sink for each named output, in the order in which they were given."""
        outlets: dict[str, SinkOutlet] = {}
        for stream, text in self._outputs():
            place = None if staging is None else staging / safe_name(stream.name)
            sink = open_sink(text, stream.schema, place, resume=resume, s3_root=self._attachments.s3_root)
            outlets[stream.name] = self.outlet(stream.name, sink)
        return outlets

    def check_outputs(self) -> None:
        """Raise what can be known to be wrong with the outputs, and open none."""
        for _, text in self._outputs():
            check_sink(text, s3_root=self._attachments.s3_root)

    def _outputs(self) -> Iterator[tuple[Stream, str]]:
        for given, text in self._attachments.outputs.items():
            stream = self._engine.catalog.relation(matched(given, self._engine.catalog.relations))
            if not isinstance(stream, Stream):
                known = [s.name for s in self._engine.catalog.streams()]
                raise ProgrammingError(f"--output {given}: no stream of this name", hint=nearest(given, known))
            yield stream, text

    def outlet(self, stream: str, sink: Sink) -> SinkOutlet:
        """Let the rows of a stream go to a sink."""
        hub = self._engine.pipeline.hub(stream)
        relation = self._engine.catalog.relation(stream)
        assert isinstance(relation, Stream)
        outlet = SinkOutlet(sink, relation.schema)
        for batch in self.waiting.take(stream):
            outlet.write(batch)
        hub.outlets.append(outlet)
        return outlet

    def _open(self, uri: Uri, declared: RecordSchema | None, processor: Processor | None = None) -> Source:
        root = self._attachments.s3_root
        declared = declared or RecordSchema(())
        return open_source(
            uri,
            Schema(declared.fields) if declared.fields else None,
            format=declared.format,
            layout=declared.layout,
            processor=processor,
            s3_root=root,
            wake=self._wake,
            clock=self._engine.clock,
        )

    def _processor(self, given: str, uri: Uri) -> Processor | None:
        """The function that the records of an input pass, if `--processor` names one."""
        option = next((name for name in self._attachments.processors if matched(name, (given,)) == given), None)
        return None if option is None else self.processor(option, uri, self._attachments.processors[option])

    def processor(
        self, option: str, uri: Uri, function: str, application: str = "local", stream_arn: str = "", is_firehose: bool = False
    ) -> Processor:
        """A function with what its events say; records arrive when the run begins, those of a pipe when they come."""
        engine = self._engine
        return Processor(
            function_named(function, f"--processor {option}"),
            function,
            option,
            f"arn:aws:kinesisanalytics:us-east-1:000000000000:application/{application}",
            stream_arn or f"arn:aws:kinesis:us-east-1:000000000000:stream/{option}",
            is_firehose,
            engine.clock.now if uri.is_standard else lambda: engine.started or 0,
        )

    def _reference(self, name: str, text: str, declared: RecordSchema | None) -> Table:
        source = self._open(parse_uri(text), declared)
        batches: list[Batch] = []
        while True:
            polled = source.poll(65_536)
            if polled.rows is not None:
                batches.append(polled.rows)
            if polled.failed is not None:
                failure = polled.failed.rows[0].failure
                raise OperationalError(f"reference table {name}: {failure.name}: {failure.message}")
            if polled.ended:
                break
        source.close()
        return Table(name, source.schema, pa.Table.from_batches(batches, source.schema.arrow()))

    def _declared(self, given: str) -> RecordSchema | None:
        """What `--schema` says of the columns of a name."""
        file = self._attachments.schemas.get(given)
        return None if file is None else schema_of(Path(file))


def safe_name(name: str) -> str:
    """A stream's name as a directory name."""
    return "".join(c if c.isalnum() or c in "-_" else f"%{ord(c):02x}" for c in name)
