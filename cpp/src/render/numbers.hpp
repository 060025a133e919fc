// The functions that a formula written once for a number F may call: of one float, and on the CPU of eight.
#pragma once

#include "render/scalars.hpp"

#ifndef __CUDACC__  // a thread of the GPU has one number
#include "render/lanes.hpp"
#endif
