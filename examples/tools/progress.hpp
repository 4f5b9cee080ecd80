// What people see while a program works.
#pragma once

#include <string>

#include <rnx/train.hpp>

#include "outputs.hpp"

namespace tools {

/// How progress is shown: "bar" rewrites a line, "plain" and "json" write one every ten seconds and
/// at each end of an epoch, "off" none; "auto" is a bar on a terminal, else plain. A callback of
/// training.
class Display {
 public:
  explicit Display(const std::string& how);

  void operator()(const rnx::train::Progress& p);
  /// Whether nothing is printed for people.
  bool quiet() const { return how_ == "json" || how_ == "off"; }
  bool json() const { return how_ == "json"; }
  /// A line for people.
  void say(const std::string& line) const {
    if (!quiet()) print_line(stdout, line);
  }

 private:
  std::string how_;
  double shown_ = 0;
};

}  // namespace tools
