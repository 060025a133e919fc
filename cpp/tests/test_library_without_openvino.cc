// libdmask in a build without nets: it loads, tells what it is, and refuses to look at frames in a sentence.
#include <cfenv>
#include <cstdint>
#include <string>

#include "capi/default_arithmetic.hpp"
#include "check.hpp"
#include "dmask/dmask.h"
#include "models_dir.hpp"

using namespace dmask;

namespace {

std::string refusal_of(const char* models_dir) {
  dmask_options options;
  EXPECT(dmask_default_options(&options, sizeof options) == DMASK_OK);
  options.version = DMASK_VERSION_NUMBER;
  options.models_dir = models_dir;
  options.backend = DMASK_BACKEND_CPU;
  dmask_pipeline* pipeline = nullptr;
  char error[DMASK_TEXT_BYTES] = "";
  EXPECT(dmask_create(&options, &pipeline, error, sizeof error) == DMASK_BAD_SETUP && pipeline == nullptr);
  return error;
}

bool says(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

TEST_CASE(a_pipeline_is_refused_with_a_way_out) {
  const std::string said = refusal_of(test::models_dir().c_str());
  EXPECT(says(said, "without OpenVINO") && says(said, "-DDMASK_OPENVINO=ON"));
}

TEST_CASE(what_the_library_is_can_be_told) {
  EXPECT(dmask_version() == std::uint32_t{DMASK_VERSION_NUMBER});
  EXPECT(says(dmask_system_info(), "OpenVINO not in this build"));
}

TEST_CASE(models_are_looked_for_in_the_installation_that_the_library_is_part_of) {
  EXPECT(says(refusal_of(nullptr), "/share/dmask/models/"));
}

// As it is rounded now; volatile, so that it is computed where it is asked for.
double third() {
  static volatile double one = 1, three = 3, third;
  third = one / three;
  return third;
}

TEST_CASE(a_caller_s_rounding_is_put_aside_and_given_back) {
  const double usual = third();
  std::fesetround(FE_UPWARD);
  const double upward = third();
  double inside = 0;
  {
    const DefaultArithmetic arithmetic;
    inside = third();
  }
  const double behind = third();
  const std::string said = refusal_of(test::models_dir().c_str());
  const double after_a_call = third();
  std::fesetround(FE_TONEAREST);
  EXPECT(upward > usual);
  EXPECT(inside == usual);
  EXPECT(behind == upward);
  EXPECT(after_a_call == upward);
}

}  // namespace

int main(int argc, char** argv) { return test::run(argc, argv); }
