"""`dmask eval eyes`: close-ups from the whole picture to globe, iris and pupil, as `dmask detect` sees them.

Pictures with masks are shown as they are, and renders placed in frames as a lamp's camera has them: anywhere,
60 to 2,000 px wide, turned by up to 45 degrees, lit by slits and filters, partly hidden. Besides, pictures
without an eye, of which none may be found.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dmask.arrays import Floats, Pixels
from dmask.errors import Error, WrongUse
from dmask.ranges import place, whole
from dmask.stopwatch import stopwatch

if TYPE_CHECKING:
    from dmask._core import EyeDetection, FrameDetection

SCLERA, IRIS, PUPIL, UNTOLD = 1, 2, 3, 255
FRAME_SIZES = ((640, 480), (1280, 720), (1920, 1080))
NARROWEST_PX, WIDEST_PX, MOST_TURN_DEG = 60.0, 2000.0, 45.0
LEAST_INSIDE = 0.85  # of what is seen of the globe, that lies in the frame
LEAST_GLOBE, LEAST_PUPIL = 100, 40  # px of a mask, below which it is not compared
OPEN = 0.08  # of the width between the canthi, below which a fissure has no height to be compared
SURE = 0.5  # confidence from which on a pupil counts as seen
NEAR = 0.3  # of its length: a globe's middle, against that of the eye found
TILE_PX = 300
EYELESS, EYELESS_PX = 1000, (427, 640)  # pictures; height and width


@dataclass
class Shown:
    """One eye, or none, in a frame."""

    name: str
    frame: Pixels  # (H,W,3) BGR
    regions: Pixels  # (H,W) 0 none, 1 sclera, 2 iris, 3 pupil, 255 untold
    right: bool | None  # OD; None: nobody can say


@dataclass
class Score:
    shown: Shown
    detection: FrameDetection
    found: bool
    ms: float
    globe: float = float("nan")  # intersection over union
    iris: float = float("nan")
    pupil: float = float("nan")
    fissure: float = float("nan")  # of the width between the canthi
    elsewhere: bool = False

    @property
    def worst(self) -> float:
        return float(np.nanmin([self.globe, self.iris, 2.0])) if self.found else 0.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", type=place, nargs="?", metavar="DIR",
        help="images/NAME.* and masks/NAME.png: 0 none, 1 sclera, 2 iris, 3 pupil; a NAME that ends in _od "
        "has its inner canthus on the right",
    )  # fmt: skip
    parser.add_argument(
        "--held-out", action="store_true", help="only those that dmask's own training leaves out"
    )
    parser.add_argument(
        "--renders", type=place, metavar="NPZ", help="a shard of `dmask train render-eyes --finer`"
    )
    parser.add_argument(
        "--placed", action="store_true", help="renders: anywhere in a frame, turned, lit by a slit lamp"
    )
    parser.add_argument(
        "--eyeless", type=place, metavar="NPZ", help="a shard of rendered faces: parts without an eye, and "
        "patterns, 1,000 in all",
    )  # fmt: skip
    parser.add_argument("--limit", type=whole(1), metavar="N", help="no more than N eyes")
    parser.add_argument("--seed", type=whole(0), default=1)
    parser.add_argument("--models", type=place, help="folder of the ONNX files (default: the package's own)")
    parser.add_argument(
        "--sheet", metavar="PNG", help="the worst eyes, masks green; it shows the input's pictures"
    )
    parser.add_argument("--worst", type=whole(1), default=24, metavar="N", help="eyes on --sheet")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Figures over all eyes. Raises WrongUse, Error."""
    from dmask._core import Detector
    from dmask.environment import hardware, sha256, versions, weights_dir
    from dmask.io.atomic import atomic_file
    from dmask.io.picture import write_png

    if sum(bool(one) for one in (args.folder, args.renders, args.eyeless)) != 1:
        raise WrongUse("expected one of DIR, --renders NPZ and --eyeless NPZ")
    models = args.models or weights_dir("research")
    detector = Detector(models, view="eye")
    rng = np.random.default_rng(args.seed)
    if args.eyeless:
        figures = of_eyeless(args.eyeless, detector, rng)
    else:
        shown = (
            masked(args.folder, args.held_out) if args.folder else rendered(args.renders, rng, args.placed)
        )
        scores = [score_of(one, detector) for one in limited(shown, args.limit)]
        if not scores:
            raise Error("no mask shows an open eye; expected some")
        figures = summarise(scores)
        if args.sheet:
            with atomic_file(Path(args.sheet), overwrite=True) as partial:
                write_png(partial, contact_sheet(scores, args.worst))
    return figures | {
        "hardware": hardware()["cpu"],
        "eye_finder_sha256": sha256(models / "eye_finder.onnx"),
        "regions_sha256": sha256(models / "regions.onnx"),
        "versions": ", ".join(f"{name} {value}" for name, value in versions().items()),
    }


def limited(shown: Iterator[Shown], limit: int | None) -> Iterator[Shown]:
    for number, one in enumerate(shown):
        if limit is not None and number >= limit:
            return
        yield one


# ---- Pictures.


def masked(folder: Path, held_out: bool) -> Iterator[Shown]:
    from dmask.evaluate.held_out import is_held_out
    from dmask.io.globe_masks import find_masks, read_masks
    from dmask.io.picture import read_unchanged

    files = [file for file in find_masks(folder) if not held_out or is_held_out(file)]
    for file, eye in zip(files, read_masks(files), strict=True):
        if (eye.globe > 0).sum() < LEAST_GLOBE:
            continue
        regions = read_unchanged(file)
        yield Shown(eye.name, eye.picture, np.where(regions > PUPIL, 0, regions).astype(np.uint8), eye.right)


def rendered(shard: Path, rng: np.random.Generator, placed: bool) -> Iterator[Shown]:
    """The inner canthus of a render is on the left: OS; every other one is shown in a mirror."""
    try:
        with np.load(shard) as z:
            images, regions, lids = z["images"], z["regions"], z["lid"][:, [0, 10]]
    except (OSError, KeyError, ValueError):
        raise Error(
            f"{shard} is no shard of close-ups; expected one of `dmask train render-eyes --finer`"
        ) from None
    for k, (image, mask, canthi) in enumerate(zip(images, regions, lids, strict=True)):
        bgr, right = np.ascontiguousarray(image[:, :, ::-1]), bool(k % 2)
        if ((mask >= SCLERA) & (mask <= PUPIL)).sum() < LEAST_GLOBE:
            continue
        if right:
            bgr, mask = np.ascontiguousarray(bgr[:, ::-1]), np.ascontiguousarray(mask[:, ::-1])
            canthi = np.array([image.shape[1] - 1, 0]) + canthi * [-1, 1]
        one = Shown(f"{k}", bgr, mask, right)
        yield in_frame(one, canthi, rng) if placed else one


def in_frame(eye: Shown, canthi: Floats, rng: np.random.Generator) -> Shown:
    """As a lamp's camera may have it."""
    import cv2

    from dmask.synthetic import slit_light

    apart_px = float(np.linalg.norm(canthi[1] - canthi[0]))
    while True:
        width, height = FRAME_SIZES[int(rng.integers(len(FRAME_SIZES)))]
        wide_px = float(np.exp(rng.uniform(np.log(NARROWEST_PX), np.log(min(WIDEST_PX, 1.1 * width)))))
        turn = float(rng.uniform(-1, 1)) * MOST_TURN_DEG
        matrix = cv2.getRotationMatrix2D(canthi.mean(0).tolist(), turn, wide_px / apart_px)
        matrix[:, 2] += rng.uniform(0.1, 0.9, 2) * [width, height] - canthi.mean(0)
        regions = cv2.warpAffine(
            eye.regions, matrix, (width, height), flags=cv2.INTER_NEAREST, borderValue=UNTOLD
        )
        globe = float(((regions >= SCLERA) & (regions <= PUPIL)).sum())
        whole_globe = ((eye.regions >= SCLERA) & (eye.regions <= PUPIL)).sum() * (wide_px / apart_px) ** 2
        if globe > max(LEAST_INSIDE * whole_globe, LEAST_GLOBE):
            break
    frame = cv2.warpAffine(
        eye.frame, matrix, (width, height), flags=cv2.INTER_AREA if wide_px < apart_px else cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    ends = (canthi @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    rgb = slit_light.light_up(np.ascontiguousarray(frame[:, :, ::-1]), ends, rng, 1.0)
    noisy = rgb + rng.normal(0, rng.uniform(0.5, 4), rgb.shape)
    noisy_bgr = np.asarray(np.clip(noisy[:, :, ::-1], 0, 255), np.uint8)
    return Shown(eye.name, noisy_bgr, np.asarray(regions, np.uint8), eye.right)


def of_eyeless(shard: Path, detector: Any, rng: np.random.Generator) -> dict[str, Any]:
    """Half of them parts of rendered faces, half patterns, lit as eyes are."""
    from dmask.synthetic import slit_light
    from dmask.synthetic.patterns import nothing

    try:
        with np.load(shard) as z:
            images, points = z["images"], z["xy"]
    except (OSError, KeyError, ValueError):
        raise Error(
            f"{shard} is no shard of faces; expected one of `dmask train render-patients --faces`"
        ) from None
    false = 0
    for number in range(EYELESS):
        k = int(rng.integers(len(images)))
        rgb = part_of_face(images[k], points[k], rng) if number % 2 else nothing(rng, *EYELESS_PX)
        middle = np.array(EYELESS_PX[::-1]) * rng.uniform(0.3, 0.7, 2)
        ends = (middle + np.array([[-1, 0], [1, 0]]) * rng.uniform(60, 220)).astype(np.float32)
        lit = slit_light.light_up(np.ascontiguousarray(rgb), ends, rng, 0.7)
        detector.reset()
        false += bool(detector.detect(np.ascontiguousarray(lit[:, :, ::-1]), 0.0).close_up)
    return {"eyeless": EYELESS, "false_eyes": false, "false_pct": 100 * false / EYELESS}


def part_of_face(image: Pixels, xy: Floats, rng: np.random.Generator) -> Pixels:
    """(427,640,3) without an eye; a pattern's worth of skin, nose, mouth, hair or background."""
    import cv2

    height, width = EYELESS_PX
    eyes = xy[36:48].reshape(2, 6, 2).mean(1)
    apart_px = float(np.linalg.norm(eyes[1] - eyes[0]))
    while True:
        scale = float(np.exp(rng.uniform(np.log(0.8), np.log(8)))) * width / image.shape[1]
        centre = rng.uniform(0, 1, 2) * [image.shape[1], image.shape[0]]
        matrix = cv2.getRotationMatrix2D(centre.tolist(), float(rng.uniform(-50, 50)), scale)
        matrix[:, 2] = matrix[:, 2] + np.array([width, height]) / 2 - centre
        shown = eyes @ matrix[:, :2].T + matrix[:, 2]
        margin = 0.35 * apart_px * scale
        if not ((shown > -margin) & (shown < np.array([width, height]) + margin)).all(1).any():
            break
    part = cv2.warpAffine(
        image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(part, np.uint8)


# ---- What was seen of them.


def score_of(shown: Shown, detector: Any) -> Score:
    detector.reset()
    elapsed_ms = stopwatch()
    detection = detector.detect(shown.frame, 0.0)
    ms = elapsed_ms()
    if not detection.close_up:
        return Score(shown, detection, False, ms)
    eye = detection.od if detection.od_in_view else detection.os
    told = shown.regions != UNTOLD
    globe = np.where(told & (shown.regions >= SCLERA), 255, 0).astype(np.uint8)
    middle, length = extent(globe)
    if np.linalg.norm(eye.lid[[0, 10], :2].mean(0) - middle) > NEAR * length:
        return Score(shown, detection, False, ms, elsewhere=True)
    score = Score(shown, detection, True, ms)
    outlined = drawn(eye.globe[:, :2], globe.shape)
    score.globe = overlap(outlined, globe, told)
    disc = np.where(told & (shown.regions >= IRIS), 255, 0).astype(np.uint8)
    if disc.sum() > 255 * LEAST_GLOBE:
        score.iris = overlap(np.minimum(drawn(eye.iris[1:, :2], globe.shape), outlined), disc, told)
    black = np.where(shown.regions == PUPIL, 255, 0).astype(np.uint8)
    if black.sum() > 255 * LEAST_PUPIL and eye.pupil[0, 2] > SURE:
        score.pupil = overlap(np.minimum(drawn(eye.pupil[1:, :2], globe.shape), outlined), black, told)
    score.fissure = fissure_error(outlined, globe, eye)
    return score


def extent(mask: Pixels) -> tuple[Floats, float]:
    """Middle and length of what a mask shows, px."""
    ys, xs = np.nonzero(mask)
    xy = np.column_stack([xs, ys]).astype(float)
    return xy.mean(0), max(float(np.ptp(xs)), float(np.ptp(ys)), 1.0)


def drawn(outline: Floats, shape: tuple[int, ...]) -> Pixels:
    import cv2

    picture = np.zeros(shape, np.uint8)
    cv2.fillPoly(picture, [np.rint(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return picture


def overlap(a: Pixels, b: Pixels, told: np.ndarray) -> float:
    both, either = np.minimum(a, b)[told].sum(dtype=float), np.maximum(a, b)[told].sum(dtype=float)
    return float(both / max(either, 1.0))


def fissure_error(outlined: Pixels, globe: Pixels, eye: EyeDetection) -> float:
    """Largest opening along lines across the eye against the mask's, of the width between the canthi."""
    import cv2

    inner, outer = (eye.lid[k, :2].astype(float) for k in (0, 10))
    width_px = float(np.linalg.norm(outer - inner))
    turn_deg = float(np.degrees(np.arctan2(*(outer - inner)[::-1])))
    matrix = cv2.getRotationMatrix2D((0.5 * (inner + outer)).tolist(), turn_deg, 1.0)
    half = width_px / 2
    matrix[:, 2] += [0.7 * width_px - (inner + outer)[0] / 2, half - (inner + outer)[1] / 2]
    size = int(1.4 * width_px) + 1, int(2 * half) + 1
    if min(size) < 8 or max(size) > 8192:
        return float("nan")
    tallest = [
        float(cv2.warpAffine(one, matrix, size).sum(0, dtype=float).max() / 255) for one in (outlined, globe)
    ]
    return abs(tallest[0] - tallest[1]) / width_px if tallest[1] > OPEN * width_px else float("nan")


def summarise(scores: list[Score]) -> dict[str, Any]:
    """Medians, means and worst twentieths; of the pupil where it counts as seen."""
    found = [score for score in scores if score.found]
    figures: dict[str, Any] = {
        "eyes": len(scores),
        "found_pct": 100 * len(found) / len(scores),
        "elsewhere": sum(score.elsewhere for score in scores),
        "ms_median": float(np.median([score.ms for score in scores])),
    }
    sided = [score for score in found if score.shown.right is not None]
    known = [score for score in sided if score.detection.side_known]
    figures["side_known_pct"] = 100 * len(known) / max(len(sided), 1)
    right = [score.detection.od_in_view == score.shown.right for score in known]
    figures["side_right_pct"] = 100 * float(np.mean(right)) if right else float("nan")
    for name in ("globe", "iris", "pupil", "fissure"):
        values = np.array([getattr(score, name) for score in found])
        values = values[np.isfinite(values)]
        if not len(values):
            continue
        if name == "fissure":
            figures |= {
                "fissure_pct_median": 100 * float(np.median(values)),
                "fissure_pct_p95": 100 * float(np.percentile(values, 95)),
            }
            continue
        figures |= {
            f"{name}_count": len(values),
            f"{name}_iou_median": float(np.median(values)),
            f"{name}_iou_mean": float(values.mean()),
            f"{name}_iou_p5": float(np.percentile(values, 5)),
        }
    return figures


def contact_sheet(scores: list[Score], count: int) -> Pixels:
    """The worst by globe and iris; masks green, outlines red, blue and yellow."""
    import cv2

    from dmask.evaluate.sheet import captioned, laid_out

    tiles = []
    for score in sorted(scores, key=lambda one: one.worst)[:count]:
        frame, mask = score.shown.frame, score.shown.regions
        middle, length = extent(np.where((mask >= SCLERA) & (mask <= PUPIL), 255, 0).astype(np.uint8))
        scale = 0.7 * TILE_PX / length
        matrix = np.array([[scale, 0, 0], [0, scale, 0]], float)
        matrix[:, 2] = np.array([TILE_PX / 2, TILE_PX / 3]) - scale * middle
        size = TILE_PX, 2 * TILE_PX // 3
        tile = np.asarray(cv2.warpAffine(frame, matrix, size), np.uint8)
        for least in (SCLERA, IRIS):
            shape = np.where((mask >= least) & (mask <= PUPIL), 255, 0).astype(np.uint8)
            line, _ = cv2.findContours(
                np.asarray(cv2.warpAffine(shape, matrix, size) > 127, np.uint8),
                cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE,
            )  # fmt: skip
            cv2.drawContours(tile, line, -1, (0, 200, 0), 1)
        if score.found:
            eye = score.detection.od if score.detection.od_in_view else score.detection.os
            for outline, colour in (
                (eye.globe, (0, 0, 255)), (eye.iris[1:], (255, 128, 0)), (eye.pupil[1:], (0, 255, 255))
            ):  # fmt: skip
                points = np.rint((outline[:, :2] * scale + matrix[:, 2]) * 16).astype(np.int32)
                cv2.polylines(tile, [points], True, colour, 1, cv2.LINE_AA, 4)
        tiles.append(captioned(tile, f"{score.shown.name}: {score.globe:.2f}, {score.iris:.2f}"))
    return laid_out(tiles, min(6, len(tiles)))
