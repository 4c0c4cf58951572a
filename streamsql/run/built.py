"""What a plan has become in the graph."""

from __future__ import annotations

from dataclasses import dataclass, field

from streamsql.external.scan.counts import Counts
from streamsql.external.scan.dynamic import JoinKeys
from streamsql.plan import nodes
from streamsql.run.graph import Vertex
from streamsql.run.operators.arriving import ArrivingKeys


@dataclass(frozen=True, slots=True)
class LookedUp:
    """A table that rows of streams are looked up in: the operator that does it, by which port the table comes, and its plan.

    `arriving` are the keys by which it is read, where it is.
    """

    vertex: Vertex
    port: int
    plan: nodes.Node
    arriving: ArrivingKeys | None


@dataclass(eq=False)
class Built:
    """The operators of one plan in the graph: all of them, and the last one, which gives the plan's rows."""

    output: Vertex
    vertices: list[Vertex] = field(default_factory=list)
    plan_nodes: list[nodes.Node] = field(default_factory=list)
    """The node that each of them carries out, with those below it that it is one Transform with."""
    tables: list[tuple[nodes.Node, Vertex, int]] = field(default_factory=list)
    """The table leaves (VALUES, external tables) and the operators that their rows are to be pushed into, in this order."""
    looked_up: list[LookedUp] = field(default_factory=list)
    """The tables that rows of streams are looked up in."""
    joins: JoinKeys = field(default_factory=JoinKeys)
    """The keys of the joins whose tables are complete, for the scans that ask for them."""
    read: dict[str, Counts] = field(default_factory=dict)
    """What was read of external tables so far, by their names."""
