// Objects for one thread at a time, of one process: whoever comes meanwhile, or from another process, gets a sentence.
#pragma once

#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "geometry/check.hpp"

namespace dmask {

// Whose turn it is. Python's lock does not say: it is given up while the core works.
class Turns {
 public:
  class Turn {
   public:
    explicit Turn(Turns& turns, const std::string& what) : taken_(&turns.taken_) {
      check(!taken_->exchange(true, std::memory_order_acquire),
            "this " + what + " is busy in another thread, expected one call at a time: make one " + what + " a thread");
    }
    ~Turn() {
      if (taken_) taken_->store(false, std::memory_order_release);
    }
    Turn(Turn&& other) noexcept : taken_(std::exchange(other.taken_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;

   private:
    std::atomic<bool>* taken_;
  };

 private:
  std::atomic<bool> taken_ = false;
};

// The process whose nets have run: their threads are left behind where it is forked, and no child can have new ones.
class NetsProcess {
 public:
  static void note() {
    pid_t nobody = 0;
    first_.compare_exchange_strong(nobody, getpid());
  }
  static void check_here(const char* what) {
    const pid_t first = first_;
    check(first == 0 || first == getpid(), "this process was forked from " + std::to_string(first) +
                                               ", whose nets have run and whose threads it lacks; " +
                                               "expected a process of its own for another " + what +
                                               ": start it by multiprocessing's method 'spawn'");
  }

 private:
  inline static std::atomic<pid_t> first_ = 0;
};

// An object that has threads of its own, which a fork leaves behind: in the child it can neither work nor be destroyed.
template <class T>
class OfOneProcess {
 public:
  OfOneProcess(const char* what, std::unique_ptr<T> object) : what_(what), object_(std::move(object)) {}
  OfOneProcess(OfOneProcess&&) noexcept = default;
  ~OfOneProcess() {
    if (object_ && elsewhere()) static_cast<void>(object_.release());  // a destructor would wait for those threads
  }

  T& get() const {
    check(!elsewhere(), std::string("this ") + what_ + " is of process " + std::to_string(process_) +
                            ", which this one was forked from; expected one of its own: make the " + what_ +
                            " in the child, which multiprocessing's method 'spawn' starts");
    return *object_;
  }

 private:
  bool elsewhere() const { return getpid() != process_; }

  const char* what_;
  std::unique_ptr<T> object_;
  pid_t process_ = getpid();
};

}  // namespace dmask
