// The GPU's own time of a captured frame, measured from outside. Link with
// -Wl,--wrap=cudaGraphLaunch,--wrap=cudaMemcpyAsync,--wrap=cudaMemcpy2DAsync: the program's calls then come through here.
#pragma once

namespace dmask::bench {

// While it lives, copies from the device are not made, nor recorded in graphs.
struct WithoutDownloads {
  WithoutDownloads();
  ~WithoutDownloads();
};

// While it lives, events are set around graphs.
struct GpuClock {
  GpuClock();
  ~GpuClock();
  // From before the first graph to behind the last one that was launched since the last call; waits for it. The launch's own
  // latency, some microseconds, is among it where the GPU was idle.
  double ms();
};

}  // namespace dmask::bench
