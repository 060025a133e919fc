"""A synthetic patient: a random person of the project's own face model, rendered with the truth beside it.

What is known exactly: head pose, the optical axis of each eye, and where the lid margins are.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from dmask import _core
from dmask.axes import HEAD_TO_CAMERA, KAPPA_DEG, gaze_axis
from dmask.environment import MODELS_DIR
from dmask.io import container

EYES = ("od", "os")
GLOBE_RADIUS_MM, IRIS_RADIUS_MM = 12.0, 5.85
LID_MOTIONS = {"smile": "cheek_squint", "squint": "squint", "lids_down": "look_down"}  # of Pose
SHUT_MM = 0.3  # an opening below it counts as shut


@dataclass
class Pose:
    """What the patient does in one frame. Angles as in frames.csv; closure 0 (open) to 1 (shut)."""

    head_yaw_deg: float = 0.0
    head_pitch_deg: float = 0.0
    head_roll_deg: float = 0.0
    od_yaw_deg: float = 0.0
    od_pitch_deg: float = 0.0
    os_yaw_deg: float = 0.0
    os_pitch_deg: float = 0.0
    od_closure: float = 0.0
    os_closure: float = 0.0
    smile: float = 0.0  # 0 to 1: the mouth, the cheeks, and the lower lids with them
    squint: float = 0.0  # 0 to 1: lids that narrow without shutting
    lids_down: float = 0.0  # 0 to 1: both margins as in a far look down
    units: dict[str, float] = field(default_factory=dict)  # motion units by name besides, 0 to 1


class SyntheticPatient:
    """A person drawn by `seed`; `render` gives frames of `size` = (width, height) px.

    `ptosis` is the drooping of the upper lid, (OD, OS), 0 none to about 1. `place_mm` is where the midpoint
    of the eyes is, in the camera frame.
    """

    def __init__(
        self,
        seed: int = 0,
        size: tuple[int, int] = (720, 720),
        hfov_deg: float = 40.0,
        ptosis: tuple[float, float] = (0.0, 0.0),
        place_mm: tuple[float, float, float] = (0.0, -20.0, 420.0),
        iris_radius_mm: float = IRIS_RADIUS_MM,
    ):
        face = container.read(MODELS_DIR / "face.dmm")
        self._lid = container.read(MODELS_DIR / "eyelid.dmm")
        self._unit_names = container.to_strings(face["unit_names"])
        self._size, self._ptosis, self._place_mm = size, ptosis, np.array(place_mm)
        self._iris_radius_mm = iris_radius_mm
        self._iris_plane_mm = float(
            np.sqrt(GLOBE_RADIUS_MM**2 - iris_radius_mm**2)
        )  # from the globe's centre
        self._focal_px = 0.5 * size[0] / float(np.tan(np.radians(hfov_deg / 2)))
        random = np.random.default_rng(seed)
        identity = 0.7 * random.standard_normal(50)
        self._identity = identity.astype(np.float32)
        self._centres = {}  # of the eyeballs, head frame, mm
        for eye, mirror, slope in (("od", -1, "centre_from_identity_od"), ("os", 1, "centre_from_identity")):
            self._centres[eye] = self._lid["centre_os"] * [mirror, 1, 1] + identity @ self._lid[slope][:50]
        modes = face["identity_q"][:50] * face["identity_step"][:50, None, None]
        neutral = face["mean"] + np.tensordot(identity, modes, 1)
        self._shapes = {eye: self._lid_shape(eye, neutral) for eye in EYES}
        eyes = {
            eye: _core.MaskEye(
                self._shapes[eye].astype(np.float32),
                self._centres[eye].astype(np.float32),
                iris_radius_mm=iris_radius_mm,
            )
            for eye in EYES
        }
        subject = _core.MaskSubject(identity.astype(np.float32), eyes["od"], eyes["os"], hfov_deg=hfov_deg)
        self._mean, self._triangles = face["mean"], face["triangles"]
        self.landmark_rows = face["landmarks68"]  # (68,) the vertices that the face model names
        self._renderer = _core.MaskRenderer(subject, str(MODELS_DIR))
        self._patch_rows = {}
        count = len(face["mean"])
        for eye in EYES:  # vertices that the patch adds follow the face's, OD's first
            rows = self._lid[f"face_vertex_{eye}"].copy()
            added = rows < 0
            rows[added] = count + np.arange(added.sum())
            count += int(added.sum())
            self._patch_rows[eye] = rows

    def render(self, pose: Pose) -> tuple[np.ndarray, dict[str, float]]:
        """(frame (H, W, 3) uint8 BGR, truth), truth being named as in frames.csv."""
        rotation, translation = self.head_pose(pose)
        turn = cv2.Rodrigues(HEAD_TO_CAMERA @ rotation)[0].ravel()
        row = [1.0, *turn, *translation, *self.face_motion(pose)]
        for eye, ptosis in zip(EYES, self._ptosis, strict=True):
            yaw, pitch = (np.radians(getattr(pose, f"{eye}_{axis}_deg")) for axis in ("yaw", "pitch"))
            row += [1.0, yaw, pitch, *self._lid_motion(eye, getattr(pose, f"{eye}_closure"), ptosis, pose)]
        frame = self._renderer.render(np.array(row, np.float32), *self._size)
        head = (self._renderer.vertices() - translation) @ rotation
        truth = {
            "head_yaw_deg": pose.head_yaw_deg,
            "head_pitch_deg": pose.head_pitch_deg,
            "head_roll_deg": pose.head_roll_deg,
        }
        truth |= dict(zip(("head_x_mm", "head_y_mm", "head_z_mm"), map(float, self._place_mm), strict=True))
        for eye in EYES:
            truth |= self._eye_truth(eye, pose, head)
        return frame, truth

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the frames, px."""
        return self._size

    @property
    def identity(self) -> np.ndarray:
        """(50,) weights of the face model's identity modes."""
        return self._identity.copy()

    @property
    def iris_radius_mm(self) -> float:
        return self._iris_radius_mm

    @property
    def focal_px(self) -> float:
        return self._focal_px

    def mesh(self) -> tuple[np.ndarray, np.ndarray]:
        """(N, 3) mm of the mean person's vertices, head frame, and (T, 3) triangles of the mesh."""
        return self._mean.copy(), self._triangles.copy()

    def at_rest(self) -> np.ndarray:
        """(N, 3) mm of this person's vertices, head frame, with lids open."""
        pose = Pose()
        self.render(pose)
        rotation, translation = self.head_pose(pose)
        points: np.ndarray = (self._renderer.vertices() - translation) @ rotation
        return points

    def lid_rows(self, eye: str, line: str) -> np.ndarray:
        """Rows of the vertices along `upper_margin`, `lower_margin`, `upper_lash` or `lower_lash`, inner to
        outer."""
        rows: np.ndarray = self._patch_rows[eye][self._lid[line]]
        return rows

    def vertices(self) -> np.ndarray:
        """(N, 3) mesh of the last rendered frame, camera frame, mm."""
        return self._renderer.vertices()

    def in_picture(self, head_mm: np.ndarray, pose: Pose) -> np.ndarray:
        """(N, 2) px of (N, 3) points of the head frame, mm; its origin is near the nasion."""
        rotation, translation = self.head_pose(pose)
        return self._projected(head_mm @ rotation.T + translation)

    def eye_centre(self, eye: str) -> np.ndarray:
        """(3,) of the eyeball, head frame, mm."""
        centre: np.ndarray = self._centres[eye].copy()
        return centre

    def pupil(self, eye: str, pose: Pose) -> np.ndarray:
        """(3,) centre of the iris, head frame, mm."""
        yaw_deg, pitch_deg = getattr(pose, f"{eye}_yaw_deg"), getattr(pose, f"{eye}_pitch_deg")
        centre: np.ndarray = self._centres[eye] + self._iris_plane_mm * gaze_axis(yaw_deg, pitch_deg)
        return centre

    def limbus(self, eye: str, pose: Pose) -> np.ndarray:
        """(19, 3) head frame, mm: centre of the iris, then the limbus clockwise from 12 o'clock, as a camera
        before the face sees it."""
        axis = np.array(gaze_axis(getattr(pose, f"{eye}_yaw_deg"), getattr(pose, f"{eye}_pitch_deg")))
        left = np.cross([0.0, 1.0, 0.0], axis)  # of the patient: right in the picture
        left /= np.linalg.norm(left)
        angle = np.radians(20 * np.arange(18))[:, None]
        ring = np.sin(angle) * left + np.cos(angle) * np.cross(axis, left)
        return self.pupil(eye, pose) + self._iris_radius_mm * np.vstack([np.zeros(3), ring])

    def margins(self, eye: str) -> tuple[np.ndarray, np.ndarray]:
        """(N, 2) px of the upper and the lower margin, inner to outer, in the last rendered frame."""
        return self._lid_line(eye, "upper_margin"), self._lid_line(eye, "lower_margin")

    def lash_lines(self, eye: str) -> tuple[np.ndarray, np.ndarray]:
        """(N, 2) px where the lashes of the upper and the lower lid grow, in the last rendered frame."""
        return self._lid_line(eye, "upper_lash"), self._lid_line(eye, "lower_lash")

    def _lid_line(self, eye: str, line: str) -> np.ndarray:
        return self._projected(self._renderer.vertices()[self.lid_rows(eye, line)].astype(np.float64))

    def lid_outline(self, eye: str) -> np.ndarray:
        """(N, 2) px around the opening of an eye in the last rendered frame."""
        upper, lower = self.margins(eye)
        return np.vstack([upper, lower[::-1]])

    def fixation(self, eye: str, pose: Pose) -> tuple[float, float]:
        """Yaw and pitch of the optical axis of an eye that looks into the camera, in degrees."""
        rotation, translation = self.head_pose(pose)
        x, y, z = -rotation.T @ translation - self._centres[eye]
        temporal = 1 if eye == "os" else -1
        yaw_deg = np.degrees(np.arctan2(x, z)) + temporal * KAPPA_DEG
        return float(yaw_deg), float(np.degrees(np.arctan2(y, np.hypot(x, z))))

    def head_pose(self, pose: Pose) -> tuple[np.ndarray, np.ndarray]:
        """R (3, 3) and t (3,) mm, head frame to camera frame."""
        rotation = _core.head_rotation(pose.head_yaw_deg, pose.head_pitch_deg, pose.head_roll_deg)
        return rotation, self._place_mm - rotation @ (0.5 * (self._centres["od"] + self._centres["os"]))

    def _projected(self, camera_mm: np.ndarray) -> np.ndarray:
        middle = 0.5 * (np.array(self._size) - 1)
        xy: np.ndarray = self._focal_px * camera_mm[:, :2] / camera_mm[:, 2:] + middle
        return xy

    def face_motion(self, pose: Pose) -> np.ndarray:
        """(M,) w_fm: what smile and squint move besides the lids, and units of their own."""
        amount = {"mouthSmile": pose.smile, "cheekSquint": pose.smile, "eyeSquint": pose.squint}
        return np.array(
            [amount.get(name.rsplit("_", 1)[0], 0.0) + pose.units.get(name, 0.0) for name in self._unit_names]
        )

    def _lid_shape(self, eye: str, neutral: np.ndarray) -> np.ndarray:
        """w_es that suits the person's own face (N, 3): ridge regression, prior N(0, 1), noise 0.5 mm."""
        rows, mirror = self._lid[f"face_vertex_{eye}"], [1 if eye == "os" else -1, 1, 1]
        known = rows >= 0
        wanted = (neutral[rows[known]] - self._centres[eye]) * mirror - self._lid["template"][known]
        basis = self._lid["shape"][:, known].reshape(len(self._lid["shape"]), -1)
        normal = basis @ basis.T / 0.25 + np.eye(len(basis)) * len(wanted)
        return np.linalg.solve(normal, basis @ wanted.ravel() / 0.25)

    def _lid_motion(self, eye: str, closure: float, ptosis: float, pose: Pose) -> np.ndarray:
        """w_em of a lid: open, half shut, shut along the blink's path; the rest as far as it is open."""
        middle, full = (
            self._named(name)
            + self._shapes[eye] @ self._lid[f"{name}_from_shape"]  # lids of every shape meet
            for name in ("blink_mid", "blink_full")
        )
        blink = 2 * closure * middle if closure < 0.5 else middle + (2 * closure - 1) * (full - middle)
        narrow = ptosis * self._named("ptosis")
        for name in ("smile", "squint", "lids_down"):
            if amount := getattr(pose, name):
                narrow = narrow + amount * self._named(LID_MOTIONS[name])
        motion: np.ndarray = blink + (1 - closure) * narrow
        return motion

    def _named(self, name: str) -> np.ndarray:
        names = container.to_strings(self._lid["named_motion_names"])
        weights: np.ndarray = self._lid["named_in_motion"][names.index(name)].astype(np.float64)
        return weights

    def _eye_truth(self, eye: str, pose: Pose, head: np.ndarray) -> dict[str, float]:
        """Margins along the head's y at the pupil, as the tracker defines MRD1, MRD2 and PFH."""
        yaw_deg, pitch_deg = getattr(pose, f"{eye}_yaw_deg"), getattr(pose, f"{eye}_pitch_deg")
        pupil = self.pupil(eye, pose)
        margins = [head[self.lid_rows(eye, line)] for line in ("upper_margin", "lower_margin")]
        upper, lower = (margin_height(points, pupil[0]) for points in margins)
        shut = upper - lower < SHUT_MM
        return {
            f"{eye}_yaw_deg": yaw_deg,
            f"{eye}_pitch_deg": pitch_deg,
            f"{eye}_mrd1_mm": float("nan") if shut else float(upper - pupil[1]),
            f"{eye}_mrd2_mm": float("nan") if shut else float(pupil[1] - lower),
            f"{eye}_pfh_mm": 0.0 if shut else float(upper - lower),
            f"{eye}_openness": 0.0 if shut else openness(*margins),
        }


def openness(upper: np.ndarray, lower: np.ndarray) -> float:
    """The largest opening along the head's y between two margins (N, 3), over the width between the ends."""
    inner, outer = upper[np.argmin(upper[:, 0])], upper[np.argmax(upper[:, 0])]
    across = np.linspace(inner[0], outer[0], 50)[1:-1]
    gap = max(margin_height(upper, x_mm) - margin_height(lower, x_mm) for x_mm in across.tolist())
    return max(0.0, float(gap / np.linalg.norm(outer - inner)))


def margin_height(points: np.ndarray, x_mm: float) -> float:
    """y of the line through (N, 3) points at `x_mm`."""
    order = np.argsort(points[:, 0])
    return float(np.interp(x_mm, points[order, 0], points[order, 1]))
