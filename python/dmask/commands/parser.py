"""Commands and their parts, each a module that is imported when it is asked for: `--help` stays quick.

A part whose work needs an extra (torch, scipy, onnx) has its arguments here, so that `--help` needs none.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, NamedTuple


class Command(NamedTuple):
    """A module with add_arguments(parser) and run(args); one that only lists parts needs no run."""

    module: str
    help: str
    settings: Mapping[str, Any] = {}  # of the parsed arguments, as set_defaults takes them


class CommandParser(argparse.ArgumentParser):
    """A parser that `prepare` gives its arguments before the first use."""

    def __init__(self, prepare: Callable[[argparse.ArgumentParser], None] | None = None, **settings: Any):
        super().__init__(**settings)
        self._prepare = prepare

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self._prepare is not None:
            prepare, self._prepare = self._prepare, None
            prepare(self)
        return super().parse_known_args(args, namespace)


def with_own_run(parser: argparse.ArgumentParser, module: ModuleType) -> None:
    module.add_arguments(parser)
    if hasattr(module, "run"):
        parser.set_defaults(run=module.run)


def add_commands(
    parser: argparse.ArgumentParser,
    commands: Mapping[str, Command],
    metavar: str,
    required: bool = True,
    prepare: Callable[[argparse.ArgumentParser, ModuleType], None] = with_own_run,
) -> None:
    """Let `parser` take one of `commands` by name; `prepare` gives a command's parser its arguments."""
    subparsers = parser.add_subparsers(metavar=metavar, required=required, parser_class=CommandParser)
    for name, command in commands.items():

        def load(subparser: argparse.ArgumentParser, command: Command = command) -> None:
            subparser.set_defaults(**command.settings)
            prepare(subparser, importlib.import_module(command.module))

        description = f"{command.help[0].upper()}{command.help[1:]}."
        subparsers.add_parser(name, help=command.help, description=description, prepare=load)
