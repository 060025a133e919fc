"""What training lays over eyes and faces: hidden points are those under it; dark frames are brightened."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy", reason="training needs scipy: pip install '.[train]'")

from dmask.crops import DARK_LUMA, MOST_GAIN, exposure_gain  # noqa: E402
from dmask.train.data import augment, covers  # noqa: E402

DONOR = np.full((192, 240, 3), 200, np.uint8)


def an_eye() -> np.ndarray:
    """Lid (20), iris (19) and one line (20) in a crop of 160 x 128 px."""
    t = np.linspace(0, np.pi, 11)
    upper = np.stack([80 - 45 * np.cos(t), 64 - 18 * np.sin(t)], 1)
    lower = np.stack([80 - 45 * np.cos(t), 64 + 12 * np.sin(t)], 1)[9:0:-1]
    a = np.deg2rad(20 * np.arange(18) - 90)
    limbus = np.stack([80 + 16 * np.cos(a), 62 + 16 * np.sin(a)], 1)
    return np.vstack([upper, lower, [[80, 62]], limbus, upper, upper[:9]]).astype(np.float32)


def a_face() -> np.ndarray:
    """(68,2) a rough face in a crop of 128 x 128 px."""
    xy = np.zeros((68, 2), np.float32)
    t = np.linspace(np.pi, 0, 17)
    xy[:17] = np.stack([64 + 45 * np.cos(t), 55 + 55 * np.sin(t)], 1)
    xy[17:27] = np.stack([np.linspace(28, 100, 10), np.full(10, 34)], 1)
    xy[27:31] = np.stack([np.full(4, 64), np.linspace(46, 68, 4)], 1)
    xy[31:36] = np.stack([np.linspace(56, 72, 5), np.full(5, 73)], 1)
    xy[36:42] = [[34, 46], [40, 43], [46, 43], [52, 46], [46, 49], [40, 49]]
    xy[42:48] = xy[36:42] * [-1, 1] + [128, 0]
    xy[48:] = np.stack([np.linspace(48, 80, 20), np.full(20, 88)], 1)
    return xy


def test_the_points_under_a_cover_are_the_hidden_ones():
    image, xy = np.full((128, 160, 3), 101, np.uint8), an_eye()
    ij = np.rint(xy).astype(int)
    right = whole = half = beside = 0
    for seed in range(150):
        out, hidden = covers.cover_eye(image, xy, np.random.default_rng(seed), DONOR)
        assert out.dtype == np.uint8 and out.shape == image.shape and hidden.shape == (len(xy),)
        unchanged = (out[ij[:, 1], ij[:, 0]] == 101).all(1)
        right += (~hidden | ~unchanged).mean()  # what is hidden does not look as before
        whole += hidden[:39].all()
        half += hidden[:39].any() and not hidden[:39].all()
        beside += not hidden.any()
    assert right / 150 > 0.97  # a cover may have the picture's own grey
    assert whole > 40 and half > 15 and beside > 10


def test_dark_covers_are_among_them():
    image, xy = np.full((128, 160, 3), 120, np.uint8), an_eye()
    levels = []
    for seed in range(200):
        out, hidden = covers.cover_eye(image, xy, np.random.default_rng(seed), DONOR)
        if hidden[20]:
            levels.append(out[62, 80].mean())
    assert np.mean(np.array(levels) < 25) > 0.15 and np.mean(np.array(levels) > 150) > 0.1


def test_a_shadow_hides_nothing_and_only_darkens():
    image = np.full((128, 160, 3), 120, np.uint8)
    for seed in range(20):
        out = covers.shade_eye(image, an_eye()[:39], 90, np.random.default_rng(seed))
        assert (out <= 120).all() and out.min() >= 0.15 * 120


def test_a_covering_of_the_lower_face_leaves_the_eyes_free():
    rng = np.random.default_rng(1)
    for _ in range(40):
        outline = covers.face_covering(a_face(), rng)
        mask = np.zeros((400, 400), np.uint8)
        covers.cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], 1)
        x, y = np.rint(a_face()).astype(int).T
        assert mask[y[48:], x[48:]].all()  # the mouth
        assert not mask[y[17:27], x[17:27]].any() and not mask[y[36:48], x[36:48]].any()


def test_a_covered_face_keeps_a_quarter_of_its_points():
    image = np.full((128, 128, 3), 90, np.uint8)
    donor = np.full((208, 208, 3), 200, np.uint8)
    hidden = [covers.cover_face(image, a_face(), np.random.default_rng(k), donor)[1] for k in range(60)]
    assert max(h.mean() for h in hidden) <= 0.75
    assert np.mean([h[48:68].all() for h in hidden]) > 0.25


def test_dim_pictures_are_dark_and_noisy():
    image = np.full((128, 160, 3), 150, np.uint8)
    for seed in range(20):
        out = augment.dim(image, np.random.default_rng(seed))
        assert out.dtype == np.uint8 and out.shape == image.shape and out.mean() < 0.55 * 150


@pytest.mark.parametrize(
    ("luma", "gain"),
    [(200, 1), (DARK_LUMA, 1), (DARK_LUMA / 4, 4), (0.5, MOST_GAIN), (0, MOST_GAIN)],
)
def test_the_gain_is_one_in_usual_light_and_has_an_end(luma, gain):
    assert exposure_gain(luma) == pytest.approx(gain)


def test_usual_light_stays_to_the_byte_and_dark_light_reaches_the_level():
    rng = np.random.default_rng(0)
    usual = rng.integers(20, 120, (32, 32, 3), dtype=np.uint8)
    assert augment.brighten(usual) is usual
    dark = rng.integers(5, 12, (32, 32, 3), dtype=np.uint8)
    assert augment.brighten(dark).mean() == pytest.approx(DARK_LUMA, abs=0.6)
    assert augment.brighten(dark, mean_luma=100) is dark  # the face around is light
