"""A page as PDF, by a Chromium that is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from dmask.errors import Error
from dmask.io.atomic import atomic_file

BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
LONGEST_S = 120


def browser() -> str:
    """Raises Error where none is installed."""
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    raise Error(
        "got --pdf, but Chromium was not found on this machine; expected chromium or google-chrome on PATH: "
        "install it (apt-get install chromium), or print report.html in another browser"
    )


def print_pdf(chromium: str, page: Path, target: Path, overwrite: bool) -> None:
    """Raises Error where the browser fails."""
    with atomic_file(target, overwrite) as partial, tempfile.TemporaryDirectory() as profile:
        printed = Path(profile) / "report.pdf"
        command = [
            chromium, "--headless", "--disable-gpu", "--no-first-run", "--disable-extensions",
            f"--user-data-dir={profile}", "--no-pdf-header-footer", f"--print-to-pdf={printed}",
            *(["--no-sandbox"] if os.geteuid() == 0 else []), page.resolve().as_uri(),
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, timeout=LONGEST_S, check=False)
        except subprocess.TimeoutExpired:
            raise Error(f"Chromium did not print within {LONGEST_S} s; print {page.name} by hand") from None
        if done.returncode or not printed.is_file():
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise Error(
                f"Chromium could not print ({said[-1] if said else 'it says nothing'}); print it by hand"
            )
        shutil.copyfile(printed, partial)
