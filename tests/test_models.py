"""Container, shipped face and eyelid models, and their builder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dmask import cli, models
from dmask.environment import MODELS_DIR
from dmask.errors import Error
from dmask.io import container
from dmask.measure.largest import largest

GLOBE_RADIUS_MM = 12.0
ARRAYS = st.dictionaries(
    st.text(st.characters(codec="ascii"), min_size=1, max_size=20).filter(str.isprintable),
    st.sampled_from(container.DTYPES).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
    ),
    max_size=5,
)


# Container


@given(arrays=ARRAYS)
@settings(max_examples=60, deadline=None)
def test_container_returns_what_was_written(tmp_path_factory: pytest.TempPathFactory, arrays: dict) -> None:
    path = tmp_path_factory.mktemp("container") / "a.dmm"
    container.write(path, arrays)
    read = container.read(path)
    assert list(read) == list(arrays)
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype and read[name].shape == array.shape
        assert read[name].tobytes() == np.ascontiguousarray(array).tobytes()
    assert [p.name for p in path.parent.iterdir()] == ["a.dmm"]


@given(items=st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=1)))
def test_lists_of_strings_survive(items: list[str]) -> None:
    assert container.to_strings(container.strings(items)) == items


@given(cut=st.integers(0, 10_000), extra=st.binary(max_size=3))
@settings(max_examples=60, deadline=None)
def test_container_cut_short_is_refused(
    tmp_path_factory: pytest.TempPathFactory, cut: int, extra: bytes
) -> None:
    path = tmp_path_factory.mktemp("container") / "a.dmm"
    container.write(path, {"a": np.arange(6.0), "b": np.arange(5, dtype=np.int32)})
    whole = path.read_bytes()
    path.write_bytes(whole[: cut % len(whole)])
    with pytest.raises(container.ContainerError, match="a.dmm"):
        container.read(path)


@given(position=st.integers(0, 99), value=st.integers(0, 255))
@settings(max_examples=200, deadline=None)
def test_container_with_a_damaged_header_is_refused_or_read_within_the_file(
    tmp_path_factory: pytest.TempPathFactory, position: int, value: int
) -> None:
    path = tmp_path_factory.mktemp("container") / "a.dmm"
    container.write(path, {"a": np.arange(6.0), "b": np.arange(5, dtype=np.int32)})
    data = bytearray(path.read_bytes())
    data[position] = value
    path.write_bytes(data)
    try:
        arrays = container.read(path)
    except container.ContainerError:
        return
    assert sum(array.nbytes for array in arrays.values()) <= len(data)


@pytest.mark.parametrize("array", [np.array(["text"]), np.zeros(3, complex), np.zeros(3, np.uint16)])
def test_container_refuses_types_it_does_not_know(tmp_path: Path, array: np.ndarray) -> None:
    with pytest.raises(ValueError, match="dtype"):
        container.write(tmp_path / "a.dmm", {"a": array})
    assert not list(tmp_path.iterdir())


# Manifest


def test_shipped_models_are_those_of_the_manifest() -> None:
    for name in ("face.dmm", "eyelid.dmm"):
        assert models.check(name).is_file()
        assert models.manifest()[name]["licence"].startswith("MIT")


def test_a_changed_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.dmm").write_bytes(b"one")
    models.record("x.dmm", "MIT", "made by hand", tmp_path)
    assert models.check("x.dmm", tmp_path) == tmp_path / "x.dmm"
    (tmp_path / "x.dmm").write_bytes(b"two")
    with pytest.raises(Error, match="sha256"):
        models.check("x.dmm", tmp_path)
    with pytest.raises(Error, match="no such model"):
        models.path("y.dmm", tmp_path)


# Shipped face


class Face:
    def __init__(self, arrays: dict[str, np.ndarray]):
        self.arrays = arrays
        self.names = container.to_strings(arrays["unit_names"])
        self.mean = arrays["mean"].astype(float)

    def field(self, name: str, row: int) -> np.ndarray:
        return self.arrays[f"{name}_q"][row] * self.arrays[f"{name}_step"][row].astype(float)

    def person(self, weights: np.ndarray) -> np.ndarray:
        return self.mean + sum(w * self.field("identity", k) for k, w in enumerate(weights) if w)

    def unit(self, name: str, weights: np.ndarray) -> np.ndarray:
        row = self.names.index(name)
        mixture = weights @ self.arrays["interaction_coef"][:, row]
        motion = sum(c * self.field("interaction", p) for p, c in enumerate(mixture))
        return self.field("unit", row) + motion


class Lids:
    def __init__(self, arrays: dict[str, np.ndarray]):
        self.arrays = arrays
        self.names = container.to_strings(arrays["named_motion_names"])
        self.template = arrays["template"].astype(float)

    def shaped(self, weights: np.ndarray) -> np.ndarray:
        return self.template + np.tensordot(weights, self.arrays["shape"], 1)

    def named(self, name: str) -> np.ndarray:
        return np.tensordot(self.arrays["named_in_motion"][self.names.index(name)], self.arrays["motion"], 1)

    def blink(self, share: float, shape: np.ndarray | None = None) -> np.ndarray:
        middle, full = (
            self.arrays["named_in_motion"][self.names.index(name)]
            + (0 if shape is None else shape @ self.arrays[f"{name}_from_shape"])
            for name in ("blink_mid", "blink_full")
        )
        weights = 2 * share * middle if share <= 0.5 else middle + (2 * share - 1) * (full - middle)
        return np.tensordot(weights, self.arrays["motion"], 1)

    def opening_mm(self, eye: np.ndarray) -> float:
        upper, lower = (eye[self.arrays[name]] for name in ("upper_margin", "lower_margin"))
        x = np.linspace(
            max(upper[:, 0].min(), lower[:, 0].min()), min(upper[:, 0].max(), lower[:, 0].max()), 200
        )
        upper, lower = (
            np.interp(x, c[np.argsort(c[:, 0]), 0], c[np.argsort(c[:, 0]), 1]) for c in (upper, lower)
        )
        return float((upper - lower).max())

    def depth_mm(self, eye: np.ndarray) -> float:
        return GLOBE_RADIUS_MM - np.linalg.norm(eye[self.arrays["inner_edge"] == 0], axis=1).min()


@pytest.fixture(scope="module")
def face() -> Face:
    return Face(container.read(models.path("face.dmm")))


@pytest.fixture(scope="module")
def lids() -> Lids:
    return Lids(container.read(models.path("eyelid.dmm")))


def test_models_are_small_enough_to_ship() -> None:
    assert sum(models.path(name).stat().st_size for name in ("face.dmm", "eyelid.dmm")) <= 20e6


def test_face_arrays_fit_together(face: Face) -> None:
    a = face.arrays
    n, k, m, p = len(face.mean), len(a["identity_q"]), len(face.names), len(a["interaction_q"])
    assert n >= 6706 and k >= 60 and m == 53 and p >= 16
    shapes = {
        "mean": (n, 3), "identity_q": (k, n, 3), "identity_step": (k,),
        "unit_q": (m, n, 3), "unit_step": (m,),
        "interaction_q": (p, n, 3), "interaction_step": (p,), "interaction_coef": (k, m, p),
        "identity_mean": (k,), "identity_cov": (k, k), "landmarks68": (68,), "albedo": (n, 3),
    }  # fmt: skip
    assert {name: a[name].shape for name in shapes} == shapes
    assert a["triangles"].min() >= 0 and a["triangles"].max() < n
    assert a["contour_rows"].shape[0] == 17 and a["contour_rows"].max() < n
    assert np.array_equal(a["contour_rows"][:, 0], a["landmarks68"][:17])
    assert a["albedo"].min() >= 0 and a["albedo"].max() <= 1


def test_face_units_carry_the_names_of_both_sides(face: Face) -> None:
    for name in face.names:
        if name.endswith("_L"):
            assert name[:-1] + "R" in face.names
    for name in ("eyeBlink_L", "eyeBlink_R", "browInnerUp_L", "jawOpen", "mouthSmile_R", "noseSneer_L"):
        assert name in face.names


def test_landmarks_follow_the_ibug_order(face: Face) -> None:
    points = face.mean[face.arrays["landmarks68"]]
    assert np.all(points[36:42, 0] < 0) and np.all(points[42:48, 0] > 0)  # OD is the patient's right
    assert points[36, 0] < points[39, 0] < points[42, 0] < points[45, 0]  # outer, inner, inner, outer canthus
    assert points[8, 1] == points[:, 1].min() and points[30, 2] == points[:, 2].max()  # chin, tip of the nose


def test_face_triangles_run_counter_clockwise_from_outside(face: Face) -> None:
    triangles = face.arrays["triangles"]
    a, b, c = (face.mean[triangles[:, i]] for i in range(3))
    normal, middle = np.cross(b - a, c - a), (a + b + c) / 3
    cheeks = (np.abs(np.abs(middle[:, 0]) - 40) < 12) & (np.abs(middle[:, 1]) < 12) & (middle[:, 2] > 60)
    assert cheeks.sum() > 20 and np.all(normal[cheeks, 2] > 0)
    used = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    assert len(np.unique(used, axis=0)) == len(used)  # one orientation throughout


def test_face_is_mirror_symmetric(face: Face, lids: Lids) -> None:
    os, od = lids.arrays["face_vertex_os"], lids.arrays["face_vertex_od"]
    assert np.abs(face.mean[os] - face.mean[od] * [-1, 1, 1]).max() < 0.1
    left, right = (face.field("unit", face.names.index(f"eyeBlink_{side}")) for side in "LR")
    lid = lids.arrays["blend"] == 1
    assert np.abs(left[os[lid]] - right[od[lid]] * [-1, 1, 1]).max() < 0.3


@pytest.mark.parametrize("seed", range(4))
def test_blink_unit_shuts_the_eyes_of_different_people(face: Face, lids: Lids, seed: int) -> None:
    weights = np.random.default_rng(seed).normal(size=len(face.arrays["identity_q"])) * (seed > 0)
    shut = face.person(weights) + face.unit("eyeBlink_L", weights)
    rest = lids.opening_mm(face.person(weights)[lids.arrays["face_vertex_os"]])
    left = lids.opening_mm(shut[lids.arrays["face_vertex_os"]])
    assert left <= (0.3 if seed == 0 else 0.12 * rest), f"{left:.2f} of {rest:.2f} mm left open"


# Shipped eyelids


def test_eyelid_arrays_fit_together(face: Face, lids: Lids) -> None:
    a = lids.arrays
    v, ks, km, kn = len(lids.template), len(a["shape"]), len(a["motion"]), len(lids.names)
    assert 12 <= km <= 16 and ks >= 20
    shapes = {
        "shape": (ks, v, 3), "motion": (km, v, 3), "named_motion": (kn, v, 3), "named_in_motion": (kn, km),
        "blink_mid_from_shape": (ks, km), "blink_full_from_shape": (ks, km),
        "face_vertex_os": (v,), "face_vertex_od": (v,), "blend": (v,), "albedo": (v, 3), "inner_edge": (v,),
        "brow_region": (v,), "centre_os": (3,), "centre_sd": (3,),
        "centre_from_identity": (len(face.arrays["identity_q"]), 3),
        "centre_from_identity_od": (len(face.arrays["identity_q"]), 3),
    }  # fmt: skip
    assert {name: a[name].shape for name in shapes} == shapes
    assert (
        len(container.to_strings(a["shape_names"])) == ks
        and len(container.to_strings(a["motion_names"])) == km
    )
    assert a["triangles"].min() >= 0 and a["triangles"].max() < v
    assert max(a["face_vertex_os"].max(), a["face_vertex_od"].max()) < len(face.mean)
    assert a["blend"].min() == 0 and a["blend"].max() == 1
    for name in (
        "blink_mid",
        "blink_full",
        "wide",
        "squint",
        "look_down",
        "ptosis",
        "lateral_droop",
        "medial_droop",
    ):
        assert name in lids.names


@pytest.mark.parametrize(
    "name", ["upper_margin", "lower_margin", "crease", "bulge", "upper_lash", "lower_lash"]
)
def test_lines_run_along_the_mesh_from_inner_to_outer(lids: Lids, name: str) -> None:
    chain, triangles = lids.arrays[name], lids.arrays["triangles"]
    edges = {frozenset(e) for t in triangles.tolist() for e in ((t[0], t[1]), (t[1], t[2]), (t[2], t[0]))}
    assert len(chain) >= (22 if name.endswith("margin") else 10) and len(set(chain.tolist())) == len(chain)
    assert all(
        frozenset((a, b)) in edges for a, b in zip(chain[:-1].tolist(), chain[1:].tolist(), strict=True)
    )
    x = lids.template[chain, 0]
    assert x[0] < x[-1] and np.argmax(x) >= len(x) - 2


def test_margins_share_both_canthi_which_are_the_face_landmarks(face: Face, lids: Lids) -> None:
    upper, lower = lids.arrays["upper_margin"], lids.arrays["lower_margin"]
    assert upper[0] == lower[0] and upper[-1] == lower[-1]
    landmarks = face.arrays["landmarks68"]
    assert lids.arrays["face_vertex_os"][upper[[0, -1]]].tolist() == landmarks[[42, 45]].tolist()
    assert lids.arrays["face_vertex_od"][upper[[0, -1]]].tolist() == landmarks[[39, 36]].tolist()


def test_lines_lie_above_one_another(lids: Lids) -> None:
    def height(name: str) -> float:
        points = lids.template[lids.arrays[name]]
        return float(np.interp(0, points[:, 0], points[:, 1]))

    order = ["crease", "upper_lash", "upper_margin", "lower_margin", "lower_lash", "bulge"]
    heights = [height(name) for name in order]
    assert (np.diff(heights) < 0).all()


def test_template_shuts(lids: Lids) -> None:
    assert 8 < lids.opening_mm(lids.template) < 12
    assert lids.opening_mm(lids.template + lids.blink(1.0)) <= 0.3


def test_other_shapes_shut(lids: Lids) -> None:
    rng = np.random.default_rng(0)
    shapes = np.clip(rng.normal(size=(60, len(lids.arrays["shape"]))), -2.5, 2.5)
    left = [lids.opening_mm(lids.shaped(w) + lids.blink(1.0, w)) for w in shapes]
    assert np.percentile(left, 95) <= 0.3


def test_lids_stay_out_of_the_globe_through_a_blink_and_named_motions(lids: Lids) -> None:
    moves = [lids.blink(share) for share in np.linspace(0, 1, 21)]
    moves += [share * lids.named(name) for name in lids.names if "blink" not in name for share in (0.5, 1.0)]
    assert largest([lids.depth_mm(lids.template + move) for move in moves]) <= 0.5


def test_shapes_stay_out_of_the_globe_through_their_blink(lids: Lids) -> None:
    rng = np.random.default_rng(1)
    depths = []
    for w in np.clip(rng.normal(size=(60, len(lids.arrays["shape"]))), -2.5, 2.5):
        eye = lids.shaped(w)
        depths.append(largest([lids.depth_mm(eye + lids.blink(s, w)) for s in (0, 0.25, 0.5, 0.75, 1)]))
    assert np.percentile(depths, 95) <= 0.5


def test_no_slit_shows_between_lids_and_globe(lids: Lids) -> None:
    """The inner edge is a closed loop inside the globe, open or shut: skin and globe overlap all around."""
    edge = lids.arrays["inner_edge"] == 1
    for move in [
        0 * lids.template,
        lids.blink(0.5),
        lids.blink(1.0),
        lids.named("wide"),
        lids.named("look_down"),
    ]:
        radius = np.linalg.norm((lids.template + move)[edge], axis=1)
        assert radius.max() < GLOBE_RADIUS_MM and radius.min() > 8
    triangles = lids.arrays["triangles"]
    edges = np.sort(
        np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1
    )
    unique, counts = np.unique(edges, axis=0, return_counts=True)
    boundary = unique[counts == 1]
    inner = boundary[edge[boundary].all(axis=1)]
    assert len(inner) == edge.sum()  # the loop has as many edges as vertices: it is closed
    rest = boundary[~edge[boundary].any(axis=1)]
    assert len(inner) + len(rest) == len(boundary) and np.all(lids.arrays["blend"][rest] < 0.2)


def test_retraction_bares_and_droop_tilts(lids: Lids) -> None:
    upper, template = lids.arrays["upper_margin"], lids.template

    def shift(name: str, x: float) -> float:
        moved = template + lids.named(name)
        return float(
            np.interp(x, moved[upper, 0], moved[upper, 1])
            - np.interp(x, template[upper, 0], template[upper, 1])
        )

    assert shift("upper_retract", 0) > 2 and shift("wide", 0) > 1
    assert shift("ptosis", 0) < -1.5 and shift("look_down", 0) < -1.5
    assert shift("lateral_droop", 6) < shift("lateral_droop", -6) - 0.5
    assert shift("medial_droop", 6) > shift("medial_droop", -6) + 0.5


def test_eyeball_centre_follows_the_identity(face: Face, lids: Lids) -> None:
    centre = lids.arrays["centre_os"]
    assert 29 < centre[0] < 34
    margin = lids.arrays["face_vertex_os"][lids.arrays["upper_margin"]]
    weights = np.zeros(len(face.arrays["identity_q"]))
    weights[0] = 2.0
    moved = (face.person(weights) - face.mean)[margin].mean(axis=0)
    assert np.linalg.norm(weights @ lids.arrays["centre_from_identity"] - moved) < 2.0


# Builder


def write_objs(folder: Path, packed: Path, n_identity: int) -> None:
    """An OBJ folder as upstream's, from the packed file, with few identity modes."""
    with np.load(packed) as z:
        neutral, quads, step = z["neutral_cm"], z["quads"], float(z["delta_step_cm"])
        shapes = {f"identity{i:03d}": z["identity_delta_q"][i] for i in range(n_identity)}
        expressions = z["expression_delta_q"]
        shapes |= {str(name): expressions[i] for i, name in enumerate(z["expression_names"])}
    corners = [dict.fromkeys(quad) for quad in (quads + 1).tolist()]
    faces = "".join(f"f {' '.join(f'{c}/{c}/{c}' for c in quad)}\n" for quad in corners)

    def write(name: str, vertices: np.ndarray) -> None:
        lines = "\n".join(map("v %.6f %.6f %.6f".__mod__, map(tuple, vertices.tolist())))
        (folder / f"{name}.obj").write_text(f"# mesh\n{lines}\nvt 0 0\n{faces}")

    write("generic_neutral_mesh", neutral)
    for name, delta in shapes.items():
        write(name, neutral + delta * step)


@pytest.fixture(scope="module")
def packed(shared: Path) -> Path:
    pytest.importorskip("scipy", reason="building the models needs scipy")
    return shared / "data" / "ict_facekit" / "ict_light.npz"


def test_builder_takes_an_obj_folder_like_the_packed_file(packed: Path, tmp_path: Path) -> None:
    from dmask.face_model import build, builder, ict

    write_objs(tmp_path, packed, n_identity=3)
    source, reference = ict.read(tmp_path), ict.read(packed.parent)
    assert np.abs(source.neutral_mm - reference.neutral_mm).max() < 1e-4
    assert np.abs(source.identity_mm - reference.identity_mm[:3]).max() < 1e-3
    assert np.abs(source.unit_mm - reference.unit_mm).max() < 1e-3
    assert np.array_equal(source.quads, reference.quads)

    sizes = builder.Sizes(identity=3, interaction=4, lid_identity=4, lid_motion=12, people=12, states=80)
    build.build(source, tmp_path / "out", sizes, log=lambda message: None)
    made = Lids(container.read(models.check("eyelid.dmm", tmp_path / "out")))
    assert made.opening_mm(made.template + made.blink(1.0)) <= 0.3
    small = Face(container.read(models.check("face.dmm", tmp_path / "out")))
    assert small.arrays["identity_q"].shape[0] == 3 and len(small.names) == 53


def test_no_identity_looks_like_a_turn_of_the_head_from_the_front() -> None:
    pytest.importorskip("scipy", reason="building the models needs scipy")
    from dmask.face_model.bilinear import _rigid_motions
    from dmask.face_model.builder import MARK_WEIGHTS

    face = container.read(MODELS_DIR / "face.dmm")
    marks = face["landmarks68"]
    modes = face["identity_q"][:, marks].astype(float) * face["identity_step"][:, None, None]
    motions = _rigid_motions(face["mean"][marks].astype(float))
    seen = [(MARK_WEIGHTS[:, None] * moved[:, :, :2]).reshape(len(moved), -1) for moved in (motions, modes)]
    turns = np.degrees(np.linalg.lstsq(seen[0].T, seen[1].T, rcond=None)[0][3:])
    assert np.abs(turns).max() < 0.02
    deeper = np.average(modes[:, :, 2], axis=1, weights=MARK_WEIGHTS**2)
    assert np.abs(deeper).max() < 0.01


def test_builder_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("scipy", reason="building the models needs scipy")
    assert cli.main(["face-model", "build", "--ict", str(tmp_path), "-o", str(tmp_path / "out")]) == 1
    assert "generic_neutral_mesh.obj" in capsys.readouterr().err


def test_landmarks_are_those_of_ict(shared: Path) -> None:
    import json

    from dmask.face_model.ict import LANDMARKS68, UNIT_NAMES

    indices = json.loads((shared / "data" / "ict_facekit" / "vertex_indices.json").read_text())
    assert LANDMARKS68.tolist() == indices["idx_to_landmark_verts"]
    assert set(UNIT_NAMES) == set(indices["expressions"])
