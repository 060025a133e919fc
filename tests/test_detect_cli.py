"""`dmask detect`: one row a frame, one x, y and confidence a point."""

import csv
import re

import cv2
import numpy as np
from conftest import background, write_video

from dmask import cli
from dmask.io.tables import LANDMARK_COLUMNS

POINTS = [f"face_{i}" for i in range(68)]
for eye in ("od", "os"):
    POINTS += [f"{eye}_lid_{i}" for i in range(20)] + [f"{eye}_iris_{i}" for i in range(19)]
    POINTS += [f"{eye}_pupil_{i}" for i in range(19)] + [f"{eye}_globe_{i}" for i in range(40)]
    POINTS += [f"{eye}_{line}_{i}" for line in ("crease", "upper", "lower", "bulge") for i in range(20)]
HEADER = ["image", "frame", "time_s", "face_score"] + [f"{point}_{f}" for point in POINTS for f in "xyc"]
HEADER.append("laterality")
OF_FACES = [point for point in POINTS if "_pupil_" not in point and "_globe_" not in point]


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_columns_and_rows_of_a_video(tmp_path, patient_video, patient_frames):
    out = tmp_path / "landmarks.csv"
    assert cli.main(["detect", str(patient_video), "-o", str(out)]) == 0
    rows = rows_of(out)
    assert list(rows[0]) == HEADER == list(LANDMARK_COLUMNS)
    assert [int(row["frame"]) for row in rows] == list(range(len(patient_frames)))
    assert {row["image"] for row in rows} == {"patient-7.mp4"}
    height, width = patient_frames[0].shape[:2]
    for row in rows:
        x = np.array([float(row[f"{point}_x"]) for point in OF_FACES])
        y = np.array([float(row[f"{point}_y"]) for point in OF_FACES])
        confidence = np.array([float(row[f"{point}_c"]) for point in OF_FACES])
        assert row["od_pupil_0_x"] == row["os_globe_39_c"] == row["laterality"] == ""
        assert (x > 0).all() and (x < width).all() and (y > 0).all() and (y < height).all()
        assert (confidence >= 0).all() and (confidence <= 1).all()


def test_no_face_gives_empty_cells(tmp_path):
    out = tmp_path / "landmarks.csv"
    assert (
        cli.main(["detect", str(write_video(tmp_path / "in.mp4", [background()] * 2)), "-o", str(out)]) == 0
    )
    rows = rows_of(out)
    assert len(rows) == 2
    for row in rows:
        assert all(row[name] == "" for name in HEADER[3:])


def test_a_folder_of_pictures_gives_a_row_each(tmp_path, patient_frames):
    source = tmp_path / "in"
    source.mkdir()
    for name in ("a.png", "b.jpg"):
        cv2.imwrite(str(source / name), patient_frames[0])
    out = tmp_path / "landmarks.csv"
    assert cli.main(["detect", str(source), "-o", str(out)]) == 0
    assert [(row["image"], row["frame"]) for row in rows_of(out)] == [("a.png", "0"), ("b.jpg", "0")]


def test_anonymous_ids_keep_the_names_out_of_the_table(tmp_path, patient_frames):
    source = tmp_path / "in"
    source.mkdir()
    for number, name in enumerate(("jane.png", "john.png")):
        cv2.imwrite(str(source / name), patient_frames[number])
    out = tmp_path / "landmarks.csv"
    assert cli.main(["detect", str(source), "-o", str(out), "--anonymous-ids"]) == 0
    names = [row["image"] for row in rows_of(out)]
    assert len(set(names)) == 2 and all(re.fullmatch("[a-z2-7]{12}", name) for name in names)
    one = tmp_path / "one.csv"
    assert cli.main(["detect", str(source / "john.png"), "-o", str(one), "--anonymous-ids"]) == 0
    assert rows_of(one)[0]["image"] in names


def test_an_existing_table_needs_overwrite(tmp_path, patient_video, capsys):
    out = tmp_path / "landmarks.csv"
    out.write_text("old")
    assert cli.main(["detect", str(patient_video), "-o", str(out)]) == 2
    assert out.read_text() == "old" and "--overwrite" in capsys.readouterr().err


def points_of(path):
    return np.array([[float(row[f"face_{i}_{c}"]) for i in range(68) for c in "xy"] for row in rows_of(path)])


def test_open_weights_are_other_nets_that_see_the_same_face(tmp_path, patient_frames):
    cv2.imwrite(str(tmp_path / "in.png"), patient_frames[0])
    found = {}
    for weights in ("research", "open"):
        out = tmp_path / f"{weights}.csv"
        assert cli.main(["detect", str(tmp_path / "in.png"), "-o", str(out), "--weights", weights]) == 0
        found[weights] = points_of(out)[0].reshape(68, 2)
    apart = np.linalg.norm(found["research"] - found["open"], axis=1)
    corners = np.linalg.norm(found["research"][36] - found["research"][45])
    assert 0 < np.median(apart) < 0.15 * corners


def test_models_of_another_folder_are_used(tmp_path, patient_frames, capsys):
    import shutil

    from dmask.environment import MODELS_DIR

    cv2.imwrite(str(tmp_path / "in.png"), patient_frames[0])
    command = ["detect", str(tmp_path / "in.png"), "-o", str(tmp_path / "out.csv"), "--models"]
    assert cli.main([*command, str(tmp_path)]) == 2
    assert "expected a copy of the package's models" in capsys.readouterr().err
    models = shutil.copytree(MODELS_DIR, tmp_path / "models", ignore=shutil.ignore_patterns("*.py", "cards"))
    shutil.copy(models / "open" / "face68.onnx", models / "face68.onnx")
    assert cli.main([*command, str(models)]) == 0
    assert cli.main([*command[:3], str(tmp_path / "own.csv")]) == 0
    assert np.abs(points_of(tmp_path / "out.csv") - points_of(tmp_path / "own.csv")).max() > 0
