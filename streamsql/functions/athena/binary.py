"""Bytes: of text, in hexadecimal digits and in base 64, and their digests."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

import pyarrow as pa

from streamsql.functions.registry import scalar
from streamsql.rows import Datum, ErrorName, Rows, map_rows

STRING, BYTES = pa.string(), pa.binary()


@scalar("TO_UTF8(s: CHARACTER) -> VARBINARY")
def to_utf8(rows: Rows, s: Datum) -> Datum:
    """The bytes of a text.

    >>> TO_HEX(TO_UTF8('aé'))
    61C3A9
    """
    return map_rows(rows, str.encode, [s], BYTES)


@scalar("FROM_UTF8(b: BINARYSTRING) -> VARCHAR")
def from_utf8(rows: Rows, b: Datum) -> Datum:
    """The text of bytes; what is no UTF-8 becomes U+FFFD.

    >>> FROM_UTF8(FROM_HEX('61C3A9'))
    aé
    """
    return map_rows(rows, lambda value: value.decode("utf-8", "replace"), [b], STRING)


@scalar("TO_HEX(b: BINARYSTRING) -> VARCHAR")
def to_hex(rows: Rows, b: Datum) -> Datum:
    """Bytes as hexadecimal digits.

    >>> TO_HEX(TO_UTF8('ab'))
    6162
    """
    return map_rows(rows, lambda value: value.hex().upper(), [b], STRING)


@scalar("FROM_HEX(s: CHARACTER) -> VARBINARY", fails=True)
def from_hex(rows: Rows, s: Datum) -> Datum:
    """The bytes of hexadecimal digits.

    >>> FROM_UTF8(FROM_HEX('6162'))
    ab
    """

    def read(text: str) -> bytes:
        if any(character not in "0123456789abcdefABCDEF" for character in text) or len(text) % 2:
            raise ValueError(f"{text!r} is no row of pairs of hexadecimal digits")
        return bytes.fromhex(text)

    return map_rows(rows, read, [s], BYTES, ErrorName.ARGUMENT)


@scalar("TO_BASE64(b: BINARYSTRING) -> VARCHAR")
def to_base64(rows: Rows, b: Datum) -> Datum:
    """Bytes in base 64.

    >>> TO_BASE64(TO_UTF8('abc'))
    YWJj
    """
    return map_rows(rows, lambda value: base64.b64encode(value).decode(), [b], STRING)


@scalar("FROM_BASE64(s: CHARACTER) -> VARBINARY", fails=True)
def from_base64(rows: Rows, s: Datum) -> Datum:
    """The bytes that a text in base 64 holds.

    >>> FROM_UTF8(FROM_BASE64('YWJj'))
    abc
    """
    return map_rows(rows, lambda text: base64.b64decode(text, validate=True), [s], BYTES, ErrorName.ARGUMENT)


def _digest(name: str, function: Callable[[bytes], bytes], of_abc: str) -> None:
    """Enter a digest of bytes."""

    def implementation(rows: Rows, b: Datum) -> Datum:
        return map_rows(rows, function, [b], BYTES)

    implementation.__doc__ = f"""The {name} digest of bytes.

    >>> SUBSTRING(TO_HEX({name}(TO_UTF8('abc'))) FROM 1 FOR 8)
    {of_abc}
    """
    implementation.__module__ = __name__
    scalar(f"{name}(b: BINARYSTRING) -> VARBINARY")(implementation)


_digest("MD5", lambda value: hashlib.md5(value, usedforsecurity=False).digest(), "90015098")
_digest("SHA1", lambda value: hashlib.sha1(value, usedforsecurity=False).digest(), "A9993E36")
_digest("SHA256", lambda value: hashlib.sha256(value).digest(), "BA7816BF")
_digest("SHA512", lambda value: hashlib.sha512(value).digest(), "DDAF35A1")
