"""`dmask eval covered`: eyes behind things that training never showed must be called covered, open ones not.

Things (`dmask.synthetic.occluders`) are drawn over held-out photographs and over rendered patients, in a
frame that follows an uncovered one, as in a cover test. Open eyes are the uncovered ones, the other eye of a
covered frame, and harder ones: in shadow, in little light, blurred.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from dmask import _core
from dmask.arrays import Floats, Pixels
from dmask.options import add_backend_arguments, core_options, make_pipeline
from dmask.ranges import whole
from dmask.synthetic.occluders.before_eyes import THINGS, Eye, eye_touched, pupil_hidden, put_before

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dmask._core import FrameDetection

EYES = ("od", "os")
LEAST_RADIUS_PX = 2.0  # of an iris that is worth covering


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", help="pictures with landmarks68.csv, as `dmask eval landmarks`"
    )
    parser.add_argument("--groups", metavar="CSV", help="tags of the pictures; eyes=open ones are used alone")
    parser.add_argument("--patients", type=whole(0), default=8, metavar="N", help="rendered ones (default 8)")
    parser.add_argument(
        "--frames", type=whole(1), default=12, metavar="N", help="of each patient (default 12)"
    )
    parser.add_argument("--rounds", type=whole(1), default=1, metavar="N", help="of things over each frame")
    parser.add_argument("--seed", type=whole(0), default=0)
    add_backend_arguments(parser)


@dataclass
class Scene:
    """An uncovered frame, BGR, and what is known of it."""

    frame: Pixels
    name: str
    tags: set[str] = field(default_factory=set)


@dataclass
class Seen:
    """One eye of one frame: what is true, and what the core says."""

    source: str  # photograph or rendered
    thing: str
    truth: str  # hidden, partly, open
    reason: str  # covered or dark; empty where its lids are seen
    gaze: bool  # the core fits one, be it within its range or not
    tags: set[str]
    name: str


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Shares in %, by what is before the eyes."""
    seen = list(look_at_all(args))
    figures: dict[str, Any] = {}
    for source in ("photograph", "rendered"):
        figures |= summarise([one for one in seen if one.source == source], source)
    dark = [one for one in seen if "skin=dark" in one.tags]
    return figures | summarise(dark, "photograph, skin=dark")


def look_at_all(args: argparse.Namespace) -> Iterator[Seen]:
    pipeline = make_pipeline(core_options(args))
    for number, scene in enumerate((*photographs(args), *rendered(args))):
        pipeline.reset()
        before = pipeline.detect(scene.frame, 0.0)
        if not before.face_found:
            continue
        eyes = {name: eye_of(before, name) for name in EYES}
        if min(eye.radius_px for eye in eyes.values()) < LEAST_RADIUS_PX:
            continue
        source = "rendered" if scene.name.startswith("patient") else "photograph"

        def answers(
            thing: str,
            truth: dict[str, str],
            detection: FrameDetection,
            scene: Scene = scene,
            source: str = source,
        ) -> Iterator[Seen]:
            if not detection.face_found:
                return
            for eye, name in enumerate(EYES):
                reason, gaze = _core.in_sight(detection, eye)
                yield Seen(source, thing, truth[name], reason, gaze, scene.tags, f"{scene.name}/{name}")

        yield from answers("nothing", dict.fromkeys(EYES, "open"), before)
        rng = np.random.default_rng([args.seed, number])
        for kind, frame in harder(scene.frame, eyes, rng):
            pipeline.reset()
            pipeline.detect(scene.frame, 0.0)
            yield from answers(kind, dict.fromkeys(EYES, "open"), pipeline.detect(frame, 1 / 30))
        for _ in range(args.rounds):
            for thing in THINGS:
                half = bool(rng.random() < 0.4)
                chosen = EYES[int(rng.integers(2))]
                frame, mask = put_before(scene.frame, eyes[chosen], thing, half, rng)
                pipeline.reset()
                pipeline.detect(scene.frame, 0.0)
                truth = {name: what_is_true(mask, eyes[name]) for name in EYES}
                yield from answers(
                    f"{thing}{', aside' if half else ''}", truth, pipeline.detect(frame, 1 / 30)
                )


def what_is_true(mask: Floats, eye: Eye) -> str:
    if pupil_hidden(mask, eye) > 0.97:
        return "hidden"
    return "partly" if eye_touched(mask, eye) else "open"


def eye_of(detection: FrameDetection, name: str) -> Eye:
    eye = getattr(detection, name)
    lid, iris = np.array(eye.lid, np.float64)[:, :2], np.array(eye.iris, np.float64)[:, :2]
    radius_px = float(np.linalg.norm(iris[1:] - iris[1:].mean(0), axis=1).max())
    return Eye(lid[0], lid[10], iris[0], radius_px)


def harder(frame: Pixels, eyes: dict[str, Eye], rng: np.random.Generator) -> Iterator[tuple[str, Pixels]]:
    """Open eyes that are easily taken for covered ones."""
    gain, noise = rng.choice([0.3, 0.15, 0.1]), rng.normal(0, 3, frame.shape)
    yield "little light", np.clip(frame * gain + noise, 0, 255).astype(np.uint8)
    shade = np.zeros(frame.shape[:2], np.float32)
    for eye in eyes.values():  # deep-set eyes, a hat's shadow
        axes = (int(0.8 * eye.canthal_px), int(0.45 * eye.canthal_px))
        cv2.ellipse(shade, tuple(int(v) for v in eye.iris), axes, 0, 0, 360, 1.0, -1)
    soft = cv2.GaussianBlur(shade, (0, 0), max(0.25 * eyes["od"].canthal_px, 0.5))
    depth = rng.uniform(0.4, 0.75)
    yield "shadow", (frame * (1 - depth * soft[..., None])).astype(np.uint8)
    blur_px = max(0.3, eyes["od"].radius_px * rng.uniform(0.2, 0.45))
    yield "blur", np.asarray(cv2.GaussianBlur(frame, (0, 0), blur_px), np.uint8)
    grey = cv2.cvtColor(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    yield "grey and dark", np.clip(grey * rng.uniform(0.25, 0.6), 0, 255).astype(np.uint8)


def photographs(args: argparse.Namespace) -> Iterator[Scene]:
    """Held-out people with open eyes and no glasses."""
    from dmask.evaluate.landmarks import held_out, read_groups
    from dmask.io.labelled import find_labels
    from dmask.io.picture import read_picture

    if args.folder is None:
        return
    groups = read_groups(Path(args.groups)) if args.groups else {}
    for face in held_out(find_labels(Path(args.folder))):
        tags = {tag for tag, names in groups.items() if face.path.name in names}
        if not tags or {"eyes=open", "glasses=none", "occluded=0"} <= tags:
            yield Scene(read_picture(face.path), face.path.name, tags)


def rendered(args: argparse.Namespace) -> Iterator[Scene]:
    """Patients whose lids are open."""
    from dmask.synthetic.patient import Pose, SyntheticPatient

    for seed in range(args.patients):
        patient = SyntheticPatient(100 + seed, (720, 720))
        rng = np.random.default_rng([args.seed, seed])
        for number in range(args.frames):
            yaw, pitch = rng.uniform(-25, 25), rng.uniform(-15, 15)
            closure = rng.uniform(0, 0.35)
            pose = Pose(
                rng.uniform(-20, 20), rng.uniform(-12, 12), rng.uniform(-8, 8), yaw, pitch, yaw, pitch,
                closure, closure,
            )  # fmt: skip
            yield Scene(patient.render(pose)[0], f"patient {seed}, frame {number}")


def summarise(seen: list[Seen], source: str) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for truth in ("hidden", "open", "partly"):
        chosen = [one for one in seen if one.truth == truth]
        if not chosen:
            continue
        called = np.array([one.reason == "covered" for one in chosen])
        figures[f"{source}: {truth} eyes"] = len(chosen)
        figures[f"{source}: {truth}, called covered, %"] = 100 * float(called.mean())
        figures[f"{source}: {truth}, called dark, %"] = 100 * float(
            np.mean([one.reason == "dark" for one in chosen])
        )
        figures[f"{source}: {truth}, with a gaze, %"] = 100 * float(np.mean([one.gaze for one in chosen]))
        for thing in sorted({one.thing for one in chosen}):
            mine = np.array([one.thing == thing for one in chosen])
            figures[f"{source}: {truth} ({thing}), called covered, %"] = 100 * float(called[mine].mean())
    return figures
