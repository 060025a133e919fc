"""`--anonymous-ids` and `--id-secret`: items go by identifiers that stay with them and name nobody."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dmask.io.items import Found


def add_identifier_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--anonymous-ids",
        action="store_true",
        help="call files by a keyed hash of their content, which stays with them, and name none",
    )
    parser.add_argument(
        "--id-secret",
        metavar="FILE",
        help="the hash's key, made if absent (default: ~/.config/dmask/id-secret); keep it, and to yourself",
    )


def anonymous_items(found: Found, secret: str | None) -> Found:
    """Raises WrongUse, Error where the secret cannot be used."""
    from dmask.io.identifiers import Identifiers, read_secret
    from dmask.io.items import anonymous

    return anonymous(found, Identifiers(read_secret(secret)))
