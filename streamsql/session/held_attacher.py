"""Inputs, outputs and reference tables of a session, whose statements come one by one.

An input is held until the first pump or query reads its stream, so that no row passes by before somebody looks.  A stream
that nobody creates gets its columns from the input, when a statement first names it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamsql.attach.attacher import Attacher, Attachments, SinkOutlet, safe_name
from streamsql.attach.foreign import matched
from streamsql.attach.mentions import names_of
from streamsql.catalog import Stream, Table
from streamsql.engine.engine import Engine
from streamsql.engine.foreign import foreign_streams
from streamsql.errors import OperationalError
from streamsql.io.open import check_source, open_sink
from streamsql.io.uri import parse_uri
from streamsql.plan.nodes import streams_of
from streamsql.run.graph import Vertex
from streamsql.statements.statement import Statement
from streamsql.statements.streaming import CreatePump, Insert, Query
from streamsql.time import END


@dataclass(slots=True)
class Output:
    """A sink at a stream; `committed` counts the rows that a commit has made visible."""

    given: str
    uri: str
    outlet: SinkOutlet
    hub: Vertex
    columns: str
    committed: int = 0


@dataclass(frozen=True, slots=True)
class Attached:
    """An input, output or reference table, for whoever asks: `state` is waiting, reading, ended, failed, open or read."""

    name: str
    kind: str
    uri: str
    state: str
    rows: int


class HeldAttacher(Attacher):
    """Attaches what was given to `connect()` as soon as it is needed."""

    def __init__(self, engine: Engine, attachments: Attachments, wake: Callable[[], None], staging: Path | None) -> None:
        super().__init__(engine, attachments, wake)
        self.outputs: dict[str, Output] = {}
        """By stream."""
        self.warnings: list[str] = []
        self._staging = staging
        self._held = dict.fromkeys(attachments.inputs)
        self._fed: dict[str, str] = {}
        self._ended: set[str] = set()
        self._references = dict(attachments.references)
        self.reference_names: set[str] = set()
        """The tables that were read from `references`."""

    def check(self) -> None:
        """Raise what can be known to be wrong before any statement is executed."""
        attached = self._attachments
        for given in attached.schemas:
            self._declared(given)
        for given, text in {**attached.references, **{given: attached.inputs[given] for given in self._held}}.items():
            self._check_input(given, text)

    def _check_input(self, given: str, text: str) -> None:
        if parse_uri(text).is_standard and self._staging is not None:
            raise OperationalError(f"input {given}: stdin cannot be read again, so a database cannot keep its progress")
        check_source(text, s3_root=self._attachments.s3_root)

    # -- around each statement -----------------------------------------------------------------------------------------

    def declare_mentioned(self, statements: Sequence[Statement]) -> None:
        """Before statements are executed: the streams and tables that they read and that an input or a file stands for."""
        mentioned, created = names_of(statements)
        reading = [statement for statement in statements if isinstance(statement, (CreatePump, Insert, Query))]
        begun = self.foreign.begun(reading, names_of(reading)[0], self._attachments.inputs, self._matched_names())
        for name, uri in begun.items():
            self._check_input(name, uri)
        if any(isinstance(statement, Insert) for statement in statements):
            self.waiting.wait_for(self._without_output())
        wanted = mentioned - created - set(self._engine.catalog.relations)
        for given, text in list(self._references.items()):
            name = matched(given, wanted)
            if name in wanted:
                self._engine.catalog.relations[name] = self._reference(name, text, self._declared(given))
                self.reference_names.add(name)
                del self._references[given]
        for given in self._held:
            name = matched(given, wanted)
            if name in wanted:
                self._declare_input(given, name, self._attachments.inputs[given])
        for given in self._attachments.schemas:
            if given not in self._attachments.inputs and given not in self._attachments.references:
                self._declare_only(given, wanted, set(self._engine.catalog.relations) | created)

    def _matched_names(self) -> set[str]:
        """The streams that inputs and outputs are given for."""
        known = self._engine.catalog.relations
        return {matched(given, known) for given in (*self._attachments.inputs, *self._attachments.outputs)}

    def _without_output(self) -> Iterator[str]:
        """The streams whose output may be opened after the next statements."""
        foreign = set(foreign_streams(self._engine.catalog))
        for stream in self._engine.catalog.streams():
            output = self.outputs.get(stream.name)
            is_open = output is not None and output.hub is self._engine.pipeline.hub(stream.name)
            if not is_open and stream.name in foreign | self._matched_names():
                yield stream.name

    def adopt(self) -> None:
        """Let the foreign streams that are read or written now be inputs and outputs."""
        before = dict(self._attachments.inputs)
        super().adopt()
        for name in self.foreign.names | before.keys() - self._attachments.inputs.keys():
            uri = self._attachments.inputs.get(name)
            if uri is None:
                self._held.pop(name, None)
            elif uri != before.get(name):
                self._ended.discard(name)
                self._held.setdefault(name)

    def settle(self, begin: bool = True) -> None:
        """After statements: open the outputs whose streams are there now, and with `begin` feed the inputs that are read now."""
        self._hold_removed()
        self.adopt()
        if begin:
            self.feed(self._read_now())
        for given, uri in self._attachments.outputs.items():
            name = matched(given, self._engine.catalog.relations)
            stream = self._engine.catalog.relation(name)
            if isinstance(stream, Stream):
                self._open_output(given, uri, stream, None)
        self.waiting.forget()

    def feed(self, streams: Iterable[str]) -> None:
        """Let the inputs of these streams begin."""
        wanted = set(streams)
        for given in list(self._held):
            name = matched(given, self._engine.catalog.relations)
            stream = self._engine.catalog.relation(name)
            if name in wanted and isinstance(stream, Stream):
                if self._engine.pipeline.hub(name).bound == END:
                    raise OperationalError(f"input {given}: stream {name} has ended, nothing can follow its last row")
                self._open_input(given, stream)
                del self._held[given]
                self._fed[given] = name

    def reopen(self, stream: str) -> bool:
        """Let the input of a restored stream go on; False where there is none any more."""
        self.feed([stream])
        return f"input {stream}" in self._engine.pipeline.feeds

    def _read_now(self) -> set[str]:
        engine = self._engine
        read = {name for pump in engine.catalog.pumps.values() if engine.pumps.runs(pump.name) for name in pump.reads}
        return read.union(*(streams_of(plan) for plan in engine.plans_running()))

    def _hold_removed(self) -> None:
        """An input whose stream was dropped or replaced begins anew with the stream of that name."""
        for given, name in list(self._fed.items()):
            if f"input {name}" not in self._engine.pipeline.feeds:
                del self._fed[given]
                self._held[given] = None
                self._opened.pop(given, None)

    def _open_output(self, given: str, uri: str, stream: Stream, staged: Mapping[str, Any] | None) -> None:
        hub = self._engine.pipeline.hub(stream.name)
        columns = repr([(f.name, str(f.type)) for f in stream.schema.visible])
        old = self.outputs.get(stream.name)
        if old is not None and old.hub is hub:
            return
        if old is not None and old.columns == columns:
            old.hub = hub
            hub.outlets.append(old.outlet)
            return
        if old is not None:
            old.outlet.sink.commit(old.outlet.sink.prepare())
            old.outlet.sink.abandon()
            self.warnings.append(f"output {given} begins anew: the columns of {stream.name} have changed")
        place = None if self._staging is None else self._staging / safe_name(stream.name)
        if place is not None and staged is None:
            shutil.rmtree(place, ignore_errors=True)
        sink = open_sink(uri, stream.schema, place, resume=staged is not None, s3_root=self._attachments.s3_root)
        if staged is not None:
            sink.commit(staged)
        self.outputs[stream.name] = Output(given, uri, self.outlet(stream.name, sink), hub, columns)

    def attached(self) -> Iterator[Attached]:
        """Everything that was given, and how far it is."""
        given = self._attachments
        for name, uri in given.inputs.items():
            feed = self._engine.pipeline.feeds.get(f"input {self._fed.get(name, '')}")
            state = "ended" if name in self._ended else "waiting"
            if feed is not None:
                state = "failed" if feed.failed else "ended" if feed.ended else "reading"
            yield Attached(name, "input", uri, state, feed.rows if feed is not None else 0)
        outlets = {output.given: output.outlet for output in self.outputs.values()}
        for name, uri in given.outputs.items():
            open_ = name in outlets
            yield Attached(name, "output", uri, "open" if open_ else "waiting", outlets[name].rows if open_ else 0)
        for name, uri in given.references.items():
            table = self._engine.catalog.relation(matched(name, self._engine.catalog.relations))
            if isinstance(table, Table) and name not in self._references:
                yield Attached(name, "reference", uri, "read", table.rows.num_rows)
            else:
                yield Attached(name, "reference", uri, "waiting", 0)

    # -- what outlives the session -------------------------------------------------------------------------------------

    def save(self) -> dict[str, Any]:
        """What was given, and how far it is: the inputs that have ended are not opened again."""
        feeds = self._engine.pipeline.feeds
        ended = {given for given, name in self._fed.items() if f"input {name}" in feeds and feeds[f"input {name}"].ended}
        return {
            "inputs": dict(self._attachments.inputs),
            "outputs": {output.given: output.uri for output in self.outputs.values()},
            "schemas": dict(self._attachments.schemas),
            "references": dict(self._attachments.references),
            "fed": {name: given for given, name in self._fed.items()},
            "ended": sorted(self._ended | ended),
            "foreign": sorted(self.foreign.names),
        }

    def restore_inputs(self, saved: Mapping[str, Any]) -> None:
        """Do not open the inputs again that have ended; one that has another URI now is another input."""
        now = {**self._attachments.inputs, **self._attachments.outputs}
        self.foreign.names |= {name for name in saved["foreign"] if now.get(name) == _uri(saved, name)}
        for given in saved["ended"]:
            if self._attachments.inputs.get(given) == saved["inputs"][given]:
                self._held.pop(given, None)
                self._ended.add(given)

    def continuing(self, saved: Mapping[str, Any]) -> set[str]:
        """The streams whose inputs are the same as when this was saved."""
        now = self._attachments.inputs
        return {stream for stream, given in saved["fed"].items() if now.get(given) == saved["inputs"][given]}

    def restore_outputs(self, saved: Mapping[str, Any], staged: Mapping[str, Any]) -> None:
        """Open the outputs again and complete what was prepared."""
        for given, uri in self._attachments.outputs.items():
            name = matched(given, self._engine.catalog.relations)
            stream = self._engine.catalog.relation(name)
            if isinstance(stream, Stream):
                same = saved["outputs"].get(given) == uri
                self._open_output(given, uri, stream, staged.get(name) if same else None)

    def close(self) -> None:
        """Close the inputs whose rows nobody has asked for."""
        for given in self._held:
            if given in self._opened:
                self._opened[given][0].close()

    def missing_outputs(self) -> list[str]:
        """The outputs for which no stream was created."""
        opened = {output.given for output in self.outputs.values()}
        return [given for given in self._attachments.outputs if given not in opened]


def _uri(saved: Mapping[str, Any], name: str) -> str | None:
    uri: str | None = saved["inputs"].get(name) or saved["outputs"].get(name)
    return uri
