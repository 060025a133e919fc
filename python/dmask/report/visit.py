"""What a page says of one recording, from the folder of a `dmask run`: nothing is taken on trust."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import av
import cv2
import numpy as np

from dmask.errors import Error, WrongUse
from dmask.measure.clinical.nystagmus import averaged_beat, spectrum_of
from dmask.measure.measured import load_measures
from dmask.measure.record import EYES, Event, Record
from dmask.measure.recorded import Recording
from dmask.measure.registry import MEASURES
from dmask.measure.settings import Settings
from dmask.options import table
from dmask.run.measuring import frames_of, measure_folder, read_object, run_of, sha256_of

Columns = dict[str, np.ndarray]
Nystagmus = Mapping[str, Mapping[str, Mapping[str, Any]]]  # arrays by eye and axis: see charts.nystagmus

NOT_GROUPS = ("schema", "note", "recording", "settings", "events", "definitions")
LARGEST_INLINE = 10_000_000  # bytes of a mask that the page holds
STILL_PX = 480
LARGEST_NUMBER = 1e12
STILL_WITHIN_S = 10.0


class Mask(NamedTuple):
    path: Path
    is_picture: bool
    still_jpeg: bytes  # b"" where it could not be read

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    @property
    def inline(self) -> bool:
        return self.size <= LARGEST_INLINE


class Visit(NamedTuple):
    frames: Columns
    records: list[Record]
    events: list[Event]
    settings: dict[str, Any]
    definitions: dict[str, dict[str, Any]]
    recording: dict[str, Any]
    summary: dict[str, Any]
    run: dict[str, Any]
    mask: Mask | None
    nystagmus: Nystagmus
    letter: str = ""  # A or B, where a page has two

    @property
    def time_s(self) -> np.ndarray:
        return self.frames["time_s"]

    @property
    def duration_s(self) -> float:
        return float(self.time_s[-1] - self.time_s[0]) if self.time_s.size > 1 else 0.0

    def valid_share(self, eye: str) -> float:
        valid = self.frames[f"{eye}_valid"] == 1
        return float(valid.mean()) if valid.size else 0.0

    def record(self, measure: str, eye: str, condition: str) -> Record | None:
        wanted = (measure, eye, condition)
        return next((one for one in self.records if (one.measure, one.eye, one.condition) == wanted), None)


def read_visit(
    folder: Path, progress: Callable[[str], None] | None = None, nystagmus: Nystagmus | None = None
) -> Visit:
    """Raises WrongUse where the folder is none of a run, Error where a file in it is damaged."""
    if not folder.is_dir():
        raise WrongUse(f"{folder} is not a folder; expected one that `dmask run` wrote, with its frames.csv")
    if not (folder / "frames.csv").is_file():
        raise WrongUse(f"there is no frames.csv in {folder}; expected the folder of one `dmask run`")
    if progress:
        progress("frames")
    frames = frames_of(folder / "frames.csv")
    load_measures()
    told = read_object(folder / "measures.json")
    if told:
        records, events = list(records_of(told)), list(events_of(told))
        if object_in(told, "recording").get("frames_csv_sha256") != sha256_of(folder / "frames.csv"):
            raise Error(
                "measures.json is not of this frames.csv; expected those of one run: measure again with "
                "`dmask measure OUT --overwrite`"
            )
        settings, recording = object_in(told, "settings"), object_in(told, "recording")
        definitions = {
            str(name): one for name, one in object_in(told, "definitions").items() if isinstance(one, dict)
        }
    else:
        if progress:
            progress("measures")
        used = Settings()
        measured, recording = measure_folder(folder, used, frames=frames)
        records, events = measured.records, measured.events
        settings = {name: getattr(used, name) for name in used.__dataclass_fields__}
        definitions = {
            one.name: {"what": one.what, "unit": one.unit, "source": one.source, "validated": one.validated}
            for one in MEASURES.values()
        }
    summary, run = read_object(folder / "summary.json"), run_of(folder / "run.json")
    mask = mask_of(folder, frames)
    if nystagmus is None:
        nystagmus = beats_of(frames, object_in(run, "options"), records)
    return Visit(frames, records, events, settings, definitions, recording, summary, run, mask, nystagmus)


def beats_of(frames: Columns, options: Mapping[str, Any], records: Sequence[Record]) -> Nystagmus:
    """Spectrum and averaged beat of each eye and axis that beats, as the records say."""
    recording = Recording(frames, options)
    found: dict[str, dict[str, Any]] = {}
    for one in records:
        if one.measure == "nystagmus.present_class" and one.value == "present":
            hz, power = spectrum_of(recording, one.eye, one.condition)
            phase, course_deg = averaged_beat(recording, one.eye, one.condition)
            found.setdefault(one.eye, {})[one.condition] = {
                "frequency_hz": hz.tolist(),
                "power": power.tolist(),
                "phase": phase.tolist(),
                "course_deg": course_deg.tolist(),
            }
    return found


def object_in(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    held = told.get(name)
    return held if isinstance(held, dict) else {}


def damaged_at(group: str) -> Error:
    return Error(f"measures.json is damaged at {group}; expected what `dmask measure` wrote: measure again")


def records_of(told: Mapping[str, Any]) -> Iterator[Record]:
    """The rows that `dmask.measure.record.nested` made a tree of."""

    def walk(
        group: str, eye: str, conditions: tuple[str, ...], branch: Mapping[str, Any]
    ) -> Iterator[Record]:
        for name, held in branch.items():
            if not isinstance(held, dict):
                raise damaged_at(group)
            if "value" in held and not isinstance(held["value"], dict):
                value = held["value"] if isinstance(held["value"], str) else finite(held["value"])
                n = finite(held.get("n"))
                yield Record(
                    f"{group}.{name}", eye, ".".join(conditions), value, str(held.get("unit", "")),
                    finite(held.get("low")), finite(held.get("high")), None if n is None else int(n),
                    str(held.get("reason") or ""),
                )  # fmt: skip
            else:
                yield from walk(group, eye, (*conditions, name), held)

    for group, eyes in told.items():
        if group in NOT_GROUPS:
            continue
        if not isinstance(eyes, dict) or not all(isinstance(branch, dict) for branch in eyes.values()):
            raise damaged_at(group)
        for eye, branch in eyes.items():
            yield from walk(str(group), str(eye), (), branch)


def events_of(told: Mapping[str, Any]) -> Iterator[Event]:
    for one in list_in(told, "events"):
        onset_s = finite(one.get("onset_s")) if isinstance(one, dict) else None
        if onset_s is None:
            raise Error(
                "measures.json has an event without a time; expected what `dmask measure` wrote: "
                "measure again"
            )
        complete = one.get("complete")
        yield Event(
            str(one.get("event", "")), str(one.get("eye", "")), onset_s, finite(one.get("duration_s")) or 0.0,
            finite(one.get("amplitude")), str(one.get("unit", "")),
            None if complete is None else bool(complete), str(one.get("condition") or ""),
        )  # fmt: skip


def list_in(told: Mapping[str, Any], name: str) -> list[Any]:
    held = told.get(name)
    return held if isinstance(held, list) else []


def finite(value: object) -> float | None:
    """None of what is no number, or larger than any measure."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST_NUMBER:
        return None
    return float(value)


def told_options(run: Mapping[str, Any]) -> dict[str, str]:
    """Options of the run that dmask knows: a folder's name is none of them."""
    known = {name for name in table() if name != "models_dir"}
    return {name: plain(value) for name, value in object_in(run, "options").items() if name in known}


def plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def mask_of(folder: Path, frames: Columns) -> Mask | None:
    for name in ("mask.mp4", "mask.png"):
        path = folder / name
        if path.is_file():
            is_picture = path.suffix == ".png"
            picture = cv2.imread(str(path)) if is_picture else still_of(path, best_still_s(frames))
            return Mask(path, is_picture, b"" if picture is None else jpeg(picture))
    return None


def best_still_s(frames: Columns) -> float:
    """When, near the start, both eyes are measured, as open as they mostly are, and look ahead."""
    time_s = frames["time_s"]
    early = time_s <= STILL_WITHIN_S
    both = (frames["od_valid"] == 1) & (frames["os_valid"] == 1) & early
    if not both.any():
        return 0.0
    opening = frames["od_openness"] + frames["os_openness"]
    if not np.isfinite(opening[both]).any():
        return float(time_s[both][0])
    aside_deg = sum(np.abs(frames[f"{eye}_{axis}_deg"]) for eye in EYES for axis in ("yaw", "pitch"))
    cost = aside_deg / 40 + np.abs(opening - np.nanmedian(opening[both])) * 5
    return float(time_s[np.argmin(np.where(both & np.isfinite(cost), cost, np.inf))])


def still_of(path: Path, at_s: float) -> np.ndarray | None:
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                if frame.time is None or frame.time >= at_s - 1e-3:
                    return frame.to_ndarray(format="bgr24")
    except (av.error.FFmpegError, OSError, IndexError):
        return None
    return None


def jpeg(picture: np.ndarray) -> bytes:
    shrink = min(1.0, STILL_PX / max(picture.shape[:2]))
    small = (
        cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        if shrink < 1
        else picture
    )
    done, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return bytes(data) if done else b""


def data_uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
