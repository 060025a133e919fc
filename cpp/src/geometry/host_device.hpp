// Marks what runs on the CPU and on a GPU alike.
#pragma once

#if defined(__CUDACC__)
#define DMASK_HOST_DEVICE __host__ __device__
#else
#define DMASK_HOST_DEVICE
#endif
