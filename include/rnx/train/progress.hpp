// What callbacks are told, and the line that people read.
#pragma once

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "rnx/core/text.hpp"

namespace rnx::inline RNX_ISA::train {

/// Accuracies of an evaluation between epochs, as fractions; empty: not measured.
struct Scores {
  std::optional<double> clean{}, pgd{};
};

/// A term of an objective, or another number that an item reports, by name.
struct NamedValue {
  std::string name;
  double value = 0;
};

/// What a callback is told after each batch. Times are of this process; everything else is the
/// run's, whatever was resumed.
struct Progress {
  int epoch = 0, epochs = 0;          ///< from 0
  long step = 0, steps_in_epoch = 0;  ///< batches of this epoch, from 1
  long done = 0, total = 0;           ///< batches of the run
  /// means over the epoch so far, on the images that were trained on
  double loss = 0, accuracy = 0;
  std::vector<NamedValue> values{};  ///< of the objective's terms, likewise
  double lr = 0;                     ///< of the first stepper
  std::size_t samples = 0;           ///< seen in this epoch
  double seconds = 0;                ///< since fit began
  /// over this process's steps, evaluations and checkpoints left out
  double images_per_second = 0;
  double waited = 0;           ///< seconds that steps have waited for the loader
  double remaining = 0;        ///< estimated seconds of steps to come
  double checkpoint_age = -1;  ///< seconds since the last checkpoint; negative: none yet
  bool epoch_end = false;  ///< the epoch is over, and its scores (if it was evaluated) are there
  Scores scores{};
};

/// "3:07", "2:13:45"
inline std::string clock_text(double seconds) {
  const long s = long(seconds + 0.5);
  char text[32];
  if (s < 3600)
    std::snprintf(text, sizeof text, "%ld:%02ld", s / 60, s % 60);
  else
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
  return text;
}

namespace detail {
/// As many as fit into that many columns, "  ce.clean 1.2034  kl.adv 0.3000  +3".
inline std::string terms_text(const std::vector<NamedValue>& values, std::size_t columns) {
  std::string line;
  for (std::size_t k = 0; k < values.size(); ++k) {
    const std::string next = "  " + values[k].name + " " + fixed_text(values[k].value, 4);
    const std::string more = "  +" + std::to_string(values.size() - k);
    const std::size_t reserve = k + 1 < values.size() ? more.size() : 0;
    if (line.size() + next.size() + reserve > columns)
      return line.size() + more.size() > columns ? line : line + more;
    line += next;
  }
  return line;
}
}  // namespace detail

/// One line without a line end: "epoch 2/8  [#####.....] 196/391  loss 1.2034  acc 56.1 %  345
/// img/s  eta 3:07  ckpt 0:42". bar: cells of the bar, 0 for none. It stays below 120 columns: the
/// bar gives way, and of several terms those are shown that fit, then how many more there are.
inline std::string progress_line(const Progress& p, int bar = 0) {
  constexpr std::size_t columns = 119;
  const auto percent = [](double part) { return fixed_text(100 * part, 1) + " %"; };
  const std::string head =
      "epoch " + std::to_string(p.epoch + 1) + "/" + std::to_string(p.epochs) + "  ";
  const std::string middle = std::to_string(p.step) + "/" + std::to_string(p.steps_in_epoch) +
                             "  loss " + fixed_text(p.loss, 4);
  std::string tail;
  if (p.accuracy == p.accuracy) tail += "  acc " + percent(p.accuracy);
  if (p.scores.clean) tail += "  clean " + percent(*p.scores.clean);
  if (p.scores.pgd) tail += "  pgd " + percent(*p.scores.pgd);
  tail += "  " + fixed_text(p.images_per_second, 0) + " img/s  eta " + clock_text(p.remaining);
  if (p.checkpoint_age >= 0) tail += "  ckpt " + clock_text(p.checkpoint_age) + " ago";

  const bool terms = p.values.size() > 1;
  if (terms) bar = std::min(bar, 8);
  const std::size_t bare = head.size() + middle.size() + tail.size(),
                    barred = bar > 0 ? bare + std::size_t(bar) + 3 : bare;
  std::string line = head;
  if (bar > 0 && barred <= columns) {
    const int full = p.steps_in_epoch > 0 ? int(bar * p.step / p.steps_in_epoch) : 0;
    line += "[" + std::string(full, '#') + std::string(bar - full, '.') + "] ";
  }
  line += middle;
  if (terms)
    line += detail::terms_text(p.values, columns - std::min(columns, line.size() + tail.size()));
  return line + tail;
}

}  // namespace rnx::inline RNX_ISA::train
