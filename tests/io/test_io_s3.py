"""Real S3, as far as a server of thirty lines is one: the settings of AWS tools, listing, reading, whole objects."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pyarrow as pa
import pytest
from io_support import columns, drain

from streamsql.errors import OperationalError
from streamsql.io.open import open_sink, open_source
from streamsql.types import INTEGER

SCHEMA = columns(N=INTEGER)
ROWS = pa.RecordBatch.from_arrays([pa.array([1, 2, 3], pa.int32())], schema=SCHEMA.arrow())


class Bucket(BaseHTTPRequestHandler):
    """Answers for the objects of one process, path style."""

    objects: dict[str, bytes]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, query = self._target()
        if "list-type" in query:
            return self._list(path.strip("/"), query.get("prefix", [""])[0])
        data = self.objects.get(path.strip("/"))
        if data is None:
            return self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        bounds = self.headers.get("Range", f"bytes=0-{len(data) - 1}").removeprefix("bytes=").split("-")
        part = data[int(bounds[0]) : int(bounds[1]) + 1]
        return self._answer(206 if "Range" in self.headers else 200, part, len(data))

    def do_HEAD(self) -> None:
        data = self.objects.get(self._target()[0].strip("/"))
        self._answer(404 if data is None else 200, b"", len(data or b""))

    def do_PUT(self) -> None:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            data = b""
            while size := int(self.rfile.readline(), 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("x-amz-decoded-content-length"):
            data = unchunked(data)
        self.objects[self._target()[0].strip("/")] = data
        self._answer(200, b"")

    def do_DELETE(self) -> None:
        self.objects.pop(self._target()[0].strip("/"), None)
        self._answer(204, b"")

    def _target(self) -> tuple[str, dict[str, list[str]]]:
        parts = urlsplit(self.path)
        return unquote(parts.path), parse_qs(parts.query, keep_blank_values=True)

    def _list(self, bucket: str, prefix: str) -> None:
        keys = sorted(k.partition("/")[2] for k in self.objects if k.startswith(f"{bucket}/{prefix}"))
        found = "".join(f"<Contents><Key>{k}</Key><Size>{len(self.objects[f'{bucket}/{k}'])}</Size></Contents>" for k in keys)
        body = f"<ListBucketResult><KeyCount>{len(keys)}</KeyCount><IsTruncated>false</IsTruncated>{found}</ListBucketResult>"
        self._answer(200, body.encode())

    def _answer(self, status: int, body: bytes, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if self.command != "HEAD" else length))
        self.send_header("ETag", '"x"')
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def unchunked(data: bytes) -> bytes:
    """The content of a body in AWS's chunked form."""
    content = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        content, data = content + data[:length], data[length + 2 :]
        if not length:
            break
    return content


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    stored: dict[str, bytes] = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Server", (Bucket,), {"objects": stored}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.delenv("STREAMSQL_S3_ROOT", raising=False)
    for name, value in [
        ("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ]:
        monkeypatch.setenv(name, value)
    yield stored
    server.shutdown()
    server.server_close()


def test_objects_are_read(objects: dict[str, bytes]) -> None:
    objects["bucket/logs/a.jsonl"] = b'{"N": 1}\n'
    objects["bucket/logs/b.jsonl"] = b'{"N": 2}\n{"N": 3}'
    objects["bucket/logs/b.txt"] = b"rubbish"
    objects["bucket/logs/deeper/c.jsonl"] = b'{"N": 4}'
    assert drain(open_source("s3://bucket/logs/*.jsonl", SCHEMA))[0] == [(1,), (2,), (3,)]
    assert drain(open_source("s3://bucket/logs/b.jsonl"))[0] == [(2,), (3,)]
    with pytest.raises(OperationalError, match="no such file"):
        open_source("s3://bucket/missing.jsonl", SCHEMA)


@pytest.mark.parametrize("staged", [True, False])
@pytest.mark.parametrize("ending", ["jsonl", "csv.gz", "parquet"])
def test_one_object_appears_whole_at_the_end(tmp_path: Path, objects: dict[str, bytes], ending: str, staged: bool) -> None:
    uri = f"s3://bucket/out.{ending}"
    sink = open_sink(uri, SCHEMA, tmp_path / "staging" if staged else None)
    sink.write(ROWS)
    sink.commit(sink.prepare())
    assert objects == {}
    sink.close()
    assert drain(open_source(uri, SCHEMA))[0] == [(1,), (2,), (3,)]


def test_a_folder_gets_an_object_a_commit(tmp_path: Path, objects: dict[str, bytes]) -> None:
    objects["bucket/out/part-000007.jsonl"] = b"of an earlier run"
    sink = open_sink("s3://bucket/out/", SCHEMA, tmp_path / "staging")
    for _ in range(2):
        sink.write(ROWS)
        sink.commit(sink.prepare())
    sink.close()
    objects.pop("bucket/out", None)  # Arrow leaves a mark of the folder when it deletes
    assert sorted(objects) == ["bucket/out/part-000001.jsonl", "bucket/out/part-000002.jsonl"]
    assert len(drain(open_source("s3://bucket/out/*.jsonl", SCHEMA))[0]) == 6
