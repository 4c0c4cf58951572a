"""The SQLAlchemy dialect: `create_engine("streamsql:///path")`, or `streamsql://` in memory.

SQLAlchemy finds it by its entry point; `pip install 'streamsql[sqlalchemy]'` installs both.
"""

from __future__ import annotations

from streamsql.sqlalchemy.dialect import StreamSQLDialect

__all__ = ["StreamSQLDialect"]
