"""Whose 68 points are closest to people's? dmask, MediaPipe Face Mesh and dlib on the same pictures.

python bench/face_landmarkers.py FACES68 [--mediapipe-python PYTHON] [--dlib-model FILE] [--json F]  takes the
people in FACES68 (folders with landmarks68.csv and images/) whom dmask's training leaves out, lets every
landmarker find the face by itself, and prints the mean error over the distance of the outer eye corners.

Face Mesh has 478 points of its own. `map` is PCA and ridge regression to the 68 (MeshTo68 of
dmask.train.data.faces), `raw` takes for each of the 68 the vertex that is nearest on average. Both are
learnt on the training people alone, from points of the same Face Mesh in the same run; the validation people
have no part in them. `map` therefore knows the data set's convention, as dmask does; `raw` is what comes out
of the box.

MediaPipe wants numpy below 2: if it lives in another environment, name that one's python.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

os.environ.setdefault("GLOG_minloglevel", "3")

import cv2
import numpy as np

GROUPS = {"jaw": slice(0, 17), "brows": slice(17, 27), "nose": slice(27, 36), "eyes": slice(36, 48)}
GROUPS |= {"mouth": slice(48, 68)}
MESH_POINTS = 478


def mediapipe_points(pictures: list[str]) -> np.ndarray:
    """(N,478,2) px; NaN where no face is found."""
    from mediapipe.python.solutions.face_mesh import FaceMesh

    points = np.full((len(pictures), MESH_POINTS, 2), np.nan)
    with FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=True) as mesh:
        for i, name in enumerate(pictures):
            rgb = np.ascontiguousarray(cv2.imread(name)[:, :, ::-1])
            if found := mesh.process(rgb).multi_face_landmarks:
                height, width = rgb.shape[:2]
                # Its coordinates run over the picture from edge to edge; pixel centres are integers here.
                points[i] = np.array([(p.x * width, p.y * height) for p in found[0].landmark]) - 0.5
    return points


def ask_mediapipe(python: str, pictures: list[Path]) -> np.ndarray | None:
    """The points of `mediapipe_points` from the environment of `python`; None where it has no MediaPipe."""
    with tempfile.TemporaryDirectory() as folder:
        names, points = Path(folder) / "pictures.json", Path(folder) / "points.npy"
        names.write_text(json.dumps([str(path.resolve()) for path in pictures]))
        command = [python, __file__, "--mediapipe-points", str(names), str(points)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            print(f"MediaPipe is left out: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
            return None
        print(done.stdout.strip())
        return np.load(points)


def dmask_points(pictures: list[Path], precision: str) -> np.ndarray:
    """(N,68,2) px as `dmask detect` writes them; NaN where no face is found."""
    from dmask.io.picture import read_picture
    from dmask.options import make_pipeline

    pipeline = make_pipeline({"precision": precision, "threads": 1})
    points = np.full((len(pictures), 68, 2), np.nan)
    for i, path in enumerate(pictures):
        pipeline.reset()
        detection = pipeline.detect(read_picture(path), 0.0)
        if detection.face_found:
            points[i] = np.asarray(detection.face)[:, :2]
    return points


def dlib_points(pictures: list[Path], model: str) -> np.ndarray:
    """(N,68,2) px of dlib's frontal detector and its largest face; NaN where no face is found."""
    import dlib

    detector, predictor = dlib.get_frontal_face_detector(), dlib.shape_predictor(model)
    points = np.full((len(pictures), 68, 2), np.nan)
    for i, path in enumerate(pictures):
        rgb = np.ascontiguousarray(cv2.imread(str(path))[:, :, ::-1])
        if boxes := list(detector(rgb, 1)):
            shape = predictor(rgb, max(boxes, key=lambda box: box.area()))
            points[i] = [(p.x, p.y) for p in shape.parts()]
    return points


def another_face(points: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """(N) whether the middle of the found points lies outside the labelled face's box."""
    middle = (points.min(1) + points.max(1)) / 2
    return ((middle < xy.min(1)) | (middle > xy.max(1))).any(1)


def nearest_vertices(mesh: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """(68) the mesh vertex that is nearest to each point on average, over the outer corners' distance."""
    unit = np.linalg.norm(xy[:, 36] - xy[:, 45], axis=1)[:, None, None]
    gap = np.linalg.norm(mesh[:, None] - xy[:, :, None], axis=3) / unit
    return gap.mean(0).argmin(1)


def figures(points: np.ndarray, xy: np.ndarray) -> dict[str, float]:
    """Errors in % of the outer corners' distance; a face not found, or another's, is a failure."""
    found = np.isfinite(points).all((1, 2)) & ~another_face(points, xy)
    error = np.linalg.norm(points - xy, axis=2) / np.linalg.norm(xy[:, 36] - xy[:, 45], axis=1)[:, None]
    mean = np.where(found, error.mean(1), np.inf)
    row = {"pictures": len(xy), "not_found": int((~found).sum())}
    row |= {"nme_pct": 100 * float(mean[found].mean()), "median_pct": 100 * float(np.median(mean[found]))}
    row |= {f"{name}_pct": 100 * float(error[found][:, part].mean()) for name, part in GROUPS.items()}
    row["auc_at_0.1"] = float(np.clip(1 - mean / 0.1, 0, None).mean())
    row["failures_over_10pct"] = int((mean > 0.1).sum())
    return row


def package(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} -"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("faces68", type=Path, metavar="FACES68")
    parser.add_argument("--mediapipe-python", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--dlib-model", metavar="FILE", help="shape_predictor_68_face_landmarks.dat")
    parser.add_argument("--precision", default="f32", help="of dmask's networks (default f32)")
    parser.add_argument("--json", type=Path, metavar="F")
    args = parser.parse_args()

    from dmask.environment import hardware, sha256, weights_dir
    from dmask.evaluate.held_out import is_validation
    from dmask.io.report import write_report
    from dmask.train.data import faces

    everyone = faces.read_human(args.faces68)
    held_out = np.array([is_validation(path.name) for path in everyone.paths])
    training, validation = (everyone.take(np.flatnonzero(part)) for part in (~held_out, held_out))
    xy = validation.image_xy.astype(float)
    machine = f"{hardware()['cpu']}, 1 thread; {package('openvino')}, {package('numpy')}"
    print(f"{len(xy)} held-out faces of {args.faces68.name}; {machine}; dmask in {args.precision}")

    rows = {"dmask": figures(dmask_points(validation.paths, args.precision), xy)}
    mesh = ask_mediapipe(args.mediapipe_python, [*training.paths, *validation.paths])
    if mesh is not None:
        learn, ask = mesh[: len(training.paths)], mesh[len(training.paths) :]
        usable = np.isfinite(learn).all((1, 2)) & ~another_face(learn, training.image_xy)
        print(f"Face Mesh: map and vertices learnt on {usable.sum()} of {len(usable)} training faces")
        learn, learn_xy = learn[usable], training.image_xy[usable]
        to68, seen = faces.MeshTo68(learn, learn_xy), np.isfinite(ask).all((1, 2))
        mapped = np.full((len(ask), 68, 2), np.nan)
        mapped[seen] = to68(ask[seen])
        rows["Face Mesh, map"] = figures(mapped, xy)
        rows["Face Mesh, raw"] = figures(ask[:, nearest_vertices(learn, learn_xy)], xy)
    if args.dlib_model:
        rows["dlib"] = figures(dlib_points(validation.paths, args.dlib_model), xy)

    columns = list(next(iter(rows.values())))
    print(
        f"{'':15}"
        + "".join(f"{name.removesuffix('_pct').removesuffix('_over_10pct'):>11}" for name in columns)
    )
    for name, row in rows.items():
        print(f"{name:15}" + "".join(f"{row[c]:11.4g}" for c in columns))
    if args.json:
        about = {"machine": machine, "face68_sha256": sha256(weights_dir("research") / "face68.onnx")}
        write_report(args.json, about | {"landmarkers": rows})
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--mediapipe-points"]:
        np.save(sys.argv[3], mediapipe_points(json.loads(Path(sys.argv[2]).read_text())))
        print(f"{package('mediapipe')}, Python {sys.version.split()[0]}, {package('numpy')}")
        sys.exit()
    sys.exit(main())
