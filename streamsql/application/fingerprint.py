"""What the saved state of an application depends on: a checkpoint goes on only where all of it is the same."""

from __future__ import annotations

import hashlib

from streamsql.attach.attacher import Attacher
from streamsql.engine.engine import Engine
from streamsql.plan.explain import explain


def fingerprint(engine: Engine, attacher: Attacher) -> dict[str, str]:
    """A digest of everything that the saved state depends on, by the name of what it is."""
    catalog = engine.catalog
    found = {f"stream {stream.name}": repr([(f.name, str(f.type)) for f in stream.schema.fields]) for stream in catalog.streams()}
    for pump in catalog.pumps.values():
        found[f"pump {pump.name}"] = explain(engine.plan_of(pump.statement))
    for given, uri in attacher.everything.inputs.items():
        found[f"input {given}"] = uri
    for given, uri in attacher.everything.outputs.items():
        found[f"output {given}"] = uri
    for given, function in attacher.everything.processors.items():
        found[f"processor {given}"] = function
    for given, schema in attacher.record_schemas().items():
        found[f"mapping {given}"] = repr(schema)
    return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in found.items()}
