"""What an open mouth of the mask shows: teeth and tongue that follow skull and jaw, behind the lips."""

import shutil

import cv2
import numpy as np
import pytest

from dmask import _core
from dmask.environment import MODELS_DIR
from dmask.io import container

SIZE_PX, HFOV_DEG = 480, 8.0
HEAD_TO_CAMERA = np.diag([1.0, -1.0, -1.0])
HEAD_VERTICES = 11248  # of ICT-FaceKit; what lies in the mouth comes after them
SMILE = {f"{unit}_{side}": 0.7 for unit in ("mouthSmile", "mouthUpperUp") for side in "LR"}


class Mask:
    """Close up on the mouth of a face with the identity weights of `seed` (0: the mean face)."""

    def __init__(self, seed=0, models=MODELS_DIR):
        self.face = container.read(MODELS_DIR / "face.dmm")
        lid = container.read(MODELS_DIR / "eyelid.dmm")
        identity = np.random.default_rng(seed).normal(size=40) * (seed > 0)
        eyes = []
        for mirror, slope in ((-1, "centre_from_identity_od"), (1, "centre_from_identity")):
            centre = lid["centre_os"] * [mirror, 1, 1] + identity @ lid[slope][:40]
            eyes.append(_core.MaskEye(np.zeros(len(lid["shape"]), np.float32), centre.astype(np.float32)))
        subject = _core.MaskSubject(identity.astype(np.float32), *eyes, hfov_deg=HFOV_DEG)
        self.renderer = _core.MaskRenderer(subject, str(models))
        self.units = container.to_strings(self.face["unit_names"])
        self.motions = len(lid["motion"])

    def draw(self, units, yaw_deg=0.0, pitch_deg=0.0):
        """Picture, and the 68 landmarks in it."""
        rotation = _core.head_rotation(yaw_deg, pitch_deg, 0.0)
        turn = cv2.Rodrigues(HEAD_TO_CAMERA @ rotation)[0].ravel()
        place = np.array([0, 0, 900.0]) - rotation @ [0, -35 - 12 * units.get("jawOpen", 0), 90]
        eye = [1.0, 0.0, 0.0, *np.zeros(self.motions)]
        row = [1.0, *turn, *place, *(units.get(name, 0.0) for name in self.units), *eye, *eye]
        picture = self.renderer.render(np.array(row, np.float32), SIZE_PX, SIZE_PX)
        points = self.renderer.vertices()[self.face["landmarks68"]].astype(float)
        focal_px = 0.5 * SIZE_PX / np.tan(np.radians(HFOV_DEG / 2))
        return picture, focal_px * points[:, :2] / points[:, 2:] + 0.5 * (SIZE_PX - 1)


@pytest.fixture(scope="module")
def mask():
    return Mask()


def inside(polygon):
    area = np.zeros((SIZE_PX, SIZE_PX), np.uint8)
    cv2.fillPoly(area, [np.rint(polygon).astype(np.int32)], 1)
    return area > 0


def tooth(bgr):
    """Bright, and greyer than any skin."""
    bgr = bgr.astype(float)
    return (bgr.max(-1) > 110) & (bgr.max(-1) - bgr.min(-1) < 0.22 * bgr.max(-1))


def tongue(bgr):
    """A dull red that is neither the lips' nor the dark."""
    blue, green, red = np.moveaxis(bgr.astype(float), -1, 0)
    return (red > 45) & (red < 150) & (red - green > 0.25 * red) & (np.abs(blue - green) < 0.25 * red)


def test_a_shut_mouth_shows_no_tooth(mask):
    for yaw_deg, pitch_deg in ((0, 0), (30, 0), (-30, 0), (0, 20), (0, -20)):
        picture, points = mask.draw({}, yaw_deg, pitch_deg)
        lips = inside(points[48:60])
        assert lips.sum() > 2000 and not tooth(picture)[lips].any()


def test_lips_that_are_brought_together_show_no_tooth(mask):
    picture, points = mask.draw({"jawOpen": 0.3, "mouthClose": 0.3})
    assert not tooth(picture)[inside(points[48:60])].any()


def test_an_open_mouth_shows_teeth_and_tongue_and_is_no_black_hole(mask):
    picture, points = mask.draw({"jawOpen": 0.5})
    opening = inside(points[60:68])
    found = picture[opening]
    assert opening.sum() > 2000
    assert tooth(found).mean() > 0.015
    assert tongue(found).mean() > 0.4
    assert (found.max(-1) < 45).mean() < 0.4


def test_a_smile_shows_a_row_of_teeth(mask):
    picture, points = mask.draw(SMILE | {"jawOpen": 0.2})
    assert tooth(picture)[inside(points[60:68])].mean() > 0.4


@pytest.fixture(scope="module")
def green_models(tmp_path_factory):
    """The models with everything in the mouth painted green, so that it is told from skin."""
    folder = tmp_path_factory.mktemp("green") / "models"
    shutil.copytree(MODELS_DIR, folder)
    face = dict(container.read(MODELS_DIR / "face.dmm"))
    face["albedo"] = face["albedo"].copy()
    face["albedo"][HEAD_VERTICES:] = [0, 1, 0]
    container.write(folder / "face.dmm", face)
    return folder


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("yaw_deg", [-70, -35, 0, 35, 70])
def test_the_mouth_shows_between_the_lips_only_from_every_side(green_models, seed, yaw_deg):
    mask = Mask(seed, green_models)
    for pitch_deg in (-25, 0, 25):
        for units in ({"jawOpen": 0.5}, {"jawOpen": 0.3} | SMILE, {"jawOpen": 0.4, "mouthPucker": 0.6}):
            picture, points = mask.draw(units, yaw_deg, pitch_deg)
            mouth = picture[..., 1] > picture[..., 2].astype(int) + 30
            lips = inside(cv2.convexHull(points[48:68].astype(np.float32))[:, 0]).astype(np.uint8)
            # The opening reaches a little beyond the landmarks of its corners.
            beyond = mouth & (cv2.dilate(lips, np.ones((21, 21))) == 0)
            assert mouth.sum() > 100
            assert not beyond.any()


def test_upper_teeth_stay_with_the_skull_and_lower_ones_go_with_the_jaw(mask):
    q, step = mask.face["unit_q"], mask.face["unit_step"]
    row = mask.units.index("jawOpen")
    moved_mm = (q[row, HEAD_VERTICES:] * step[row])[:, 1]
    bright = mask.face["albedo"][HEAD_VERTICES:].min(axis=1) > 0.5  # teeth
    height = mask.face["mean"][HEAD_VERTICES:, 1]
    upper, lower = bright & (moved_mm == 0), bright & (moved_mm < -10)
    assert upper.sum() > 40 and lower.sum() > 20 and (upper | lower).sum() == bright.sum()
    assert height[upper].mean() > height[lower].mean() + 5
    for name in ("mouthSmile_L", "mouthUpperUp_R", "mouthPucker", "cheekPuff_L"):
        unit = mask.units.index(name)
        assert np.abs(q[unit, HEAD_VERTICES:][bright] * step[unit]).max() < 0.05


def test_the_mouth_takes_no_landmark_and_no_contour_point(mask):
    assert max(mask.face["landmarks68"].max(), mask.face["contour_rows"].max()) < HEAD_VERTICES
    assert len(mask.face["mean"]) - HEAD_VERTICES < 700  # it is drawn with every face
