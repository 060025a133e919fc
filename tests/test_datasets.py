"""300W, WFLW, UnityEyes and drawn line maps: points arrive to the pixel, damaged files give one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")
pytest.importorskip("scipy", reason="training needs scipy: pip install '.[train]'")

from dmask.errors import Error, WrongUse  # noqa: E402
from dmask.train import measures  # noqa: E402
from dmask.train.data import datasets, eye_datasets, eyes, faces  # noqa: E402


def write_pts(path: Path, xy: np.ndarray) -> None:
    lines = "\n".join(f"{x:.4f} {y:.4f}" for x, y in xy)
    path.write_text(f"version: 1\nn_points:  {len(xy)}\n{{\n{lines}\n}}\n")


def blank(path: Path, width: int = 300, height: int = 200) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((height, width, 3), 90, np.uint8))
    return path


# ---- 300W


def test_300w_points_are_zero_based_pixels_of_the_picture_beside_them(tmp_path):
    xy = np.random.default_rng(0).uniform(20, 180, (2, 68, 2))
    for name, points, suffix in (("helen/a_1", xy[0], ".jpg"), ("ibug/b_1", xy[1], ".PNG")):
        blank((tmp_path / name).with_suffix(suffix))
        write_pts((tmp_path / name).with_suffix(".pts"), points + 1)
    people = datasets.read_300w(tmp_path)
    assert [path.name for path in people.paths] == ["a_1.jpg", "b_1.PNG"]
    assert np.abs(people.image_xy - xy).max() < 1e-3 and people.human.all()
    assert faces.cache(people)[0].shape[0] == 2


def test_300w_names_what_is_wrong(tmp_path):
    with pytest.raises(WrongUse, match="no .pts files"):
        datasets.read_300w(tmp_path)
    write_pts(tmp_path / "a.pts", np.zeros((68, 2)))
    with pytest.raises(Error, match="no picture beside it"):
        datasets.read_300w(tmp_path)
    blank(tmp_path / "a.png")
    write_pts(tmp_path / "a.pts", np.zeros((29, 2)))
    with pytest.raises(Error, match="29 points"):
        datasets.read_300w(tmp_path)


def test_people_of_the_validation_half_are_left_out():
    paths = [Path(f"{k}_1.jpg") for k in range(300)]
    kept = datasets.without_held_out(
        faces.Faces(paths, np.zeros((300, 68, 2), np.float32), np.ones(300, bool))
    )
    assert 240 < len(kept.paths) < 290
    assert not any(datasets.is_validation(path.name) for path in kept.paths)


# ---- WFLW


def lid_curve(left: np.ndarray, right: np.ndarray, height: float, at: np.ndarray) -> np.ndarray:
    """Points of a parabola `height` above (-: below) the line left -> right, at shares of its width."""
    return left + at[:, None] * (right - left) + np.column_stack([0 * at, -4 * height * at * (1 - at)])


def synthetic_layout() -> tuple[np.ndarray, np.ndarray]:
    """One face drawn by formula, as iBUG's 68 points and as WFLW's 98."""
    t = np.linspace(0, np.pi, 33)
    jaw = np.column_stack([100 - 80 * np.cos(t), 80 + 90 * np.sin(t)])
    third, quarter = np.array([1, 2]) / 3, np.array([1, 2, 3]) / 4
    brows68, brows98 = [], []
    for first, last in (((30, 60), (85, 55)), ((115, 55), (170, 60))):
        upper = lid_curve(np.array(first, float), np.array(last, float), 8, np.linspace(0, 1, 5))
        brows68.append(upper)
        brows98.append(np.vstack([upper, upper[:0:-1] + [0, 6]]))
    nose = np.column_stack([np.r_[np.full(4, 100), 85, 92, 100, 108, 115], np.r_[70:110:4j, np.full(5, 118)]])
    eyes68, eyes98 = [], []
    for first, last in (((40, 75), (75, 77)), ((125, 77), (160, 75))):
        a, b = np.array(first, float), np.array(last, float)
        for out, at in ((eyes68, third), (eyes98, quarter)):
            upper, lower = lid_curve(a, b, 7, at), lid_curve(a, b, -3, at)
            out.append(np.vstack([a, upper, b, lower[::-1]]))
    u = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    mouth = np.column_stack([100 - 30 * np.cos(u), 145 - 12 * np.sin(u)])
    inner = np.column_stack([100 - 22 * np.cos(u[:8] * 1.5), 145 - 5 * np.sin(u[:8] * 1.5)])
    pupils = np.array([[57.5, 76], [142.5, 76]])
    ibug = np.vstack([jaw[::2], *brows68, nose, *eyes68, mouth, inner])
    return ibug, np.vstack([jaw, *brows98, nose, *eyes98, mouth, inner, pupils])


def write_wflw(root: Path, lines: list[str]) -> None:
    folder = root / "WFLW_annotations" / "list_98pt_rect_attr_train_test"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / datasets.WFLW_LIST).write_text("\n".join(lines) + "\n")


def wflw_line(xy: np.ndarray, name: str) -> str:
    return " ".join([*(f"{v:.6f}" for v in xy.ravel()), "20 20 180 180", "0 0 1 0 0 0", name])


def test_wflw_comes_in_ibugs_order_and_places(tmp_path):
    ibug, wflw = synthetic_layout()
    assert ibug.shape == (68, 2) and wflw.shape == (98, 2)
    name = "0--Parade/0_Parade_marchingband_1_5.jpg"
    blank(tmp_path / "WFLW_images" / name)
    write_wflw(tmp_path, [wflw_line(wflw, name), wflw_line(wflw + 7, name)])
    people = datasets.read_wflw(tmp_path)
    assert [path.name for path in people.paths] == [Path(name).name] * 2
    assert np.abs(people.image_xy[0] - ibug).max() < 1e-3
    assert np.abs(people.image_xy[1] - ibug - 7).max() < 1e-3


def test_the_wflw_map_keeps_its_order_in_the_mirror():
    ibug, wflw = synthetic_layout()
    table = datasets.wflw_to_68()
    assert np.allclose(table.sum(1), 1)
    mirrored = (table @ (wflw * [-1, 1] + [200, 0]))[faces.MIRROR_68] * [-1, 1] + [200, 0]
    swapped = table @ wflw
    # The layout is its own mirror image, so a swapped pair would show.
    assert np.abs(mirrored[[36, 37, 38, 41]] - swapped[[36, 37, 38, 41]]).max() > 1
    assert np.abs((table @ wflw)[faces.MIRROR_68] * [-1, 1] + [200, 0] - ibug).max() < 1e-9


def test_both_face_sets_come_as_one_without_the_validation_people(tmp_path):
    _, wflw = synthetic_layout()
    names = [f"{k}_1.jpg" for k in range(30)]
    for name in names:
        blank(tmp_path / "300w" / name)
        write_pts((tmp_path / "300w" / name).with_suffix(".pts"), np.ones((68, 2)))
    blank(tmp_path / "wflw" / "WFLW_images" / "0.jpg")
    write_wflw(tmp_path / "wflw", [wflw_line(wflw, "0.jpg")])
    people = datasets.read_extra(tmp_path / "300w", tmp_path / "wflw")
    expected = {name for name in [*names, "0.jpg"] if not datasets.is_validation(name)}
    assert {path.name for path in people.paths} == expected and len(expected) < 31
    assert len(people.image_xy) == len(people.human) == len(people.paths)
    assert datasets.read_extra(None, None) is None


def test_wflw_names_what_is_wrong(tmp_path):
    _, wflw = synthetic_layout()
    with pytest.raises(WrongUse, match=datasets.WFLW_LIST):
        datasets.read_wflw(tmp_path)
    write_wflw(tmp_path, [wflw_line(wflw, "a.jpg")])
    with pytest.raises(Error, match="line 1: a.jpg is not in"):
        datasets.read_wflw(tmp_path)
    write_wflw(tmp_path, [wflw_line(wflw[:68], "a.jpg")])
    with pytest.raises(Error, match="line 1: expected 206 numbers"):
        datasets.read_wflw(tmp_path)


# ---- UnityEyes

CANTHI = np.array([[120.0, 160.0], [300.0, 150.0]])  # inner, outer, where the project puts them


def unity_text(xy: np.ndarray, height: int) -> list[str]:
    return [f"({x + 0.5:.4f}, {height - y - 0.5:.4f}, 9.8765)" for x, y in xy]


def write_unityeye(
    folder: Path, name: str = "1", size: tuple[int, int] = (400, 300)
) -> dict[str, np.ndarray]:
    """A made-up eye whose margins are parabolas over the canthal line; returns its parts in pixels."""
    width, height = size
    a, b = CANTHI
    # Three columns share their mean with each canthus: the tip and its neighbours.
    tip, corner = a - 0.04 * (b - a), b + 0.04 * (b - a)
    beside, beyond = a + 0.02 * (b - a), b - 0.02 * (b - a)
    lift = np.array([0.0, 4.0])
    share = np.linspace(0.12, 0.88, 6)
    upper, lower = lid_curve(a, b, 50, share), lid_curve(a, b, -20, share)
    margin = np.vstack([beside, upper, beyond - lift, corner, beyond + lift, lower[::-1]])
    second_up, second_low = lid_curve(a, b, 50, np.array([0.06])), lid_curve(a, b, -20, np.array([0.06]))
    caruncle = np.vstack([second_low, beside, second_up, beside - lift, beside, beside + lift, tip])
    angle = np.linspace(0, 2 * np.pi, 32, endpoint=False) + 0.3
    ring = np.array([205.0, 150.0]) + 40 * np.column_stack([np.cos(angle), -np.sin(angle)])
    picture = np.full((height, width, 3), 120, np.uint8)
    cv2.circle(picture, (205, 150), 40, (0, 0, 0), -1)
    cv2.imwrite(str(folder / f"{name}.png"), picture)
    labels = {"interior_margin_2d": margin, "caruncle_2d": caruncle, "iris_2d": ring}
    (folder / f"{name}.json").write_text(json.dumps({k: unity_text(v, height) for k, v in labels.items()}))
    return {"upper": upper, "lower": lower, "centre": np.array([205.0, 150.0])}


def to_crop(xy: np.ndarray, canthi: np.ndarray = CANTHI) -> np.ndarray:
    """Where points of the picture lie in the 240x192 crop, by its definition."""
    axis = canthi[1] - canthi[0]
    c = float(np.linalg.norm(axis))
    along, down = axis / c, np.array([-axis[1], axis[0]]) / c
    relative = (xy - canthi.mean(0)) * 160 / (1.75 * c)
    return np.stack([relative @ along + 119.5, relative @ down + 95.5], -1)


def test_unityeyes_lids_and_irises_arrive_to_the_pixel(tmp_path):
    truth = write_unityeye(tmp_path)
    eye = eye_datasets.read_unityeyes(tmp_path)
    assert len(eye) == 1 and not eye.real[0] and eye.image.shape == (1, 192, 240, 3)
    assert np.allclose(eye.lid[0, [0, 10]], to_crop(CANTHI), atol=0.01)
    for curve, line in (
        (truth["upper"], eye.lid[0, :11]),
        (truth["lower"], eye.lid[0, [0, *range(19, 9, -1)]]),
    ):
        assert measures.distance_to_polyline(to_crop(curve), line).max() < 0.7
    assert np.allclose(eye.iris[0, 0], to_crop(truth["centre"]), atol=0.01)
    radius = 40 * 160 / (1.75 * np.linalg.norm(CANTHI[1] - CANTHI[0]))
    expected = eye.iris[0, 0] + radius * np.column_stack([np.cos(eyes.LIMBUS_RAD), np.sin(eyes.LIMBUS_RAD)])
    assert np.allclose(eye.iris[0, 1:], expected, atol=0.05)
    assert eye.line_present[0].tolist() == [255, 1, 1, 255]


def test_unityeyes_pixels_lie_under_their_points(tmp_path):
    write_unityeye(tmp_path)
    eye = eye_datasets.read_unityeyes(tmp_path)
    dark = np.argwhere(eye.image[0].max(2) < 60)[:, ::-1]
    assert np.allclose(dark.mean(0), eye.iris[0, 0], atol=0.3)
    radius = np.sqrt(len(dark) / np.pi)
    assert radius == pytest.approx(np.linalg.norm(eye.iris[0, 1] - eye.iris[0, 0]), abs=0.6)


def test_limbus_points_under_the_lids_are_not_visible(tmp_path):
    write_unityeye(tmp_path)
    eye = eye_datasets.read_unityeyes(tmp_path)
    inside = eyes.inside_opening(eye.iris[0], eye.lid[0])
    assert eye.iris_visible[0].tolist() == inside.tolist()
    assert inside[0] == 1 and inside[10] == 0  # the centre, and 6 o'clock below the lower lid


def test_unityeyes_names_what_is_wrong(tmp_path):
    with pytest.raises(WrongUse, match="no .json files"):
        eye_datasets.read_unityeyes(tmp_path)
    write_unityeye(tmp_path)
    labels = json.loads((tmp_path / "1.json").read_text())
    for spoilt in (labels | {"iris_2d": labels["iris_2d"][:5]}, {"iris_2d": []}, labels | {"iris_2d": ["x"]}):
        (tmp_path / "1.json").write_text(json.dumps(spoilt))
        with pytest.raises(Error, match="1.json: expected UnityEyes' points"):
            eye_datasets.read_unityeyes(tmp_path)
    (tmp_path / "1.png").unlink()
    with pytest.raises(Error, match="no picture"):
        eye_datasets.read_unityeyes(tmp_path)


# ---- drawn line maps


def write_drawn_eye(
    root: Path, name: str, lines: dict[str, np.ndarray], size: tuple[int, int] = (400, 300)
) -> None:
    for folder in ("images", "lines"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    drawn = np.zeros(size[::-1], np.uint8)
    for what, xy in lines.items():
        points = np.rint(xy).astype(np.int32)
        cv2.polylines(drawn, [points], False, eye_datasets.LEVELS[what], 2)
    cv2.imwrite(str(root / "lines" / f"{name}.png"), drawn)
    blank(root / "images" / f"{name}.jpg", *size)


def drawn_lines() -> dict[str, np.ndarray]:
    at = np.linspace(0, 1, 60)
    a, b = CANTHI
    lines = {"upper margin": lid_curve(a, b, 50, at), "lower margin": lid_curve(a, b, -20, at)}
    return lines | {"crease": lid_curve(a, b, 50, at[6:-6]) - [0, 25]}


@pytest.mark.parametrize("side", ["od", "os"])
def test_drawn_lines_arrive_to_the_pixel_on_either_eye(tmp_path, side):
    lines = drawn_lines()
    if side == "od":  # the same eye on the other side of the face
        lines = {name: xy * [-1, 1] + [399, 0] for name, xy in lines.items()}
    write_drawn_eye(tmp_path, f"a_{side}", lines)
    eye = eye_datasets.read_edge_maps(tmp_path)
    assert eye.line_present[0].tolist() == [1, 1, 1, 0]
    for k, name in enumerate(eye_datasets.LEVELS):
        if name in lines:
            expected = to_crop(drawn_lines()[name])
            assert measures.line_distance(eye.lines[0, k], expected) < 1.0
            assert eye.lines[0, k, 0, 0] < eye.lines[0, k, -1, 0]  # inner -> outer
    assert np.allclose(eye.lid[0, [0, 10]], to_crop(CANTHI), atol=1.5)
    assert eye.iris_weight[0].tolist() == [0, 0] and (eye.iris_visible[0] == 255).all()
    assert eye.human[0] and np.isfinite(eye.human_lid).all()


def test_drawn_and_rendered_eyes_go_together(tmp_path):
    write_unityeye(tmp_path)
    write_drawn_eye(tmp_path, "a_os", drawn_lines())
    both = eye_datasets.read_extra(tmp_path, tmp_path)
    assert len(both) == 2 and both.real.tolist() == [False, True]
    assert eyes.nominal(both).shape == (2, 128, 160, 3)
    assert eye_datasets.read_extra(None, None) is None


def test_drawn_maps_name_what_is_wrong(tmp_path):
    with pytest.raises(WrongUse, match="no .png files"):
        eye_datasets.read_edge_maps(tmp_path)
    lines = drawn_lines()

    def error_of(name: str, some: dict[str, np.ndarray]) -> str:
        for old in tmp_path.glob("lines/*"):
            old.unlink()
        write_drawn_eye(tmp_path, name, some)
        with pytest.raises(Error) as caught:
            eye_datasets.read_edge_maps(tmp_path)
        return str(caught.value)

    assert "_od or _os" in error_of("a", lines)
    assert "lower margin (150) is not drawn" in error_of("a_os", {"upper margin": lines["upper margin"]})
    assert "do not meet" in error_of("a_os", lines | {"lower margin": lines["lower margin"][:30]})
    map_file = tmp_path / "lines" / "a_os.png"
    cv2.imwrite(str(map_file), np.full((300, 400), 77, np.uint8))
    with pytest.raises(Error, match="level 77"):
        eye_datasets.read_edge_maps(tmp_path)
    cv2.imwrite(str(map_file), np.zeros((30, 40), np.uint8))
    with pytest.raises(Error, match="40x30"):
        eye_datasets.read_edge_maps(tmp_path)
