"""Contact sheets: tiles of one size with a caption each."""

from __future__ import annotations

import cv2
import numpy as np

from dmask.arrays import Pixels

Colour = tuple[int, int, int]  # BGR


def write(
    picture: Pixels,
    text: str,
    corner: tuple[int, int],
    scale: float,
    colour: Colour,
    edge: Colour,
    thickness: int = 1,
) -> None:
    """Letters with an edge around them, in place; OpenCV's are ASCII's."""
    # Thicker letters are wider ones in OpenCV 5: the edge is the same letters, shifted.
    around = [(x, y, edge) for x in (-1, 0, 1) for y in (-1, 0, 1)]
    for x, y, shade in (*around, (0, 0, colour)):
        at = corner[0] + x, corner[1] + y
        cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, shade, thickness, cv2.LINE_AA)


def captioned(tile: Pixels, caption: str) -> Pixels:
    """The tile itself, with white letters in a black edge on top."""
    caption = caption.encode("ascii", "backslashreplace").decode()
    write(tile, caption, (6, 16), 0.45, (255, 255, 255), (0, 0, 0))
    return tile


def laid_out(tiles: list[Pixels], columns: int) -> Pixels:
    """Tiles in so many columns, row by row, on white."""
    height, width = tiles[0].shape[:2]
    sheet = np.full((-(-len(tiles) // columns) * height, columns * width, 3), 255, np.uint8)
    for k, tile in enumerate(tiles):
        row, column = divmod(k, columns)
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = tile
    return sheet
