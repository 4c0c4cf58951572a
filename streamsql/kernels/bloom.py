"""Split block Bloom filters as Parquet files have them: the hashes of values, and which of them a filter may hold.

Few values are asked for at a time: this is numpy over all of them, and needs no compiled loop.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

UInt32s = npt.NDArray[np.uint32]
UInt64s = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]

WORDS = 8
"""Words of 32 bits in a block.  A value sets one bit in each word of one block."""

_SALT = np.array(
    [0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31], np.uint32
)  # fmt: skip

_PRIMES = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
_P1, _P2, _P3, _P4, _P5 = map(np.uint64, _PRIMES)

_START = np.array([(_PRIMES[0] + _PRIMES[1]) % 2**64, _PRIMES[1], 0, -_PRIMES[0] % 2**64], np.uint64)


def block_of(hashes: UInt64s, blocks: int) -> UInt64s:
    """In which block of a filter of so many each value sets its bits."""
    return ((hashes >> np.uint64(32)) * np.uint64(blocks)) >> np.uint64(32)


def held(blocks: UInt32s, hashes: UInt64s) -> Bools:
    """Which values a filter may hold, by the block of each (values, WORDS); where it is false, it does not."""
    bits = np.uint32(1) << ((hashes.astype(np.uint32)[:, np.newaxis] * _SALT) >> np.uint32(27))
    found: Bools = (blocks & bits == bits).all(axis=1)
    return found


def hashes(values: Sequence[bytes]) -> UInt64s:
    """XXH64 of each value, with seed 0.

    >>> [hex(hash) for hash in hashes([b"", b"a"]).tolist()]
    ['0xef46db3751d8e999', '0xd24ec4f1a98c6e5b']
    """
    result = np.empty(len(values), np.uint64)
    lengths = np.array([len(value) for value in values])
    for length in np.unique(lengths).tolist():
        (places,) = np.nonzero(lengths == length)
        joined = b"".join(values[place] for place in places.tolist())
        result[places] = _xxh64(np.frombuffer(joined, np.uint8).reshape(len(places), length))
    return result


def _xxh64(values: npt.NDArray[np.uint8]) -> UInt64s:
    """The hashes of values of one length, (values, length)."""
    count, length = values.shape
    lanes = np.ascontiguousarray(values[:, : length // 8 * 8]).view("<u8").reshape(count, length // 8)
    used = 0
    if length >= 32:
        used = length // 32 * 4
        hash = _stripes(lanes[:, :used])
    else:
        hash = np.full(count, _P5)
    hash += np.uint64(length)
    for place in range(used, length // 8):
        hash = _rotated(hash ^ _round(np.zeros_like(hash), lanes[:, place]), 27) * _P1 + _P4
    at = length // 8 * 8
    if length - at >= 4:
        half = np.ascontiguousarray(values[:, at : at + 4]).view("<u4")[:, 0].astype(np.uint64)
        hash = _rotated(hash ^ (half * _P1), 23) * _P2 + _P3
        at += 4
    for place in range(at, length):
        hash = _rotated(hash ^ (values[:, place].astype(np.uint64) * _P5), 11) * _P1
    hash = (hash ^ (hash >> np.uint64(33))) * _P2
    hash = (hash ^ (hash >> np.uint64(29))) * _P3
    return hash ^ (hash >> np.uint64(32))


def _stripes(lanes: UInt64s) -> UInt64s:
    """What whole stripes of 32 bytes come to; (values, 4 for each stripe)."""
    states = np.tile(_START, (len(lanes), 1))
    for stripe in range(0, lanes.shape[1], 4):
        states = _round(states, lanes[:, stripe : stripe + 4])
    first, second, third, fourth = states.T
    hash = _rotated(first, 1) + _rotated(second, 7) + _rotated(third, 12) + _rotated(fourth, 18)
    for state in states.T:
        hash = (hash ^ _round(np.zeros_like(state), state)) * _P1 + _P4
    return hash


def _round(states: UInt64s, lanes: UInt64s) -> UInt64s:
    return _rotated(states + lanes * _P2, 31) * _P1


def _rotated(words: UInt64s, bits: int) -> UInt64s:
    """Words turned to the left."""
    return (words << np.uint64(bits)) | (words >> np.uint64(64 - bits))
