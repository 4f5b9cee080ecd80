// What people see while a program works.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include <rnx/train/progress.hpp>

namespace tools {

/// What progress is shown as: "bar" rewrites a line, "plain" and "json" write one every ten seconds
/// and at the end of an epoch, "off" none; "auto" is a bar on a terminal, else plain. A long phase
/// is shown even while nothing moves in it: a thread writes the lines.
class Display {
 public:
  /// Errors: UsageError (an unknown word).
  explicit Display(const std::string& how);
  ~Display();
  Display(const Display&) = delete;
  Display& operator=(const Display&) = delete;

  /// A callback of training.
  void operator()(const rnx::train::Progress& p);
  /// A phase begins that counts nothing: "reading the images".
  void phase(const std::string& what) { show({.what = what}); }
  /// A phase begins that counts images: what eval::Options::progress is told. It ends with done(),
  /// or when another begins.
  std::function<void(std::size_t, std::size_t)> counting(const std::string& what);
  void done() { show({}); }

  /// Whether nothing is printed for people.
  bool quiet() const { return how_ == "json" || how_ == "off"; }
  bool json() const { return how_ == "json"; }
  /// A line for people.
  void say(const std::string& line);

 private:
  using Clock = std::chrono::steady_clock;
  /// What is going on: a line that training wrote, or a phase with its counts.
  struct State {
    std::string line{}, what{};
    std::size_t done = 0, of = 0;
    Clock::time_point began = Clock::now();
  };
  double interval() const { return how_ == "bar" ? 0.2 : 10; }
  void show(State state);
  void print(const std::string& line, bool end);
  std::string text() const;
  void keep_printing();

  std::string how_;
  double shown_ = 0;  ///< of training, in its seconds
  std::mutex mutex_{};
  std::condition_variable wake_{};
  State state_{};
  Clock::time_point printed_ = Clock::now();
  bool on_line_ = false;  ///< a bar stands on the terminal's line
  bool ends_ = false;
  std::thread thread_{};
};

}  // namespace tools
