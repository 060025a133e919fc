"""Whether a recording's file ends before its end, as its own structure tells: what it lacks in bytes.

A player shows what is there of a file that was copied halfway, and says nothing; sound beside the pictures
hides where these end. AVI, Matroska and MP4 state the length of their parts, and a transport stream is made
of packets of one length.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

# Of transport streams: a packet, one with a time stamp in front (Blu-ray's), and the first byte of each.
PACKET_BYTES, STAMPED_PACKET_BYTES, SYNC = 188, 192, 0x47
SEGMENT = b"\x18\x53\x80\x67"  # of Matroska and WebM
TOP_BOXES = 10_000  # of an MP4, at most, that are looked at


def cut_short(path: Path, format_name: str) -> str | None:
    """What is missing, as a clause; None where nothing tells of it. `format_name` is FFmpeg's."""
    if not path.is_file():
        return None
    kinds = format_name.split(",")
    with path.open("rb") as file:
        if "mpegts" in kinds:
            return of_packets(file)
        if "avi" in kinds:
            return of_bytes(file, riff_bytes(file))
        if "matroska" in kinds:
            return of_bytes(file, matroska_bytes(file))
        if "mp4" in kinds:
            return of_bytes(file, mp4_bytes(file))
    return None


def of_bytes(file: BinaryIO, stated: int | None) -> str | None:
    size = os.fstat(file.fileno()).st_size
    return None if stated is None or stated <= size else f"the file has {size} of {stated} bytes"


def of_packets(file: BinaryIO) -> str | None:
    head = file.read(2 * STAMPED_PACKET_BYTES)
    stamped = len(head) > 4 and head[0] != SYNC and head[4] == SYNC
    packet_bytes = STAMPED_PACKET_BYTES if stamped else PACKET_BYTES
    rest = os.fstat(file.fileno()).st_size % packet_bytes
    return f"its last packet has {rest} of {packet_bytes} bytes" if rest else None


def riff_bytes(file: BinaryIO) -> int | None:
    """All that the chunks of an AVI state; a stream that was never closed states nothing."""
    size, end = os.fstat(file.fileno()).st_size, 0
    while end + 8 <= size:
        file.seek(end)
        name, length = file.read(4), int.from_bytes(file.read(4), "little")
        if name != b"RIFF" or length in (0, 0xFFFFFFFF):
            return end or None
        end += 8 + length + length % 2
    return end - 1 if end == size + 1 else end  # the last byte may be one of padding


def matroska_bytes(file: BinaryIO) -> int | None:
    file.seek(0)
    head = file.read(4096)
    at = head.find(SEGMENT)
    if at < 0 or at + 12 > len(head):
        return None
    first = head[at + 4]
    length = 9 - first.bit_length()  # of the number, in bytes: zeros before its first bit
    if not 1 <= length <= 8:
        return None
    stated = int.from_bytes(head[at + 4 : at + 4 + length], "big") & ((1 << 7 * length) - 1)
    unknown = stated == (1 << 7 * length) - 1
    return None if unknown else at + 4 + length + stated


def mp4_bytes(file: BinaryIO) -> int | None:
    """All that the boxes side by side state; the last may reach to the file's end and state nothing."""
    size, end, boxes = os.fstat(file.fileno()).st_size, 0, 0
    while end + 8 <= size and boxes < TOP_BOXES:
        file.seek(end)
        length, name = int.from_bytes(file.read(4), "big"), file.read(4)
        if length == 1:
            length = int.from_bytes(file.read(8), "big")
        if length < 8 or not all(32 <= byte < 127 or byte == 0xA9 for byte in name):
            return None
        end, boxes = end + length, boxes + 1
    return end
