"""What rendered patients do in an examination, with its truth: cover tests, nystagmus, looks about, closures.

A moment has the pose and what is held before which eye. Eyes fixate the camera; the one that does not
deviates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from dmask.arrays import Floats, Pixels
from dmask.synthetic.occluders.before_eyes import Eye, eye_touched, put_before
from dmask.synthetic.patient import EYES, Pose, SyntheticPatient

LATENCY_S = (0.18, 0.30)  # of an eye that takes up fixation
VERGENCE_S = 0.25  # time constant by which a phoria comes under cover, and goes
VERGENCE_LATENCY_S = 0.18
FIXATION_SD_DEG = 0.12  # of small movements during fixation, about every half a second another
SWAP_S = 0.15  # in which a paddle goes from one eye to the other
SLIDE_S = 0.07  # in which it goes half away
WAYS = 40  # to hold something, of which one will leave the other eye in sight
BLINK_S = (0.06, 0.05, 0.12)  # closing, shut, opening


@dataclass(frozen=True)
class Moment:
    time_s: float
    pose: Pose
    covered: str = ""  # od, os or none
    half: bool = False  # the cover is on its way


@dataclass(frozen=True)
class Visit:
    """`truth` is what the measures should find; a name of a measure, with its condition behind a slash."""

    kind: str
    moments: list[Moment]
    truth: dict[str, float | str] = field(default_factory=dict)


NO_BEATS: dict[str, float | str] = {
    f"nystagmus.present_class/{axis}": "absent" for axis in ("horizontal", "vertical")
}
# Signs that straight eyes with lids as these patients' do not have.
HEALTHY = (
    "signs.nystagmus_class/horizontal",
    "signs.nystagmus_class/vertical",
    "signs.horizontal_deviation_class",
    "signs.vertical_deviation_class",
    "signs.ptosis_class",
    "signs.lagophthalmos_class",
)

Course = Callable[[Floats], Floats]


def head(random: np.random.Generator, time_s: Floats) -> Floats:
    """(F, 3) yaw, pitch, roll of somebody who sits still, degrees."""
    rates, phases = random.uniform(0.1, 0.4, (3, 2)), random.uniform(0, 2 * np.pi, (3, 2))
    sizes = np.array([[1.2, 0.5], [0.8, 0.4], [0.6, 0.2]]) * random.uniform(0.5, 1.5, (3, 2))
    waves = np.sin(2 * np.pi * rates[..., None] * time_s + phases[..., None])
    return np.asarray((sizes[..., None] * waves).sum(1).T + random.normal(0, [3.0, 3.0, 2.0]))


def trembling(random: np.random.Generator, time_s: Floats) -> Floats:
    """(F, 2) degrees that fixation is off, in steps."""
    steps = random.normal(0, FIXATION_SD_DEG, (int(time_s[-1] / 0.4) + 2, 2))
    return np.asarray(steps[np.minimum((time_s / 0.4).astype(int), len(steps) - 1)])


def blinking(random: np.random.Generator, time_s: Floats, per_min: float = 12.0) -> Floats:
    """(F,) closure of both eyes."""
    closing_s, shut_s, opening_s = BLINK_S
    at_s, closure = random.exponential(60 / per_min), np.zeros(time_s.size)
    while at_s < time_s[-1]:
        knots_s = at_s + np.cumsum([0, closing_s, shut_s, opening_s])
        closure = np.maximum(closure, np.interp(time_s, knots_s, [0, 1, 1, 0]))
        at_s += 0.5 + random.exponential(60 / per_min)
    return closure


def pose_at(
    patient: SyntheticPatient,
    head_deg: Floats,
    common_deg: Floats,
    apart_deg: tuple[Floats, Floats],
    closure: tuple[float, float],
) -> Pose:
    """Both eyes look into the camera but for `common_deg`; each is apart from there by its own."""
    pose = Pose(
        head_yaw_deg=float(head_deg[0]),
        head_pitch_deg=float(head_deg[1]),
        head_roll_deg=float(head_deg[2]),
        od_closure=closure[0],
        os_closure=closure[1],
    )
    for eye, apart in zip(EYES, apart_deg, strict=True):
        yaw_deg, pitch_deg = patient.fixation(eye, pose)
        setattr(pose, f"{eye}_yaw_deg", float(yaw_deg + common_deg[0] + apart[0]))
        setattr(pose, f"{eye}_pitch_deg", float(pitch_deg + common_deg[1] + apart[1]))
    pose.lids_down = float(np.clip(-(pose.od_pitch_deg + pose.os_pitch_deg) / 60, 0, 1))
    return pose


def jump(time_s: Floats, at_s: float, size_deg: float) -> Floats:
    """(F,) 0 before, 1 after a saccade of that size."""
    lasts_s = 0.021 + 0.0022 * abs(size_deg)
    way = np.clip((time_s - at_s) / lasts_s, 0, 1)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * way))


def cover_test(
    patient: SyntheticPatient,
    random: np.random.Generator,
    rate_fps: float,
    deviation_deg: tuple[float, float],
    latent: bool,
    alternate: bool,
    rounds: int = 3,
) -> Visit:
    """`deviation_deg` is OS less OD, horizontally and vertically, while the right eye fixates if it can."""
    covers: list[tuple[str, float, float]] = []
    at_s = 1.2
    for _ in range(rounds):
        for eye in EYES:
            lasts_s = float(random.uniform(1.3, 1.8))
            covers.append((eye, at_s, at_s + lasts_s))
            at_s += lasts_s + (SWAP_S if alternate else float(random.uniform(1.3, 1.8)))
    time_s = np.arange(int((at_s + 1.0) * rate_fps)) / rate_fps
    hidden = {eye: any_of(time_s, covers, eye) for eye in EYES}
    apart = np.array(deviation_deg)
    size_deg = float(np.hypot(apart[0], apart[1]))
    # How much of the deviation shows (a phoria only under cover), and which eye fixates: 0 OD, 1 OS.
    shown = np.ones(time_s.size)
    if latent:
        shown = relaxed(time_s, (hidden["od"] | hidden["os"]).astype(float))
    fixates = np.zeros(time_s.size)
    turn, now = [], 0.0
    for i in range(time_s.size):
        wanted = 1.0 if hidden["od"][i] else 0.0 if (hidden["os"][i] or not latent) else now
        if wanted != now:
            turn.append((time_s[i], wanted - now))
            now = wanted
    for since_s, step in turn:
        late_s = float(random.uniform(*LATENCY_S))  # to see that the target is elsewhere; a phoria's is not
        fixates += step * (time_s >= since_s) if latent else step * jump(time_s, since_s + late_s, size_deg)
    off, closure = trembling(random, time_s), np.zeros(time_s.size)
    head_deg = head(random, time_s)
    moments = []
    for i, t in enumerate(time_s.tolist()):
        both = shown[i] * apart
        od, os = -fixates[i] * both, (1 - fixates[i]) * both
        covered = next((eye for eye in EYES if hidden[eye][i]), "")
        sliding = next((eye for eye, a, b in covers if a - SLIDE_S <= t < a or b < t <= b + SLIDE_S), "")
        pose = pose_at(patient, head_deg[i], off[i], (od, os), (closure[i], closure[i]))
        moments.append(Moment(t, pose, covered or sliding, not covered and bool(sliding)))
    test = "alternate" if alternate else "unilateral"
    kind = "none" if size_deg == 0 else "phoria" if latent else "tropia"
    truth: dict[str, float | str] = {} if alternate else {"cover.kind_class": kind}
    if alternate:  # which alone cannot tell a tropia from a phoria
        truth["cover.deviation_horizontal_deg/alternate_cover"] = deviation_deg[0]
        truth["cover.deviation_vertical_deg/alternate_cover"] = deviation_deg[1]
    return Visit(f"{test} cover, {kind}", moments, truth)


def any_of(time_s: Floats, covers: list[tuple[str, float, float]], eye: str) -> np.ndarray:
    inside = [(time_s >= a) & (time_s <= b) for of, a, b in covers if of == eye]
    return np.asarray(np.any(inside, axis=0))


def relaxed(time_s: Floats, wanted: Floats) -> Floats:
    """(F,) that follows `wanted` with the latency and the time constant of vergence."""
    out, now = np.empty(time_s.size), float(wanted[0])
    wanted = wanted[np.maximum(np.searchsorted(time_s, time_s - VERGENCE_LATENCY_S), 0)]
    weight = 1 - np.exp(-(time_s[1] - time_s[0]) / VERGENCE_S)
    for i, value in enumerate(wanted.tolist()):
        now += weight * (value - now)
        out[i] = now
    return out


def nystagmus(
    patient: SyntheticPatient,
    random: np.random.Generator,
    rate_fps: float,
    frequency_hz: float,
    amplitude_deg: float,
    pendular: bool,
    vertical: bool,
    seconds: float = 8.0,
) -> Visit:
    time_s = np.arange(int(seconds * rate_fps)) / rate_fps
    slow_share, sign = float(random.uniform(0.75, 0.9)), float(random.choice([-1, 1]))
    phase = time_s * frequency_hz % 1.0
    beat = np.where(
        phase < slow_share, 0.5 - phase / slow_share, (phase - slow_share) / (1 - slow_share) - 0.5
    )
    course = amplitude_deg * (0.5 * np.sin(2 * np.pi * phase) if pendular else sign * beat)
    off, closure, head_deg = trembling(random, time_s), blinking(random, time_s), head(random, time_s)
    nothing = np.zeros(2)
    moments = []
    for i, t in enumerate(time_s.tolist()):
        common = off[i] + (np.array([0.0, course[i]]) if vertical else np.array([course[i], 0.0]))
        pose = pose_at(patient, head_deg[i], common, (nothing, nothing), (closure[i], closure[i]))
        moments.append(Moment(t, pose))
    axis = "vertical" if vertical else "horizontal"
    ways = ("up", "down") if vertical else ("left", "right")
    truth: dict[str, float | str] = {
        f"nystagmus.frequency_hz/{axis}": frequency_hz,
        f"nystagmus.amplitude_deg/{axis}": amplitude_deg,
        f"nystagmus.waveform_class/{axis}": "pendular" if pendular else "jerk",
    }
    if not pendular:
        speed = amplitude_deg * frequency_hz / slow_share
        truth[f"nystagmus.beat_direction_class/{axis}"] = ways[0] if sign > 0 else ways[1]
        truth[f"nystagmus.slow_phase_velocity_deg_per_s/{axis}"] = speed
    return Visit(f"nystagmus, {'pendular' if pendular else 'jerk'}", moments, truth)


def looking_about(
    patient: SyntheticPatient, random: np.random.Generator, rate_fps: float, seconds: float = 10.0
) -> Visit:
    """A healthy person who looks here and there, blinks, and moves the head a little."""
    time_s = np.arange(int(seconds * rate_fps)) / rate_fps
    common, at_s, now = np.zeros((time_s.size, 2)), float(random.uniform(0.5, 1.0)), np.zeros(2)
    while at_s < seconds:
        wanted = random.normal(0, [8.0, 4.0]) if random.random() < 0.7 else np.zeros(2)
        step = wanted - now
        common += np.outer(jump(time_s, at_s, float(np.hypot(step[0], step[1]))), step)
        now, at_s = wanted, at_s + float(random.uniform(0.3, 1.5))
    off, closure, head_deg = trembling(random, time_s), blinking(random, time_s), 2 * head(random, time_s)
    nothing = np.zeros(2)
    moments = [
        Moment(
            t, pose_at(patient, head_deg[i], common[i] + off[i], (nothing, nothing), (closure[i], closure[i]))
        )
        for i, t in enumerate(time_s.tolist())
    ]
    healthy = NO_BEATS | dict.fromkeys(HEALTHY, "absent")
    return Visit(
        "healthy, looks about", moments, healthy | {"cover.cover_count": 0.0, "blinks.wink_count": 0.0}
    )


def at_rest(
    patient: SyntheticPatient, random: np.random.Generator, rate_fps: float, seconds: float = 5.0
) -> Visit:
    """Somebody who looks into the camera, and blinks. The truth is the caller's."""
    time_s = np.arange(int(seconds * rate_fps)) / rate_fps
    off, closure, head_deg = trembling(random, time_s), blinking(random, time_s), head(random, time_s)
    nothing = np.zeros(2)
    return Visit(
        "lids at rest",
        [
            Moment(t, pose_at(patient, head_deg[i], off[i], (nothing, nothing), (closure[i], closure[i])))
            for i, t in enumerate(time_s.tolist())
        ],
    )


Photographer = Callable[[Pose, int], tuple[Pixels, dict[str, float]]]


def photographs(
    patient: SyntheticPatient, visit: Visit, photograph: Photographer, seed: int
) -> Iterator[tuple[float, Pixels, dict[str, float]]]:
    """(time, frame, truth) of each moment; one paddle, card or hand is held before the eyes throughout, and
    leaves the other one in sight."""
    thing = ("paddle", "card", "hand")[seed % 3]
    held = dict.fromkeys(EYES, 0)
    for number, moment in enumerate(visit.moments):
        frame, truth = photograph(moment.pose, number)
        if moment.covered:
            fellow = eye_of(patient, "os" if moment.covered == "od" else "od", moment.pose)
            eye = eye_of(patient, moment.covered, moment.pose)
            for way in range(held[moment.covered], held[moment.covered] + WAYS):
                random = np.random.default_rng([seed, 7, way])  # the same thing, held the same way
                covered, hidden = put_before(frame, eye, thing, moment.half, random)
                held[moment.covered] = way
                if not eye_touched(hidden, fellow):
                    break
            frame = covered
        yield moment.time_s, frame, truth


def eye_of(patient: SyntheticPatient, eye: str, pose: Pose) -> Eye:
    """Where an eye is in the picture that was rendered last."""
    upper, _ = patient.margins(eye)
    limbus = patient.in_picture(patient.limbus(eye, pose), pose)
    radius_px = float(np.linalg.norm(limbus[1:] - limbus[0], axis=1).max())
    return Eye(upper[0], upper[-1], limbus[0], radius_px)
