"""`dmask eval landmarks`: known shifts give known errors, a missing face fails, bad files get a sentence."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import background

from dmask import cli
from dmask.evaluate import error_curve, landmarks
from dmask.io import labelled

HEADER = ["image", *labelled.POINT_COLUMNS]


def detected_points(picture: Path, out: Path) -> tuple[np.ndarray, dict[str, str]]:
    """(68,2) points that `dmask detect` writes, and its whole row."""
    assert cli.main(["detect", str(picture), "-o", str(out), "--precision", "f32", "--overwrite"]) == 0
    with out.open(newline="") as file:
        row = next(csv.DictReader(file))
    return np.array([[float(row[f"face_{i}_{axis}"]) for axis in "xy"] for i in range(68)]), row


def write_table(path: Path, rows: list[tuple[str, np.ndarray]], more: dict[str, list] | None = None) -> Path:
    more = more or {}
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*HEADER, *more])
        for k, (name, xy) in enumerate(rows):
            writer.writerow(
                [name, *(f"{v:.3f}" for v in xy.ravel()), *(column[k] for column in more.values())]
            )
    return path


def write_pts(path: Path, xy: np.ndarray) -> None:
    lines = "\n".join(f"{x:.3f} {y:.3f}" for x, y in xy)
    path.write_text(f"version: 1\nn_points: {len(xy)}\n{{\n{lines}\n}}\n")


def evaluate(folder: Path, *arguments: str) -> dict:
    report = folder.parent / "figures.json"
    command = ["eval", "landmarks", str(folder), "--precision", "f32", "--json", str(report)]
    assert cli.main([*command, *arguments]) == 0
    return json.loads(report.read_text())


@pytest.fixture
def face(tmp_path, patient_frames):
    """A folder with one rendered face, and where the detector sees its points."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), patient_frames[0])
    xy, row = detected_points(folder / "a.png", tmp_path / "landmarks.csv")
    return folder, xy, row


def outer(xy: np.ndarray) -> float:
    return float(np.linalg.norm(xy[36] - xy[45]))


def test_labels_where_detect_sees_the_points_have_no_error(face):
    folder, xy, _ = face
    write_table(folder / "landmarks68.csv", [("a.png", xy)])
    figures = evaluate(folder)
    assert figures["nme_pct"] < 0.01 and figures["auc_at_0.1"] > 0.999
    assert figures["pictures"] == 1 and figures["failures_over_10pct_pct"] == 0


def test_a_known_shift_is_the_error_of_its_group_only(face):
    folder, xy, _ = face
    moved = xy.copy()
    moved[48:68] += [3, 4]
    write_table(folder / "landmarks68.csv", [("a.png", moved)])
    figures = evaluate(folder)
    expected = 100 * 5 / outer(xy)
    assert figures["nme_mouth_pct"] == pytest.approx(expected, rel=1e-3)
    assert figures["nme_pct"] == pytest.approx(expected * 20 / 68, rel=1e-2)
    assert figures["nme_jaw_pct"] < 0.01


def test_pts_files_count_pixels_from_one(face):
    folder, xy, _ = face
    write_pts(folder / "a.pts", xy + 1)
    assert evaluate(folder)["nme_pct"] < 0.01


def test_a_missing_face_is_a_failure_and_left_out_of_the_mean(face):
    folder, xy, _ = face
    cv2.imwrite(str(folder / "b.png"), background(360, 360))
    write_table(folder / "landmarks68.csv", [("a.png", xy), ("b.png", xy)])
    figures = evaluate(folder)
    assert figures["face_not_found"] == 1 and figures["nme_pct"] < 0.01
    assert figures["failures_over_10pct_pct"] == 50
    assert figures["auc_at_0.1"] == pytest.approx(0.5, abs=1e-3)


def test_of_several_labelled_faces_the_detected_one_counts(face):
    folder, xy, _ = face
    write_table(folder / "landmarks68.csv", [("a.png", xy + 40), ("a.png", xy)])
    figures = evaluate(folder)
    assert figures["labelled_faces"] == 2 and figures["pictures"] == 1 and figures["nme_pct"] < 0.01


def test_a_face_that_is_not_labelled_counts_as_another(face):
    folder, xy, _ = face
    write_table(folder / "landmarks68.csv", [("a.png", xy + 1000)])
    figures = evaluate(folder)
    assert figures["another_face_found"] == 1 and figures["failures_over_10pct_pct"] == 100
    assert "nme_pct" not in figures


def test_iris_columns_are_compared_where_they_are_there(face):
    folder, xy, row = face
    iris = {f"od_iris_0_{axis}": [float(row[f"od_iris_0_{axis}"]) + 3 * (axis == "x")] for axis in "xy"}
    write_table(folder / "landmarks68.csv", [("a.png", xy)], iris)
    figures = evaluate(folder)
    assert figures["iris_centre_pct"] == pytest.approx(100 * 3 / outer(xy), rel=1e-2)
    assert "limbus_pct" not in figures


def test_tags_give_figures_of_their_pictures(face, tmp_path):
    folder, xy, _ = face
    (folder / "b.png").write_bytes((folder / "a.png").read_bytes())
    write_table(folder / "landmarks68.csv", [("a.png", xy), ("b.png", xy + [0.03 * outer(xy), 0])])
    (tmp_path / "tags.csv").write_text("image,glasses,pose\na.png,no,side\nb.png,yes,\n")
    figures = evaluate(folder, "--groups", str(tmp_path / "tags.csv"))
    assert figures["glasses=no: nme_pct"] < 0.01
    assert figures["glasses=yes: nme_pct"] == pytest.approx(3, rel=1e-2)
    assert figures["pose=side: pictures"] == 1


def test_plot_and_sheet_are_written_where_asked_and_only_there(face, tmp_path):
    folder, xy, _ = face
    write_table(folder / "landmarks68.csv", [("a.png", xy)])
    before = sorted(folder.iterdir())
    evaluate(folder, "--plot", str(tmp_path / "curve.png"), "--sheet", str(tmp_path / "sheet.png"))
    assert cv2.imread(str(tmp_path / "curve.png")).shape == (480, 640, 3)
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet.shape == (landmarks.TILE_PX, landmarks.TILE_PX, 3)
    assert sorted(folder.iterdir()) == before


def test_the_area_is_that_under_the_curve():
    assert error_curve.area_under_curve(np.array([0.0, 0.05, 0.1, np.inf])) == pytest.approx(0.375)


def test_the_curve_rises_at_the_errors():
    plot = error_curve.draw(np.full(4, 0.05), 0.1, "x", "y")
    blue = (np.abs(plot.astype(int) - error_curve.CURVE).sum(2) < 40)[: error_curve.HEIGHT_PX - 100]
    columns = np.flatnonzero(blue.any(0))
    middle = error_curve.LEFT + (error_curve.WIDTH_PX - error_curve.LEFT - error_curve.RIGHT) / 2
    assert columns.min() == pytest.approx(middle, abs=2)


def test_a_cubic_margin_is_drawn_through_its_points_however_the_head_is_turned():
    x = np.linspace(0, 100, 11)
    margin = np.column_stack([x, 1e-4 * x * (x - 100) * (x - 300) * 0.1])
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    margin = margin @ turn.T + [30, 40]
    assert landmarks.distance_to_polyline(margin, landmarks.cubic(margin)).max() < 0.02


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("image,x0\na.png,1\n", "has no column y0"),
        (",".join(HEADER) + "\na.png" + ",1" * 135 + ",one\n", "line 2"),
        (",".join(HEADER) + "\na.png" + ",1" * 135 + "\n", "line 2"),
        (",".join(HEADER) + "\nz.png" + ",1" * 136 + "\n", "z.png"),
        (",".join(HEADER) + "\n", "no rows"),
    ],
)
def test_a_bad_table_is_one_sentence(face, capsys, text, expected):
    folder, _, _ = face
    (folder / "landmarks68.csv").write_text(text)
    assert cli.main(["eval", "landmarks", str(folder)]) == 1
    error = capsys.readouterr().err
    assert expected in error and error.count("\n") == 1


def test_damaged_points_are_one_sentence(face, capsys):
    folder, xy, _ = face
    write_pts(folder / "a.pts", xy[:51])
    assert cli.main(["eval", "landmarks", str(folder)]) == 1
    assert "51 points" in capsys.readouterr().err
    (folder / "a.pts").write_text("version: 1\n")
    assert cli.main(["eval", "landmarks", str(folder)]) == 1
    assert "between braces" in capsys.readouterr().err


def test_a_folder_without_labels_says_what_to_give(face, capsys):
    folder, _, _ = face
    assert cli.main(["eval", "landmarks", str(folder)]) == 2
    assert "--labels" in capsys.readouterr().err


def test_the_shipped_net_on_held_out_people(shared, tmp_path):
    report = tmp_path / "figures.json"
    faces = str(shared / "data" / "faces68")
    assert cli.main(["eval", "landmarks", faces, "--held-out", "--json", str(report)]) == 0
    figures = json.loads(report.read_text())
    assert figures["pictures"] == 124 and figures["failures_over_10pct_pct"] < 2
    assert figures["nme_pct"] < 4.0 and figures["lid_polyline_pct"] < 0.9
