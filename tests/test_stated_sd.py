"""bench/stated_sd.py: finds the spread that errors were drawn from; what it leaves out is covered as well."""

import sys
from pathlib import Path

import numpy as np
import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
pytest.importorskip("scipy", reason="needs scipy: pip install '.[train]'")
sys.path.insert(0, str(CHECKOUT / "bench"))
stated_sd = pytest.importorskip("stated_sd", reason="needs the checkout's bench folder")


def test_the_spread_that_errors_were_drawn_from_is_found():
    random = np.random.default_rng(3)
    count = 4000
    squares = np.stack([np.ones(count), random.uniform(0, 9, count), random.uniform(0, 1, count)], 1)
    fixed = np.full(count, 0.25)
    true = np.array([0.5, 0.6, 0.0])
    sd = np.sqrt(fixed + squares @ true**2)
    found = stated_sd.fitted(squares, fixed, np.abs(random.normal(0, sd)), np.ones(3))
    assert np.sqrt(fixed + squares @ found**2) == pytest.approx(sd, rel=0.12)


def test_a_term_that_is_not_free_stays_out():
    random = np.random.default_rng(4)
    squares = np.ones((500, 2))
    found = stated_sd.fitted(squares, np.zeros(500), np.abs(random.normal(0, 2, 500)), np.array([0.0, 1.0]))
    assert found[0] == 0
    assert found[1] == pytest.approx(2, rel=0.15)
