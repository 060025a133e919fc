"""`dmask eval closeups`: visible globes are read to parts of a pixel, and errors have their sign."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from dmask import cli
from dmask.errors import Error, WrongUse
from dmask.evaluate import closeups
from dmask.evaluate.single_eye import EyePoints
from dmask.io import globe_masks
from dmask.io.globe_masks import MaskedEye
from dmask.synthetic.patient import Pose, SyntheticPatient

INNER, OUTER = np.array([40.0, 90.0]), np.array([160.0, 90.0])
S = np.linspace(0, 1, 11)
UPPER, LOWER = 30.0, 18.0  # px above and below the canthal line at its middle
IRIS, RADIUS = np.array([100.0, 86.0]), 22.0


def lid_points(outside_px: float = 0.0) -> np.ndarray:
    """(20,2): parabolas through the canthi, `outside_px` farther from each other than the mask's."""
    hump = 4 * S * (1 - S)
    x = INNER[0] + S * (OUTER[0] - INNER[0])
    upper = np.column_stack([x, INNER[1] - UPPER * hump - outside_px * (hump > 0)])
    lower = np.column_stack([x, INNER[1] + LOWER * hump + outside_px * (hump > 0)])
    return np.vstack([upper, lower[9:0:-1]])


def ring() -> np.ndarray:
    angle = np.radians(20 * np.arange(18))[:, None]
    return np.vstack([IRIS, IRIS + RADIUS * np.hstack([np.sin(angle), -np.cos(angle)])])


def fine_mask(draw) -> np.ndarray:
    """(160,200) 0 or 255, of what is drawn 16 times as fine."""
    fine = np.zeros((160 * 16, 200 * 16), np.uint8)
    draw(fine)
    return np.where(cv2.resize(fine, (200, 160), interpolation=cv2.INTER_AREA) > 127, 255, 0).astype(np.uint8)


def on_fine(xy: np.ndarray) -> np.ndarray:
    return np.rint((xy + 0.5) * 16 - 0.5).astype(np.int32)


@pytest.fixture(scope="module")
def eye() -> MaskedEye:
    t = np.linspace(0, 1, 400)
    hump = 4 * t * (1 - t)
    x = INNER[0] + t * (OUTER[0] - INNER[0])
    outline = np.vstack(
        [np.column_stack([x, INNER[1] - UPPER * hump]), np.column_stack([x, INNER[1] + LOWER * hump])[::-1]]
    )
    globe = fine_mask(lambda fine: cv2.fillPoly(fine, [on_fine(outline)], 255))
    disc = fine_mask(lambda fine: cv2.circle(fine, tuple(on_fine(IRIS).tolist()), int(RADIUS * 16), 255, -1))
    picture = np.full((160, 200, 3), 128, np.uint8)
    return MaskedEye("made", picture, globe, np.minimum(globe, disc), right=False)


def points(outside_px: float = 0.0) -> EyePoints:
    return EyePoints(lid_points(outside_px), ring(), np.ones(20), np.ones(19))


def test_borders_are_read_to_parts_of_a_pixel(eye):
    columns = np.array([70.0, 100.0, 130.5])
    share = (columns - INNER[0]) / (OUTER[0] - INNER[0])
    upper, lower = globe_masks.margins_in(eye.globe, columns)
    assert upper == pytest.approx(INNER[1] - UPPER * 4 * share * (1 - share), abs=0.6)
    assert lower == pytest.approx(INNER[1] + LOWER * 4 * share * (1 - share), abs=0.6)
    assert np.isnan(globe_masks.margins_in(eye.globe, np.array([-3.0, 5.0, 500.0]))).all()


def test_a_border_on_the_pictures_edge_is_none(eye):
    cut = np.roll(eye.globe, -62, 0)
    cut[-62:] = 0
    upper, lower = globe_masks.margins_in(cut, np.array([100.0]))
    assert np.isnan([upper, lower]).all()


def test_the_limbus_is_found_where_it_meets_sclera(eye):
    limbus = globe_masks.limbus_of(eye)
    assert limbus is not None
    assert limbus.centre == pytest.approx(IRIS, abs=0.5)
    assert np.linalg.norm(limbus.long) == pytest.approx(RADIUS, abs=0.6)
    assert np.allclose(np.linalg.norm(limbus.ring(36) - IRIS, axis=1), RADIUS, atol=1.0)


def test_an_iris_that_lids_hide_has_no_limbus(eye):
    hidden = eye.disc.copy()
    hidden[: int(IRIS[1]) + 18] = 0
    assert globe_masks.limbus_of(MaskedEye("hidden", eye.picture, eye.globe, hidden, False)) is None


def test_the_inner_canthus_of_a_right_eye_is_looked_for_on_the_right(eye):
    left = globe_masks.rough_canthi(eye)
    flipped = MaskedEye("flipped", eye.picture[:, ::-1], eye.globe[:, ::-1], eye.disc[:, ::-1], right=True)
    width = eye.globe.shape[1]
    assert globe_masks.rough_canthi(flipped) == pytest.approx(left * [-1, 1] + [width - 1, 0], abs=1e-6)
    assert left[0, 0] < INNER[0] and left[1, 0] > OUTER[0]  # a mask shows neither to its end
    assert INNER[0] - left[0, 0] > 2 * (left[1, 0] - OUTER[0])


def test_points_on_the_border_have_no_error(eye):
    score = closeups.compare(eye, points())
    assert np.nanmax(np.abs([score.upper, score.lower])) < 0.02
    assert abs(score.fissure) < 0.015 and score.overlap > 0.94 and score.seen
    assert score.iris_centre < 0.003 and abs(score.iris_radius) < 0.03


@pytest.mark.parametrize("outside_px", [3.0, -3.0])
def test_errors_outside_of_the_globe_are_positive(eye, outside_px):
    right, wrong = closeups.compare(eye, points()), closeups.compare(eye, points(outside_px))
    for side in ("upper", "lower"):
        moved = np.nanmedian(getattr(wrong, side) - getattr(right, side))
        assert moved == pytest.approx(outside_px / 120, abs=0.004)
    assert wrong.fissure - right.fissure == pytest.approx(2 * outside_px / 120, abs=0.004)
    assert wrong.overlap < right.overlap


def test_figures_are_of_the_eyes_that_are_told(eye):
    blind = MaskedEye("no iris", eye.picture, eye.globe, np.zeros_like(eye.disc), False)
    scores = [closeups.compare(eye, points(1.0)), closeups.compare(blind, points(1.0))]
    figures = closeups.summarise(scores)
    assert figures["eyes"] == 2 and figures["irises"] == 1
    assert figures["upper_mm_bias"] == pytest.approx(28.5 / 120, abs=0.05)
    assert all(np.isfinite(value) for value in figures.values())


def write_closeups(folder: Path) -> None:
    """Both eyes of two rendered patients, with the mesh's opening and the iris' disc as masks."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for seed in (5, 6):
        patient = SyntheticPatient(seed, (900, 900))
        pose = Pose(od_yaw_deg=5, os_yaw_deg=5)
        frame, _ = patient.render(pose)
        for name in ("od", "os"):
            mask = np.zeros(frame.shape[:2], np.uint8)
            disc = np.zeros_like(mask)
            cv2.fillPoly(mask, [np.rint(patient.lid_outline(name)).astype(np.int32)], 1)
            iris = patient.in_picture(patient.limbus(name, pose), pose)
            cv2.fillPoly(disc, [np.rint(iris[1:]).astype(np.int32)], 1)
            mask[(mask > 0) & (disc > 0)] = 2
            x, y = np.rint(iris[0]).astype(int)
            part = np.s_[y - 90 : y + 90, x - 110 : x + 110]
            cv2.imwrite(str(folder / "images" / f"{seed}_{name}.png"), frame[part])
            cv2.imwrite(str(folder / "masks" / f"{seed}_{name}.png"), mask[part])


def test_the_nets_find_the_lids_of_close_ups_on_either_side(tmp_path, capsys):
    folder, report, sheet = tmp_path / "eyes", tmp_path / "figures.json", tmp_path / "worst.png"
    write_closeups(folder)
    arguments = ["eval", "closeups", str(folder), "--json", str(report), "--sheet", str(sheet)]
    assert cli.main(arguments) == 0
    assert "upper_mm_median" in capsys.readouterr().out
    figures = json.loads(report.read_text())
    assert figures["eyes"] == 4 and figures["seen_pct"] == 100
    assert figures["upper_mm_median"] < 0.6 and figures["lower_mm_median"] < 0.6
    assert figures["iris_centre_pct_median"] < 2
    assert cv2.imread(str(sheet)).shape[1] == 4 * closeups.TILE_PX


def test_a_mask_that_tells_no_border_is_counted_and_a_name_need_not_be_utf_8(eye):
    dots = np.zeros_like(eye.globe)
    dots[20, 20], dots[150, 190] = 255, 255
    bare = MaskedEye("\udcff", eye.picture, dots, np.zeros_like(dots), False)
    scores = [closeups.compare(bare, points()), closeups.compare(eye, points())]
    assert closeups.summarise(scores)["borders_not_told"] == 1
    assert closeups.contact_sheet(scores, 2).shape[1] == 2 * closeups.TILE_PX


def test_nets_that_are_not_there_are_named(tmp_path, capsys):
    write_closeups(tmp_path / "eyes")
    assert cli.main(["eval", "closeups", str(tmp_path / "eyes"), "--models", str(tmp_path)]) == 2
    assert "without eyelid.onnx" in capsys.readouterr().err
    both = ["--sheet", str(tmp_path / "same"), "--json", str(tmp_path / "same")]
    assert cli.main(["eval", "closeups", str(tmp_path / "eyes"), *both]) == 2
    assert "for two outputs" in capsys.readouterr().err


def test_wrong_folders_and_files_are_named(tmp_path, capsys):
    with pytest.raises(WrongUse, match="holds no .png"):
        globe_masks.find_masks(tmp_path)
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    mask = tmp_path / "masks" / "a.png"
    cv2.imwrite(str(mask), np.zeros((20, 30), np.uint8))
    with pytest.raises(Error, match="no picture"):
        globe_masks.read_mask(mask)
    cv2.imwrite(str(tmp_path / "images" / "a.jpg"), np.zeros((20, 31, 3), np.uint8))
    with pytest.raises(Error, match="30x20 px; expected its picture's 31x20"):
        globe_masks.read_mask(mask)
    cv2.imwrite(str(mask), np.zeros((20, 31, 3), np.uint8))
    with pytest.raises(Error, match="8-bit grey"):
        globe_masks.read_mask(mask)
    cv2.imwrite(str(mask), np.zeros((20, 31), np.uint8))
    assert cli.main(["eval", "closeups", str(tmp_path)]) == 1
    assert "expected open eyes" in capsys.readouterr().err


def test_masks_are_found_however_their_names_end(tmp_path):
    folder = tmp_path / "masks"
    folder.mkdir()
    for name in ("b.PNG", "a.png", ".hidden.png", "notes.txt"):
        (folder / name).write_bytes(b"")
    assert [file.name for file in globe_masks.find_masks(tmp_path)] == ["a.png", "b.PNG"]
