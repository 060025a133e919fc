"""Whether an eye beats along an axis, and how: by its beats, or its rhythm where none can be told apart."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dmask.measure.beats import Beat, Run, chains, jumps, run_of
from dmask.measure.noise import MAD_OF_NORMAL, noise_step
from dmask.measure.rhythm import (
    LEAST_HZ,
    MOST_HZ,
    NYQUIST_SHARE,
    STEP_HZ,
    Rhythm,
    folded_saw,
    highest_hz,
    levelled,
    parts,
    phasor,
    power,
    rhythms,
    solved,
)
from dmask.measure.settings import Settings

Array = np.ndarray

SHORTEST_S = 0.5  # of a part of the recording between two blinks
QUICK_SHARE = 0.3  # of the variance, of a swing that is too quick
JUMP_S, JUMPS_A_SECOND = 0.05, 5.0  # looks about are three a second
UNEVEN_SWINGS, UNEVEN_HZ, UNEVEN_SHARE = 2.0, 2.0, 0.5  # of nystagmus_absent_deg; of a window's variance
HARMONICS_TOLD = 2  # that a form needs
BOTH_WAYS_SHARE = 0.2  # of the windows that are skewed to each side
JERK_SKEW, PENDULAR_SKEW = 0.2, 0.12  # of the rhythm: a saw has 0.5, a sine 0
MANY_CYCLES, FEW_SHARE = 6.0, 0.8  # of fewer cycles the rhythm explains so much of the variance
MANY_BEATS, FEW_FIT_R, FEW_SPREAD = 6, 0.85, 2.0  # fewer beats are each so straight, and as even
SAME_HZ_SHARE = 0.06  # rhythms that differ by no more are the same
HEAD_KNOWN_SHARE = 0.5  # of the frames with gaze
IN_SPACE_SHARE = 0.7  # of the eye's swing in the head: the head makes the rest of it
LEAST_EXPLAINED = 0.3  # of the whole variance, noise and all
SLOW_TO_JUMP = (0.4, 2.5)  # what a slow phase goes over what the quick phase brings back
SURE_SLOPE = 2.0  # standard errors of a slope
ONE_SIDED = 0.8  # share of the beats to one side
STEP_OF_SMOOTH, STEP_NOISES = 1.6, 5.0  # of the fastest that a rhythm moves, and of the noise
STEPS_A_CYCLE = 0.4
STAIRS_S, STAIRS_FRAMES = 0.3, 8  # a slow phase shorter than this holds no two fixations
STAIRS_DEG, STAIRS_SHARE = 0.3, 0.04  # of the jump: saccades of a degree leave more of a cubic
HEAD_LATE_S = 0.1  # by which a head's angle may come late or early
NOTABLE_SHARE = 0.2  # of the time in sight: what moves with the head, or is too small, for less is chance
WITHIN_EPISODE_S = 1.2


Span = tuple[float, float]


class Small(NamedTuple):
    """What beats, but by less than the noise allows to tell."""

    amplitude_deg: float
    noise_deg: float
    span_s: Span


class Beating(NamedTuple):
    """`waveform` is empty where there is none; `reason` tells why nothing, or nothing more, is said."""

    waveform: str  # jerk, pendular, undetermined
    reason: str
    side: int  # of the quick phases, + or -; 0 without, or where they go both ways
    beats: list[Beat]
    runs: list[Run]  # from which the beats are
    windows: list[Rhythm]
    hz: Array  # (N,) of beats, or of windows
    amplitude_deg: Array
    slow_deg_per_s: Array  # without sign; empty where there are no slow phases
    fit_r: float
    noise_deg: float
    seen_s: float
    episodes_s: list[Span]


def nothing(reason: str, noise_deg: float, seen_s: float) -> Beating:
    none = np.array([])
    return Beating("", reason, 0, [], [], [], none, none, none, float("nan"), noise_deg, seen_s, [])


def beating(time_s: Array, angle_deg: Array, head_deg: Array, settings: Settings) -> Beating:
    """Of (F,) angles of an eye in the head, NaN where they are not seen."""
    seen = np.isfinite(angle_deg)
    time_s, angle_deg, head_deg = time_s[seen], angle_deg[seen], head_deg[seen]
    stretches = [
        part for part in parts(time_s)
        if part.stop - part.start >= 8 and time_s[part.stop - 1] - time_s[part.start] >= SHORTEST_S
    ]  # fmt: skip
    seen_s = sum(float(time_s[part.stop - 1] - time_s[part.start]) for part in stretches)
    step = noise_step(time_s, angle_deg)
    noise_deg = float("nan") if step is None else step / np.sqrt(2)
    if seen_s < settings.nystagmus_seen_s or not np.isfinite(noise_deg):
        return nothing(
            f"gaze is seen for {seen_s:.1f} s between blinks; needs {settings.nystagmus_seen_s:g}",
            noise_deg,
            seen_s,
        )
    if np.isfinite(head_deg).mean() < HEAD_KNOWN_SHARE:
        return nothing(
            "the head's angle is not known: its reflexes cannot be told from beats", noise_deg, seen_s
        )
    runs: list[Run] = []
    groups: list[list[Rhythm]] = []
    stepped: list[Rhythm] = []
    with_head: list[Span] = []
    leisurely: list[Rhythm] = []
    uneven: list[Rhythm] = []
    for part in stretches:
        trace = (time_s[part], angle_deg[part], head_deg[part])
        for run in runs_of(*trace, noise_deg, settings):
            if climbs_stairs(run, *trace[:2]):
                continue
            free = [beat for beat in run.beats if not moved_by_head(beat, settings)]
            with_head += [(beat.start_s, beat.end_s) for beat in run.beats if beat not in free]
            runs += [run._replace(beats=kept) for kept in consecutive(free, settings)]
        every = rhythms(*trace[:2])
        found = [one for one in every if is_rhythm(one, noise_deg, settings)]
        uneven += [one for one in every if one not in found and swings_unevenly(one, settings)]
        free_windows = [one for one in found if not swings_with_head(one, *trace)]
        with_head += [(one.start_s, one.end_s) for one in found if one not in free_windows]
        leisurely += [one for one in free_windows if one.hz < settings.nystagmus_rhythm_hz]
        free_windows = [one for one in free_windows if one not in leisurely]
        groups += agreeing(free_windows)
        stepped += [one for one in free_windows if goes_in_steps(one, *trace[:2], noise_deg)]
    if sum(len(run.beats) for run in runs) < MANY_BEATS:
        runs = [run for run in runs if alike(run.beats)]
    runs, small_runs = by_size(runs, settings)
    if not runs:  # steps that are no beats are looks about, however even
        groups = [[one for one in group if one not in stepped] for group in groups]
        groups = [group for group in groups if group and any(agreeing(group))]
    windows, small_windows = by_amplitude(groups, settings)
    quick = quickest(time_s, angle_deg, stretches)
    if quick and (runs or windows or quick.swing_deg >= floor_deg(noise_deg, settings)):
        rate_fps = 1 / float(np.median(np.diff(time_s)))
        too_quick = f"too quick for {rate_fps:.0f} frames a second"
        if quick.hz <= NYQUIST_SHARE * rate_fps:
            too_quick = f"beats of more than {MOST_HZ:g} Hz are not told"
        return nothing(f"the eyes swing at {quick.hz:.0f} Hz: {too_quick}", noise_deg, seen_s)
    if runs or windows:
        return told(time_s, angle_deg, runs, windows, noise_deg, seen_s, settings)
    small = small_runs + small_windows
    if lasting_s([one.span_s for one in small]) >= NOTABLE_SHARE * seen_s:
        typical = sorted(small)[len(small) // 2]
        reason = too_small(typical.amplitude_deg, typical.noise_deg, settings)
        return nothing(reason, noise_deg, seen_s)
    if lasting_s(with_head) >= NOTABLE_SHARE * seen_s:
        reason = f"the eyes move with the head, for {lasting_s(with_head):.1f} of {seen_s:.1f} s"
        return nothing(reason, noise_deg, seen_s)
    swings = [one for group in agreeing(leisurely) for one in group]
    if lasting_s([(one.start_s, one.end_s) for one in swings]) >= NOTABLE_SHARE * seen_s:
        hz = float(np.median([one.hz for one in swings]))
        least_hz = settings.nystagmus_rhythm_hz
        reason = f"the eyes swing at {hz:.1f} Hz: they may follow something; needs {least_hz:g}"
        return nothing(reason, noise_deg, seen_s)
    least_jump_deg = max(settings.nystagmus_absent_deg, floor_deg(noise_deg, settings))
    often = jumps_a_second(time_s, angle_deg, stretches, least_jump_deg)
    if often >= JUMPS_A_SECOND:
        reason = (
            f"the eyes jump {often:.0f} times a second by {least_jump_deg:.0f} degrees and more, too unevenly"
        )
        return nothing(reason, noise_deg, seen_s)
    uneven_s = lasting_s([(one.start_s, one.end_s) for one in uneven])
    if uneven_s >= settings.nystagmus_seen_s:
        swing_deg, hz = (
            float(np.median([getattr(one, name) for one in uneven])) for name in ("swing_deg", "hz")
        )
        reason = (
            f"the eyes swing by {swing_deg:.0f} degrees at {hz:.1f} Hz for {uneven_s:.1f} s, too unevenly"
        )
        return nothing(reason, noise_deg, seen_s)
    least_deg = floor_deg(noise_deg, settings)
    if least_deg > settings.nystagmus_absent_deg:
        reason = (
            f"noise of {noise_deg:.1f} degrees a frame: beats under {least_deg:.1f} degrees are not seen; "
            f"needs {settings.nystagmus_absent_deg:g}"
        )
        return nothing(reason, noise_deg, seen_s)
    return nothing("", noise_deg, seen_s)


def floor_deg(noise_deg: float, settings: Settings) -> float:
    return max(settings.nystagmus_least_deg, settings.nystagmus_least_noises * noise_deg)


def too_small(amplitude_deg: float, noise_deg: float, settings: Settings) -> str:
    least_deg = floor_deg(noise_deg, settings)
    return f"amplitude {amplitude_deg:.1f} degrees at {noise_deg:.2f} of noise a frame; needs {least_deg:.1f}"


def runs_of(
    time_s: Array, angle_deg: Array, head_deg: Array, noise_deg: float, settings: Settings
) -> list[Run]:
    """Of an unbroken part: quick phases that follow each other, and the slow phases between them."""
    found = jumps(time_s, angle_deg, noise_deg, settings.nystagmus_least_deg)
    longest_s = settings.nystagmus_slow_most_s + 0.2
    runs = []
    for chain in chains(found, longest_s):
        run = run_of(time_s, angle_deg, head_deg, chain, noise_deg)
        kept = [beat for beat in run.beats if is_beat(beat, run.quick_s, settings)]
        if len(kept) < settings.nystagmus_least_beats:
            continue
        median = float(np.median([beat.slope_deg_per_s for beat in kept]))
        apart = max(settings.nystagmus_spread_share * abs(median), settings.nystagmus_spread_deg_per_s)
        kept = [beat for beat in kept if abs(beat.slope_deg_per_s - median) <= apart]
        runs.append(run._replace(beats=kept))
    return runs


def is_beat(beat: Beat, quick_s: float, settings: Settings) -> bool:
    """A slow phase one way that a quick phase brings back."""
    slope = beat.slope_deg_per_s
    if not np.isfinite(slope) or slope * beat.jump_deg >= 0:
        return False
    back = abs(slope) * beat.slow_s / abs(beat.jump_deg)
    return bool(
        settings.nystagmus_least_deg_per_s <= abs(slope) <= settings.nystagmus_most_deg_per_s
        and abs(slope) >= SURE_SLOPE * beat.slope_error
        and settings.nystagmus_slow_least_s <= beat.slow_s <= settings.nystagmus_slow_most_s
        and beat.slow_s >= settings.nystagmus_slow_to_quick_ratio * quick_s
        and beat.fit_r >= settings.nystagmus_least_fit_r
        and SLOW_TO_JUMP[0] <= back <= SLOW_TO_JUMP[1]
    )


def moved_by_head(beat: Beat, settings: Settings) -> bool:
    """Most of the slow phase is the head's turn back: gaze in space keeps still, or the head's angle errs.

    A head whose angle is missing just here is taken to rest.
    """
    slope = beat.slope_deg_per_s
    in_space = abs(slope + beat.head_slope_deg_per_s)
    return in_space <= (1 - settings.nystagmus_head_share) * abs(slope)


def consecutive(beats: list[Beat], settings: Settings) -> list[list[Beat]]:
    """Those of which enough follow each other within the span."""
    least = int(settings.nystagmus_least_beats)
    groups: list[list[Beat]] = []
    for beat in beats:
        if groups and abs(beat.start_s - groups[-1][-1].end_s) < 1e-6:
            groups[-1].append(beat)
        else:
            groups.append([beat])
    return [
        group for group in groups
        if len(group) >= least and group[least - 1].end_s - group[0].start_s <= settings.nystagmus_span_s
    ]  # fmt: skip


def is_rhythm(one: Rhythm, noise_deg: float, settings: Settings) -> bool:
    """It explains most of what is not noise."""
    whole = one.noise_deg**2 / max(1 - one.share, 1e-6)
    meant = max(whole - noise_deg**2, 1e-9)
    return one.share >= LEAST_EXPLAINED and one.share * whole >= settings.nystagmus_rhythm_share * meant


def swings_unevenly(one: Rhythm, settings: Settings) -> bool:
    """A quick and large swing that is no rhythm of its own, and more than looks about."""
    large = one.swing_deg >= UNEVEN_SWINGS * settings.nystagmus_absent_deg
    return large and one.hz >= UNEVEN_HZ and one.share >= UNEVEN_SHARE


class Quick(NamedTuple):
    hz: float
    swing_deg: float


def quickest(time_s: Array, angle_deg: Array, stretches: list[slice]) -> Quick | None:
    """Where most of a trace's movement is quicker than a rhythm can be told: frames show another one then."""
    best, highest, most = None, 0.0, 0.0
    for part in stretches:
        at_s, rate_fps = time_s[part], 1 / float(np.median(np.diff(time_s[part])))
        hz = np.arange(LEAST_HZ, 0.5 * rate_fps, STEP_HZ)
        if hz.size < 2:
            continue
        seen = power(at_s, angle_deg[part], hz)
        at = int(np.argmax(seen))
        whole = float(levelled(at_s, angle_deg[part]).var())
        if seen[at] > most and seen[at] >= QUICK_SHARE * whole:
            most, highest = float(seen[at]), highest_hz(at_s)
            best = Quick(float(hz[at]), 2 * float(np.sqrt(2 * most)))
    return best if best and best.hz > highest + STEP_HZ else None


def jumps_a_second(time_s: Array, angle_deg: Array, stretches: list[slice], least_deg: float) -> float:
    """Movements of that size and more from one frame to the next few."""
    count, lasts_s = 0, 0.0
    for part in stretches:
        at_s, angle = time_s[part], angle_deg[part]
        frames = max(1, round(JUMP_S / float(np.median(np.diff(at_s)))))
        if angle.size <= frames:
            continue
        large = np.abs(angle[frames:] - angle[:-frames]) >= least_deg
        signs = np.sign(angle[frames:] - angle[:-frames])[large]
        starts = np.flatnonzero(large)
        new = np.ones(starts.size, bool)
        new[1:] = (np.diff(starts) > 1) | (np.diff(signs) != 0)
        count += int(new.sum())
        lasts_s += float(at_s[-1] - at_s[0])
    return count / lasts_s if lasts_s > 0 else 0.0


def swings_with_head(one: Rhythm, time_s: Array, angle_deg: Array, head_deg: Array) -> bool:
    """The same of a rhythm: gaze in space swings less than the eye in the head, be the head a little late."""
    inside = (time_s >= one.start_s) & (time_s <= one.end_s) & np.isfinite(head_deg)
    if inside.sum() < 10:
        return False
    eye, head = (phasor(time_s[inside], values[inside], one.hz) for values in (angle_deg, head_deg))
    turns = one.hz * np.linspace(-HEAD_LATE_S, HEAD_LATE_S, 21)
    in_space = np.abs(eye + head * np.exp(2j * np.pi * turns)).min()
    return bool(in_space <= IN_SPACE_SHARE * abs(eye))


def climbs_stairs(run: Run, time_s: Array, angle_deg: Array) -> bool:
    """Its slow phases are saccades with fixations between them, as of somebody who reads.

    A cubic leaves more of those than the frames tremble by; it follows a slow phase, however bent.
    """
    slow = []
    for beat in run.beats:
        edges_s = (beat.start_s + 0.6 * run.quick_s, beat.end_s - 0.6 * run.quick_s)
        inside = slice(*np.searchsorted(time_s, edges_s))
        if inside.stop - inside.start >= STAIRS_FRAMES and beat.slow_s >= STAIRS_S:
            slow.append((time_s[inside], angle_deg[inside]))
    if not slow:
        return False
    moves = np.concatenate([np.diff(values) for _, values in slow])
    trembles_deg = float(np.median(np.abs(moves - np.median(moves)))) / MAD_OF_NORMAL / np.sqrt(2)
    left_deg = np.median([cubic_residual(*one) for one in slow])
    jump_deg = float(np.median([abs(beat.jump_deg) for beat in run.beats]))
    beyond_deg = np.sqrt(max(float(left_deg) ** 2 - trembles_deg**2, 0.0))
    return bool(beyond_deg >= max(STAIRS_DEG, STAIRS_SHARE * jump_deg))


def cubic_residual(time_s: Array, values: Array) -> float:
    at = time_s - time_s.mean()
    left = solved(np.vander(at / np.abs(at).max(), 4), values)[1]
    return float(np.sqrt(left / (time_s.size - 4)))


def goes_in_steps(one: Rhythm, time_s: Array, angle_deg: Array, noise_deg: float) -> bool:
    """Frames now and then move by more than this rhythm and the noise can."""
    inside = slice(*np.searchsorted(time_s, (one.start_s, one.end_s)))
    smooth = np.pi * one.hz * one.swing_deg * np.diff(time_s[inside])
    steps = np.abs(np.diff(angle_deg[inside])) > STEP_OF_SMOOTH * smooth + STEP_NOISES * noise_deg
    starts = steps & ~np.append(False, steps[:-1])
    return bool(starts.sum() >= STEPS_A_CYCLE * one.hz * (one.end_s - one.start_s))


def alike(beats: list[Beat]) -> bool:
    """A few beats may be chance: what wanders makes three now and then, but seldom straight and even ones."""
    sizes = [abs(beat.jump_deg) for beat in beats]
    periods_s = [beat.end_s - beat.start_s for beat in beats]
    even = max(sizes) <= FEW_SPREAD * min(sizes) and max(periods_s) <= FEW_SPREAD * min(periods_s)
    return even and min(beat.fit_r for beat in beats) >= FEW_FIT_R


def agreeing(windows: list[Rhythm]) -> list[list[Rhythm]]:
    """Groups of windows that overlap and have the same frequency."""
    groups: list[list[Rhythm]] = []
    for one in windows:
        last = groups[-1][-1] if groups else None
        if last and abs(last.hz - one.hz) <= SAME_HZ_SHARE * one.hz and one.start_s <= last.end_s:
            groups[-1].append(one)
        else:
            groups.append([one])
    return [group for group in groups if lasts(group)]


def lasts(group: list[Rhythm]) -> bool:
    """Over many cycles, or few that leave next to nothing."""
    cycles = (group[-1].end_s - group[0].start_s) * float(np.median([one.hz for one in group]))
    return cycles >= MANY_CYCLES or float(np.median([one.share for one in group])) >= FEW_SHARE


def by_size(runs: list[Run], settings: Settings) -> tuple[list[Run], list[Small]]:
    """Runs that are large beside what they leave of the trace, and the others."""
    large: list[Run] = []
    small: list[Small] = []
    for run in runs:
        amplitude_deg = float(np.median([abs(beat.jump_deg) for beat in run.beats]))
        noise_deg = float(np.median([beat.residual_deg for beat in run.beats]))
        if amplitude_deg >= floor_deg(noise_deg, settings):
            large.append(run)
        else:
            small.append(Small(amplitude_deg, noise_deg, (run.beats[0].start_s, run.beats[-1].end_s)))
    return large, small


def by_amplitude(groups: list[list[Rhythm]], settings: Settings) -> tuple[list[Rhythm], list[Small]]:
    """Windows of groups that are large beside what they leave, and the other groups.

    Second differences are no noise here: of a frequency high for the frame rate they see the rhythm itself.
    """
    large: list[Rhythm] = []
    small: list[Small] = []
    for group in groups:
        swing_deg = float(np.median([one.swing_deg for one in group]))
        if swing_deg >= floor_deg(left_by(group), settings):
            large += group
        else:
            small.append(Small(swing_deg, left_by(group), (group[0].start_s, group[-1].end_s)))
    return large, small


def told(
    time_s: Array,
    angle_deg: Array,
    runs: list[Run],
    windows: list[Rhythm],
    noise_deg: float,
    seen_s: float,
    settings: Settings,
) -> Beating:
    """What the runs and windows say together."""
    beats = [beat for run in runs for beat in run.beats]
    # Beats of a nystagmus that turns round are skewed both ways, and as much.
    skews = np.array([one.skew for one in windows] or [0.0])
    skew = float(np.median(skews))
    both_ways = min((skews > PENDULAR_SKEW).mean(), (skews < -PENDULAR_SKEW).mean()) >= BOTH_WAYS_SHARE
    skewed = float(np.median(np.abs(skews))) if both_ways else abs(skew)
    of_beats_s = sum(beat.end_s - beat.start_s for beat in beats)
    of_windows_s = lasting_s([(one.start_s, one.end_s) for one in windows])
    if beats and (not windows or (skewed > PENDULAR_SKEW and of_beats_s >= 0.25 * of_windows_s)):
        return by_beats(runs, windows, noise_deg, seen_s)
    rate_fps = 1 / float(np.median(np.diff(time_s)))
    hz_usual = float(np.median([one.hz for one in windows]))
    if not beats and HARMONICS_TOLD * hz_usual > NYQUIST_SHARE * rate_fps:
        return unlike(
            windows,
            f"{rate_fps:.0f} frames a second: at {hz_usual:.0f} Hz jerk is not told from pendular",
            seen_s,
        )
    if skewed < PENDULAR_SKEW:
        swings = np.array([one.swing_deg for one in windows])
        hz = np.array([one.hz for one in windows])
        return Beating(
            "pendular", "pendular: there are no quick phases", 0, [], [], windows, hz, swings, np.array([]),
            float(np.sqrt(np.median([one.share for one in windows]))), left_by(windows), seen_s,
            episodes([(one.start_s, one.end_s) for one in windows]),
        )  # fmt: skip
    return by_folding(time_s, angle_deg, windows, skew, seen_s, settings)


def left_by(windows: list[Rhythm]) -> float:
    return float(np.median([one.noise_deg for one in windows]))


def by_beats(runs: list[Run], windows: list[Rhythm], noise_deg: float, seen_s: float) -> Beating:
    sides = np.array([np.sign(beat.jump_deg) for run in runs for beat in run.beats])
    left_share = float((sides > 0).mean())
    side = 1 if left_share >= ONE_SIDED else -1 if left_share <= 1 - ONE_SIDED else 0
    if side:
        runs = [run for run in runs if np.sign(run.beats[0].jump_deg) == side]
    beats = [beat for run in runs for beat in run.beats]
    periods_s = np.array([beat.end_s - beat.start_s for beat in beats])
    usual_s = float(np.median(periods_s))
    single = np.abs(periods_s - usual_s) <= 0.5 * usual_s  # one that was missed makes two of one
    spans = [(run.beats[0].start_s, run.beats[-1].end_s) for run in runs]
    return Beating(
        "jerk", "" if side else "beats go both ways", side, beats, runs, windows,
        np.array([1 / float(periods_s[single].mean())]) if single.sum() < 3 else 1 / periods_s[single],
        np.array([abs(beat.jump_deg) for beat in beats]),
        np.array([abs(beat.slope_deg_per_s) for beat in beats]),
        float(np.median([beat.fit_r for beat in beats])),
        float(np.median([beat.residual_deg for beat in beats])), seen_s, episodes(spans),
    )  # fmt: skip


def by_folding(
    time_s: Array, angle_deg: Array, windows: list[Rhythm], skew: float, seen_s: float, settings: Settings
) -> Beating:
    """Where single beats cannot be told apart: a saw is fitted to all cycles of a window at once."""
    side = int(np.sign(skew))
    spans = episodes([(one.start_s, one.end_s) for one in windows])
    hz = np.array([one.hz for one in windows])
    if abs(skew) < JERK_SKEW:
        why = (
            f"waveform undetermined: its skewness is {abs(skew):.2f}; jerk from {JERK_SKEW}, "
            f"pendular to {PENDULAR_SKEW}"
        )
        return unlike(windows, why, seen_s)
    saws = []
    for one in windows:
        inside = (time_s >= one.start_s) & (time_s <= one.end_s)
        saws.append(folded_saw(time_s[inside], angle_deg[inside], one.hz, side))
    amplitude_deg = np.array([saw.amplitude_deg for saw in saws])
    slow = np.array(
        [saw.amplitude_deg * one.hz / (1 - saw.quick_share) for saw, one in zip(saws, windows, strict=True)]
    )
    least_deg = floor_deg(left_by(windows), settings)
    if np.median(amplitude_deg) < least_deg:
        return nothing(
            too_small(float(np.median(amplitude_deg)), left_by(windows), settings), left_by(windows), seen_s
        )
    return Beating(
        "jerk", "", side, [], [], windows, hz, amplitude_deg, slow, float(np.median([saw.r for saw in saws])),
        left_by(windows), seen_s, spans,
    )  # fmt: skip


def unlike(windows: list[Rhythm], why: str, seen_s: float) -> Beating:
    """A rhythm whose form nobody can tell."""
    hz, swings = (np.array([getattr(one, name) for one in windows]) for name in ("hz", "swing_deg"))
    spans = episodes([(one.start_s, one.end_s) for one in windows])
    return Beating(
        "undetermined", why, 0, [], [], windows, hz, swings, np.array([]), float("nan"), left_by(windows),
        seen_s, spans,
    )  # fmt: skip


def lasting_s(spans: list[Span]) -> float:
    """What is covered twice counts once."""
    return sum(end_s - start_s for start_s, end_s in episodes(spans, 0.0))


def episodes(spans: list[Span], within_s: float = WITHIN_EPISODE_S) -> list[Span]:
    """Spans that are close to each other as one."""
    joined: list[Span] = []
    for start_s, end_s in sorted(spans):
        if joined and start_s - joined[-1][1] <= within_s:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end_s))
        else:
            joined.append((start_s, end_s))
    return joined
