"""Records through a Python function before they are mapped: Lambda preprocessing, with the service's event and response.

A record is a line of the input.  What a function answers for it is `Ok` with new data, which may hold several JSON documents or
CSV rows; `Dropped`, and the record is gone; or `ProcessingFailed`, and it goes to `error_stream`.
"""

from __future__ import annotations

import base64
import binascii
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from streamsql.errors import Error, OperationalError
from streamsql.io.blocks import Decoded, concatenated
from streamsql.io.decoding import Decoder
from streamsql.io.metadata import DIGITS, shard_id
from streamsql.operator import FailedRow
from streamsql.rows import ErrorName, Failure
from streamsql.time import Time

BATCH = 500
"""Records that the function gets at a time, at most."""

Join = Callable[[bytes], bytes]
"""The data of one record as text of the input's format, behind which other records may follow."""


@dataclass(frozen=True, slots=True)
class LambdaContext:
    """What a function may ask of its invocation."""

    function_name: str
    aws_request_id: str
    invoked_function_arn: str

    def get_remaining_time_in_millis(self) -> int:
        """There is no limit of time here: that of the longest invocation."""
        return 900_000


@dataclass(frozen=True, slots=True)
class Processor:
    """A function, and what its events say of the application."""

    function: Callable[[dict[str, Any], LambdaContext], Any]
    name: str
    input: str
    """What messages call the input."""
    application_arn: str
    stream_arn: str
    is_firehose: bool
    now: Callable[[], Time]
    """When records arrive."""

    def __call__(self, records: Sequence[tuple[int, bytes]]) -> list[bytes | FailedRow | None]:
        """For each record, given with its place in the input: its new data, why it failed, or None where it was dropped.

        Raises OperationalError where the function raises, or answers something else than it should.
        """
        event = self._event(records)
        name = self.name.rpartition(":")[2]
        context = LambdaContext(name, event["invocationId"], f"arn:aws:lambda:us-east-1:000000000000:function:{name}")
        try:
            response = self.function(event, context)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            text = f"{type(error).__name__}: {error}"
            raise self._wrong(text, f"{place.filename}:{place.lineno} in {place.name}") from error
        answers = self._answers(response, [record["recordId"] for record in event["records"]])
        return [self._outcome(answers[_number(place)], data) for place, data in records]

    def _event(self, records: Sequence[tuple[int, bytes]]) -> dict[str, Any]:
        seconds = self.now() // 1000
        return {
            "invocationId": f"{self.input}/{_number(records[0][0])}",
            "applicationArn": self.application_arn,
            "streamArn": self.stream_arn,
            "records": [
                {"recordId": _number(place), "data": base64.b64encode(data).decode(), **self._metadata(place, seconds)}
                for place, data in records
            ],
        }

    def _metadata(self, place: int, seconds: int) -> dict[str, Any]:
        if self.is_firehose:
            return {"kinesisFirehoseRecordMetadata": {"approximateArrivalTimestamp": seconds}}
        metadata = {
            "shardId": shard_id(0),
            "partitionKey": str(place),
            "sequenceNumber": _number(place),
            "approximateArrivalTimestamp": seconds,
        }
        return {"kinesisStreamRecordMetadata": metadata}

    def _answers(self, response: Any, expected: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        records = response.get("records") if isinstance(response, Mapping) else None
        if not isinstance(records, list) or not all(isinstance(record, Mapping) for record in records):
            raise self._wrong("its answer must be an object with a list of records", "return {'records': [...]}")
        answers = {record.get("recordId"): record for record in records}
        missing = [id_ for id_ in expected if id_ not in answers]
        if missing:
            text = f"its answer lacks {len(missing)} of {len(expected)} records, the first is {missing[0]}"
            raise self._wrong(text, "answer every recordId; a record that shall go is Dropped")
        if len(records) != len(expected):
            raise self._wrong(f"its answer has {len(records)} records for {len(expected)}", "answer every recordId once")
        return answers

    def _outcome(self, answer: Mapping[str, Any], record: bytes) -> bytes | FailedRow | None:
        match answer.get("result"):
            case "Ok":
                return self._data(answer)
            case "Dropped":
                return None
            case "ProcessingFailed":
                failure = Failure(ErrorName.PROCESSING, f"{self.name} answered ProcessingFailed")
                return FailedRow(failure, None, record)
            case other:
                raise self._wrong(f"the result of a record is {other!r}", "Ok, Dropped or ProcessingFailed")

    def _data(self, answer: Mapping[str, Any]) -> bytes:
        data = answer.get("data")
        try:
            return base64.b64decode(data if isinstance(data, (str, bytes)) else b"?", validate=True)
        except (binascii.Error, ValueError):
            raise self._wrong("the data of a record that is Ok must be base64 text", None) from None

    def _wrong(self, text: str, hint: str | None) -> Error:
        return OperationalError(f"the processor {self.name} of input {self.input} failed: {text}", hint=hint)


class ProcessingDecoder:
    """A decoder of what a processor makes of the lines of an input, from an offset on."""

    def __init__(self, decoder: Decoder, processor: Processor, join: Join, offset: int) -> None:
        self.target = decoder.target
        self._decoder = decoder
        self._processor = processor
        self._join = join
        self._offset = offset

    def read_header(self, data: bytes, complete: bool) -> int | None:
        length = self._decoder.read_header(data, complete)
        self._offset = max(length or 0, self._offset)
        return length

    def cut(self, data: bytes, complete: bool) -> int:
        return len(data) if complete else data.rfind(b"\n") + 1

    def decode(self, block: bytes) -> Decoded:
        parts: list[Decoded] = []
        waiting: list[bytes] = []
        for outcome in self._outcomes(block):
            if isinstance(outcome, bytes):
                waiting.append(self._join(outcome))
            elif outcome is not None:
                parts += [*self._flush(waiting), Decoded(self.target.schema.empty(), ((0, outcome),))]
                waiting = []
        return concatenated([*parts, *self._flush(waiting)], self.target.schema)

    def _flush(self, waiting: list[bytes]) -> list[Decoded]:
        return [self._decoder.decode(b"".join(waiting))] if waiting else []

    def _outcomes(self, block: bytes) -> Iterator[bytes | FailedRow | None]:
        records = _lines(block, self._offset)
        self._offset += len(block)
        while batch := list(islice(records, BATCH)):
            yield from self._processor(batch)


def processed(data: bytes, processor: Processor, join: Join) -> bytes:
    """What a processor makes of the whole lines of a sample."""
    records = list(_lines(data, 0))
    outcomes = (outcome for start in range(0, len(records), BATCH) for outcome in processor(records[start : start + BATCH]))
    return b"".join(join(outcome) for outcome in outcomes if isinstance(outcome, bytes))


def _lines(block: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    """The lines that hold anything, without their ends, and where they begin."""
    for line in block.split(b"\n"):
        record = line.rstrip(b"\r")
        if record:
            yield offset, record
        offset += len(line) + 1


def _number(place: int) -> str:
    return str(place).zfill(DIGITS)
