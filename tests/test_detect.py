"""The detectors on real faces: found, followed, mirrored, and given up."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from conftest import CHECKOUT, background

import dmask
from dmask import _core

YUNET = CHECKOUT / "third_party/yunet/face_detection_yunet_2023mar.onnx"
MODELS = Path(dmask.__file__).parent / "models"
MIRRORED_68 = np.array(
    [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1)]
    + [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    + [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
)


def detector(**options: object) -> _core.Detector:
    return _core.Detector(str(MODELS), face_detector_path=str(YUNET), precision="f32", **options)


def labelled_faces(shared: Path, name: str, every: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    folder = shared / "data/faces68" / name
    with (folder / "landmarks68.csv").open(newline="") as file:
        for row in list(csv.reader(file))[1::every]:
            yield cv2.imread(str(folder / "images" / row[0])), np.array(row[1:137], float).reshape(68, 2)


def on_canvas(image: np.ndarray, left: int = 200, top: int = 150) -> np.ndarray:
    canvas = np.full((image.shape[0] + 300, image.shape[1] + 400, 3), image.mean((0, 1)).astype(np.uint8))
    canvas[top : top + image.shape[0], left : left + image.shape[1]] = image
    return canvas


@pytest.fixture(scope="module")
def face(shared: Path) -> np.ndarray:
    """One frame with one frontal face, 512 x 512."""
    frame = next(av.open(str(shared / "data/clips/lp_d0.mp4")).decode(video=0))
    return frame.to_ndarray(format="bgr24")


def interocular(found: _core.FrameDetection) -> float:
    return float(np.hypot(*(found.face[45] - found.face[36])[:2]))


def test_the_face_detector_finds_labelled_faces(shared: Path) -> None:
    yunet = _core.YuNet(str(YUNET), precision="f32")
    number = found = 0
    for name in ("helen", "afw"):
        for image, points in labelled_faces(shared, name, every=12):
            points = points + (200, 150)
            middle, size = 0.5 * (points.min(0) + points.max(0)), np.ptp(points, axis=0).max()
            boxes = yunet.detect(on_canvas(image))
            centres = boxes[:, :2] + 0.5 * boxes[:, 2:4]
            number += 1
            found += bool((np.abs(centres - middle).max(1) < 0.25 * size).any())
    assert number > 90
    assert found / number >= 0.98


def test_landmarks_lie_on_labelled_faces(shared: Path) -> None:
    one, errors = detector(), []
    for image, points in labelled_faces(shared, "afw", every=12):
        one.reset()
        found = one.detect(on_canvas(image))
        if found.face_found:
            distance = np.hypot(*(found.face[:, :2] - points - (200, 150)).T).mean()
            errors.append(distance / np.hypot(*(points[45] - points[36])))
    assert len(errors) > 25
    assert np.median(errors) < 0.06


def test_a_moving_face_is_followed_without_the_face_detector(face: np.ndarray) -> None:
    one = detector(check_interval_frames=1000)
    still = one.detect(on_canvas(face, 100, 100), 0.0)
    looks = 0
    for step in range(1, 12):
        left, top = 100 + 9 * step, 100 + 5 * step
        found = one.detect(on_canvas(face, left, top), step / 30)
        assert found.face_found and one.track == 1
        looks += one.last_timings["face_detector"] > 0
        moved = found.face[:, :2] - still.face[:, :2] - (left - 100, top - 100)
        assert np.hypot(*moved.T).mean() < 0.02 * interocular(still)
    assert looks == 1  # a quarter of a second on: is anybody else there who may be the patient?


def test_a_mirrored_picture_exchanges_the_eyes(face: np.ndarray) -> None:
    straight = detector().detect(face)
    mirrored = detector().detect(np.ascontiguousarray(face[:, ::-1]))
    size, last = interocular(straight), face.shape[1] - 1

    def unmirrored(points: np.ndarray) -> np.ndarray:
        return np.column_stack([last - points[:, 0], points[:, 1]])

    def assert_same(a: np.ndarray, b: np.ndarray, tolerance: float) -> None:
        assert np.hypot(*(a[:, :2] - unmirrored(b)).T).mean() < tolerance * size

    assert_same(straight.face, mirrored.face[MIRRORED_68], 0.04)
    clockwise = [0, 1, *range(18, 1, -1)]
    for name, other in (("od", "os"), ("os", "od")):
        a, b = getattr(straight, name), getattr(mirrored, other)
        assert_same(a.lid, b.lid, 0.02)
        assert_same(a.iris, b.iris[clockwise], 0.02)
        assert_same(a.upper, b.upper, 0.04)
        assert_same(a.lower, b.lower, 0.04)
        assert a.upper[0, 0] > a.upper[-1, 0] if name == "od" else a.upper[0, 0] < a.upper[-1, 0]


def test_grey_bgra_and_strided_frames_give_the_same_points(face: np.ndarray) -> None:
    grey = cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)
    bgr = detector().detect(cv2.merge([grey] * 3)).face
    wide = np.zeros((face.shape[0], 2 * face.shape[1], 4), np.uint8)
    wide[:, ::2] = cv2.merge([grey] * 3 + [np.full_like(grey, 17)])
    for same in (grey, wide[:, ::2], np.ascontiguousarray(wide[:, ::2])[::-1][::-1]):
        np.testing.assert_allclose(detector().detect(same).face, bgr, atol=0.01, equal_nan=False)


def test_a_rolled_head_keeps_the_limbus_from_twelve_of_the_picture(face: np.ndarray) -> None:
    straight = detector().detect(face)
    turn = cv2.getRotationMatrix2D((255.5, 255.5), 25, 1)
    rolled = detector().detect(cv2.warpAffine(face, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE))
    assert rolled.face_found
    expected = straight.face[:, :2] @ turn[:, :2].T + turn[:, 2]
    assert np.hypot(*(rolled.face[:, :2] - expected).T).mean() < 0.04 * interocular(straight)
    for eye in (rolled.od, rolled.os):
        centre, twelve, three = eye.iris[0, :2], eye.iris[1, :2], eye.iris[5:7, :2].mean(0)
        up, right = twelve - centre, three - centre
        assert up[1] < 0 and abs(up[0]) < 0.35 * abs(up[1])
        assert right[0] > 0


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_a_lying_head_is_found(face: np.ndarray, quarter_turns: int) -> None:
    straight = detector().detect(face)
    found = detector().detect(np.rot90(face, quarter_turns))
    assert found.face_found
    turned = found.face[:, :2]
    for _ in range(quarter_turns):  # back
        turned = np.column_stack([511 - turned[:, 1], turned[:, 0]])
    assert np.hypot(*(turned - straight.face[:, :2]).T).mean() < 0.03 * interocular(straight)


def test_no_face_and_small_and_large_frames(face: np.ndarray) -> None:
    one = detector()
    for shape in ((16, 16, 3), (16, 400, 3), (1080, 1920, 3), (480, 640)):
        found = one.detect(np.full(shape, 90, np.uint8))
        assert not found.face_found and found.face_score == 0
        assert (found.width, found.height) == (shape[1], shape[0])
        assert not found.face.any() and not found.od.lid.any()
    large = np.full((4320, 7680, 3), 60, np.uint8)
    large[1000:2536, 3000:4536] = cv2.resize(face, (1536, 1536), interpolation=cv2.INTER_CUBIC)
    found, small = one.detect(large), detector().detect(face)
    assert found.face_found
    away = (found.face[:, :2] - (3000, 1000)) / 3 - small.face[:, :2]
    assert np.hypot(*away.T).mean() < 0.05 * interocular(small)


def test_the_face_is_given_up_when_it_goes_and_taken_up_again(face: np.ndarray) -> None:
    one = detector()
    assert one.detect(face, 0.0).face_found and one.track == 1
    assert not one.detect(background(512, 512), 0.04).face_found
    assert not one.detect(background(512, 512), 0.08).face_found
    again = one.detect(face, 0.12)
    assert again.face_found
    np.testing.assert_allclose(again.face, detector().detect(face).face, atol=0.01, equal_nan=False)


def test_a_cut_does_not_smear(face: np.ndarray) -> None:
    one = detector()
    canvas = np.full((1000, 1000, 3), 70, np.uint8)
    here, there = canvas.copy(), canvas.copy()
    here[:512, :512] = face
    there[450:962, 450:962] = face[:, ::-1]
    one.detect(here, 0.0)
    after = one.detect(there, 0.04)
    assert after.face_found
    np.testing.assert_allclose(after.face, detector().detect(there).face, atol=0.5, equal_nan=False)


def test_the_tracked_face_is_kept_when_a_larger_one_comes(face: np.ndarray) -> None:
    one = detector(check_interval_frames=2)
    frame = np.full((700, 1400, 3), 90, np.uint8)
    frame[300:600, 50:350] = cv2.resize(face, (300, 300), interpolation=cv2.INTER_AREA)
    first = one.detect(frame, 0.0)
    frame[100:612, 800:1312] = face
    for number in range(1, 8):
        found = one.detect(frame, number / 30)
    assert one.track == 1
    assert np.hypot(*(found.face - first.face)[:, :2].T).mean() < 0.03 * interocular(first)


def test_detections_can_be_made_by_hand() -> None:
    one = _core.FrameDetection()
    one.face = np.arange(204).reshape(68, 3)
    one.od.iris[3] = (1, 2, 0.5)
    one.os.crease = np.ones((20, 3))
    assert one.face[67, 2] == 203 and one.os.crease.all() and not one.od.crease.any()
    np.testing.assert_array_equal(one.od.iris[3], np.float32([1, 2, 0.5]))
    with pytest.raises(ValueError, match=r"lid has to be \(20, 3\)"):
        one.od.lid = np.zeros((19, 3))


def test_wrong_frames_are_named(face: np.ndarray) -> None:
    one = detector()
    with pytest.raises(ValueError, match="2 x 2 pixels, expected at least 16 x 16"):
        one.detect(np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(ValueError, match=r"got a frame of shape \(64, 64, 2\), expected uint8"):
        one.detect(np.zeros((64, 64, 2), np.uint8))


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot read the model .*face68.onnx"):
        _core.Detector(str(tmp_path), face_detector_path=str(YUNET))
