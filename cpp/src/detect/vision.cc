#include "detect/vision.hpp"

#include <filesystem>

#include "detect/detector.hpp"
#include "detect/net.hpp"

namespace dmask {
namespace {

NetOptions net_options(const DetectorOptions& options, const std::string& file, TensorSpec input,
                       std::vector<TensorSpec> outputs) {
  NetOptions net;
  net.model_path = options.model_dir + "/" + file;
  net.precision = options.precision;
  net.threads = options.threads;
  net.inputs = {std::move(input)};
  net.outputs = std::move(outputs);
  return net;
}

const TensorSpec features = {"features", {2, eye_features, eye_map_height, eye_map_width}};

}  // namespace

NetOptions face_net_options(const DetectorOptions& options) {
  return net_options(options, "face68.onnx", {"image", {1, 3, face_px, face_px}},
                     {{"heatmaps", {1, 68, face_map, face_map}}, {"visibility", {1, 68}}});
}

NetOptions eyelid_net_options(const DetectorOptions& options) {
  return net_options(options, "eyelid.onnx", {"image", {2, 3, eye_height, eye_width}},
                     {{"heatmaps", {2, 20, eye_map_height, eye_map_width}}, {"visibility", {2, 20}}, features});
}

NetOptions iris_net_options(const DetectorOptions& options) {
  return net_options(options, "iris.onnx", features,
                     {{"heatmaps", {2, 19, eye_map_height, eye_map_width}}, {"visibility", {2, 19}}});
}

NetOptions lines_net_options(const DetectorOptions& options) {
  return net_options(options, "lines.onnx", features,
                     {{"edges", {2, 4, edge_height, edge_width}}, {"presence", {2, 4}}});
}

NetOptions finder_net_options(const DetectorOptions& options) {
  return net_options(options, "eye_finder.onnx", {"image", {1, 3, finder_height, finder_width}},
                     {{"maps", {1, 6, finder_height / 4, finder_width / 4}}});
}

NetOptions regions_net_options(const DetectorOptions& options) {
  return net_options(options, "regions.onnx", {"image", {1, 3, regions_height, regions_width}},
                     {{"regions", {1, 3, regions_height, regions_width}}});
}

bool has_close_up_nets(const DetectorOptions& options) {
  return std::filesystem::exists(finder_net_options(options).model_path) &&
         std::filesystem::exists(regions_net_options(options).model_path);
}

NetOptions yunet_options(const DetectorOptions& options) {
  NetOptions net;
  net.model_path = options.face_detector_path.empty() ? options.model_dir + "/face_detection_yunet_2023mar.onnx"
                                                      : options.face_detector_path;
  net.precision = options.precision;
  net.threads = options.threads;
  return net;
}

}  // namespace dmask
