"""300W and WFLW as `Faces`, for those who hold these sets: `dmask train face --extra-300w DIR`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dmask.errors import Error, WrongUse
from dmask.evaluate.held_out import is_validation
from dmask.io.labelled import picture_of, read_pts
from dmask.train.data.faces import Faces

WFLW_LIST = "list_98pt_rect_attr_train.txt"
WFLW_NUMBERS = 196 + 4 + 6  # points, rectangle, attributes; then the picture's name

# WFLW's 98 points: 0-32 jaw; 33-41 and 42-50 brows, each the upper line (33-37 outer to inner, 42-46 inner to
# outer) and then the lower line back; 51-59 nose; 60-67 and 68-75 eyes, clockwise in the picture from the
# canthus on its left, with three points on each lid; 76-95 mouth; 96, 97 pupils. iBUG's 68 are among them but
# for the jaw, half as dense, and the lids, which have two points where WFLW has three.
SAME_POINT = {
    **{i: 2 * i for i in range(17)},  # jaw: every second point
    **{17 + i: 33 + i for i in range(5)},  # brows: the upper line
    **{22 + i: 42 + i for i in range(5)},
    **{27 + i: 51 + i for i in range(9)},  # nose
    **{36: 60, 39: 64, 42: 68, 45: 72},  # canthi
    **{48 + i: 76 + i for i in range(20)},  # mouth, in the same order
}
# iBUG point -> WFLW's three on that lid, beginning at the canthus it is nearer to. People put iBUG's points
# at 0.30 and 0.66 of the eye's width, about thirds; WFLW's are quarters.
LID_POINT = {
    37: (61, 62, 63), 38: (63, 62, 61), 40: (65, 66, 67), 41: (67, 66, 65),
    43: (69, 70, 71), 44: (71, 70, 69), 46: (73, 74, 75), 47: (75, 74, 73),
}  # fmt: skip
THIRD_OF_QUARTERS = (5 / 9, 5 / 9, -1 / 9)  # at 1/3 of the parabola through its points at 1/4, 1/2, 3/4


def wflw_to_68() -> NDArray[np.float64]:
    """(68,98) weights of WFLW's points in each of iBUG's; every row sums to 1."""
    table = np.zeros((68, 98))
    for i, k in SAME_POINT.items():
        table[i, k] = 1
    for i, three in LID_POINT.items():
        table[i, list(three)] = THIRD_OF_QUARTERS
    return table


def read_300w(root: Path) -> Faces:
    """Every .pts file with 68 points below `root` and the picture beside it (helen, lfpw, afw, ibug ...).

    300W contains HELEN and AFW: people whom the project validates on are left out by `without_held_out`.
    Raises WrongUse where there are none, Error where one is damaged.
    """
    files = sorted(root.rglob("*.pts"))
    if not files:
        raise WrongUse(f"{root} holds no .pts files; expected the folders of 300W with pictures beside them")
    xy = np.stack([read_pts(file) for file in files]).astype(np.float32)
    return Faces([picture_of(file) for file in files], xy, np.ones(len(files), bool))


def read_wflw(root: Path, list_name: str = WFLW_LIST) -> Faces:
    """The faces of WFLW's list anywhere below `root`, its 98 points brought to iBUG's 68.

    Pictures are looked for in `root` and in its WFLW_images. A picture with several faces gives several.
    Raises WrongUse where the list is not there, Error where a line or a picture is.
    """
    lists = sorted(root.rglob(list_name))
    if not lists:
        raise WrongUse(f"{root} holds no {list_name}; expected WFLW_annotations and WFLW_images in it")
    paths, points = [], []
    for number, line in enumerate(lists[0].read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        *numbers, name = line.split(maxsplit=WFLW_NUMBERS)
        try:
            if len(numbers) != WFLW_NUMBERS:
                raise ValueError
            points.append(np.array(numbers[:196], float).reshape(98, 2))
        except ValueError:
            raise Error(
                f"{lists[0]}, line {number}: expected {WFLW_NUMBERS} numbers and a picture; copy it again"
            ) from None
        places = [root / name.strip(), root / "WFLW_images" / name.strip()]
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            raise Error(
                f"{lists[0]}, line {number}: {name.strip()} is not in {root}/WFLW_images; expected it"
            )
        paths.append(path)
    if not paths:
        raise Error(f"{lists[0]} is empty; expected one line a face")
    xy = np.einsum("ik,nkd->nid", wflw_to_68(), np.stack(points))
    return Faces(paths, xy.astype(np.float32), np.ones(len(paths), bool))


def without_held_out(faces: Faces) -> Faces:
    """Without the people (by the hash of the file name) on whom the project validates."""
    return faces.take(np.flatnonzero([not is_validation(path.name) for path in faces.paths]))


def read_extra(root_300w: Path | None, root_wflw: Path | None) -> Faces | None:
    """The training people of the sets that are given; None where none is."""
    parts = [read_300w(root_300w)] if root_300w else []
    parts += [read_wflw(root_wflw)] if root_wflw else []
    if not parts:
        return None
    return without_held_out(
        Faces(
            [path for part in parts for path in part.paths],
            np.concatenate([part.image_xy for part in parts]),
            np.concatenate([part.human for part in parts]),
        )
    )
