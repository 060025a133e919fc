"""Charts that stand still, as SVG: they need no script, and print."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from dmask.measure.record import EYES, Event
from dmask.report.figures import number, with_unit
from dmask.report.markup import Child, Markup, element, joined
from dmask.report.traces import STILL_POINTS, Plot, Shade, decimated
from dmask.report.visit import Visit, finite, object_in
from dmask.report.words import Words

ROWS = (("up_right", "up", "up_left"), ("right", "primary", "left"), ("down_right", "down", "down_left"))
WIDTH, RIGHT, TOP, BOTTOM = 720, 8, 6, 20  # units of a plot's picture
LEAST_LEFT = 44  # left of a plot, where its values stand
TICK, STILL_TICK = 10.5, 14.0  # height of a plot's letters, and of one on paper: as page.css has it
WIDE_LETTERS = "mMW%\u2212+"
WIDE_EM, LETTER_EM = 0.98, 0.64  # of the widest common font, DejaVu Sans
MINUTES_SHOWN = 90
LONG_S = 120.0  # beyond it times are minutes and seconds
LEAST_SCALE_DEG = 10.0  # that the nine targets reach to


class Frame(NamedTuple):
    """Where a plot's values lie in its picture."""

    x: tuple[float, float]
    y: tuple[float, float]
    height: float
    left: float
    width: float = WIDTH
    letters: float = TICK

    def across(self, value: float) -> float:
        low, high = self.x
        return self.left + (value - low) / max(1e-9, high - low) * (self.width - self.left - RIGHT)

    def down(self, value: float) -> float:
        low, high = self.y
        share = (value - low) / max(1e-9, high - low)
        return self.height - BOTTOM - min(1.05, max(-0.05, share)) * (self.height - TOP - BOTTOM)


def ticks(low: float, high: float, most: int, clock: bool = False) -> list[float]:
    """Round numbers within the range: two or more, as a single one gives no scale."""
    if not high > low:
        return [low]
    rough = (high - low) / most
    if clock and high - low > LONG_S:  # whole minutes and halves of them
        step = next((float(one) for one in (30, 60, 120, 300, 600, 1200, 1800, 3600) if one >= rough), 7200.0)
        return [
            count * step for count in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
        ]
    power = 10 ** math.floor(math.log10(rough))
    found: list[float] = []
    for step in sorted((times * power for times in (0.5, 1, 2, 5, 10)), reverse=True):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if step < rough and len(found) > 1:
            break
        found = [count * step for count in range(first, last + 1)]
    return found


def room_of(text: str, letters: float) -> float:
    """What a text takes at most, in letters of that height."""
    return letters * sum(WIDE_EM if letter in WIDE_LETTERS else LETTER_EM for letter in text)


def left_of(ranges: Iterable[tuple[float, float, str]], say: Words, letters: float = TICK) -> float:
    """What the labels of values need at the left of plots that stand above one another: low, high, unit."""
    shown = [text for low, high, unit in ranges for _, text in labels((low, high), unit, say)]
    return max(LEAST_LEFT, math.ceil(6 + max((room_of(text, letters) for text in shown), default=0.0)))


def labels(y: tuple[float, float], unit: str, say: Words) -> list[tuple[float, str]]:
    """Of the values' axis."""
    return [
        (value, with_unit(number(value, decimals, say), unit, say))
        for value, decimals in with_decimals(ticks(*y, 4))
    ]


def axes(frame: Frame, say: Words, x_unit: str, y_unit: str) -> list[Markup]:
    found = []
    bottom = frame.height - BOTTOM
    for value, shown in labels(frame.y, y_unit, say):
        y = round(frame.down(value), 1)
        found.append(element("line", x1=frame.left, x2=frame.width - RIGHT, y1=y, y2=y, class_="grid"))
        found.append(element("text", shown, x=frame.left - 4, y=y + 3.5, class_="tick end"))
    for value, decimals in with_decimals(ticks(*frame.x, 8 if frame.width > 400 else 4, x_unit == "s")):
        x = round(frame.across(value), 1)
        found.append(element("line", x1=x, x2=x, y1=bottom, y2=bottom + 3, class_="axis"))
        long = x_unit == "s" and frame.x[1] - frame.x[0] > LONG_S
        seconds = round(value)
        shown = (
            f"{seconds // 60}:{seconds % 60:02d}"
            if long
            else with_unit(number(value, decimals, say), x_unit, say)
        )
        at = round(min(x, frame.width - room_of(shown, frame.letters) / 2), 1)  # nothing is cut at the right
        found.append(element("text", shown, x=at, y=bottom + 3.5 + frame.letters, class_="tick middle"))
    return found


def with_decimals(values: Sequence[float]) -> list[tuple[float, int]]:
    step = values[1] - values[0] if len(values) > 1 else values[0] if values else 1.0
    decimals = max(0, -math.floor(math.log10(abs(step) or 1.0) + 1e-9))
    return [(value, decimals) for value in values]


def line(x: np.ndarray, y: np.ndarray, frame: Frame, style: str) -> Markup:
    """A line with gaps where there is no value."""
    pieces, pen_up = [], True
    for at, value in zip(x.tolist(), y.tolist(), strict=True):
        if not math.isfinite(value):
            pen_up = True
            continue
        pieces.append(f"{'M' if pen_up else 'L'}{frame.across(at):.1f} {frame.down(value):.1f}")
        pen_up = False
    return element("path", d="".join(pieces), class_=f"line {style}")


def picture(children: Iterable[Child], width: float, height: float, label: str, class_: str = "") -> Markup:
    box = f"0 0 {width:g} {height:g}"
    return element("svg", *children, viewBox=box, role="img", aria_label=label, class_=class_ or None)


def still_plot(
    plot: Plot, time_s: np.ndarray, shades: Sequence[Shade], say: Words, label: str, left: float
) -> Markup:
    """A plot of traces as paper has it."""
    span_s = float(time_s[0]), float(time_s[-1])
    frame = Frame(span_s, (plot.low, plot.high), 104, left, letters=STILL_TICK)
    thin = decimated(time_s, [one.values for one in plot.series], STILL_POINTS)
    parts: list[Markup] = []
    half = (frame.height - TOP - BOTTOM) / 2
    for shade in shades:
        x = frame.across(shade.start_s)
        width = max(0.4, frame.across(shade.end_s) - x)
        both = shade.eye not in EYES
        y = TOP + (half if shade.eye == "os" else 0)
        parts.append(
            element(
                "rect", x=round(x, 1), y=y, width=round(width, 1), height=half * (2 if both else 1),
                class_=f"shade {shade.kind}",
            )
        )  # fmt: skip
    parts += axes(frame, say, "s", plot.unit)
    parts += [
        line(thin.time_s, values, frame, one.style)
        for one, values in zip(plot.series, thin.values, strict=True)
    ]
    return picture(parts, WIDTH, frame.height, label, "still")


class Deviation(NamedTuple):
    """Of one direction of gaze; degrees, and prism dioptres of what is horizontal and vertical."""

    horizontal_deg: float | None
    vertical_deg: float | None
    horizontal_pd: float | None
    vertical_pd: float | None
    interval: tuple[tuple[float, float] | None, tuple[float, float] | None]
    n: int | None


def deviations(visit: Visit) -> dict[str, Deviation]:
    """By the measures where they have it, else by what the summary says of each direction."""
    found: dict[str, Deviation] = {}
    for direction in (name for row in ROWS for name in row):
        records = {
            name: visit.record(f"alignment.deviation_{name}", "both", direction)
            for name in ("horizontal_deg", "vertical_deg", "horizontal_pd", "vertical_pd")
        }
        values = {name: finite(one.value) if one else None for name, one in records.items()}
        if values["horizontal_deg"] is None and values["vertical_deg"] is None:
            continue
        across, upright = (
            (one.low, one.high) if one and one.low is not None and one.high is not None else None
            for one in (records["horizontal_deg"], records["vertical_deg"])
        )
        n = next((one.n for one in records.values() if one and one.n is not None), None)
        found[direction] = Deviation(
            values["horizontal_deg"], values["vertical_deg"], values["horizontal_pd"], values["vertical_pd"],
            (across, upright), n,
        )  # fmt: skip
    return found or summarised(visit)


def summarised(visit: Visit) -> dict[str, Deviation]:
    told = object_in(object_in(visit.summary, "deviation_os_minus_od"), "by_direction")
    found = {}
    for direction in (name for row in ROWS for name in row):
        one = object_in(told, direction)
        across, upright = object_in(one, "horizontal_deg"), object_in(one, "vertical_deg")
        sideways_deg, up_deg, sideways_pd, up_pd = (
            finite(axis.get(name)) for name in ("median", "median_pd") for axis in (across, upright)
        )
        if sideways_deg is not None or up_deg is not None:
            frames = finite(one.get("frames"))
            ends = (ends_of(across.get("interval_95")), ends_of(upright.get("interval_95")))
            n = None if frames is None else int(frames)
            found[direction] = Deviation(sideways_deg, up_deg, sideways_pd, up_pd, ends, n)
    return found


def ends_of(told: object) -> tuple[float, float] | None:
    if not isinstance(told, list) or len(told) != 2:
        return None
    low, high = (finite(end) for end in told)
    return None if low is None or high is None else (low, high)


def nine_gaze(visit: Visit, say: Words) -> Markup:
    """As the patient is seen, each direction in its place: a target, and in words what it shows."""
    found = deviations(visit)
    if not found:
        return element("p", say("deviation.none"), class_="quiet")
    amounts = [
        abs(v) for one in found.values() for v in (one.horizontal_deg, one.vertical_deg) if v is not None
    ]
    reach_deg = max(LEAST_SCALE_DEG, math.ceil(max(amounts) / 5) * 5)
    rows = []
    for names in ROWS:
        cells = [direction_cell(name, found.get(name), reach_deg, say) for name in names]
        rows.append(element("tr", *cells))
    grid = element(
        "table", element("caption", say("section.directions"), class_="hidden"), element("tbody", *rows),
        class_="gaze",
    )  # fmt: skip
    note = element("p", say("deviation.note"), class_="quiet")
    return joined(element("div", grid, class_="scrolls", tabindex=0, role="region",
                          aria_label=of_visit(visit, say("section.directions"), say)), note)  # fmt: skip


def direction_cell(name: str, one: Deviation | None, reach_deg: float, say: Words) -> Markup:
    heading = element("span", say(f"condition.{name}"), class_="where")
    if one is None:
        return element("td", heading, element("span", say("not_measured"), class_="absent"), class_="empty")
    lines = []
    axes = (
        ("horizontal.short", one.horizontal_deg, one.horizontal_pd, one.interval[0]),
        ("vertical.short", one.vertical_deg, one.vertical_pd, one.interval[1]),
    )
    for short, degrees, dioptres, ends in axes:
        if degrees is None:
            lines.append(element("span", f"{say(short)} –", class_="amount"))
            continue
        shown = with_unit(number(degrees, 1, say, signed=True), "deg", say)
        prism = "" if dioptres is None else f" ({with_unit(number(abs(dioptres), 1, say), 'PD', say)})"
        lines.append(element("span", f"{say(short)} {shown}{prism}", class_="amount"))
        if ends:
            low, high = (number(end, 1, say, signed=True) for end in ends)
            lines.append(element("span", say("interval.short", low=low, high=high), class_="interval"))
    return element("td", heading, target(one, reach_deg), element("span", *lines, class_="amounts"))


def target(one: Deviation, reach_deg: float) -> Markup:
    """Where the left eye looks, seen from where the right eye does; the words beside it say the same."""
    half = 30.0

    def scaled(value: float) -> float:
        return max(-half, min(half, value / reach_deg * (half - 4)))

    # As the patient is seen, his left is on the right.
    x, y = scaled(one.horizontal_deg or 0.0), -scaled(one.vertical_deg or 0.0)
    parts = [
        element("circle", cx=0, cy=0, r=half - 4, class_="ring"),
        element("line", x1=-half, x2=half, y1=0, y2=0, class_="grid"),
        element("line", x1=0, x2=0, y1=-half, y2=half, class_="grid"),
    ]
    across, upright = one.interval
    if across:
        ends = [scaled(end) for end in across]
        parts.append(
            element("line", x1=ends[0], x2=ends[1], y1=round(y, 1), y2=round(y, 1), class_="whisker")
        )
    if upright:
        ends = [-scaled(end) for end in upright]
        parts.append(
            element("line", x1=round(x, 1), x2=round(x, 1), y1=ends[0], y2=ends[1], class_="whisker")
        )
    parts.append(element("circle", cx=0, cy=0, r=3, class_="dot od"))
    parts.append(element("circle", cx=round(x, 1), cy=round(y, 1), r=3.5, class_="dot os"))
    return element("svg", *parts, viewBox="-32 -32 64 64", aria_hidden="true", class_="target")


def raster(visit: Visit, say: Words) -> Markup:
    """A row a minute; the right eye's blinks stand above the line, the left eye's below."""
    blinks = [one for one in visit.events if one.event in ("blink", "wink", "closure") and one.eye in EYES]
    if not blinks:
        return element("p", say("raster.none"), class_="quiet")
    duration_s = visit.duration_s
    minutes = max(1, math.ceil(duration_s / 60 - 1e-6))
    span_s = 60.0 if minutes > 1 else max(1.0, duration_s)
    step = -(-minutes // MINUTES_SHOWN)  # an hour has its sixty rows; a day keeps one in so many
    shown = range(0, minutes, step)
    row_px = 26 if minutes <= 10 else 14 if minutes <= 30 else 10
    height = row_px * len(shown) + TOP + BOTTOM
    names = [say("raster.minute", minute=minute + 1) for minute in shown] if minutes > 1 else []
    left = max([LEAST_LEFT, *(6 + room_of(name, TICK) for name in names)])
    frame = Frame((0.0, span_s), (0.0, 1.0), height, left)
    parts: list[Markup] = []
    for place, minute in enumerate(shown):
        middle = TOP + place * row_px + row_px / 2
        end_s = min(span_s, duration_s - 60 * minute) if minutes > 1 else span_s
        parts.append(
            element("line", x1=left, x2=round(frame.across(end_s), 1), y1=middle, y2=middle, class_="axis")
        )
        if minutes > 1 and (row_px > 10 or minute % 5 == 0):
            parts.append(element("text", names[place], x=left - 4, y=middle + 3.5, class_="tick end"))
    rows = {minute: place for place, minute in enumerate(shown)}
    for one in blinks:
        minute = int(one.onset_s // 60) if minutes > 1 else 0
        if minute in rows:
            middle = TOP + rows[minute] * row_px + row_px / 2
            parts.append(mark(one, one.onset_s - 60 * minute, middle, row_px, frame))
    for value, decimals in with_decimals(ticks(0.0, span_s, 8)):
        shown_s = with_unit(number(value, decimals, say), "s", say)
        x = round(frame.across(value), 1)
        parts.append(element("text", shown_s, x=x, y=height - 5, class_="tick middle"))
    counts = {eye: sum(one.eye == eye for one in blinks) for eye in EYES}
    drawn = picture(parts, WIDTH, height, say("raster.label", **counts), "raster")
    key = element(
        "p", element("span", "", class_="key od"), say("eye.od"), " ", element("span", "", class_="key os"),
        say("eye.os"), " ", element("span", "", class_="key whole"), say("raster.complete"), " ",
        element("span", "", class_="key part"), say("raster.partial"), class_="legend",
    )  # fmt: skip
    return joined(drawn, key)


def mark(one: Event, at_s: float, middle: float, row_px: float, frame: Frame) -> Markup:
    reach = (row_px / 2 - 1) * (1.0 if one.complete is not False else 0.55)
    x = frame.across(at_s)
    width = max(1.6, frame.across(at_s + one.duration_s) - x)
    y = middle - reach if one.eye == "od" else middle
    style = f"blink-mark {one.eye}{'' if one.complete is not False else ' partial'}"
    return element(
        "rect", x=round(x, 1), y=round(y, 1), width=round(width, 1), height=round(reach, 1), class_=style
    )


def nystagmus(visit: Visit, say: Words, level: str = "h3") -> Markup | None:
    """Spectrum and averaged beat of each eye and axis that has one; None without any.

    Of `Visit.nystagmus[eye][axis]`: arrays `frequency_hz` and `power`, `phase` and `course_deg`.
    """
    figures = []
    for eye in EYES:
        for axis in ("horizontal", "vertical"):
            held: Any = (visit.nystagmus.get(eye) or {}).get(axis) or {}
            heading = f"{say(f'eye.long.{eye}')}, {say(f'condition.{axis}')}"
            named = {"eye": say(f"eye.long.{eye}"), "axis": say(f"condition.{axis}")}
            drawn = []
            frequency, power = (array(held.get(name)) for name in ("frequency_hz", "power"))
            if frequency.size and frequency.size == power.size:
                peak = number(float(frequency[np.nanargmax(power)]), 1, say)
                label = say("nystagmus.spectrum.label", peak=peak, **named)
                caption = say("nystagmus.spectrum")
                drawn.append(curve(frequency, power, eye, say, caption, label, "Hz", "deg2", from_zero=True))
            phase, course = (array(held.get(name)) for name in ("phase", "course_deg"))
            if phase.size and phase.size == course.size:
                size = with_unit(number(float(np.nanmax(course) - np.nanmin(course)), 1, say), "deg", say)
                whole, unit = beat_length(visit, eye, axis)
                length = with_unit(number(whole, 2 if unit == "s" else 0, say), unit, say)
                label = say("nystagmus.beat.label", size=size, length=length, **named)
                caption = say("nystagmus.beat.over", length=length) if unit == "s" else say("nystagmus.beat")
                drawn.append(curve(phase * whole, course, eye, say, caption, label, unit, "deg", whole))
            if drawn:
                figures.append(element("div", element(level, heading), element("div", *drawn, class_="pair")))
    return joined(*figures) if figures else None


def of_visit(visit: Visit, caption: str, say: Words) -> str:
    """Of two visits on a page every part says which it is of."""
    return f"{say('visit', letter=visit.letter)}: {caption}" if visit.letter else caption


def array(held: object) -> np.ndarray:
    values = np.asarray([] if held is None else held, dtype=np.float64).ravel()
    return values if np.isfinite(values).any() else np.empty(0)


def beat_length(visit: Visit, eye: str, axis: str) -> tuple[float, str]:
    """By its frequency; where that is not known, a beat is as long as itself."""
    record = visit.record("nystagmus.frequency_hz", eye, axis)
    if record and isinstance(record.value, float) and record.value > 0:
        return 1 / record.value, "s"
    return 100.0, "%"


def curve(
    x: np.ndarray, y: np.ndarray, eye: str, say: Words, heading: str, label: str, x_unit: str, y_unit: str,
    x_end: float | None = None, from_zero: bool = False,
) -> Markup:  # fmt: skip
    """With `x_end` x is shown from 0 to there, else as far as it goes."""
    low, high = float(np.nanmin(y)), float(np.nanmax(y))
    low = min(0.0, low) if from_zero else low
    margin = 0.06 * max(1e-9, high - low)
    span = (float(np.nanmin(x)), float(np.nanmax(x))) if x_end is None else (0.0, x_end)
    heights = (low if low == 0 else low - margin, high + margin)
    frame = Frame(span, heights, 150, left_of([(*heights, y_unit)], say), 340)
    drawn = picture([*axes(frame, say, x_unit, y_unit), line(x, y, frame, eye)], 340, 150, label)
    return element("figure", element("figcaption", heading), drawn)
