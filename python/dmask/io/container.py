"""Named arrays in one file: the format of model and track files (the C++ twin is models/container.hpp).

    "DMASKARR" | u32 version (1) | u32 count | count entries | data
    entry: u16 name bytes | name (utf-8) | u8 dtype | u8 ndim | u64 dims[ndim] | u64 offset | u64 bytes

Little endian, C order; offsets count from the file's start, multiples of 64. Strings are u8 arrays,
lists of strings are joined by a newline.
"""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dmask.errors import Error

MAGIC = b"DMASKARR"
VERSION = 1
ALIGNMENT = 64
DTYPES = tuple(np.dtype(code) for code in ("u1", "<i2", "<i4", "<f2", "<f4", "<f8", "<i8"))
PROPER_NAME = "1 to 200 printable characters of ASCII"
MAX_NDIM = 8


class ContainerError(Error):
    """The file is not a complete, well-formed container."""


def strings(items: Iterable[str]) -> np.ndarray:
    """A list of strings as the (bytes,) u8 array that stands for it in a container."""
    items = list(items)
    if any("\n" in item for item in items):
        raise ValueError("got a string with a newline in it; expected strings of one line")
    return np.frombuffer("\n".join(items).encode(), np.uint8)


def to_strings(array: np.ndarray) -> list[str]:
    """The list of strings behind a u8 array."""
    text = np.ascontiguousarray(array, np.uint8).tobytes().decode()
    return text.split("\n") if text else []


def proper(name: str, name_bytes: int) -> bool:
    return 0 < name_bytes <= 200 and name.isascii() and name.isprintable()


def write(path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray]) -> None:
    """Write `arrays` to `path`, under a temporary name first, so that a reader never sees half a file.

    Raises ValueError for a dtype that the format does not know or a name that no reader takes.
    """
    path = Path(path)
    entries = []
    for name, array in arrays.items():
        array = np.asarray(array)
        dtype = array.dtype.newbyteorder("<")
        if dtype not in DTYPES:
            raise ValueError(f"{name}: got dtype {array.dtype}, expected one of {[str(d) for d in DTYPES]}")
        if array.ndim > MAX_NDIM:
            raise ValueError(f"{name}: got {array.ndim} dimensions, expected at most {MAX_NDIM}")
        key = name.encode()
        if not proper(name, len(key)):
            raise ValueError(f"got the array name {name[:40]!r}, expected {PROPER_NAME}")
        entries.append((key, DTYPES.index(dtype), array.shape, array.astype(dtype, order="C", copy=False)))

    header_bytes = len(MAGIC) + 8 + sum(20 + len(key) + 8 * len(shape) for key, _, shape, _ in entries)
    offset = _aligned(header_bytes)
    header = [MAGIC, struct.pack("<II", VERSION, len(entries))]
    for key, code, shape, array in entries:
        header.append(struct.pack("<H", len(key)) + key + struct.pack("<BB", code, len(shape)))
        header.append(struct.pack(f"<{len(shape) + 2}Q", *shape, offset, array.nbytes))
        offset = _aligned(offset + array.nbytes)

    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(b"".join(header))
            for _, _, _, array in entries:
                file.write(b"\0" * (_aligned(file.tell()) - file.tell()))
                file.write(array.tobytes())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """The arrays of the container at `path`, as read-only views of its bytes.

    Raises ContainerError, saying what is wrong, for anything but a complete container.
    """
    data = Path(path).read_bytes()

    def fail(what: str) -> ContainerError:
        return ContainerError(f"{path}: {what}; get the file again or rebuild it")

    position = 0

    def take(layout: str) -> tuple[Any, ...]:
        nonlocal position
        size = struct.calcsize(layout)
        if position + size > len(data):
            raise fail(f"ends after {len(data)} bytes, inside the header")
        values = struct.unpack_from(layout, data, position)
        position += size
        return values

    magic, version, count = take("<8sII")
    if magic != MAGIC:
        raise fail(f"got {magic!r} at its start, expected {MAGIC!r}")
    if version != VERSION:
        raise fail(f"got format version {version}, expected {VERSION}")
    arrays: dict[str, np.ndarray] = {}
    headers = []
    for _ in range(count):
        (key_bytes,) = take("<H")
        (key,) = take(f"<{key_bytes}s")
        try:
            name = key.decode()
        except UnicodeDecodeError:
            raise fail(f"got the array name {key[:40]!r}, expected utf-8") from None
        if not proper(name, key_bytes):
            raise fail(f"got the array name {key[:40]!r}, expected {PROPER_NAME}")
        code, ndim = take("<BB")
        if code >= len(DTYPES) or ndim > MAX_NDIM:
            raise fail(f"array {name}: got dtype code {code} and {ndim} dimensions")
        *dims, offset, nbytes = take(f"<{ndim + 2}Q")
        if max(dims, default=0) > len(data):
            raise fail(f"array {name}: got the shape {tuple(dims)} in a file of {len(data)} bytes")
        headers.append((name, DTYPES[code], tuple(dims), offset, nbytes))
    for name, dtype, shape, offset, nbytes in headers:
        expected = dtype.itemsize
        for dim in shape:
            expected *= dim
        if nbytes != expected:
            raise fail(f"array {name}: got {nbytes} bytes, expected {expected} for shape {shape} of {dtype}")
        if offset % ALIGNMENT or offset < position or offset + nbytes > len(data):
            raise fail(f"array {name}: bytes {offset} to {offset + nbytes} of a file of {len(data)}")
        if name in arrays:
            raise fail(f"array {name} occurs twice")
        arrays[name] = np.frombuffer(data, dtype, nbytes // dtype.itemsize, offset).reshape(shape)
    end = max([position, *(offset + nbytes for *_, offset, nbytes in headers)])
    if end != len(data):
        raise fail(f"got {len(data)} bytes, expected {end}, where its last array ends")
    return arrays


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT
