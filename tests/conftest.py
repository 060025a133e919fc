"""Small inputs made on the spot, and the research data where it is present."""

from __future__ import annotations

import os
import signal
import struct
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, settings

CHECKOUT = Path(__file__).parent.parent

# A machine that is busy with something else is no failure.
settings.register_profile("dmask", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dmask")


def take_interrupts() -> None:
    """For a child process: what a shell runs in its background starts with Ctrl-C ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def write_video(
    path: Path,
    frames: list[np.ndarray],
    ticks: list[int] | None = None,
    time_base: Fraction = Fraction(1, 30),
    rotation_deg: int | None = None,
    audio: bool = False,
    metadata: dict[str, str] | None = None,
    faststart: bool = False,
    codec: str = "libx264",
) -> Path:
    """A video of (H, W, 3) uint8 BGR frames, shown at `ticks` of `time_base` (default: 30 a second)."""
    height, width = frames[0].shape[:2] if frames else (64, 64)
    pixel_format = "yuv420p" if width % 2 == height % 2 == 0 else "yuv444p"
    with av.open(str(path), "w", options={"movflags": "faststart"} if faststart else {}) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        stream.codec_context.time_base = time_base
        if rotation_deg is not None:
            stream.set_display_rotation(rotation_deg)
        sound = container.add_stream("aac", rate=16000, layout="mono") if audio else None
        for number, bgr in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(bgr), format="bgr24")
            frame.pts = number if ticks is None else ticks[number]
            frame.time_base = time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if sound is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            silence.sample_rate, silence.pts = 16000, 0
            container.mux(sound.encode(silence))
            container.mux(sound.encode())
    return path


def background(width: int = 160, height: int = 120, seed: int = 0) -> np.ndarray:
    """A smooth picture without a face, (height, width, 3) uint8 BGR."""
    coarse = np.random.default_rng(seed).integers(60, 120, (4, 4, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def face_points(
    centre: tuple[float, float] = (160, 120), width: float = 100, roll_deg: float = 0
) -> np.ndarray:
    """(68, 2) px of a frontal face, in the order of iBUG."""

    def ring(x: float, y: float, rx: float, ry: float, degrees: np.ndarray) -> np.ndarray:
        return np.column_stack([x + rx * np.cos(np.radians(degrees)), y + ry * np.sin(np.radians(degrees))])

    eye = np.array([180, 240, 300, 0, 60, 120])  # corner, upper lid, corner, lower lid; y is down
    points = np.concatenate(
        [
            ring(0, -0.1, 0.5, 0.6, np.linspace(180, 0, 17)),
            *(ring(x, -0.2, 0.13, 0.06, np.linspace(180, 360, 5)) for x in (-0.22, 0.22)),
            np.column_stack([np.zeros(4), np.linspace(-0.1, 0.12, 4)]),
            np.column_stack([np.linspace(-0.09, 0.09, 5), np.full(5, 0.16)]),
            *(ring(x, -0.1, 0.09, 0.035, eye) for x in (-0.22, 0.22)),
            ring(0, 0.3, 0.18, 0.06, np.arange(180, 540, 30)),
            ring(0, 0.3, 0.14, 0.02, np.arange(180, 540, 45)),
        ]
    )
    turn = np.radians(roll_deg)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return width * points @ rotation.T + centre


@pytest.fixture(autouse=True)
def own_settings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test finds or leaves a secret in the user's own folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "settings"))


@pytest.fixture
def one_torch_thread():
    torch = pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The research data beside the checkout, or at DMASK_SHARED."""
    folder = Path(os.environ.get("DMASK_SHARED", CHECKOUT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"needs the research data: {folder}/data is not there (set DMASK_SHARED)")
    return folder


@pytest.fixture(scope="session")
def patient_frames() -> list[np.ndarray]:
    """24 frames of a face that the project renders itself, wide enough for its gaze to be measured."""
    from dmask.synthetic import Pose, SyntheticPatient

    patient = SyntheticPatient(seed=3, size=(420, 420))
    return [patient.render(Pose(od_yaw_deg=0.5 * n, os_yaw_deg=0.5 * n))[0] for n in range(24)]


@pytest.fixture(scope="session")
def patient_video(tmp_path_factory: pytest.TempPathFactory, patient_frames: list[np.ndarray]) -> Path:
    return write_video(tmp_path_factory.mktemp("source") / "patient-7.mp4", patient_frames)


def with_exif(jpeg: bytes, *, focal_mm: int, taken: tuple[int, int] | None, order: str = "<") -> bytes:
    """The JPEG with FocalLengthIn35mmFilm and the size that the camera took."""
    entries = [(0xA405, 3, focal_mm)]
    if taken:
        entries = [(0xA002, 4, taken[0]), (0xA003, 4, taken[1]), *entries]
    packed = b"".join(
        struct.pack(order + "HHI", tag, kind, 1) + struct.pack(order + ("H2x" if kind == 3 else "I"), value)
        for tag, kind, value in entries
    )
    first = struct.pack(order + "HHHIII", 1, 0x8769, 4, 1, 26, 0)
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    app1 = b"Exif\0\0" + head + first + struct.pack(order + "H", len(entries)) + packed + bytes(4)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(app1) + 2) + app1 + jpeg[2:]
