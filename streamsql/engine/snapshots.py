"""External tables in which running pumps and queries look rows up.

Each is read when the pump or query starts, as it is then; or, where rows of a stream bring the keys of its partitions, a
partition is when the first row comes with its keys.  It is read again when REFRESH TABLE says so, and on a period where
the table has the property `streamsql.refresh.interval`.  The rows that come from then on see it as it is then: between two steps
nothing is under way, so no row sees some of the old and some of the new.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from streamsql.catalog import Catalog
from streamsql.engine.by_keys import TableByKeys
from streamsql.errors import Error, OperationalError
from streamsql.external.scan.counts import Counts
from streamsql.external.scan.request import Request
from streamsql.external.table import ExternalTable
from streamsql.io.uri import parse_duration
from streamsql.plan import nodes
from streamsql.run.built import Built, LookedUp
from streamsql.run.pipeline import Pipeline
from streamsql.time import Clock, Time
from streamsql.types import Batch

INTERVAL = "streamsql.refresh.interval"
"""The property of a table that says how old its rows may become: `5m`."""


@dataclass(slots=True, eq=False)
class _Snapshot:
    """What one operator looks rows up in, and when it was read."""

    built: Built
    of: LookedUp
    read: Time

    @property
    def requests(self) -> list[Request]:
        return nodes.requests_of(self.of.plan)


class Snapshots:
    """The tables in which running pumps and queries look rows up.

    `rows_of` gives the rows of a plan over tables, `by_keys` what reads one for the keys that arrive; both add up what is read.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        catalog: Catalog,
        clock: Clock,
        rows_of: Callable[[nodes.Node, Mapping[str, Counts]], list[Batch]],
        by_keys: Callable[[nodes.Node, Mapping[str, Counts]], TableByKeys],
    ) -> None:
        self._pipeline = pipeline
        self._catalog = catalog
        self._clock = clock
        self._rows_of = rows_of
        self._by_keys = by_keys
        self._all: list[_Snapshot] = []

    def add(self, built: Built) -> None:
        """A pump or query has started, and read its tables."""
        now = self._clock.now()
        made = [_Snapshot(built, of, now) for of in built.looked_up]
        self._all += [snapshot for snapshot in made if snapshot.requests]

    def forget(self, built: Built) -> None:
        """A pump or query has stopped."""
        self._all = [snapshot for snapshot in self._all if snapshot.built is not built]

    def refresh(self, table: ExternalTable) -> int:
        """Read a table again, for all that looks rows up in it; gives how many pumps and queries that are.

        Where it cannot be read all go on with what they have.
        """
        reading = [s for s in self._all if any(_is(request, table) for request in s.requests)]
        owners = {id(snapshot.built) for snapshot in reading}
        self._read([s for s in self._all if s in reading or (id(s.built) in owners and _is_partial(s))])
        return len(owners)

    def tick(self) -> list[str]:
        """Read again what is older than it may be; gives what went wrong."""
        if not self._all:
            return []
        now = self._clock.now()
        wrong: list[str] = []
        for snapshot in self._all:
            interval = min((i for each in snapshot.requests if (i := self._interval(each)) is not None), default=None)
            if interval is None or now - snapshot.read < interval:
                continue
            try:
                together = [s for s in self._all if s.built is snapshot.built and (s is snapshot or _is_partial(s))]
                self._read(together)
            except Error as error:
                wrong.append(f"{snapshot.requests[0].table.full_name} is not refreshed: {error.message}")
                snapshot.read = now
        return wrong

    def _read(self, snapshots: list[_Snapshot]) -> None:
        """All of them before the first changes."""
        for change in [self._read_one(snapshot) for snapshot in snapshots]:
            change()
        for snapshot in snapshots:
            snapshot.read = self._clock.now()

    def _read_one(self, snapshot: _Snapshot) -> Callable[[], None]:
        """Read one of them; gives what lets its rows take the place of those that there are."""
        of, plan, counts = snapshot.of, self._renewed(snapshot.of.plan), snapshot.built.read
        if of.arriving is None:
            batches = self._rows_of(plan, counts)
            return lambda: self._pipeline.replace_table(of.vertex, of.port, batches)
        arriving, by_keys = of.arriving, self._by_keys(plan, counts)
        by_keys.check()
        arrived = by_keys.read(arriving.keys)

        def change() -> None:
            arriving.read_again(by_keys.read, arrived.found)
            self._pipeline.replace_table(of.vertex, of.port, arrived.batches)

        return change

    def _renewed(self, plan: nodes.Node) -> nodes.Node:
        """A plan over the tables with the partitions and properties that they have now.

        What only the keys of other tables left out is read: these may have changed, too.
        """

        def renewed(node: nodes.Node) -> nodes.Node:
            if not isinstance(node, nodes.ExternalScan):
                return node
            old = node.request.table
            new = self._catalog.databases.table(old.name, old.database)
            if new is None or (new.columns, new.keys) != (old.columns, old.keys):
                text = f"{old.full_name} is no longer the table that is looked up in: its columns have changed, or it was dropped"
                raise OperationalError(text, hint="start the pump or query anew")
            return replace(node, request=replace(node.request, table=new, dynamic=()))

        return plan.rewrite(renewed)

    def _interval(self, request: Request) -> Time | None:
        old = request.table
        return refresh_interval(self._catalog.databases.table(old.name, old.database) or old)


def refresh_interval(table: ExternalTable) -> Time | None:
    """How old what is known of a table may become; None for any age.  Raises OperationalError where its property is no time."""
    given = table.properties.get(INTERVAL)
    if given is None:
        return None
    try:
        return parse_duration(given)
    except OperationalError as error:
        raise OperationalError(f"{INTERVAL} of {table.full_name}: {error.message}", hint=error.hint) from error


def _is(request: Request, table: ExternalTable) -> bool:
    known = request.table
    return (known.database.lower(), known.name.lower()) == (table.database.lower(), table.name.lower())


def _is_partial(snapshot: _Snapshot) -> bool:
    """Whether it was read with the keys of another table, so that rows are missing when that one changes."""
    return any(request.dynamic for request in snapshot.requests)
