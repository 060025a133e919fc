"""`dmask engines`: TensorRT engines of the shipped networks."""

from __future__ import annotations

import argparse

from dmask.commands.parser import Command, add_commands

PARTS = {
    "build": Command("dmask.commands.engines_build", "build the engines that are not in the cache yet"),
    "check": Command("dmask.commands.engines_check", "measure how far f16 moves what each network finds"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_commands(parser, PARTS, "PART")
