"""The terminal, whatever it is: closed, ASCII, or asked to show a name that is no text at all."""

from __future__ import annotations

import codecs
import io
import os
import sys

SHOW = "dmask.show"  # the name of our error handler


def prepare_console() -> None:
    """No print of a command fails for what it shows, or for a stream that is not there."""
    for number in range(3):  # of a closed one the next file to be opened would take the place, and its noise
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or open(os.devnull, "w")
    sys.stderr = sys.stderr or open(os.devnull, "w")
    codecs.register_error(SHOW, show)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=SHOW)


def show(error: UnicodeError) -> tuple[str | bytes, int]:
    """The bytes of a file's name as they are; what the terminal has no letter for as an escape."""
    assert isinstance(error, UnicodeEncodeError)
    letter = error.object[error.start]
    if "\udc80" <= letter <= "\udcff":
        return bytes([ord(letter) - 0xDC00]), error.start + 1
    return letter.encode("ascii", "backslashreplace"), error.start + 1


def give_up_stdout() -> None:
    """Nobody reads it any more: what is left in its buffer goes nowhere, and says nothing when we end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, sys.stdout.fileno())
    except (OSError, ValueError):  # it has no file behind it
        pass
    os.close(nowhere)
