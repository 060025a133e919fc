"""What a mask says of itself to programs: that dmask made it, its version and profile, and nothing else.

In an MP4 it is the tag `comment`, in a PNG the text chunk `Comment`.
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import NamedTuple

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_KEYWORD = b"Comment"
IHDR_END = len(PNG_SIGNATURE) + 8 + 13 + 4  # its length and type, itself, its checksum


class Mark(NamedTuple):
    version: str
    profile: str


def mark_of(profile: str) -> str:
    from dmask import _core

    return f"dmask {_core.__version__} {profile}"


def read_mark(text: str) -> Mark | None:
    """Of such a tag's text; None where it is another's."""
    found = re.fullmatch(r"dmask (\S+) (\w+)", text)
    return Mark(found[1], found[2]) if found else None


def marked_png(png: bytes, mark: str) -> bytes:
    """The same picture with its mark behind the header."""
    text = b"tEXt" + PNG_KEYWORD + b"\0" + mark.encode("latin-1")
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    return png[:IHDR_END] + chunk + png[IHDR_END:]
