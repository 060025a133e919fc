"""How well nystagmus is measured in traces of known movements, and what is found in those of healthy eyes.

    python bench/nystagmus_traces.py [--seeds 20] [--first-seed 10000] [--only jerk|healthy|...]

prints a table a question. No picture is made: noise, drift, refixations and blinks are laid on the traces
themselves (dmask/synthetic/traces.py).
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from dmask.measure.clinical.nystagmus import beating_of
from dmask.measure.recorded import Recording
from dmask.synthetic import traces

DURATION_S = 12.0
RATES_FPS = (30, 60, 120)
HZ = (2, 3, 4, 5, 6)
AMPLITUDES_DEG = (2, 5, 10)
NOISES_DEG = (0.15, 0.3)
CHAPTERS = ("jerk", "shapes", "pendular", "floor", "absent", "healthy", "demo")


class Truth(NamedTuple):
    waveform: str
    hz: float
    amplitude_deg: float
    side: int
    slow_deg_per_s: float


class Case(NamedTuple):
    frames: dict[str, np.ndarray]
    axis: str
    truth: Truth | None


def background(time_s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What else gaze does: slow drift and looks about."""
    return traces.wander(time_s, 0.5, 2.0, rng) + traces.refixations(time_s, rng)


def sick(
    waveform: str,
    rate_fps: float,
    hz: float,
    amplitude_deg: float,
    noise_deg: float,
    seed: int,
    uneven: float = 0.0,
) -> Case:
    """Both eyes beat along one axis; along the other they fixate."""
    rng = np.random.default_rng(seed)
    time_s = traces.frame_times(rate_fps, DURATION_S, rng, uneven)
    hz = hz * rng.uniform(0.93, 1.07)
    side = int(rng.choice([-1, 1]))
    axis = str(rng.choice(["horizontal", "vertical"]))
    quick_s = traces.saccade_s(amplitude_deg)
    if waveform == "pendular":
        course = traces.pendular(time_s, hz, amplitude_deg, rng)
        truth = Truth("pendular", hz, amplitude_deg, 0, float("nan"))
    else:
        shape = "linear" if waveform == "jerk" else waveform
        jitter = 0.0 if shape != "linear" else float(rng.choice([0.0, 0.05, 0.1]))
        course = traces.jerk(time_s, hz, amplitude_deg, rng, side, shape=shape, jitter=jitter)
        truth = Truth("jerk", hz, amplitude_deg, side, amplitude_deg / (1 / hz - quick_s))
    openness, pulled = traces.blinks(time_s, rng)
    yaw, pitch = background(time_s, rng), traces.fixation(time_s, rng)
    yaw, pitch = (yaw + course, pitch) if axis == "horizontal" else (pitch, yaw + course)
    head = traces.wander(time_s, 2.0, 2.0, rng)
    frames = traces.frames(
        time_s, rng, yaw, pitch + pulled, noise_deg, 0.3 * noise_deg, head_yaw_deg=head, openness=openness
    )
    return Case(frames, axis, truth)


def healthy(kind: str, rate_fps: float, noise_deg: float, seed: int, duration_s: float = DURATION_S) -> Case:
    rng = np.random.default_rng(seed)
    time_s = traces.frame_times(rate_fps, duration_s, rng, float(rng.choice([0.0, 0.15])))
    head = traces.wander(time_s, 2.0, 2.0, rng)
    openness, pulled = traces.blinks(time_s, rng, every_s=2.0 if kind == "blinks" else 4.0)
    pitch = traces.fixation(time_s, rng)
    if kind == "shaking":
        yaw, head = traces.shaking(time_s, rng.uniform(0.7, 3.0), rng.uniform(4, 20), rng)
    elif kind == "late_head":  # of a tracker that lags
        late_s = float(rng.uniform(-0.07, 0.07))
        yaw, head = traces.shaking(time_s, rng.uniform(0.7, 3.0), rng.uniform(4, 20), rng, late_s=late_s)
    elif kind == "square_wave_jerks":
        yaw = traces.square_wave_jerks(time_s, rng, rng.uniform(10, 60))[0]
    elif kind == "pursuit":
        yaw = traces.pursuit(time_s, rng.uniform(0.2, 0.5), rng.uniform(8, 15), rng, rng.uniform(0.7, 1.0))
    elif kind == "quick_pursuit":
        yaw = traces.pursuit(time_s, rng.uniform(0.7, 1.4), rng.uniform(4, 12), rng, rng.uniform(0.7, 1.0))
    elif kind == "quick_reading":  # of narrow columns
        yaw = traces.reading(time_s, rng, rng.uniform(0.14, 0.2), rng.uniform(3, 10))
    elif kind == "reading":
        yaw = traces.reading(time_s, rng)
    elif kind == "scanning":
        yaw, pitch = traces.scanning(time_s, rng), traces.scanning(time_s, rng)
    elif kind == "refixations":
        yaw, pitch = traces.refixations(time_s, rng, 1.0, 10.0), traces.refixations(time_s, rng, 1.0, 8.0)
    elif kind == "coarse_noise":  # of a tracker that wanders
        yaw = traces.wander(time_s, 1.0, float(rng.uniform(0.05, 0.5)), rng)
    else:
        yaw = traces.fixation(time_s, rng)
    frames = traces.frames(
        time_s, rng, yaw, pitch + pulled, noise_deg, 0.3 * noise_deg, head_yaw_deg=head, openness=openness
    )
    return Case(frames, "horizontal", None)


HEALTHY = (
    "fixation", "blinks", "refixations", "reading", "quick_reading", "scanning", "pursuit", "quick_pursuit",
    "shaking", "late_head", "square_wave_jerks", "coarse_noise",
)  # fmt: skip


class Score(NamedTuple):
    """Of one eye and axis; errors as shares, NaN where nothing is told."""

    told: bool
    waveform: bool
    side: bool
    hz: float
    amplitude: float
    slow: float
    reason: str


def scored(case: Case) -> Iterator[Score]:
    recording = Recording(case.frames)
    assert case.truth is not None
    for eye in ("od", "os"):
        found = beating_of(recording, eye, case.axis)
        if not found.waveform:
            yield Score(False, False, False, *3 * [float("nan")], found.reason or "absent")
            continue
        errors = [
            abs(float(np.median(values)) / true - 1) if values.size else float("nan")
            for values, true in (
                (found.hz, case.truth.hz),
                (found.amplitude_deg, case.truth.amplitude_deg),
                (found.slow_deg_per_s, case.truth.slow_deg_per_s),
            )
        ]
        yield Score(True, found.waveform == case.truth.waveform, found.side == case.truth.side, *errors, "")


def row(title: str, scores: list[Score]) -> str:
    told = [one for one in scores if one.told]

    def middle(name: str, share: float = 50) -> str:
        values = np.array([getattr(one, name) for one in told])
        values = values[np.isfinite(values)]
        return f"{100 * np.percentile(values, share):5.1f}" if values.size else "    -"

    return (
        f"{title:44s} {len(scores):4d} {100 * len(told) / len(scores):5.0f} "
        f"{100 * sum(one.waveform for one in told) / max(len(told), 1):5.0f} "
        f"{100 * sum(one.side for one in told) / max(len(told), 1):5.0f}  "
        f"{middle('hz')} {middle('amplitude')} {middle('slow')}   "
        f"{middle('hz', 90)} {middle('amplitude', 90)} {middle('slow', 90)}"
    )


HEAD = (
    f"{'':44s} {'n':>4s} {'told':>5s} {'wave':>5s} {'side':>5s}  {'hz':>5s} {'ampl':>5s} {'slow':>5s}   "
    f"{'hz90':>5s} {'amp90':>5s} {'slo90':>5s}"
)


def table(waveform: str, seeds: range, uneven: float = 0.0, by_cell: bool = True) -> None:
    print(
        f"\n{waveform}{' of uneven frame times' if uneven else ''}: percent; "
        "medians and 90th percentiles of errors"
    )
    print(HEAD)
    for rate_fps in RATES_FPS:
        for noise_deg in NOISES_DEG:
            whole: list[Score] = []
            for amplitude_deg in AMPLITUDES_DEG:
                of_size: list[Score] = []
                for hz in HZ:
                    of_size += [
                        one for seed in seeds
                        for one in scored(
                            sick(waveform, rate_fps, hz, amplitude_deg, noise_deg, seed * 7 + hz, uneven)
                        )
                    ]  # fmt: skip
                if by_cell:
                    print(
                        row(
                            f"{rate_fps:4d} fps, noise {noise_deg:.2f}, {amplitude_deg:2d} deg, 2-6 Hz",
                            of_size,
                        )
                    )
                whole += of_size
            print(row(f"{rate_fps:4d} fps, noise {noise_deg:.2f}, all", whole))


def by_hz(waveform: str, seeds: range) -> None:
    print(f"\n{waveform} by frequency, noise 0.15")
    print(HEAD)
    for rate_fps in RATES_FPS:
        for hz in HZ:
            scores = [
                one for seed in seeds for amplitude_deg in AMPLITUDES_DEG
                for one in scored(sick(waveform, rate_fps, hz, amplitude_deg, 0.15, seed * 7 + hz))
            ]  # fmt: skip
            print(row(f"{rate_fps:4d} fps, {hz} Hz", scores))


def floor(seeds: range) -> None:
    """Of amplitudes that are too small for the noise: nothing may be told."""
    print("\nbelow the floor (amplitude 0.3 to 0.85 of the least): refused, percent")
    for waveform in ("jerk", "pendular"):
        for rate_fps in RATES_FPS:
            told, reasons = [], Counter[str]()
            for seed in seeds:
                rng = np.random.default_rng(seed)
                noise_deg = float(rng.choice([0.1, 0.15, 0.3, 0.6]))
                least_deg = max(0.5, 3 * noise_deg)
                case = sick(
                    waveform,
                    rate_fps,
                    float(rng.uniform(2, 6)),
                    least_deg * float(rng.uniform(0.3, 0.85)),
                    noise_deg,
                    seed,
                )
                for score in scored(case):
                    told.append(score.told)
                    reasons[score.reason.split(" ")[0]] += 1
            print(
                f"  {waveform:9s} {rate_fps:4d} fps: {100 * (1 - np.mean(told)):5.1f} of {len(told)}  "
                f"{dict(reasons)}"
            )


def absent(seeds: range) -> None:
    """What an absence leaves open: beats that are slow, and bursts of a few of them."""
    print("\nslow beats of 4 degrees, noise 0.15, 60 frames a second: told, percent")
    print(HEAD)
    for waveform in ("jerk", "pendular"):
        for hz in (0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0):
            scores = [one for seed in seeds for one in scored(sick(waveform, 60, hz, 4, 0.15, seed))]
            print(row(f"{waveform}, {hz:g} Hz", scores))
    print("\nbursts of jerk beats of 5 degrees within 12 s, noise 0.15, 60 frames a second: told, percent")
    for beats in (3, 4, 5, 6, 8, 12):
        for hz in (2, 4):
            told = [bool(found) for seed in seeds for found in burst(beats, hz, seed)]
            print(f"  {beats:2d} beats, {hz} Hz: {100 * np.mean(told):5.1f} of {len(told)}")


def burst(beats: int, hz: float, seed: int) -> Iterator[str]:
    """The waveform that each eye is told to have; empty without."""
    rng = np.random.default_rng(seed)
    time_s = traces.frame_times(60, DURATION_S, rng)
    start_s = rng.uniform(2, 7)
    inside = (time_s >= start_s) & (time_s <= start_s + (beats + 0.5) / hz)
    course = np.where(inside, traces.jerk(time_s, hz, 5.0, rng), 0.0)
    openness, pulled = traces.blinks(time_s, rng)
    yaw, pitch = background(time_s, rng) + course, traces.fixation(time_s, rng) + pulled
    recording = Recording(traces.frames(time_s, rng, yaw, pitch, 0.15, 0.05, openness=openness))
    for eye in ("od", "os"):
        yield beating_of(recording, eye, "horizontal").waveform


def false_findings(seeds: range, kinds: tuple[str, ...] = HEALTHY, duration_s: float = DURATION_S) -> None:
    print(f"\nhealthy, {duration_s:g} s: eyes and axes with a nystagmus found, percent; what is said of all")
    for kind in kinds:
        for rate_fps in RATES_FPS:
            said: Counter[str] = Counter()
            for seed in seeds:
                recording = Recording(
                    healthy(kind, rate_fps, (0.05, 0.15, 0.3)[seed % 3], seed, duration_s).frames
                )
                for eye in ("od", "os"):
                    for axis in ("horizontal", "vertical"):
                        found = beating_of(recording, eye, axis)
                        said[found.waveform or " ".join((found.reason or "absent").split(" ")[:2])] += 1
            count = said.total()
            wrong = sum(said[one] for one in ("jerk", "pendular", "undetermined"))
            print(f"  {kind:18s} {rate_fps:4d} fps: {100 * wrong / count:5.1f} of {count}  {dict(said)}")


def demo() -> None:
    """The demonstration patient's own course, as he was made, with noise."""
    from dmask.synthetic.demo import NYSTAGMUS_HZ, NYSTAGMUS_S, excursion_deg

    print(
        f"\nthe demonstration patient: {NYSTAGMUS_HZ:g} Hz, 5 degrees, "
        f"from {NYSTAGMUS_S[0]} to {NYSTAGMUS_S[1]} s"
    )
    for rate_fps in (25, 30, 60):
        for noise_deg in (0.05, 0.15, 0.3):
            rng = np.random.default_rng(5)
            time_s = np.arange(round(8 * rate_fps)) / rate_fps
            course = np.array([excursion_deg(float(one)) for one in time_s])
            head = 6.0 * np.sin(2 * np.pi * time_s / 5.0)
            openness = 0.3 * np.ones(time_s.size)
            for at_s in (1.0, 4.4, 6.8):
                openness *= 1 - np.clip(1.4 * np.clip(1 - np.abs(time_s - at_s) / 0.12, 0, 1), 0, 1)
            frames = traces.frames(time_s, rng, course - head, 0 * time_s, noise_deg, 0, head, openness)
            found = beating_of(Recording(frames), "os", "horizontal")
            numbers = [
                f"{np.median(one):.2f}" if one.size else "-"
                for one in (found.hz, found.amplitude_deg, found.slow_deg_per_s)
            ]
            said = found.waveform or found.reason or "absent"
            spans = np.round(found.episodes_s, 2).tolist()
            print(
                f"  {rate_fps} fps, noise {noise_deg}: {said}, side {found.side}; "
                f"Hz, deg, deg/s {numbers}; {spans}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=10_000)
    parser.add_argument("--only", choices=CHAPTERS, default=None)
    given = parser.parse_args()
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    chosen = (given.only,) if given.only else CHAPTERS
    if "jerk" in chosen:
        table("jerk", seeds)
        by_hz("jerk", seeds)
        table("jerk", seeds, uneven=0.2, by_cell=False)
    if "shapes" in chosen:
        table("decelerating", seeds, by_cell=False)
        table("accelerating", seeds, by_cell=False)
    if "pendular" in chosen:
        table("pendular", seeds)
        table("pendular", seeds, uneven=0.2, by_cell=False)
    if "floor" in chosen:
        floor(range(given.first_seed, given.first_seed + 5 * given.seeds))
    if "absent" in chosen:
        absent(seeds)
    if "healthy" in chosen:
        false_findings(range(given.first_seed, given.first_seed + 3 * given.seeds))
        false_findings(range(given.first_seed, given.first_seed + given.seeds), duration_s=60.0)
    if "demo" in chosen:
        demo()


if __name__ == "__main__":
    main()
