"""The figures by which the eye nets are judged, from points and edge maps of any backend."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dmask.crops import EYE_CROP_AT
from dmask.measure.auc import auc
from dmask.measure.curves import cubic, distance_to_polyline
from dmask.train.data.eyes import CLOSED, Eyes, opening
from dmask.train.nets.lines import line_distance, read_line

COVERED = 16  # bit of `render_eyes`: no lid point is free
LINE_NAMES = ("crease", "upper", "lower", "bulge")


def lid_measures(eyes: Eyes, lid: NDArray, logits: NDArray) -> dict[str, float]:
    """Predicted lid points (N,20,2), nominal crop, against people's points and against rendered truth."""
    out: dict[str, float] = {}
    truth, person = eyes.lid - EYE_CROP_AT, eyes.human_lid - np.array(EYE_CROP_AT, np.float32)
    h = np.flatnonzero(eyes.human)
    if len(h):
        polyline, to_cubic = [], []
        for i in h:
            for margin, ids in ((lid[i, :11], (2, 3)), (np.r_[lid[i, :1], lid[i, 19:9:-1]], (4, 5))):
                for curve, kept in ((margin, polyline), (cubic(margin, 101), to_cubic)):
                    kept.append(distance_to_polyline(person[i][list(ids)], curve) / eyes.outer_corners_px[i])
        corners = (
            np.linalg.norm(lid[h][:, [0, 10]] - person[h][:, :2], axis=2) / eyes.outer_corners_px[h, None]
        )
        out["human_lid_to_curve_pct"] = 100 * float(np.mean(polyline))
        out["human_lid_to_cubic_pct"] = 100 * float(np.mean(to_cubic))
        out["human_canthi_pct"] = 100 * float(corners.mean())
        shut = h[eyes.openness[h] < 0.06]
        if len(shut):
            out["human_shut_opening_pct_of_canthal"] = 100 * float(opening(lid[shut]).mean())
    r = np.flatnonzero(~eyes.real)
    if len(r):
        seen = eyes.lid_visible[r] == 1
        error = np.linalg.norm(lid[r] - truth[r], axis=2)
        out["render_lid_px_median"] = float(np.median(error[seen]))
        shut = r[eyes.openness[r] < CLOSED]
        if len(shut):
            out["render_shut_opening_pct_of_canthal"] = 100 * float(np.median(opening(lid[shut])))
        openness_error = opening(lid[r]) - eyes.openness[r]
        out["render_openness_error_sd"] = float(openness_error.std())
        out["render_visibility_auc"] = auc(logits[r][seen], logits[r][eyes.lid_visible[r] == 0])
    return out


def iris_measures(eyes: Eyes, iris: NDArray, logits: NDArray) -> dict[str, float]:
    """Predicted iris points (N,19,2) in the nominal crop; distances over the interocular distance."""
    out: dict[str, float] = {}
    truth = eyes.iris - EYE_CROP_AT
    error = np.linalg.norm(iris - truth, axis=2) / eyes.interocular_px[:, None]
    seen = eyes.iris_visible == 1
    agreed = eyes.real & (eyes.iris_weight[:, 0] > 0.5) & (eyes.openness > 0.1)
    if agreed.any():
        out["real_centre_pct_median"] = 100 * float(np.median(error[agreed, 0]))
        out["real_centre_pct_p90"] = 100 * float(np.quantile(error[agreed, 0], 0.9))
    r = ~eyes.real
    if r.any():
        wide = r & (eyes.openness > 0.1) & seen[:, 0]
        out["render_centre_pct_median"] = 100 * float(np.median(error[wide, 0]))
        out["render_centre_pct_p90"] = 100 * float(np.quantile(error[wide, 0], 0.9))
        out["render_limbus_visible_pct_median"] = 100 * float(np.median(error[:, 1:][r][seen[r][:, 1:]]))
        out["render_limbus_hidden_pct_median"] = 100 * float(np.median(error[wide, 1:][~seen[wide, 1:]]))
        radius, true_radius = limbus_radii(iris[wide]), limbus_radii(truth[wide])
        ratio = radius / true_radius
        out["render_radius_error_pct_median"] = 100 * float(np.median(np.abs(ratio - 1).mean(1)))
        out["render_radius_bias_pct"] = 100 * float(np.median(ratio.mean(1)) - 1)
        covered = (~seen[wide][:, (1, 10)]).any(1)  # 12 or 6 o'clock is under a lid
        under_lids = ratio[covered] if covered.any() else ratio
        out["render_vertical_to_horizontal_pct"] = 100 * float(np.median(under_lids[:, 1] / under_lids[:, 0]))
        out["render_visibility_auc"] = auc(logits[r][seen[r]], logits[r][eyes.iris_visible[r] == 0])
        behind = r & ((eyes.occluder & COVERED) > 0)
        if behind.any():
            out["render_covered_reported_pct"] = 100 * float((logits[behind, 0] < 0).mean())
            out["render_open_reported_pct"] = 100 * float((logits[wide, 0] >= 0).mean())
    return out


FAR_ASIDE = 0.22  # of the canthal distance from its middle, beyond which an iris is far aside


def far_measures(eyes: Eyes, iris: NDArray) -> dict[str, float]:
    """Irises far aside: error of the centre, and how far they are pulled back to the middle, % as above."""
    lid, truth = eyes.lid - EYE_CROP_AT, eyes.iris[:, 0] - EYE_CROP_AT
    along = lid[:, 10] - lid[:, 0]
    canthal_px = np.linalg.norm(along, axis=1)
    along = along / canthal_px[:, None]
    aside_px = ((truth - 0.5 * (lid[:, 0] + lid[:, 10])) * along).sum(1)
    far = (np.abs(aside_px) > FAR_ASIDE * canthal_px) & (eyes.iris_visible[:, 0] == 1)
    error = (iris[far, 0] - truth[far]) / eyes.interocular_px[far, None]
    pulled = -np.sign(aside_px[far]) * (error * along[far]).sum(1)
    return {
        "eyes": int(far.sum()),
        "centre_pct_median": 100 * float(np.median(np.linalg.norm(error, axis=1))),
        "centre_pct_p90": 100 * float(np.quantile(np.linalg.norm(error, axis=1), 0.9)),
        "pulled_to_the_middle_pct": 100 * float(np.median(pulled)),
    }


def steadied_centre(iris: NDArray, logits: NDArray) -> NDArray[np.float64]:
    """(N,19,2) points, the centre averaged with that of the limbus' weighted ellipse, as the core does."""
    angle = np.deg2rad(20 * np.arange(18))
    basis = np.column_stack([np.ones(18), np.cos(angle), np.sin(angle)])
    weight = (1 / (1 + np.exp(-logits[:, 1:]))) ** 2 + 0.02
    normal = np.einsum("ki,nk,kj->nij", basis, weight, basis)
    right = np.einsum("ki,nk,nkc->nic", basis, weight, iris[:, 1:])
    out = np.array(iris, np.float64)
    out[:, 0] = 0.5 * (out[:, 0] + np.linalg.solve(normal, right)[:, 0])
    return out


def limbus_radii(iris: NDArray) -> NDArray[np.float64]:
    """(N,19,2) -> (N,2) half the width and half the height of the limbus, by its Fourier ellipse."""
    a = np.deg2rad(20 * np.arange(18))
    u, v = np.cos(a) @ iris[:, 1:] / 9, np.sin(a) @ iris[:, 1:] / 9
    return np.hypot(u, v)


def line_measures(eyes: Eyes, edges: NDArray, presence: NDArray) -> dict[str, float]:
    """Distance of read lines to rendered truth in px of the 160 px crop, F at 2 px; share not found."""
    out: dict[str, float] = {}
    r = np.flatnonzero(~eyes.real)
    for k, name in enumerate(LINE_NAMES):
        there = r[eyes.line_present[r, k] == 1]
        read = [read_line(edges[i, k])[0] for i in there]
        truth = [eyes.lines[i, k] - EYE_CROP_AT for i in there]
        distances = np.array([line_distance(p, t) for p, t in zip(read, truth, strict=True)])
        out[f"{name}_px_mean"] = float(np.nanmean(distances))
        out[f"{name}_px_median"] = float(np.nanmedian(distances))
        out[f"{name}_lost_pct"] = 100 * float(np.isnan(distances).mean())
        out[f"{name}_f_2px"] = line_f(read, truth, 2.0)
        absent = r[eyes.line_present[r, k] == 0]
        if len(absent):
            out[f"{name}_presence_auc"] = auc(presence[there, k], presence[absent, k])
            out[f"{name}_absent_reported_pct"] = 100 * float((presence[absent, k] < 0).mean())
            out[f"{name}_present_reported_pct"] = 100 * float((presence[there, k] >= 0).mean())
    return out


def line_f(read: list[NDArray], truth: list[NDArray], tolerance_px: float) -> float:
    """F of points within the tolerance over all lines; what is read beyond a true line's ends is left out."""
    precise = recalled = read_count = true_count = 0
    for predicted, line in zip(read, truth, strict=True):
        inside = predicted[(predicted[:, 0] >= line[:, 0].min()) & (predicted[:, 0] <= line[:, 0].max())]
        read_count += len(inside)
        true_count += len(line)
        if len(predicted) >= 2:
            precise += int((distance_to_polyline(inside, line) <= tolerance_px).sum())
            recalled += int((distance_to_polyline(line, predicted) <= tolerance_px).sum())
    precision, recall = precise / max(read_count, 1), recalled / max(true_count, 1)
    return 2 * precision * recall / max(precision + recall, 1e-9)
