"""A synthetic patient as a camera sees somebody: skin, hair, light and lens that the mask's renderer has not.

The truth is the patient's own (dmask.synthetic.patient): the mesh, the eyeballs and where they look. What is
drawn is drawn by the renderers of training: skin and hair by `render_faces`, the globe behind its refracting
cornea, tears and lashes by `render_eyes`, from ICT-FaceKit's regions and UnityEyes2's irises.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np

from dmask._core import gbuffer
from dmask.axes import HEAD_TO_CAMERA
from dmask.errors import Error, WrongUse
from dmask.point_order import POINT_GROUPS
from dmask.synthetic.patient import EYES, Pose, SyntheticPatient
from dmask.train.render_eyes.assets import EyeAssets, load_assets
from dmask.train.render_eyes.geometry import Cornea, LidState, gaze_axes, vertex_normals
from dmask.train.render_eyes.globe import draw_globe
from dmask.train.render_eyes.light import Light, Look, View, frame_of_light, shadow_map
from dmask.train.render_eyes.render import Pose as EyePose
from dmask.train.render_eyes.render import environment, sample_look
from dmask.train.render_eyes.shading import LashLine, draw_lashes, smooth_outlines
from dmask.train.render_faces import dress, paint
from dmask.train.render_faces.head import CENTRE_MM, spherical
from dmask.train.render_faces.render import (
    HIDDEN_MM,
    NECK_MM,
    Head,
    Scene,
    draw_sheets,
    lit_by_key,
    load,
    marks_of,
    project,
    sample_lighting,
    shade,
)

CONTOUR = POINT_GROUPS["jaw"].stop  # the first of the 68 points
SKIN_ROWS = 11248  # the patient's first vertices are ICT-FaceKit's skin; the mouth's inside follows
HEAD_MM = 170.0  # around the head's centre: what is drawn, hair included
EYE_MM = 26.0  # around a globe's centre: what is drawn more finely
EYE_FINER = 2
DIP_MM = 0.2  # more than draw_globe's own: skin that dips into the globe by 0.3 mm at most is seen
GRAIN_PX, GRAIN_FINER = 512, 5.0  # of the skin's grain, on the painted map
MOUTH_ALBEDO = (0.16, 0.035, 0.03)
BACKGROUND_PX = 512
WITH_SPECTACLES, WITH_HAT, WITH_LINER = 0.2, 0.08, 0.2  # shares of the recordings
METERED = 0.27  # what the camera makes of the level that it meters, linear
LASH_POINTS = 24
LID_LINES = ("upper_margin", "lower_margin", "upper_lash", "lower_lash")
FREE_MM = (22.0, 16.0)  # beside, above and below a globe's centre: where no hair falls
MOST_GLOSS = 0.1
FLASH = 150.0  # a lamp beside the lens, as the cornea mirrors it, linear
FLASH_DEG = 2.5  # its radius as the eye sees it
BESIDE_FLASH = 0.3  # what is left of all other lights, as the camera meters the flash
FLASH_ENVIRONMENT_PX = 768  # all round: finer than what is mirrored else, which is no measure


@dataclass(frozen=True)
class StudioAssets:
    """What all recordings share."""

    face: Head
    eyes: EyeAssets

    @staticmethod
    def load(ict: Path, unityeyes2: Path, split: str = "validation") -> StudioAssets:
        """`split`: train or validation, whose irises.

        Raises WrongUse where a file is not there, Error where one is damaged.
        """
        folder = ict
        try:
            face = load(ict)
            folder = unityeyes2
            return StudioAssets(face, load_assets(unityeyes2, split))
        except FileNotFoundError as error:
            raise WrongUse(f"{folder} is not whole: {error}; name the folder as it was published") from None
        except (BadZipFile, ValueError, KeyError, OSError) as error:
            raise Error(f"{folder} is damaged: {error}; copy it again") from None


@dataclass(frozen=True)
class Lens:
    """What the camera does to each frame of a recording."""

    exposure: float
    cast: np.ndarray  # (3)
    shoulder: float
    gamma: float
    contrast: float
    saturation: float
    blur_px: float
    sharpening: float
    noise: float  # of the encoded picture, 0..1
    jpeg: int | None  # quality

    @staticmethod
    def sample(rng: np.random.Generator) -> Lens:
        return Lens(
            exposure=float(2 ** np.clip(rng.normal(0, 0.45), -1.2, 1.0)),
            cast=np.exp(rng.normal(0, 0.06, 3)).astype(np.float32),
            shoulder=float(rng.uniform(0, 0.5)),
            gamma=float(rng.uniform(1.9, 2.5)),
            contrast=float(rng.uniform(0.85, 1.3)),
            saturation=float(rng.uniform(0.6, 1.3)),
            blur_px=float(rng.uniform(0.3, 1.2)),
            sharpening=float(max(0.0, rng.uniform(-0.6, 0.6))),
            noise=float(min(rng.exponential(0.008), 0.04)),
            jpeg=int(rng.integers(60, 96)) if rng.random() < 0.6 else None,
        )

    def develop(self, linear: np.ndarray, metered: float, rng: np.random.Generator) -> np.ndarray:
        """uint8 BGR of a linear RGB frame (h,w,3)."""
        # Cameras meter the scene, not only the skin: dark skin stays darker.
        level = linear * (np.float32(METERED / (metered**0.75 * 0.25**0.25) * self.exposure) * self.cast)
        toned = (1 - self.shoulder) * level + self.shoulder * 1.4 * level / (0.5 + level)
        picture = np.clip(toned, 0, 1).astype(np.float32) ** np.float32(1 / self.gamma)
        picture = 0.45 + (picture - 0.45) * np.float32(self.contrast)
        grey = picture.mean(-1, keepdims=True)
        picture = grey + np.float32(self.saturation) * (picture - grey)
        picture = cv2.GaussianBlur(picture, (0, 0), self.blur_px)
        if self.sharpening > 0:
            picture += np.float32(self.sharpening) * (picture - cv2.GaussianBlur(picture, (0, 0), 1.2))
        picture += rng.standard_normal(picture.shape, dtype=np.float32) * np.float32(self.noise)
        frame = np.clip(np.round(picture[:, :, ::-1] * 255), 0, 255).astype(np.uint8)
        if self.jpeg is not None:
            frame = cv2.imdecode(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, self.jpeg])[1], 1)
        return frame


class Studio:
    """A recording of `patient`; what does not change from frame to frame is drawn from `seed`."""

    def __init__(
        self,
        patient: SyntheticPatient,
        assets: StudioAssets,
        seed: int,
        lens: Lens | None = None,
        fringe: bool = False,
        flash: bool = False,
    ) -> None:
        """`fringe`: hair may fall before the eyes. `flash`: the corneas mirror a lamp beside the lens.

        `lens` is drawn where None is given.
        """
        rng = np.random.default_rng([seed, 1])
        self.patient, self.face, self.seed = patient, assets.face, seed
        self.lens = lens or Lens.sample(rng)
        self.light = sample_lighting(rng)
        skin, hair = paint.tone(rng), paint.hair_colour(rng)
        towards = HEAD_TO_CAMERA @ self.light.key.towards
        self.albedo, self.brows, self.gloss = paint.paint(
            assets.face.regions, skin, hair, np.array([towards[0], -towards[1]]), rng
        )
        self.gloss = min(self.gloss, MOST_GLOSS)
        self.grain = sum(paint.noise(kind, GRAIN_PX, GRAIN_PX, rng) for kind in ("pores", "fine"))
        self.rough = float(rng.uniform(0.0, 0.06))
        mean, self.triangles = patient.mesh()
        self.on_map = paint.to_map(spherical(mean)[:, :2])
        self.open = np.full(len(mean), 0.25, np.float32)  # little light gets into the mouth
        self.open[:SKIN_ROWS] = assets.face.model.openness[:SKIN_ROWS]
        self.head = assets.face.model.mean_mm.copy()
        self.head[:SKIN_ROWS] = patient.at_rest()[:SKIN_ROWS]
        self.sheets = self._sheets(hair, fringe, rng)
        self.clothes = dress.make_clothes(skin, rng)
        self.spectacles = bool(rng.random() < WITH_SPECTACLES)
        self.liner = float(rng.uniform(0.4, 0.95)) if rng.random() < WITH_LINER else 0.0
        self.look, self.flash = self._look(skin, rng), flash
        self.iris = assets.eyes.iris(str(rng.choice(assets.eyes.iris_names)))
        falls_in = self.light.ambient + 0.6 * self.light.key.colour
        self.falls_in = np.asarray(falls_in, np.float32)
        self.behind = dress.make_background(rng, BACKGROUND_PX) * self.falls_in

    def _sheets(self, hair: np.ndarray, fringe: bool, rng: np.random.Generator) -> list[dress.Sheet]:
        """Hair, and perhaps a hat; without `fringe`, drawn anew until the eyes are free from in front."""
        while True:
            sheets = [dress.make_hair(self.face.model, self.head, hair, rng)]
            if rng.random() < WITH_HAT:
                sheets.append(dress.make_hat(self.face.model, self.head, rng))
            worn = [sheet for sheet in sheets if sheet is not None]
            if fringe or not any(self._before_eyes(sheet) for sheet in worn):
                return worn

    def _before_eyes(self, sheet: dress.Sheet) -> bool:
        centres = np.stack([self.patient.eye_centre(eye) for eye in EYES])
        apart = np.abs(sheet.points[:, None, :2] - centres[None, :, :2])
        return bool(((apart < FREE_MM).all(-1) & (sheet.points[:, None, 2] > centres[None, :, 2])).any())

    def _look(self, skin: np.ndarray, rng: np.random.Generator) -> Look:
        """Of the eyes, in this light; directions are in a frame x right, y up, z towards the camera."""
        lids = LidState(np.zeros(20), np.zeros(20), 0.0, 0.0, 0.0)
        own = sample_look(EyePose(0, 0, 0, 400, np.zeros(2), 0, 0, lids, False), skin, False, rng)
        lamp, others, ambient = self.light.key, self.light.others, self.light.ambient
        key = Light(HEAD_TO_CAMERA @ lamp.towards, lamp.colour, 1.0, self.light.shadow)
        fill = (
            Light(HEAD_TO_CAMERA @ others[0].towards, others[0].colour)
            if others
            else Light(key.direction, np.zeros(3))
        )
        return replace(
            own,
            key=key,
            fill=fill,
            ambient=ambient,
            ambient_up=-self.light.gradient[1] * ambient,
            environment=environment(ambient, key, rng),
        )

    def photograph(self, pose: Pose, number: int) -> tuple[np.ndarray, dict[str, float]]:
        """(frame (H, W, 3) uint8 BGR, truth) of frame `number`."""
        _, truth = self.patient.render(pose)
        scene = self._scene(pose)
        (x, y), side = self._square(pose)
        width, height = self.patient.size
        frame = cv2.resize(self.behind, (width, height), interpolation=cv2.INTER_LINEAR)
        outside = max(0, -x, -y, x + side - width, y + side - height)
        frame = cv2.copyMakeBorder(frame, *[outside] * 4, cv2.BORDER_REPLICATE)
        square = frame[y + outside : y + outside + side, x + outside : x + outside + side]
        linear = np.ascontiguousarray(square)
        f = self.patient.focal_px
        to_square = np.array([[f, 0, 0.5 * (width - 1) - x], [0, f, 0.5 * (height - 1) - y]])
        depth = self._draw_skin(scene, pose, to_square, linear)
        linear = smooth_outlines(linear, depth)
        for eye in EYES:
            shut = truth[f"{eye}_openness"] == 0
            self._draw_eye(scene, pose, eye, shut, to_square, linear)
        hidden = draw_sheets(linear, depth, scene, self.light, to_square)
        if self.spectacles:
            self._put_on_spectacles(pose, to_square, linear, hidden, depth)
        square[:] = linear
        self.drawn = depth, hidden, to_square
        middle = linear[side // 3 : -side // 3 : 4, side // 3 : -side // 3 : 4]
        metered = max(float(np.quantile(middle.mean(-1), 0.6)), 1e-3)
        frame = frame[outside : outside + height, outside : outside + width]
        rng = np.random.default_rng([self.seed, 2, number])
        return self.lens.develop(frame, metered, rng), truth

    def landmarks68(
        self, pose: Pose, convention_mm: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """(68, 2) px where people put the points in the last frame, and (68,) whether each is seen.

        `convention_mm`, (68, 3) of a landmarks.dmm: where people put them against the model's vertices;
        without it they lie on the mesh. The contour is the mesh's either way.
        """
        rotation, translation = self.patient.head_pose(pose)
        points = self.head.copy()
        points[:SKIN_ROWS] = (self.patient.vertices()[:SKIN_ROWS] - translation) @ rotation
        marks, flat = marks_of(self.face, points, self.brows, rotation, translation)
        if convention_mm is not None:
            named = self.patient.vertices()[self.patient.landmark_rows[CONTOUR:]].astype(np.float64)
            marks[CONTOUR:] = named + convention_mm[CONTOUR:] @ rotation.T
            flat[CONTOUR:] = marks[CONTOUR:, :2] / marks[CONTOUR:, 2:]
        depth, hidden, to_square = self.drawn
        at = flat @ to_square[:, :2].T + to_square[:, 2]
        column, row = np.rint(at).astype(int).T
        inside = (np.minimum(column, row) >= 0) & (np.maximum(column, row) < len(depth))
        row, column = np.clip(row, 0, len(depth) - 1), np.clip(column, 0, len(depth) - 1)
        front = cv2.dilate(np.minimum(depth, 1e5), np.ones((3, 3), np.uint8))[row, column]
        slack = np.where(np.arange(68) < CONTOUR, 4, 1) * HIDDEN_MM
        seen = inside & (marks[:, 2] < front + slack) & (hidden[row, column] < 0.5)
        width, height = self.patient.size
        return flat * self.patient.focal_px + 0.5 * (np.array([width, height]) - 1), seen

    def _square(self, pose: Pose) -> tuple[tuple[int, int], int]:
        """Corner and side of the square around the head, px of the frame."""
        at = self.patient.in_picture(CENTRE_MM[None] + [0, 0, 60.0], pose)[0]
        distance_mm = float(self.patient.head_pose(pose)[1][2])
        half = HEAD_MM * self.patient.focal_px / distance_mm
        x, y = np.floor(at - half).astype(int).tolist()
        return (x, y), int(2 * half) + 1

    def _scene(self, pose: Pose) -> Scene:
        rotation, translation = self.patient.head_pose(pose)
        points = self.patient.vertices().astype(np.float64)
        normals = vertex_normals(points, self.triangles, 1.0)
        outward = points - (CENTRE_MM @ rotation.T + translation)
        normals *= np.where((normals * outward).sum(1, keepdims=True) < 0, -1, 1)
        clothes = self.clothes.points @ HEAD_TO_CAMERA.T + (NECK_MM @ rotation.T + translation)
        return Scene(
            points=np.concatenate([points, clothes]),
            normals=np.concatenate([normals, self.clothes.normals @ HEAD_TO_CAMERA.T]),
            triangles=np.concatenate([self.triangles, self.clothes.triangles + len(points)]).astype(np.int32),
            sheets=[(s, s.points @ rotation.T + translation, s.normals @ rotation.T) for s in self.sheets],
        )

    def _draw_skin(self, scene: Scene, pose: Pose, to_box: np.ndarray, linear: np.ndarray) -> np.ndarray:
        """Head and clothes into the box (h,w,3), in place; returns their depth (h,w) mm."""
        height, width = linear.shape[:2]
        count = len(self.on_map)
        share = np.concatenate([self.open, np.ones(len(scene.points) - count)])
        on_map = np.concatenate([self.on_map, self.clothes.texture_px])
        columns = (on_map, scene.normals, share[:, None], scene.points)
        triangle, _, depth, surface = gbuffer(
            project(scene.points, to_box).astype(np.float32), scene.points[:, 2].astype(np.float32),
            scene.triangles, width, height, np.concatenate(columns, 1).astype(np.float32),
        )  # fmt: skip
        first = scene.triangles[:, 0][triangle]
        cloth, mouth = first >= count, (first >= SKIN_ROWS) & (first < count)
        at = np.ascontiguousarray(surface[..., :2])
        albedo = cv2.remap(self.albedo, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        grain = cv2.remap(self.grain, GRAIN_FINER * at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        albedo *= (1 + np.float32(self.rough) * grain)[..., None]
        garment = cv2.remap(self.clothes.texture, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        albedo[cloth], albedo[mouth] = garment[cloth], MOUTH_ALBEDO
        normal = np.ascontiguousarray(surface[..., 2:5])
        normal /= np.maximum(np.sqrt((normal * normal).sum(-1, keepdims=True)), 1e-6)
        place = np.ascontiguousarray(surface[..., 6:9])
        gloss = np.where(cloth | mouth, 0, np.float32(self.gloss)).astype(np.float32)
        lit = lit_by_key(scene, place, self.patient.head_pose(pose)[1], self.light)
        full = np.flatnonzero(triangle.ravel() >= 0)
        linear.reshape(-1, 3)[full] = shade(
            albedo.reshape(-1, 3)[full], normal.reshape(-1, 3)[full], surface.reshape(-1, 9)[full, 5],
            lit.ravel()[full], gloss.ravel()[full], self.light,
        )  # fmt: skip
        return np.asarray(depth)

    def _draw_eye(
        self,
        scene: Scene,
        pose: Pose,
        eye: str,
        shut: bool,
        to_square: np.ndarray,
        linear: np.ndarray,
    ) -> None:
        """Skin, globe and lashes around an eye, finely, into the square, in place."""
        rotation, translation = self.patient.head_pose(pose)
        centre = rotation @ self.patient.eye_centre(eye) + translation
        at = project(centre[None], to_square)[0]
        half = EYE_MM * self.patient.focal_px / centre[2]
        x0, y0 = np.clip(np.floor(at - half).astype(int), 0, len(linear)).tolist()
        x1, y1 = np.clip(np.ceil(at + half).astype(int), 0, len(linear)).tolist()
        if min(x1 - x0, y1 - y0) < 8:
            return
        to_box = EYE_FINER * (to_square - np.array([[0, 0, x0], [0, 0, y0]]))
        to_box[:, 2] += 0.5 * (EYE_FINER - 1)
        size = EYE_FINER * (x1 - x0), EYE_FINER * (y1 - y0)
        box = cv2.resize(linear[y0:y1, x0:x1], size, interpolation=cv2.INTER_LINEAR)
        depth = self._draw_skin(scene, pose, to_box, box)
        # The eye renderer's frame: x right, y up, z towards the camera, from the globe's centre.
        view = View(HEAD_TO_CAMERA, centre, to_box)
        near = (scene.points[: len(self.on_map)] - centre) @ HEAD_TO_CAMERA
        axes = gaze_axes(getattr(pose, f"{eye}_yaw_deg"), getattr(pose, f"{eye}_pitch_deg"))
        axes = axes @ rotation.T @ HEAD_TO_CAMERA
        light_frame = frame_of_light(self.look.key.direction)
        shadow = shadow_map((near @ light_frame.T).astype(np.float32), self.triangles)
        line = {name: near[self.patient.lid_rows(eye, name)] for name in LID_LINES}
        margins = [view.project(line[name])[0] for name in LID_LINES[:2]]
        if self.liner:
            draw_liner(box, margins, self.liner, EYE_FINER * self.patient.focal_px / centre[2])
        outline = np.vstack([margins[0], margins[1][::-1]])
        look = self.look
        if self.flash:
            to_lens = -HEAD_TO_CAMERA @ centre / np.linalg.norm(centre)
            look = replace(look, environment=with_flash(look.environment, to_lens))
        if not shut:  # lids that meet leave no sliver
            draw_globe(
                box,
                depth + DIP_MM,
                outline,
                axes,
                self.iris,
                look,
                view,
                shadow,
                light_frame,
                lids_rise=False,
                cornea=Cornea(self.patient.iris_radius_mm),
            )
        lashes = [
            LashLine(
                self.look.upper_lashes, resampled(line[LID_LINES[0]]), resampled(line[LID_LINES[2]]), True
            ),
            LashLine(
                self.look.lower_lashes, resampled(line[LID_LINES[1]]), resampled(line[LID_LINES[3]]), False
            ),
        ]
        draw_lashes(box, depth, lashes, self.look, view, np.random.default_rng([self.seed, 3, eye == "os"]))
        fine = np.minimum(box, 3.0)
        linear[y0:y1, x0:x1] = cv2.resize(fine, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)

    def _put_on_spectacles(
        self, pose: Pose, to_square: np.ndarray, linear: np.ndarray, hidden: np.ndarray, depth: np.ndarray
    ) -> None:
        rotation, translation = self.patient.head_pose(pose)

        def in_square(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            camera = places @ rotation.T + translation
            return project(camera, to_square), camera[:, 2]

        rng = np.random.default_rng([self.seed, 4])
        dress.add_spectacles(
            linear, hidden, self.head, self.face.model, in_square, depth, self.falls_in, rng, clear=True
        )


def with_flash(environment: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """What a cornea mirrors, (h,w,3) equirectangular, with a lamp where `direction` (3) points."""
    size = FLASH_ENVIRONMENT_PX, FLASH_ENVIRONMENT_PX // 2
    wide = BESIDE_FLASH * cv2.resize(environment, size, interpolation=cv2.INTER_LINEAR)
    azimuth = (np.arange(size[0]) + 0.5) / size[0] * 2 * np.pi - np.pi
    polar = (np.arange(size[1])[:, None] + 0.5) / size[1] * np.pi
    x, z = np.sin(azimuth) * np.sin(polar), np.cos(azimuth) * np.sin(polar)
    along = x * direction[0] + np.cos(polar) * direction[1] + z * direction[2]
    off_deg = np.degrees(np.arccos(np.clip(along, -1, 1)))
    lamp = FLASH * np.clip(FLASH_DEG + 0.5 - off_deg, 0, 1)
    return np.asarray(wide + lamp[..., None], np.float32)


def resampled(line: np.ndarray) -> np.ndarray:
    """(LASH_POINTS,3) at equal arc length, without the canthi."""
    arc = np.r_[0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))]
    at = np.linspace(0.06, 0.94, LASH_POINTS) * arc[-1]
    return np.stack([np.interp(at, arc, line[:, k]) for k in range(3)], 1)


def draw_liner(linear: np.ndarray, margins: list[np.ndarray], strength: float, px_per_mm: float) -> None:
    """A dark line on both lids' edges, before the globe is drawn, in place."""
    cover = np.zeros(linear.shape[:2], np.uint8)
    for margin, share in zip(margins, (1.0, 0.6), strict=True):
        points = np.rint(margin * 16).astype(np.int32)
        thick = max(1, round(share * 1.6 * px_per_mm))
        cv2.polylines(cover, [points], False, int(255 * strength * share), thick, cv2.LINE_AA, 4)
    linear *= 1 - cv2.GaussianBlur(cover, (0, 0), 0.2 * px_per_mm + 0.3)[..., None].astype(np.float32) / 255
