"""Are the eye signs kept? Asks MediaPipe Face Mesh with irises, which had no part in making the mask.

python bench/outside_landmarker.py CLIP MASK [CLIP MASK ...] [--csv FOLDER]  compares each original clip with
its mask video frame by frame: lid opening (aperture / distance of the canthi) and iris position (centre from
the middle of the canthi, along and across the canthal line, in canthal widths; + = picture's right, down).
Pearson's r is over the frames in which both have a face; of the iris only where the original's eye is open.

Beside it: `self`, r of the landmarker with itself on the mirrored original (about the most that a mask could
reach), the signals' sd (r means little where they hardly vary) and the gain (slope of mask on original).
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

os.environ.setdefault("GLOG_minloglevel", "3")

import av
import numpy as np

try:
    from mediapipe.python.solutions.face_mesh import FaceMesh
except ImportError:
    sys.exit("mediapipe is missing; install it beside dmask: pip install 'mediapipe==0.10.14' 'numpy<2' av")

# Face Mesh vertices of each eye: the canthus on the picture's left, the other one, iris centre, and the
# upper and lower margin (three facing pairs about the middle: one pair alone follows the gaze)
EYES = {
    "od": ((33, 133), 468, (160, 159, 158), (144, 145, 153)),
    "os": ((362, 263), 473, (385, 386, 387), (380, 374, 373)),
}
OPEN = 0.12
SIGNALS = ("opening", "iris_x", "iris_y")
WANTED_R = 0.9


def eye_signals(points: np.ndarray, eye: str) -> tuple[float, float, float]:
    """points (478, 2) px -> opening, iris x, iris y in canthal widths."""
    (left, right), iris, upper, lower = EYES[eye]
    axis = points[right] - points[left]
    width = float(np.hypot(*axis))
    along = axis / width
    across = np.array([-along[1], along[0]])
    aperture = (points[list(lower)] - points[list(upper)]).mean(0) @ across
    offset = points[iris] - 0.5 * (points[left] + points[right])
    return aperture / width, offset @ along / width, offset @ across / width


def measure(path: Path, mirrored: bool = False) -> np.ndarray:
    """(frames, 6): opening, iris x, iris y of OD, then of OS; NaN where no face is found."""
    rows = []
    with av.open(str(path)) as file, FaceMesh(max_num_faces=1, refine_landmarks=True) as mesh:
        for frame in file.decode(video=0):
            rgb = frame.to_ndarray(format="rgb24")
            found = mesh.process(np.ascontiguousarray(rgb[:, ::-1]) if mirrored else rgb).multi_face_landmarks
            if not found:
                rows.append([np.nan] * 6)
                continue
            size = np.array([frame.width, frame.height])
            points = np.array([(p.x, p.y) for p in found[0].landmark]) * size
            rows.append([*eye_signals(points, "od"), *eye_signals(points, "os")])
    signals = np.array(rows).reshape(-1, 6)
    return signals[:, [3, 4, 5, 0, 1, 2]] * (1, -1, 1, 1, -1, 1) if mirrored else signals


def pearson(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Correlation and least-squares slope of b on a; NaN for fewer than three frames or no variation."""
    if len(a) < 3 or a.std() == 0 or b.std() == 0:
        return np.nan, np.nan
    r = float(np.corrcoef(a, b)[0, 1])
    return r, r * float(b.std() / a.std())


def compare(name: str, original: np.ndarray, mirrored: np.ndarray, mask: np.ndarray) -> list[float]:
    """Print a line for each signal of each eye; returns the correlations."""
    found = [np.isfinite(signals[:, 0]) for signals in (original, mirrored, mask)]
    print(
        f"\n{name}: {len(original)} frames, face found in {100 * found[0].mean():.1f} % of the original's, "
        f"{100 * found[2].mean():.1f} % of the mask's"
    )
    print("  eye signal       r    self  frames  sd original  mask    mean original  mask    gain")
    correlations = []
    for eye, first in (("OD", 0), ("OS", 3)):
        for k, signal in enumerate(SIGNALS):
            use = found[0] & found[1] & found[2]
            if k > 0:
                use &= np.nan_to_num(original[:, first]) > OPEN
            a, again, b = (signals[use, first + k] for signals in (original, mirrored, mask))
            (r, gain), (own, _) = pearson(a, b), pearson(a, again)
            correlations.append(r)
            if len(a) == 0:
                print(f"  {eye}  {signal:8} no such frame")
                continue
            print(
                f"  {eye}  {signal:8} {r:6.3f}{' ' if r >= WANTED_R else '*'} {own:6.3f} {len(a):6} "
                f"{a.std():11.3f} {b.std():8.3f} {a.mean():12.3f} {b.mean():8.3f} {gain:7.2f}"
            )
    return correlations


def describe_machine() -> str:
    versions = []
    for package in ("mediapipe", "av", "numpy"):
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            versions.append(f"{package} ?")
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if "model name" in line]
        cpu = names[0] if names else cpu
    return f"{', '.join(versions)}, Python {platform.python_version()}, {cpu}, {os.cpu_count()} logical CPUs"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("videos", nargs="+", type=Path, metavar="CLIP MASK")
    parser.add_argument("--csv", type=Path, help="also write the signals of each pair to this folder")
    args = parser.parse_args()
    if len(args.videos) % 2:
        parser.error(f"got {len(args.videos)} videos; give pairs: the original, then its mask")
    print(describe_machine(), flush=True)
    table = []
    for clip, mask in zip(args.videos[::2], args.videos[1::2], strict=True):
        original, masked = measure(clip), measure(mask)
        if len(original) != len(masked):
            parser.error(
                f"{clip} has {len(original)} frames, {mask} has {len(masked)}; give a clip and its own mask"
            )
        table.append((clip.stem, compare(clip.stem, original, measure(clip, mirrored=True), masked)))
        if args.csv:
            columns = [f"{source}_{eye}_{s}" for source in ("clip", "mask") for eye in EYES for s in SIGNALS]
            args.csv.mkdir(parents=True, exist_ok=True)
            both, header = np.hstack([original, masked]), ",".join(columns)
            np.savetxt(args.csv / f"{clip.stem}.csv", both, "%.5f", ",", header=header, comments="")
    print(f"\nPearson's r, original against mask (wanted: >= {WANTED_R}; * is below)")
    print(f"{'clip':40}" + "".join(f"{eye.upper() + ' ' + s:>12}" for eye in EYES for s in SIGNALS))
    for name, correlations in table:
        print(f"{name:40}" + "".join(f"{r:11.3f}{' ' if r >= WANTED_R else '*'}" for r in correlations))


if __name__ == "__main__":
    main()
