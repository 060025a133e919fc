"""Contact sheets: tiles of one size with a caption each."""

from __future__ import annotations

import cv2
import numpy as np

from dmask.arrays import Pixels


def captioned(tile: Pixels, caption: str) -> Pixels:
    """The tile itself, with white letters in a black edge on top; OpenCV's letters are ASCII's."""
    caption = caption.encode("ascii", "backslashreplace").decode()
    for colour, width in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(tile, caption, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, width, cv2.LINE_AA)
    return tile


def laid_out(tiles: list[Pixels], columns: int) -> Pixels:
    """Tiles in so many columns, row by row, on white."""
    height, width = tiles[0].shape[:2]
    sheet = np.full((-(-len(tiles) // columns) * height, columns * width, 3), 255, np.uint8)
    for k, tile in enumerate(tiles):
        row, column = divmod(k, columns)
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = tile
    return sheet
