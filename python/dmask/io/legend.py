"""`--legend`: a strip below the mask that says what it is, for masks that are shown without their folder."""

from __future__ import annotations

import cv2
import numpy as np

from dmask.errors import Error

SHOWN = {  # of the patient, by profile
    "clinical": "generic face and eyelids, the patient's lid heights, gaze and motion",
    "article": "the patient's own fitted face, eyelids and motion",
    "strict": "generic face and eyelids, the patient's gaze and motion",
}
FONT = cv2.FONT_HERSHEY_SIMPLEX
SMALLEST = 0.4  # letters of 9 px: smaller ones blur in a video
WIDTH_PX = 2400  # of a picture whose letters have the scale 1
PAPER, INK = 236, (60, 60, 60)  # the masks' own background
LEAST_WIDTH_PX = 96  # so that the longest word fits


def statements(profile: str) -> list[str]:
    from dmask import _core

    return [
        f"dmask {_core.__version__}",
        f"{profile}: {SHOWN[profile]}",
        "grey = not measured",
        "research use only",
    ]


class Legend:
    """Drawn once for masks of `width` px. It lies under the picture, so that it never covers an eye.

    Raises Error where not even one word fits beside the margins.
    """

    def __init__(self, profile: str, width: int):
        if width < LEAST_WIDTH_PX:
            raise Error(
                f"got --legend for a picture {width} px wide, expected at least {LEAST_WIDTH_PX}: "
                "leave it away, or take a larger picture"
            )
        self._scale = max(SMALLEST, width / WIDTH_PX)
        self._stroke = max(1, round(1.3 * self._scale))
        (_, letter_px), below_px = cv2.getTextSize("Mg", FONT, self._scale, self._stroke)
        self._middle_px = letter_px // 2
        margin_px = round(0.6 * letter_px)
        line_px = letter_px + below_px + max(2, letter_px // 4)
        lines = self._lines(" · ".join(statements(profile)).split(" "), width - 2 * margin_px)
        rows = len(lines) * line_px + margin_px
        self.rows = rows + rows % 2  # even, so that a video is padded as without it
        self._strip: np.ndarray = np.full((self.rows, width, 3), PAPER, np.uint8)
        for number, line in enumerate(lines):
            self._write(line, margin_px, number * line_px + margin_px + letter_px)

    def under(self, mask: np.ndarray) -> np.ndarray:
        """The mask (H, W, 3) with the legend below it, (H + rows, W, 3)."""
        return np.concatenate([mask, self._strip])

    def _width_px(self, text: str) -> int:
        return int(cv2.getTextSize(text.replace("·", "-"), FONT, self._scale, self._stroke)[0][0])

    def _lines(self, words: list[str], room_px: int) -> list[list[str]]:
        lines: list[list[str]] = [[]]
        for word in words:
            if lines[-1] and self._width_px(" ".join([*lines[-1], word])) > room_px:
                lines.append([])
            if lines[-1] or word != "·":  # no line begins with a dot
                lines[-1].append(word)
        return lines

    def _write(self, words: list[str], left_px: int, base_px: int) -> None:
        """OpenCV's letters are ASCII: the dots between the statements are drawn as such."""
        for count, word in enumerate(words):
            start_px = left_px + (self._width_px(" ".join(words[:count]) + " ") if count else 0)
            if word == "·":
                centre = (start_px + self._width_px(word) // 2, base_px - self._middle_px)
                cv2.circle(self._strip, centre, max(1, self._middle_px // 4), INK, cv2.FILLED, cv2.LINE_AA)
            else:
                cv2.putText(
                    self._strip, word, (start_px, base_px), FONT, self._scale, INK, self._stroke, cv2.LINE_AA
                )
