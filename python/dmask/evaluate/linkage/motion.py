"""What an attacker sees of how a person moves: numbers of one recording that do not depend on when.

Distributions and speeds of what is released, its spectra, how its channels go together, and what blinks,
saccades and expressions are like. Features go by name, `channel:what`; NaN where nothing is to be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from dmask.arrays import Floats
from dmask.io.tables import EYES
from dmask.measure.blinks import find_blinks, open_baseline

PERCENTILES = (5, 25, 50, 75, 95)
SPEED_PERCENTILES = (50, 90, 99)
BANDS_HZ = (0.1, 0.3, 0.7, 1.5, 3.0, 6.0, 12.0)
LEAST_FRAMES = 16
OF_THE_HEAD = ("head_yaw_deg", "head_pitch_deg", "head_roll_deg")
STATED = (
    "head_yaw_sd_deg", "head_pitch_sd_deg", "head_roll_sd_deg", "deviation_yaw_sd_deg",
    "deviation_pitch_sd_deg",
)  # fmt: skip
OF_AN_EYE = (
    "yaw_deg", "pitch_deg", "yaw_sd_deg", "pitch_sd_deg", "mrd1_mm", "mrd2_mm", "pfh_mm", "mrd1_sd_mm",
    "mrd2_sd_mm", "pfh_sd_mm", "openness",
)  # fmt: skip
TOGETHER = (
    *OF_THE_HEAD,
    *(f"{eye}_{name}" for eye in EYES for name in ("yaw_deg", "pitch_deg", "openness")),
)
SACCADE_DEG_PER_S = 40.0
EXPRESSION = 0.1  # of a unit's weight: below it the face is at rest


def motion_features(
    columns: Mapping[str, np.ndarray], rows: np.ndarray | None = None, units: tuple[str, ...] = ()
) -> dict[str, float]:
    """Of the columns of a frames.csv and the (F, D) rows of its track, whose units are called `units`."""
    time_s = np.round(columns["time_s"] - columns["time_s"][0], 6)  # as exact as frames.csv
    channels = channels_of(columns, rows, units)
    found: dict[str, float] = {}
    for name, values in channels.items():
        found |= {f"{name}:{what}": value for what, value in of_channel(time_s, values).items()}
    together = {name: channels[name] for name in channels if name in TOGETHER or name.startswith("unit_")}
    found |= correlations(time_s, together)
    for eye in EYES:
        found |= {f"{eye}_blink:{k}": v for k, v in blinking(time_s, channels[f"{eye}_openness"]).items()}
    found |= {f"saccade:{k}": v for k, v in saccades(time_s, channels).items()}
    for name in units:
        if name.endswith("_L") and f"unit_{name}" in channels:
            sides = [channels[f"unit_{name}"], channels[f"unit_{name[:-2]}_R"]]
            found |= {f"unit_{name[:-2]}:{k}": v for k, v in expressions(time_s, *sides).items()}
    return found


def table(people: list[dict[str, float]]) -> tuple[list[str], np.ndarray]:
    """Names and (N, D) values, NaN where somebody has none."""
    names = list(dict.fromkeys(name for one in people for name in one))
    return names, np.array([[one.get(name, np.nan) for name in names] for one in people])


def channels_of(
    columns: Mapping[str, np.ndarray], rows: np.ndarray | None, units: tuple[str, ...]
) -> dict[str, Floats]:
    """(F,) each, NaN where nothing was measured: the table's, differences between the eyes, the mask's."""
    names = [*OF_THE_HEAD, *STATED, *(f"{eye}_{name}" for eye in EYES for name in OF_AN_EYE)]
    channels = {name: np.asarray(columns[name], np.float64) for name in names}
    for name in ("yaw_deg", "pitch_deg", "mrd1_mm", "pfh_mm", "openness"):
        channels[f"between_{name}"] = channels[f"os_{name}"] - channels[f"od_{name}"]
    if rows is None:
        return channels
    mask = np.where(rows[:, :1] == 1, rows, np.nan).astype(np.float64)
    for k, name in enumerate(units):
        channels[f"unit_{name}"] = mask[:, 7 + k]
    lids = (rows.shape[1] - 7 - len(units) - 6) // 2
    for number, eye in enumerate(EYES):
        first = 7 + len(units) + number * (3 + lids) + 3
        for k in range(lids):
            channels[f"{eye}_lid_{k}"] = mask[:, first + k]
    return channels


def of_channel(time_s: Floats, values: Floats) -> dict[str, float]:
    seen = np.isfinite(values)
    known = values[seen]
    names = [
        *(f"p{p}" for p in PERCENTILES),
        "sd",
        *(f"speed_p{p}" for p in SPEED_PERCENTILES),
        "up_p95",
        "down_p95",
    ]
    bands = [f"band_{low:g}" for low in BANDS_HZ[:-1]]
    if known.size < LEAST_FRAMES:
        return dict.fromkeys([*names, *bands], np.nan)
    speed = speeds(time_s, values)
    numbers = [*np.percentile(known, PERCENTILES), known.std()]
    if speed.size:
        numbers += [*np.percentile(np.abs(speed), SPEED_PERCENTILES), *np.percentile(speed, (95, 5))]
    else:
        numbers += [np.nan] * (len(SPEED_PERCENTILES) + 2)
    powers = band_powers(time_s[seen], known)
    return dict(zip([*names, *bands], map(float, [*numbers, *powers]), strict=True))


def speeds(time_s: Floats, values: Floats) -> Floats:
    """Between frames that both have a value."""
    changes = np.diff(values) / np.diff(time_s)
    return np.asarray(changes[np.isfinite(changes)])


def band_powers(time_s: Floats, known: Floats) -> Floats:
    """Logarithm of the power by band, gaps bridged."""
    step_s = float(np.median(np.diff(time_s)))
    even_s = np.arange(time_s[0], time_s[-1], step_s)
    even = np.interp(even_s, time_s, known)
    power = np.abs(np.fft.rfft((even - even.mean()) * np.hanning(even.size))) ** 2 / even.size
    hz = np.fft.rfftfreq(even.size, step_s)
    within = [(hz >= low) & (hz < high) for low, high in zip(BANDS_HZ, BANDS_HZ[1:], strict=False)]
    return np.array([np.log10(power[one].mean() + 1e-12) if one.any() else np.nan for one in within])


def correlations(time_s: Floats, channels: Mapping[str, Floats]) -> dict[str, float]:
    """Of each two, and of their speeds: how a person's head, gaze, lids and brows go together."""
    names = list(channels)
    values = np.array([channels[name] for name in names])
    steps = np.diff(values, axis=1) / np.diff(time_s)
    found = {}
    for kind, table_ in (("with", values), ("moves_with", steps)):
        matrix = correlation_matrix(table_)
        for (i, one), (k, other) in combinations(enumerate(names), 2):
            found[f"{one}:{kind}_{other}"] = float(matrix[i, k])
    return found


def correlation_matrix(values: Floats) -> Floats:
    """(C, C) over the frames that have all that has anything; NaN for what never varies."""
    told = np.isfinite(values).any(1)
    seen = np.isfinite(values[told]).all(0)
    matrix = np.full((len(values), len(values)), np.nan)
    if seen.sum() < LEAST_FRAMES:
        return matrix
    centred = values[told][:, seen] - values[told][:, seen].mean(1, keepdims=True)
    size = np.sqrt((centred**2).sum(1))
    with np.errstate(invalid="ignore", divide="ignore"):
        within = centred @ centred.T / np.outer(size, size)
    matrix[np.ix_(told, told)] = np.where(size[:, None] * size > 1e-12, within, np.nan)
    return matrix


def blinking(time_s: Floats, openness: Floats) -> dict[str, float]:
    names = (
        "per_min",
        "complete",
        "lasts_s",
        "lasts_sd_s",
        "closure",
        "closure_sd",
        "every_s",
        "closes",
        "opens",
    )
    nothing = dict.fromkeys(names, np.nan)
    blinks, _ = find_blinks(time_s, openness)
    wide = open_baseline(openness[np.isfinite(openness)])
    watched_min = (time_s[-1] - time_s[0]) / 60
    if not wide > 0 or not watched_min > 0:
        return nothing
    if not blinks:
        return nothing | {"per_min": 0.0}
    lasts = np.array([blink.end_s - blink.start_s for blink in blinks])
    closures = np.array([blink.closure for blink in blinks])
    starts = np.array([blink.start_s for blink in blinks])
    closing, opening = [], []
    for blink in blinks:
        during = (time_s >= blink.start_s - 0.1) & (time_s <= blink.end_s + 0.1)
        speed = speeds(time_s[during], openness[during] / wide)
        if speed.size:
            closing.append(speed.min())
            opening.append(speed.max())
    complete = [blink.complete for blink in blinks]
    values = (
        len(blinks) / watched_min, np.mean(complete), np.median(lasts), lasts.std(), np.median(closures),
        closures.std(), np.median(np.diff(starts)) if len(blinks) > 1 else np.nan,
        np.median(closing) if closing else np.nan, np.median(opening) if opening else np.nan,
    )  # fmt: skip
    return dict(zip(names, map(float, values), strict=True))


def saccades(time_s: Floats, channels: Mapping[str, Floats]) -> dict[str, float]:
    """Of both eyes together, and their main sequence."""
    names = ("per_s", "size_deg", "size_p90_deg", "peak", "slope", "across", "pause_s", "with_head")
    yaw = 0.5 * (channels["od_yaw_deg"] + channels["os_yaw_deg"])
    pitch = 0.5 * (channels["od_pitch_deg"] + channels["os_pitch_deg"])
    speed = np.hypot(np.diff(yaw), np.diff(pitch)) / np.diff(time_s)
    if np.isfinite(speed).sum() < LEAST_FRAMES:
        return dict.fromkeys(names, np.nan)
    fast = np.nan_to_num(speed) > SACCADE_DEG_PER_S
    edges = np.flatnonzero(np.diff(np.r_[0, fast.astype(int), 0]))
    starts, ends = edges[::2], edges[1::2]  # frames before and after
    if not starts.size:
        return dict.fromkeys(names, np.nan) | {"per_s": 0.0}
    across, up = yaw[ends] - yaw[starts], pitch[ends] - pitch[starts]
    size = np.hypot(across, up)
    peak = np.array([speed[a:b].max() for a, b in zip(starts, ends, strict=True)])
    head = channels["head_yaw_deg"]
    later = np.minimum(ends + int(0.4 / np.median(np.diff(time_s))), head.size - 1)
    turned = head[later] - head[starts]
    wide = np.abs(across) > 4
    pauses = time_s[starts[1:]] - time_s[ends[:-1]]
    values = (
        starts.size / (time_s[-1] - time_s[0]), np.median(size), np.percentile(size, 90), np.median(peak),
        np.median(peak / np.maximum(size, 0.5)), np.mean(np.abs(across) > np.abs(up)),
        np.median(pauses) if pauses.size else np.nan,
        np.nanmedian(turned[wide] / across[wide]) if np.isfinite(turned[wide]).any() else np.nan,
    )  # fmt: skip
    return dict(zip(names, map(float, values), strict=True))


def expressions(time_s: Floats, left: Floats, right: Floats) -> dict[str, float]:
    """A unit's rises: how often, how high, how fast, for how long, and on which side more."""
    names = ("per_min", "height", "rises_s", "lasts_s", "side")
    amount = 0.5 * (left + right)
    seen = np.isfinite(amount)
    if seen.sum() < LEAST_FRAMES or not amount[seen].any():
        return dict.fromkeys(names, np.nan)
    time_s, amount, side = time_s[seen], amount[seen], (left - right)[seen]
    active = amount > EXPRESSION
    edges = np.flatnonzero(np.diff(np.r_[0, active.astype(int), 0]))
    events = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 2]
    if not events:
        return dict.fromkeys(names, np.nan) | {"per_min": 0.0}
    heights = np.array([amount[a:b].max() for a, b in events])
    rises = [
        time_s[a + int(np.argmax(amount[a:b] > 0.9 * high))] - time_s[a]
        for (a, b), high in zip(events, heights, strict=True)
    ]
    lasts = [time_s[b - 1] - time_s[a] for a, b in events]
    values = (
        len(events) / (time_s[-1] - time_s[0]) * 60, np.median(heights), np.median(rises), np.median(lasts),
        np.median(side[active] / amount[active]),
    )  # fmt: skip
    return dict(zip(names, map(float, values), strict=True))
