"""Head and camera frames: +x the patient's left, +y up, +z out of the face; x right, y down, z forward."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dmask import _core
from dmask.arrays import Floats

# Angle kappa, of one eye: the direction from which its pupil is round, temporal to the line of sight. Mean
# and standard deviation of 30 people (Atchison et al. 2014, doi:10.1097/OPX.0000000000000228); more is in
# docs/method.md. The mean is the fit's own.
KAPPA_DEG, KAPPA_SD_DEG = _core.adult_kappa_deg, 1.9

HEAD_TO_CAMERA = np.diag([1.0, -1.0, -1.0])  # of a frontal face


def gaze_axis(yaw_deg: ArrayLike, pitch_deg: ArrayLike) -> Floats:
    """(...,3) optical axes in the head frame (Fick), of angles (...): yaw to the patient's left, pitch up."""
    yaw, pitch = np.radians(yaw_deg), np.radians(pitch_deg)
    return np.stack([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)], -1)


def head_rotation(yaw_deg: ArrayLike, pitch_deg: ArrayLike, roll_deg: ArrayLike) -> Floats:
    """(...,3,3) head axes to camera axes, R = R0 Ry(yaw) Rx(-pitch) Rz(roll), of angles (...)."""
    yaw, pitch, roll = (np.radians(angle) for angle in (yaw_deg, pitch_deg, roll_deg))
    rotation: Floats = HEAD_TO_CAMERA @ about_y(yaw) @ about_x(-pitch) @ about_z(roll)
    return rotation


def about_x(angle: ArrayLike) -> Floats:
    """(...,3,3) of angles (...) in radians; so are the others."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return _matrices(1, 0, 0, 0, cosine, -sine, 0, sine, cosine)


def about_y(angle: ArrayLike) -> Floats:
    cosine, sine = np.cos(angle), np.sin(angle)
    return _matrices(cosine, 0, sine, 0, 1, 0, -sine, 0, cosine)


def about_z(angle: ArrayLike) -> Floats:
    cosine, sine = np.cos(angle), np.sin(angle)
    return _matrices(cosine, -sine, 0, sine, cosine, 0, 0, 0, 1)


def _matrices(*entries: ArrayLike) -> Floats:
    """Row by row, each entry a number or an array of numbers."""
    values = np.broadcast_arrays(*entries)
    return np.stack(values, -1).reshape(*values[0].shape, 3, 3)
