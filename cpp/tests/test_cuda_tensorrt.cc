// The TensorRT runner against a double of TensorRT: what it binds, runs and says.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <vector>

#include "check.hpp"
#include "cuda/runtime/device.hpp"
#include "cuda/tensorrt/device_net.hpp"
#include "cuda/tensorrt/served_cards.hpp"
#include "cuda/tensorrt/status.hpp"
#include "detect/net.hpp"
#include "device_allocations.hpp"
#include "geometry/check.hpp"
#include "models_dir.hpp"
#include "tensorrt_double/engines.hpp"

using namespace dmask;
using namespace dmask::cuda;

namespace {

std::string folder;

std::string write_model(const std::string& name) {
  const std::string path = folder + "/" + name + ".onnx";
  std::ofstream(path) << "the bytes of " << name;
  return path;
}

void write_engine(const NetOptions& options, const std::string& text) {
  std::ofstream(folder + "/" + engine_file_name(test::double_key(options))) << text;
}

NetOptions options_of(const std::string& name) {
  NetOptions options;
  options.model_path = write_model(name);
  options.inputs = {{"image", {2, 3}}};
  options.outputs = {{"heatmaps", {2, 4}}, {"features", {2, 3}}};
  return options;
}

const std::string small_engine =
    "input image f32 -1,3 1,3 4,3\n"
    "output features f32 -1,3 10\n"  // another order than the options'
    "output heatmaps f32 -1,4 2\n";

std::vector<float> downloaded(const float* device, std::size_t count, const Stream& stream) {
  std::vector<float> values(count);
  download(device, count, values.data(), stream.get());
  stream.wait();
  return values;
}

// The sentence of what `work` throws, which has to have every part.
void expect_error(const std::function<void()>& work, std::initializer_list<const char*> parts) {
  std::string sentence = "nothing was thrown";
  try {
    work();
  } catch (const Error& error) {
    sentence = error.what();
  }
  for (const char* part : parts) {
    if (sentence.find(part) == std::string::npos) std::fprintf(stderr, "'%s' is not in: %s\n", part, sentence.c_str());
    EXPECT(sentence.find(part) != std::string::npos);
  }
}

void expect_error(const NetOptions& options, std::initializer_list<const char*> parts) {
  expect_error([&] { make_tensorrt_net(options); }, parts);
}

struct Wish {  // what shall go wrong, for a scope
  explicit Wish(const char* what) { setenv("DMASK_TENSORRT_DOUBLE", what, 1); }
  ~Wish() { unsetenv("DMASK_TENSORRT_DOUBLE"); }
};

TEST_CASE(tensors_are_bound_by_name_in_the_order_of_the_options) {
  const NetOptions options = options_of("bound");
  write_engine(options, small_engine);
  const auto net = make_tensorrt_net(options);
  Stream stream;
  const std::vector<float> image = {1, 2, 3, 4, 5, 6};
  upload(image.data(), image.size(), net->input(0), stream.get());
  net->enqueue(stream.get());
  const auto heatmaps = downloaded(net->output(0), 8, stream), features = downloaded(net->output(1), 6, stream);
  EXPECT(heatmaps[0] == 2 && heatmaps[5] == 12 && heatmaps[6] == 2);
  EXPECT(features[0] == 10 && features[5] == 60);
}

TEST_CASE(a_net_reads_another_nets_output_where_it_lies) {
  const NetOptions trunk_options = options_of("trunk");
  write_engine(trunk_options, small_engine);
  NetOptions head_options = options_of("head");
  head_options.inputs = {{"features", {2, 3}}};
  head_options.outputs = {{"edges", {2, 3}}};
  write_engine(head_options, "input features f32 -1,3 1,3 4,3\noutput edges f32 -1,3 -1\n");
  const auto trunk = make_tensorrt_net(trunk_options), head = make_tensorrt_net(head_options);
  head->read_input_from(0, trunk->output(1));
  expect_error([&] { head->input(0); }, {"'features'", "another net"});

  Stream stream;
  PinnedBuffer<float> host(6);
  const auto both = [&] {
    upload(host.get(), 6, trunk->input(0), stream.get());
    trunk->enqueue(stream.get());
    head->enqueue(stream.get());
  };
  std::fill_n(host.get(), 6, 0.0f);
  both();
  Graph graph;
  graph.capture(stream, both);
  const long allocations = test::device_allocations();
  for (const float value : {1.0f, 7.0f}) {
    std::fill_n(host.get(), 6, value);
    graph.launch(stream);
    stream.wait();
    EXPECT(downloaded(head->output(0), 6, stream)[5] == -10 * value);
  }
  EXPECT(test::device_allocations() == allocations);
}

TEST_CASE(a_tensor_that_does_not_fit_is_named) {
  NetOptions options = options_of("misfit");
  write_engine(options, small_engine);
  NetOptions other = options;
  other.inputs[0].name = "picture";
  expect_error(other, {"no input 'picture'", "image, features, heatmaps", "another model"});
  other = options;
  other.outputs[0].name = "image";  // there, but an input
  expect_error(other, {"no output 'image'"});
  other = options;
  other.inputs[0].shape = {2, 5};
  expect_error(other, {"input 'image' is (?, 3)", "expected (2, 5)"});
  other.inputs[0].shape = {2, 3, 1};
  expect_error(other, {"expected (2, 3, 1)"});
  other.inputs[0].shape = {9, 3};
  expect_error(other, {"takes (1, 3) to (4, 3)", "got (9, 3)", "outside the profile", "manifest.toml"});
  other = options;
  other.outputs[0].shape = {1, 4};
  expect_error(other, {"output 'heatmaps' is (2, 4)", "expected (1, 4)"});
  other = options;
  other.outputs.pop_back();
  expect_error(other, {"image, features, heatmaps", "expected 2 of them"});
  write_engine(options, "input image f16 -1,3 1,3 4,3\noutput heatmaps f32 -1,4 1\noutput features f32 -1,3 1\n");
  expect_error(options, {"input 'image' is not f32", "dmask engines build"});
  write_engine(options, "input image f32 -1,3 1,3 4,3\noutput heatmaps f32 -1,4 1\noutput features f16 -1,3 1\n");
  expect_error(options, {"output 'features' is not f32"});
}

TEST_CASE(an_engine_that_is_missing_stale_or_broken_is_said) {
  NetOptions options = options_of("stale");
  expect_error(options, {"no TensorRT engine of stale.onnx", "got none", "stale-", "-f16-", "dmask engines build"});
  write_engine(options, small_engine);
  EXPECT(make_tensorrt_net(options) != nullptr);
  options.precision = "f32";
  expect_error(options, {"-f32-", "got stale-", "another model, precision"});
  options.precision = "bf16";
  expect_error(options, {"'bf16'", "f32, f16 or auto"});
  options.precision = "auto";
  std::ofstream(options.model_path) << "trained again";
  expect_error(options, {"got stale-", "expected stale-"});
  write_engine(options, "rubbish\n");
  expect_error(options, {"is not an engine for TensorRT 11.2.0.7", "magic tag", "delete it"});
  write_engine(options, "");
  expect_error(options, {"is empty"});
  options.model_path = folder + "/absent.onnx";
  expect_error(options, {"cannot read", "absent.onnx"});
}

TEST_CASE(what_fails_inside_tensorrt_is_said_in_its_words) {
  const NetOptions options = options_of("failing");
  write_engine(options, small_engine);
  {
    const Wish wish("runtime");
    expect_error(options, {"gave no runtime", "could not be initialised"});
  }
  {
    const Wish wish("context");
    expect_error(options, {"cannot run", "GPU memory"});
  }
  {
    const Wish wish("bind");
    expect_error(options, {"refuses memory", "'image'"});
  }
  const auto net = make_tensorrt_net(options);
  Stream stream;
  const Wish wish("enqueue");
  for (int i = 0; i < 2; ++i) {
    expect_error([&] { net->enqueue(stream.get()); },
                 {"failed to run", "(TensorRT: a kernel failed):", "--backend cpu"});
  }
}

TEST_CASE(a_library_that_is_absent_or_other_is_said) {
  const NetOptions options = options_of("library");
  write_engine(options, small_engine);
  const std::string library = std::getenv("DMASK_TENSORRT_LIBRARY");
  EXPECT(tensorrt_status().built && tensorrt_status().problem.empty() && tensorrt_status().version == "11.2.0.7");
  setenv("DMASK_TENSORRT_LIBRARY", "/nowhere/libnvinfer.so.11", 1);
  expect_error(options, {"not on this machine", "/nowhere/libnvinfer.so.11", "DMASK_TENSORRT_LIBRARY"});
  EXPECT(tensorrt_status().library.empty() && !tensorrt_status().problem.empty());
  setenv("DMASK_TENSORRT_LIBRARY", "libm.so.6", 1);
  expect_error(options, {"libm.so.6 has no function getInferLib"});
  unsetenv("DMASK_TENSORRT_LIBRARY");
  expect_error(options, {"libnvinfer.so.11"});
  setenv("DMASK_TENSORRT_LIBRARY", library.c_str(), 1);
  for (const char* version : {"version=10.9", "version=12.0", "version=11.1"}) {
    const Wish wish(version);
    expect_error(options, {"is TensorRT 1", "expected 11.2 or a later one"});
  }
  const Wish wish("version=11.3");  // fits, but engines of 11.2 do not
  expect_error(options, {"11.3.0.7"});
}

TEST_CASE(a_shipped_net_runs_at_each_batch_of_its_engine) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  Stream stream;
  for (const int batch : {2, 3}) {
    NetOptions options;
    options.model_path = test::models_dir() + "/iris.onnx";
    options.precision = "f32";
    options.inputs = {{"features", {batch, 32, 32, 40}}};
    options.outputs = {{"heatmaps", {batch, 19, 32, 40}}, {"visibility", {batch, 19}}};
    if (batch == 2) test::write_onnx_engine(options, folder);
    const auto net = make_tensorrt_net(options);
    const auto want = make_openvino_net(options);
    std::vector<float> features(static_cast<std::size_t>(batch) * 32 * 32 * 40);
    for (float& v : features) v = normal(random);
    std::copy(features.begin(), features.end(), want->input(0));
    want->infer();
    upload(features.data(), features.size(), net->input(0), stream.get());
    net->enqueue(stream.get());
    const auto visibility = downloaded(net->output(1), static_cast<std::size_t>(batch) * 19, stream);
    for (int k = 0; k < batch * 19; ++k) EXPECT_NEAR(visibility[k], want->output(1)[k], 1e-5);
  }
}

TEST_CASE(hashes_are_those_of_the_standard) {
  EXPECT(sha256_hex("", 0) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT(sha256_hex("abc", 3) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const std::string two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  EXPECT(sha256_hex(two.data(), two.size()) == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  const std::string million(1000000, 'a');
  EXPECT(sha256_hex(million.data(), million.size()) ==
         "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE(cards_are_told_before_an_engine_is_opened) {
  const auto served = [](int major, int minor) {
    EXPECT(card_problem("tensorrt", "a card", major, minor).empty());  // its library knows
    return card_problem("tensorrt_rtx", "a card", major, minor).empty();
  };
  for (const auto& [major, minor] : {std::pair{7, 5}, {8, 0}, {8, 6}, {8, 9}, {12, 0}, {12, 1}, {13, 0}})
    EXPECT(served(major, minor));
  for (const auto& [major, minor] : {std::pair{7, 0}, {8, 7}, {9, 0}, {10, 0}, {10, 3}, {11, 0}})
    EXPECT(!served(major, minor));
  EXPECT(card_problem("tensorrt_rtx", "NVIDIA H100", 9, 0)
             .find("does not run on NVIDIA H100: got compute capability 9.0") != std::string::npos);
}

TEST_CASE(keys_name_all_that_an_engine_depends_on) {
  const EngineKey key{"iris",     std::string(64, 'a'), "f16",
                      "tensorrt", "11.2.0.7",           gpu_part("tensorrt", "NVIDIA RTX A2000 (Laptop)", 8, 6)};
  EXPECT(engine_file_name(key) == "iris-aaaaaaaaaaaaaaaa-f16-r1-tensorrt-11.2.0.7-nvidia_rtx_a2000_laptop_sm86.engine");
  EXPECT(gpu_part("tensorrt_rtx", "NVIDIA GeForce RTX 4090", 8, 9) == "portable");
  EXPECT(gpu_part("tensorrt_rtx", "NVIDIA GeForce RTX 2080", 7, 5) == "sm75");
}

}  // namespace

int main(int argc, char** argv) {
  folder = (std::filesystem::temp_directory_path() / ("dmask_engines_" + std::to_string(getpid()))).string();
  std::filesystem::create_directories(folder);
  setenv("DMASK_ENGINES", folder.c_str(), 1);
  const int status = test::run(argc, argv);
  std::filesystem::remove_all(folder);
  return status;
}
