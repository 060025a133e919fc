"""Which rows of a recording are pictures of their own, and for how long something was watched."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

MOVING = ("head_yaw_deg", "head_pitch_deg", "head_roll_deg", "od_yaw_deg", "od_pitch_deg", "os_yaw_deg",
          "os_pitch_deg", "od_openness", "os_openness")  # fmt: skip
STILL_SHARE = 0.05  # of how far a value mostly moves from row to row: the same picture once more
LEAST_REPEATED = 0.15  # share of the rows that repeat: fewer are chance
LEAST_ROWS = 20
PERIODS = (2, 3, 4, 5)  # rows in which a pattern of pictures and repeats comes again
FAR_SMALLER = 2.5  # times: no movement has a pattern of frames
LEAST_VALUES = 3  # that a row and the one before it both have
LONGEST_GAP_S, LONGEST_INTERVALS = 0.3, 2.5  # between two rows, and of most intervals


def own_pictures(frames: Mapping[str, np.ndarray]) -> np.ndarray:
    """(F,) bool: neither dropped by a live recording, nor the picture before it once more.

    A video that was made slower than it is coded, or resampled, shows each picture several times; a rate of
    frames that counts them would promise what nobody saw.
    """
    own = np.ones(frames["time_s"].size, bool)
    if "face_reason" in frames:
        own = np.asarray(frames["face_reason"] != "dropped")
    return np.asarray(own & ~repeated(frames, own))


def repeated(frames: Mapping[str, np.ndarray], among: np.ndarray) -> np.ndarray:
    """(F,) bool: of the rows `among` those that show what the one before does, where many do."""
    rows, out = np.flatnonzero(among), np.zeros(among.size, bool)
    if rows.size < LEAST_ROWS or not any(name in frames for name in MOVING):
        return out
    steps = np.abs(np.diff([frames[name][rows] for name in MOVING if name in frames], axis=1))  # (V, F - 1)
    known = np.isfinite(steps)
    usual = np.array(
        [np.percentile(row[seen], 90) if seen.any() else 0.0 for row, seen in zip(steps, known, strict=True)]
    )
    moves = usual > 0
    if not moves.any():
        return out
    with np.errstate(invalid="ignore"):
        shares = np.where(known[moves], steps[moves], 0) / usual[moves, None]
    seen = np.asarray(known[moves].sum(0))
    repeats = every_so_often(shares.sum(0) / np.maximum(seen, 1), seen > 0)
    if not repeats.any():
        repeats = (shares <= STILL_SHARE).all(0) & (seen >= min(LEAST_VALUES, int(moves.sum())))
        repeats &= repeats.mean() >= LEAST_REPEATED
    out[rows[1:][repeats]] = True
    return out


def every_so_often(step: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(N,) bool of steps that are far smaller than those between them, in a pattern of two to five rows.

    A tracker that smooths moves on a little when it sees a picture once more.
    """
    place, best, found = np.arange(step.size), FAR_SMALLER, np.zeros(step.size, bool)
    for period in PERIODS:
        phases = [known & (place % period == phase) for phase in range(period)]
        if min(phase.sum() for phase in phases) < LEAST_ROWS:
            continue
        usual = np.array([np.median(step[phase]) for phase in phases])
        order = np.argsort(usual)
        ratios = usual[order[1:]] / np.maximum(usual[order[:-1]], 1e-9)
        cut = int(np.argmax(ratios))
        if ratios[cut] > best:
            best = float(ratios[cut])
            found = np.isin(place % period, order[: cut + 1])
    return found


def watched_s(time_s: np.ndarray, seen: np.ndarray) -> float:
    """For how long something was watched that rows (F,) have `seen`: from one of them to the next."""
    at_s = time_s[seen]
    if at_s.size < 2:
        return 0.0
    between_s = np.diff(at_s)
    return float(between_s[between_s <= longest_gap_s(between_s)].sum())


def longest_gap_s(interval_s: np.ndarray) -> float:
    """What happens in a longer one is not known."""
    usual_s = float(np.median(interval_s)) if interval_s.size else 0.0
    return max(LONGEST_GAP_S, LONGEST_INTERVALS * usual_s)
