"""A video to go through a recording by: the mask, its traces, what happens, what is doubtful."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from dmask.errors import Error
from dmask.io.tables import EYES
from dmask.io.video import VideoReader, VideoWriter, without_opencv_threads
from dmask.report.traces import Plot, Shade, plots_of, shades_of
from dmask.report.visit import Visit, list_in
from dmask.report.words import Words

PICTURE_PX = 540  # height of mask and original
PANEL_PX = 700  # width of the traces
STRIP_PX = 74  # below: the moment, what happens, flags
WINDOW_S = 8.0  # that the traces show, the moment in its middle
LEFT_PX, TOP_PX, GAP_PX = 56, 22, 8
TIMES_PX, KEY_PX = 18, 20  # below the traces: whole seconds, and what their shading stands for
FONT = cv2.FONT_HERSHEY_SIMPLEX
PAPER, INK, QUIET, RULE = (255, 255, 255), (43, 32, 23), (110, 96, 85), (225, 218, 213)  # BGR
ZERO_APART_PX = 14  # from the ends of a plot, whose numbers stand there
ZERO = (170, 160, 150)  # the line of zero, darker than the others
LINES = {
    "od": (27, 54, 179), "os": (184, 87, 21), "head-yaw": (59, 48, 39), "head-pitch": (107, 122, 11),
    "head-roll": (168, 58, 122),
}  # fmt: skip
SHADES = {"blink": (222, 216, 212), "closure": (190, 180, 172), "cover": (190, 224, 246)}
WARNING = (40, 40, 200)
IDENTIFYING = "ORIGINAL - IDENTIFIES THE PATIENT"


def write_review(
    visit: Visit, target: Path, original: Path | None = None, show: Callable[[int, int], None] | None = None
) -> int:
    """Writes the video and returns its number of frames. `original` is put beside the mask, marked as it is.

    Raises Error where there is no mask to play, or the original is not what it was made of.
    """
    if visit.mask is None or visit.mask.is_picture:
        raise Error("there is no mask.mp4 in the folder; expected that of a recording: run it again")
    total = visit.time_s.size
    panel = Panel(visit)
    with without_opencv_threads():
        reader = VideoReader(visit.mask.path)
        other = VideoReader(original) if original else None
        writer: VideoWriter | None = None
        count = 0
        try:
            pictures = originals(other)
            for frame in reader:
                shown = [scaled(frame.bgr)]
                if other is not None:
                    beside = next(pictures, None)
                    if beside is None:
                        raise Error(unlike(count, total))
                    shown.insert(0, marked(scaled(beside)))
                picture = composed(shown, panel.at(frame.time_s, count), visit, frame.time_s, count)
                if writer is None:
                    height, width = picture.shape[:2]
                    writer = VideoWriter(target, width, height, reader.time_base, reader.rate)
                writer.write(picture, frame.time_s)
                count += 1
                if show:
                    show(count, total)
            if other is not None and next(pictures, None) is not None:
                raise Error(unlike(count + 1, total, "at least "))
            masks = total - int((visit.frames["face_reason"] == "dropped").sum())
            if count != masks:
                raise Error(f"mask.mp4 has {count} frames, frames.csv {masks}; expected those of one run")
        finally:
            reader.close()
            if other is not None:
                other.close()
            if writer is not None:
                writer.close()
    return count


def unlike(frames: int, total: int, least: str = "") -> str:
    return (
        f"the original has {least}{frames} frames, the mask {total}; "
        "expected the recording that the mask was made of"
    )


def originals(reader: VideoReader | None) -> Iterator[np.ndarray]:
    if reader is not None:
        for frame in reader:
            yield frame.bgr


def scaled(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    wide = max(2, round(width * PICTURE_PX / height / 2) * 2)
    way = cv2.INTER_AREA if height > PICTURE_PX else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (wide, PICTURE_PX), interpolation=way))


def marked(picture: np.ndarray) -> np.ndarray:
    """The warning is part of the picture: whoever cuts the video takes it along."""
    scale = min(0.6, picture.shape[1] / 640)
    cv2.rectangle(picture, (0, 0), (picture.shape[1], 30), WARNING, cv2.FILLED)
    put(picture, IDENTIFYING, 8, 20, scale, PAPER)
    cv2.rectangle(picture, (0, 0), (picture.shape[1] - 1, picture.shape[0] - 1), WARNING, 3)
    return picture


def put(
    picture: np.ndarray, text: str, x: float, y: float, scale: float = 0.45, ink: tuple[int, int, int] = INK
) -> None:
    """OpenCV's letters are ASCII."""
    plain = text.replace("\u2212", "-").replace("\u202f", " ").encode("ascii", "replace").decode()
    cv2.putText(picture, plain, (round(x), round(y)), FONT, scale, ink, 1, cv2.LINE_AA)


def wrapped(text: str, room_px: float, scale: float) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and cv2.getTextSize(longer, FONT, scale, 1)[0][0] <= room_px:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def composed(
    pictures: list[np.ndarray], panel: np.ndarray, visit: Visit, time_s: float, frame: int
) -> np.ndarray:
    above = np.concatenate([*pictures, panel], axis=1)
    strip = np.full((STRIP_PX, above.shape[1], 3), PAPER, np.uint8)
    put(strip, f"{time_s:.2f} s   frame {frame}", 10, 20, 0.5)
    now = [
        f"{one.event} {one.eye.upper()}"
        for one in visit.events
        if one.onset_s <= time_s <= one.onset_s + one.duration_s
    ]
    now += [
        f"{eye.upper()} gaze not measured: {reason_word(visit, eye, frame)}"
        for eye in EYES
        if frame < visit.time_s.size and visit.frames[f"{eye}_valid"][frame] != 1
    ]
    put(strip, "   ".join(now), 240, 20, 0.5, LINES["od"])
    flags = " ".join(
        str(one.get("sentence", "")) for one in list_in(visit.summary, "flags") if isinstance(one, dict)
    )
    for row, line in enumerate(wrapped(flags, strip.shape[1] - 20, 0.4)[:2]):
        put(strip, line, 10, 38 + 14 * row, 0.4, QUIET)
    put(strip, "Research use only; not a medical device. No diagnosis.", 10, 68, 0.4, QUIET)
    return np.concatenate([above, strip])


def reason_word(visit: Visit, eye: str, frame: int) -> str:
    return Words("en").or_plain("reason", str(visit.frames[f"{eye}_reason"][frame]) or "unknown")


class Panel:
    """The traces about a moment; where each value lies is computed once."""

    def __init__(self, visit: Visit):
        self._time_s = visit.time_s
        self._plots = plots_of(visit)
        self._shades = shades_of(visit)
        self._say = Words("en")
        self._foot_px = PICTURE_PX - TIMES_PX - KEY_PX  # where the traces end
        self._room_px = self._foot_px / len(self._plots)
        self._first_s = float(visit.time_s[0])

    def at(self, time_s: float, frame: int) -> np.ndarray:
        panel = np.full((PICTURE_PX, PANEL_PX, 3), PAPER, np.uint8)
        start_s = time_s - WINDOW_S / 2
        first, last = np.searchsorted(self._time_s, (start_s, start_s + WINDOW_S))
        part = slice(max(0, int(first) - 1), int(last) + 1)
        for row, plot in enumerate(self._plots):
            self._draw(panel, plot, row * self._room_px, start_s, part, frame)
        middle = round(LEFT_PX + (PANEL_PX - LEFT_PX - GAP_PX) / 2)
        cv2.line(panel, (middle, TOP_PX), (middle, self._foot_px - GAP_PX), INK, 1)
        self._times(panel, start_s)
        self._key(panel)
        return panel

    def _seconds(self, start_s: float) -> Iterator[tuple[int, int]]:
        """Whole seconds of the recording in sight, and where they are across."""
        first = max(math.ceil(start_s), math.ceil(self._first_s - 1e-6))
        for second in range(first, math.floor(start_s + WINDOW_S) + 1):
            yield second, round(float(self._across(second, start_s)))

    def _times(self, panel: np.ndarray, start_s: float) -> None:
        y = self._foot_px - GAP_PX
        for second, x in self._seconds(start_s):
            cv2.line(panel, (x, y), (x, y + 4), QUIET, 1)
            text = f"{second} s"
            width = cv2.getTextSize(text, FONT, 0.38, 1)[0][0]
            put(panel, text, min(x - width / 2, PANEL_PX - width - 2), y + 17, 0.38, QUIET)

    def _key(self, panel: np.ndarray) -> None:
        """What the shading stands for, of the kinds that this recording has."""
        kinds = [kind for kind in SHADES if any(shade.kind == kind for shade in self._shades)]
        if not kinds:
            return
        x, y = LEFT_PX, PICTURE_PX - 7
        for kind in kinds:
            cv2.rectangle(panel, (x, y - 10), (x + 16, y + 1), SHADES[kind], cv2.FILLED)
            cv2.rectangle(panel, (x, y - 10), (x + 16, y + 1), QUIET, 1)
            text = self._say(f"shade.{kind}")
            put(panel, text, x + 22, y, 0.4, QUIET)
            x += 22 + cv2.getTextSize(text, FONT, 0.4, 1)[0][0] + 18
        put(panel, f"({self._say('shade.halves')})", x, y, 0.4, QUIET)

    def _across(self, time_s: np.ndarray | float, start_s: float) -> np.ndarray:
        return np.asarray(LEFT_PX + (time_s - start_s) / WINDOW_S * (PANEL_PX - LEFT_PX - GAP_PX))

    def _draw(
        self, panel: np.ndarray, plot: Plot, top: float, start_s: float, part: slice, frame: int
    ) -> None:
        high, low = top + TOP_PX, top + self._room_px - GAP_PX
        for shade in self._shades:
            self._shade(panel, shade, high, low, start_s)
        for _, x_px in self._seconds(start_s):
            cv2.line(panel, (x_px, round(high)), (x_px, round(low)), RULE, 1)
        for value, y in ((plot.low, low), (plot.high, high)):
            cv2.line(panel, (LEFT_PX, round(y)), (PANEL_PX - GAP_PX, round(y)), RULE, 1)
            text = f"{value:.1f}" if abs(value) < 10 else f"{value:.0f}"
            put(panel, text, 8, y + (0 if y == low else 8), 0.38, QUIET)
        if plot.low <= 0 <= plot.high:
            zero = low - (0 - plot.low) / (plot.high - plot.low) * (low - high)
            cv2.line(panel, (LEFT_PX, round(zero)), (PANEL_PX - GAP_PX, round(zero)), ZERO, 1)
            if min(zero - high, low - zero) > ZERO_APART_PX:
                put(panel, "0", 8, zero + 4, 0.38, QUIET)
        unit = self._say(f"unit.{plot.unit}").replace("°", "deg")
        put(panel, f"{self._say(f'plot.{plot.name}')}{f' ({unit})' if unit else ''}", LEFT_PX, top + 15, 0.45)
        x = self._across(self._time_s[part], start_s)
        left = PANEL_PX - GAP_PX - 150 * len(plot.series)
        for one in plot.series:
            heights = low - (one.values[part] - plot.low) / (plot.high - plot.low) * (low - high)
            for piece in pieces(x, np.clip(heights, high, low)):
                cv2.polylines(panel, [piece], False, LINES[one.style], 1, cv2.LINE_AA)
            now = one.values[frame] if frame < one.values.size else np.nan
            shown = f"{now:.1f}" if np.isfinite(now) else "-"
            put(panel, f"{self._say(one.name)} {shown}", left, top + 15, 0.42, LINES[one.style])
            left += 150

    def _shade(self, panel: np.ndarray, shade: Shade, high: float, low: float, start_s: float) -> None:
        if shade.end_s < start_s or shade.start_s > start_s + WINDOW_S:
            return
        left, right = (
            round(float(np.clip(self._across(end, start_s), LEFT_PX, PANEL_PX - GAP_PX)))
            for end in (shade.start_s, shade.end_s)
        )
        middle = (high + low) / 2
        top = middle if shade.eye == "os" else high
        bottom = middle if shade.eye == "od" else low
        cv2.rectangle(panel, (left, round(top)), (right, round(bottom)), SHADES[shade.kind], cv2.FILLED)


def pieces(x: np.ndarray, y: np.ndarray) -> Iterator[np.ndarray]:
    """(N, 1, 2) int32 each, between gaps."""
    known = np.isfinite(y)
    edges = np.flatnonzero(np.diff(known.astype(np.int8), prepend=0, append=0))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        points = np.column_stack([x[first:last], y[first:last]])
        yield np.round(points).astype(np.int32)[:, None, :]
