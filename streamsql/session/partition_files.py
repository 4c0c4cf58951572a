"""The partitions of external tables under a database's path: an Arrow file a table.

    PATH/partitions/DATABASE.TABLE.arrow

A file is written whole, before the checkpoint whose catalog it belongs to.  After a crash between the two it may hold what the
last statement added, which then is there.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from streamsql.attach.attacher import safe_name
from streamsql.engine.engine import Engine
from streamsql.external.partitions import Partitions, schema_of
from streamsql.external.table import ExternalTable
from streamsql.io.storages.local import sync


class PartitionFiles:
    """The files, and what is in them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: dict[str, Partitions] = {}

    def load(self, engine: Engine) -> None:
        """Give the tables of the catalog their partitions."""
        for table in _tables(engine):
            path = self._folder / _file(table)
            if not path.exists():
                continue
            with pa.memory_map(str(path)) as source:
                rows = pa.ipc.open_file(source).read_all()
            if rows.schema != schema_of(table.key_fields):
                text = f"the partitions that were kept of {table.full_name} are not those of its columns: MSCK REPAIR TABLE"
                engine.warnings.append(text)
                continue
            partitions = Partitions(table.key_fields, rows)
            engine.catalog.databases.put(replace(table, partitions=partitions))
            self._written[path.name] = partitions

    def save(self, engine: Engine) -> None:
        """Write what has changed, and take away the files of tables that are gone."""
        tables = {_file(table): table for table in _tables(engine)}
        for name, table in tables.items():
            known = self._written.get(name)
            if table.partitions is known or (known is None and not len(table.partitions)):
                continue
            self._folder.mkdir(parents=True, exist_ok=True)
            partial = self._folder / f"{name}.tmp"
            with pa.OSFile(str(partial), "wb") as sink, pa.ipc.new_file(sink, table.partitions.rows.schema) as writer:
                writer.write_table(table.partitions.rows)
            sync(partial)
            partial.replace(self._folder / name)
            self._written[name] = table.partitions
        for name in [name for name in self._written if name not in tables]:
            (self._folder / name).unlink(missing_ok=True)
            del self._written[name]


def _tables(engine: Engine) -> list[ExternalTable]:
    return [table for database in engine.catalog.databases for table in database.tables.values() if table.keys]


def _file(table: ExternalTable) -> str:
    return f"{safe_name(table.database.lower())}.{safe_name(table.name.lower())}.arrow"
