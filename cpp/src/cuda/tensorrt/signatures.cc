// What the runner calls, as TensorRT's headers declare it since version 10: headers that say something else do not
// compile, neither real ones nor those of the tests' double.
#include <NvInferRuntime.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace dmask {
namespace {

using nvinfer1::DataType, nvinfer1::Dims, nvinfer1::ICudaEngine, nvinfer1::IExecutionContext, nvinfer1::ILogger,
    nvinfer1::IRuntime, nvinfer1::OptProfileSelector, nvinfer1::TensorFormat, nvinfer1::TensorIOMode,
    nvinfer1::TensorLocation;

template <class Function, class Declared>
constexpr bool is(Declared) {
  return std::is_same_v<Function, Declared>;
}

static_assert(is<std::int32_t (ICudaEngine::*)() const noexcept>(&ICudaEngine::getNbIOTensors));
static_assert(is<const char* (ICudaEngine::*)(std::int32_t) const noexcept>(&ICudaEngine::getIOTensorName));
static_assert(is<TensorIOMode (ICudaEngine::*)(const char*) const noexcept>(&ICudaEngine::getTensorIOMode));
static_assert(is<DataType (ICudaEngine::*)(const char*) const noexcept>(&ICudaEngine::getTensorDataType));
static_assert(is<TensorLocation (ICudaEngine::*)(const char*) const noexcept>(&ICudaEngine::getTensorLocation));
static_assert(is<Dims (ICudaEngine::*)(const char*) const noexcept>(&ICudaEngine::getTensorShape));
static_assert(is<Dims (ICudaEngine::*)(const char*, std::int32_t, OptProfileSelector) const noexcept>(
    &ICudaEngine::getProfileShape));

static_assert(is<bool (IExecutionContext::*)(const char*, const Dims&) noexcept>(&IExecutionContext::setInputShape));
static_assert(is<Dims (IExecutionContext::*)(const char*) const noexcept>(&IExecutionContext::getTensorShape));
static_assert(is<bool (IExecutionContext::*)(const char*, void*) noexcept>(&IExecutionContext::setTensorAddress));
static_assert(
    is<bool (IExecutionContext::*)(const char*, const void*) noexcept>(&IExecutionContext::setInputTensorAddress));
static_assert(is<bool (IExecutionContext::*)(cudaStream_t) noexcept>(&IExecutionContext::enqueueV3));

static_assert(is<void (ILogger::*)(ILogger::Severity, const char*) noexcept>(&ILogger::log));

// These have overloads or further arguments beside what is called.
static_assert(std::is_same_v<decltype(std::declval<const ICudaEngine&>().getTensorFormat("image")), TensorFormat>);
static_assert(std::is_same_v<decltype(std::declval<ICudaEngine&>().createExecutionContext()), IExecutionContext*>);
static_assert(std::is_same_v<decltype(std::declval<IRuntime&>().deserializeCudaEngine(std::declval<const void*>(),
                                                                                      std::size_t{0})),
                             ICudaEngine*>);

static_assert(std::is_same_v<decltype(Dims::nbDims), std::int32_t> &&
              std::is_same_v<decltype(Dims::d), std::int64_t[8]>);
static_assert(static_cast<int>(DataType::kFLOAT) == 0 && static_cast<int>(TensorFormat::kLINEAR) == 0 &&
              static_cast<int>(TensorLocation::kDEVICE) == 0);
static_assert(static_cast<int>(TensorIOMode::kINPUT) == 1 && static_cast<int>(TensorIOMode::kOUTPUT) == 2);
static_assert(static_cast<int>(OptProfileSelector::kMIN) == 0 && static_cast<int>(OptProfileSelector::kMAX) == 2);
static_assert(static_cast<int>(ILogger::Severity::kINTERNAL_ERROR) == 0 &&
              static_cast<int>(ILogger::Severity::kERROR) == 1);

}  // namespace
}  // namespace dmask
