// Which backend a pipeline gets: the one decision of the C interface and of the Python bindings, in builds with CUDA and
// without.
#pragma once

#include "pipeline/pipeline.hpp"

namespace dmask {

// By options.backend; automatic takes TensorRT where a GPU, its library and every engine are there, else
// the CPU. Throws Error where tensorrt is asked for and something is missing: what, and how to get it.
Backend choose_backend(const PipelineOptions& options);

}  // namespace dmask
