// Wall time of stages, in ms.
#pragma once

#include <chrono>

namespace dmask {

class Stopwatch {
 public:
  double ms() const { return between(start_, Clock::now()); }  // since it was made, or since the last lap
  double lap_ms() {                                            // the same, and a new lap begins
    const Clock::time_point now = Clock::now();
    const double ms = between(start_, now);
    start_ = now;
    return ms;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static double between(Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double, std::milli>(to - from).count();
  }
  Clock::time_point start_ = Clock::now();
};

// Adds the time until the end of its scope to a stage's.
class StageTimer {
 public:
  explicit StageTimer(double& total_ms) : total_ms_(total_ms) {}
  ~StageTimer() { total_ms_ += watch_.ms(); }
  StageTimer(const StageTimer&) = delete;
  StageTimer& operator=(const StageTimer&) = delete;

 private:
  double& total_ms_;
  Stopwatch watch_;
};

}  // namespace dmask
