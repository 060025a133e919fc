"""Traces of eyes that move in a known way: what the measures of movement are tried on, without a picture.

All angles are of the eye in the head, degrees; each course is made from its times alone, so that any frame
rate, even or not, samples the same movement.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray
Random = np.random.Generator

SHAPES = ("linear", "decelerating", "accelerating")
BEND = 1.5  # time constants within an exponential slow phase


def frame_times(rate_fps: float, duration_s: float, rng: Random, uneven: float = 0.0) -> Array:
    """`uneven` is the standard deviation of the interval as a share of it, as of a phone's camera."""
    count = round(rate_fps * duration_s)
    if not uneven:
        return np.arange(count) / rate_fps
    intervals = np.clip(rng.normal(1.0, uneven, count), 0.3, 3.0) / rate_fps
    return np.concatenate([[0.0], np.cumsum(intervals)[:-1]])


def saccade_s(amplitude_deg: float) -> float:
    """How long a saccade lasts (Carpenter 1988)."""
    return 0.021 + 0.0022 * abs(amplitude_deg)


def jerk(
    time_s: Array,
    hz: float,
    amplitude_deg: float,
    rng: Random,
    towards: int = 1,
    quick_s: float | None = None,
    shape: str = "linear",
    jitter: float = 0.0,
) -> Array:
    """Slow phases of `amplitude_deg` and quick phases back, `towards` + or -.

    Each beat's period and size differ from the mean by `jitter`, a share.
    """
    quick_s = saccade_s(amplitude_deg) if quick_s is None else quick_s
    count = int((time_s[-1] - time_s[0]) * hz * (1 + 3 * jitter)) + 6
    sizes = amplitude_deg * np.clip(rng.normal(1, jitter, count), 0.4, 1.6)
    periods = np.clip(rng.normal(1, jitter, count), 0.4, 1.6) / hz
    starts = np.concatenate([[0.0], np.cumsum(periods)[:-1]]) + time_s[0] - rng.uniform(0, 1 / hz)
    beat = np.clip(np.searchsorted(starts, time_s, "right") - 1, 0, count - 1)
    within_s, slow_s = time_s - starts[beat], periods[beat] - quick_s
    u = np.clip(within_s / slow_s, 0, 1)
    if shape == "decelerating":
        u = (1 - np.exp(-BEND * u)) / (1 - np.exp(-BEND))
    elif shape == "accelerating":
        u = (np.exp(BEND * u) - 1) / (np.exp(BEND) - 1)
    back = np.clip((within_s - slow_s) / quick_s, 0, 1)
    back = back**2 * (3 - 2 * back)  # the eye gathers speed and brakes
    course: Array = towards * sizes[beat] * (0.5 - u + back)
    return course


def pendular(time_s: Array, hz: float, amplitude_deg: float, rng: Random) -> Array:
    """`amplitude_deg` from peak to peak."""
    course: Array = 0.5 * amplitude_deg * np.sin(2 * np.pi * hz * time_s + rng.uniform(0, 2 * np.pi))
    return course


def steps(time_s: Array, at_s: Array, sizes_deg: Array) -> Array:
    """Saccades at `at_s` by `sizes_deg`."""
    course = np.zeros(time_s.size)
    for onset_s, size in zip(at_s, sizes_deg, strict=True):
        way = np.clip((time_s - onset_s) / saccade_s(size), 0, 1)
        course += size * way**2 * (3 - 2 * way)
    return course


def wander(time_s: Array, sd_deg: float, constant_s: float, rng: Random) -> Array:
    """Slow drift that comes back: an Ornstein-Uhlenbeck course."""
    course = np.zeros(time_s.size)
    course[0] = rng.normal(0, sd_deg)
    for k in range(1, time_s.size):
        keep = np.exp(-(time_s[k] - time_s[k - 1]) / constant_s)
        course[k] = keep * course[k - 1] + rng.normal(0, sd_deg * np.sqrt(1 - keep**2))
    return course


def refixations(time_s: Array, rng: Random, every_s: float = 2.5, size_deg: float = 3.0) -> Array:
    """Looks about: saccades between places that are up to `size_deg` off."""
    at_s = np.cumsum(rng.exponential(every_s, int(time_s[-1] / every_s * 3) + 3))
    at_s = at_s[at_s < time_s[-1]]
    places = np.concatenate([[0.0], rng.uniform(-size_deg, size_deg, at_s.size)])
    return steps(time_s, at_s, np.diff(places))


def fixation(time_s: Array, rng: Random) -> Array:
    """Drift with microsaccades that correct it, one or two a second."""
    at_s = np.cumsum(rng.exponential(0.7, int(time_s[-1] / 0.7 * 3) + 3))
    at_s = at_s[at_s < time_s[-1]]
    drift = wander(time_s, 0.15, 1.0, rng)
    course: Array = drift + wander(time_s, 0.1, 0.3, rng) + steps(time_s, at_s, microsaccades(at_s.size, rng))
    return course


def microsaccades(count: int, rng: Random) -> Array:
    """Most of them take back the one before."""
    sizes, off = np.zeros(count), 0.0
    for k in range(count):
        size = rng.uniform(0.1, 0.6) * (1 if rng.random() < 0.5 else -1)
        sizes[k] = -off if abs(off) > 0.5 else size
        off += sizes[k]
    return sizes


def reading(time_s: Array, rng: Random, fixation_s: float = 0.25, line_deg: float = 9.0) -> Array:
    """Lines of saccades to one side and a sweep back."""
    at_s, sizes, now_s, off = [], [], 0.0, 0.0
    while now_s < time_s[-1]:
        now_s += max(0.12, rng.normal(fixation_s, 0.24 * fixation_s))
        size = rng.uniform(1.2, 3.0) if off < line_deg else -off + rng.normal(0, 0.5)
        at_s.append(now_s)
        sizes.append(size)
        off += size
    course: Array = steps(time_s, np.array(at_s), np.array(sizes)) - 5 + wander(time_s, 0.15, 1.0, rng)
    return course


def scanning(time_s: Array, rng: Random) -> Array:
    """Looks anywhere, three a second."""
    at_s = np.cumsum(0.15 + rng.exponential(0.2, int(time_s[-1] / 0.15) + 3))
    at_s = at_s[at_s < time_s[-1]]
    places = np.concatenate([[0.0], rng.uniform(-12, 12, at_s.size)])
    course: Array = steps(time_s, at_s, np.diff(places)) + wander(time_s, 0.15, 1.0, rng)
    return course


def pursuit(time_s: Array, hz: float, amplitude_deg: float, rng: Random, gain: float = 0.85) -> Array:
    """A target that swings by `amplitude_deg` to each side; catch-up saccades make up for the lag."""
    target = amplitude_deg * np.sin(2 * np.pi * hz * time_s + rng.uniform(0, 2 * np.pi))
    smooth = gain * target
    at_s = np.cumsum(rng.uniform(0.25, 0.6, int(time_s[-1] / 0.25) + 3))
    at_s = at_s[at_s < time_s[-1]]
    lag = np.concatenate([[0.0], np.interp(at_s, time_s, target - smooth)])
    course: Array = smooth + steps(time_s, at_s, np.diff(lag)) + wander(time_s, 0.15, 1.0, rng)
    return course


def square_wave_jerks(time_s: Array, rng: Random, per_min: float = 20.0) -> tuple[Array, Array]:
    """The course, and when the intrusions start: off and back after some 200 ms."""
    at_s = np.cumsum(0.5 + rng.exponential(max(0.05, 60 / per_min - 0.5), int(time_s[-1] / 0.5) + 3))
    at_s = at_s[at_s < time_s[-1] - 0.6]
    sizes = rng.uniform(0.8, 3.0, at_s.size) * rng.choice([-1, 1], at_s.size)
    back_s = at_s + rng.normal(0.22, 0.04, at_s.size).clip(0.12, 0.35)
    course = steps(time_s, at_s, sizes) + steps(time_s, back_s, -sizes)
    return course + wander(time_s, 0.15, 1.0, rng), at_s


def shaking(
    time_s: Array, hz: float, amplitude_deg: float, rng: Random, gain: float = 0.95, late_s: float = 0.0
) -> tuple[Array, Array]:
    """(eye in head, head as it is seen, `late_s`): the eyes keep to their target while the head shakes."""
    turns = hz * time_s + rng.uniform(0, 1)
    head = amplitude_deg * np.sin(2 * np.pi * turns)
    seen = amplitude_deg * np.sin(2 * np.pi * (turns - hz * late_s))
    return -gain * head + wander(time_s, 0.15, 1.0, rng), seen


def blinks(time_s: Array, rng: Random, every_s: float = 4.0) -> tuple[Array, Array]:
    """(openness, how far the eye is pulled down and in): each blink shuts the lid for about 0.1 s."""
    at_s = np.cumsum(rng.exponential(every_s - 0.8, int(time_s[-1]) + 3) + 0.8)
    shut = np.zeros(time_s.size)
    for one_s in at_s[at_s < time_s[-1] - 0.3]:
        shut = np.maximum(shut, np.clip(1.6 - np.abs(time_s - one_s) / 0.07, 0, 1))
    return 0.3 * (1 - shut), -2.0 * shut


def frames(
    time_s: Array,
    rng: Random,
    yaw_deg: Array,
    pitch_deg: Array,
    noise_deg: float = 0.0,
    correlated_deg: float = 0.0,
    head_yaw_deg: Array | None = None,
    openness: Array | None = None,
    apart_deg: float = 10.0,
) -> dict[str, Array]:
    """The columns of frames.csv that the movement is measured from.

    Both eyes move alike, `apart_deg` between their axes, each with a noise of its own, of which
    `correlated_deg` lasts for some frames.
    """
    opened = np.full(time_s.size, 0.3) if openness is None else openness
    shut = opened < 0.06
    still = np.zeros(time_s.size)
    table = {
        "frame": np.arange(time_s.size), "time_s": time_s, "face_valid": np.ones(time_s.size),
        "head_yaw_deg": still if head_yaw_deg is None else head_yaw_deg, "head_pitch_deg": still,
        "head_roll_deg": still,
    }  # fmt: skip
    table["head_yaw_deg"] = table["head_yaw_deg"] + rng.normal(0, 0.05, time_s.size)
    table["head_pitch_deg"] = still + rng.normal(0, 0.05, time_s.size)
    for eye, side in (("od", -0.5), ("os", 0.5)):
        table |= {
            f"{eye}_valid": np.where(shut, 0, 1), f"{eye}_reason": np.where(shut, "closed", ""),
            f"{eye}_openness": opened + rng.normal(0, 0.003, time_s.size),
        }  # fmt: skip
        for axis, course in (("yaw", yaw_deg + side * apart_deg), ("pitch", pitch_deg)):
            noise = rng.normal(0, noise_deg, time_s.size) if noise_deg else still
            if correlated_deg:
                noise = noise + wander(time_s, correlated_deg, 0.12, rng)
            table[f"{eye}_{axis}_deg"] = np.where(shut, np.nan, course + noise)
        table |= {f"{eye}_{name}_mm": np.full(time_s.size, np.nan) for name in ("mrd1", "mrd2", "pfh")}
    return table
