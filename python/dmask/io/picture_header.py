"""What a file's first bytes say: the kind of a picture, and its size before anything of it is decoded."""

from __future__ import annotations

import math
import struct
import zlib
from typing import NamedTuple

HEAD_BYTES = 4096
PNG = b"\x89PNG\r\n\x1a\n"
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
AVIF_BRANDS = {b"avif", b"avis"}
KINDS_WITH_AN_END = ("PNG", "JPEG", "WebP", "BMP")  # whose bytes say whether they are all there
EXIF_TAGS, FOCAL_LENGTH_35MM, TAKEN_WIDTH, TAKEN_HEIGHT = 0x8769, 0xA405, 0xA002, 0xA003
TIFF_SAMPLES = {1: "whole numbers", 2: "signed numbers", 3: "floating-point numbers"}


class Samples(NamedTuple):
    """What a channel of a pixel is."""

    bits: int
    kind: str  # of TIFF_SAMPLES


def kind_of(head: bytes) -> str | None:
    """PNG, JPEG, … of a picture's first bytes; None where they are of none. A GIF counts as a video."""
    if head.startswith(PNG):
        return "PNG"
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "TIFF"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head.startswith(b"BM") and head[14:18] in (b"\x0c\0\0\0", b"\x28\0\0\0", b"\x6c\0\0\0", b"\x7c\0\0\0"):
        return "BMP"
    if head.startswith((b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")):
        return "JPEG 2000"
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        return "PNM"
    if head.startswith((b"#?RADIANCE", b"#?RGBE")):
        return "HDR"
    if head.startswith(b"\x59\xa6\x6a\x95"):
        return "Sun raster"
    if head[4:8] == b"ftyp":
        brands = {head[8:12], *(head[i : i + 4] for i in range(16, min(len(head), _u32(head, 0)) - 3, 4))}
        if head[8:12] in AVIF_BRANDS or (head[8:12] in (b"mif1", b"msf1") and brands & AVIF_BRANDS):
            return "AVIF"
        if head[8:12] in HEIC_BRANDS:
            return "HEIC"
    return None


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels as a picture's header has them; None where that is not understood."""
    try:
        return _size(data)
    except (struct.error, IndexError, ValueError):
        return None


def _size(data: bytes) -> tuple[int, int] | None:
    kind = kind_of(data[:HEAD_BYTES])
    if kind == "PNG":
        return struct.unpack_from(">II", data, 16)
    if kind == "JPEG":
        return _jpeg_size(data)
    if kind == "TIFF":
        tags = _tiff_tags(data)
        return (tags[256], tags[257]) if {256, 257} <= set(tags) else None
    if kind == "BMP":
        if data[14] == 12:
            return struct.unpack_from("<HH", data, 18)
        width, height = struct.unpack_from("<ii", data, 18)
        return width, abs(height)
    if kind == "WebP":
        return _webp_size(data)
    if kind == "PNM":
        words = b" ".join(line.partition(b"#")[0] for line in data[:HEAD_BYTES].split(b"\n")).split()
        return int(words[1]), int(words[2])
    if kind == "JPEG 2000":
        at = data[:HEAD_BYTES].find(b"ihdr")
        if at >= 0:
            height, width = struct.unpack_from(">II", data, at + 4)
            return width, height
        at = data.index(b"\xff\x51")
        right, low, left, high = struct.unpack_from(">IIII", data, at + 6)
        return right - left, low - high
    if kind in ("AVIF", "HEIC"):
        at = data[: 16 * HEAD_BYTES].find(b"ispe")
        return struct.unpack_from(">II", data, at + 8) if at >= 0 else None
    return None


def samples_of(data: bytes) -> Samples | None:
    """What the channels of a PNG or TIFF hold; None of other kinds, whose channels are bytes."""
    try:
        kind = kind_of(data[:HEAD_BYTES])
        if kind == "PNG":
            return Samples(data[24], TIFF_SAMPLES[1])
        if kind == "TIFF":
            tags = _tiff_tags(data)
            return Samples(tags.get(258, 1), TIFF_SAMPLES.get(tags.get(339, 1), TIFF_SAMPLES[1]))
    except (struct.error, IndexError, ValueError):
        pass
    return None


def hfov_deg_of(data: bytes, width: int, height: int) -> int | None:
    """The horizontal field of view in whole degrees, by the focal length in a JPEG's, TIFF's or HEIC's EXIF.

    None where none is told, or the `width` x `height` pixels are no longer the whole of what the camera took.
    """
    start = 0 if kind_of(data[:HEAD_BYTES]) == "TIFF" else data.find(b"Exif\0\0") + 6
    try:
        exif = data[start:] if start != 5 else b""
        tags = _tiff_tags(exif, _tiff_tags(exif)[EXIF_TAGS])
    except (struct.error, IndexError, KeyError, OverflowError):
        return None
    focal_mm = tags.get(FOCAL_LENGTH_35MM, 0)
    taken = tags.get(TAKEN_WIDTH, 0), tags.get(TAKEN_HEIGHT, 0)
    if not focal_mm or (all(taken) and abs(_slimness(*taken) / _slimness(width, height) - 1) > 0.01):
        return None
    # The same angle across the diagonal as on a film of 36 x 24 mm (CIPA DCG-001).
    focal_px = focal_mm * math.hypot(width, height) / math.hypot(36, 24)
    return round(math.degrees(2 * math.atan(0.5 * width / focal_px)))


def _slimness(width: int, height: int) -> float:
    return max(width, height) / min(width, height)


def is_whole(data: bytes) -> bool:
    """Whether a picture's bytes go on to its end, as far as its kind tells; a decoder says the rest."""
    kind = kind_of(data[:HEAD_BYTES])
    try:
        if kind == "JPEG":
            # Cut off, it decodes to a picture with a grey lower part: its end marker is the only witness, and
            # has to come behind the pixels' beginning, as that of a thumbnail does not.
            return data.find(b"\xff\xd9", _jpeg_scan(data)) >= 0
        if kind == "PNG":
            return _png_is_whole(data)
        if kind == "WebP":
            return len(data) >= 8 + int(struct.unpack_from("<I", data, 4)[0])
        if kind == "BMP" and data[14] != 12:
            (start, _, width, height, _, bits, packing) = struct.unpack_from("<IIiiHHI", data, 10)
            row_bytes = (width * bits + 31) // 32 * 4
            return packing in (1, 2) or len(data) >= start + row_bytes * abs(height)
    except (struct.error, IndexError):
        return False
    return True


def _png_is_whole(data: bytes) -> bool:
    """Each chunk with its checksum, up to the last one."""
    at = len(PNG)
    while True:
        (length,) = struct.unpack_from(">I", data, at)
        (checksum,) = struct.unpack_from(">I", data, at + 8 + length)
        if zlib.crc32(memoryview(data)[at + 4 : at + 8 + length]) != checksum:
            return False
        if data[at + 4 : at + 8] == b"IEND":
            return True
        at += 12 + length


def _jpeg_scan(data: bytes) -> int:
    """Where the pixels begin. Raises IndexError, struct.error where they do not."""
    at = 2
    while data[at + 1] != 0xDA:
        at += 1 if data[at] != 0xFF or data[at + 1] == 0xFF else 2 + _u16(data, at + 2)
    return at


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while True:
        while data[at] == 0xFF and data[at + 1] == 0xFF:
            at += 1
        marker = data[at + 1]
        if data[at] != 0xFF or marker in (0xD9, 0xDA):
            return None
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + struct.unpack_from(">H", data, at + 2)[0]


def _webp_size(data: bytes) -> tuple[int, int] | None:
    chunk = data[12:16]
    if chunk == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _tiff_tags(data: bytes, at: int | None = None) -> dict[int, int]:
    """The first value of each tag that holds whole numbers: of the first page, or of what begins `at`."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2 if order == "<" else 3] == 43
    if at is None:
        (at,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
    (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, at)
    at += 8 if big else 2
    entry_bytes, value_at = (20, 12) if big else (12, 8)
    tags = {}
    for entry in range(at, at + min(count, 1000) * entry_bytes, entry_bytes):
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        (values,) = struct.unpack_from(order + ("Q" if big else "I"), data, entry + 4)
        letter = {3: "H", 4: "I", 16: "Q"}.get(kind)
        if letter is None:
            continue
        where = entry + value_at
        if values * struct.calcsize(order + letter) > (8 if big else 4):
            (where,) = struct.unpack_from(order + ("Q" if big else "I"), data, where)
        (tags[tag],) = struct.unpack_from(order + letter, data, where)
    return tags


def _u16(data: bytes, at: int) -> int:
    """Big endian. Raises struct.error where the bytes end before."""
    return int(struct.unpack_from(">H", data, at)[0])


def _u32(data: bytes, at: int) -> int:
    """Big endian."""
    return int.from_bytes(data[at : at + 4], "big")
