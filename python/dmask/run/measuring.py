"""From the files of a run to its measures."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dmask import environment
from dmask.errors import Error, WrongUse
from dmask.io.tables import read_frames
from dmask.io.track import Lids, face_units, read_track
from dmask.measure.files import write_measures
from dmask.measure.measured import Measured, recording
from dmask.measure.settings import Settings

if TYPE_CHECKING:
    from dmask._core import Track

LONGEST_S = 7 * 86400.0
SHA256 = re.compile(r"[0-9a-f]{64}")
VERSION = re.compile(r"[\w.+-]{1,40}|not installed")


def measure_folder(
    source: Path,
    settings: Settings,
    progress: Callable[[str], None] | None = None,
    frames: dict[str, np.ndarray] | None = None,
) -> tuple[Measured, dict[str, Any]]:
    """Measures of a folder that `dmask run` wrote, or of a frames.csv alone; and what recording they are of.

    `frames` are those of its frames.csv, where they were read before. Raises WrongUse where there is none,
    Error where a file is damaged.
    """
    table = source if source.is_file() else source / "frames.csv"
    if not table.is_file():
        raise WrongUse(f"{table} is not there; expected the folder of a `dmask run`, or its frames.csv")
    frames = frames_of(table) if frames is None else frames
    folder = table.parent
    told = run_of(folder / "run.json")
    track = track_of(folder / "track.dmask", frames["time_s"].size)
    units, lids = (face_units(track), Lids(track.subject, np.asarray(track.rows))) if track else (None, None)
    measured = recording(frames, told.get("options", {}), units, settings, progress, lids)
    time_s = frames["time_s"]
    rate_fps = float(1 / np.median(np.diff(time_s))) if time_s.size > 1 else None
    return measured, {
        "frames": int(time_s.size),
        "duration_s": round(float(time_s[-1] - time_s[0]), 3) if time_s.size else 0.0,
        "rate_fps": None if rate_fps is None else round(rate_fps, 2),
        "profile": profile_of(told),
        "track": track is not None,
        "frames_csv_sha256": sha256_of(table),
        "versions": {
            "measured_by": environment.versions()["dmask"],
            "made_by": version_of(told),
        },
        "models_sha256": {
            str(name): text
            for name, text in told.get("models_sha256", {}).items()
            if isinstance(text, str) and SHA256.fullmatch(text) and VERSION.fullmatch(str(name))
        }
        or None,
    }


def frames_of(path: Path) -> dict[str, np.ndarray]:
    """The columns of a frames.csv. Raises Error where it is damaged, has no row, or its times do not rise."""
    frames = read_frames(path)
    time_s = frames["time_s"]
    if not time_s.size:
        raise Error(f"{path.name} has no row; expected a frame at least")
    backwards = np.flatnonzero(~(np.diff(time_s) > 0))
    if backwards.size or not np.isfinite(time_s).all():
        line = int(backwards[0]) + 3 if backwards.size else 2
        raise Error(
            f"{path.name} has a time in line {line} that is none, or times go back there; expected each "
            "frame after the one before: run it again"
        )
    lasts_s = float(time_s[-1] - time_s[0])
    if lasts_s > LONGEST_S:
        raise Error(f"{path.name} lasts {lasts_s:.3g} s; expected {LONGEST_S:.0f} s at most: cut it")
    return frames


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def measure_results(folder: Path, settings: Settings | None = None) -> Measured:
    """Writes the measures of a run's folder into it. Raises Error."""
    settings = settings or Settings()
    measured, recording_of = measure_folder(folder, settings)
    write_measures(folder, measured, settings, recording_of)
    return measured


def run_of(path: Path) -> dict[str, Any]:
    """Empty where there is no run.json. Raises Error for one that is damaged."""
    told = read_object(path)
    if not all(isinstance(told.get(name, {}), dict) for name in ("options", "versions", "models_sha256")):
        raise damaged(path)
    return told


def read_object(path: Path) -> dict[str, Any]:
    """Of a JSON file that dmask wrote; empty where there is none. Raises Error for one that is damaged."""
    if not path.is_file():
        return {}
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise damaged(path)
    return told


def damaged(path: Path) -> Error:
    return Error(f"{path.name} is damaged; expected the one that dmask wrote: make it again, or remove it")


def profile_of(told: dict[str, Any]) -> str | None:
    profile = told.get("options", {}).get("profile")
    return profile if profile in ("clinical", "strict", "article") else None


def version_of(told: dict[str, Any]) -> str | None:
    """Of the dmask that made a run; nothing that is no version: no text of others gets into results."""
    version = told.get("versions", {}).get("dmask")
    return version if isinstance(version, str) and VERSION.fullmatch(version) else None


def track_of(path: Path, frames: int) -> Track | None:
    """None where there is no track. Raises Error for one of another recording."""
    if not path.is_file():
        return None
    track = read_track(path)
    if len(track) != frames:
        raise Error(f"{path.name} has {len(track)} frames, frames.csv {frames}; expected those of one run")
    return track
