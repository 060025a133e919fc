"""`dmask train face|wide-face|finder|eyes|eyelid|iris|lines|sight`: trains nets, keeps their ONNX files."""

from __future__ import annotations

import argparse
import copy
import os
from pathlib import Path

from dmask.environment import weights_dir
from dmask.errors import Error, WrongUse
from dmask.ranges import number, place, whole

EXTRA_SETS = {
    "300w": ("face", "300W (.pts files beside pictures; who validates is left out)"),
    "wflw": ("face", "WFLW (WFLW_annotations and WFLW_images)"),
    "unityeyes": ("eyes", "UnityEyes (version 1: .json beside pictures)"),
    "masks": (
        "eyes",
        "close-ups with masks of the visible globe (images/, masks/: dmask.io.globe_masks)",
    ),
    "edges": ("eyes", "drawn lines (images/ and lines/, see dmask.train.data.eye_datasets)"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--weights",
        choices=["research", "open"],
        default="research",
        help="open: nothing but the project's own renders is trained on",
    )
    parser.add_argument(
        "--data",
        type=place,
        default=Path(os.environ.get("DMASK_SHARED", "../shared")) / "data",
        help="folder with faces68/, faces_unlabelled/, facemesh_labels_*.npz (default: $DMASK_SHARED/data)",
    )
    parser.add_argument("--synthetic", type=place, help="folder of rendered eyes (dmask train render-eyes)")
    parser.add_argument(
        "--synthetic-faces",
        type=place,
        help="open face, finder: folder of rendered faces (dmask train render-faces)",
    )
    parser.add_argument("--work", type=place, default=Path("build/train"), help="checkpoints and logs")
    parser.add_argument(
        "-o", "--output", type=place, help="folder of the ONNX files (default: the package's own)"
    )
    parser.add_argument("--steps", type=whole(1), help="default 6000; --finetune: at most 2000")
    parser.add_argument("--batch", type=whole(1), help="default 32; --finetune: 16")
    parser.add_argument(
        "--rate",
        type=number(1e-9, 1),
        help="learning rate of the constant phase, default 2e-3; --finetune: 1e-4",
    )
    parser.add_argument("--seed", type=whole(0), default=1)
    parser.add_argument("--threads", type=whole(1, 256), default=1)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="where the nets run")
    parser.add_argument(
        "--workers",
        type=whole(0, 256),
        default=0,
        metavar="N",
        help="processes that make the pictures ahead; the pictures are the same (default 0: none)",
    )
    parser.add_argument(
        "--seconds", type=number(1, 1e7), help="train for so long by the clock, in place of --steps"
    )
    parser.add_argument(
        "--evaluate-every", type=whole(1), metavar="STEPS", help="default 500; --finetune: 50"
    )
    parser.add_argument("--resume", action="store_true", help="continue from the checkpoint in --work")
    parser.add_argument(
        "--start-from",
        type=place,
        help="checkpoint whose averaged weights are the start, or an ONNX file as it ships; for the eyes "
        "eyelid.onnx, with iris.onnx and lines.onnx beside it",
    )
    parser.add_argument(
        "--teacher",
        type=place,
        help="face: an earlier net (checkpoint or ONNX) that corrects the machine labels",
    )
    parser.add_argument(
        "--distil",
        type=place,
        metavar="NET",
        help="face: a net of `dmask train wide-face`, or face68.onnx, whose answers to the uncovered "
        "picture are learnt too",
    )
    parser.add_argument(
        "--patient-faces",
        type=place,
        metavar="DIR",
        help="face: patients' faces beside the photographs (train*.npz, validation.npz of `dmask train "
        "render-patients --faces`)",
    )
    parser.add_argument(
        "--keep",
        type=number(0, 1),
        default=0.0,
        metavar="SHARE",
        help="of the weights that training started from, 0 to 1, in the ONNX files that are written",
    )
    for name, (net, help_text) in EXTRA_SETS.items():
        parser.add_argument(
            f"--extra-{name}", type=place, metavar="DIR", help=f"{net}: train on {help_text} too"
        )
    parser.add_argument(
        "--finetune",
        type=place,
        metavar="DIR",
        help="face: continue from the shipped net on a clinic's frames, DIR with landmarks68.csv (image, x0, "
        "y0 ... x67, y67, optionally patient) and the pictures; needs -o",
    )


def run(args: argparse.Namespace) -> int:
    """Trains. Raises Error when the data is not there, WrongUse."""
    os.environ["OMP_NUM_THREADS"] = str(args.threads)  # before torch is imported
    import torch

    from dmask.train import loop, tasks
    from dmask.train.nets import start

    given = {name: getattr(args, name) for name in ("steps", "batch", "rate", "evaluate_every")}
    machine = {"device": args.device, "workers": args.workers, "seconds": args.seconds}
    given = {name: value for name, value in given.items() if value is not None}
    given |= {"seed": args.seed, "threads": args.threads}
    if args.finetune is not None:
        return finetune_face(args, given)
    if not args.data.is_dir():
        raise WrongUse(f"{args.data}: no such folder; give the data with --data or DMASK_SHARED")
    if args.device == "cuda" and not torch.cuda.is_available():
        raise WrongUse("got --device cuda, but torch sees no card; expected one, or --device cpu")
    of_a_face = args.net in tasks.FACES
    if args.distil is not None and args.net != "face":
        raise WrongUse(f"got --distil with {args.net}; expected face: a wide net teaches that one alone")
    if not of_a_face and args.synthetic is None:
        raise WrongUse("--synthetic is missing; expected a folder of rendered eyes for the eye nets")
    if of_a_face and args.weights == "open" and args.synthetic_faces is None:
        raise WrongUse("--synthetic-faces is missing; expected a folder of rendered faces for the open net")
    if args.net == "finder" and args.synthetic_faces is None:
        raise WrongUse(
            "--synthetic-faces is missing; expected a folder of rendered faces, in which eyes are sought"
        )
    if not 0 <= args.keep < 1 or (args.keep > 0 and args.start_from is None):
        raise WrongUse(f"got --keep {args.keep:g}; expected 0 to below 1, with --start-from to keep from")
    if not (of_a_face or args.net in ("eyes", "finder", "regions") or args.start_from or args.resume):
        raise WrongUse(
            f"a head alone needs a trunk: got {args.net} without --start-from, expected a checkpoint of "
            "`dmask train eyes`, or eyelid.onnx"
        )
    extra = {name: getattr(args, f"extra_{name}") for name in EXTRA_SETS}
    extra = {name: path for name, path in extra.items() if path is not None}
    for name in extra:
        if of_a_face != (EXTRA_SETS[name][0] == "face"):
            raise WrongUse(f"got --extra-{name} with {args.net}; it is of use for {EXTRA_SETS[name][0]} only")
        if args.weights == "open":
            raise WrongUse(f"got --extra-{name} with --weights open, which is trained on own renders alone")
    output = args.output or weights_dir(args.weights)
    options = loop.Options(**given, **machine)
    try:
        torch.manual_seed(args.seed)
        task = tasks.make(
            args.net,
            args.data,
            output,
            args.work,
            args.synthetic,
            args.start_from,
            args.teacher,
            args.weights,
            args.synthetic_faces,
            extra,
            args.distil,
            args.patient_faces,
        )
        before = copy.deepcopy(task.net)
        trained = loop.train(task, args.work / f"{args.net}.pt", options, args.resume)
        if args.keep > 0:
            task.export(start.keep(trained, before.to(args.device), args.keep, tasks.some_images(task)))
    except FileNotFoundError as error:
        raise Error(str(error)) from None
    return 0


def finetune_face(args: argparse.Namespace, given: dict) -> int:
    """Raises WrongUse, Error."""
    from dmask.train import finetune

    if args.net != "face":
        raise WrongUse(f"got --finetune with {args.net}; expected face: only its labels are people's points")
    if args.output is None:
        raise WrongUse(
            "--output is missing; expected a folder for the fine-tuned face68.onnx: the shipped file is "
            "replaced only where -o names its folder"
        )
    start = weights_dir(args.weights) / "face68.onnx"
    finetune.run(args.finetune, args.output, start, finetune.Options(**given))
    return 0
