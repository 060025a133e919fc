"""Columns of a frames.csv with known truth, for tests of the measures: nobody is rendered."""

import numpy as np

from dmask.io.tables import FRAME_COLUMNS, TEXT_COLUMNS

EYES = ("od", "os")


def traces(seconds=10.0, rate_fps=30.0, time_s=None, seed=0, noise_deg=0.05, **columns):
    """Straight eyes of somebody 420 mm away who looks into the camera, with open lids; and `columns`."""
    time_s = np.arange(int(seconds * rate_fps)) / rate_fps if time_s is None else time_s
    random, count = np.random.default_rng(seed), time_s.size
    frames = {name: np.full(count, np.nan) for name in FRAME_COLUMNS}
    frames |= {name: np.full(count, "", dtype="<U16") for name in TEXT_COLUMNS}
    frames |= {"frame": np.arange(count), "time_s": time_s, "face_valid": np.ones(count)}
    for name in ("yaw", "pitch", "roll"):
        frames[f"head_{name}_deg"], frames[f"head_{name}_sd_deg"] = np.zeros(count), np.full(count, 0.5)
    frames |= {"head_x_mm": np.zeros(count), "head_y_mm": np.zeros(count), "head_z_mm": np.full(count, 420.0)}
    for eye in EYES:
        frames[f"{eye}_valid"] = np.ones(count)
        for axis in ("yaw", "pitch"):
            frames[f"{eye}_{axis}_deg"] = random.normal(0, noise_deg, count)
            frames[f"{eye}_{axis}_sd_deg"] = np.full(count, 1.0)
            frames[f"deviation_{axis}_sd_deg"] = np.full(count, 1.0)
        for name, value in (("mrd1", 4.0), ("mrd2", 5.5), ("pfh", 9.5)):
            frames[f"{eye}_{name}_mm"] = np.full(count, value)
            frames[f"{eye}_{name}_sd_mm"] = np.full(count, 0.1)
        frames[f"{eye}_openness"] = np.full(count, 0.33)
    return frames | columns


def blinking(frames, eye, starts_s, lasts_s=0.2, depth=1.0, shut_s=None):
    """Lids of an eye that lose `depth` of their opening, shut or not, for a fifth of the time or `shut_s`."""
    time_s = frames["time_s"]
    held_s = 0.2 * lasts_s if shut_s is None else shut_s
    for at_s in starts_s:
        knots_s = at_s + np.array([0, 0.35 * lasts_s, 0.35 * lasts_s + held_s, 0.8 * lasts_s + held_s])
        course = np.interp(time_s, knots_s, [0, 1, 1, 0])
        left = 1 - depth * course
        for name in ("openness", "pfh_mm"):
            frames[f"{eye}_{name}"] = frames[f"{eye}_{name}"] * left
        shut = left < 0.15
        for name in ("yaw_deg", "pitch_deg", "mrd1_mm", "mrd2_mm"):
            frames[f"{eye}_{name}"] = np.where(shut, np.nan, frames[f"{eye}_{name}"])
        frames[f"{eye}_valid"] = np.where(shut, 0.0, frames[f"{eye}_valid"])
        frames[f"{eye}_reason"] = np.where(shut, "closed", frames[f"{eye}_reason"])
    return frames


def looking(frames, yaw_deg, pitch_deg=0.0, eyes=EYES):
    for eye in eyes:
        frames[f"{eye}_yaw_deg"] = frames[f"{eye}_yaw_deg"] + yaw_deg
        frames[f"{eye}_pitch_deg"] = frames[f"{eye}_pitch_deg"] + pitch_deg
    return frames


def covered(frames, eye, start_s, end_s):
    """Something hides an eye: neither its gaze nor its lids are measured."""
    hidden = (frames["time_s"] >= start_s) & (frames["time_s"] <= end_s)
    for name in ("yaw_deg", "pitch_deg", "mrd1_mm", "mrd2_mm", "pfh_mm", "openness"):
        frames[f"{eye}_{name}"] = np.where(hidden, np.nan, frames[f"{eye}_{name}"])
    frames[f"{eye}_valid"] = np.where(hidden, 0.0, frames[f"{eye}_valid"])
    frames[f"{eye}_reason"] = np.where(hidden, "covered", frames[f"{eye}_reason"])
    return frames


def found(measured, measure, eye, condition=""):
    """The one record of that name."""
    records = [
        one for one in measured.records if (one.measure, one.eye, one.condition) == (measure, eye, condition)
    ]
    assert len(records) == 1, f"{measure} of {eye} {condition}: {len(records)} records"
    return records[0]
