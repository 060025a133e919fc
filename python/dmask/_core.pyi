"""The C++ core. Pictures are (H, W, 3) uint8 BGR; NaN stands for what was not measured, or is withheld.

The docstrings of the classes and functions themselves, as `help` shows them, say shapes, units and errors.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from os import PathLike
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dmask import errors

__version__: str

_Picture = NDArray[np.uint8]
_Floats = NDArray[np.float32]
_Doubles = NDArray[np.float64]
_Path = str | bytes | PathLike[str]

class _Bound(type): ...  # of every class that the core brings
class Error(errors.Error): ...

class Options(metaclass=_Bound):
    """Settings of a Pipeline, by keyword; `option_table` has ranges and meanings."""

    profile: str  # clinical | article | strict
    keep: str  # eyes | mouth | jaw | nose | all
    framing: str  # auto | canonical | input
    coarse_time: str  # off | on
    lamp: str  # unknown | camera
    hfov_deg: float
    hvid_mm: float
    age_years: float
    mm_per_px: float  # of a close-up; 0: not known
    fixating: str  # none | od | os | both
    fixating_from_s: float
    fixating_to_s: float
    eyebrows: bool
    backend: str  # auto | cpu | tensorrt
    weights: str  # research | open
    models_dir: str
    precision: str  # auto | f32 | bf16 | f16
    person: str  # largest | left | right | centre | smallest | 1 to 9
    view: str  # auto | face | eyes | eye
    eye: str  # auto | od | os
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
        keep: str = ...,
        framing: str = ...,
        coarse_time: str = ...,
        lamp: str = ...,
        hfov_deg: float = ...,
        hvid_mm: float = ...,
        age_years: float = ...,
        mm_per_px: float = ...,
        fixating: str = ...,
        fixating_from_s: float = ...,
        fixating_to_s: float = ...,
        eyebrows: bool = ...,
        backend: str = ...,
        weights: str = ...,
        models_dir: str | PathLike[str] = ...,
        precision: str = ...,
        person: str = ...,
        view: str = ...,
        eye: str = ...,
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

class EyeDetection(metaclass=_Bound):
    """Rows of x, y (pixels of the frame) and confidence, 0 to 1."""

    lid: _Floats  # (20, 3)
    iris: _Floats  # (19, 3)
    pupil: _Floats  # (19, 3)
    globe: _Floats  # (40, 3)
    crease: _Floats  # (20, 3), as the others
    upper: _Floats
    lower: _Floats
    bulge: _Floats
    reflexes: _Floats  # (8, 3)
    def __init__(self) -> None: ...
    def to_dict(self) -> dict[str, _Floats]: ...

class FrameDetection(metaclass=_Bound):
    time_s: float
    width: int
    height: int
    track: int
    face_found: bool
    another_person: bool
    choosing: bool
    close_up: bool
    @property
    def laterality(self) -> str: ...
    od_in_view: bool
    os_in_view: bool
    side_confidence: float
    side_known: bool
    face_score: float
    sharpness: float
    luminance: float
    moved_since_s: float
    motion: _Floats  # (19, 5): x, y px and the information xx, xy, yy, 1/px^2
    iris_motion: _Floats  # (2, 5), OD and OS
    face: _Floats  # (68, 3)
    od: EyeDetection
    os: EyeDetection
    def __init__(self) -> None: ...
    def to_dict(self) -> dict[str, Any]: ...
    def __copy__(self) -> FrameDetection: ...
    def __deepcopy__(self, memo: dict[Any, Any], /) -> FrameDetection: ...

def exposure_gain(luminance: float) -> float: ...

class YuNet(metaclass=_Bound):
    def __init__(self, path: _Path, precision: str = "auto", threads: int = 1) -> None: ...
    def detect(self, frame: _Picture, long_side_px: int = 320, min_score: float = 0.6) -> _Floats: ...

class Detector(metaclass=_Bound):
    def __init__(
        self,
        model_dir: _Path,
        *,
        face_detector_path: _Path = ...,
        backend: str = ...,
        precision: str = ...,
        threads: int = ...,
        min_detection_score: float = ...,
        min_confirmation_score: float = ...,
        min_new_face_score: float = ...,
        min_face_score: float = ...,
        check_interval_frames: int = ...,
        cut_grey_levels: float = ...,
        reacquire_s: float = ...,
        min_face_px: int = ...,
        view: str = ...,
        eye: str = ...,
    ) -> None: ...
    def detect(self, frame: _Picture, time_s: float = 0.0) -> FrameDetection: ...
    def reset(self) -> None: ...
    @property
    def track(self) -> int: ...
    @property
    def last_timings(self) -> dict[str, float]: ...

class Calibration(metaclass=_Bound):
    def __init__(self, *args: Any, **kwargs: Any) -> NoReturn: ...  # the core alone makes them
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
    def eye_centre_sd_mm(self) -> _Doubles: ...  # (2, 3)
    def to_dict(self) -> dict[str, Any]: ...

class EyeResult(metaclass=_Bound):
    def __init__(self, *args: Any, **kwargs: Any) -> NoReturn: ...  # the core alone makes them
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
    def reflex_yaw_deg(self) -> float: ...
    @property
    def reflex_pitch_deg(self) -> float: ...
    @property
    def reflex_yaw_sd_deg(self) -> float: ...
    @property
    def reflex_pitch_sd_deg(self) -> float: ...
    @property
    def mrd1_mm(self) -> float: ...
    @property
    def mrd2_mm(self) -> float: ...
    @property
    def pfh_mm(self) -> float: ...
    @property
    def mrd1_sd_mm(self) -> float: ...
    @property
    def mrd2_sd_mm(self) -> float: ...
    @property
    def pfh_sd_mm(self) -> float: ...
    @property
    def pupil_mm(self) -> float: ...
    @property
    def openness(self) -> float: ...
    @property
    def px_per_deg(self) -> float: ...
    @property
    def eyeball_residual_pct(self) -> float: ...
    @property
    def eyelid_residual_pct(self) -> float: ...
    def to_dict(self) -> dict[str, Any]: ...

near_mm: float
intermediate_mm: float

def distance_at(mm: float) -> str: ...
def openness_class(rest: float) -> int: ...

class FrameResult(metaclass=_Bound):
    def __init__(self, *args: Any, **kwargs: Any) -> NoReturn: ...  # the core alone makes them
    @property
    def time_s(self) -> float: ...
    @property
    def face_valid(self) -> bool: ...
    @property
    def face_reason(self) -> str: ...
    @property
    def distance(self) -> str: ...
    @property
    def close_up(self) -> bool: ...
    @property
    def laterality(self) -> str: ...
    @property
    def head_yaw_deg(self) -> float: ...
    @property
    def head_pitch_deg(self) -> float: ...
    @property
    def head_roll_deg(self) -> float: ...
    @property
    def head_yaw_sd_deg(self) -> float: ...
    @property
    def head_pitch_sd_deg(self) -> float: ...
    @property
    def head_roll_sd_deg(self) -> float: ...
    @property
    def deviation_yaw_sd_deg(self) -> float: ...
    @property
    def deviation_pitch_sd_deg(self) -> float: ...
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
    def units(self) -> _Floats: ...
    @property
    def track_row(self) -> _Floats: ...
    @property
    def mask(self) -> _Picture | None: ...  # made by Pipeline.process only
    def to_dict(self) -> dict[str, Any]: ...

class MaskEye(metaclass=_Bound):
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
    def shape(self) -> _Floats: ...  # (Ks,)
    @property
    def centre_mm(self) -> _Floats: ...  # (3,) head frame
    @property
    def patch_offset_mm(self) -> _Floats: ...
    @property
    def patch_roll_rad(self) -> float: ...
    @property
    def iris_radius_mm(self) -> float: ...

class MaskSubject(metaclass=_Bound):
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
    def close_up(self) -> bool: ...
    @property
    def scale(self) -> float: ...
    @property
    def eyebrows(self) -> bool: ...
    @property
    def identity(self) -> _Floats: ...  # (K,)
    @property
    def od(self) -> MaskEye: ...
    @property
    def os(self) -> MaskEye: ...

class Track(metaclass=_Bound):
    def __init__(self, width: int, height: int, *, time_base: Fraction, rate: Fraction) -> None: ...
    def add(self, row: ArrayLike, time_s: float) -> None: ...
    def write(self, path: _Path, subject: MaskSubject) -> None: ...
    @staticmethod
    def read(path: _Path) -> Track: ...
    def __len__(self) -> int: ...
    @property
    def subject(self) -> MaskSubject: ...
    @property
    def rows(self) -> _Floats: ...  # (F, D)
    @property
    def time_s(self) -> _Doubles: ...  # (F,)
    @property
    def time_base(self) -> Fraction: ...
    @property
    def rate(self) -> Fraction: ...
    @property
    def size(self) -> tuple[int, int]: ...

class MaskRenderer(metaclass=_Bound):
    def __init__(self, subject: MaskSubject, models_dir: _Path) -> None: ...
    def render(self, row: ArrayLike, width: int, height: int) -> _Picture: ...
    def vertices(self) -> _Floats: ...  # (N, 3) mm, camera frame, of the last picture

class Pipeline(metaclass=_Bound):
    def __init__(self, options: Options) -> None: ...
    def process(self, frame_bgr_uint8: _Picture, time_s: float) -> FrameResult: ...
    def detect(self, frame_bgr_uint8: _Picture, time_s: float) -> FrameDetection: ...
    def calibrate(self, window: Sequence[FrameDetection]) -> Calibration: ...
    def fit(self, detection: FrameDetection) -> FrameResult: ...
    def render(self, result: FrameResult) -> _Picture: ...
    def reset(self, *, hfov_deg: float | None = ...) -> None: ...
    @property
    def calibration(self) -> Calibration: ...
    @property
    def people(self) -> int: ...
    @property
    def recognitions(self) -> int: ...
    @property
    def subject(self) -> MaskSubject: ...
    def use_subject(self, subject: Mapping[str, Any], width: int, height: int) -> None: ...
    def unreleased_subject(self) -> dict[str, Any]: ...
    @property
    def holds(self) -> bool: ...
    @property
    def tells_blinks(self) -> bool: ...
    def unreleased_moment(self) -> dict[str, Any]: ...
    def unreleased_diagnostics(self) -> dict[str, float]: ...
    @property
    def backend(self) -> str: ...  # cpu or tensorrt
    @property
    def backend_reason(self) -> str: ...
    def detect_timings(self) -> dict[str, float]: ...
    def fit_timings(self) -> dict[str, float]: ...
    def compare_batch_fit(self, detections: Sequence[FrameDetection]) -> dict[str, float]: ...

class Models(metaclass=_Bound):
    def __init__(self, models_dir: _Path) -> None: ...
    @property
    def identities(self) -> int: ...
    @property
    def unit_names(self) -> list[str]: ...
    @property
    def eyelid_shapes(self) -> int: ...
    @property
    def eyelid_motions(self) -> int: ...
    @property
    def eyelid_motion_names(self) -> list[str]: ...
    def blink(self, shape: ArrayLike, amount: float) -> _Floats: ...
    def eyelid_motion(self, name: str) -> _Floats: ...
    def landmarks(
        self, identity: ArrayLike, units: ArrayLike, rotation: ArrayLike, translation: ArrayLike
    ) -> _Doubles: ...
    def eye_centre(self, eye: int, identity: ArrayLike) -> _Doubles: ...
    def eyelid_lines(self, eye: int, shape: ArrayLike, motion: ArrayLike) -> dict[str, _Doubles]: ...

def in_sight(detection: FrameDetection, eye: int) -> tuple[str, bool]: ...
def likenesses(
    models: Models, patient: Sequence[FrameDetection], faces: Sequence[FrameDetection], hfov_deg: float = 40.0
) -> list[float]: ...

like_at_once: float
like_in_time: float
adult_kappa_deg: float

def eye_at_age(age_years: float) -> tuple[float, float]: ...  # globe, of a grown-up's; iris, mm

outer_canthus_share: float  # of the way between the margins' ends, from the inner one
adult_pupils_mm: float
cornea_to_limbus_sd_share: float

def head_rotation(yaw_deg: float, pitch_deg: float, roll_deg: float) -> _Doubles: ...

class Globe(metaclass=_Bound):
    def __init__(
        self,
        centre: Sequence[float],
        axis: Sequence[float],
        *,
        radius_mm: float = ...,
        iris_radius_mm: float = ...,
        pupil_radius_mm: float = ...,
        visible: bool = True,
    ) -> None: ...

class Renderer(metaclass=_Bound):
    def __init__(self) -> None: ...
    def render_scene(
        self,
        vertices: ArrayLike,
        triangles: ArrayLike,
        albedo: ArrayLike,
        *,
        focal_px: float,
        cx: float,
        cy: float,
        width: int,
        height: int,
        globes: Sequence[Globe] = ...,
        background_bgr: Sequence[int] = ...,
    ) -> _Picture: ...

def gbuffer(
    vertices_px: ArrayLike,
    depth: ArrayLike,
    triangles: ArrayLike,
    width: int,
    height: int,
    attributes: ArrayLike | None = None,
) -> tuple[NDArray[Any], ...]: ...
def system_info() -> dict[str, Any]: ...
def gpu_status() -> dict[str, Any]: ...  # built, devices, device, driver_version, runtime_version, problem
def tensorrt_status() -> dict[str, Any]: ...  # built, header_version, library, flavour, version, problem
def engine_file_name(
    model: str, sha256: str, precision: str, flavour: str, version: str, gpu: str
) -> str: ...
def gpu_part(flavour: str, name: str, major: int, minor: int) -> str: ...
def card_problem(flavour: str, card: str, major: int, minor: int) -> str: ...
def engine_folder() -> str: ...
