"""Render the README's pictures, a synthetic patient beside its mask: `python docs/make_pictures.py [FOLDER]`.

No person stood model. tests/test_pictures.py renders them again and compares.
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from dmask import cli
from dmask._core import outer_canthus_share
from dmask.axes import KAPPA_DEG
from dmask.evaluate.sheet import write
from dmask.io.video import VideoReader, VideoWriter
from dmask.synthetic import Pose, SyntheticPatient

STILL_S = 2.35  # of the demonstration: eyes turned to the side, the left one further

LOOP_S = 4.0
RATE_FPS = 20
FRAME_PX = 720
SEED = 6
PTOSIS = (1.0, 0.0)  # of the right upper lid, the left one
EXOTROPIA_DEG = 12.0  # the left eye points this much further to the patient's left
BLINK_S = 2.9
BLINK_HALF_S = 0.2
PANEL_PX = 360  # a side of each half
EYE_SEED, EYE_FRAME_PX, EYE_SCALE, EYE_PX = 11, 1600, 3.4, (800, 420)
MARGIN, LASHES, CANTHUS, MRD = (60, 140, 0), (0, 110, 230), (170, 60, 140), (200, 60, 0)  # BGR
PANEL_CROP = (slice(60, 570), slice(105, 615))  # rows, columns: the face


def first_mask(target: Path) -> None:
    """One moment of `dmask demo`."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "demo"
        dmask("demo", "-o", str(out), "--seconds", str(2 * STILL_S))
        picture = cv2.imread(str(out / "side_by_side.png"))
    cv2.imwrite(str(target), cv2.resize(picture, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA))


def moving_mask(target: Path) -> None:
    """A patient with a right ptosis and a left exotropia, who follows a target and blinks."""
    with tempfile.TemporaryDirectory() as folder:
        patient, out = Path(folder) / "patient.mp4", Path(folder) / "out"
        write_patient(patient)
        dmask("run", str(patient), "-o", str(out), "--fixating", "od", "--at", "0-0.1")
        write_webp(target, map(beside, read(patient), read(out / "mask.mp4")))


def eye_lines(target: Path) -> None:
    """What is measured at an eye: margins, canthi, MRD1, MRD2; the lash line is another."""
    patient = SyntheticPatient(EYE_SEED, (EYE_FRAME_PX, EYE_FRAME_PX))
    pose = Pose(os_yaw_deg=4.0, os_pitch_deg=-2.0)
    frame, truth = patient.render(pose)
    (upper, lower), lashes = patient.margins("os"), patient.lash_lines("os")
    canthi = [
        0.5 * (upper[0] + lower[0]) + share * 0.5 * (upper[-1] + lower[-1] - upper[0] - lower[0])
        for share in (0.0, outer_canthus_share)
    ]
    pupil = patient.in_picture(patient.pupil("os", pose)[None], pose)[0]
    up = patient.in_picture((patient.pupil("os", pose) + [0, 1, 0])[None], pose)[0] - pupil
    middle = 0.5 * (canthi[0] + canthi[1]) + [0, 4]
    corner = middle - 0.5 * np.array(EYE_PX) / EYE_SCALE
    move = np.array([[EYE_SCALE, 0, -EYE_SCALE * corner[0]], [0, EYE_SCALE, -EYE_SCALE * corner[1]]])
    picture = cv2.warpAffine(frame, move, EYE_PX, flags=cv2.INTER_CUBIC)

    def at(xy: np.ndarray) -> np.ndarray:
        return np.rint((np.atleast_2d(xy) @ move[:, :2].T + move[:, 2]) * 16).astype(np.int32)

    def draw(xy: np.ndarray, colour: tuple[int, int, int], thick: int = 2) -> None:
        cv2.polylines(picture, [at(xy)], False, colour, thick, cv2.LINE_AA, 4)

    for line in lashes:
        for k in range(0, len(line) - 1, 2):
            draw(line[k : k + 2], LASHES)
    draw(upper, MARGIN, 3)
    draw(lower, MARGIN, 3)
    ends = [pupil + truth["os_mrd1_mm"] * up, pupil - truth["os_mrd2_mm"] * up]
    for end, name in zip(ends, ("MRD1", "MRD2"), strict=True):
        draw(np.stack([pupil, end]), MRD, 3)
        x, y = at(0.5 * (pupil + end))[0] // 16
        label(picture, name, (x + 10, y + 6), MRD)
    for canthus in canthi:
        cv2.circle(picture, tuple(at(canthus)[0].tolist()), 7 * 16, CANTHUS, -1, cv2.LINE_AA, 4)
    cv2.circle(picture, tuple(at(pupil)[0].tolist()), 6 * 16, MRD, -1, cv2.LINE_AA, 4)
    for text, place, colour in (
        ("margin (visible globe)", (40, 110), MARGIN),
        ("lash line", (560, 70), LASHES),
        ("inner canthus", (20, 262), CANTHUS),
        ("outer canthus", (620, 215), CANTHUS),
    ):
        label(picture, text, place, colour)
    cv2.imwrite(str(target), picture)


def label(picture: np.ndarray, text: str, corner: tuple[int, int], colour: tuple[int, int, int]) -> None:
    write(picture, text, corner, 0.7, colour, (255, 255, 255), 2)


# What is rendered here, and by what. Nothing else in the repository may be a picture.
PICTURES: dict[str, Callable[[Path], None]] = {
    "first_mask.png": first_mask,
    "moving_mask.webp": moving_mask,
    "eye_lines.png": eye_lines,
}


def motion(patient: SyntheticPatient, time_s: float) -> Pose:
    """The right eye looks into the camera at the loop's ends and halfway, and follows a target in between."""
    turn = 2 * math.pi * time_s / LOOP_S
    from_blink = min(1.0, abs(time_s - BLINK_S) / BLINK_HALF_S)
    closure = 0.5 + 0.5 * math.cos(math.pi * from_blink)
    pose = Pose(
        head_yaw_deg=4.0 * math.sin(turn),
        head_pitch_deg=2.0 * math.sin(2 * turn),
        head_roll_deg=-1.5 * math.sin(turn),
        od_closure=closure,
        os_closure=closure,
    )
    yaw_deg, pitch_deg = patient.fixation("od", pose)
    pose.od_yaw_deg = yaw_deg + 14.0 * math.sin(turn)
    pose.od_pitch_deg = pitch_deg + 7.0 * math.sin(2 * turn)
    pose.os_yaw_deg = pose.od_yaw_deg + 2 * KAPPA_DEG + EXOTROPIA_DEG
    pose.os_pitch_deg = pose.od_pitch_deg
    return pose


def write_patient(path: Path) -> None:
    patient = SyntheticPatient(SEED, (FRAME_PX, FRAME_PX), ptosis=PTOSIS)
    writer = VideoWriter(path, FRAME_PX, FRAME_PX, Fraction(1, RATE_FPS), Fraction(RATE_FPS))
    try:
        for number in range(round(LOOP_S * RATE_FPS)):
            frame, _ = patient.render(motion(patient, number / RATE_FPS))
            writer.write(frame, number / RATE_FPS)
    finally:
        writer.close()


def read(path: Path) -> Iterator[np.ndarray]:
    reader = VideoReader(path)
    try:
        for frame in reader:
            yield frame.bgr
    finally:
        reader.close()


def beside(patient_bgr: np.ndarray, mask_bgr: np.ndarray) -> np.ndarray:
    halves = [
        cv2.resize(frame[PANEL_CROP], (PANEL_PX, PANEL_PX), interpolation=cv2.INTER_AREA)
        for frame in (patient_bgr, mask_bgr)
    ]
    return np.hstack(halves)


def write_webp(path: Path, frames_bgr: Iterator[np.ndarray]) -> None:
    """An endless loop. Below a quality of about 93 unmoved skin keeps blocks of the frames before."""
    with av.open(str(path), "w", format="webp", options={"loop": "0"}) as container:
        stream = container.add_stream("libwebp_anim", rate=RATE_FPS, options={"quality": "94"})
        stream.width, stream.height, stream.pix_fmt = 2 * PANEL_PX, PANEL_PX, "bgra"
        for bgr in frames_bgr:
            bgra = cv2.cvtColor(bgr, cv2.COLOR_BGR2BGRA)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(bgra, format="bgra")))
        container.mux(stream.encode())


def dmask(*arguments: str) -> None:
    if cli.main(list(arguments)) != 0:
        raise SystemExit(f"dmask {' '.join(arguments)} failed")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for name, render in PICTURES.items():
        render(folder / name)
        print(folder / name)


if __name__ == "__main__":
    main()
