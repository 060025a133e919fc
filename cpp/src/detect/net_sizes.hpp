// Sizes of the nets' tensors: crops in px, maps in cells.
#pragma once

namespace dmask {

inline constexpr int face_px = 128, face_map = 32;
inline constexpr int eye_width = 160, eye_height = 128, eye_map_width = 40, eye_map_height = 32;
inline constexpr int eye_features = 32;  // channels that eyelid.onnx hands to iris.onnx and lines.onnx
inline constexpr int edge_width = 80, edge_height = 64;
inline constexpr int finder_width = 192, finder_height = 128;  // of a view in which eyes are sought without a face
inline constexpr int regions_width = 256,
                     regions_height = 192;  // of a crop in which the eyeball is drawn pixel by pixel

inline constexpr float heatmap_cell_px = 4.0f, edge_cell_px = 2.0f;
static_assert(face_px == heatmap_cell_px * face_map && eye_width == heatmap_cell_px * eye_map_width &&
              eye_height == heatmap_cell_px * eye_map_height && eye_width == edge_cell_px * edge_width &&
              eye_height == edge_cell_px * edge_height);

}  // namespace dmask
