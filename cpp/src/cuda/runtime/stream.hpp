// A CUDA stream by the runtime's own name: its header is needed by the kernels alone.
#pragma once

struct CUstream_st;

namespace dmask::cuda {

using StreamHandle = CUstream_st*;

}  // namespace dmask::cuda
