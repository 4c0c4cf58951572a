"""The servers of CREATE FOREIGN STREAM, one file each: importing this fills their table."""

from streamsql.io.servers import file, generator, standard

__all__ = ["file", "generator", "standard"]
