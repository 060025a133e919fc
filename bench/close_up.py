"""One eye against a face, from frame to mask, in turns in one run.

python bench/close_up.py [--frames N] [--threads N] [--precision P] [--models DIR]

Both in frames of 1280 x 720: the patient of `dmask demo` and the eye of `dmask demo --view eye`. Medians of
the stages, and of frame to mask; their ratio is what the view is measured by.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

SIZE_PX = 1280, 720
WARM_UP = 160  # the last live calibration is at the 150th face


def letterboxed(frame: np.ndarray) -> np.ndarray:
    """In a frame of SIZE_PX, as high as it is."""
    width, height = SIZE_PX
    scale = height / frame.shape[0]
    wide = min(round(scale * frame.shape[1]), width)
    out = np.full((height, width, 3), 236, np.uint8)
    left = (width - wide) // 2
    shown = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    cut = (shown.shape[1] - wide) // 2
    out[:, left : left + wide] = shown[:, cut : cut + wide]
    return out


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--frames", type=int, default=400, metavar="N", help="that count, of each (default 400)"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--models", type=Path, metavar="DIR")
    parser.add_argument("--json", type=Path, metavar="F")
    args = parser.parse_args()

    import dmask
    from dmask import environment
    from dmask.stopwatch import stopwatch
    from dmask.synthetic.demo import demo_patient
    from dmask.synthetic.slit_lamp import slit_lamp_patient

    seconds = 4.0
    clips = {
        "face": [letterboxed(frame) for frame, _ in demo_patient(seconds)],
        "eye": [letterboxed(frame) for frame, _ in slit_lamp_patient(seconds)],
    }
    common = {"threads": args.threads, "precision": args.precision}
    if args.models:
        common["models_dir"] = str(args.models)
    pipelines = {view: dmask.Pipeline(dmask.Options(view=view, **common)) for view in clips}
    ms: dict[str, dict[str, list[float]]] = {view: {} for view in clips}
    measured = dict.fromkeys(clips, 0)
    for number in range(WARM_UP + args.frames):
        for view, pipeline in pipelines.items():
            frame = clips[view][number % len(clips[view])]
            elapsed_ms = stopwatch()
            result = pipeline.process(frame, number / 30)
            taken = elapsed_ms()
            if number < WARM_UP:
                continue
            measured[view] += result.od.valid
            stages = pipeline.detect_timings() | pipeline.fit_timings() | {"frame_to_mask": taken}
            for stage, value in stages.items():
                ms[view].setdefault(stage, []).append(value)
    medians = {
        view: {stage: float(np.median(v)) for stage, v in stages.items()} for view, stages in ms.items()
    }
    p99 = {view: float(np.percentile(stages["frame_to_mask"], 99)) for view, stages in ms.items()}
    ratio = medians["eye"]["frame_to_mask"] / medians["face"]["frame_to_mask"]
    print(f"{'ms, median':<16}{'face':>8}{'eye':>8}")
    for stage in medians["face"]:
        print(f"{stage:<16}{medians['face'][stage]:>8.2f}{medians['eye'][stage]:>8.2f}")
    print(f"{'p99':<16}{p99['face']:>8.2f}{p99['eye']:>8.2f}")
    seen = f"{measured['eye']} and {measured['face']} of {args.frames} frames"
    print(f"eye over face: {ratio:.3f}; measured in {seen}")
    hardware, versions = environment.hardware(), environment.versions()
    print(f"{hardware['cpu']}, {args.threads} thread(s), precision {args.precision}; "
          + ", ".join(f"{name} {version}" for name, version in versions.items()))  # fmt: skip
    if args.json:
        report = {
            "medians_ms": medians,
            "p99_ms": p99,
            "ratio": ratio,
            "hardware": hardware,
            "versions": versions,
        }
        args.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
