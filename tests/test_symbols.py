"""The extension shows its entry and nothing else: what is loaded later binds to no copy of ours."""

from __future__ import annotations

import struct
from pathlib import Path

from dmask import _core

SECTION = struct.Struct(
    "<IIQQQQIIQQ"
)  # of ELF-64: name, type, flags, address, offset, size, link, info, align, entry
SYMBOL = struct.Struct("<IBBHQQ")  # name, info, other, section, value, size
DYNAMIC_SYMBOLS = 11


def shown_symbols(library: Path) -> set[str]:
    """Of a shared object: what it defines for others."""
    image = library.read_bytes()
    assert image[:6] == b"\x7fELF\x02\x01", f"{library} is no ELF file of 64 bits, little end first"
    start, size, count = (*struct.unpack_from("<Q", image, 0x28), *struct.unpack_from("<HH", image, 0x3A))
    sections = [SECTION.unpack_from(image, start + i * size) for i in range(count)]
    (table,) = (section for section in sections if section[1] == DYNAMIC_SYMBOLS)
    names = sections[table[6]][4]
    shown = set()
    for name, info, _, section, _, _ in SYMBOL.iter_unpack(image[table[4] : table[4] + table[5]]):
        local = info >> 4 == 0
        if section and not local:
            shown.add(image[names + name : image.index(0, names + name)].decode())
    return shown


def test_the_extension_shows_its_entry_alone():
    assert shown_symbols(Path(_core.__file__)) == {"PyInit__core"}
