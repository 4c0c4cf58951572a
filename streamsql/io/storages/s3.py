"""Objects of S3, by way of pyarrow.  Every refusal of S3 is an error that names the object and what to do."""

from __future__ import annotations

import io
import os
import re
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import translate
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa

from streamsql.errors import OperationalError
from streamsql.io.storages.raw_file import RawFile
from streamsql.io.storages.s3_errors import explained, is_denied, no_bucket
from streamsql.io.storages.s3_settings import S3Settings, s3_settings
from streamsql.io.storages.storage import WILD, Entry

CONNECT_SECONDS = 5
SILENCE_SECONDS = 10
"""How long an answer may have no byte."""

AHEAD = 1 << 22
"""Bytes asked for at once where a reader goes through an object in small steps."""

KNOWN = 8192
"""Objects that are not asked after again: a request less for each reading."""


class S3Storage:
    """S3, or what speaks its language, with the settings that AWS tools take from the environment and from `~/.aws`."""

    distant = True

    def __init__(self) -> None:
        self._settings = s3_settings(os.environ)
        self._files = _file_system(self._settings)
        self._known: OrderedDict[Entry, Any] = OrderedDict()
        self._lock = threading.Lock()

    def expand(self, pattern: str) -> list[str]:
        from pyarrow.fs import FileType

        if self._info(pattern).type == FileType.File:
            return [pattern]
        wild = WILD.search(pattern)
        if wild is None:
            return []
        matches = re.compile(translate(pattern)).fullmatch
        depth = None if "**" in pattern else pattern.count("/")
        found = self._listed(pattern[: wild.start()].rpartition("/")[0], recursive=True)
        return sorted(
            info.path
            for info in found
            if info.type == FileType.File and matches(info.path) and depth in (None, info.path.count("/"))
        )

    def folders(self, folder: str) -> list[str]:
        from pyarrow.fs import FileType

        found = self._listed(folder.rstrip("/"), recursive=False)
        return sorted(info.base_name for info in found if info.type == FileType.Directory)

    def files(self, folder: str) -> Iterator[Entry]:
        from pyarrow.fs import FileType

        for info in sorted(self._listed(folder.rstrip("/"), recursive=True), key=lambda info: info.path):
            if info.type == FileType.File:
                yield Entry(info.path, int(info.size), int(info.mtime_ns or 0))

    def open(self, path: str) -> BinaryIO:
        return self._object(path, self._opened(path))

    def open_listed(self, entry: Entry) -> BinaryIO:
        with self._lock:
            stream = self._known.get(entry)
            if stream is not None:
                self._known.move_to_end(entry)
        if stream is None:
            stream = self._opened(entry.path)
            if int(stream.size()) != entry.size:
                raise OperationalError(f"cannot read 's3://{entry.path}': it has changed since it was listed")
            with self._lock:
                self._known[entry] = stream
                while len(self._known) > KNOWN:
                    self._known.popitem(last=False)
        return self._object(entry.path, stream)

    def _opened(self, path: str) -> Any:
        with self._asking("read", path):
            return self._files.open_input_file(path)

    def _object(self, path: str, stream: Any) -> BinaryIO:
        return cast(BinaryIO, S3Object(stream, lambda: self._asking("read", path)))

    def size(self, path: str) -> int:
        info = self._info(path)
        if info.size is None:
            raise OperationalError(f"cannot read 's3://{path}': there is no such object")
        return int(info.size)

    def reach(self, path: str) -> None:
        """Where there is no bucket, or no connection; whoever may not ask finds out in the end."""
        from pyarrow.fs import FileType

        try:
            info = self._files.get_file_info(path.partition("/")[0])
        except OSError as error:
            if is_denied(error):
                return
            raise explained("write", path, error, self._settings, self._is_gone) from error
        if info.type == FileType.NotFound:
            raise no_bucket("write", path, self._settings)

    def put(self, local: Path, path: str) -> None:
        with (
            self._asking("write", path),
            local.open("rb") as source,
            self._files.open_output_stream(path, compression=None) as target,
        ):
            shutil.copyfileobj(source, target, 1 << 20)
        local.unlink()

    def remove(self, path: str) -> None:
        with self._asking("remove", path):
            self._files.delete_file(path)

    def _info(self, path: str) -> Any:
        with self._asking("read", path):
            return self._files.get_file_info(path)

    def _listed(self, folder: str, recursive: bool) -> Any:
        """What is in a folder; nothing where no key begins so.  A bucket that is not there is an error."""
        from pyarrow.fs import FileSelector

        with self._asking("list", folder):
            try:
                return self._files.get_file_info(FileSelector(folder, recursive=recursive))
            except FileNotFoundError:
                return []

    @contextmanager
    def _asking(self, doing: str, path: str) -> Iterator[None]:
        try:
            yield
        except (OSError, pa.ArrowInvalid) as error:
            raise explained(doing, path, error, self._settings, self._is_gone) from error

    def _is_gone(self, path: str) -> bool:
        """Whether it is certain that there is no such object now."""
        from pyarrow.fs import FileType

        try:
            return bool(self._files.get_file_info(path).type == FileType.NotFound)
        except OSError:
            return False


class S3Object(RawFile):
    """An object to read; where it is read in small steps, so much is asked for at once that these are few.

    Nothing is held open, so several may read by one `stream`.
    """

    def __init__(self, stream: Any, asking: Callable[[], Any]) -> None:
        super().__init__(int(stream.size()))
        self._stream = stream
        self._asking = asking
        self._at = 0
        self._ahead = pa.py_buffer(b"")
        self._ahead_at = 0

    def read_buffer(self, size: int | None = -1) -> pa.Buffer:
        left = max(0, self._size - self._at)
        wanted = left if size is None or size < 0 else min(size, left)
        start = self._at - self._ahead_at
        if not 0 <= start <= self._ahead.size - wanted:
            goes_on = self._at and start == self._ahead.size  # behind what was read last
            self._ahead = self.read_at(max(wanted, min(AHEAD, left)) if goes_on else wanted, self._at)
            self._ahead_at, start = self._at, 0
        self._at += wanted
        return self._ahead.slice(start, wanted)

    def read_at(self, size: int, offset: int) -> pa.Buffer:
        with self._asking():
            return pa.py_buffer(self._stream.read_at(size, offset))

    def readinto(self, target: Any) -> int:
        data = self.read(len(target))
        target[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at


@lru_cache(maxsize=8)
def _file_system(settings: S3Settings) -> Any:
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem

    try:
        return S3FileSystem(
            endpoint_override=settings.endpoint,
            region=settings.region,
            anonymous=settings.anonymous,
            role_arn=settings.role,
            session_name=settings.session,
            tls_ca_file_path=settings.certificates,
            connect_timeout=CONNECT_SECONDS,
            request_timeout=SILENCE_SECONDS,
            retry_strategy=AwsStandardS3RetryStrategy(max_attempts=settings.attempts),
            allow_delayed_open=True,  # puts a small object in one request
        )
    except (OSError, pa.ArrowInvalid, ValueError) as error:
        raise OperationalError(f"cannot use S3: {error}") from error
