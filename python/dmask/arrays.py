"""Array types by what they hold; shapes are said where they are used."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]  # (H, W, 3) BGR where nothing else is said
