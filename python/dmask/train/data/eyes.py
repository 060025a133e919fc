"""Eye pictures with lids, irises and lines: crops of the labelled faces and rendered eyes, in one form.

All eyes have OS orientation (inner canthus left; OD is mirrored). Pictures are 240x192 px and show 1.5 times
the nominal crop, which is the central 160x128: training moves, scales and turns it. Points are pixels of the
240x192.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from dmask.crops import (
    CANTHAL_PX,
    EDGE_STRIDE_PX,
    EYE_CANTHAL_WIDTHS,
    EYE_CROP_AT,
    EYE_HEIGHT_PX,
    EYE_SQUARE_PX,
    EYE_WIDTH_PX,
    LEAST_OF_OTHER_EYE,
    LUMA,
    apply,
    inverse,
    similarity,
)
from dmask.evaluate.held_out import is_validation
from dmask.io.picture import read_named
from dmask.point_order import CANTHI, MIRROR_IRIS
from dmask.train.data import augment, covers, faces

# Both generations of Face Mesh have irises too low, by so much of the distance between the eyes' centres,
# whatever the lids leave of them: so say the edge of the limbus itself (bench/limbus_edge.py --training), and
# nets that never saw a photograph.
MACHINE_IRIS_RISE = 0.0165

WIDTH_PX, HEIGHT_PX = EYE_SQUARE_PX
S_LID = np.linspace(0, 1, 11)  # positions of lid points along the canthal line
LIMBUS_RAD = np.deg2rad(20 * np.arange(18) - 90)  # clockwise in the picture (y down) from 12 o'clock
CLOSED = 0.035  # opening / canthal distance

HUMAN_UPPER = {"od": (38, 37), "os": (43, 44)}  # inner -> outer
HUMAN_LOWER = {"od": (40, 41), "os": (47, 46)}
MESH_UPPER = {"od": faces.UPPER_OD[::-1], "os": faces.UPPER_OS[::-1]}  # inner -> outer
MESH_LOWER = {"od": faces.LOWER_OD[::-1], "os": faces.LOWER_OS[::-1]}
MESH_IRIS = {"od": faces.IRIS_OD, "os": faces.IRIS_OS}


@dataclass
class Eyes:
    """N eyes. Weights say how far a label is trusted (0 = not at all); flags are 0, 1 or 255 for unknown."""

    image: NDArray[np.uint8]  # (N,192,240,3) RGB
    lid: NDArray[np.float32]  # (N,20,2)
    lid_weight: NDArray[np.float32]  # (N)
    lid_visible: NDArray[np.uint8]  # (N,20)
    iris: NDArray[np.float32]  # (N,19,2) centre, limbus
    iris_weight: NDArray[np.float32]  # (N,2) centre, limbus
    iris_visible: NDArray[np.uint8]  # (N,19)
    lines: NDArray[np.float32]  # (N,4,20,2) crease, upper margin, lower margin, bulge; inner -> outer
    line_present: NDArray[np.uint8]  # (N,4)
    openness: NDArray[np.float32]  # (N) largest opening / canthal distance
    real: NDArray[np.bool_]  # (N)
    human: NDArray[np.bool_]  # (N) lids set or corrected by a person
    name: NDArray[np.str_]  # (N) picture and eye, or skin
    human_lid: NDArray[np.float32]  # (N,6,2) canthi, two upper, two lower points as set by a person; else NaN
    interocular_px: NDArray[np.float32]  # (N) distance of the eyes' centres in these pixels
    outer_corners_px: NDArray[np.float32]  # (N) distance of the outer eye corners in these pixels
    occluder: NDArray[np.uint8]  # (N) bits of `render_eyes`; 255 unknown

    def __len__(self) -> int:
        return len(self.image)

    def take(self, index: NDArray) -> Eyes:
        return Eyes(*(getattr(self, f.name)[index] for f in fields(self)))

    @staticmethod
    def concatenate(parts: list[Eyes]) -> Eyes:
        return Eyes(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Eyes)))

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for f in fields(self):
            np.save(folder / f"{f.name}.npy", getattr(self, f.name))

    @staticmethod
    def load(folder: Path) -> Eyes:
        """Pictures stay on disk (memory-mapped), so that several trainings share them."""
        return Eyes(
            *(
                np.load(folder / f"{f.name}.npy", mmap_mode="r" if f.name == "image" else None)
                for f in fields(Eyes)
            )
        )


def canthal_frame(inner: NDArray, outer: NDArray) -> NDArray[np.float64]:
    """(2,3) map pixels -> (s, h): s runs 0..1 from inner to outer canthus, h up the picture, same unit."""
    x = np.asarray(outer, float) - inner
    length2 = (x**2).sum()
    a = np.array([[x[0], x[1]], [x[1], -x[0]]]) / length2
    if x[0] < 0:  # inner canthus right of the outer one: keep h pointing up the picture
        a[1] *= -1
    return np.column_stack([a, -a @ np.asarray(inner, float)])


def height_at(curve: NDArray, s: NDArray) -> NDArray[np.float64]:
    """Height at s of a margin given by (s, h) points from canthus to canthus."""
    order = np.argsort(curve[:, 0])
    x = np.maximum.accumulate(curve[order, 0] + 1e-6 * np.arange(len(curve)))
    return PchipInterpolator(x, curve[order, 1], extrapolate=True)(np.clip(s, x[0], x[-1]))


def lid_points(
    corners: NDArray, upper: NDArray, lower: NDArray, fixed_upper: NDArray, fixed_lower: NDArray
) -> NDArray:
    """20 lid points: the machine's curves (9,2), inner -> outer, bent through the fixed points (2,2).

    The shape between the fixed points is the machine's, its place is the person's.
    """
    frame = canthal_frame(*corners)
    heights = []
    for curve, fixed in ((upper, fixed_upper), (lower, fixed_lower)):
        machine = apply(canthal_frame(curve[0], curve[-1]), curve)  # canthi brought to (0,0) and (1,0)
        f = apply(frame, fixed)
        f = f[np.argsort(f[:, 0])]
        f[:, 0] = np.clip(f[:, 0], [0.08, 0.16], [0.84, 0.92])
        error = f[:, 1] - height_at(machine, f[:, 0])
        bend = PchipInterpolator([0, *f[:, 0], 1], [0, *error, 0])
        heights.append(height_at(machine, S_LID) + bend(S_LID))
    up, low = heights
    crossing = up < low
    up[crossing] = low[crossing] = 0.5 * (up + low)[crossing]
    up[[0, -1]] = low[[0, -1]] = 0
    s_h = np.column_stack([np.r_[S_LID, S_LID[-2:0:-1]], np.r_[up, low[-2:0:-1]]])
    return apply(inverse(frame), s_h)


def opening(lid: NDArray) -> NDArray[np.float32]:
    """(N,20,2) lid points -> (N) largest distance of both margins over the canthal distance."""
    gap = np.linalg.norm(lid[:, 1:10] - lid[:, 19:10:-1], axis=2).max(1)
    return (gap / np.linalg.norm(lid[:, 10] - lid[:, 0], axis=1)).astype(np.float32)


def margins_as_lines(lid: NDArray) -> NDArray[np.float32]:
    """(20,2) lid points -> (2,20,2) upper and lower margin from inner to outer at equal arc length."""
    out = []
    for curve in (lid[:11], np.r_[lid[:1], lid[19:9:-1]]):
        arc = np.r_[0, np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))]
        t = np.linspace(0, arc[-1], 20)
        out.append(np.column_stack([np.interp(t, arc, curve[:, k]) for k in range(2)]))
    return np.stack(out).astype(np.float32)


def inside_opening(xy: NDArray, lid: NDArray, edge_px: float = 0.5) -> NDArray[np.uint8]:
    """(K) 1 where a point lies in the lid polygon, at least edge_px from its border."""
    polygon = lid.astype(np.float32).reshape(-1, 1, 2)
    return np.array(
        [cv2.pointPolygonTest(polygon, (float(x), float(y)), True) >= edge_px for x, y in xy], np.uint8
    )


def circle_of(iris: NDArray, up: NDArray) -> NDArray[np.float64]:
    """Five machine iris points (centre, two pairs of opposite limbus points) -> centre and limbus (19,2).

    `up` is the head's up direction in the picture: 12 o'clock. The machine's circle is round; so is ours.
    """
    centre = iris[0]
    radius = 0.5 * max(np.linalg.norm(iris[1] - iris[3]), np.linalg.norm(iris[2] - iris[4]))
    right = np.array([-up[1], up[0]])
    limbus = centre + radius * (np.cos(LIMBUS_RAD)[:, None] * right - np.sin(LIMBUS_RAD)[:, None] * up)
    return np.vstack([centre, limbus])


def from_twelve(iris: NDArray, visible: NDArray) -> tuple[NDArray[np.float32], NDArray]:
    """Limbus points counted from 12 o'clock of the crop they are given in, by the circle's parameter.

    iris (19,2) and visible (19), counted from any point: a turned crop has another 12 o'clock. The new first
    point is the one straight above the limbus' centre.
    """
    a = np.deg2rad(20 * np.arange(18))
    ring = iris[1:].astype(float)
    centre = ring.mean(0)
    u, v = np.cos(a) @ (ring - centre) / 9, np.sin(a) @ (ring - centre) / 9
    shift = np.arctan2(-u[0], v[0])
    if np.cos(shift) * u[1] + np.sin(shift) * v[1] > 0:
        shift += np.pi
    b = a + shift
    turned = centre + np.cos(b)[:, None] * u + np.sin(b)[:, None] * v
    nearest = np.rint(b / a[1]).astype(int) % 18
    return np.vstack([iris[:1], turned]).astype(np.float32), np.r_[visible[:1], visible[1:][nearest]]


def real_eyes(
    paths: list[Path], xy68: NDArray, mesh: faces.MeshLabels, rows: NDArray, human: bool
) -> Iterator[dict]:
    """Both eyes of each face; xy68 (N,68,2) is the person's word or its estimate, mesh rows the machine's."""
    column = {int(i): k for k, i in enumerate(mesh.v1_index)}
    disagreement = mesh.eye_disagreement()
    for path, points, row in zip(paths, xy68.astype(float), rows, strict=True):
        picture = read_named(path)
        canthal = {eye: np.linalg.norm(points[a] - points[b]) for eye, (a, b) in CANTHI.items()}
        across = points[[42, 45]].mean(0) - points[[36, 39]].mean(0)
        interocular = np.linalg.norm(across)
        up = np.array([across[1], -across[0]]) / interocular
        for k, eye in enumerate(("od", "os")):
            other = "os" if eye == "od" else "od"
            c = max(canthal[eye], LEAST_OF_OTHER_EYE * canthal[other])
            corners = points[list(CANTHI[eye])]
            both = {}
            for name, ids in (("upper", MESH_UPPER), ("lower", MESH_LOWER), ("iris", MESH_IRIS)):
                v2, v1 = mesh.v2_xy[row, list(ids[eye])], mesh.v1_xy[row, [column[i] for i in ids[eye]]]
                both[name] = np.stack([v1, v2]).astype(float)
            fixed = points[list(HUMAN_UPPER[eye])], points[list(HUMAN_LOWER[eye])]
            lid = lid_points(corners, both["upper"].mean(0), both["lower"].mean(0), *fixed)
            rise = MACHINE_IRIS_RISE * interocular * up
            rings = np.stack([circle_of(v, up) + rise for v in both["iris"]])
            # Into the crop: x along the canthi, OD mirrored so that the inner canthus is left.
            axis = corners[1] - corners[0]
            mirror = eye == "od"
            angle = -np.arctan2(axis[1], -axis[0] if mirror else axis[0])
            scale = EYE_WIDTH_PX / (EYE_CANTHAL_WIDTHS * c)
            middle = [(WIDTH_PX - 1) / 2, (HEIGHT_PX - 1) / 2]
            matrix = similarity(scale, angle, corners.mean(0), middle, mirror)
            if scale < 1:
                blurred = cv2.GaussianBlur(picture, (0, 0), 0.45 * np.sqrt(1 / scale**2 - 1) + 1e-3)
            else:
                blurred = picture
            flags = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
            image = cv2.warpAffine(
                blurred, matrix, (WIDTH_PX, HEIGHT_PX), flags=flags, borderMode=cv2.BORDER_REPLICATE
            )
            lid = apply(matrix, lid)
            rings = np.stack([apply(matrix, ring) for ring in rings])
            if mirror:
                rings = rings[:, MIRROR_IRIS]
            centre_gap = np.linalg.norm(rings[0, 0] - rings[1, 0]) / CANTHAL_PX
            ring = rings.mean(0)
            wide = float(opening(lid[None])[0])
            shut = wide < CLOSED
            trust = float(np.clip(1.6 - 10 * disagreement[row, k], 0, 1))  # 1 below 6 %, 0 above 16 %
            iris_trust = 0.0 if shut else trust * float(np.clip(1.5 - 12.5 * centre_gap, 0, 1))
            seen = np.zeros(19, np.uint8) if shut else inside_opening(ring, lid)
            lines = np.zeros((4, 20, 2), np.float32)
            lines[1:3] = margins_as_lines(lid)
            person = np.full((6, 2), np.nan, np.float32)
            if human:
                person[:] = apply(matrix, np.vstack([corners, *fixed]))
            yield {
                "image": image[:, :, ::-1],
                "lid": lid,
                "lid_weight": max(0.3, trust) if human else 0.5 * trust,
                "lid_visible": np.full(20, 1 if trust > 0.5 else 255),
                "iris": ring,
                "iris_weight": (iris_trust, 0.4 * iris_trust),
                "iris_visible": seen if (shut and human) or iris_trust > 0.3 else np.full(19, 255),
                "lines": lines,
                "line_present": (255, 1, 1, 255),
                "openness": wide,
                "real": True,
                "human": human,
                "name": f"{path.name}/{eye}",
                "human_lid": person,
                "interocular_px": interocular * scale,
                "outer_corners_px": np.linalg.norm(points[36] - points[45]) * scale,
                "occluder": 255,
            }


def collect(records: list[dict]) -> Eyes:
    kinds = {"image": np.uint8, "real": bool, "human": bool, "name": np.str_}
    kinds |= {
        "lid_visible": np.uint8,
        "iris_visible": np.uint8,
        "line_present": np.uint8,
        "occluder": np.uint8,
    }
    return Eyes(
        *(np.asarray([r[f.name] for r in records], dtype=kinds.get(f.name, np.float32)) for f in fields(Eyes))
    )


def read_real(data: Path, machine_limit: int = 2500) -> tuple[Eyes, Eyes]:
    """(training, validation) eyes of human-labelled faces, and of at most machine_limit unlabelled ones."""
    everyone = faces.read_human(data / "faces68")
    held_out = np.array([is_validation(p.name) for p in everyone.paths])
    records: list[dict] = []
    for name in sorted({p.parent.parent.name for p in everyone.paths}):
        mesh = faces.read_mesh_labels(data / f"facemesh_labels_faces68_{name}.npz")
        row_of = {image: i for i, image in enumerate(mesh.images)}
        mine = [i for i, p in enumerate(everyone.paths) if p.parent.parent.name == name]
        paths = [everyone.paths[i] for i in mine]
        rows = np.array([row_of[p.name] for p in paths])
        records += real_eyes(paths, everyone.image_xy[mine], mesh, rows, human=True)
    to68 = faces.MeshTo68(
        faces.mesh_of(train := everyone.take(np.flatnonzero(~held_out)), data), train.image_xy
    )
    mesh = faces.read_mesh_labels(data / "facemesh_labels_faces_unlabelled.npz")
    good = np.flatnonzero((mesh.presence.min(1) > 0.9) & (mesh.eye_disagreement().max(1) < 0.07))[
        :machine_limit
    ]
    paths = [data / "faces_unlabelled" / mesh.images[i] for i in good]
    records += real_eyes(paths, to68(mesh.v2_xy[good]), mesh, good, human=False)
    eyes = collect(records)
    out = np.array([is_validation(str(n).rsplit("/", 1)[0]) for n in eyes.name])
    return eyes.take(~out), eyes.take(out)


def read_synthetic(files: list[Path]) -> Eyes:
    """Rendered eyes as written by `dmask train render-eyes`."""
    parts = []
    for file in files:
        with np.load(file) as z:
            n = len(z["images"])
            wide = z["canthi"][:, 1] - z["canthi"][:, 0]
            # c is taken as 0.31 of the distance between the outer corners, 0.46 of the eyes'.
            c = np.maximum(np.linalg.norm(wide, axis=1), CANTHAL_PX)
            parts.append(
                Eyes(
                    z["images"],
                    z["lid"],
                    np.ones(n, np.float32),
                    z["lid_visible"],
                    z["iris"],
                    np.ones((n, 2), np.float32),
                    z["iris_visible"],
                    z["lines"],
                    z["line_present"],
                    z["openness"],
                    np.zeros(n, bool),
                    np.zeros(n, bool),
                    z["skin_names"][z["skin"]].astype(np.str_),
                    np.full((n, 6, 2), np.nan, np.float32),
                    (c / 0.46).astype(np.float32),
                    (c / 0.31).astype(np.float32),
                    z["occluder"],
                )
            )
    if not parts:
        raise FileNotFoundError("no rendered eyes (*.npz); make them with dmask train render-eyes")
    return Eyes.concatenate(parts)


def jitter(rng: np.random.Generator, strength: float) -> NDArray[np.float32]:
    """(2,3) map 240x192 -> a 160x128 crop with a tracker's errors."""
    spread = 0.5 + 0.5 * strength
    scale = 1 + 0.12 * spread * rng.uniform(-1, 1)
    angle = np.deg2rad(12) * spread * rng.uniform(-1, 1)
    shift = 0.06 * spread * EYE_WIDTH_PX * rng.uniform(-1, 1, 2)
    target = np.array([(EYE_WIDTH_PX - 1) / 2, (EYE_HEIGHT_PX - 1) / 2]) + shift
    return similarity(scale, angle, [(WIDTH_PX - 1) / 2, (HEIGHT_PX - 1) / 2], target)


def nominal(eyes: Eyes) -> NDArray[np.uint8]:
    """(N,128,160,3) the crops as a perfect tracker would make them."""
    x, y = EYE_CROP_AT
    return eyes.image[:, y : y + EYE_HEIGHT_PX, x : x + EYE_WIDTH_PX]


# Shares of the training crops, at full strength.
COVER_SHARE, SHADE_SHARE, DIM_SHARE = 0.32, 0.08, 0.18
# Where nothing is learnt but what counts as seen, covers are as frequent as open eyes, and blur goes further.
SIGHT_COVER_SHARE, DEFOCUS_SHARE, DEFOCUS_PX = 0.45, 0.15, (1.5, 8.0)
PUPIL = 0.45  # of the iris' radius: a pupil and what is next to it
MOST_OF_LINE_COVERED = 0.4  # more of it, and whether a line is there cannot be told


class EyeSampler:
    """Random training crops of real and rendered eyes with the labels of all three eye nets.

    Without real eyes (None) every picture is a render. `others`: further sets of renders, each with its share
    of the pictures.
    """

    def __init__(
        self,
        real: Eyes | None,
        synthetic: Eyes,
        real_share: float,
        for_sight: bool = False,
        others: Sequence[tuple[Eyes, float]] = (),
    ) -> None:
        self.real_share = real_share if real is not None else 0.0
        self.cover_share = SIGHT_COVER_SHARE if for_sight else COVER_SHARE
        self.defocus_share = DEFOCUS_SHARE if for_sight else 0.0
        self.sets = [synthetic if real is None else real, synthetic, *(part for part, _ in others)]
        self.other_shares = np.cumsum([share for _, share in others])
        self.cumulative = [np.linspace(0, 1, len(part) + 1)[1:] for part in self.sets]
        if real is not None:
            useful = (real.lid_weight > 0) | (real.iris_weight[:, 0] > 0) | (real.iris_visible[:, 0] != 255)
            # Shut and half-shut eyes are rare in photographs; human labels are worth more.
            chance = useful * np.where(real.human, 2.0, 1.0) * np.where(real.openness < 0.14, 3.0, 1.0)
            chance = chance * np.where(real.openness < CLOSED, 2.0, 1.0)
            self.cumulative[0] = np.cumsum(chance / chance.sum())

    def batch(self, rng: np.random.Generator, n: int, strength: float = 1.0) -> dict[str, NDArray]:
        image = np.empty((n, EYE_HEIGHT_PX, EYE_WIDTH_PX, 3), np.uint8)
        out: dict[str, list] = {}
        for i in range(n):
            part = self.drawn_set(rng.random())
            eyes = self.sets[part]
            k = min(int(np.searchsorted(self.cumulative[part], rng.random())), len(eyes) - 1)
            matrix = jitter(rng, strength)
            image[i] = augment.warp(eyes.image[k], matrix, EYE_HEIGHT_PX, EYE_WIDTH_PX)
            lid, iris = augment.transform(matrix, eyes.lid[k]), augment.transform(matrix, eyes.iris[k])
            lines = augment.transform(matrix, eyes.lines[k].reshape(-1, 2)).reshape(4, 20, 2)
            image[i], hidden = self.put_before(
                image[i], np.vstack([lid, iris, *lines, pupil_of(iris)]), part == 0, rng, strength
            )
            pupil = hidden[20] and hidden[-12:].all()
            if part > 0 and eyes.iris_visible[k][0] == 0:  # by what the renderer drew, or by the lid
                pupil = pupil or bool(inside_opening(eyes.iris[k][:1], eyes.lid[k])[0])
            if rng.random() < self.defocus_share:
                image[i] = cv2.GaussianBlur(image[i], (0, 0), np.exp(rng.uniform(*np.log(DEFOCUS_PX))))
            # Rendered eyes are degraded already.
            image[i] = augment.degrade(image[i], rng, strength if part == 0 else 0.6 * strength)
            if rng.random() < DIM_SHARE * (0.4 + 0.6 * strength):
                image[i] = augment.dim(image[i], rng)
            # The core brightens by the face's mean, which is not quite the eye's.
            luma = float(image[i].reshape(-1, 3).mean(0) @ np.array(LUMA))
            image[i] = augment.brighten(image[i], luma * float(np.exp(rng.normal(0.05, 0.25))))
            labels = lid_labels(lid, eyes.lid_weight[k], eyes.lid_visible[k], hidden[:20], bool(pupil))
            labels |= iris_labels(iris, eyes.iris_weight[k], eyes.iris_visible[k], hidden[20:39])
            covered = hidden[39:119].reshape(4, 20).mean(1) > MOST_OF_LINE_COVERED
            present = np.where(covered, 255, eyes.line_present[k])
            labels |= line_targets(lines, present, float(eyes.lid_weight[k]))
            for name, value in labels.items():
                out.setdefault(name, []).append(value)
        return {"image": image} | {name: np.stack(values) for name, values in out.items()}

    def drawn_set(self, draw: float) -> int:
        """Of `sets`, for a number 0 to 1."""
        others = float(self.other_shares[-1]) if len(self.other_shares) else 0.0
        if draw < others:
            return 2 + int(np.searchsorted(self.other_shares, draw, side="right"))
        return 0 if draw - others < self.real_share * (1 - others) else 1

    def put_before(
        self, image: NDArray[np.uint8], xy: NDArray, real: bool, rng: np.random.Generator, strength: float
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Something before an eye, or a shadow on it, at times; which of xy it hides.

        xy: lid, iris, lines, pupil.
        """
        donors = self.sets[int(rng.random() < 0.5)]
        donor = donors.image[int(rng.integers(len(donors)))]
        canthal_px = float(np.linalg.norm(xy[10] - xy[0]))
        draw = rng.random() / (0.4 + 0.6 * strength)
        if draw < self.cover_share:
            return covers.cover_eye(image, xy, rng, donor)
        draw -= self.cover_share
        if draw < SHADE_SHARE:
            image = covers.shade_eye(image, xy[:39], canthal_px, rng)
        elif draw < SHADE_SHARE + (0.16 if real else 0.06):  # renders bring occluders
            return augment.occlude(image, xy, rng, donor)
        return image, np.zeros(len(xy), bool)


def point_labels(
    net: str, xy: NDArray, weight: NDArray, seen: NDArray, hidden: NDArray
) -> dict[str, NDArray]:
    """Arrays `<net>_xy_px`, `_weight`, `_visible`, `_known` of one picture for `heatmap.landmark_loss`."""
    known = (seen != 255) | hidden
    # Where the rest of an eye is seen, a hidden point can be guessed; where all is hidden, hardly.
    guessed = 0.1 if hidden.all() else 0.3
    return {
        f"{net}_xy_px": xy,
        f"{net}_weight": (weight * np.where(hidden, guessed, 1.0)).astype(np.float32),
        f"{net}_visible": ((seen == 1) & ~hidden).astype(np.float32),
        f"{net}_known": known.astype(np.float32),
    }


def lid_labels(
    lid: NDArray, weight: float, visible: NDArray, hidden: NDArray, covered: bool = False
) -> dict[str, NDArray]:
    """covered: a thing hides the pupil. Then no point of the lids counts as seen, the eye is not measured."""
    labels = point_labels("eyelid", lid, np.full(20, weight), visible, hidden)
    if covered:
        labels["eyelid_visible"][:], labels["eyelid_known"][:] = 0, 1
    return labels


def pupil_of(iris: NDArray) -> NDArray[np.float32]:
    """(12,2) points around the pupil and what is next to it."""
    radius_px = np.linalg.norm(iris[1:] - iris[1:].mean(0), axis=1).max()
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle)], 1)
    return np.asarray(iris[0] + PUPIL * radius_px * ring, np.float32)


def iris_labels(iris: NDArray, weight: NDArray, visible: NDArray, hidden: NDArray) -> dict[str, NDArray]:
    xy, flags = from_twelve(iris, visible + 256 * hidden.astype(int))
    seen, hidden = flags % 256, flags >= 256
    weights = np.full(19, weight[1])
    weights[0] = 2 * weight[0]
    # Where a point under the lid lies is only guessed from the rest.
    weights = weights * np.where(seen == 0, 0.3, 1.0)
    if not (seen == 1).any() and (seen != 255).all():
        weights = weights * 0
    return point_labels("iris", xy, weights, seen, hidden)


LINE_SIGMA_CELLS = 0.7


def line_targets(lines: NDArray, present: NDArray, weight: float) -> dict[str, NDArray]:
    """Soft edges (4,64,80) uint8 0..255 with their weights, and presence with its weights."""
    h, w = EYE_HEIGHT_PX // EDGE_STRIDE_PX, EYE_WIDTH_PX // EDGE_STRIDE_PX
    cells = (lines + 0.5) / EDGE_STRIDE_PX - 0.5
    edges = np.zeros((len(lines), h, w), np.uint8)
    for edge, line, there in zip(edges, cells, present, strict=True):
        if there == 1:
            cv2.polylines(edge, [np.rint(line * 16).astype(np.int32)], False, 255, 1, cv2.LINE_AA, 4)
            blurred = cv2.GaussianBlur(edge, (0, 0), LINE_SIGMA_CELLS).astype(np.float32)
            edge[:] = np.minimum(blurred * 1.7, 255)
    known = (present != 255).astype(np.float32)
    return {
        "edges": edges,
        "edge_weight": known * np.where(present == 1, weight, 1.0).astype(np.float32),
        "line_present": (present == 1).astype(np.float32),
        "line_known": known,
    }
