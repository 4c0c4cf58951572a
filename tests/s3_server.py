"""An S3 on this machine for tests: moto's server on a free port, with a record of what it is asked."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any
from urllib.parse import parse_qs

import boto3
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

Answer = Callable[["Request"], "tuple[int, str] | None"]
"""What a test lets the server answer to a request: a status and an error code of S3; None as it would by itself."""


@dataclass(frozen=True)
class Request:
    """What was asked of the server."""

    method: str
    path: str
    query: Mapping[str, str]
    range: str | None
    signer: str | None
    """The access key that signed it; None where nobody did."""

    @property
    def is_listing(self) -> bool:
        return self.method == "GET" and "list-type" in self.query


@dataclass
class S3Server:
    """moto's server.  `requests` has what it was asked since `forget`."""

    requests: list[Request] = field(default_factory=list)
    answer: Answer | None = None
    certificate: tuple[str, str] | None = None
    """The files of a certificate and its key, for TLS."""
    _buckets: Iterable[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self._application = DomainDispatcherApplication(create_backend_app)
        self._server = make_server(
            "127.0.0.1", 0, self._answered, threaded=True, request_handler=_Silent, ssl_context=self.certificate
        )
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        return f"http{'s' * (self.certificate is not None)}://127.0.0.1:{self._server.port}"

    @property
    def settings(self) -> dict[str, str]:
        """The variables with which a process reaches it, and knows nothing of the user's own."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    @cached_property
    def client(self) -> Any:
        """A client of boto3."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def new_bucket(self) -> Bucket:
        """An empty bucket."""
        name = f"bucket-{next(iter(self._buckets))}"
        self.client.create_bucket(Bucket=name)
        return Bucket(self, name)

    def forget(self) -> None:
        """Begin the record anew."""
        self.requests.clear()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answered(self, environ: dict[str, Any], start_response: Any) -> Any:
        query = {k: v[0] for k, v in parse_qs(environ["QUERY_STRING"], keep_blank_values=True).items()}
        path = environ["PATH_INFO"].encode("latin-1").decode()
        signed = re.search(r"Credential=(\w+)/", environ.get("HTTP_AUTHORIZATION", ""))
        signer = signed[1] if signed else None
        request = Request(environ["REQUEST_METHOD"], path, query, environ.get("HTTP_RANGE"), signer)
        self.requests.append(request)
        refused = self.answer(request) if self.answer is not None else None
        if refused is None:
            return self._application(environ, start_response)
        status, code = refused
        body = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
        start_response(f"{status} {code}", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [b"" if request.method == "HEAD" else body]


@dataclass(frozen=True)
class Bucket:
    """A bucket of the server."""

    server: S3Server
    name: str

    def put(self, key: str, data: bytes | str) -> None:
        """An object, which may be named in any way."""
        body = data.encode() if isinstance(data, str) else data
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(self.name, key, body)  # a request would take five times as long

    def get(self, key: str) -> bytes:
        """The content of an object."""
        data: bytes = self.server.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return data

    def delete(self, key: str) -> None:
        self.server.client.delete_object(Bucket=self.name, Key=key)

    def keys(self, prefix: str = "") -> list[str]:
        """The keys of all objects, in order."""
        pages = self.server.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", ())]

    def uri(self, key: str = "") -> str:
        return f"s3://{self.name}/{key}"


class _Silent(WSGIRequestHandler):
    """HTTP/1.1, so that connections stay; says nothing of requests."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        pass
