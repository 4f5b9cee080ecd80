// What callbacks are told, and the line that people read.
#pragma once

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
  double loss = 0,
         accuracy = 0;  ///< means over the epoch so far, on the images that were trained on
  std::vector<NamedValue> values{};  ///< of the objective's terms, likewise
  double lr = 0;                     ///< of the first stepper
  std::size_t samples = 0;           ///< seen in this epoch
  double seconds = 0;                ///< since fit began
  double images_per_second =
      0;                       ///< over this process's steps, evaluations and checkpoints left out
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

/// One line without a line end: "epoch 2/8  [#####.....] 196/391  loss 1.2034  acc 56.1 %  345
/// img/s  eta 3:07  ckpt 0:42". bar: cells of the bar, 0 for none.
inline std::string progress_line(const Progress& p, int bar = 0) {
  const auto percent = [](double part) { return fixed_text(100 * part, 1) + " %"; };
  std::string line = "epoch " + std::to_string(p.epoch + 1) + "/" + std::to_string(p.epochs) + "  ";
  if (bar > 0) {
    const int full = p.steps_in_epoch > 0 ? int(bar * p.step / p.steps_in_epoch) : 0;
    line += "[" + std::string(full, '#') + std::string(bar - full, '.') + "] ";
  }
  line += std::to_string(p.step) + "/" + std::to_string(p.steps_in_epoch) + "  loss " +
          fixed_text(p.loss, 4);
  if (p.values.size() > 1)
    for (const NamedValue& v : p.values) line += "  " + v.name + " " + fixed_text(v.value, 4);
  if (p.accuracy == p.accuracy) line += "  acc " + percent(p.accuracy);
  if (p.scores.clean) line += "  clean " + percent(*p.scores.clean);
  if (p.scores.pgd) line += "  pgd " + percent(*p.scores.pgd);
  line += "  " + fixed_text(p.images_per_second, 0) + " img/s  eta " + clock_text(p.remaining);
  if (p.checkpoint_age >= 0) line += "  ckpt " + clock_text(p.checkpoint_age) + " ago";
  return line;
}

}  // namespace rnx::inline RNX_ISA::train
