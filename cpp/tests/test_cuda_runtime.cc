// Streams and graphs of the runtime.
#include "check.hpp"
#include "cuda/runtime/device.hpp"
#include "geometry/check.hpp"

using namespace dmask;
using namespace dmask::cuda;

namespace {

// A number there and back, at once.
int echoed(int value, const Stream& stream) {
  DeviceBuffer<int> device(1);
  int back = 0;
  upload(&value, 1, device.get(), stream.get());
  download(device.get(), 1, &back, stream.get());
  stream.wait();
  return back;
}

}  // namespace

TEST_CASE(a_capture_whose_work_throws_leaves_the_stream_usable) {
  Stream stream;
  Graph graph;
  DeviceBuffer<int> device(1);
  int value = 3;
  std::string said;
  try {
    graph.capture(stream, [&] {
      upload(&value, 1, device.get(), stream.get());
      throw Error("the work failed");
    });
  } catch (const Error& error) {
    said = error.what();
  }
  EXPECT(said == "the work failed");
  EXPECT(!graph.captured());
  EXPECT(echoed(5, stream) == 5);

  int back = 0;
  graph.capture(stream, [&] {
    upload(&value, 1, device.get(), stream.get());
    download(device.get(), 1, &back, stream.get());
  });
  EXPECT(graph.captured() && back == 0);
  graph.launch(stream);
  stream.wait();
  EXPECT(back == 3);
}

TEST_CASE(a_capture_that_reached_a_second_stream_frees_it_too) {
  Stream stream, beside;
  Event fork;
  Graph graph;
  try {
    graph.capture(stream, [&] {
      fork.record(stream);
      fork.make_wait(beside);
      throw Error("before the streams are joined");
    });
  } catch (const Error&) {
  }
  EXPECT(echoed(7, beside) == 7);
  EXPECT(echoed(8, stream) == 8);
}

int main(int argc, char** argv) { return test::run(argc, argv); }
