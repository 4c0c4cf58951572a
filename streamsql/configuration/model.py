"""What a configuration says of an application, whatever form it was written in."""

from __future__ import annotations

from dataclasses import dataclass

from streamsql.io.layout import RecordSchema


@dataclass(frozen=True, slots=True)
class Code:
    """The SQL of an application; `key` is what the configuration calls it."""

    text: str
    key: str


@dataclass(frozen=True, slots=True)
class Resource:
    """Something of the cloud that a name of the application stands for: its kind, as in "Kinesis stream", and its ARN."""

    kind: str
    arn: str

    def __str__(self) -> str:
        return f"the {self.kind} {self.arn}"


@dataclass(frozen=True, slots=True)
class Input:
    """A streaming source: its rows go to `count` in-application streams, each record to one of them."""

    prefix: str
    schema: RecordSchema
    count: int
    source: Resource
    processor: Resource | None

    @property
    def streams(self) -> tuple[str, ...]:
        """The names of the in-application streams."""
        return tuple(f"{self.prefix}_{number:03d}" for number in range(1, self.count + 1))


@dataclass(frozen=True, slots=True)
class Output:
    """A stream that is delivered, and in which format."""

    stream: str
    format: str
    destination: Resource


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference table, and the object that holds its rows."""

    table: str
    schema: RecordSchema
    bucket: Resource
    key: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """An application."""

    name: str
    code: Code
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    references: tuple[Reference, ...]
