// The pipeline itself, without frames.
#include <type_traits>

#include "check.hpp"
#include "models_dir.hpp"
#include "pipeline/pipeline.hpp"

using namespace dmask;

static_assert(!std::is_copy_constructible_v<Pipeline> && !std::is_copy_assignable_v<Pipeline>);
static_assert(!std::is_move_constructible_v<Pipeline> && !std::is_move_assignable_v<Pipeline>);

TEST_CASE(a_pipeline_uses_the_backend_that_it_is_given) {
  PipelineOptions options;
  options.models_dir = test::models_dir();
  int asked = 0;
  Backend backend = cpu_backend("for a test");
  backend.make_vision = [&](const DetectorOptions& nets) {
    ++asked;
    EXPECT(nets.model_dir == options.models_dir);
    return make_cpu_vision(nets);
  };
  Pipeline pipeline(options, backend);
  EXPECT(pipeline.backend().name == "cpu" && pipeline.backend().reason == "for a test");
  EXPECT(asked == 0);
  pipeline.prepare();
  EXPECT(asked == 1);
}

int main(int argc, char** argv) { return test::run(argc, argv); }
