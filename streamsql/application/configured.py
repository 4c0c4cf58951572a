"""Attaching what a configuration says: its inputs, outputs and reference tables, with local stand-ins for those of the cloud."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from streamsql.attach.attacher import Attacher, Attachments
from streamsql.attach.foreign import matched
from streamsql.attach.mentions import system_columns
from streamsql.attach.schema_file import schema_of
from streamsql.catalog import Stream, Table
from streamsql.configuration.model import Configuration, Input, Output, Reference
from streamsql.engine.engine import Engine
from streamsql.errors import ProgrammingError
from streamsql.io.formats import with_default_format
from streamsql.io.layout import RecordSchema
from streamsql.io.metadata import MetadataSource, shard_id
from streamsql.io.processing import Processor
from streamsql.io.source import Source
from streamsql.io.uri import Uri, parse_uri
from streamsql.run.operators.shard import Shard
from streamsql.statements.statement import Statement
from streamsql.types import SHARD_ID_FIELD, Schema

S3_BUCKET = "arn:aws:s3:::"


@dataclass(frozen=True, slots=True)
class StandIn:
    """An input of the configuration, or one stream of it: the URI of its rows, and the streams that they go to."""

    given: str
    uri: str
    streams: tuple[str, ...]
    schema: RecordSchema
    input: Input


class ConfiguredAttacher(Attacher):
    """Attaches the inputs, outputs and reference tables of a configuration, and those that are given besides."""

    def __init__(
        self, engine: Engine, attachments: Attachments, configuration: Configuration, wake: Callable[[], None] = lambda: None
    ) -> None:
        self._configuration = configuration
        self._given = attachments
        self._schemas = {input_.prefix: self._schema(input_) for input_ in configuration.inputs}
        self._stand_ins = [stand_in for input_ in configuration.inputs for stand_in in self._stand_ins_of(input_)]
        self._tables = {r.table: _given_for(attachments.references, r.table) for r in configuration.references}
        own = {name for input_ in configuration.inputs for name in (input_.prefix, *input_.streams)} | set(self._tables)
        others = replace(
            attachments,
            inputs=_without(attachments.inputs, own),
            references=_without(attachments.references, own),
            schemas=_without(attachments.schemas, own),
            processors=_without(attachments.processors, own),
            outputs=_outputs(configuration.outputs, attachments.outputs),
        )
        super().__init__(engine, others, wake)

    def _schema(self, input_: Input) -> RecordSchema:
        """What `--schema` says of an input comes before what the configuration says: local records may look otherwise."""
        files = (_given_for(self._given.schemas, name) for name in (input_.prefix, *input_.streams))
        file = next((given[1] for given in files if given is not None), None)
        return input_.schema if file is None else schema_of(Path(file))

    def _stand_ins_of(self, input_: Input) -> Iterator[StandIn]:
        schema = self._schemas[input_.prefix]
        whole = _given_for(self._given.inputs, input_.prefix)
        if whole is not None:
            yield StandIn(*whole, input_.streams, schema, input_)
        for name in input_.streams:
            given = _given_for(self._given.inputs, name)
            if given is not None and whole is not None:
                text = f"--input {given[0]}: the rows of {input_.prefix} come from --input {whole[0]} already"
                raise ProgrammingError(text, hint="give all of the input, or its streams one by one")
            if given is not None:
                yield StandIn(*given, (name,), schema, input_)

    def record_schemas(self) -> dict[str, RecordSchema]:
        return {**super().record_schemas(), **self._schemas, **{r.table: r.schema for r in self._configuration.references}}

    def declare(self, statements: Sequence[Statement]) -> None:
        self._system = system_columns(statements)
        for reference in self._configuration.references:
            self._engine.catalog.relations[reference.table] = self._table(reference)
        for input_ in self._configuration.inputs:
            for name in input_.streams:
                self._engine.declare_stream(Stream(name, Schema.stream(self._schemas[input_.prefix].fields, self._system)))
                self.declared.add(name)
        super().declare(statements)

    def open_inputs(self) -> None:
        self._check()
        for stand_in in self._stand_ins:
            self._open_stand_in(stand_in)
        super().open_inputs()

    def open_input_of(self, stream: str) -> bool:
        found = next((stand_in for stand_in in self._stand_ins if stream in stand_in.streams), None)
        if found is None:
            return super().open_input_of(stream)
        self._open_stand_in(found)
        return True

    def _open_stand_in(self, stand_in: StandIn) -> None:
        uri = parse_uri(stand_in.uri)
        source = self._open(uri, stand_in.schema, self._processor_of(stand_in.input, uri))
        streams = [self._engine.catalog.find_stream(name, None) for name in stand_in.streams]
        if len(streams) == 1:
            self._feed(streams[0], source, uri)
        else:
            self._spread(streams, source, uri)

    def _processor_of(self, input_: Input, uri: Uri) -> Processor | None:
        """The function that stands in for the Lambda function of an input, or is given all the same."""
        given = self._function(input_)
        if given is None:
            return None
        is_firehose = "Firehose" in input_.source.kind
        return self.processor(*given[:1], uri, given[1], self._configuration.name, input_.source.arn, is_firehose)

    def _function(self, input_: Input) -> tuple[str, str] | None:
        options = (_given_for(self._given.processors, name) for name in (input_.prefix, *input_.streams))
        return next((given for given in options if given is not None), None)

    def _spread(self, streams: Sequence[Stream], source: Source, uri: Uri) -> None:
        """Let the shards of an input go to streams, one shard to each."""
        pipeline, columns = self._engine.pipeline, streams[0].schema
        system = (*(field for field in columns.system if field != SHARD_ID_FIELD), SHARD_ID_FIELD)
        with_shard = Schema((*(field for field in columns.fields if field not in columns.system), *system))
        sharded = MetadataSource(source, system, self._engine.clock, len(streams))
        vertex = self._enter(f"input {streams[0].name} to {streams[-1].name}", sharded, with_shard, uri)
        for number, stream in enumerate(streams):
            shard = Shard(len(with_shard.fields) - 1, shard_id(number), stream.schema.arrow())
            reader = pipeline.add(f"shard {stream.name}", shard, "null")
            pipeline.connect(vertex, reader, 0)
            pipeline.join(reader, pipeline.hub(stream.name))

    def _table(self, reference: Reference) -> Table:
        """A reference table; without rows where nothing stands in for its object, which is enough for EXPLAIN."""
        uri = self._object(reference)
        if uri is None:
            return Table(reference.table, Schema(reference.schema.fields), Schema(reference.schema.fields).arrow().empty_table())
        return self._reference(reference.table, uri, reference.schema)

    def _object(self, reference: Reference) -> str | None:
        """Where the rows of a reference table are: the object itself where there is a folder for buckets."""
        given = self._tables[reference.table]
        if given is not None:
            return given[1]
        arn = reference.bucket.arn
        if self._given.s3_root is None or not arn.startswith(S3_BUCKET):
            return None
        return f"s3://{arn.removeprefix(S3_BUCKET)}/{reference.key}"

    def _check(self) -> None:
        """Raise where something of the cloud has no stand-in."""
        missing: list[tuple[str, str]] = []
        fed = {name for stand_in in self._stand_ins for name in stand_in.streams}
        for input_ in self._configuration.inputs:
            if not fed.intersection(input_.streams):
                missing.append((f"{input_.source} of input {input_.prefix}", f"--input {input_.prefix}=URI"))
            else:
                missing += [(f"stream {name}", f"--input {name}=URI") for name in input_.streams if name not in fed]
        for input_ in self._configuration.inputs:
            if input_.processor is not None and self._function(input_) is None:
                option = f"--processor {input_.prefix}=module:function"
                missing.append((f"{input_.processor} of input {input_.prefix}", option))
        for reference in self._configuration.references:
            if self._object(reference) is None:
                what = f"{reference.key} in {reference.bucket} of table {reference.table}"
                missing.append((what, f"--reference {reference.table}=URI"))
        if self._given.outputs:  # with none at all, stdout takes what no pump reads
            outputs = {matched(given, {o.stream for o in self._configuration.outputs}) for given in self._given.outputs}
            for output in self._configuration.outputs:
                if output.stream not in outputs:
                    what = f"{output.destination} of output {output.stream}"
                    missing.append((what, f"--output {output.stream}=URI"))
        if missing:
            text = "; ".join(what for what, _ in missing)
            raise ProgrammingError(f"nothing stands in for {text}", hint=" ".join(option for _, option in missing))


def attacher(engine: Engine, attachments: Attachments, configuration: Configuration | None, wake: Callable[[], None]) -> Attacher:
    """What attaches inputs and outputs to an engine, by a configuration where there is one."""
    if configuration is None:
        return Attacher(engine, attachments, wake)
    return ConfiguredAttacher(engine, attachments, configuration, wake)


def _given_for(given: Mapping[str, str], name: str) -> tuple[str, str] | None:
    """The option that names something, exactly or else in upper case, and its value."""
    return next(((key, value) for key, value in given.items() if matched(key, (name,)) == name), None)


def _without(given: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    """The options that name none of these."""
    return {key: value for key, value in given.items() if matched(key, names) not in names}


def _outputs(outputs: Iterable[Output], given: Mapping[str, str]) -> dict[str, str]:
    """The URIs of outputs, in the format of the configuration where they do not say one themselves."""
    formats = {output.stream: output.format for output in outputs}
    found = {key: formats.get(matched(key, formats)) for key in given}
    return {key: uri if (format := found[key]) is None else with_default_format(uri, format) for key, uri in given.items()}
