"""`dmask train face|eyelid|iris|lines`: trains a net and keeps its ONNX file up to date."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

MODELS = Path(__file__).resolve().parent.parent / "models"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("net", choices=["face", "eyelid", "iris", "lines"])
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("DMASK_SHARED", "../shared")) / "data",
        help="folder with faces68/, faces_unlabelled/, facemesh_labels_*.npz (default: $DMASK_SHARED/data)",
    )
    parser.add_argument("--synthetic", type=Path, help="folder of rendered eyes (dmask.train.synthetic_eyes)")
    parser.add_argument("--work", type=Path, default=Path("build/train"), help="checkpoints and logs")
    parser.add_argument("-o", "--output", type=Path, help="ONNX file (default: the package's own)")
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=2e-3, help="learning rate of the constant phase")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--evaluate-every", type=int, default=500, metavar="STEPS")
    parser.add_argument("--resume", action="store_true", help="continue from the checkpoint in --work")
    parser.add_argument("--start-from", type=Path, help="checkpoint whose averaged weights are the start")
    parser.add_argument(
        "--teacher", type=Path, help="face: checkpoint of an earlier net that corrects the machine labels"
    )


def run(args: argparse.Namespace) -> int:
    """Trains; 0 when done, 1 when the data is not there, 2 for wrong use."""
    os.environ["OMP_NUM_THREADS"] = str(args.threads)  # before torch is imported
    import torch

    from . import loop, tasks
    from .networks import SPECS

    if not args.data.is_dir():
        print(f"{args.data}: no such folder; give the data with --data or DMASK_SHARED", file=sys.stderr)
        return 2
    if args.net != "face" and args.synthetic is None:
        print("--synthetic is missing; expected a folder of rendered eyes for the eye nets", file=sys.stderr)
        return 2
    output = args.output or MODELS / f"{SPECS[args.net].name}.onnx"
    options = loop.Options(
        steps=args.steps,
        batch=args.batch,
        rate=args.rate,
        seed=args.seed,
        threads=args.threads,
        evaluate_every=args.evaluate_every,
    )
    try:
        torch.manual_seed(args.seed)
        task = tasks.make(
            args.net, args.data, output, args.work, args.synthetic, args.start_from, args.teacher
        )
        loop.train(task, args.work / f"{args.net}.pt", options, args.resume)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="dmask train", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
