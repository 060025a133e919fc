"""The C++ core. Pictures are (H, W, 3) uint8 BGR; NaN stands for what was not measured."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dmask import errors

__version__: str

Frame = NDArray[np.uint8]
Points = NDArray[np.float32]  # rows of x, y (pixels of the frame) and confidence 0..1

class Error(errors.Error): ...

class Options:
    """Settings of a Pipeline, by keyword; `option_table` has ranges and meanings."""

    profile: str  # clinical | article | strict
    hfov_deg: float
    hvid_mm: float
    fixating: str  # none | od | os | both
    fixating_from_s: float
    fixating_to_s: float
    eyebrows: bool
    backend: str  # auto | cpu | tensorrt
    weights: str  # research | open
    models_dir: str
    precision: str  # auto | f32 | bf16 | f16
    threads: int
    live_calibration: bool
    landmark_sigma_pct: float
    lid_sigma_pct: float
    iris_sigma_pct: float
    limbus_information: float
    window_information: float
    smoothing_scale: float
    def __init__(
        self,
        *,
        profile: str = ...,
        hfov_deg: float = ...,
        hvid_mm: float = ...,
        fixating: str = ...,
        fixating_from_s: float = ...,
        fixating_to_s: float = ...,
        eyebrows: bool = ...,
        backend: str = ...,
        weights: str = ...,
        models_dir: str | PathLike[str] = ...,
        precision: str = ...,
        threads: int = ...,
        live_calibration: bool = ...,
        landmark_sigma_pct: float = ...,
        lid_sigma_pct: float = ...,
        iris_sigma_pct: float = ...,
        limbus_information: float = ...,
        window_information: float = ...,
        smoothing_scale: float = ...,
    ) -> None: ...
    def to_dict(self) -> dict[str, Any]: ...
    def released(self) -> dict[str, Any]: ...
    def __copy__(self) -> Options: ...
    def __deepcopy__(self, memo: dict[Any, Any], /) -> Options: ...

def option_table() -> list[dict[str, Any]]: ...

class EyeDetection:
    lid: Points  # (20, 3)
    iris: Points  # (19, 3)
    crease: Points  # (20, 3), and so on
    upper: Points
    lower: Points
    bulge: Points
    def __init__(self) -> None: ...

class FrameDetection:
    time_s: float
    width: int
    height: int
    face_found: bool
    face_score: float
    sharpness: float
    face: Points  # (68, 3)
    od: EyeDetection
    os: EyeDetection
    def __init__(self) -> None: ...

class Calibration:
    @property
    def ok(self) -> bool: ...
    @property
    def reason(self) -> str: ...
    @property
    def frames_used(self) -> list[int]: ...
    @property
    def scale(self) -> float: ...
    @property
    def iris_radius_mm(self) -> float: ...
    @property
    def iris_radius_sd_mm(self) -> float: ...
    @property
    def eye_centre_sd_mm(self) -> NDArray[np.float64]: ...  # (2, 3)
    def to_dict(self) -> dict[str, Any]: ...

class EyeResult:
    @property
    def valid(self) -> bool: ...
    @property
    def reason(self) -> str: ...
    @property
    def yaw_deg(self) -> float: ...
    @property
    def pitch_deg(self) -> float: ...
    @property
    def yaw_sd_deg(self) -> float: ...
    @property
    def pitch_sd_deg(self) -> float: ...
    @property
    def mrd1_mm(self) -> float: ...
    @property
    def mrd2_mm(self) -> float: ...
    @property
    def pfh_mm(self) -> float: ...
    @property
    def openness(self) -> float: ...
    @property
    def px_per_deg(self) -> float: ...
    @property
    def eyeball_residual_pct(self) -> float: ...
    @property
    def eyelid_residual_pct(self) -> float: ...
    def to_dict(self) -> dict[str, Any]: ...

class FrameResult:
    @property
    def time_s(self) -> float: ...
    @property
    def face_valid(self) -> bool: ...
    @property
    def face_reason(self) -> str: ...
    @property
    def head_yaw_deg(self) -> float: ...
    @property
    def head_pitch_deg(self) -> float: ...
    @property
    def head_roll_deg(self) -> float: ...
    @property
    def head_x_mm(self) -> float: ...
    @property
    def head_y_mm(self) -> float: ...
    @property
    def head_z_mm(self) -> float: ...
    @property
    def od(self) -> EyeResult: ...
    @property
    def os(self) -> EyeResult: ...
    @property
    def track_row(self) -> NDArray[np.float32]: ...
    @property
    def units(self) -> NDArray[np.float32]: ...
    @property
    def mask(self) -> Frame | None: ...  # made by Pipeline.process only
    def to_dict(self) -> dict[str, Any]: ...

class Pipeline:
    def __init__(self, options: Options) -> None: ...
    def process(self, frame_bgr_uint8: Frame, time_s: float) -> FrameResult: ...
    def detect(self, frame_bgr_uint8: Frame, time_s: float) -> FrameDetection: ...
    def calibrate(self, window: Sequence[FrameDetection]) -> Calibration: ...
    def fit(self, detection: FrameDetection) -> FrameResult: ...
    def render(self, result: FrameResult) -> Frame: ...
    def reset(self) -> None: ...
    def detect_timings(self) -> dict[str, float]: ...  # ms a stage of the last detect()
    def fit_timings(self) -> dict[str, float]: ...  # ms a stage of the last fit() and render()
    def use_subject(self, subject: Mapping[str, Any], width: int, height: int) -> None: ...
    def unreleased_subject(self) -> dict[str, Any]: ...
    @property
    def subject(self) -> MaskSubject: ...
    def compare_batch_fit(self, detections: Sequence[FrameDetection]) -> dict[str, float]: ...  # needs a GPU
    @property
    def calibration(self) -> Calibration: ...  # the last one
    @property
    def backend(self) -> str: ...  # cpu or tensorrt
    @property
    def backend_reason(self) -> str: ...  # one line

class MaskEye:
    def __init__(
        self,
        shape: ArrayLike,
        centre_mm: ArrayLike,
        *,
        patch_offset_mm: ArrayLike = ...,
        patch_roll_rad: float = ...,
        iris_radius_mm: float = ...,
    ) -> None: ...
    @property
    def shape(self) -> NDArray[np.float32]: ...  # (Ks,)
    @property
    def centre_mm(self) -> NDArray[np.float32]: ...  # (3,) head frame
    @property
    def patch_offset_mm(self) -> NDArray[np.float32]: ...
    @property
    def patch_roll_rad(self) -> float: ...
    @property
    def iris_radius_mm(self) -> float: ...

class MaskSubject:
    def __init__(
        self,
        identity: ArrayLike,
        od: MaskEye,
        os: MaskEye,
        *,
        profile: str = ...,
        hfov_deg: float = ...,
        scale: float = ...,
        eyebrows: bool = ...,
    ) -> None: ...
    @property
    def profile(self) -> str: ...
    @property
    def hfov_deg(self) -> float: ...
    @property
    def scale(self) -> float: ...
    @property
    def eyebrows(self) -> bool: ...
    @property
    def identity(self) -> NDArray[np.float32]: ...  # (K,)
    @property
    def od(self) -> MaskEye: ...
    @property
    def os(self) -> MaskEye: ...

class Track:
    def __init__(self, width: int, height: int, *, time_base: Fraction, rate: Fraction) -> None: ...
    def add(self, row: ArrayLike, time_s: float) -> None: ...
    def write(self, path: str, subject: MaskSubject) -> None: ...
    @staticmethod
    def read(path: str) -> Track: ...
    def __len__(self) -> int: ...
    @property
    def subject(self) -> MaskSubject: ...
    @property
    def rows(self) -> NDArray[np.float32]: ...  # (F, D)
    @property
    def time_s(self) -> NDArray[np.float64]: ...  # (F,)
    @property
    def time_base(self) -> Fraction: ...
    @property
    def rate(self) -> Fraction: ...
    @property
    def size(self) -> tuple[int, int]: ...

class MaskRenderer:
    def __init__(self, subject: MaskSubject, models_dir: str) -> None: ...
    def render(self, row: ArrayLike, width: int, height: int) -> Frame: ...
    def vertices(self) -> NDArray[np.float32]: ...  # (N, 3) mm, camera frame, of the last picture

def system_info() -> dict[str, Any]: ...

def gpu_status() -> dict[str, Any]: ...  # built, devices, device, driver_version, runtime_version, problem
def tensorrt_status() -> dict[str, Any]: ...  # built, header_version, library, flavour, version, problem
def engine_file_name(
    model: str, sha256: str, precision: str, flavour: str, version: str, gpu: str
) -> str: ...
def gpu_part(flavour: str, name: str, major: int, minor: int) -> str: ...
def engine_folder() -> str: ...
