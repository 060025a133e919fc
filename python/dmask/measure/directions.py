"""Which way the eyes look in the head, frame by frame: straight ahead, or one of the eight ways round it."""

from __future__ import annotations

import numpy as np

from dmask import _core
from dmask.axes import head_rotation

PRIMARY_DEG = 10.0  # of primary position, from straight ahead: assumed, see docs/method.md
FACING_DEG = 15.0  # within it the head faces the camera: assumed
FIXATES_DEG = 6.0  # from the camera, of a line of sight that looks into it
FAR_APART_DEG = 12.0  # lines of sight that meet at 30 cm are apart by it
CLEARLY = 2.0  # as many frames as the other eye
MOSTLY = 0.8  # of the frames, in which one eye or the other looks into the camera
NASAL = {"od": 1, "os": -1}  # the patient's left is +: sight lies nasally of the optical axis
LEAST_FRAMES = 10  # fewer tell nothing of a direction
LEAST_SHARE = 0.05  # of the frames near the camera's direction; with fewer, straight ahead is where they rest

Angles = tuple[np.ndarray, np.ndarray]  # yaw, pitch, degrees, of the head's frame


def to_camera(frames: dict[str, np.ndarray], place: dict[str, np.ndarray]) -> Angles:
    """The direction from between the eyes, which are at `place`, to the camera, in the head's frame."""
    rotation = head_rotation(*(frames[f"head_{axis}_deg"] for axis in ("yaw", "pitch", "roll")))
    x, y, z = -np.einsum("fij,if->jf", rotation, np.stack([place[axis] for axis in "xyz"]))
    return np.degrees(np.arctan2(x, z)), np.degrees(np.arctan2(y, np.hypot(x, z)))


def gaze(frames: dict[str, np.ndarray], place: dict[str, np.ndarray]) -> Angles:
    """The mean of both eyes, in which kappa drops out; NaN where one is not valid.

    Where they deviate so far that the mean is where neither looks, it is that of the eye that fixates: it
    looks into the camera more often than the other one does, while the head faces it.
    """
    both = (frames["od_valid"] == 1) & (frames["os_valid"] == 1)
    axes = {
        eye: [
            np.where(both, frames[f"{eye}_yaw_deg"] + nasal * _core.adult_kappa_deg, np.nan),
            np.where(both, frames[f"{eye}_pitch_deg"], np.nan),
        ]
        for eye, nasal in NASAL.items()
    }  # the lines of sight
    mean = 0.5 * (axes["od"][0] + axes["os"][0]), 0.5 * (axes["od"][1] + axes["os"][1])
    apart = [
        np.median(os[both] - od[both]) if both.any() else 0.0 for od, os in zip(*axes.values(), strict=True)
    ]
    if not np.hypot(apart[0], apart[1]) > FAR_APART_DEG:
        return mean
    camera = to_camera(frames, place)
    facing = both & (np.hypot(*camera) <= FACING_DEG)
    off = {eye: np.hypot(yaw - camera[0], pitch - camera[1]) for eye, (yaw, pitch) in axes.items()}
    near = {eye: facing & (values <= FIXATES_DEG) for eye, values in off.items()}
    eye, other = sorted(near, key=lambda one: int(near[one].sum()), reverse=True)
    least = max(LEAST_FRAMES, LEAST_SHARE * both.sum())
    if near[eye].sum() >= max(least, CLEARLY * near[other].sum()):
        return axes[eye][0], axes[eye][1]
    left = off["os"] < off["od"]
    nearer = [np.where(left, os, od) for od, os in zip(*axes.values(), strict=True)]
    into_camera = near["od"] | near["os"]
    if into_camera.sum() >= max(least, MOSTLY * both.sum()):  # they take turns
        return nearer[0], nearer[1]
    if near[eye].sum() < least:  # neither looks into the camera: they have something else to see
        return mean
    # Which one fixates is not known but of the moments in which one looks into the camera, or they are close.
    close = np.hypot(axes["os"][0] - axes["od"][0], axes["os"][1] - axes["od"][1]) <= FAR_APART_DEG
    yaw, pitch = (
        np.where(close, usual, np.where(into_camera, one, np.nan))
        for usual, one in zip(mean, nearer, strict=True)
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
