"""Reading a table for those who look rows up in it: whole, or for the keys that arrive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from streamsql.catalog import Catalog
from streamsql.engine.leaves import Leaf
from streamsql.external.scan.arriving import chosen
from streamsql.external.scan.counts import Counts
from streamsql.external.scan.request import Request
from streamsql.external.scan.scan import Access
from streamsql.operator import Failed, FailedRow, Output
from streamsql.plan import nodes
from streamsql.rows import Mask, QueryTime
from streamsql.run.compile import Compiler
from streamsql.run.operators.arriving import Arrived
from streamsql.run.pipeline import Pipeline
from streamsql.types import Batch


@dataclass(slots=True, eq=False)
class TableByKeys:
    """A plan over one external table, of which the partitions are read whose keys arrive.

    Which partitions there are is settled when the plan starts: its table is one as it was then, and `time` stands for NOW in
    projections and for the time functions.  What files a partition has is settled when it is read.
    """

    plan: nodes.Node
    catalog: Catalog
    access: Access
    time: QueryTime
    seed: int
    counts: Mapping[str, Counts]
    """What was read of it so far, by its name."""

    def check(self) -> None:
        """Raises what any reading would raise: of a projection that is not configured, or has not all of its injected keys."""
        partitions, _ = chosen(self.request, [pa.array([], each.type.arrow()) for each in self.request.arriving], self.time)
        self.counts[self.request.table.full_name].partitions = partitions.total

    @property
    def request(self) -> Request:
        """What it asks of the external table."""
        node = self.plan
        while not isinstance(node, nodes.ExternalScan):
            (node,) = node.inputs
        return node.request

    def read(self, keys: Sequence[pa.Array]) -> Arrived:
        """The rows of the partitions of some keys."""
        partitions, found = chosen(self.request, keys, self.time)
        if not found.any():
            return Arrived((), (), found)
        request = replace(self.request, chosen=partitions)
        plan = self.plan.rewrite(lambda node: replace(node, request=request) if isinstance(node, nodes.ExternalScan) else node)
        return self._rows(plan, found)

    def _rows(self, plan: nodes.Node, found: Mask) -> Arrived:
        """Only reading can fail: such plans have nothing else that may."""
        pipeline = Pipeline(self.time.clock)
        built = Compiler(pipeline, "null", "table", self.time, self.seed).build(plan)
        gathered = _Gathered([])
        built.output.outlets.append(gathered)
        lost: list[FailedRow] = []
        for node, vertex, port in built.tables:
            rows = Leaf(node, self.counts).rows(self.catalog, self.access, self.time, built.joins)
            for _ in pipeline.push_table(vertex, port, _good(rows, lost)):
                pass
        return Arrived(gathered.batches, lost, found)


@dataclass(frozen=True, slots=True)
class _Gathered:
    """Rows, as they come out."""

    batches: list[Batch]

    def write(self, batch: Batch) -> None:
        self.batches.append(batch)

    def end(self) -> None:
        pass


def _good(rows: Iterable[Output], lost: list[FailedRow]) -> Iterator[Output]:
    """The batches; the rows that failed are put aside."""
    for each in rows:
        if isinstance(each, Failed):
            lost += each.rows
        else:
            yield each
