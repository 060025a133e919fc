"""The options of the core as command-line arguments, checked before any work starts."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from dmask.errors import WrongUse

PROFILES = ("clinical", "article", "strict")
BACKENDS = ("auto", "cpu", "tensorrt")
WEIGHTS = ("research", "open")
PRECISIONS = ("auto", "f32", "bf16", "f16")


def add_core_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--profile", choices=PROFILES, default="clinical", help="what may leave the machine")
    parser.add_argument(
        "--hfov-deg",
        type=float,
        default=40.0,
        metavar="DEG",
        help="the camera's horizontal field of view (default 40)",
    )
    parser.add_argument(
        "--hvid-mm",
        type=float,
        default=11.71,
        metavar="MM",
        help="the patient's visible iris width (default 11.71, adults)",
    )
    parser.add_argument(
        "--fixating",
        choices=("none", "od", "os", "both"),
        default="none",
        help="the eye known to look into the camera during --at",
    )
    parser.add_argument("--at", metavar="T0-T1", help="seconds from-to, as in 2.5-4")
    parser.add_argument("--no-eyebrows", action="store_true", help="leave the eyebrows' motion out")
    add_backend_arguments(parser)


def add_backend_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--backend", choices=BACKENDS, default="auto", help="what the networks run on")
    parser.add_argument(
        "--weights",
        choices=WEIGHTS,
        default="research",
        help="of the networks: research (non-commercial data) or open (trained on own renders alone)",
    )
    parser.add_argument(
        "--models",
        metavar="DIR",
        help="a copy of the package's models folder with nets of your own in it",
    )
    parser.add_argument("--precision", choices=PRECISIONS, default="auto", help="of the networks")
    parser.add_argument(
        "--threads",
        type=int,
        default=1,
        metavar="N",
        help="CPU threads (default 1); from two on decoding, networks, fits and encoding overlap",
    )


def core_options(args: argparse.Namespace) -> dict[str, Any]:
    """Fields of the core's Options from the arguments. Raises WrongUse."""
    options = {name: getattr(args, name) for name in ("backend", "weights", "precision", "threads")}
    if args.models is not None:
        options["models_dir"] = str(checked_models(Path(args.models)))
    if args.threads < 1:
        raise WrongUse(f"got --threads {args.threads}, expected 1 or more")
    start_s, end_s = fixation_window(getattr(args, "fixating", "none"), getattr(args, "at", None))
    options |= {
        "profile": getattr(args, "profile", "clinical"),
        "hfov_deg": getattr(args, "hfov_deg", 40.0),
        "hvid_mm": getattr(args, "hvid_mm", 11.71),
        "fixating": getattr(args, "fixating", "none"),
        "fixating_from_s": start_s,
        "fixating_to_s": end_s,
        "eyebrows": not getattr(args, "no_eyebrows", False),
    }
    if not 5 <= options["hfov_deg"] <= 150:
        raise WrongUse(f"got --hfov-deg {options['hfov_deg']:g}, expected 5 to 150 degrees")
    if not 8 <= options["hvid_mm"] <= 15:
        raise WrongUse(f"got --hvid-mm {options['hvid_mm']:g}, expected 8 to 15 mm")
    return options


def checked_models(folder: Path) -> Path:
    if not (folder / "face.dmm").is_file():
        raise WrongUse(
            f"got --models {folder} without face.dmm, expected a copy of the package's models folder"
        )
    return folder


def fixation_window(fixating: str, at: str | None) -> tuple[float, float]:
    if fixating == "none" and at is None:
        return 0.0, 0.0
    if fixating == "none":
        raise WrongUse("got --at without an eye; expected --fixating od, os or both beside it")
    if at is None:
        raise WrongUse(f"got --fixating {fixating} without a time; expected --at T0-T1 in seconds beside it")
    match = re.fullmatch(r"(\d+\.?\d*)-(\d+\.?\d*)", at)
    if not match or float(match[1]) >= float(match[2]):
        raise WrongUse(f"got --at {at}, expected two times in seconds, the earlier first, as in --at 2.5-4")
    return float(match[1]), float(match[2])


def make_pipeline(options: dict[str, Any]):
    """The core's Pipeline with these options and the package's own models. Raises Error."""
    import dmask
    from dmask.environment import models_folder

    core_options = dmask.Options()
    # Half of the threads for one net at a time: the other stages run beside it.
    of_nets = {"threads": max(1, options["threads"] // 2), "models_dir": str(models_folder(options))}
    for name, value in (options | of_nets).items():
        setattr(core_options, name, value)
    return dmask.Pipeline(core_options)


def announced_pipeline(options: dict[str, Any]):
    """`make_pipeline`, saying in one line what the backend `auto` came to be, and why."""
    pipeline = make_pipeline(options)
    if options["backend"] == "auto":
        print(f"backend {pipeline.backend}: {pipeline.backend_reason}")
    return pipeline
