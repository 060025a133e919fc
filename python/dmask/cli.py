"""The command line: `dmask COMMAND …`, and one sentence for whatever goes wrong."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys

from dmask.commands.console import give_up_stdout, prepare_console
from dmask.commands.parser import Command, add_commands
from dmask.commands.places import check_places
from dmask.errors import Error, WrongUse, system_sentence

COMMANDS = {
    "run": Command("dmask.commands.run", "make the mask and the measures of a video, a picture or a folder"),
    "detect": Command("dmask.commands.detect", "write the landmarks of a video, a picture or a folder"),
    "measure": Command("dmask.commands.measure", "measure lids, blinks, alignment and nystagmus of a run"),
    "report": Command(
        "dmask.commands.report", "show the measures of a run, or of two of one patient, as one page"
    ),
    "review": Command("dmask.commands.review", "draw mask, traces and flags of a run into a video"),
    "render": Command("dmask.commands.render", "draw the mask again from a track.dmask"),
    "demo": Command("dmask.commands.demo", "render a synthetic patient, mask it, compare with the truth"),
    "doctor": Command("dmask.commands.doctor", "say what is installed and what would be used"),
    "bench": Command("dmask.commands.bench", "measure how long each stage takes"),
    "eval": Command("dmask.commands.evaluate", "evaluate the results against truth or landmarks"),
    "engines": Command("dmask.commands.engines", "build and check the TensorRT engines of the networks"),
    "train": Command("dmask.commands.train", "train the networks, render pictures for it, measure them"),
    "face-model": Command("dmask.commands.face_model", "build and measure the models of face and eyelids"),
}

SHOW_WHERE = "DMASK_TRACEBACK"


def main(argv: list[str] | None = None) -> int:
    """Returns the exit code: 0 done, 1 the work failed, 2 wrong use, 130 interrupted."""
    prepare_console()
    code = answer(argv)
    try:
        sys.stdout.flush()
    except OSError:
        give_up_stdout()
        return code or _say("the output could not be printed in full; expected a reader, and room", 1)
    return code


def answer(argv: list[str] | None) -> int:
    """The exit code, and a sentence on stderr for whatever goes wrong."""
    parser = argparse.ArgumentParser(
        prog="dmask",
        description="Digital mask: a face video in, a de-identified 3D reconstruction out. "
        "Research use only; not a medical device.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    parser.set_defaults(run=None)
    try:
        add_commands(parser, COMMANDS, "COMMAND", required=False)
        args = parser.parse_args(argv)
        if args.version:
            from dmask import __version__

            print(f"dmask {__version__}")
            return 0
        if args.run is None:
            parser.print_help(sys.stderr)
            return 2
        check_places(args)
        signal.signal(signal.SIGTERM, _terminate)  # the half-written output goes, as after Ctrl-C
        return int(args.run(args))
    except SystemExit as stop:  # argparse, after its own sentence
        return stop.code if isinstance(stop.code, int) else 2
    except WrongUse as error:
        return _say(str(error), 2)
    except Error as error:
        return _say(str(error), 1)
    except KeyboardInterrupt as stop:
        return _say(f"interrupted; {str(stop) or 'what was half done is removed'}", 130)
    except ModuleNotFoundError as error:
        return _say(_missing(error), 1)
    except ImportError as error:
        return _say(f"the core could not be loaded ({error}); install dmask again: pip install .", 1)
    except BrokenPipeError:
        give_up_stdout()
        return _say("nobody reads the output any more; expected a reader to the end", 1)
    except OSError as error:
        return _say(system_sentence(error, "nothing half done is left"), 1)
    except MemoryError:
        return _say("out of memory; use a smaller video, or more memory", 1)
    except Exception as error:
        if os.environ.get(SHOW_WHERE):
            raise
        return _say(_fault(error), 1)


def _fault(error: Exception) -> str:
    """What nobody expected."""
    said = " ".join(str(error).split()) or "no more is known"
    if "can't start new thread" in said:
        return "the system gives no more threads; expected room for them: give --threads 1, or more memory"
    return (
        f"{type(error).__name__}: {said}; expected none: this is a fault of dmask, please report it with "
        f"what {SHOW_WHERE}=1 shows"
    )


def _terminate(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _missing(error: ModuleNotFoundError) -> str:
    name = error.name or str(error)
    if name.startswith("dmask"):
        return f"{name} is missing from this installation; install dmask again: pip install ."
    return f"this command needs {name}, which is not installed; {_install(name.split('.')[0])}"


def _install(package: str) -> str:
    """What installs a package that is missing: the extras are those of pyproject.toml, from a checkout."""
    if package in ("torch", "scipy"):
        return "in a checkout of dmask: pip install '.[train]'"
    if package in ("onnx", "tomli"):
        return "in a checkout of dmask: pip install '.[tensorrt]'"
    return "install dmask again: pip install ."


def _say(sentence: str, code: int) -> int:
    one_line = " ".join(line.strip() for line in sentence.split("\n") if line.strip())  # a library's has many
    with contextlib.suppress(OSError):  # nobody reads it; the code says it still
        print(f"dmask: {one_line}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
