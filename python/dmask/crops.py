"""The crops that the nets look at; cpp/src/detect/face_crop.cc cuts the same ones."""

FACE_PX = 128
FACE_MARGIN = 1.3  # side of the crop / larger side of the 68 points' bounding box
EYE_WIDTH_PX, EYE_HEIGHT_PX = 160, 128
EYE_CANTHAL_WIDTHS = 1.75  # width of the crop / distance of the canthi
LEAST_OF_OTHER_EYE = 0.8  # a turned eye's canthal distance counts as at least this share of the other's
HEATMAP_STRIDE_PX = 4  # crop pixels a cell of a heat map
EDGE_STRIDE_PX = 2  # ... of an edge map

# A dark picture is brightened before the nets look: see `exposure_gain`.
DARK_LUMA = 40.0  # mean of a crop of the face, 0..255, below which it is dark; photographs' are 43 and more
MOST_GAIN = 16.0
LUMA = (0.299, 0.587, 0.114)  # of R, G, B


def exposure_gain(mean_luma: float) -> float:
    """What the pixels of face and eye crops are multiplied by; 1 in usual light, which stays to the byte."""
    return min(max(DARK_LUMA / max(mean_luma, 1e-3), 1.0), MOST_GAIN)
