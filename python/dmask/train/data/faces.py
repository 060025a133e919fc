"""Faces with 68 points: human labels, and machine labels brought into the human convention."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dmask.crops import FACE_MARGIN, FACE_PX, similarity
from dmask.evaluate.held_out import is_validation
from dmask.io.picture import read_named
from dmask.point_order import MIRROR_68, OUTER_CORNERS, POINT_GROUPS
from dmask.train.data import augment, covers
from dmask.train.data.convention import with_even_jaw

CACHE_PX, CACHE_MARGIN = 208, 1.6  # the cached square covers 1.6 crop sides: 130 px a crop
EYES_AGREE = 0.08  # of the canthal distance: two generations of Face Mesh tell the same eye
MACHINE_TRUST = 0.6  # of a machine's point, a person's being 1
HIDDEN_WEIGHT = 0.5  # of a point under a cover
# People's points lie this far right of what they mark, in pixels of the file: a net that learnt from pictures
# and their mirror images finds it all over the face, one that saw renders alone too; neither finds one down.
LABELS_RIGHT_PX = 1.17

# Face Mesh: the same points of both generations, OD then OS, outer canthus .. inner canthus.
UPPER_OD = (33, 246, 161, 160, 159, 158, 157, 173, 133)
LOWER_OD = (33, 7, 163, 144, 145, 153, 154, 155, 133)
UPPER_OS = (263, 466, 388, 387, 386, 385, 384, 398, 362)
LOWER_OS = (263, 249, 390, 373, 374, 380, 381, 382, 362)
IRIS_OD, IRIS_OS = (468, 469, 470, 471, 472), (473, 474, 475, 476, 477)


@dataclass
class Faces:
    """image_xy (N,68,2) points in pixels of the file; human (N) whether a person set them."""

    paths: list[Path]
    image_xy: NDArray[np.float32]
    human: NDArray[np.bool_]

    def take(self, index: NDArray[np.intp]) -> Faces:
        return Faces([self.paths[i] for i in index], self.image_xy[index], self.human[index])


def read_human(root: Path) -> Faces:
    """The human-labelled sets under `root` (folders with landmarks68.csv and images/)."""
    paths, points = [], []
    for table in sorted(root.glob("*/landmarks68.csv")):
        with table.open(newline="") as file:
            for row in list(csv.reader(file))[1:]:
                paths.append(table.parent / "images" / row[0])
                points.append(np.array(row[1:], np.float32).reshape(68, 2))
    if not paths:
        raise FileNotFoundError(f"no */landmarks68.csv under {root}; expected the folder faces68 of the data")
    return Faces(paths, np.stack(points), np.ones(len(paths), bool))


@dataclass
class MeshLabels:
    """Face Mesh points of both generations in pixels; v1 holds lids and irises only, at indices v1_index."""

    images: list[str]
    v2_xy: NDArray[np.float32]  # (N,478,2)
    v1_xy: NDArray[np.float32]  # (N,42,2)
    v1_index: NDArray[np.intp]
    presence: NDArray[np.float32]  # (N,2)

    def eye_disagreement(self) -> NDArray[np.float32]:
        """(N,2) OD, OS: mean distance of both generations' lid and iris points over the canthal distance."""
        column = {int(i): k for k, i in enumerate(self.v1_index)}
        out = []
        for ids in ((*UPPER_OD, *LOWER_OD, *IRIS_OD), (*UPPER_OS, *LOWER_OS, *IRIS_OS)):
            gap = self.v2_xy[:, list(ids)] - self.v1_xy[:, [column[i] for i in ids]]
            width = np.linalg.norm(self.v2_xy[:, ids[0]] - self.v2_xy[:, ids[8]], axis=1)
            out.append(np.linalg.norm(gap, axis=2).mean(1) / np.maximum(width, 1))
        return np.stack(out, 1)


def read_mesh_labels(path: Path) -> MeshLabels:
    with np.load(path) as z:
        step = float(z["step_px"])
        return MeshLabels(
            [str(name) for name in z["image"]],
            z["v2_xy_q"].astype(np.float32) * step,
            z["v1_eyes_xy_q"].astype(np.float32) * step,
            z["v1_eyes_index"].astype(np.intp),
            z["presence"],
        )


def align(xy: NDArray[np.float32], reference: NDArray[np.float32]) -> NDArray[np.float64]:
    """(N,2,3) similarities that bring each point set (N,K,2) closest to the reference (K,2)."""
    out = np.empty((len(xy), 2, 3))
    r = reference - reference.mean(0)
    for i, p in enumerate(np.asarray(xy, np.float64)):
        q = p - p.mean(0)
        norm = (q**2).sum()
        a, b = (q * r).sum() / norm, (q[:, 0] * r[:, 1] - q[:, 1] * r[:, 0]).sum() / norm
        m = np.array([[a, -b], [b, a]])
        out[i] = np.column_stack([m, reference.mean(0) - m @ p.mean(0)])
    return out


class MeshTo68:
    """Face Mesh -> iBUG-68 by PCA and ridge regression, learnt where both exist (they differ by 4-6 %)."""

    def __init__(self, mesh_xy: NDArray, xy68: NDArray, modes: int = 60, ridge: float = 3e-3) -> None:
        reference = mesh_xy[0].astype(np.float64)
        for _ in range(3):
            aligned = self._apply(align(mesh_xy, reference), mesh_xy)
            reference = aligned.mean(0)
            reference = (reference - reference.mean(0)) / reference.std()
        self.reference = reference
        maps = align(mesh_xy, reference)
        x, y = self._apply(maps, mesh_xy).reshape(len(maps), -1), self._apply(maps, xy68)
        self.mean = x.mean(0)
        _, s, vt = np.linalg.svd(x - self.mean, full_matrices=False)
        self.basis = vt[:modes].T / (s[:modes] / np.sqrt(len(x)))
        f = self._features(x)
        penalty = ridge * len(f) * np.diag([*np.ones(f.shape[1] - 1), 0.0])
        self.weights = np.linalg.solve(f.T @ f + penalty, f.T @ y.reshape(len(y), -1))

    @staticmethod
    def _apply(maps: NDArray, xy: NDArray) -> NDArray:
        return np.einsum("nij,nkj->nki", maps[:, :, :2], xy) + maps[:, None, :, 2]

    def _features(self, x: NDArray) -> NDArray:
        return np.column_stack([(x - self.mean) @ self.basis, np.ones(len(x))])

    def __call__(self, mesh_xy: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N,478,2) -> (N,68,2), in the same pixels."""
        maps = align(mesh_xy, self.reference)
        y = (self._features(self._apply(maps, mesh_xy).reshape(len(maps), -1)) @ self.weights).reshape(
            -1, 68, 2
        )
        linear = np.linalg.inv(maps[:, :, :2])
        return np.einsum("nij,nkj->nki", linear, y - maps[:, None, :, 2]).astype(np.float32)


def mesh_of(faces: Faces, data: Path) -> NDArray[np.float32]:
    """(N,478,2) machine points of human-labelled faces, in the order of `faces`."""
    by_name: dict[tuple[str, str], NDArray[np.float32]] = {}
    for name in sorted({path.parent.parent.name for path in faces.paths}):
        labels = read_mesh_labels(data / f"facemesh_labels_faces68_{name}.npz")
        by_name |= {(name, image): xy for image, xy in zip(labels.images, labels.v2_xy, strict=True)}
    return np.stack([by_name[path.parent.parent.name, path.name] for path in faces.paths])


def unbiased(faces: Faces) -> Faces:
    """People's points moved left to what they mark, so that a picture and its mirror image agree."""
    return Faces(faces.paths, faces.image_xy - np.array([LABELS_RIGHT_PX, 0], np.float32), faces.human)


def split_human(data: Path) -> tuple[Faces, Faces]:
    """Training and validation part of the human-labelled faces."""
    faces = read_human(data / "faces68")
    held_out = np.array([is_validation(path.name) for path in faces.paths])
    return faces.take(np.flatnonzero(~held_out)), faces.take(np.flatnonzero(held_out))


def machine_faces(data: Path, human: Faces, gate: float) -> tuple[Faces, NDArray[np.bool_]]:
    """Unlabelled faces, machine labels in the human convention, where two generations of Face Mesh agree.

    `gate`: on the eyes, to this share of the canthal distance. And whether each agrees to EYES_AGREE.
    """
    to68 = MeshTo68(mesh_of(human, data), human.image_xy)
    labels = read_mesh_labels(data / "facemesh_labels_faces_unlabelled.npz")
    disagreement = labels.eye_disagreement().max(1)
    good = (labels.presence.min(1) > 0.9) & (disagreement < gate)
    good &= np.array([not is_validation(image) for image in labels.images])
    index = np.flatnonzero(good)
    paths = [data / "faces_unlabelled" / labels.images[i] for i in index]
    people = Faces(paths, to68(labels.v2_xy[index]), np.zeros(len(index), bool))
    return people, disagreement[index] < EYES_AGREE


def face_box(xy: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """Centre and side of the square crop around 68 points (68,2)."""
    low, high = xy.min(0), xy.max(0)
    return (low + high) / 2, float(FACE_MARGIN * (high - low).max())


def shrink(image: NDArray[np.uint8], centre: NDArray, side: float, size_px: int) -> tuple[NDArray, NDArray]:
    """Square of `side` px around `centre` at size_px, not aliased; and the (2,3) map picture -> square."""
    scale = size_px / side
    matrix = similarity(scale, 0.0, centre, [(size_px - 1) / 2] * 2)
    if scale < 1:
        image = cv2.GaussianBlur(image, (0, 0), 0.45 * np.sqrt(1 / scale**2 - 1) + 1e-3)
    return augment.warp(image, matrix, size_px, size_px, cv2.BORDER_REPLICATE), matrix


def cache(faces: Faces) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """All faces once, shrunk: RGB (N,208,208,3) and points (N,68,2) in its pixels."""
    images = np.empty((len(faces.paths), CACHE_PX, CACHE_PX, 3), np.uint8)
    points = np.empty((len(faces.paths), 68, 2), np.float32)
    for i, path in enumerate(faces.paths):
        image = read_named(path)
        centre, side = face_box(faces.image_xy[i])
        small, matrix = shrink(image, centre, side * CACHE_MARGIN, CACHE_PX)
        images[i] = small[:, :, ::-1]
        points[i] = augment.transform(matrix, faces.image_xy[i])
    return images, points


# RGB crops (N,128,128,3) uint8 -> points (N,68,2) in their pixels.
Predictor = Callable[[NDArray[np.uint8]], NDArray[np.float64]]


def taught(faces: Faces, teacher: Predictor) -> NDArray[np.float32]:
    """(N,68,2) picture pixels where an earlier net sees the points, averaged with the mirrored picture's.

    The mean of two labellers that err differently is better than either: Face Mesh's map and the net's own.
    """
    crops, _, scales = validation_crops(faces)
    xy = np.asarray(teacher(crops))
    mirrored = np.asarray(teacher(np.ascontiguousarray(crops[:, :, ::-1])))[:, MIRROR_68]
    mirrored[..., 0] = FACE_PX - 1 - mirrored[..., 0]
    xy = 0.5 * (xy + mirrored) - (FACE_PX - 1) / 2
    centres = np.stack([face_box(p)[0] for p in faces.image_xy])
    return (xy / scales[:, None, None] + centres[:, None]).astype(np.float32)


COVER_SHARE, PATCH_SHARE, DIM_SHARE = 0.35, 0.2, 0.18  # of the training crops, at full strength
TURNED_SHARE = 0.08  # lying or upside down: nothing of a face is where it should be


def put_before(
    image: NDArray[np.uint8],
    xy: NDArray[np.float32],
    donors: NDArray[np.uint8],
    rng: np.random.Generator,
    strength: float,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A mask, a hand, a patch of another face before this one, at times; which points (68) it hides."""
    donor = donors[int(rng.integers(len(donors)))]
    draw = rng.random() / (0.4 + 0.6 * strength)
    if draw < COVER_SHARE:
        return covers.cover_face(image, xy, rng, donor)
    if draw < COVER_SHARE + PATCH_SHARE:
        return augment.occlude(image, xy, rng, donor)
    return image, np.zeros(len(xy), bool)


def worsen(image: NDArray[np.uint8], rng: np.random.Generator, strength: float) -> NDArray[np.uint8]:
    """What camera and light do to a crop, and what the core does about little light."""
    image = augment.degrade(image, rng, strength)
    if rng.random() < DIM_SHARE * (0.4 + 0.6 * strength):
        image = augment.dim(image, rng)
    return augment.brighten(image)


def turned_over(
    crop: NDArray[np.uint8],
    picture: NDArray[np.uint8],
    xy: NDArray[np.float32],
    rng: np.random.Generator,
    strength: float,
) -> NDArray[np.uint8]:
    """A crop that is no upright face: the crop lying or upside down, or what a tracker takes for one.

    Behind a mask, eyes and forehead make a face upside down whose chin is the hair: its points are the real
    ones, reflected at the middle of the eyes.
    """
    if rng.random() < 0.5:
        return np.rot90(crop, rng.integers(1, 4))
    eyes = xy[36:48].mean(0)
    upside_down, _, _ = jittered_crop(picture, 2 * eyes - xy, rng, strength, np.pi)
    return worsen(upside_down, rng, strength)


@dataclass
class Photographs:
    """Training faces once, shrunk: pictures (N,208,208,3), points (N,68,2), and how far those are trusted.

    trust (N): 1 for a person's points, MACHINE_TRUST for a machine's, 0 where two machines disagree.
    The first `human_count` are people's.
    """

    images: NDArray[np.uint8]
    points: NDArray[np.float32]
    trust: NDArray[np.float32]
    human_count: int


def read_photographs(
    data: Path,
    teacher: Predictor | None = None,
    extra: Faces | None = None,  # more human-labelled faces, none of whom validates
    gate: float = EYES_AGREE,  # of the machines' disagreement about the eyes; inf takes all faces
) -> Photographs:
    human = unbiased(split_human(data)[0])
    machine, agreed = machine_faces(data, human, gate)
    if teacher is not None:
        machine.image_xy = 0.5 * (machine.image_xy + taught(machine, teacher))
    parts = [cache(people) for people in (human, extra, machine) if people is not None]
    human_count = sum(len(part[0]) for part in parts[:-1])
    trust = np.concatenate([np.ones(human_count), np.where(agreed, MACHINE_TRUST, 0)])
    images, points = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Photographs(images, points, trust.astype(np.float32), human_count)


class FaceSampler:
    """Random training crops; batch(rng, n, strength) -> arrays for the loss.

    clean: besides, the crops as they were before covers and bad light, for a teacher to look at.
    """

    def __init__(self, photographs: Photographs, machine_share: float = 0.35, clean: bool = False) -> None:
        self.faces, self.machine_share, self.clean = photographs, machine_share, clean

    def batch(self, rng: np.random.Generator, n: int, strength: float = 1.0) -> dict[str, NDArray]:
        images, points = self.faces.images, self.faces.points
        crops = Crops(n, self.clean)
        for i in range(n):
            machine = rng.random() < self.machine_share * (0.3 + 0.7 * strength)
            first, last = (self.faces.human_count, len(images)) if machine else (0, self.faces.human_count)
            k = int(rng.integers(first, last))
            crop, xy, _ = jittered_crop(images[k], points[k], rng, strength)
            covered, hidden = put_before(crop, xy, images, rng, strength)
            crops.put(i, crop, worsen(covered, rng, strength), xy, ~hidden, float(self.faces.trust[k]))
            if rng.random() < TURNED_SHARE:
                crops.put_unseen(i, turned_over(crops.image[i], images[k], points[k], rng, strength))
        return crops.batch()


class Crops:
    """Training crops and their labels, put in one by one."""

    def __init__(self, n: int, clean: bool) -> None:
        self.image = np.empty((n, FACE_PX, FACE_PX, 3), np.uint8)
        self.clean = np.empty_like(self.image) if clean else None
        self.xy = np.empty((n, 68, 2), np.float32)
        self.visible = np.empty((n, 68), bool)
        self.weight = np.empty((n, 68), np.float32)
        self.taught = np.ones((n, 68), np.float32)

    def put(
        self,
        i: int,
        clean: NDArray[np.uint8],
        image: NDArray[np.uint8],
        xy: NDArray[np.float32],
        visible: NDArray[np.bool_],
        trust: float,
    ) -> None:
        self.image[i], self.xy[i], self.visible[i] = image, xy, visible
        self.weight[i] = np.where(visible, 1.0, HIDDEN_WEIGHT) * trust
        if self.clean is not None:
            self.clean[i] = clean

    def put_unseen(self, i: int, image: NDArray[np.uint8]) -> None:
        """A picture of no upright face in the place of the one that was put there."""
        self.image[i], self.visible[i], self.weight[i], self.taught[i] = image, False, 0, 0

    def batch(self) -> dict[str, NDArray]:
        out = {
            "image": self.image,
            "xy_px": self.xy,
            "weight": self.weight,
            "visible": self.visible.astype(np.float32),
            "known": np.ones_like(self.weight),
        }
        return out if self.clean is None else out | {"clean": self.clean, "taught": self.taught}


def read_synthetic_faces(
    files: list[Path],
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.bool_]]:
    """Rendered faces (dmask train render-faces): RGB (N,208,208,3), points (N,68,2), visible (N,68).

    The points are where the order of the 68 puts them.
    """
    if not files:
        raise FileNotFoundError("no files of rendered faces; expected those of dmask train render-faces")
    parts = []
    for file in files:
        with np.load(file) as z:
            parts.append((z["images"], with_even_jaw(z["xy"]), z["visible"] > 0))
    images, points, visible = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    if images.shape[1:] != (CACHE_PX, CACHE_PX, 3):
        raise ValueError(f"{files[0]}: got pictures {images.shape[1:]}, expected {CACHE_PX} px; render anew")
    return images, points, visible


class SyntheticFaceSampler:
    """Training crops of rendered faces alone; as FaceSampler's. Renders need stranger light than life."""

    def __init__(
        self,
        images: NDArray[np.uint8],
        points: NDArray[np.float32],
        visible: NDArray[np.bool_],
        clean: bool = False,
    ) -> None:
        self.images, self.points, self.visible, self.clean = images, points, visible, clean

    def batch(self, rng: np.random.Generator, n: int, strength: float = 1.0) -> dict[str, NDArray]:
        crops = Crops(n, self.clean)
        for i, k in enumerate(rng.integers(0, len(self.images), n)):
            picture, points = self.images[k], self.points[k]
            crop, xy, order = jittered_crop(picture, points, rng, strength)
            covered, hidden = put_before(crop, xy, self.images, rng, strength)
            covered = augment.restyle(covered, rng, strength)
            visible = self.visible[k][order] & ~hidden
            crops.put(i, crop, worsen(covered, rng, strength), xy, visible, 1.0)
            if rng.random() < TURNED_SHARE:
                crops.put_unseen(i, turned_over(crops.image[i], picture, points, rng, strength))
        return crops.batch()


class MixedFaceSampler:
    """Crops of photographs, and of patients rendered as a camera sees them, which no teacher knows better.

    Photographs alone teach the contour: where people put it against a mesh is not known.
    """

    def __init__(self, photographs: FaceSampler, patients: SyntheticFaceSampler, share: float) -> None:
        self.photographs, self.patients, self.share = photographs, patients, share

    def batch(self, rng: np.random.Generator, n: int, strength: float = 1.0) -> dict[str, NDArray]:
        count = int(np.clip(rng.binomial(n, self.share), 1, n - 1))
        real, rendered = (
            self.photographs.batch(rng, n - count, strength),
            self.patients.batch(rng, count, strength),
        )
        if "taught" in rendered:
            rendered["taught"][:] = 0
        rendered["weight"][:, POINT_GROUPS["jaw"]] = 0
        return {name: np.concatenate([real[name], rendered[name]]) for name in real}


def synthetic_crops(file: Path) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Crops of rendered faces as in use: RGB (N,128,128,3), points in them (N,68,2)."""
    images, points, _ = read_synthetic_faces([file])
    crops, xy = [], []
    for image, p in zip(images, points, strict=True):
        small, matrix = shrink(image, *face_box(p), FACE_PX)
        crops.append(small)
        xy.append(augment.transform(matrix, p))
    return np.stack(crops), np.stack(xy)


def jittered_crop(
    image: NDArray[np.uint8],
    xy: NDArray[np.float32],
    rng: np.random.Generator,
    strength: float,
    turn_rad: float = 0.0,
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.intp]]:
    """The crop as the tracker would make it, with the errors of a tracker; mirrored half of the time.

    Returns the crop, its points, and which of the picture's points (68) each of them was.
    """
    mirror = rng.random() < 0.5
    angle = turn_rad + np.deg2rad(30) * rng.uniform(-1, 1) * (0.4 + 0.6 * strength)
    turned = augment.transform(similarity(1, angle, [0, 0], [0, 0], mirror), xy)
    centre, side = face_box(turned)
    spread = 0.5 + 0.5 * strength
    side *= 1 + 0.20 * spread * rng.uniform(-1, 1)
    centre = centre + 0.08 * spread * side * rng.uniform(-1, 1, 2)
    scale = FACE_PX / side
    matrix = similarity(scale, angle, [0, 0], [0, 0], mirror)
    matrix[:, 2] = (FACE_PX - 1) / 2 - scale * centre
    order = MIRROR_68 if mirror else np.arange(68)
    points = augment.transform(matrix, xy)[order]
    border = cv2.BORDER_CONSTANT if rng.random() < 0.5 else cv2.BORDER_REPLICATE
    return augment.warp(image, matrix, FACE_PX, FACE_PX, border), points, order


def validation_crops(faces: Faces) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """Crops as in use, from the labelled box: RGB (N,128,128,3), points in them, crop px per picture px."""
    images, points, scales = [], [], []
    for path, xy in zip(faces.paths, faces.image_xy, strict=True):
        centre, side = face_box(xy)
        small, matrix = shrink(read_named(path), centre, side, FACE_PX)
        images.append(small[:, :, ::-1])
        points.append(augment.transform(matrix, xy))
        scales.append(FACE_PX / side)
    return np.stack(images), np.stack(points), np.array(scales, np.float32)


def behind_masks(images: NDArray[np.uint8], xy: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The same crops with a mask or a scarf, drawn as in training, over each: always the same ones."""
    rng = np.random.default_rng(0)
    pairs = zip(images, xy, strict=True)
    return np.stack(
        [covers.mask_face(image, p, rng, images[int(rng.integers(len(images)))])[0] for image, p in pairs]
    )


def normalised_error(predicted: NDArray, xy: NDArray) -> NDArray[np.float64]:
    """(N) mean point-to-point distance over the distance of the outer eye corners."""
    corners = np.linalg.norm(xy[:, OUTER_CORNERS[0]] - xy[:, OUTER_CORNERS[1]], axis=1)
    return np.linalg.norm(predicted - xy, axis=2).mean(1) / corners
