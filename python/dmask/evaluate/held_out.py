"""Who trains and who validates: a hash of the person decides, so that it never changes.

Rendered eyes come in a file for each half, with people of its own (`render_eyes/assets.py`).
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

VALIDATION_SHARE = 0.10
CLOSE_UP_SHARE = 0.20


def person_of(image: str) -> str:
    """The person (or source photograph) a file name stands for.

    Faces cut from one photograph end in `_1`, `_2`; a file of the unlabelled set is named after its person.
    """
    stem = image.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return re.sub(r"_\d+$", "", stem)


def is_validation(image: str) -> bool:
    return drawn(person_of(image)) < VALIDATION_SHARE


def is_held_out(mask: Path) -> bool:
    """Of a close-up with a mask: nobody knows who it is, each counts for itself."""
    return drawn(f"close-up {mask.stem}") < CLOSE_UP_SHARE


def drawn(name: str) -> float:
    """0 to 1, always the same for a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 2**32
