// What a check of an evaluation is asked and what it says.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rnx/attack/victim.hpp"
#include "rnx/eval/paired.hpp"

namespace rnx::inline RNX_ISA::eval {

/// passed       nothing was found
/// fired        the whole interval lies above the threshold: the robust accuracy is not to be
///              trusted before the advice was followed
/// informative  the same, of a network where it is so by design
/// not_run      there was nothing to look at; the advice says why
enum class Verdict : unsigned char { passed, fired, informative, not_run };

inline std::string text_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed: return "passed";
    case Verdict::fired: return "fired";
    case Verdict::informative: return "informative";
    default: return "not run";
  }
}

/// A value is a share of images, or a difference of two such shares on the same images; the larger,
/// the worse.
struct Check {
  std::string name{};
  Verdict verdict = Verdict::not_run;
  double value = 0;
  Interval interval{};  ///< of the value, 95 %
  double threshold = 0;
  std::string quantity{};  ///< what the value is
  std::string advice{};    ///< what to do where it fired; of one that was not run, why
};

/// What checks look at and how long. They are made on the first `images` images, in one batch.
template <class T = float, class Device = default_device> struct CheckOptions {
  double eps = 8. / 255;
  std::vector<std::string> names{};  ///< of check_names(); empty: all
  int images = 100;
  int steps = 20;       ///< of AutoPGD; more-steps takes four times as many and two runs
  int queries = 500;    ///< of Square
  int path = 0;         ///< batch-norm path of predictions
  int attack_path = 0;  ///< of the network that attacks see
  int paths = 1;        ///< that the network has
  std::uint64_t seed = 0;
  /// gradients are another function's than the network's, by design (quantizers with a surrogate)
  bool surrogate_gradients = false;
  const NetworkBase<T, Device>* other = nullptr;  ///< for transfer: another model of these images
  /// for another-surrogate: the same network with the gradients of another declared surrogate
  std::optional<attack::WhiteBoxRef<T, Device>> surrogate{};
  /// told before each check
  std::function<void(std::string_view name)> progress{};
  const std::atomic<bool>* stop = nullptr;
};

}  // namespace rnx::inline RNX_ISA::eval
