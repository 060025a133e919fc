// Whether this build and this machine can use an NVIDIA GPU, asked before anything else of CUDA or TensorRT is called.
#pragma once

#include <string>

namespace dmask::cuda {

struct Status {
  bool built = false;  // this build has the kernels
  int devices = 0;
  std::string device;                           // name and compute capability of the first
  std::string name;                             // of it
  int major = 0, minor = 0;                     // its compute capability
  int driver_version = 0, runtime_version = 0;  // 13000: CUDA 13.0; 0: unknown
  std::string problem;                          // why no device can be used, and what to do; empty if one can
};
Status status();  // never throws

}  // namespace dmask::cuda
