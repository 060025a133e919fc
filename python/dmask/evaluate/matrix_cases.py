"""The cases of `dmask eval rendered --matrix`: one thing at a time that makes a face hard to read, and pairs.

Each case is a short recording: a patient looks about calmly, and from frame BEFORE on something is in front
of the right eye, or the eyes look away. Light and roll are there from the start; so is what hides the lower
face, unless it is put on later.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dmask.synthetic.occluders import Occluder, grey

BEFORE = 8  # frames
SKIN, BLUE, GREEN = (130.0, 160.0, 205.0), (170.0, 110.0, 40.0), (70.0, 140.0, 60.0)  # BGR
DARK_HAIR, FAIR_HAIR = (25.0, 30.0, 40.0), (110.0, 160.0, 190.0)
LEVELS = (0, 15, 40, 80, 120, 160, 200, 255)
LIGHTS = (1.0, 0.3, 0.15, 0.1, 0.07)
SIDEWAYS_DEG = (0, 15, 30, 45, 60)
HALF_MM = {"disc": (0.0, -24.0), "card": (0.0, -43.0), "hand": (17.0, 10.0), "bar": (0.0, -11.0)}  # over half


@dataclass(frozen=True)
class Case:
    """What is done to a patient; `kind` is the row of the closing table that it belongs to."""

    name: str
    kind: str
    roll_deg: float = 0.0
    at_eye: tuple[Occluder, ...] = ()
    lower: Occluder | None = None
    put_on_later: bool = False
    light: float = 1.0
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    people: str = "one"  # one, first_leaves, second_comes


LOWER = {
    "mask": Occluder("mask", (215.0, 190.0, 150.0), "shaded"),
    "scarf": Occluder("scarf", (60.0, 50.0, 120.0), "stripes"),
    "hand before the mouth": Occluder("fist", SKIN, "shaded"),
}


def cases(quick: bool) -> list[Case]:
    """All cases in order; the quick ones are some of them."""
    chosen = [
        *rolls(45 if quick else 15), *discs(quick), *things(quick), *lights(), *lowers(), *gazes(quick),
        *people(), *pairs(quick),
    ]  # fmt: skip
    assert len({case.name for case in chosen}) == len(chosen)
    return chosen


def rolls(step_deg: int) -> Iterator[Case]:
    for roll_deg in range(0, 360, step_deg):
        off = min(roll_deg, 360 - roll_deg)
        kind = (
            "upright"
            if off <= 30
            else "tilted"
            if off <= 60
            else "on its side"
            if off <= 120
            else "upside down"
        )
        yield Case(f"roll {roll_deg}", f"roll: {kind}", roll_deg=roll_deg)


def discs(quick: bool) -> Iterator[Case]:
    """A disc over the whole eye or half of it, in greys, colours and textures, sharp and out of focus."""
    for level in LEVELS[::3] if quick else LEVELS:
        whole = Occluder("disc", grey(level))
        yield Case(f"disc grey {level}", f"occluder: disc, {darkness(level)}", at_eye=(whole,))
        if quick and level:
            continue
        half = replace(whole, offset_mm=HALF_MM["disc"])
        yield Case(f"disc grey {level} half", "occluder: disc, half", at_eye=(half,))
        blurred = replace(whole, blur_mm=10.0)
        yield Case(f"disc grey {level} blurred", f"occluder: disc, {darkness(level)}", at_eye=(blurred,))
    named = {"skin": SKIN, "blue": BLUE, "green": GREEN}
    for name, bgr in list(named.items())[: 1 if quick else None]:
        yield Case(f"disc {name}", "occluder: disc, coloured", at_eye=(Occluder("disc", bgr),))
    for texture in ("noise", "stripes", "checks", "shaded")[:: 2 if quick else 1]:
        patterned = Occluder("disc", grey(60), texture)
        yield Case(f"disc {texture}", "occluder: disc, textured", at_eye=(patterned,))


def darkness(level: float) -> str:
    return "dark" if level <= 40 else "grey" if level < 180 else "light"


def things(quick: bool) -> Iterator[Case]:
    """A bar, a hand, hair, a card, spectacles."""
    fills = {"black": (grey(8), "flat"), "skin": (SKIN, "shaded"), "cloth": (grey(110), "noise")}
    for kind in ("bar", "hand", "card"):
        for name, (bgr, texture) in list(fills.items())[: 2 if quick else None]:
            whole = Occluder(kind, bgr, texture)
            yield Case(f"{kind} {name}", f"occluder: {kind}", at_eye=(whole,))
            if quick:
                continue
            half = replace(whole, offset_mm=HALF_MM[kind])
            yield Case(f"{kind} {name} half", f"occluder: {kind}, half", at_eye=(half,))
            yield Case(f"{kind} {name} blurred", f"occluder: {kind}", at_eye=(replace(whole, blur_mm=6.0),))
    hair = Occluder("hair", DARK_HAIR)
    yield Case("hair dark", "occluder: hair", at_eye=(hair,))
    rim, glare = Occluder("rim", grey(25)), Occluder("glare", grey(250), blur_mm=1.5)
    yield Case("spectacles", "occluder: spectacles", at_eye=(rim,))
    yield Case(
        "spectacles dark", "occluder: spectacles", at_eye=(Occluder("lens", grey(15), opacity=0.8), rim)
    )
    if quick:
        return
    yield Case("hair fair", "occluder: hair", at_eye=(replace(hair, bgr=FAIR_HAIR),))
    yield Case("hair thin", "occluder: hair", at_eye=(replace(hair, seed=5, offset_mm=(14.0, 0.0)),))
    tinted = Occluder("lens", grey(15), opacity=0.4)
    yield Case("spectacles tinted", "occluder: spectacles", at_eye=(tinted, rim))
    yield Case("spectacles with glare", "occluder: spectacles", at_eye=(rim, glare))
    yield Case("spectacles, weak glare", "occluder: spectacles", at_eye=(rim, replace(glare, opacity=0.5)))


def lights() -> Iterator[Case]:
    for light in LIGHTS:
        yield Case(f"light {light:g}", f"light: {light:g}", light=light)


def lowers() -> Iterator[Case]:
    for name, lower in LOWER.items():
        yield Case(name, f"lower face: {name}", lower=lower)
        yield Case(f"{name}, put on later", f"lower face: {name}, later", lower=lower, put_on_later=True)


def gazes(quick: bool) -> Iterator[Case]:
    for yaw_deg in SIDEWAYS_DEG[1::2] if quick else SIDEWAYS_DEG:
        kind = "to 30" if yaw_deg <= 30 else "45 and 60"
        for side in (1, -1) if yaw_deg and not quick else (1,):
            towards = "left" if side > 0 else "right"
            yield Case(f"gaze {yaw_deg} {towards}", f"gaze: sideways, {kind}", yaw_deg=side * yaw_deg)
    for pitch_deg in (-40,) if quick else (20, -20, -40):
        yield Case(f"gaze {pitch_deg} up", "gaze: up and down", pitch_deg=pitch_deg)


def people() -> Iterator[Case]:
    yield Case("two people, the first leaves", "people: the first leaves", people="first_leaves")
    yield Case("a second person comes", "people: a second comes", people="second_comes")


def pairs(quick: bool) -> Iterator[Case]:
    black = Occluder("disc", grey(10))
    mask = LOWER["mask"]
    first = [
        Case("roll 90 + black disc", "pairs", roll_deg=90, at_eye=(black,)),
        Case("light 0.1 + gaze 30", "pairs", light=0.1, yaw_deg=30),
        Case("mask + gaze 45", "pairs", lower=mask, put_on_later=True, yaw_deg=45),
    ]
    yield from first
    if quick:
        return
    yield Case("roll 180 + black disc", "pairs", roll_deg=180, at_eye=(black,))
    yield Case("roll 30 + mask", "pairs", roll_deg=30, lower=mask, put_on_later=True)
    yield Case("roll 45 + gaze 30", "pairs", roll_deg=45, yaw_deg=30)
    yield Case("light 0.15 + roll 270", "pairs", light=0.15, roll_deg=270)
    yield Case("light 0.15 + black disc", "pairs", light=0.15, at_eye=(black,))
    yield Case("light 0.1 + mask", "pairs", light=0.1, lower=mask, put_on_later=True)
    yield Case("mask + black disc", "pairs", lower=mask, put_on_later=True, at_eye=(black,))
    hand = Occluder("hand", SKIN, "shaded", offset_mm=HALF_MM["hand"])
    yield Case("mask + half a hand", "pairs", lower=mask, put_on_later=True, at_eye=(hand,))
