// The harness can fail: runs of small suites, and what they say and return.
#include "check.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "geometry/larger.hpp"

using namespace dmask;
using test::Case;

namespace {

struct Outcome {
  int status = -1;
  std::string said;
};

// What goes to both streams in the meantime.
class Captured {
 public:
  Captured() {
    std::fflush(nullptr);
    const int file = open(path_.string().c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (file < 0) throw std::runtime_error("no file for what the harness says");
    for (int stream = 0; stream < 2; ++stream) {
      kept_[stream] = dup(stream + 1);
      dup2(file, stream + 1);
    }
    close(file);
  }
  Captured(const Captured&) = delete;
  ~Captured() {
    give_back();
    std::filesystem::remove(path_);
  }
  std::string text() {
    give_back();
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  void give_back() {
    std::fflush(nullptr);
    for (int stream = 0; stream < 2; ++stream) {
      if (kept_[stream] < 0) continue;
      dup2(kept_[stream], stream + 1);
      close(kept_[stream]);
      kept_[stream] = -1;
    }
  }

  std::filesystem::path path_ = std::filesystem::temp_directory_path() / ("dmask-check-" + std::to_string(getpid()));
  int kept_[2] = {-1, -1};
};

// The suite's cases and counts stand in for those of this program, which is running itself.
Outcome outcome_of(std::vector<Case> suite, std::string word = "") {
  long checks = 0, failed_checks = 0;
  const auto change_places = [&] {
    std::swap(test::cases, suite);
    std::swap(test::checks, checks);
    std::swap(test::failed_checks, failed_checks);
  };
  char* arguments[] = {nullptr, word.data()};
  Captured captured;
  Outcome outcome;
  change_places();
  outcome.status = test::run(word.empty() ? 1 : 2, arguments);
  change_places();
  outcome.said = captured.text();
  return outcome;
}

bool says(const Outcome& outcome, const std::string& words) { return outcome.said.find(words) != std::string::npos; }

void sound() { EXPECT(1 + 1 == 2); }
void unsound() { EXPECT(1 + 1 == 3); }
void without_a_check() {}
void throwing() {
  EXPECT(true);
  throw std::runtime_error("out of paper");
}

}  // namespace

TEST_CASE(a_run_of_sound_cases_passes_and_counts_them) {
  const Outcome outcome = outcome_of({{"sound", sound}, {"sound_again", [] { EXPECT_NEAR(2.0, 2.001, 0.01); }}});
  EXPECT(outcome.status == 0);
  EXPECT(outcome.said == "2 checks, 0 of them failed\n2 passed, 0 failed\n");
}

TEST_CASE(a_failing_check_fails_the_program_and_says_what_it_got) {
  const Outcome outcome = outcome_of({{"sound", sound}, {"unsound", unsound}});
  EXPECT(outcome.status == 1);
  EXPECT(says(outcome, "expected 1 + 1 == 3, got 2 == 3\n"));
  EXPECT(says(outcome, "unsound failed\n"));
  EXPECT(says(outcome, "\n1 passed, 1 failed\n"));
  const Outcome far = outcome_of({{"far", [] { EXPECT_NEAR(2.5, 2, 0.1); }}});
  EXPECT(far.status == 1 && says(far, "got 2.5 = 2.5, expected 2 within 0.1"));
}

TEST_CASE(what_is_not_a_number_fails_every_check) {
  for (void (*body)() : {+[] { EXPECT_NEAR(NAN, 0, 1); }, +[] { EXPECT_NEAR(0, NAN, 1); },
                         +[] { EXPECT_NEAR(0, 0, NAN); }, +[] { EXPECT_NEAR(INFINITY, INFINITY, 1); },
                         +[] { EXPECT(NAN < 1); }, +[] { EXPECT(NAN >= 1); }, +[] { EXPECT(NAN != 1); },
                         +[] { EXPECT(1 != NAN); }, +[] { EXPECT(NAN); }, +[] { EXPECT_NEAR(1, 0, INFINITY); },
                         +[] { EXPECT(NAN == NAN); }, +[] { EXPECT(larger(larger(0, NAN), 2) < 3); }})
    EXPECT(outcome_of({{"nan", body}}).status == 1);
}

TEST_CASE(the_larger_of_two_keeps_what_is_not_a_number) {
  EXPECT(larger(1, 2) == 2 && larger(2, 1) == 2 && larger(0, INFINITY) == INFINITY);
  EXPECT(std::isnan(larger(NAN, 1)) && std::isnan(larger(1, NAN)));
  Eigen::Vector4d a(1, 2, 3, 4), b(1, 2, 3, 4.5);
  EXPECT(largest_difference(a, b) == 0.5);
  for (int k = 0; k < 4; ++k) {
    Eigen::Vector4d spoilt = b;
    spoilt[k] = NAN;
    EXPECT(std::isnan(largest_difference(a, spoilt)));
  }
}

TEST_CASE(a_run_without_a_case_or_a_case_without_a_check_fails) {
  const Outcome none = outcome_of({});
  EXPECT(none.status == 1 && says(none, "0 passed, 0 failed"));
  const Outcome empty = outcome_of({{"sound", sound}, {"empty", without_a_check}});
  EXPECT(empty.status == 1 && says(empty, "empty: got no check") && says(empty, "1 passed, 1 failed"));
}

TEST_CASE(an_exception_fails_its_case_and_the_others_run) {
  const Outcome outcome = outcome_of({{"throwing", throwing}, {"sound", sound}});
  EXPECT(outcome.status == 1 && says(outcome, "out of paper") && says(outcome, "1 passed, 1 failed"));
}

TEST_CASE(a_word_chooses_cases_by_their_names) {
  const std::vector<Case> suite = {{"sound", sound}, {"unsound", unsound}, {"other", sound}};
  EXPECT(outcome_of(suite, "other").status == 0);
  EXPECT(outcome_of(suite, "unso").status == 1);
  const Outcome none = outcome_of(suite, "nowhere");
  EXPECT(none.status == 1 && says(none, "contains 'nowhere'"));
}

TEST_CASE(conditions_of_every_kind_are_judged) {
  const std::string word = "iris";
  const int* nowhere = nullptr;
  enum class Kind { one, two } kind = Kind::two;
  EXPECT(word == "iris");
  EXPECT(word.size() == 4u && nowhere == nullptr);
  EXPECT(kind == Kind::two);
  EXPECT(!nowhere || *nowhere == 1);
  EXPECT(std::vector<int>{1, 2} == std::vector<int>{1, 2});
  EXPECT(outcome_of({{"c", [] { EXPECT(false || 2 < 1); }}}).status == 1);
  EXPECT(outcome_of({{"c", [] { EXPECT(true && std::string("a") == "b"); }}}).status == 1);
  EXPECT(says(outcome_of({{"c", [] { EXPECT(Kind::one == Kind::two); }}}), "got 0 == 1"));
}

int main(int argc, char** argv) { return test::run(argc, argv); }
