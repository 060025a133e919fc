"""frames.csv as it is read again: older files too, and nothing that is none."""

import csv

import numpy as np
import pytest

from dmask.errors import Error
from dmask.io.tables import FRAME_COLUMNS, KEY_COLUMNS, cell, read_frames


def written(path, columns):
    values = {"frame": "0", "time_s": "0.0", "face_reason": "", "od_reason": "closed", "os_reason": ""}
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(
            [columns, [values.get(name, "1" if name.endswith("_valid") else "1.5") for name in columns]]
        )
    return path


def test_a_column_that_came_later_than_the_file_holds_nothing(tmp_path):
    older = [name for name in FRAME_COLUMNS if "pfh" not in name]
    frames = read_frames(written(tmp_path / "frames.csv", older))
    assert set(frames) == set(FRAME_COLUMNS)
    assert np.isnan(frames["od_pfh_mm"]).all() and frames["os_pfh_mm"].shape == (1,)
    assert frames["od_yaw_deg"] == [1.5] and frames["od_reason"] == ["closed"]


def test_a_table_is_read_by_its_name_or_its_path(tmp_path):
    path = written(tmp_path / "frames.csv", FRAME_COLUMNS)
    for name in (path, str(path)):
        assert read_frames(name)["od_yaw_deg"] == [1.5]


@pytest.mark.parametrize("missing", KEY_COLUMNS)
def test_a_table_that_dmask_run_did_not_write_is_refused(tmp_path, missing):
    columns = [name for name in FRAME_COLUMNS if name != missing]
    with pytest.raises(Error, match=f"no column {missing}; expected"):
        read_frames(written(tmp_path / "frames.csv", columns))


def test_what_is_written_is_not_bounded_by_what_may_be_read():
    assert cell(2.5e9) == "2500000000.0000"
    assert cell(float("inf")) == cell(float("nan")) == ""
