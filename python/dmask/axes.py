"""Head and camera frames: +x the patient's left, +y up, +z out of the face; x right, y down, z forward."""

from __future__ import annotations

import numpy as np

from dmask.arrays import Floats

HEAD_TO_CAMERA = np.diag([1.0, -1.0, -1.0])  # of a frontal face


def gaze_axis(yaw_deg: float, pitch_deg: float) -> Floats:
    """The optical axis in the head frame (Fick): yaw towards the patient's left, pitch up."""
    yaw, pitch = np.radians([yaw_deg, pitch_deg])
    return np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])


def about_x(angle: float) -> Floats:
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])


def about_y(angle: float) -> Floats:
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])


def about_z(angle: float) -> Floats:
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
