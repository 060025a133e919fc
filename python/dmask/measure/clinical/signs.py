"""A screening aid: signs of the four diseases, present, absent or not measurable. No diagnosis.

A sign is present where the whole interval of its measure lies beyond the threshold, absent where none of it
does; where the interval holds the threshold, this recording does not measure it.
"""

from __future__ import annotations

from collections.abc import Iterator

from dmask.measure.clinical.lids import mostly_behind_lid
from dmask.measure.record import BOTH, EYES, Estimate, Finding, not_measured
from dmask.measure.recorded import Recording
from dmask.measure.registry import findings_of, measure

PRESENT, ABSENT = "present", "absent"
SIGNS_OF = {  # the article's four diseases
    "thyroid_orbitopathy": (
        "upper_retraction_class", "lower_scleral_show_class", "lid_lag_class", "lagophthalmos_class",
    ),
    "strabismus": ("horizontal_deviation_class", "vertical_deviation_class"),
    "ptosis": ("ptosis_class",),
    "nystagmus": ("nystagmus_class",),
}  # fmt: skip
THRESHOLDS = "thresholds of the settings"


def told(recording: Recording, name: str, eye: str, condition: str) -> Estimate:
    """What another measure says."""
    for finding in findings_of(recording, name):
        if (finding.eye, finding.condition) == (eye, condition):
            return finding.estimate
    return not_measured("not measured here")


def sign(estimate: Estimate, limit: float, sides: tuple[int, ...] = (1,)) -> Estimate:
    """Against a limit: beyond it upwards (1), or downwards of its negative (-1)."""
    if not isinstance(estimate.value, float):
        return estimate
    low = estimate.value if estimate.low is None else estimate.low
    high = estimate.value if estimate.high is None else estimate.high
    ends = {1: (low, high), -1: (-high, -low)}
    if any(ends[side][0] > limit for side in sides):
        return Estimate(PRESENT, n=estimate.n)
    if all(ends[side][1] <= limit for side in sides):
        return Estimate(ABSENT, n=estimate.n)
    at = -limit if sides == (-1,) else limit
    return not_measured(f"its interval, {low:.1f} to {high:.1f}, holds the threshold of {at:g}", estimate.n)


def long_enough(recording: Recording, estimate: Estimate) -> Estimate:
    """A moment is no sign of anything."""
    seen_s, least_s = (estimate.n or 0) / recording.rate_fps, recording.settings.sign_least_s
    if isinstance(estimate.value, float) and not seen_s >= least_s:
        return not_measured(f"straight ahead for {seen_s:.1f} s; needs {least_s:g}", estimate.n)
    return estimate


@measure("signs.ptosis_class", "MRD1 below ptosis_sign_mrd1_mm", THRESHOLDS)
def ptosis(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        mrd1 = told(recording, "lids.mrd1_mm", eye, "primary")
        limit_mm = recording.settings.ptosis_sign_mrd1_mm
        if mostly_behind_lid(recording, eye) and limit_mm >= 0 and recording.profile != "strict":
            yield Finding(eye, Estimate(PRESENT, n=mrd1.n))  # MRD1 is negative
        else:
            yield Finding(eye, sign(long_enough(recording, mrd1), -limit_mm, (-1,)))


@measure("signs.upper_retraction_class", "white above the limbus, straight ahead", THRESHOLDS)
def upper_retraction(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        beyond = told(recording, "lids.upper_margin_beyond_limbus_mm", eye, "primary")
        yield Finding(eye, sign(long_enough(recording, beyond), recording.settings.retraction_mm))


@measure("signs.lower_scleral_show_class", "white below the limbus, straight ahead", THRESHOLDS)
def lower_show(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        beyond = told(recording, "lids.lower_margin_beyond_limbus_mm", eye, "primary")
        yield Finding(eye, sign(long_enough(recording, beyond), recording.settings.lower_show_mm))


@measure("signs.lid_lag_class", "MRD1 in downgaze larger than straight ahead", THRESHOLDS)
def lid_lag(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        yield Finding(eye, sign(told(recording, "lids.lag_down_mm", eye, "down"), recording.settings.lag_mm))


@measure("signs.lagophthalmos_class", "a fissure is left in a closure on purpose", THRESHOLDS)
def lagophthalmos(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        kinds = [one for one in findings_of(recording, "lids.lagophthalmos_mm") if one.eye == eye]
        gentle = next((one for one in kinds if one.condition != "forced_closure"), kinds[0])
        yield Finding(eye, sign(gentle.estimate, recording.settings.lagophthalmos_mm))


def squint(recording: Recording, direction: str, limit_deg: float) -> Estimate:
    """By the eye that moves when the other is covered, which needs no straight eyes to compare with; else by
    the angle between the axes."""
    by_cover = [told(recording, f"cover.deviation_{direction}_deg", eye, "other_covered") for eye in EYES]
    seen = [sign(one, limit_deg, (1, -1)) for one in by_cover]
    if any(one.value == PRESENT for one in seen):
        return next(one for one in seen if one.value == PRESENT)
    if all(one.value == ABSENT for one in seen):
        return seen[0]
    return sign(told(recording, f"alignment.deviation_{direction}_deg", BOTH, "primary"), limit_deg, (1, -1))


@measure("signs.nystagmus_class", "the eyes beat along an axis", THRESHOLDS)
def nystagmus(recording: Recording) -> Iterator[Finding]:
    for eye in EYES:
        for axis in ("horizontal", "vertical"):
            yield Finding(eye, told(recording, "nystagmus.present_class", eye, axis), axis)


@measure(
    "signs.horizontal_deviation_class", "an eye is turned in or out while the other one fixates", THRESHOLDS
)
def horizontal_deviation(recording: Recording) -> Iterator[Finding]:
    yield Finding(BOTH, squint(recording, "horizontal", recording.settings.squint_deg))


@measure("signs.vertical_deviation_class", "one eye points higher than the other", THRESHOLDS)
def vertical_deviation(recording: Recording) -> Iterator[Finding]:
    yield Finding(BOTH, squint(recording, "vertical", recording.settings.vertical_squint_deg))
