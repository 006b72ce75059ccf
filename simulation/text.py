"""Fast text columns: keys to hex, numbers to padded digits, codes to words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike

from simulation.draws import Ints, Keys

_HEX = np.array([list(f"{byte:02x}".encode()) for byte in range(256)], dtype=np.uint8)


def _fixed_width(letters: np.ndarray, missing: ArrayLike | None) -> pa.Array:
    """Texts of one width from their bytes, shape (texts, width)."""
    count, width = letters.shape
    offsets = np.arange(count + 1, dtype=np.int64) * width
    if offsets[-1] > np.iinfo(np.int32).max:
        raise ValueError(f"{count:,} texts of {width} bytes do not fit one column; use chunks")
    texts = pa.StringArray.from_buffers(
        count,
        pa.py_buffer(offsets.astype(np.int32)),
        pa.py_buffer(np.ascontiguousarray(letters)),
    )
    return texts if missing is None else hide(texts, missing)


def hide(values: pa.Array, missing: ArrayLike) -> pa.Array:
    """The same column with nulls where `missing` is true."""
    return pc.if_else(pa.array(np.asarray(missing)), pa.scalar(None, values.type), values)


def refs(prefix: str, keys: Keys, missing: ArrayLike | None = None) -> pa.Array:
    """`prefix` and 16 hex digits of each key."""
    data = keys.astype(">u8").view(np.uint8).reshape(-1, 8)
    letters = np.empty((len(keys), len(prefix) + 16), dtype=np.uint8)
    letters[:, : len(prefix)] = np.frombuffer(prefix.encode(), dtype=np.uint8)
    letters[:, len(prefix) :] = _HEX[data].reshape(-1, 16)
    return _fixed_width(letters, missing)


def digits(prefix: str, numbers: Ints, width: int, missing: ArrayLike | None = None) -> pa.Array:
    """`prefix` and the last `width` digits of each number, with leading zeros."""
    letters = np.empty((len(numbers), len(prefix) + width), dtype=np.uint8)
    letters[:, : len(prefix)] = np.frombuffer(prefix.encode(), dtype=np.uint8)
    rest = np.asarray(numbers, dtype=np.int64)
    for place in range(width):
        letters[:, -1 - place] = rest % 10 + ord("0")
        rest = rest // 10
    return _fixed_width(letters, missing)


def words(vocabulary: Sequence[str], codes: ArrayLike) -> pa.Array:
    """The word of each code; a negative code is null."""
    numbers = np.asarray(codes).astype(np.int64)
    indices = pa.array(numbers.clip(0), mask=numbers < 0)
    return pa.array(list(vocabulary), pa.string()).take(indices)


def joined(*parts: pa.Array | str) -> pa.Array:
    """Texts put together row by row; null where any part is null."""
    return pc.binary_join_element_wise(*parts, "")


def times(values: Ints) -> pa.Array:
    """Microseconds since 1970 as UTC instants without a zone."""
    return pa.array(np.ascontiguousarray(values).astype("datetime64[us]"))


def money(cents: Ints, missing: ArrayLike | None = None) -> pa.Array:
    """Cents as units of the currency."""
    return pa.array(cents / 100.0, mask=None if missing is None else np.asarray(missing))
