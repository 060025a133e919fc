"""A recording as the clinical measures read it: frames.csv, and of its track how the face moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from dmask.measure.blinks import Blink, blinks_of
from dmask.measure.deviation import Looks, constant_sd, where_they_look
from dmask.measure.interval import median_with_interval
from dmask.measure.reasons import labels
from dmask.measure.record import EYES, Estimate, not_measured
from dmask.measure.settings import Settings
from dmask.measure.watched import own_pictures

if TYPE_CHECKING:
    from dmask.io.track import Lids

T = TypeVar("T")
Array = np.ndarray

WITHHELD = "withheld_by_profile"
WITHHELD_MM = f"{WITHHELD}: strict has no millimetres"
WITHHELD_TIME = f"{WITHHELD}: frames are held for two seconds"
WITHHELD_REST = f"{WITHHELD}: in strict eyes and head rest in steps"
LEAST_FRAMES = 5  # fewer are no measurement of a recording


class EyeTrace(NamedTuple):
    """One eye over (F,) frames; NaN where it is not measured."""

    yaw_deg: Array
    pitch_deg: Array
    mrd1_mm: Array
    mrd2_mm: Array
    pfh_mm: Array
    openness: Array
    reason: Array  # (F,) text, "valid" where the gaze is
    sight: Array  # (F,) bool: gaze is measured and no lid is on its way, by blink_margin_s


class Recording:
    """`options` are those of run.json; `units` (F,) each, of the face model, and `lids` of its track."""

    def __init__(
        self,
        frames: Mapping[str, Array],
        options: Mapping[str, Any] | None = None,
        units: Mapping[str, Array] | None = None,
        settings: Settings | None = None,
        lids: Lids | None = None,
    ):
        self.options = dict(options or {})
        self.frames = dict(frames)
        own = np.ones(self.frames["time_s"].size, bool) if self.holds_frames else own_pictures(frames)
        self.frames = {name: values[own] for name, values in self.frames.items()}
        self.rows = np.flatnonzero(own)  # of the table, that each frame is
        self.units = None if units is None else {name: values[own] for name, values in units.items()}
        self.lids = lids
        self.settings = settings or Settings()
        self._known: dict[Any, Any] = {}

    def once(self, function: Callable[..., T], *arguments: Any) -> T:
        """function(self, *arguments), computed the first time that it is asked for."""
        key = (function, arguments)
        if key not in self._known:
            self._known[key] = function(self, *arguments)
        value: T = self._known[key]
        return value

    @property
    def time_s(self) -> Array:
        return self.frames["time_s"]

    @property
    def profile(self) -> str:
        """ "" where nothing tells it."""
        return str(self.options.get("profile") or "")

    @cached_property
    def holds_frames(self) -> bool:
        """One frame of every two seconds is let out: nothing quick is told. A table without its run.json
        shows it by rows that repeat."""
        if told := self.options.get("coarse_time"):
            return bool(told == "on")
        moving = [self.frames[name] for name in ("head_yaw_deg", "head_pitch_deg", "head_roll_deg")]
        seen = np.isfinite(moving[0][1:]) & np.isfinite(moving[0][:-1])
        if seen.sum() < LEAST_FRAMES:
            return False
        same = np.all([np.diff(values)[seen] == 0 for values in moving], axis=0)
        return bool(0.8 <= same.mean() < 1.0)

    @cached_property
    def rate_fps(self) -> float:
        """Pictures of their own a second, by the median interval; NaN of fewer than two."""
        if self.time_s.size < 2:
            return float("nan")
        return round(float(1 / np.median(np.diff(self.time_s))), 3)  # 20 frames a second are 20

    @cached_property
    def duration_s(self) -> float:
        return float(self.time_s[-1] - self.time_s[0]) if self.time_s.size > 1 else 0.0

    @cached_property
    def looks(self) -> Looks:
        return where_they_look(self.frames)

    @cached_property
    def ahead_deg(self) -> tuple[float, float]:
        """Yaw and pitch of gaze in the head while it is in primary position; NaN where it never is."""
        straight = [
            np.nanmedian(angle[self.primary]) if self.primary.any() else np.nan for angle in self.looks.gaze
        ]
        return float(straight[0]), float(straight[1])

    def speed(self, values: Array) -> Array:
        """(F,) change a second of (F,) values, across each frame's neighbours; NaN at the ends."""
        speed = np.full(values.size, np.nan)
        speed[1:-1] = (values[2:] - values[:-2]) / (self.time_s[2:] - self.time_s[:-2])
        return speed

    @cached_property
    def primary(self) -> Array:
        """(F,) bool: both eyes look straight ahead."""
        return np.asarray(self.looks.names == "primary")

    def eye(self, eye: str) -> EyeTrace:
        return self.once(eye_trace, eye)

    def blinks(self, eye: str) -> list[Blink]:
        return self.once(lid_events, eye)[0]

    def closures(self, eye: str) -> list[Blink]:
        """Longer than a blink."""
        return self.once(lid_events, eye)[1]

    def blinking(self, eye: str) -> Array:
        """(F,) bool: a lid of this eye is on its way, or shut, by blink_margin_s."""
        return self.once(in_blinks, eye)

    def median(self, eye: str, name: str, chosen: Array) -> Estimate:
        """Of a column of an eye over the chosen frames, with its 95 % interval; or why there is none."""
        values = self.frames[f"{eye}_{name}"]
        kept = chosen & np.isfinite(values)
        if kept.sum() < LEAST_FRAMES:
            return not_measured(self.why_not(eye, name, chosen), int(kept.sum()))
        return estimate_of(values[kept], stated_sd(self, eye, name, kept))

    def why_not(self, eye: str, name: str, chosen: Array) -> str:
        """A sentence for a column that (almost) none of the chosen frames has."""
        if name.endswith("_mm") and self.profile == "strict":
            return WITHHELD_MM
        if not chosen.any():
            return "no such frame"
        named, counts = np.unique(self.reasons(eye)[chosen], return_counts=True)
        missing = {str(one): int(n) for one, n in zip(named, counts, strict=True) if one != "valid"}
        if not missing:
            return f"fewer than {LEAST_FRAMES} frames have it"
        most = max(missing, key=lambda one: missing[one])
        return f"{most} in {missing[most]} of {int(chosen.sum())} frames"

    def reasons(self, eye: str) -> Array:
        return labels(self.frames[f"{eye}_valid"], self.frames[f"{eye}_reason"])


def stated_sd(recording: Recording, eye: str, name: str, chosen: Array) -> float:
    """What the core states of a column, mostly the same in all frames; 0 where it does not."""
    stem, unit = name.rsplit("_", 1)
    stated = recording.frames.get(f"{eye}_{stem}_sd_{unit}")
    sd = float("nan") if stated is None else constant_sd(stated[chosen])
    return sd if np.isfinite(sd) else 0.0


def estimate_of(values: Array, constant_sd: float = 0.0) -> Estimate:
    """Median of (N,) finite values in the order of time; `constant_sd` does not average out."""
    told = median_with_interval(values, constant_sd)
    interval = told["interval_95"]
    low, high = interval if isinstance(interval, list) else (None, None)
    median = told["median"]
    assert isinstance(median, float)
    if low is None or high is None:
        return Estimate(median, None, None, int(values.size))
    return Estimate(median, min(low, median), max(high, median), int(values.size))  # ends are rounded more


def eye_trace(recording: Recording, eye: str) -> EyeTrace:
    frames = recording.frames
    valid = frames[f"{eye}_valid"] == 1
    return EyeTrace(
        yaw_deg=np.where(valid, frames[f"{eye}_yaw_deg"], np.nan),
        pitch_deg=np.where(valid, frames[f"{eye}_pitch_deg"], np.nan),
        mrd1_mm=frames[f"{eye}_mrd1_mm"],
        mrd2_mm=frames[f"{eye}_mrd2_mm"],
        pfh_mm=frames[f"{eye}_pfh_mm"],
        openness=frames[f"{eye}_openness"],
        reason=recording.reasons(eye),
        sight=valid & ~recording.blinking(eye),
    )


def in_blinks(recording: Recording, eye: str) -> Array:
    time_s, margin_s = recording.time_s, recording.settings.blink_margin_s
    inside = np.zeros(time_s.size, bool)
    for blink in recording.blinks(eye) + recording.closures(eye):
        inside |= (time_s >= blink.start_s - margin_s) & (time_s <= blink.end_s + margin_s)
    for at_s in time_s[recording.frames[f"{eye}_reason"] == "closed"]:
        first, last = np.searchsorted(time_s, (at_s - margin_s, at_s + margin_s))
        inside[first:last] = True
    return inside


def lid_events(recording: Recording, eye: str) -> tuple[list[Blink], list[Blink]]:
    if recording.holds_frames:
        return [], []
    return blinks_of(recording.frames, eye)


__all__ = ["EYES", "EyeTrace", "Recording", "estimate_of"]
