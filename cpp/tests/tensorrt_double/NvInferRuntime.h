// The part of TensorRT's interface that dmask uses, under its names, for tests without TensorRT and without a GPU: the
// runner is compiled against this header and loads double.cc as its library. Not TensorRT's binary layout.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#define NV_TENSORRT_MAJOR 11
#define NV_TENSORRT_MINOR 2
#define NV_TENSORRT_PATCH 0
#define NV_TENSORRT_VERSION 110200

namespace nvinfer1 {

class ILogger {
 public:
  enum class Severity : std::int32_t { kINTERNAL_ERROR, kERROR, kWARNING, kINFO, kVERBOSE };
  virtual void log(Severity severity, const char* message) noexcept = 0;
  virtual ~ILogger() = default;
};

struct Dims64 {
  std::int32_t nbDims;
  std::int64_t d[8];
};
using Dims = Dims64;

enum class DataType : std::int32_t { kFLOAT, kHALF, kINT8, kINT32 };
enum class TensorIOMode : std::int32_t { kNONE, kINPUT, kOUTPUT };
enum class TensorFormat : std::int32_t { kLINEAR, kCHW2 };
enum class TensorLocation : std::int32_t { kDEVICE, kHOST };
enum class OptProfileSelector : std::int32_t { kMIN, kOPT, kMAX };

class IExecutionContext {
 public:
  virtual ~IExecutionContext() noexcept = default;
  virtual bool setInputShape(const char* name, const Dims& dims) noexcept = 0;
  virtual Dims getTensorShape(const char* name) const noexcept = 0;
  virtual bool setTensorAddress(const char* name, void* data) noexcept = 0;
  virtual bool setInputTensorAddress(const char* name, const void* data) noexcept = 0;
  virtual bool enqueueV3(cudaStream_t stream) noexcept = 0;
};

class ICudaEngine {
 public:
  virtual ~ICudaEngine() noexcept = default;
  virtual std::int32_t getNbIOTensors() const noexcept = 0;
  virtual const char* getIOTensorName(std::int32_t index) const noexcept = 0;
  virtual TensorIOMode getTensorIOMode(const char* name) const noexcept = 0;
  virtual DataType getTensorDataType(const char* name) const noexcept = 0;
  virtual TensorFormat getTensorFormat(const char* name) const noexcept = 0;
  virtual TensorLocation getTensorLocation(const char* name) const noexcept = 0;
  virtual Dims getTensorShape(const char* name) const noexcept = 0;
  virtual Dims getProfileShape(const char* name, std::int32_t profile, OptProfileSelector which) const noexcept = 0;
  virtual IExecutionContext* createExecutionContext() noexcept = 0;
};

class IRuntime {
 public:
  virtual ~IRuntime() noexcept = default;
  virtual ICudaEngine* deserializeCudaEngine(const void* blob, std::size_t size) noexcept = 0;
};

}  // namespace nvinfer1
