"""The shape of a running graph: who writes each stream by which port, so that kept state finds its place again.

The graph of a session depends on the order of what was done in it.  It is built anew with the writers of each stream in
their old order, which is all that shows in results; ports that nobody uses any more go, unless rows still wait in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from streamsql.engine.engine import Engine
from streamsql.plan import nodes
from streamsql.run import error_stream
from streamsql.run.operators.merge import Merge
from streamsql.run.pipeline import Pipeline
from streamsql.state import Arrays
from streamsql.statements.statement import Identifier, ObjectName
from streamsql.statements.streaming import AlterPump
from streamsql.time import BEGIN, END

State = Mapping[str, Mapping[str, pa.Table]]
Open = Callable[[str], bool]
"""Lets the input of a stream begin; False where there is none any more."""


def layout_of(engine: Engine) -> dict[str, Any]:
    """The writers of each stream by port (None: gone), by which port lost rows are reported, and the pumps that write tables."""
    pipeline = engine.pipeline
    writers = {s.name: writers_of(engine, s.name) for s in engine.catalog.streams() if s.name != error_stream.NAME}
    return {"writers": writers, "errors": _error_ports(pipeline), "tables": list(engine.table_sinks.running)}


def rebuild(engine: Engine, facts: Mapping[str, Any], state: State, open_input: Open) -> tuple[dict[str, Any], State]:
    """Let pumps, inputs and INSERT write as they did; gives facts and state with the ports that they have now."""
    kept: dict[str, list[int]] = {}
    for stream, writers in facts["layout"]["writers"].items():
        saved = state.get(f"stream {stream}", {})
        explicit = bool(facts["writers"].get(stream, [False])[0])
        kept[stream] = []
        for port, writer in enumerate(writers):
            waiting = saved.get(f"input {port}")
            if not _opened(engine, stream, writer, explicit, open_input):
                if waiting is None or not waiting.num_rows:
                    continue
                _leave(engine.pipeline, stream, gone=writer is None)
            kept[stream].append(port)
    for pump in facts["layout"].get("tables", ()):
        _opened(engine, "", f"pump {pump}", False, open_input)
    bounds = dict(facts["bounds"])
    moved = dict(state)
    for stream, ports in kept.items():
        name = f"stream {stream}"
        *old, own = bounds[name]
        bounds[name] = [*(old[port] for port in ports), own]
        if name in moved:
            moved[name] = _merged(moved[name], ports)
    moved["errors"] = _errors(engine.pipeline, facts["layout"]["errors"], state["errors"])
    present = engine.pipeline.save_feeds()
    feeds = {name: facts["feeds"].get(name, now) for name, now in present.items()}
    return {**facts, "bounds": {**engine.pipeline.save_bounds(), **bounds}, "feeds": feeds}, moved


def writers_of(engine: Engine, stream: str) -> list[str | None]:
    """Who writes a stream, by port: `pump NAME`, `input STREAM`, `insert STREAM`, None for one that is gone."""
    pipeline = engine.pipeline
    hub = pipeline.hub(stream)
    found: list[str | None] = [None] * len(hub.bounds)
    for vertex in pipeline.vertices.values():
        for reader, port in vertex.readers:
            if reader is hub:
                found[port] = f"pump {vertex.owner}" if vertex.name.startswith("pump ") else vertex.name
    for feed in pipeline.feeds.values():
        if feed.vertex is hub:
            found[feed.port] = feed.name
    if stream in engine.insert_ports:
        found[engine.insert_ports[stream]] = f"insert {stream}"
    return found


def tables_of(plan: nodes.Node) -> set[str]:
    """The tables that a plan reads."""
    found = {plan.relation} if isinstance(plan, nodes.Scan) and not plan.schema.is_stream else set[str]()
    return found.union(*map(tables_of, plan.inputs))


def ends(engine: Engine, plan: nodes.Node) -> bool:
    """Whether a plan gives its last row some day: by a LIMIT, or because all that it reads ends."""
    if isinstance(plan, nodes.Limit) and plan.count is not None:
        return True
    if isinstance(plan, nodes.Scan) and plan.schema.is_stream:
        return _stream_ends(engine, plan.relation)
    return all(ends(engine, below) for below in plan.inputs)


def _stream_ends(engine: Engine, stream: str) -> bool:
    if engine.pipeline.hub(stream).bound == END:
        return True
    writers = [] if stream == error_stream.NAME else [writer for writer in writers_of(engine, stream) if writer]
    return bool(writers) and all(_writer_ends(engine, writer) for writer in writers)


def _writer_ends(engine: Engine, writer: str) -> bool:
    kind, _, name = writer.partition(" ")
    if kind == "pump":
        return all(_stream_ends(engine, stream) for stream in engine.catalog.pumps[name].reads)
    return kind == "input" and engine.pipeline.feeds[writer].source.bounded


def _opened(engine: Engine, stream: str, writer: str | None, explicit: bool, open_input: Open) -> bool:
    """Give a writer its port again; False where there is no such writer any more."""
    kind, _, name = (writer or "").partition(" ")
    if kind == "pump":
        engine.execute(AlterPump(name=ObjectName((Identifier(name, True),)), start=True))
    elif kind == "insert":
        engine.open_inserts(stream, explicit)
    elif kind != "input" or not open_input(stream):
        return False
    return True


def _leave(pipeline: Pipeline, stream: str, gone: bool) -> None:
    """A port for rows that still wait; `gone`: its writer was taken away, which is not the end of the stream."""
    hub = pipeline.hub(stream)
    port = pipeline.new_writer(hub)
    if gone and isinstance(hub.operator, Merge):
        list(hub.operator.retire(port))


def _error_ports(pipeline: Pipeline) -> dict[str, int]:
    feeds = {f"feed {feed.name}": feed.error_port for feed in pipeline.feeds.values()}
    return {vertex.name: vertex.error_port for vertex in pipeline.vertices.values()} | feeds


def _merged(saved: Mapping[str, pa.Table], ports: list[int]) -> dict[str, pa.Table]:
    """The state of a merge whose port `i` was port `ports[i]`."""
    arrays = Arrays()
    arrays.load(saved["bounds"])
    old = arrays["bounds"]
    arrays["bounds"] = np.array([old[port] for port in ports], np.int64)
    return {"bounds": arrays.save(), **{f"input {new}": saved[f"input {port}"] for new, port in enumerate(ports)}}


def _errors(pipeline: Pipeline, old: Mapping[str, int], saved: Mapping[str, pa.Table]) -> Mapping[str, pa.Table]:
    """The state of the merge of lost rows.  Rows of those who are gone keep a port, which gives no more."""
    merge = pipeline.lost.merge
    places = {port: old[name] for name, port in _error_ports(pipeline).items() if name in old}
    gone = [port for port in range(len(saved) - 1) if port not in places.values() and saved[f"input {port}"].num_rows]
    places |= {merge.add_port(): port for port in gone}
    arrays = Arrays()
    arrays.load(saved["bounds"])
    bounds = np.full(merge.ports, BEGIN, np.int64)
    empty = Merge(error_stream.SCHEMA.arrow(), 1).state["input 0"].save()
    moved = {f"input {port}": empty for port in range(merge.ports)}
    for new, port in places.items():
        bounds[new] = END if port in gone else arrays["bounds"][port]
        moved[f"input {new}"] = saved[f"input {port}"]
    arrays["bounds"] = bounds
    return {**moved, "bounds": arrays.save()}
