"""Recordings of people who move as their habits have it: the truth of each frame, nothing rendered.

`people` gives persons by number; two recordings of one share face and habits, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dmask import _core
from dmask.arrays import Floats
from dmask.synthetic.habits import Habits, draw_habits, of_the_day
from dmask.synthetic.lids import LidEvent
from dmask.synthetic.projected import Camera, Moment, Patient, draw_patient, project

LIDS_PER_DEG = 1 / 30  # of the model's look down or up, for a degree of gaze
PUPIL_MM = 0.5 * _core.adult_pupils_mm  # from the middle, on either side
LARGE_SACCADE_DEG = 8.0


@dataclass(frozen=True)
class Person:
    patient: Patient
    habits: Habits
    tone: Floats  # units at rest


def person(models: _core.Models, seed: int, number: int) -> Person:
    random = np.random.default_rng([seed, number])
    patient = draw_patient(models, random)
    names = models.unit_names
    tone = np.where(random.random(len(names)) < 0.3, random.uniform(0, 0.12, len(names)), 0.0)
    tone[[name.startswith("eye") for name in names]] = 0.0
    return Person(patient, draw_habits(random), tone)


def recording(
    models: _core.Models, whom: Person, seed: tuple[int, ...], duration_s: float, rate_fps: float
) -> Iterator[_core.FrameDetection]:
    """What detectors with noise would say of each frame; `seed` is of this recording."""
    random = np.random.default_rng(seed)
    camera = Camera(int(random.choice([960, 1280])), float(random.uniform(38, 42)))
    place_mm = np.array([random.normal(0, 12), random.normal(0, 12), random.uniform(340, 480)])
    noise_px = camera.size / 1280 * random.uniform(0.35, 0.8)
    for moment in moments(models, whom, random, duration_s, rate_fps, place_mm):
        yield project(models, whom.patient, moment, camera, random, noise_px)


def moments(
    models: _core.Models,
    whom: Person,
    random: np.random.Generator,
    duration_s: float,
    rate_fps: float,
    place_mm: Floats,
) -> list[Moment]:
    habits = of_the_day(whom.habits, random)
    time_s = np.arange(int(duration_s * rate_fps)) / rate_fps
    sight_deg, head_deg, jumps = where_it_looks(habits, random, time_s)
    brow = expression(random, time_s, habits.brows_per_min, habits.brow_onset_s, habits.brow_hold_s)
    smile = expression(random, time_s, habits.smiles_per_min, habits.smile_onset_s, habits.smile_hold_s)
    head_deg[:, 1] += habits.brow_nod_deg * brow
    gaze_deg = eyes_of(habits, sight_deg, float(place_mm[2]))
    units = face(models.unit_names, habits, random, time_s, brow, smile) + whom.tone
    closure = lids(habits, random, time_s, jumps)
    motions = [
        lid_motions(models, whom.patient, habits, eye, closure[eye], gaze_deg[:, eye, 1], smile)
        for eye in (0, 1)
    ]
    drift_mm = np.stack([smooth_noise(random, time_s, 0.2) for _ in range(3)], 1) * [4.0, 3.0, 6.0]
    return [
        Moment(
            float(t),
            (float(head_deg[i, 0]), float(head_deg[i, 1]), float(head_deg[i, 2])),
            place_mm + drift_mm[i],
            np.clip(units[i], 0, 1).astype(np.float32),
            [tuple(gaze_deg[i, eye].tolist()) for eye in (0, 1)],
            [motions[eye][i] for eye in (0, 1)],
        )
        for i, t in enumerate(time_s.tolist())
    ]


def smooth_noise(random: np.random.Generator, time_s: Floats, corner_hz: float) -> Floats:
    """(F,) of deviation 1 about, falling with the fourth power of the frequency beyond the corner."""
    count, step_s = 2 * time_s.size, float(time_s[1] - time_s[0])  # twice, as its own ends meet
    shape = 1 / (1 + (np.fft.rfftfreq(count, step_s) / corner_hz) ** 2)
    shape[0] = 0.0
    spectrum = shape * (random.normal(size=shape.size) + 1j * random.normal(size=shape.size))
    noise = np.fft.irfft(spectrum, count)
    expected = np.sqrt(4 * (shape**2).sum()) / count
    return np.asarray(noise[: time_s.size] / expected)


def where_it_looks(
    habits: Habits, random: np.random.Generator, time_s: Floats
) -> tuple[Floats, Floats, list[float]]:
    """(F, 2) line of sight in the head, (F, 3) the head, degrees; and when gaze jumps far."""
    at_s, target = 0.0, np.zeros(2)
    knots_s, knots, jumps = [0.0], [target.copy()], []
    while at_s < time_s[-1]:
        at_s += habits.fixation_s * float(np.exp(random.normal(0, 0.5)))
        size = random.exponential(habits.saccade_deg)
        steep = random.random() > habits.across
        direction = np.radians(random.normal(90 if steep else 0, 20)) + np.pi * random.integers(2)
        # It is drawn back to where it rests.
        step = size * np.array([np.cos(direction), 0.6 * np.sin(direction)]) - 0.25 * target
        far = float(np.hypot(*step))
        if far > LARGE_SACCADE_DEG:
            jumps.append(at_s)
        lasts_s = habits.saccade_slowness * (0.021 + 0.0022 * far)
        knots_s += [at_s, at_s + lasts_s]
        knots += [target.copy(), target + step]
        target = target + step
        at_s += lasts_s
    shifts = np.stack([np.interp(time_s, knots_s, [knot[a] for knot in knots]) for a in (0, 1)], 1)
    sway = np.stack([smooth_noise(random, time_s, habits.sway_hz) for _ in range(3)], 1) * habits.sway_deg
    followed = habits.head_share * np.stack(
        [lagged(shifts[:, a], habits.head_lag_s, time_s) for a in (0, 1)], 1
    )
    head = sway + habits.posture_deg
    head[:, :2] += followed
    # The world is looked at: what the head sways, the eyes take back.
    sight = habits.centre_deg + shifts - followed - 0.8 * sway[:, :2]
    sight += random.normal(0, 0.05, sight.shape)
    return np.clip(sight, -28, 28), head, jumps


def lagged(values: Floats, lag_s: float, time_s: Floats) -> Floats:
    weight = 1 - np.exp(-(time_s[1] - time_s[0]) / lag_s)
    out, now = np.empty(values.size), float(values[0])
    for i, value in enumerate(values.tolist()):
        now += weight * (value - now)
        out[i] = now
    return out


def eyes_of(habits: Habits, sight_deg: Floats, distance_mm: float) -> Floats:
    """(F, 2, 2) optical axes of OD and OS, yaw and pitch, from the line of sight."""
    convergence_deg = float(np.degrees(np.arctan(PUPIL_MM / distance_mm)))
    axes = np.repeat(sight_deg[:, None], 2, 1)
    for eye, temporal in ((0, -1), (1, 1)):
        axes[:, eye, 0] += temporal * (habits.kappa_deg[eye] - convergence_deg)
        axes[:, eye, 1] += habits.kappa_up_deg[eye]
    return axes


def expression(
    random: np.random.Generator, time_s: Floats, per_min: float, onset_s: float, hold_s: float
) -> Floats:
    """(F,) about 1 while it lasts, 0 between."""
    course, at_s = np.zeros(time_s.size), random.exponential(60 / per_min)
    while at_s < time_s[-1]:
        rises_s, lasts_s = (value * np.exp(random.normal(0, 0.2)) for value in (onset_s, hold_s))
        ends_s = at_s + rises_s + lasts_s
        amount = np.exp(random.normal(0, 0.25))
        ramp = np.interp(time_s, [at_s, at_s + rises_s, ends_s, ends_s + 1.5 * rises_s], [0, 1, 1, 0])
        course = np.maximum(course, amount * 0.5 * (1 - np.cos(np.pi * ramp)))
        at_s = ends_s + 1.5 * rises_s + random.exponential(60 / per_min)
    return course


def face(
    names: list[str], habits: Habits, random: np.random.Generator, time_s: Floats, brow: Floats, smile: Floats
) -> Floats:
    """(F, M) units besides the tone."""
    units = np.zeros((time_s.size, len(names)))

    def both(name: str, course: Floats, side: float) -> None:
        for suffix, share in (("_L", 1 + side), ("_R", 1 - side)):
            units[:, names.index(name + suffix)] += share * course

    both("mouthSmile", habits.smile_amount * smile, habits.smile_side)
    both("cheekSquint", habits.smile_amount * habits.smile_cheek * smile, habits.smile_side)
    both("browInnerUp", habits.brow_amount * brow, habits.brow_side)
    both("browOuterUp", habits.brow_amount * habits.brow_outer * brow, habits.brow_side)
    frown = expression(random, time_s, habits.frowns_per_min, habits.brow_onset_s, habits.brow_hold_s)
    both("browDown", habits.frown_amount * frown, habits.brow_side)
    both("eyeSquint", 0.5 * habits.frown_amount * frown, habits.brow_side)
    talks = expression(random, time_s, 6 * habits.talking / (1 - min(habits.talking, 0.9)), 0.2, 6.0)
    chews = np.abs(smooth_noise(random, time_s, habits.jaw_hz))
    units[:, names.index("jawOpen")] += habits.jaw_amount * talks * chews
    return units


def lids(
    habits: Habits, random: np.random.Generator, time_s: Floats, jumps: list[float]
) -> tuple[Floats, Floats]:
    """(F,) of OD and OS, 0 open to 1 shut, by blinks alone."""
    starts = [at_s for at_s in jumps if random.random() < habits.blinks_with_gaze]
    at_s = random.exponential(60 / habits.blinks_per_min)
    while at_s < time_s[-1]:
        starts.append(at_s)
        at_s += 0.4 + random.exponential(max(60 / habits.blinks_per_min - 0.4, 0.2))
    closure = np.zeros((2, time_s.size))
    for start_s in starts:
        closing_s, opening_s, shut_s = (
            value * float(np.exp(random.normal(0, 0.15)))
            for value in (habits.blink_closing_s, habits.blink_opening_s, habits.blink_shut_s)
        )
        partial = random.random() < habits.partial_share
        amount = random.uniform(0.5, 0.85) if partial else random.uniform(0.93, 1.0)
        amounts = (min(amount * (1 - habits.blink_lag), 1.0), min(amount * (1 + habits.blink_lag), 1.0))
        event = LidEvent("full", start_s, closing_s, shut_s, opening_s, amounts)
        for eye in (0, 1):
            closure[eye] = np.maximum(closure[eye], amounts[eye] * event.course(time_s))
    return closure[0], closure[1]


def lid_motions(
    models: _core.Models,
    patient: Patient,
    habits: Habits,
    eye: int,
    closure: Floats,
    pitch_deg: Floats,
    smile: Floats,
) -> Floats:
    """(F, motions) float32: what the lids do besides is left as far as they are open."""
    by_name = {name: np.asarray(models.eyelid_motion(name)) for name in ("ptosis", "look_down", "look_up")}
    cheek = np.asarray(models.eyelid_motion("cheek_squint"))
    follows = LIDS_PER_DEG * habits.lids_follow
    besides = (
        habits.droop[eye] * by_name["ptosis"]
        + np.outer(follows * np.maximum(-pitch_deg, 0), by_name["look_down"])
        + np.outer(follows * np.maximum(pitch_deg, 0), by_name["look_up"])
        + np.outer(habits.smile_amount * habits.smile_cheek * smile, cheek)
    )
    moved = (1 - closure[:, None]) * besides
    for i in np.flatnonzero(closure > 1e-3):
        moved[i] += models.blink(patient.lid_shape[eye], float(closure[i]))
    return np.asarray(moved, np.float32)
