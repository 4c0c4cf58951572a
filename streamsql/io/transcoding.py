"""Text in another encoding than UTF-8, for decoders that know only that."""

from __future__ import annotations

from streamsql.io.blocks import Decoded
from streamsql.io.decoding import Decoder


class TranscodingDecoder:
    """A decoder of text in an encoding of single bytes that has ASCII in it."""

    def __init__(self, decoder: Decoder, encoding: str) -> None:
        self.target = decoder.target
        self._decoder = decoder
        self._encoding = encoding

    def read_header(self, data: bytes, complete: bool) -> int | None:
        end = data.find(b"\n")
        header = data[: end + 1] if end >= 0 else data
        length = self._decoder.read_header(self._utf8(header), complete or end >= 0)
        return None if length is None else len(header) if length else 0

    def cut(self, data: bytes, complete: bool) -> int:
        return self._decoder.cut(data, complete)

    def decode(self, block: bytes) -> Decoded:
        return self._decoder.decode(self._utf8(block))

    def _utf8(self, data: bytes) -> bytes:
        return data.decode(self._encoding).encode()


def transcoded(decoder: Decoder, encoding: str) -> Decoder:
    """A decoder of text in this encoding, given one of UTF-8."""
    return decoder if encoding in ("utf-8", "ascii") else TranscodingDecoder(decoder, encoding)
