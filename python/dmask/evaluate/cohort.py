"""Patients of all kinds before all cameras, for `dmask eval rendered --cohort`: what they do, what is found.

Healthy ones, ptosis, retraction, squints and nystagmus, at 33 cm to 1 m, in frames of several sizes, as a
studio's camera sees them. A row is an eye in a frame; how often an error lies within what is stated is
counted over patients, whose frames err together.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dmask.arrays import Floats, Pixels
from dmask.axes import KAPPA_DEG, KAPPA_SD_DEG
from dmask.errors import Error

if TYPE_CHECKING:
    from dmask._core import FrameDetection, FrameResult, Pipeline
    from dmask.synthetic.patient import Pose, SyntheticPatient

KINDS = {
    "healthy": 0.40,
    "ptosis": 0.15,
    "retraction": 0.10,
    "esotropia": 0.10,
    "exotropia": 0.10,
    "hypertropia": 0.05,
    "nystagmus": 0.10,
}
SIZES_PX = (480, 720, 1080)
NEAR_MM, FAR_MM = 330.0, 1000.0
USUAL_HFOV_DEG = 40.0  # what is taken for a camera whose field of view is not known
HALF_PUPILS_MM = 31.5
HVID_SD_MM = 0.42  # of horizontal visible iris diameters, adults
APART_S = 0.6  # between frames: longer than what smoothing reaches over
EYES = ("od", "os")
OF_EYES = ("yaw_deg", "pitch_deg", "mrd1_mm", "mrd2_mm", "pfh_mm")
OF_HEADS = ("head_yaw_deg", "head_pitch_deg", "head_roll_deg")
OF_BOTH = {"inter_eye_yaw_deg": "deviation_yaw_sd_deg", "inter_eye_pitch_deg": "deviation_pitch_sd_deg"}
STATED = {  # a measure's standard deviation
    **{
        f"{name}_{unit}": f"{name}_sd_{unit}"
        for name, unit in (m.rsplit("_", 1) for m in (*OF_EYES, *OF_HEADS))
    },
    **OF_BOTH,
}
PLACED = ("eye_centre_sd_x_mm", "eye_centre_sd_y_mm")  # as the calibration states it
WITHIN = {"68": 1.0, "95": 1.96}
NOMINAL = {"68": 0.6827, "95": 0.95}
PX_PER_DEG = (0.0, 0.4, 0.6, 0.8, 1.2, 9.0)
TILE_PX = 300
NOT_FOUND = 5.0  # what no number at all counts in `badness`


class Lens(Protocol):
    @property
    def noise(self) -> float: ...
    @property
    def jpeg(self) -> int | None: ...


class Studio(Protocol):
    """What draws a patient as a camera sees somebody: dmask.train.studio has it."""

    patient: SyntheticPatient
    spectacles: bool

    @property
    def lens(self) -> Lens: ...
    def photograph(self, pose: Pose, number: int) -> tuple[Pixels, dict[str, float]]: ...


StudioFor = Callable[["SyntheticPatient", int], Studio]  # of a patient and a seed


@dataclass
class Someone:
    """A patient of the cohort and the camera before them."""

    seed: int
    kind: str
    studio: Studio
    hfov_deg: float
    hfov_known: bool
    distance_mm: float
    deviation_deg: tuple[float, float]  # of OS against OD: temporal, up
    kappa_deg: tuple[float, float]  # of OD, OS
    random: np.random.Generator

    def conditions(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "kind": self.kind,
            "distance_mm": self.distance_mm,
            "hfov_known": int(self.hfov_known),
            "size_px": self.studio.patient.size[0],
            "spectacles": int(self.studio.spectacles),
            "noise": self.studio.lens.noise,
            "jpeg": self.studio.lens.jpeg or 100,
        }

    def pose(self, number: int) -> Pose:
        """Where the head is turned and what both eyes look at, or would without a squint."""
        from dmask.synthetic.patient import Pose

        random = self.random
        at_deg = random.normal(0, [9.0, 6.0])
        if self.kind == "nystagmus":
            at_deg[0] += random.uniform(-5, 5)
        stage = random.random()
        closure = 0.0 if stage < 0.8 else 1.0 if stage < 0.88 else float(random.uniform(0.2, 0.8))
        pose = Pose(
            head_yaw_deg=float(random.normal(0, 9)),
            head_pitch_deg=float(random.normal(0, 5)),
            head_roll_deg=float(random.normal(0, 4)),
            od_closure=closure,
            os_closure=closure,
            smile=float(random.random() < 0.15) * float(random.uniform(0, 0.8)),
            lids_down=float(np.clip(-at_deg[1] / 30, 0, 1)),
        )
        nasal_deg = float(np.degrees(np.arctan(HALF_PUPILS_MM / self.distance_mm)))
        for eye, side, kappa in zip(EYES, (-1, 1), self.kappa_deg, strict=True):
            temporal = kappa - nasal_deg + (self.deviation_deg[0] if eye == "os" else 0.0)
            setattr(pose, f"{eye}_yaw_deg", float(at_deg[0] + side * temporal))
            setattr(pose, f"{eye}_pitch_deg", float(at_deg[1] + (eye == "os") * self.deviation_deg[1]))
        return pose


def someone(seed: int, studio_for: StudioFor) -> Someone:
    from dmask.synthetic.patient import IRIS_RADIUS_MM, SyntheticPatient

    random = np.random.default_rng([seed, 14])
    kind = str(random.choice(list(KINDS), p=list(KINDS.values())))
    size = int(random.choice(SIZES_PX))
    hfov_known = bool(random.random() < 0.5)
    hfov_deg = float(random.uniform(30, 60)) if hfov_known else float(random.uniform(34, 48))
    widest_mm = FAR_MM if size > 480 else 600.0
    distance_mm = float(np.exp(random.uniform(np.log(NEAR_MM), np.log(widest_mm))))
    droop = {"ptosis": random.uniform(0.4, 1.1), "retraction": -random.uniform(0.3, 0.8)}.get(kind, 0.0)
    both = random.random() < 0.5
    droops = (float(droop), float(droop)) if both else (float(droop), 0.0)
    squint = float(random.uniform(5, 22))
    deviation = {"esotropia": (-squint, 0.0), "exotropia": (squint, 0.0), "hypertropia": (0.0, 0.6 * squint)}
    kappa = random.normal(KAPPA_DEG, KAPPA_SD_DEG, 2)
    patient = SyntheticPatient(
        seed,
        (size, size),
        hfov_deg,
        droops,
        (0.0, -0.05 * distance_mm, distance_mm),
        float(random.normal(IRIS_RADIUS_MM, 0.5 * HVID_SD_MM)),
    )
    return Someone(
        seed,
        kind,
        studio_for(patient, seed),
        hfov_deg,
        hfov_known,
        distance_mm,
        deviation.get(kind, (0.0, 0.0)),
        (float(kappa[0]), float(kappa[1])),
        random,
    )


@dataclass
class Look:
    """A patient as found: the first frame, what came of it, and the rows of all."""

    whom: Someone
    frame: Pixels
    mask: Pixels
    rows: list[dict[str, Any]]

    @property
    def badness(self) -> float:
        """The median errors in what is felt alike: a degree of gaze, a fifth of a millimetre."""
        table = columns(self.rows)
        units = {"yaw_deg": 1.0, "pitch_deg": 1.0, "mrd1_mm": 0.2, "mrd2_mm": 0.2}
        errors = [np.abs(table[name] - table[f"{name}_true"]) / unit for name, unit in units.items()]
        return sum(float(np.nanmedian(e)) if np.isfinite(e).any() else NOT_FOUND for e in errors)


def look_at(whom: Someone, frames: int, pipeline_for: Callable[[float], Pipeline]) -> Look:
    """pipeline_for(hfov_deg): a pipeline whose camera has that field of view, or is taken to have it."""
    pipeline = pipeline_for(whom.hfov_deg if whom.hfov_known else USUAL_HFOV_DEG)
    pipeline.reset()
    first, truths = np.zeros((0, 0, 3), np.uint8), []
    detections: list[FrameDetection] = []
    for number in range(frames):
        picture, truth = whom.studio.photograph(whom.pose(number), number)
        first = picture if number == 0 else first
        truths.append(truth)
        detections.append(pipeline.detect(picture, APART_S * number))
    placed_mm = pipeline.calibrate(detections).eye_centre_sd_mm
    results = [pipeline.fit(detection) for detection in detections]
    rows = [
        row
        for number, (truth, result) in enumerate(zip(truths, results, strict=True))
        for row in rows_of(whom, number, truth, result, placed_mm)
    ]
    return Look(whom, first, pipeline.render(results[0]), rows)


def rows_of(
    whom: Someone, number: int, truth: dict[str, float], result: FrameResult, placed_mm: Floats
) -> Iterator[dict[str, Any]]:
    """One an eye; those of the head and of both eyes stand in OD's."""
    for k, eye in enumerate(EYES):
        found = getattr(result, eye)
        row = whom.conditions() | {
            "frame": number,
            "eye": eye,
            "valid": int(found.valid),
            "reason": found.reason,
        }
        row["px_per_deg"] = found.px_per_deg
        for name in OF_EYES:
            row[f"{name}_true"] = truth[f"{eye}_{name}"]
            row[name] = getattr(found, name) if found.valid else float("nan")
            row[STATED[name]] = getattr(found, STATED[name])
        row["openness_true"], row["openness"] = truth[f"{eye}_openness"], found.openness
        row |= dict(zip(PLACED, placed_mm[k, :2].tolist(), strict=True))
        for name in OF_HEADS:
            mine = eye == "od" and result.face_valid
            row[f"{name}_true"], row[name] = truth[name], getattr(result, name) if mine else float("nan")
            row[STATED[name]] = getattr(result, STATED[name])
        both = eye == "od" and result.od.valid and result.os.valid
        for name, stated in OF_BOTH.items():
            of_one = name.removeprefix("inter_eye_")
            row[f"{name}_true"] = truth[f"os_{of_one}"] - truth[f"od_{of_one}"]
            row[name] = getattr(result.os, of_one) - getattr(result.od, of_one) if both else float("nan")
            row[stated] = getattr(result, stated)
        yield row


MEASURES = (*OF_EYES, *OF_HEADS, *OF_BOTH)
TEXT = ("kind", "eye", "reason")
COLUMNS = (
    "seed", "kind", "distance_mm", "hfov_known", "size_px", "spectacles", "noise", "jpeg", "frame", "eye",
    "valid", "reason", "px_per_deg", "openness_true", "openness", *PLACED,
    *(name for measure in MEASURES for name in (f"{measure}_true", measure, STATED[measure])),
)  # fmt: skip
LARGEST = 1e6  # of any number in a table


def figures(table: dict[str, np.ndarray]) -> dict[str, Any]:
    """By measure: bias, median and 95th percentile of the absolute error, of patients' medians their spread,
    and how often the error is within what is stated; then the cells."""
    out: dict[str, Any] = {"patients": len(np.unique(table["seed"])), "eyes_and_frames": len(table["seed"])}
    open_eyes = table["openness_true"] > 0
    out["open_eyes_valid_share"] = (
        float(table["valid"][open_eyes].mean()) if open_eyes.any() else float("nan")
    )
    shut = ~open_eyes & np.isfinite(
        table["openness"]
    )  # without a gaze, and their fissure is 0 as openness is
    if shut.any():
        out["shut_eyes_fissure_0_share"] = float((table["openness"][shut] == 0).mean())
    everything = np.ones(len(table["seed"]), bool)
    out |= {
        f"{name}{key}": value
        for name in MEASURES
        for key, value in of_measure(table, name, everything).items()
    }
    covered: dict[str, list[bool]] = {level: [] for level in WITHIN}
    for title, chosen in cells(table).items():
        for name in MEASURES:
            kept = of_measure(table, name, chosen)
            out |= {f"{title}: {name}{key}": kept[key] for key in CELL_KEYS if key in kept}
            for level in WITHIN:
                if f"_cover_{level}" in kept:
                    off = abs(kept[f"_cover_{level}"] - NOMINAL[level])
                    covered[level].append(off <= kept[f"_cover_{level}_pm"])
    for level, right in covered.items():
        out[f"cells_whose_cover_{level}_is_as_stated_share"] = float(np.mean(right))
    return out


CELL_KEYS = ("_median", "_bias", "_cover_68", "_cover_68_pm", "_cover_95", "_cover_95_pm")


def cells(table: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rows (N,) bool by what they have in common."""
    out = {f"kind {kind}": table["kind"] == kind for kind in KINDS}
    for low, high in zip(PX_PER_DEG[:-1], PX_PER_DEG[1:], strict=True):
        out[f"{low:g} to {high:g} px/deg"] = (table["px_per_deg"] >= low) & (table["px_per_deg"] < high)
    out |= {"spectacles": table["spectacles"] > 0, "field of view unknown": table["hfov_known"] == 0}
    turned = np.hypot(table["head_yaw_deg_true"], table["head_pitch_deg_true"]) > 12
    half = (table["openness_true"] > 0) & (table["openness_true"] < 0.15)
    out |= {
        "head turned beyond 12 deg": turned,
        "lids half closed": half,
        "jpeg below 75": table["jpeg"] < 75,
    }
    return {name: chosen for name, chosen in out.items() if chosen.any()}


def of_measure(table: dict[str, np.ndarray], name: str, chosen: np.ndarray) -> dict[str, float]:
    """Of the rows `chosen` that have both a truth and a number."""
    error = table[name] - table[f"{name}_true"]
    kept = chosen & np.isfinite(error)
    if not kept.any():
        return {}
    error, seeds = error[kept], table["seed"][kept]
    own = np.array([np.median(error[seeds == seed]) for seed in np.unique(seeds)])
    out = {
        "_median": float(np.median(np.abs(error))),
        "_p95": float(np.percentile(np.abs(error), 95)),
        "_bias": float(np.median(error)),
        "_patients_sd": float(1.4826 * np.median(np.abs(own - np.median(own)))),
    }
    if name in STATED:
        sd = table[STATED[name]][kept]
        for level, z in WITHIN.items():
            within = np.abs(error) <= z * sd
            share = np.array([within[seeds == seed].mean() for seed in np.unique(seeds)])
            out[f"_cover_{level}"] = float(within.mean())
            by_patient = share.std() / np.sqrt(len(share))
            by_row = np.sqrt(NOMINAL[level] * (1 - NOMINAL[level]) / len(error))  # no less, in a cell of few
            out[f"_cover_{level}_pm"] = float(1.96 * max(by_patient, by_row))
    return out


def write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    from dmask.io.atomic import atomic_file

    with (
        atomic_file(path, overwrite=True) as partial,
        partial.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def read_tables(paths: list[Path]) -> dict[str, np.ndarray]:
    """Columns of tables that `--table` wrote. Raises Error, which names file and line."""
    rows: list[dict[str, Any]] = []
    seen: set[tuple[float, float, str]] = set()
    for path in paths:
        try:
            with path.open(newline="", encoding="utf-8") as file:
                reader = csv.DictReader(file)
                if tuple(reader.fieldnames or ()) != COLUMNS:
                    raise Error(f"{path} has other columns; expected a table of `eval rendered --cohort`")
                for row in reader:
                    rows.append(numbers_of(row, f"{path}, line {reader.line_num}"))
                    who = rows[-1]["seed"], rows[-1]["frame"], rows[-1]["eye"]
                    if who in seen:
                        told = f"patient {who[0]:.0f}, frame {who[1]:.0f}, {who[2]} was read before"
                        raise Error(f"{path}, line {reader.line_num}: {told}; expected others in each table")
                    seen.add(who)
        except OSError as error:
            raise Error(f"{path}: {error.strerror or error}; expected a table of `eval rendered`") from None
        except (UnicodeDecodeError, csv.Error):
            raise Error(f"{path} is no table in UTF-8; expected one of `eval rendered --cohort`") from None
    if not rows:
        raise Error(f"{paths[0]} has no rows; expected an eye in a frame each")
    return columns(rows)


def numbers_of(row: dict[str, str], place: str) -> dict[str, Any]:
    """Raises Error."""
    if None in row or None in row.values():
        raise Error(f"{place}: cut off or too long, expected {len(COLUMNS)} cells; copy it again")
    try:
        told = {name: value if name in TEXT else number_of(value) for name, value in row.items()}
    except ValueError:
        raise Error(f"{place}: a cell is no number; copy it again") from None
    if any(abs(value) > LARGEST for value in told.values() if isinstance(value, float)):
        raise Error(f"{place}: a number is beyond {LARGEST:g}; copy it again")
    for name, allowed in {"kind": KINDS, "eye": EYES, "valid": (0.0, 1.0), "spectacles": (0.0, 1.0)}.items():
        if told[name] not in allowed:
            raise Error(f"{place}: {row[name]} is none of the column {name}; copy it again")
    numbers = {name: value for name, value in told.items() if isinstance(value, float)}
    if not all(0 <= numbers[name] < math.inf for name in ("seed", "frame", "size_px")):
        raise Error(f"{place}: seed, frame and size have to be numbers; copy it again")
    if any(numbers[stated] <= 0 for stated in STATED.values()):
        raise Error(f"{place}: a standard deviation is not above 0; copy it again")
    return told


def number_of(text: str) -> float:
    """As a table has it: 1_0, which Python takes for 10, is none. Raises ValueError."""
    if "_" in text:
        raise ValueError(text)
    return float(text)


def columns(rows: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    return {name: np.array([row[name] for row in rows], str if name in TEXT else float) for name in COLUMNS}


def contact_sheet(looks: list[Look]) -> Pixels:
    """Patients' first frames beside their masks; both are rendered."""
    import cv2

    from dmask.evaluate.sheet import captioned, laid_out

    tiles = []
    for look in looks:
        both = look.frame, look.mask
        tile = np.hstack(
            [cv2.resize(half, (TILE_PX, TILE_PX), interpolation=cv2.INTER_AREA) for half in both]
        )
        caption = f"{look.whom.seed} {look.whom.kind}, {look.whom.distance_mm:.0f} mm: {look.badness:.1f}"
        tiles.append(captioned(np.asarray(tile, np.uint8), caption))
    return laid_out(tiles, 2)
