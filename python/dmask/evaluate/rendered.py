"""`dmask eval rendered`: patients drawn at random, rendered, and measured from the frames up.

The landmark networks see renders here: what they make of real skin is another question.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dmask import _core, environment
from dmask.errors import WrongUse
from dmask.options import add_backend_arguments, core_options, make_pipeline
from dmask.ranges import LARGEST_PX, place, whole
from dmask.studio_folders import add_studio_arguments, studio_folders

if TYPE_CHECKING:
    from dmask.evaluate.cohort import StudioFor
    from dmask.synthetic.patient import Pose, SyntheticPatient
    from dmask.synthetic.visits import Photographer

MEASURES = ("yaw_deg", "pitch_deg", "mrd1_mm", "mrd2_mm", "pfh_mm")
HEAD = ("head_yaw_deg", "head_pitch_deg", "head_roll_deg")
STUDIO_HELP = (
    "ICT-FaceKit's folder: patients as a camera sees them (skins, hair, spectacles, lashes, light, lens), "
    "not as the mask's renderer draws them"
)
WORST = 10  # patients on --sheet
SIZE_PX = 1080
PROFILE = "article"  # lets out all that is measured


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--patients", type=whole(1), default=20, metavar="N")
    parser.add_argument("--frames", type=whole(1), default=60, metavar="N", help="of each patient")
    parser.add_argument(
        "--size",
        type=whole(64, LARGEST_PX),
        metavar="PX",
        help=f"width and height of the frames (default {SIZE_PX}; those of a cohort are its own)",
    )
    parser.add_argument(
        "--first", type=whole(0), default=0, metavar="N", help="number of the first patient (default 0)"
    )
    add_studio_arguments(parser, STUDIO_HELP)
    parser.add_argument(
        "--cohort",
        action="store_true",
        help="patients of all kinds before all cameras (needs --ict): bias, spread, cover of what is stated",
    )
    parser.add_argument("--table", metavar="CSV", help="with --cohort: every eye in every frame")
    parser.add_argument(
        "--read",
        type=place,
        nargs="+",
        metavar="CSV",
        help="with --cohort: tables made before",
    )
    parser.add_argument("--plot", metavar="PNG", help="with --cohort: Bland and Altman's plots")
    parser.add_argument("--sheet", metavar="PNG", help="with --cohort: the ten worst patients, all rendered")
    parser.add_argument(
        "--matrix",
        action="store_true",
        help="cases that are hard to read instead: roll, occluders, light, gaze",
    )
    parser.add_argument("--quick", action="store_true", help="of --matrix only some cases, of one patient")
    parser.add_argument(
        "--cases", metavar="F", help="cases of --matrix that are done, to go on from; new or old"
    )
    add_backend_arguments(parser)


StudioOf = Callable[[argparse.Namespace], "StudioFor"]


def run(args: argparse.Namespace, studio_of: StudioOf) -> dict[str, Any]:
    """Median and 95th percentile of the absolute error by measure, the median with its sign, and the shares
    of valid frames; or the matrix of hard cases. Raises WrongUse."""
    if args.cohort and (args.matrix or args.quick or args.cases):
        raise WrongUse("got --matrix, --quick or --cases with --cohort; expected one or the other")
    if args.cohort and args.size is not None:
        raise WrongUse("got --size with --cohort; expected none: its frames have sizes of their own")
    if args.read and (args.table or args.sheet):
        raise WrongUse("got --table or --sheet with --read; expected neither: no patient is drawn")
    if args.matrix:
        from dmask.evaluate.matrix import matrix

        options = core_options(args) | {"profile": PROFILE}
        keep = Path(args.cases) if args.cases else None
        models = environment.model_sha256(options["weights"], environment.models_folder(options))
        seen_by = [environment.sha256(Path(_core.__file__)), models, options]
        return matrix(make_pipeline(options), args.quick, 1 if args.quick else 2, keep, seen_by)
    if args.cohort:
        return figures_of_cohort(args, studio_of)
    if args.table or args.read or args.plot or args.sheet:
        raise WrongUse("got --table, --read, --plot or --sheet alone; they go with --cohort")
    if args.quick or args.cases:
        raise WrongUse("got --quick or --cases alone; they go with --matrix")
    return errors_of_patients(args, studio_of)


def as_text(figures: dict[str, Any]) -> str:
    from dmask.evaluate import matrix
    from dmask.evaluate.lines import as_lines

    return matrix.as_text(figures) if "cases" in figures else as_lines(figures)


def figures_of_cohort(args: argparse.Namespace, studio_of: StudioOf) -> dict[str, Any]:
    """Raises WrongUse, Error."""
    from dmask.evaluate import agreement, cohort
    from dmask.io.atomic import atomic_file
    from dmask.io.picture import write_png

    worst: list[cohort.Look] = []
    if args.read:
        table = cohort.read_tables(args.read)
    else:
        if studio_folders(args) is None:
            raise WrongUse("--ict and --unityeyes2 are missing; expected the folders that draw a cohort")
        studio_for = studio_of(args)
        options = core_options(args) | {"profile": PROFILE}
        rows = []
        for seed in range(args.first, args.first + args.patients):
            whom = cohort.someone(seed, studio_for)
            look = cohort.look_at(whom, args.frames, lambda hfov: make_pipeline(options | {"hfov_deg": hfov}))
            rows += look.rows
            worst = sorted([*worst, look], key=lambda look: look.badness, reverse=True)[:WORST]
        table = cohort.columns(rows)
        if args.table:
            cohort.write_table(Path(args.table), rows)
    if args.plot:
        panels = {name: (table[name], table[f"{name}_true"]) for name in cohort.MEASURES}
        with atomic_file(Path(args.plot), overwrite=True) as partial:
            write_png(partial, agreement.draw(panels))
    if args.sheet and worst:
        with atomic_file(Path(args.sheet), overwrite=True) as partial:
            write_png(partial, cohort.contact_sheet(worst))
    return cohort.figures(table)


def errors_of_patients(args: argparse.Namespace, studio_of: StudioOf) -> dict[str, Any]:
    """Of patients drawn at random who move and look about."""
    from dmask.synthetic.patient import EYES, SyntheticPatient

    pipeline = make_pipeline(core_options(args) | {"profile": PROFILE})
    errors: dict[str, list[float]] = {name: [] for name in (*HEAD, *MEASURES, "inter_eye_yaw_deg")}
    eyes = valid = faces = 0
    photographer = photographer_of(args, studio_of)
    for seed in range(args.first, args.first + args.patients):
        size_px = args.size or SIZE_PX
        patient = SyntheticPatient(seed, (size_px, size_px))
        render = photographer(patient, seed)
        truths, detections = [], []
        pipeline.reset()
        for number in range(args.frames):
            pose = random_pose(np.random.default_rng([seed, number]), number / args.frames)
            frame, truth = render(pose, number)
            truths.append(truth)
            detections.append(pipeline.detect(frame, number / 30))
        pipeline.calibrate(detections)
        for truth, detection in zip(truths, detections, strict=True):
            result = pipeline.fit(detection)
            faces += int(result.face_valid)
            for name in HEAD:
                errors[name] += errors_of(getattr(result, name), truth[name], result.face_valid)
            for eye in EYES:
                measured = getattr(result, eye)
                eyes += 1
                valid += int(measured.valid)
                for name in MEASURES:
                    errors[name] += errors_of(getattr(measured, name), truth[f"{eye}_{name}"], measured.valid)
            if result.od.valid and result.os.valid:
                true_deg = truth["os_yaw_deg"] - truth["od_yaw_deg"]
                errors["inter_eye_yaw_deg"].append(result.os.yaw_deg - result.od.yaw_deg - true_deg)
    frames = args.patients * args.frames
    figures: dict[str, Any] = {
        "frames": frames,
        "faces_valid_share": faces / frames,
        "eyes_valid_share": valid / eyes,
    }
    for name, values in errors.items():
        if values:
            absolute = np.abs(np.array(values))
            figures[f"{name}_median"] = float(np.median(absolute))
            figures[f"{name}_p95"] = float(np.percentile(absolute, 95))
            figures[f"{name}_bias"] = float(np.median(values))
    return figures


def photographer_of(
    args: argparse.Namespace, studio_of: StudioOf
) -> Callable[[SyntheticPatient, int], Photographer]:
    """What draws a patient's frames: the mask's renderer, or a studio's camera. Raises WrongUse."""
    if studio_folders(args) is None:
        return lambda patient, seed: lambda pose, number: patient.render(pose)
    studio_for = studio_of(args)
    return lambda patient, seed: studio_for(patient, seed).photograph


def errors_of(measured: float, true: float, valid: bool) -> list[float]:
    """The error of a number, if there is one: none where the truth has no such number, or the result is not
    valid and has none. NaN where a valid result leaves out what is there."""
    error = measured - true
    return [] if np.isnan(true) or (np.isnan(error) and not valid) else [error]


def random_pose(random: np.random.Generator, share: float) -> Pose:
    """Slow head motion over the clip (`share` 0..1), eyes that jump and deviate, a blink now and then."""
    from dmask.synthetic.patient import Pose

    yaw_deg, pitch_deg = random.normal(0, 9), random.normal(0, 5)
    closure = float(random.choice([0, 0, 0, 0, 0, 0, 0, 0.3, 0.6, 1.0]))
    return Pose(
        head_yaw_deg=12 * np.sin(2 * np.pi * share),
        head_pitch_deg=6 * np.sin(4 * np.pi * share),
        head_roll_deg=4 * np.cos(2 * np.pi * share),
        od_yaw_deg=yaw_deg,
        od_pitch_deg=pitch_deg,
        os_yaw_deg=yaw_deg + random.normal(0, 5),
        os_pitch_deg=pitch_deg + random.normal(0, 2),
        od_closure=closure,
        os_closure=closure,
    )
