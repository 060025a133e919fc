"""Which way the eyes look in the head, frame by frame: straight ahead, or one of the eight ways round it."""

from __future__ import annotations

import numpy as np

from dmask.axes import head_rotation

PRIMARY_DEG = 10.0  # of primary position, from straight ahead: assumed, see docs/method.md
FACING_DEG = 15.0  # within it the head faces the camera: assumed
LEAST_FRAMES = 10  # fewer tell nothing of a direction
LEAST_SHARE = 0.05  # of the frames near the camera's direction; with fewer, straight ahead is where they rest

Angles = tuple[np.ndarray, np.ndarray]  # yaw, pitch, degrees, of the head's frame


def to_camera(frames: dict[str, np.ndarray], place: dict[str, np.ndarray]) -> Angles:
    """The direction from between the eyes, which are at `place`, to the camera, in the head's frame."""
    rotation = head_rotation(*(frames[f"head_{axis}_deg"] for axis in ("yaw", "pitch", "roll")))
    x, y, z = -np.einsum("fij,if->jf", rotation, np.stack([place[axis] for axis in "xyz"]))
    return np.degrees(np.arctan2(x, z)), np.degrees(np.arctan2(y, np.hypot(x, z)))


def gaze(frames: dict[str, np.ndarray]) -> Angles:
    """The mean of both eyes, in which kappa drops out; NaN where one is not valid."""
    both = (frames["od_valid"] == 1) & (frames["os_valid"] == 1)
    yaw, pitch = (
        np.where(both, 0.5 * (frames[f"od_{axis}"] + frames[f"os_{axis}"]), np.nan)
        for axis in ("yaw_deg", "pitch_deg")
    )
    return yaw, pitch


def straight_ahead(
    frames: dict[str, np.ndarray], looks: Angles, place: dict[str, np.ndarray]
) -> tuple[str, float, float] | None:
    """("camera" or "rest", yaw, pitch): where the camera lies while the head, at `place`, faces it.

    Where the eyes do not look there, because they deviate far or have something else to see, it is where they
    rest. None without gaze.
    """
    seen = np.isfinite(looks[0])
    if not seen.any():
        return None
    camera = to_camera(frames, place)
    facing = seen & (np.hypot(*camera) <= FACING_DEG)
    if facing.any():
        yaw, pitch = (float(np.median(angle[facing])) for angle in camera)
        near = np.hypot(looks[0] - yaw, looks[1] - pitch) <= PRIMARY_DEG
        if near.sum() >= max(1.0, LEAST_SHARE * seen.sum()):
            return "camera", yaw, pitch
    return "rest", float(np.median(looks[0][seen])), float(np.median(looks[1][seen]))


def directions(looks: Angles, yaw_deg: float, pitch_deg: float) -> np.ndarray:
    """(F,) text: primary, right, left, up, down, up_right …, of the patient; empty without gaze."""
    aside, up = looks[0] - yaw_deg, looks[1] - pitch_deg
    vertical = np.where(up > PRIMARY_DEG, "up", np.where(up < -PRIMARY_DEG, "down", ""))
    horizontal = np.where(aside > PRIMARY_DEG, "left", np.where(aside < -PRIMARY_DEG, "right", ""))
    joint = np.where((vertical != "") & (horizontal != ""), "_", "")
    named = np.char.add(np.char.add(vertical, joint), horizontal)
    # What is beyond the circle and within both bands belongs to the nearer side.
    oblique = (named == "") & (np.hypot(aside, up) > PRIMARY_DEG)
    sideways = np.where(aside > 0, "left", "right")
    nearer = np.where(np.abs(aside) >= np.abs(up), sideways, np.where(up > 0, "up", "down"))
    named = np.where(oblique, nearer, np.where(named == "", "primary", named))
    return np.where(np.isfinite(aside), named, "")
