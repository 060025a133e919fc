"""Thresholds of the clinical measures, each with where it comes from; `dmask measure --set` changes one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from dmask.errors import WrongUse

ASSUMED = "assumed"
PTOSIS = "usual grades: 1 to 2 mm below the normal height are mild, 3 to 4 moderate, more severe"
MIDPUPIL = "usual definition: a margin less than 2 mm above the middle of the pupil"
NORMAL_MRD1 = "normal MRD1 is 4 to 5 mm"
EUGOGO = "Bartalena et al. 2021 (EUGOGO), 10.1530/EJE-21-0479: minor retraction is less than 2 mm"
LATENCY = "saccades follow about 0.2 s after their cause"
EXAMINERS = "Holmes et al. 2008, PMC2386860: two examiners' cover tests agree within 10 prism dioptres"
VISUALEYES = "Interacoustics VisualEyes, Research module: parameters of the nystagmus algorithm"
TRACES = "bench/nystagmus_traces.py: traces of known movements"
HERISHANU = "Herishanu and Sharpe 1981, Invest Ophthalmol Vis Sci 20:268: 0.5 degrees and over, some 200 ms"
ISSUE_FPS = "a saccade of 40 ms is one or two frames at 30 a second"
DOWNGAZE = "Meyer and Rheeman 1995, 10.1016/S0161-6420(95)30837-8: MRD1 becomes less in downgaze"


def setting(default: float, what: str, source: str, least: float = 0.0, most: float = 1e6) -> Any:
    return field(default=default, metadata={"what": what, "source": source, "range": (least, most)})


@dataclass(frozen=True)
class Settings:
    """Of all measures; names carry units."""

    blink_margin_s: float = setting(
        0.1, "before and after a blink, in which lids hide the iris", ASSUMED, 0, 1
    )
    # Lids
    usual_mrd1_mm: float = setting(4.0, "the least MRD1 without ptosis", NORMAL_MRD1, 0, 8)
    ptosis_mild_mm: float = setting(1.0, "below it from which on a lid droops mildly", PTOSIS, 0, 8)
    ptosis_moderate_mm: float = setting(2.5, "moderately", PTOSIS, 0, 8)
    ptosis_severe_mm: float = setting(4.0, "severely", PTOSIS, 0, 8)
    retraction_mm: float = setting(
        0.0, "white above the limbus beyond which a lid is retracted", EUGOGO, -2, 5
    )
    retraction_marked_mm: float = setting(2.0, "beyond which it is so moderately or worse", EUGOGO, 0, 8)
    upgaze_deg: float = setting(20.0, "above straight ahead: the eyes look far up", ASSUMED, 5, 40)
    downgaze_deg: float = setting(20.0, "below it: far down", ASSUMED, 5, 40)
    sustained_s: float = setting(30.0, "for so long a look up has to last to tell fatigue", ASSUMED, 5, 300)
    moving_deg_per_s: float = setting(
        8.0, "eyes that turn up or down faster are on their way", ASSUMED, 1, 100
    )
    closed_on_purpose_s: float = setting(
        1.0, "lids that meet for longer are closed, not blinking", ASSUMED, 0.3, 10
    )
    forced_unit_share: float = setting(0.25, "of the squeezing units: closure is forced", ASSUMED, 0, 1)
    jaw_open_share: float = setting(0.3, "of the jaw's unit: the mouth is open", ASSUMED, 0, 1)

    # Blinks
    blink_fps: float = setting(20.0, "frames a second for depth and duration of blinks", ASSUMED, 5, 120)
    wink_s: float = setting(0.25, "a wink lasts longer, or the other eye stays wide open", ASSUMED, 0, 5)
    wink_other_share: float = setting(
        0.5, "of its opening that the other eye keeps in a wink", ASSUMED, 0.2, 1
    )
    # Alignment
    version_gaze_deg: float = setting(
        20.0, "the farther eye turns at least so far where versions are told", ASSUMED, 5, 45
    )
    steady_head_deg: float = setting(5.0, "within it of its posture the head is steady", ASSUMED, 0.5, 45)

    # Cover tests
    cover_s: float = setting(
        0.4, "for so long at least something hides an eye that is covered", ASSUMED, 0.1, 10
    )
    cover_gap_s: float = setting(0.2, "for which a cover may be interrupted", ASSUMED, 0, 2)
    swap_s: float = setting(
        0.7, "between uncovering one eye and covering the other, in an alternate cover", ASSUMED, 0.1, 5
    )
    cover_early_s: float = setting(0.1, "after uncovering, before the eye moves", LATENCY, 0, 0.3)
    settled_from_s: float = setting(0.5, "after an event the eye has taken up fixation", ASSUMED, 0.2, 5)
    settled_to_s: float = setting(1.0, "and still has", ASSUMED, 0.3, 10)
    cover_least_deg: float = setting(
        1.0, "a smaller movement is none: about 2 prism dioptres", ASSUMED, 0.1, 10
    )
    fixation_sd_deg: float = setting(0.3, "of where an eye fixates, from one time to the next", ASSUMED, 0, 5)

    # Nystagmus
    nystagmus_fps: float = setting(20.0, "frames a second below which no beat is told", TRACES, 10, 120)
    nystagmus_least_deg: float = setting(0.5, "smaller beats are not told", VISUALEYES, 0.1, 10)
    nystagmus_least_noises: float = setting(
        3.0, "an amplitude is at least so many times the noise of a frame", TRACES, 1, 100
    )
    nystagmus_slow_least_s: float = setting(0.04, "a slow phase lasts at least", VISUALEYES, 0.01, 1)
    nystagmus_slow_most_s: float = setting(1.0, "and at most", VISUALEYES, 0.1, 5)
    nystagmus_slow_to_quick_ratio: float = setting(
        1.2, "a slow phase lasts so many times as long as a quick one", ASSUMED, 0, 20
    )
    nystagmus_least_deg_per_s: float = setting(1.0, "a slow phase is at least as quick", ASSUMED, 0.1, 20)
    nystagmus_most_deg_per_s: float = setting(220.0, "and at most", VISUALEYES, 20, 1000)
    nystagmus_least_fit_r: float = setting(0.6, "of a slow phase with a line; less is none", ASSUMED, 0, 1)
    nystagmus_least_beats: float = setting(3.0, "beats that follow each other", VISUALEYES, 2, 100)
    nystagmus_span_s: float = setting(10.0, "within which they do", VISUALEYES, 0.5, 600)
    nystagmus_spread_share: float = setting(
        0.75, "of the median by which a slow phase's velocity may differ from it", ASSUMED, 0.05, 10
    )
    nystagmus_spread_deg_per_s: float = setting(5.0, "or by so much, if that is more", VISUALEYES, 0, 100)
    nystagmus_head_share: float = setting(
        0.5, "of a slow phase's velocity that the head's turn makes: it is a reflex", ASSUMED, 0.05, 1
    )
    nystagmus_rhythm_share: float = setting(
        0.7, "of what is not noise that a rhythm explains in a window", TRACES, 0.1, 1
    )
    nystagmus_rhythm_hz: float = setting(
        1.5, "a slower swing may be a pursuit; quick phases are told from 1 Hz on", ASSUMED, 1, 10
    )
    nystagmus_absent_deg: float = setting(
        3.0, "absence is told where beats of so many degrees would have been seen", ASSUMED, 0.5, 20
    )
    nystagmus_seen_s: float = setting(1.5, "gaze is seen for as long between blinks", ASSUMED, 0.5, 60)
    # Fixation
    fixation_within_deg: float = setting(3.0, "of one place: a fixation", ASSUMED, 0.5, 20)
    fixation_gap_s: float = setting(
        1.0, "without gaze, as of a blink, that does not end a fixation", ASSUMED, 0.1, 10
    )
    fixation_least_s: float = setting(
        2.0, "a fixation is as long before its stability is told", ASSUMED, 0.5, 60
    )
    square_wave_least_deg: float = setting(0.5, "an intrusion is at least as large", HERISHANU, 0.1, 5)
    square_wave_most_deg: float = setting(5.0, "and at most: larger ones are looks", ASSUMED, 1, 30)
    square_wave_least_s: float = setting(0.08, "the eye stays away at least", ASSUMED, 0.02, 1)
    square_wave_most_s: float = setting(0.45, "and at most", ASSUMED, 0.1, 2)
    square_wave_least_noises: float = setting(
        6.0, "an intrusion is at least so many times the noise of a frame", TRACES, 1, 100
    )
    saccade_fps: float = setting(120.0, "frames a second for a saccade's peak velocity", ISSUE_FPS, 60, 2000)

    # Face
    movement_share: float = setting(0.2, "of a unit: less is no movement", ASSUMED, 0.02, 1)
    # Signs
    sign_least_s: float = setting(1.0, "for so long a lid is seen straight ahead", ASSUMED, 0, 60)
    ptosis_sign_mrd1_mm: float = setting(2.0, "MRD1 below it is ptosis", MIDPUPIL, -2, 5)
    lower_show_mm: float = setting(0.0, "white below the limbus beyond which it is a sign", ASSUMED, 0, 5)
    lag_mm: float = setting(0.0, "by which MRD1 is larger in downgaze than straight ahead", DOWNGAZE, -2, 5)
    lagophthalmos_mm: float = setting(0.5, "fissure left in a closure", ASSUMED, 0, 5)
    squint_deg: float = setting(5.0, "from straight eyes, horizontally", EXAMINERS, 0, 30)
    vertical_squint_deg: float = setting(3.0, "from straight eyes, vertically", ASSUMED, 0, 30)


PRESETS: dict[str, dict[str, float]] = {
    "usual": {},
    # Interacoustics VisualEyes, Research module.
    "visualeyes": {
        "nystagmus_least_deg": 0.5, "nystagmus_slow_least_s": 0.04, "nystagmus_slow_most_s": 1.0,
        "nystagmus_slow_to_quick_ratio": 2.0, "nystagmus_least_deg_per_s": 0.5,
        "nystagmus_most_deg_per_s": 220.0, "nystagmus_least_fit_r": 0.95, "nystagmus_least_beats": 3.0,
        "nystagmus_span_s": 10.0, "nystagmus_spread_share": 0.5, "nystagmus_spread_deg_per_s": 5.0,
    },
}  # fmt: skip


def settings_of(preset: str, changes: Mapping[str, float]) -> Settings:
    """Raises WrongUse for a name that is none, and a value out of its range."""
    if preset not in PRESETS:
        raise WrongUse(f"got the preset {preset}; expected one of {', '.join(PRESETS)}")
    known = {one.name: one for one in fields(Settings)}
    for name, value in changes.items():
        if name not in known:
            raise WrongUse(f"got a setting called {name}; expected one of {', '.join(known)}")
        least, most = known[name].metadata["range"]
        if not least <= value <= most:
            raise WrongUse(f"got {name}={value:g}; expected {least:g} to {most:g}")
    return replace(Settings(), **(PRESETS[preset] | dict(changes)))
