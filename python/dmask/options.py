"""The core's options as command-line arguments, checked by the core before any work starts."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dmask.errors import Error, WrongUse

if TYPE_CHECKING:
    from dmask._core import Pipeline

SPELT_OTHERWISE = {"models_dir": "--models", "eyebrows": "--no-eyebrows"}
NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")
FIXATION_WINDOW = ("fixating_from_s", "fixating_to_s")  # --at T0-T1
METAVARS = {"models_dir": "DIR", "threads": "N"}
HERE = {"threads": "from two on decoding, networks, fits and encoding overlap"}  # what a command makes of it


def table() -> dict[str, dict[str, Any]]:
    """The core's options of the command line by name; `_core.option_table` says what a row holds."""
    from dmask import _core

    return {row["name"]: row for row in _core.option_table() if row["use"] in ("mask", "nets")}


def add_core_arguments(
    parser: argparse.ArgumentParser,
    more_choices: dict[str, tuple[str, ...]] | None = None,
    without: tuple[str, ...] = (),
    **defaults: Any,
) -> None:
    """What a command that makes masks takes; `defaults` are its own, by option, and so are `more_choices`;
    `without` are options that it decides by itself."""
    _add(parser, "mask", defaults, more_choices, without)
    parser.add_argument("--at", metavar="T0-T1", help="when the eye of --fixating does, in seconds: 2.5-4")
    add_backend_arguments(parser, more_choices)


def add_backend_arguments(
    parser: argparse.ArgumentParser, more_choices: dict[str, tuple[str, ...]] | None = None
) -> None:
    """What every command that has networks takes."""
    _add(parser, "nets", {}, more_choices)


def flag(name: str) -> str:
    """How the command line writes an option."""
    return SPELT_OTHERWISE.get(name, "--" + name.replace("_", "-"))


def _add(
    parser: argparse.ArgumentParser,
    use: str,
    defaults: dict[str, Any],
    more_choices: dict[str, tuple[str, ...]] | None = None,
    without: tuple[str, ...] = (),
) -> None:
    for name, row in table().items():
        row = row | {"default": defaults.get(name, row["default"])}
        if row["use"] != use or name in FIXATION_WINDOW or name in without:
            continue
        if row["kind"] == "flag":
            parser.add_argument(flag(name), action="store_true", help=f"turn off that {row['help']}")
            continue
        choices = row["choices"] and [*row["choices"], *(more_choices or {}).get(name, ())]
        # Of the package's own folder none speaks; a field of view that is given beats the file's own.
        default = None if name in ("models_dir", "hfov_deg") else row["default"]
        parser.add_argument(
            flag(name),
            dest=_destination(name),
            type={"number": float, "whole": int}.get(row["kind"], str),
            choices=choices,
            default=default,
            metavar=None if choices else METAVARS.get(name, name.rsplit("_", 1)[-1].upper()),
            help=_help(row),
        )


def _help(row: dict[str, Any]) -> str:
    text = "; ".join([row["help"], *([HERE[row["name"]]] if row["name"] in HERE else [])])
    if row["kind"] == "text":
        return text
    limits = "{:g} to {:g} {}".format(*row["range"], row["unit"]).strip() + ", " if row["range"] else ""
    default = row["default"] if row["choices"] else format(row["default"], "g")
    return f"{text} ({limits}default {default})"


def _destination(name: str) -> str:
    """The name of an option's value among the parsed arguments."""
    return flag(name).removeprefix("--").replace("-", "_")


def core_options(args: argparse.Namespace) -> dict[str, Any]:
    """Values by option; what a command has no argument for takes its default. Raises WrongUse."""
    options: dict[str, Any] = {}
    for name, row in table().items():
        value = getattr(args, _destination(name), None)
        if row["kind"] == "flag":
            options[name] = not value  # each is on unless a --no- says otherwise
        elif name != "models_dir":
            options[name] = row["default"] if value is None else value
        elif value is not None:
            options[name] = str(checked_models(Path(value)))
    window_s = fixation_window(options["fixating"], getattr(args, "at", None))
    options |= dict(zip(FIXATION_WINDOW, window_s, strict=True))
    check(options)
    options["threads"] = options["threads"] or len(os.sched_getaffinity(0))
    return options


def check(options: dict[str, Any]) -> None:
    """Whether the core takes each of these. Raises WrongUse with the option as the command line writes it."""
    import dmask

    for name, value in options.items():
        try:
            dmask.Options(**{name: value})
        except Error as error:
            raise WrongUse(str(error).replace(f"got {name} ", f"got {flag(name)} ", 1)) from None


def checked_models(folder: Path) -> Path:
    if not (folder / "face.dmm").is_file():
        raise WrongUse(
            f"got --models {folder} without face.dmm, expected a copy of the package's models folder"
        )
    return folder


def fixation_window(fixating: str, at: str | None) -> tuple[float, float]:
    """From and to, in seconds, of --at beside --fixating. Raises WrongUse."""
    if fixating == "none" and at is None:
        return 0.0, 0.0
    if fixating == "none":
        raise WrongUse("got --at without an eye; expected --fixating od, os or both beside it")
    if at is None:
        raise WrongUse(f"got --fixating {fixating} without a time; expected --at T0-T1 in seconds beside it")
    match = re.fullmatch(r"(\d+\.?\d*)-(\d+\.?\d*)", at)
    if not match or float(match[1]) > float(match[2]):
        raise WrongUse(f"got --at {at}, expected two times in seconds, the earlier first, as in --at 2.5-4")
    return float(match[1]), float(match[2])


def make_pipeline(options: dict[str, Any]) -> Pipeline:
    """The core's Pipeline with these options and the package's own models. Raises Error."""
    import dmask

    # Half of the threads for one net at a time: the other stages run beside it.
    return dmask.Pipeline(dmask.Options(**options | {"threads": max(1, options["threads"] // 2)}))


def announced_pipeline(options: dict[str, Any]) -> Pipeline:
    """`make_pipeline`, saying in one line what the backend `auto` came to be, and why.

    Where no NVIDIA GPU is, nobody waits for one: what it would need is for `dmask doctor` to say.
    """
    pipeline = make_pipeline(options)
    if options["backend"] == "auto":
        reason = pipeline.backend_reason if nvidia_gpu_is_here() else "OpenVINO"
        print(f"backend {pipeline.backend}: {reason}")
    return pipeline


def nvidia_gpu_is_here() -> bool:
    """Whether this machine has one that its system knows of, whatever this build can do with it."""
    from dmask import _core

    return NVIDIA_DRIVER.exists() or bool(_core.gpu_status()["devices"])
