"""--ict and --unityeyes2: the folders from which patients are drawn as a camera would see them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

from dmask.errors import WrongUse
from dmask.ranges import place


class StudioFolders(NamedTuple):
    ict: Path
    unityeyes2: Path


def add_studio_arguments(parser: argparse.ArgumentParser, ict_help: str) -> None:
    parser.add_argument("--ict", type=place, metavar="DIR", help=ict_help)
    parser.add_argument("--unityeyes2", type=place, metavar="DIR", help="with --ict: whose irises")


def studio_folders(args: argparse.Namespace) -> StudioFolders | None:
    """None where neither is given. Raises WrongUse."""
    if (args.ict is None) != (args.unityeyes2 is None):
        raise WrongUse("got --ict or --unityeyes2 alone; expected both, or neither")
    return None if args.ict is None else StudioFolders(args.ict, args.unityeyes2)
