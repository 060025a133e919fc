"""What evaluations share: an error that was not measured fails, and scores are told apart by their ranks."""

import json

import numpy as np
import pytest

from dmask.evaluate.rendered import errors_of
from dmask.io.report import write_report
from dmask.measure.auc import auc
from dmask.measure.largest import largest

NAN = float("nan")


def test_the_largest_error_is_nan_where_one_is():
    assert largest([0.5, -2.0, 1.5]) == 1.5
    assert np.isnan(largest([0.5, NAN])) and np.isnan(largest(np.array([[NAN, 1.0]])))
    with pytest.raises(ValueError):
        largest([])


def test_auc_counts_pairs_in_the_right_order_and_halves_ties():
    assert auc([3, 4], [1, 2]) == 1 and auc([1, 2], [3, 4]) == 0
    assert auc([1, 3], [1, 2]) == pytest.approx((0.5 + 0 + 1 + 1) / 4)
    positive, negative = np.random.default_rng(0).integers(0, 9, (2, 50))
    gap = positive[:, None] - negative
    assert auc(positive, negative) == pytest.approx(((gap > 0) + 0.5 * (gap == 0)).mean())


def test_auc_says_nothing_of_an_empty_group_or_a_missing_score():
    assert np.isnan(auc([], [1.0])) and np.isnan(auc([1.0], []))
    assert np.isnan(auc([1.0, NAN], [0.0]))


def test_a_number_missing_from_a_valid_result_counts_as_an_error():
    assert errors_of(3.0, 1.0, valid=True) == [2.0]
    assert errors_of(NAN, 1.0, valid=False) == errors_of(NAN, NAN, valid=True) == []
    assert np.isnan(errors_of(NAN, 1.0, valid=True)).all()


def test_a_report_is_json_whatever_is_no_number(tmp_path):
    write_report(tmp_path / "f.json", {"a": NAN, "b": [1.0, float("inf")], "c": {"d": (2, NAN)}, "e": "NaN"})
    told = json.loads((tmp_path / "f.json").read_text(), parse_constant=pytest.fail)
    assert told == {"a": None, "b": [1.0, None], "c": {"d": [2, None]}, "e": "NaN"}
