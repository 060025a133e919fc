"""The noise floor of a recording: what trembles counts, what moves does not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dmask.measure.noise import LEAST_TRIPLES, noise_step

TIME_S = np.arange(600) / 30


@settings(max_examples=30, deadline=None)
@given(sigma=st.floats(0.02, 3), drift=st.floats(-20, 20), seed=st.integers(0, 99))
def test_noise_is_told_whatever_the_eye_does_slowly(sigma, drift, seed):
    noise = np.random.default_rng(seed).normal(0, sigma, TIME_S.size)
    saccades = 12.0 * (np.floor(TIME_S) % 2)
    assert noise_step(TIME_S, noise + drift * TIME_S + saccades) == pytest.approx(
        np.sqrt(2) * sigma, rel=0.35
    )


def test_of_independent_noise_it_is_the_rms_difference_of_neighbours():
    noise = np.random.default_rng(0).normal(0, 0.1, 20_000)
    step = noise_step(np.arange(noise.size) / 60, noise)
    assert step == pytest.approx(np.sqrt(np.mean(np.diff(noise) ** 2)), rel=0.03)


def test_what_is_still_has_no_noise():
    assert noise_step(TIME_S, np.full(TIME_S.size, 4.0)) == 0


def test_too_few_frames_in_a_row_tell_nothing():
    values = np.random.default_rng(1).normal(0, 1, TIME_S.size)
    assert noise_step(TIME_S[: LEAST_TRIPLES + 1], values[: LEAST_TRIPLES + 1]) is None
    assert noise_step(TIME_S[: LEAST_TRIPLES + 2], values[: LEAST_TRIPLES + 2]) is not None
    holes = values.copy()
    holes[::3] = np.nan
    assert noise_step(TIME_S, holes) is None
    assert noise_step(TIME_S[:0], values[:0]) is None


def test_frames_that_are_missing_do_not_make_noise():
    kept = np.arange(600) % 4 != 0  # every gap is followed by two even intervals
    values = 30 * TIME_S**2
    assert noise_step(TIME_S[kept], values[kept]) == pytest.approx(noise_step(TIME_S, values), rel=0.05)
