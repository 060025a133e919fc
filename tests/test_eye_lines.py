"""Hand labels of crease and bulge lie where such lines can be; `dmask eval eye-lines` measures rightly."""

from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from dmask import cli
from dmask.errors import Error
from dmask.evaluate import eye_lines
from dmask.evaluate.eye_lines import ABSENT, CANTHI, LINES, PRESENT, UNDECIDED, LabelledEye, Tally

DATA = Path(__file__).parent / "data"
UPPER_LID = {"od": (39, 38, 37, 36), "os": (42, 43, 44, 45)}  # inner to outer
LOWER_LID = {"od": (39, 40, 41, 36), "os": (42, 47, 46, 45)}
AXIS = np.array([1.0, 0.0])


@pytest.fixture(scope="module")
def labels() -> list[LabelledEye]:
    return eye_lines.read_eye_lines(DATA / "eye_lines.csv")


@pytest.fixture(scope="module")
def faces(shared):
    from dmask.io.labelled import find_labels

    found = find_labels(shared / "data" / "faces68")
    return {(face.path.parent.parent.name, face.path.name): face for face in found}


def straight_eye() -> np.ndarray:
    """(68,2) points of which only the canthi count: 60 px apart, the outer corners 160 px."""
    xy = np.zeros((68, 2))
    xy[[36, 39, 42, 45]] = [[100, 100], [160, 100], [200, 100], [260, 100]]
    return xy


def with_confidence(points: np.ndarray, confidence: float) -> np.ndarray:
    return np.column_stack([points, np.full(len(points), confidence)])


def test_every_labelled_eye_is_there_once_with_whole_lines(labels):
    assert len({(eye.dataset, eye.image, eye.eye) for eye in labels}) == len(labels) >= 60
    for line in LINES:
        states = [eye.present[line] for eye in labels]
        assert min(states.count(PRESENT), states.count(ABSENT)) > 0
        assert all(5 <= len(eye.line[line]) <= 14 for eye in labels if eye.present[line] == PRESENT)


def test_labelled_people_are_held_out_from_training(labels):
    from dmask.evaluate.held_out import is_validation

    assert all(is_validation(eye.image) for eye in labels)


def test_labels_lie_inside_their_pictures(labels, faces):
    from dmask.io.picture import read_picture

    for eye in labels:
        height, width = read_picture(faces[eye.dataset, eye.image].path).shape[:2]
        for points in eye.line.values():
            assert (points >= 0).all() and (points <= [width - 1, height - 1]).all(), eye.image


def test_lines_run_from_inner_to_outer_on_their_side_of_the_lids(labels, faces):
    for eye in labels:
        xy = faces[eye.dataset, eye.image].xy
        inner, outer = xy[list(CANTHI[eye.eye])]
        width = np.linalg.norm(outer - inner)
        along = (outer - inner) / width
        down = np.array([-along[1], along[0]])
        down *= np.sign(down[1])
        for line, lid, side in (("crease", UPPER_LID, -1), ("bulge", LOWER_LID, 1)):
            points = eye.line[line]
            if not len(points):
                continue
            where = (points - inner) @ along
            assert where[-1] - where[0] > 0.25 * width, (eye.image, line)
            assert (np.diff(where) > 0).all(), (eye.image, line)
            assert where.min() > -0.35 * width and where.max() < 1.35 * width, (eye.image, line)
            margin = xy[list(lid[eye.eye])]
            at_margin = np.interp(where, (margin - inner) @ along, (margin - inner) @ down)
            beyond = side * ((points - inner) @ down - at_margin) / width
            beyond = beyond[(where > 0) & (where < width)]  # outside the canthi a fold may hang lower
            assert beyond.mean() > 0.02 and beyond.min() > -0.08, (eye.image, line, beyond)
            assert beyond.max() < 0.6, (eye.image, line, beyond)


def test_tags_name_every_held_out_face_and_only_known_values(faces):
    from dmask.evaluate.held_out import is_validation

    with (DATA / "face_tags.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(r["set"], r["image"]) for r in rows} == {key for key in faces if is_validation(key[1])}
    allowed = {
        "glasses": {"none", "clear", "dark"},
        "eyes": {"open", "half", "closed", "hidden"},
        "occluded": {"0", "1"},
        "pose": {"frontal", "turned"},
        "skin": {"light", "medium", "dark", "unknown"},
    }
    for column, values in allowed.items():
        assert {row[column] for row in rows} == values


def test_a_label_has_no_distance_to_itself(labels):
    for eye in labels:
        for points in eye.line.values():
            if len(points):
                axis = points[-1] - points[0]
                axis = axis / np.linalg.norm(axis)
                assert eye_lines.line_distance(points, points, axis) == pytest.approx(0, abs=1e-9)
                assert eye_lines.hits(points, points, axis, 0.1) == (1, 1)


def test_a_shifted_line_is_as_far_as_it_was_shifted():
    label = np.column_stack([np.linspace(110, 150, 7), np.full(7, 80.0)])
    assert eye_lines.line_distance(label + [0, 3], label, AXIS) == pytest.approx(3)
    longer = np.column_stack([np.linspace(90, 170, 20), np.full(20, 83.0)])
    assert eye_lines.line_distance(longer, label, AXIS) == pytest.approx(3)  # what is beyond does not count
    assert eye_lines.hits(longer, label, AXIS, 2.9) == (0, 0)
    assert eye_lines.hits(longer, label, AXIS, 3.1) == (1, 1)
    half = longer[longer[:, 0] < 130]
    precision, recall = eye_lines.hits(half, label, AXIS, 3.1)
    assert precision == 1 and 0.4 < recall < 0.6


def test_distances_are_in_pixels_of_the_crop_and_per_cent_of_the_outer_corners():
    xy, tally = straight_eye(), Tally()
    label = np.column_stack([np.linspace(155, 105, 7), np.full(7, 85.0)])
    eye = LabelledEye(
        "a", "b", "od", {"crease": PRESENT, "bulge": ABSENT}, {"crease": label, "bulge": label[:0]}
    )
    eye_lines.add(tally, eye, "crease", with_confidence(label + [0, 1.5], 0.7), xy)
    figures = eye_lines.summarise(tally)
    assert figures["distance_mean_crop_px"] == pytest.approx(1.5 * 160 / (1.75 * 60))
    assert figures["distance_mean_outer_corners_pct"] == pytest.approx(100 * 1.5 / 160)
    assert (figures["f_at_2px"], figures["f_at_4px"]) == (0, 1)


def test_presence_is_counted_and_undecided_eyes_are_left_out():
    xy = straight_eye()
    line = np.column_stack([np.linspace(155, 105, 20), np.full(20, 85.0)])
    tally = Tally()
    for state, confidence in ((PRESENT, 0.9), (PRESENT, 0.3), (ABSENT, 0.2), (ABSENT, 0.6), (UNDECIDED, 0.9)):
        points = line if state == PRESENT else line[:0]
        eye = LabelledEye("a", "b", "od", {"crease": state}, {"crease": points})
        eye_lines.add(tally, eye, "crease", with_confidence(line, confidence), xy)
    figures = eye_lines.summarise(tally)
    assert (figures["present"], figures["absent"], figures["undecided"]) == (2, 2, 1)
    assert figures["present_found_share"] == figures["absent_reported_absent_share"] == 0.5
    assert figures["presence_auc"] == 0.75


def test_another_face_is_not_the_labelled_one():
    xy = straight_eye()
    found = SimpleNamespace(face_found=True, face=with_confidence(xy, 1.0))
    elsewhere = SimpleNamespace(face_found=True, face=with_confidence(xy + [200, 0], 1.0))
    assert eye_lines.finds(found, xy, "od")
    assert not eye_lines.finds(elsewhere, xy, "od")
    assert not eye_lines.finds(SimpleNamespace(face_found=False), xy, "od")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a,b.jpg,od,1,0,,", "0 points of a crease"),
        ("a,b.jpg,od,0,0,1 2;3 4,", "2 points of a crease"),
        ("a,b.jpg,od,7,0,,", "crease_present is 7"),
        ("a,b.jpg,left,0,0,,", "the eye is left"),
        ("a,b.jpg,od,1,0,1 2;3,", "expected numbers"),
    ],
)
def test_a_damaged_table_gets_a_sentence(tmp_path, row, said):
    table = tmp_path / "lines.csv"
    table.write_text(",".join(eye_lines.COLUMNS) + f"\n{row}\n")
    with pytest.raises(Error, match=said):
        eye_lines.read_eye_lines(table)


def test_eval_eye_lines_prints_its_figures(shared, tmp_path, capsys):
    rows = (DATA / "eye_lines.csv").read_text().splitlines()
    table = tmp_path / "lines.csv"
    table.write_text("\n".join([rows[0], *rows[3:5]]) + "\n")
    folder = str(shared / "data" / "faces68")
    assert cli.main(["eval", "eye-lines", folder, "--labels", str(table)]) == 0
    assert "crease_distance_mean_crop_px" in capsys.readouterr().out
    assert cli.main(["eval", "eye-lines", folder, "--labels", str(tmp_path / "none.csv")]) == 2
