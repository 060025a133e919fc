"""Lids: where they stand, how far they move, whether they follow the eye and meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from dmask import _core
from dmask.axes import gaze_axis
from dmask.measure.beating import episodes
from dmask.measure.clinical.blink_rate import share_of
from dmask.measure.directions import PRIMARY_DEG
from dmask.measure.interval import Z95, effective_number
from dmask.measure.open_lid import WAY_S, wide_open
from dmask.measure.record import (
    BOTH,
    EYES,
    OTHER,
    Estimate,
    Finding,
    between,
    converted,
    give_or_take,
    not_measured,
)
from dmask.measure.recorded import (
    LEAST_FRAMES,
    WITHHELD,
    WITHHELD_MM,
    Array,
    Recording,
    estimate_of,
    stated_sd,
)
from dmask.measure.registry import measure
from dmask.options import table

MARGINS = "margins as defined above"
LEVATOR = "levator function is 12 to 20 mm in the healthy: www.esoprs.eu/faq/levator-function"
GLOBE_MM = 12.0  # radius of a grown-up's eyeball; every one is fitted as such
SIDES = {"od": "_R", "os": "_L"}  # of the face model's units
SQUEEZING = ("eyeSquint", "cheekSquint", "browDown")
FARTHEST_SHARE = 0.2  # of the frames that look up, or down: the farthest are what an excursion is told by
LEAST_EACH_WAY = 10  # frames
HIDDEN_SHARE = 0.05  # of the frames at rest, from which on a lid before the pupil counts
MOST_DROOP_MM = 12.0
MOST_BELOW_PUPIL_MM = 7.0  # of a fissure that lies below the pupil
SHUT = 0.1  # of how wide it opens
SHUT_FRAMES_SHARE = 0.95  # of a closure
LONGEST_BRIDGE_S = 1.0  # without gaze, as of a blink, that does not end a look


def at_rest(recording: Recording, eye: str) -> Array:
    """(F,) bool: the eyes look straight ahead, and the lids do not blink.

    Where the other eye is not measured, as behind a lid that droops, this one goes by itself: near where it
    mostly looks.
    """
    return recording.once(looks_ahead, eye)


def looks_ahead(recording: Recording, eye: str) -> Array:
    trace, other = recording.eye(eye), recording.eye(OTHER[eye])
    ahead = recording.primary & trace.sight
    usual = ahead if ahead.any() else trace.sight
    if not usual.any():
        return np.asarray(ahead)
    aside_deg = np.hypot(
        trace.yaw_deg - np.median(trace.yaw_deg[usual]), trace.pitch_deg - np.median(trace.pitch_deg[usual])
    )
    alone = trace.sight & (other.reason != "valid") & (aside_deg <= PRIMARY_DEG)
    return np.asarray(ahead | alone)


def option(recording: Recording, name: str) -> float:
    """Of the run, where it told a possible one; else the usual one."""
    row = table()[name]
    told, (least, most) = recording.options.get(name), row["range"]
    return float(told if isinstance(told, int | float) and least <= told <= most else row["default"])


def globe_share(recording: Recording) -> float:
    """Of a grown-up's, at the patient's age; millimetres of the fits, times it, are true ones."""
    return _core.eye_at_age(option(recording, "age_years"))[0]


def iris_radius_mm(recording: Recording) -> float:
    """As it was measured, else of the patient's age."""
    measured_mm = option(recording, "hvid_mm")
    if measured_mm != table()["hvid_mm"]["default"]:
        return 0.5 * measured_mm
    return 0.5 * _core.eye_at_age(option(recording, "age_years"))[1]


def iris_plane_mm(recording: Recording) -> float:
    """From the eyeball's centre to its iris, true millimetres."""
    return float(np.sqrt((GLOBE_MM * globe_share(recording)) ** 2 - iris_radius_mm(recording) ** 2))


def gaze_up_deg(recording: Recording, eye: str) -> Array:
    """(F,) above straight ahead; NaN where the eye is not in sight."""
    trace = recording.eye(eye)
    ahead_deg = recording.ahead_deg[1]
    return np.where(trace.sight, trace.pitch_deg - ahead_deg, np.nan)


def lid_height_mm(recording: Recording, eye: str) -> Array:
    """(F,) of the upper margin above the eyeball's centre: MRD1 goes with the pupil, this does not."""
    trace = recording.eye(eye)
    return np.asarray(trace.mrd1_mm + iris_plane_mm(recording) * np.sin(np.radians(trace.pitch_deg)))


def difference(a: Estimate, b: Estimate) -> Estimate:
    """a - b, of two that err apart."""
    if not isinstance(a.value, float):
        return a
    if not isinstance(b.value, float):
        return b
    count = min(a.n or 0, b.n or 0)
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return between(a.value - b.value, None, None, count)
    half = 0.5 * float(np.hypot(a.high - a.low, b.high - b.low))
    return give_or_take(a.value - b.value, half, count)


def behind_lid(recording: Recording, eye: str) -> Array:
    """(F,) bool: a lid that is no blink hangs before the pupil, whose height over it nobody knows then."""
    return recording.once(hidden_by_lid, eye)


def hidden_by_lid(recording: Recording, eye: str) -> Array:
    trace = recording.eye(eye)
    hidden = (trace.reason == "covered") & (trace.openness > 0) & ~recording.blinking(eye)
    hidden &= ~(trace.pfh_mm > MOST_BELOW_PUPIL_MM)  # a wider fissure is hidden by something else
    return np.asarray(hidden & (gaze_elsewhere_deg(recording, eye) <= PRIMARY_DEG))


def gaze_elsewhere_deg(recording: Recording, eye: str) -> Array:
    """(F,) how far from straight ahead the other eye looks; 0 where that one is not seen, either."""
    trace, ahead_deg = recording.eye(OTHER[eye]), recording.ahead_deg
    off = np.hypot(trace.yaw_deg - ahead_deg[0], trace.pitch_deg - ahead_deg[1])
    return np.where(np.isfinite(off), off, 0.0)


def height_at_rest(recording: Recording, eye: str) -> Estimate:
    """MRD1, of which the frames in which the lid hides the pupil have less than any other."""
    rest, hidden = at_rest(recording, eye), behind_lid(recording, eye)
    seen = rest & np.isfinite(recording.frames[f"{eye}_mrd1_mm"])
    if hidden.sum() < HIDDEN_SHARE * (hidden.sum() + seen.sum()) or hidden.sum() < LEAST_FRAMES:
        return recording.median(eye, "mrd1_mm", rest)
    count = int(hidden.sum() + seen.sum())
    if hidden.sum() >= seen.sum():
        if recording.profile == "strict":
            return not_measured(WITHHELD_MM)
        return not_measured(f"the lid hides the pupil in {hidden.sum()} of {count} frames", count)
    heights_mm = recording.frames[f"{eye}_mrd1_mm"].copy()
    heights_mm[hidden] = np.min(heights_mm[seen])
    kept = seen | hidden
    return estimate_of(heights_mm[kept], stated_sd(recording, eye, "mrd1_mm", seen))


def mostly_behind_lid(recording: Recording, eye: str) -> bool:
    """Whether MRD1 is negative, more often than not, of all times that the lids were seen between blinks."""
    hidden = behind_lid(recording, eye)
    open_lids = (recording.eye(eye).openness > 0) & ~recording.blinking(eye)
    lasts_s = hidden.sum() / recording.rate_fps
    return bool(lasts_s >= recording.settings.sign_least_s and 2 * hidden.sum() >= (hidden | open_lids).sum())


@measure("lids.mrd1_mm", "from the pupil's centre up to the upper margin", MARGINS)
def mrd1(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        yield Finding(eye, height_at_rest(recording, eye), "primary")


@measure("lids.mrd2_mm", "from the pupil's centre down to the lower margin", MARGINS)
def mrd2(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        yield Finding(eye, recording.median(eye, "mrd2_mm", at_rest(recording, eye)), "primary")


@measure("lids.fissure_mm", "between the margins at the pupil", MARGINS)
def fissure(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        rest = at_rest(recording, eye) | behind_lid(recording, eye)
        yield Finding(eye, recording.median(eye, "pfh_mm", rest), "primary")


@measure("lids.asymmetry_mrd1_mm", "MRD1 of the left eye less that of the right", MARGINS)
def asymmetry(recording: Recording) -> Iterator[Finding]:
    both = at_rest(recording, "od") & at_rest(recording, "os")
    od, os = (recording.median(eye, "mrd1_mm", both) for eye in EYES)
    yield Finding(BOTH, difference(os, od), "primary")


def beyond_limbus_mm(recording: Recording, eye: str, name: str) -> Estimate:
    """Of a margin, outwards of the limbus: white shows where it is positive."""
    rest = at_rest(recording, eye)
    told = recording.median(eye, name, rest)
    if told.value is None:
        return told
    pitch_deg = recording.eye(eye).pitch_deg[rest]
    if not np.isfinite(pitch_deg).any():
        return not_measured("vertical gaze is not known", told.n)
    limbus_mm = iris_radius_mm(recording) * float(np.cos(np.radians(np.nanmedian(pitch_deg))))
    return converted(told, lambda margin_mm: margin_mm - limbus_mm)


LIMBUS = "the limbus as a circle"


@measure(
    "lids.upper_margin_beyond_limbus_mm", "upper margin above the limbus; negative where it covers it", LIMBUS
)
def upper_beyond_limbus(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        yield Finding(eye, beyond_limbus_mm(recording, eye, "mrd1_mm"), "primary")


@measure(
    "lids.lower_margin_beyond_limbus_mm", "lower margin below the limbus; negative where it covers it", LIMBUS
)
def lower_beyond_limbus(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        yield Finding(eye, beyond_limbus_mm(recording, eye, "mrd2_mm"), "primary")


def shown(beyond_mm: float) -> float:
    return max(0.0, beyond_mm)


@measure("lids.scleral_show_above_mm", "white between the limbus and the upper margin", LIMBUS)
def show_above(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        yield Finding(eye, converted(beyond_limbus_mm(recording, eye, "mrd1_mm"), shown), "primary")


@measure("lids.scleral_show_below_mm", "white between the limbus and the lower margin", LIMBUS)
def show_below(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        yield Finding(eye, converted(beyond_limbus_mm(recording, eye, "mrd2_mm"), shown), "primary")


def graded(amount: Estimate, limits: dict[str, float]) -> Estimate:
    """The grade of an amount, `limits` where each begins; "none to mild" of an interval with both."""

    def grade(value: float) -> str:
        reached = [name for name, least in limits.items() if value >= least]
        return reached[-1] if reached else "none"

    if not isinstance(amount.value, float):
        return amount
    ends = [grade(amount.value if end is None else end) for end in (amount.low, amount.high)]
    told = ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
    return Estimate(told, n=amount.n)


def droop_mm(recording: Recording, eye: str) -> Estimate:
    """What MRD1 falls short of the least usual one."""
    usual_mm = recording.settings.usual_mrd1_mm
    if mostly_behind_lid(recording, eye):  # at least that
        return between(usual_mm, usual_mm, MOST_DROOP_MM, int(behind_lid(recording, eye).sum()))
    told = height_at_rest(recording, eye)
    return difference(Estimate(usual_mm, usual_mm, usual_mm, told.n), told)


@measure(
    "lids.ptosis_grade", "by what MRD1 falls short of usual_mrd1_mm: none, mild, moderate, severe", "settings"
)
def ptosis(recording: Recording) -> Iterator[Finding]:
    settings = recording.settings
    limits = {
        "mild": settings.ptosis_mild_mm,
        "moderate": settings.ptosis_moderate_mm,
        "severe": settings.ptosis_severe_mm,
    }
    for eye in EYES:
        yield Finding(eye, graded(droop_mm(recording, eye), limits), "primary")


@measure(
    "lids.retraction_grade",
    "of the upper lid, by the white above the limbus: none, minor, marked",
    "settings",
)
def retraction(recording: Recording) -> Iterator[Finding]:
    limits = {"minor": recording.settings.retraction_mm, "marked": recording.settings.retraction_marked_mm}
    for eye in EYES:
        yield Finding(eye, graded(beyond_limbus_mm(recording, eye, "mrd1_mm"), limits), "primary")


MPLD = "radial distances from the pupil to the margin: Hui et al. 2025, 10.1155/sci5/1855515"
CONTOUR_FRAMES = 30
TOP_MM = 5.0  # of an upper margin to either side of its highest sample


class Contour(NamedTuple):
    """Of an upper lid in one frame, about the pupil."""

    peak_mm: float  # where the margin is highest, + temporal
    flare: float  # temporal over nasal distance, 45 degrees from the vertical
    crease_mm: float  # above the margin


def contours(recording: Recording, eye: str) -> list[Contour] | str:
    """Of some frames at rest; or why not."""
    if recording.lids is None:
        return "there is no track, which has how the lids lie"
    if not recording.lids.own:
        return f"{WITHHELD}: the lids of the track are generic"
    rest = np.flatnonzero(at_rest(recording, eye))
    if rest.size < LEAST_FRAMES:
        return recording.why_not(eye, "mrd1_mm", at_rest(recording, eye))
    chosen = rest[np.linspace(0, rest.size - 1, min(CONTOUR_FRAMES, rest.size)).astype(int)]
    return [contour(recording, eye, int(frame)) for frame in chosen]


def contour(recording: Recording, eye: str, frame: int) -> Contour:
    assert recording.lids is not None
    trace = recording.eye(eye)
    share = globe_share(recording)
    axis = gaze_axis(trace.yaw_deg[frame], trace.pitch_deg[frame])
    pupil_mm = iris_plane_mm(recording) / share * axis  # in the fits' millimetres, as the lines are
    lines = recording.lids.lines(EYES.index(eye), int(recording.rows[frame]))
    seen = contour_about(pupil_mm, lines["upper"], lines["crease"], eye)
    return Contour(share * seen.peak_mm, seen.flare, share * seen.crease_mm)


def contour_about(pupil_mm: Array, upper_mm: Array, crease_mm: Array, eye: str) -> Contour:
    """(3,), (N, 3) and (M, 3) along the head's axes."""
    aside = np.array([1.0 if eye == "os" else -1.0, 1.0])  # + temporal
    upper, crease = ((line[:, :2] - pupil_mm[:2]) * aside for line in (upper_mm, crease_mm))
    at_pupil_mm = [height_over(line, 0.0) for line in (upper, crease)]
    sides = [reach(upper, side) for side in (1.0, -1.0)]
    # A margin below the pupil's centre has no distance from it at 45 degrees.
    flare = sides[0] / sides[1] if min(sides) > 0 else float("nan")
    return Contour(top(upper), flare, at_pupil_mm[1] - at_pupil_mm[0])


def top(line_mm: Array) -> float:
    """x of the highest point of a parabola about the highest sample, for margins are flat there."""
    highest = line_mm[np.argmax(line_mm[:, 1]), 0]
    x_mm = np.linspace(-TOP_MM, TOP_MM, 17) + highest
    inside = (x_mm >= line_mm[:, 0].min()) & (x_mm <= line_mm[:, 0].max())
    heights_mm = np.array([height_over(line_mm, x) for x in x_mm[inside]])
    bend, slope, _ = np.polyfit(x_mm[inside] - highest, heights_mm, 2)
    return float(highest + np.clip(-slope / (2 * bend), -TOP_MM, TOP_MM)) if bend < 0 else float(highest)


def height_over(line_mm: Array, x_mm: float) -> float:
    order = np.argsort(line_mm[:, 0])
    return float(np.interp(x_mm, line_mm[order, 0], line_mm[order, 1]))


def reach(margin_mm: Array, side: float) -> float:
    """From the pupil to the margin, 45 degrees up to one side."""
    way_mm = np.linspace(0.0, 12.0, 241)
    heights = np.array([height_over(margin_mm, side * x) for x in way_mm])
    beyond = np.flatnonzero(way_mm >= heights)
    return float(np.sqrt(2) * way_mm[beyond[0]]) if beyond.size else float("nan")


def of_contour(recording: Recording, value: Callable[[Contour], float]) -> Iterator[Finding]:
    for eye in EYES:
        told = recording.once(contours, eye)
        if isinstance(told, str):
            yield Finding(eye, not_measured(told), "primary")
            continue
        values = np.array([value(one) for one in told])
        kept = values[np.isfinite(values)]
        yield Finding(eye, estimate_of(kept) if kept.size else not_measured("no such frame"), "primary")


@measure(
    "lids.contour_peak_mm",
    "where the upper margin is highest, + temporal of the pupil",
    MPLD,
)
def contour_peak(recording: Recording) -> Iterator[Finding]:
    yield from of_contour(recording, lambda one: one.peak_mm)


@measure(
    "lids.lateral_flare_ratio",
    "from the pupil to the upper margin, 45 degrees temporal over 45 nasal",
    MPLD,
)
def lateral_flare(recording: Recording) -> Iterator[Finding]:
    yield from of_contour(recording, lambda one: one.flare)


@measure("lids.crease_height_mm", "from the upper margin to the crease, over the pupil", MARGINS)
def crease_height(recording: Recording) -> Iterator[Finding]:
    yield from of_contour(recording, lambda one: one.crease_mm)


class UpAndDown(NamedTuple):
    """The frames farthest up and farthest down of an eye, and how far that is."""

    up: Array
    down: Array
    up_deg: float
    down_deg: float


def up_and_down(recording: Recording, eye: str) -> UpAndDown | str:
    """Or why there are none."""
    gaze = gaze_up_deg(recording, eye)
    seen = gaze[np.isfinite(gaze)]
    if not seen.size:
        return recording.why_not(eye, "mrd1_mm", np.ones(gaze.size, bool))
    ups, downs = seen[seen >= recording.settings.upgaze_deg], seen[seen <= -recording.settings.downgaze_deg]
    if min(ups.size, downs.size) < LEAST_EACH_WAY:
        return (
            f"gaze went from {seen.min():.0f} to {seen.max():.0f} degrees; needs "
            f"{-recording.settings.downgaze_deg:g} and {recording.settings.upgaze_deg:g}"
        )
    least_up, most_down = np.quantile(ups, 1 - FARTHEST_SHARE), np.quantile(downs, FARTHEST_SHARE)
    up, down = gaze >= least_up, gaze <= most_down
    return UpAndDown(up, down, float(np.median(gaze[up])), float(np.median(gaze[down])))


@measure(
    "lids.levator_excursion_mm",
    "way of the upper margin from the farthest look down to the farthest up",
    LEVATOR,
)
def levator_excursion(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        ways = recording.once(up_and_down, eye)
        if isinstance(ways, str):
            yield Finding(eye, not_measured(ways))
            continue
        height_mm = lid_height_mm(recording, eye)
        sd_mm = stated_sd(recording, eye, "mrd1_mm", ways.up | ways.down)
        ends = [
            estimate_of(height_mm[chosen & np.isfinite(height_mm)], sd_mm)
            if (chosen & np.isfinite(height_mm)).sum() >= LEAST_FRAMES
            else not_measured(recording.why_not(eye, "mrd1_mm", chosen))
            for chosen in (ways.up, ways.down)
        ]
        yield Finding(eye, difference(ends[0], ends[1]))


@measure("lids.levator_gaze_range_deg", "between the looks up and down that the excursion is of", LEVATOR)
def levator_range(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        ways = recording.once(up_and_down, eye)
        if isinstance(ways, str):
            yield Finding(eye, not_measured(ways))
        else:
            count = int(ways.up.sum() + ways.down.sum())
            yield Finding(eye, Estimate(round(ways.up_deg - ways.down_deg, 1), n=count))


@measure(
    "lids.brow_motion_share",
    "of the brow's units from the look down to the look up: it helps the lid",
    LEVATOR,
)
def brow_motion(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        ways = recording.once(up_and_down, eye)
        if isinstance(ways, str):
            yield Finding(eye, not_measured(ways))
        elif recording.units is None:
            yield Finding(eye, not_measured("there is no track, which has how the brows move"))
        else:
            brows = [recording.units[f"{name}{SIDES[eye]}"] for name in ("browInnerUp", "browOuterUp")]
            raised = np.mean(brows, axis=0)
            moved = np.nanmedian(raised[ways.up]) - np.nanmedian(raised[ways.down])
            yield Finding(eye, Estimate(round(float(moved), 3), n=int(ways.up.sum() + ways.down.sum())))


LAG = "Meyer and Rheeman 1995, 10.1016/S0161-6420(95)30837-8"


@measure(
    "lids.lag_down_mm", "MRD1 in downgaze less MRD1 straight ahead; a lid that lags makes it positive", LAG
)
def lag_down(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        gaze = gaze_up_deg(recording, eye)
        down = recording.median(eye, "mrd1_mm", np.asarray(gaze <= -recording.settings.downgaze_deg))
        yield Finding(
            eye, difference(down, recording.median(eye, "mrd1_mm", at_rest(recording, eye))), "down"
        )


@measure(
    "lids.lag_moving_mm",
    "height of the upper margin while the eye turns down less that while it turns up, gaze being equal",
    "residual of the lid's height given vertical gaze",
)
def lag_moving(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        yield Finding(eye, recording.once(lag_while_moving, eye))


def lag_while_moving(recording: Recording, eye: str) -> Estimate:
    gaze, height_mm = gaze_up_deg(recording, eye), lid_height_mm(recording, eye)
    seen = np.isfinite(gaze) & np.isfinite(height_mm)
    if seen.sum() < 3 * LEAST_EACH_WAY:
        return not_measured(recording.why_not(eye, "mrd1_mm", np.ones(seen.size, bool)), int(seen.sum()))
    speed = recording.speed(gaze)
    fast = recording.settings.moving_deg_per_s
    falling, rising = seen & (speed < -fast), seen & (speed > fast)
    if min(falling.sum(), rising.sum()) < LEAST_EACH_WAY:
        return not_measured(f"gaze does not move up and down by {fast:g} degrees a second for long enough")
    by_gaze = np.polynomial.Polynomial.fit(gaze[seen], height_mm[seen], 2)
    residual_mm = height_mm - by_gaze(gaze)
    return difference(estimate_of(residual_mm[falling]), estimate_of(residual_mm[rising]))


@measure("lids.fatigue_mm_per_min", "how MRD1 changes over a look up that is held", "sustained upgaze test")
def fatigue(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        yield Finding(eye, recording.once(fatigue_of, eye), "up")


def fatigue_of(recording: Recording, eye: str) -> Estimate:
    gaze, time_s = gaze_up_deg(recording, eye), recording.time_s
    mrd1_mm = recording.eye(eye).mrd1_mm
    seen = np.isfinite(gaze)
    not_up = seen & (gaze < recording.settings.upgaze_deg)
    last_s = np.maximum.accumulate(np.where(seen, time_s, -np.inf))
    not_up |= time_s - last_s > LONGEST_BRIDGE_S  # nobody knows where it looks
    ends = np.concatenate(
        [[-1], np.flatnonzero(not_up), [time_s.size]]
    )  # between them nobody looks elsewhere
    held = max(
        (np.arange(a + 1, b) for a, b in zip(ends, ends[1:], strict=False) if b > a + 1),
        key=lambda part: float(time_s[part[-1]] - time_s[part[0]]),
        default=np.array([], int),
    )
    kept = held[np.isfinite(gaze[held]) & np.isfinite(mrd1_mm[held])]
    lasts_s = float(time_s[kept[-1]] - time_s[kept[0]]) if kept.size else 0.0
    if lasts_s < recording.settings.sustained_s or kept.size < LEAST_EACH_WAY:
        return not_measured(
            f"the longest look up by {recording.settings.upgaze_deg:g} degrees lasts {lasts_s:.0f} s; needs "
            f"{recording.settings.sustained_s:g}"
        )
    return slope_per_min(time_s[kept], mrd1_mm[kept])


def slope_per_min(time_s: Array, values: Array) -> Estimate:
    """Least squares, with the error of a slope whose residuals follow each other."""
    at = (time_s - time_s.mean()) / 60
    slope = float(at @ values / (at @ at))
    residual = values - values.mean() - slope * at
    independent = effective_number(residual)
    half = Z95 * float(residual.std() / np.sqrt((at @ at) * independent / at.size))
    return give_or_take(slope, half, int(at.size))


@measure(
    "lids.jaw_winking_mm",
    "MRD1 with the jaw open less that with it shut",
    "Marcus Gunn: the lid moves with the jaw",
)
def jaw_winking(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        if recording.units is None:
            yield Finding(eye, not_measured("there is no track, which has how the jaw moves"), "primary")
            continue
        jaw = recording.units["jawOpen"]
        least = recording.settings.jaw_open_share
        ahead = at_rest(recording, eye)
        wide, shut = (np.asarray(ahead & chosen) for chosen in (jaw >= least, jaw < 0.25 * least))
        if min(wide.sum(), shut.sum()) < LEAST_EACH_WAY:
            most = np.nanmax(jaw) if np.isfinite(jaw).any() else 0.0
            told = f"the jaw opens by {max(most, 0.0):.2f} of its unit; needs {least:g}, and --keep jaw"
            yield Finding(eye, not_measured(told), "primary")
            continue
        ends = (recording.median(eye, "mrd1_mm", chosen) for chosen in (wide, shut))
        yield Finding(eye, difference(*ends), "primary")


@measure("lids.lagophthalmos_mm", "fissure that is left while the lids are closed on purpose", MARGINS)
def lagophthalmos(recording: Recording) -> Iterator[Finding]:
    kinds: dict[str, list[Array]] = {}  # closures by kind
    for chosen in recording.once(closed_on_purpose):
        kinds.setdefault(kind_of_closure(recording, chosen), []).append(chosen)
    for eye in EYES:
        if not kinds:
            least_s = recording.settings.closed_on_purpose_s
            yield Finding(eye, not_measured(f"the lids are not closed for {least_s:g} s"), "closure")
        for kind, closures in kinds.items():
            left_mm = [fissure_left_mm(recording, eye, chosen) for chosen in closures]
            known = np.array([one for one in left_mm if np.isfinite(one)])
            if not known.size:
                yield Finding(eye, not_measured(recording.why_not(eye, "pfh_mm", closures[0])), kind)
                continue
            half = Z95 * float(np.hypot(known.std(), stated_sd(recording, eye, "pfh_mm", closures[0])))
            median = float(np.median(known))
            yield Finding(eye, between(median, max(0.0, median - half), median + half, known.size), kind)


def closed_on_purpose(recording: Recording) -> list[Array]:
    """(F,) bool of each: the inner half of a time in which one eye is shut for long enough, and the other
    eye, which may not manage it, lower than it was; else it is a wink."""
    spans: list[tuple[float, float]] = []
    for eye in EYES:
        share, other = (recording.once(share_of, one, wide_open) for one in (eye, OTHER[eye]))
        for start_s, end_s in shut_spans(recording, share):
            inside = inner_half(recording.time_s, start_s, end_s) & np.isfinite(other)
            if inside.any() and np.median(other[inside]) < recording.settings.wink_other_share:
                spans.append((start_s, end_s))
    return [inner_half(recording.time_s, *span) for span in episodes(spans, 0.0)]


def shut_spans(recording: Recording, share: Array) -> list[tuple[float, float]]:
    """When an eye of that share of its opening (F,) is shut for closed_on_purpose_s or longer."""
    seen = np.isfinite(share)
    time_s, shut = recording.time_s[seen], share[seen] < SHUT
    edges = np.flatnonzero(np.diff(np.concatenate([[False], shut, [False]]).astype(int)))
    runs = [(float(time_s[i]), float(time_s[j - 1])) for i, j in edges.reshape(-1, 2)]
    spans: list[tuple[float, float]] = []
    for start_s, end_s in runs:
        whole = (spans[-1][0], end_s) if spans else (start_s, end_s)
        inside = (time_s >= whole[0]) & (time_s <= end_s)
        if spans and start_s - spans[-1][1] <= WAY_S and shut[inside].mean() >= SHUT_FRAMES_SHARE:
            spans[-1] = whole
        else:
            spans.append((start_s, end_s))
    return [one for one in spans if one[1] - one[0] >= recording.settings.closed_on_purpose_s]


def inner_half(time_s: Array, start_s: float, end_s: float) -> Array:
    margin_s = 0.25 * (end_s - start_s)
    return np.asarray((time_s >= start_s + margin_s) & (time_s <= end_s - margin_s))


def kind_of_closure(recording: Recording, chosen: Array) -> str:
    if recording.units is None:
        return "closure"
    sides = [recording.units[f"{name}{side}"][chosen] for name in SQUEEZING for side in SIDES.values()]
    squeezed = float(np.nanmean(sides)) if np.isfinite(sides).any() else 0.0
    return "forced_closure" if squeezed >= recording.settings.forced_unit_share else "gentle_closure"


def fissure_left_mm(recording: Recording, eye: str, chosen: Array) -> float:
    left = recording.eye(eye).pfh_mm[chosen]
    return float(np.nanmedian(left)) if np.isfinite(left).any() else float("nan")
