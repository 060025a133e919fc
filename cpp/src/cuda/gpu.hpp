// The pipeline's parts on an NVIDIA GPU. In a build without CUDA each of these throws Error.
#pragma once

#include <memory>

namespace dmask {

class Painter;
class Vision;
struct DetectorOptions;
struct MaskSubject;
struct Models;

namespace cuda {

// Crops, nets and decoding: the frame is uploaded once, points come back. Throws Error where a GPU, TensorRT or an engine
// is missing.
std::unique_ptr<Vision> make_gpu_vision(const DetectorOptions& options);

// Mesh and mask; the picture comes back.
std::unique_ptr<Painter> make_gpu_painter(const Models& models, const MaskSubject& subject);

}  // namespace cuda
}  // namespace dmask
