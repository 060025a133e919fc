"""Who trains and who validates: a hash of the person decides, so that it never changes.

Rendered eyes come in a file for each half, with people of its own (`render_eyes/assets.py`).
"""

from __future__ import annotations

import hashlib
import re

VALIDATION_SHARE = 0.10


def person_of(image: str) -> str:
    """The person (or source photograph) a file name stands for.

    Faces cut from one photograph end in `_1`, `_2`; a file of the unlabelled set is named after its person.
    """
    stem = image.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return re.sub(r"_\d+$", "", stem)


def is_validation(image: str) -> bool:
    digest = hashlib.sha256(person_of(image).encode()).digest()
    return int.from_bytes(digest[:4], "big") < VALIDATION_SHARE * 2**32
