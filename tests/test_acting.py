"""People with habits: a seed gives one course, two recordings differ, and the habits stay."""

from dataclasses import asdict

import numpy as np
import pytest

import dmask
from dmask import _core
from dmask.measure.blinks import find_blinks
from dmask.synthetic import acting
from dmask.synthetic.habits import draw_habits, of_the_day

MODELS = _core.Models(dmask.Options().models_dir)
PLACE_MM = np.array([0.0, 0.0, 400.0])


def course(number: int, of_the_recording: int, duration_s: float = 4.0):
    whom = acting.person(MODELS, 7, number)
    random = np.random.default_rng([7, number, of_the_recording])
    return acting.moments(MODELS, whom, random, duration_s, 30.0, PLACE_MM)


def flat(moments) -> np.ndarray:
    rows = [[*m.head_deg, *np.ravel(m.gaze_deg), *m.units, *np.ravel(m.lid_motion)] for m in moments]
    return np.array(rows, float)


def test_a_seed_gives_one_course_and_two_recordings_of_a_person_differ():
    first, again, other = flat(course(0, 1)), flat(course(0, 1)), flat(course(0, 2))
    assert first.shape == (120, len(first[0])) and np.isfinite(first).all()
    assert (first == again).all()
    assert np.abs(first - other).max() > 1.0


def test_two_recordings_share_face_and_habits_and_two_people_do_not():
    one, same, another = (acting.person(MODELS, 7, number) for number in (0, 0, 1))
    assert one.habits == same.habits != another.habits
    assert (one.patient.identity == same.patient.identity).all() and (one.tone == same.tone).all()
    assert np.abs(one.patient.identity - another.patient.identity).max() > 0.1


def test_a_person_varies_less_from_day_to_day_than_people_do():
    random = np.random.default_rng(3)
    people = [draw_habits(random) for _ in range(300)]

    def numbers(habits):
        return np.hstack([np.ravel(value) for value in asdict(habits).values()])

    days = np.array([[numbers(of_the_day(one, random)) for _ in range(2)] for one in people])
    within = (days[:, 0] - days[:, 1]).var(0) / 2
    share = 1 - within / days.reshape(-1, days.shape[-1]).var(0)
    assert np.isfinite(share).all() and share.min() > 0.3 and 0.6 < np.median(share) < 0.95


def test_habits_show_in_the_course():
    """Who blinks twice as often does, and whose head sways more does."""
    whom = acting.person(MODELS, 7, 3)
    calm = {**asdict(whom.habits), "blinks_per_min": 8.0, "sway_deg": (1.0, 1.0, 1.0)}
    lively = {**calm, "blinks_per_min": 32.0, "sway_deg": (6.0, 6.0, 6.0)}
    found = []
    for habits in (calm, lively):
        one = acting.Person(whom.patient, type(whom.habits)(**habits), whom.tone)
        moments = acting.moments(MODELS, one, np.random.default_rng(5), 40.0, 30.0, PLACE_MM)
        time_s = np.array([m.time_s for m in moments])
        shut = np.array([np.linalg.norm(m.lid_motion[0]) for m in moments])
        blinks, _ = find_blinks(time_s, np.maximum(1.3 * np.median(shut) + 3.0 - shut, 0.0))
        found.append((len(blinks), np.std([m.head_deg[2] for m in moments])))
    assert found[1][0] > 1.8 * found[0][0] > 0
    assert found[1][1] > 2 * found[0][1] > 0


def test_what_detectors_say_of_it_is_fitted():
    whom = acting.person(MODELS, 7, 2)
    detections = list(acting.recording(MODELS, whom, (7, 2, 1), 2.0, 30.0))
    pipeline = dmask.Pipeline(dmask.Options(backend="cpu"))
    assert pipeline.calibrate(detections).ok
    results = [pipeline.fit(one) for one in detections]
    assert np.mean([one.face_valid for one in results]) == 1.0
    assert np.mean([one.od.valid for one in results]) > 0.7
    assert [one.time_s for one in results] == pytest.approx(np.arange(60) / 30)
