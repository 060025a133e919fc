"""Frozen face recognisers, each described by a TOML file (`description.py`).

Those of `known_recognisers` come inside packages on PyPI; nothing of them is part of dmask, and who wants to
attack with one installs its package. A face is never looked for: its place is given, so that a mask or an
obscured picture is scored as every other and none is dropped.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from dmask.arrays import Floats, Pixels
from dmask.errors import WrongUse
from dmask.evaluate.linkage.description import Align, Description, Input, describe
from dmask.evaluate.linkage.description import advice as advice
from dmask.evaluate.linkage.description import known as known
from dmask.evaluate.linkage.points import bounds, checked, five_points
from dmask.io.video import without_opencv_threads

Embedding = NDArray[np.float32]  # (E,)
Net = Callable[[Pixels, Floats], Embedding]


@dataclass(frozen=True)
class Recogniser:
    name: str
    licence: str
    source: str
    net: Net = field(repr=False)

    def embed(self, picture: Pixels, landmarks: Floats) -> Embedding:
        """Of unit norm, of the face with these 68 points (px), be anything of it left to see or not."""
        vector = np.ravel(self.net(picture, checked(landmarks))).astype(np.float32)
        length = float(np.linalg.norm(vector))
        if not 0 < length < np.inf:
            raise ValueError(f"{self.name} gave an embedding of length {length}; expected a finite one")
        return vector / np.float32(length)


def read(name_or_path: str) -> Recogniser:
    """A known one by its name, or one's own description by its path. Raises WrongUse, a sentence."""
    facts = describe(name_or_path)
    if facts.input is None:
        net = dlib_net(facts)
    else:
        net = aligned(OPENERS[facts.runtime](facts, facts.input), facts.input, facts.align)
    return Recogniser(facts.name, facts.licence, facts.source, net)


def dlib_net(facts: Description) -> Net:
    """dlib cuts the face out itself, as its net was trained."""
    try:
        dlib = importlib.import_module("dlib")
    except ImportError:
        raise WrongUse(f"got no dlib; expected it, as it runs {facts.name}: pip install dlib-bin") from None
    try:
        net = dlib.face_recognition_model_v1(str(facts.file))
    except RuntimeError as error:
        raise unreadable(facts, f"dlib {dlib.__version__}", error) from None

    def embed(picture: Pixels, landmarks: Floats) -> Embedding:
        box = bounds(landmarks)
        points = [dlib.point(*(int(v) for v in point)) for point in landmarks.round()]
        face = dlib.full_object_detection(dlib.rectangle(*(int(v) for v in box)), points)
        rgb = np.ascontiguousarray(picture[..., ::-1])
        return np.array(net.compute_face_descriptor(rgb, face, 0, facts.align.padding), np.float32)

    return embed


def opencv_net(facts: Description, given: Input) -> Callable[[Embedding], Embedding]:
    """(1, 3, S, S) -> (1, E)."""

    def run(planes: Embedding) -> Embedding:
        with without_opencv_threads():
            net.setInput(planes, given.name)
            return np.asarray(net.forward(given.output), np.float32)

    try:
        net = cv2.dnn.readNet(str(facts.file))
        run(np.zeros((1, 3, given.size_px, given.size_px), np.float32))
    except cv2.error as error:
        raise unreadable(facts, f"OpenCV {cv2.__version__}", error) from None
    return run


def openvino_net(facts: Description, given: Input) -> Callable[[Embedding], Embedding]:
    """(1, 3, S, S) -> (1, E), also of nets that take (1, S, S, 3)."""
    import openvino

    settings = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    core = openvino.Core()
    try:
        model = core.read_model(str(facts.file))
        channels_last = model.input(given.name).partial_shape[3] == 3
        side = given.size_px
        model.reshape({given.name: [1, side, side, 3] if channels_last else [1, 3, side, side]})
        request = core.compile_model(model, "CPU", settings).create_infer_request()
        output = model.output(given.output).any_name
    except (RuntimeError, IndexError) as error:  # the latter of an input that is no picture
        raise unreadable(facts, f"OpenVINO {openvino.__version__.split('-')[0]}", error) from None

    def run(planes: Embedding) -> Embedding:
        request.infer({given.name: planes.transpose(0, 2, 3, 1) if channels_last else planes})
        return np.array(request.get_tensor(output).data, np.float32)

    return run


OPENERS = {"opencv": opencv_net, "openvino": openvino_net}


def aligned(run: Callable[[Embedding], Embedding], given: Input, align: Align) -> Net:
    def embed(picture: Pixels, landmarks: Floats) -> Embedding:
        face = cut(picture, placed(landmarks, align, given.size_px), given.size_px).astype(np.float32)
        if given.channels == "RGB":
            face = face[..., ::-1]
        if given.per_picture:
            face = (face - face.mean()) / max(float(face.std()), face.size**-0.5)
        else:
            face = (face - np.float32(given.mean)) * np.float32(given.scale)
        return run(np.ascontiguousarray(face.transpose(2, 0, 1)[None], np.float32))

    return embed


def placed(landmarks: Floats, align: Align, side: int) -> Floats:
    """(2, 3) from the picture to the net's input: by five points without shear, or a box stretched to it."""
    if align.points is not None:
        return similarity(five_points(landmarks), align.points)
    assert align.box is not None
    box = bounds(landmarks).grown(*align.box)
    x, y = side / max(box.width, 1.0), side / max(box.height, 1.0)
    return np.array([[x, 0, -x * box.left], [0, y, -y * box.top]])


def similarity(source: Floats, target: Floats) -> Floats:
    """(2, 3) turn, scale and shift of (K, 2) points with the least squares of distances."""
    a, b = (points @ np.array([1, 1j]) for points in (source, target))
    from_middle = a - a.mean()
    turn = np.vdot(from_middle, b - b.mean()) / max(np.vdot(from_middle, from_middle).real, 1.0)
    shift = b.mean() - turn * a.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def cut(picture: Pixels, matrix: Floats, side: int) -> Pixels:
    """Black outside of the picture; a large one is made smaller first, so that nothing is skipped over."""
    shrink = int(min(1 / max(float(np.hypot(*matrix[:, k])), 1e-6) for k in (0, 1)))
    if shrink > 1:
        height, width = (max(length // shrink, 1) for length in picture.shape[:2])
        ratio = np.array([picture.shape[1] / width, picture.shape[0] / height])
        picture = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        matrix = np.column_stack([matrix[:, :2] * ratio, matrix[:, 2] + matrix[:, :2] @ (ratio - 1) / 2])
    return np.asarray(cv2.warpAffine(picture, matrix, (side, side), flags=cv2.INTER_LINEAR), np.uint8)


def unreadable(facts: Description, by: str, error: Exception) -> WrongUse:
    said = str(error).strip().splitlines()[-1].strip() if str(error).strip() else type(error).__name__
    return WrongUse(
        f"{by} cannot run {facts.file} as {facts.path} describes it ({said}); expected a net with that input "
        "and output: correct the description, name another runtime, or install a newer one"
    )


def installed() -> list[str]:
    """The known ones whose packages are there."""
    found = []
    for name in known():
        try:
            read(name)
        except WrongUse:
            continue
        found.append(name)
    return found
