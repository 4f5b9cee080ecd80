// Operations of AutoPGD (Croce & Hein 2020; in L1 Croce & Hein 2021) on rows of dense samples, and
// of other attacks that begin inside the ball or watch for misclassification.
#pragma once

#include <cstddef>

#include "rnx/attack/op.hpp"
#include "rnx/kernels/row.hpp"

namespace rnx::inline RNX_ABI::op {

/// Elements of one sample.
RNX_SHARED std::size_t features(const geometry::Map& m) { return std::size_t(m.h) * m.w * m.c; }

/// Where an attack begins, before it is clipped to [0, 1]:
///   sphere     x + r t / |t| in the norm, t uniform in (-1, 1) (Linf) or normal
///   ball       uniform in the ball of Linf or L2
///   projected  the projection of x + t, t normal, onto the ball in L1 and [0, 1]
///   nearest    that of `adversarial` as it is
enum class BallStart { sphere, ball, projected, nearest };

/// adversarial = a start with r = radius values->eps. Keyed by (seed, draw, sample id):
/// values->seed + seed, values->draw + draw, first_sample + row, or + samples[row].
template <class T> struct ball_start {
  static constexpr bool by_row = true;
  Map<const T> clean{};
  Map<T> adversarial{};
  const StepValues* values = nullptr;
  Norm norm = Norm::linf;
  BallStart kind = BallStart::sphere;
  double radius = 1;
  std::uint64_t draw = 0;
  std::uint64_t first_sample = 0;
  std::uint64_t seed = 0;
  const std::int32_t* samples = nullptr;
  std::size_t rows() const { return clean.n; }
  double work() const { return 64.0 * features(clean); }
  auto pointers() { return std::tie(clean.data, adversarial.data, values, samples); }
};

/// flags[n] = 1 where the largest logit (the first of equal ones) is not the label's, or a logit is
/// NaN, else 0. Row n has label n, or samples[n]. also: flags that are set stay so.
template <class T> struct misclassified {
  static constexpr bool by_row = true;
  Map<const T> logits{};
  const std::int32_t* labels = nullptr;
  T* flags = nullptr;
  bool also = false;
  const std::int32_t* samples = nullptr;
  std::size_t rows() const { return logits.rows(); }
  double work() const { return 2.0 * logits.c; }
  auto pointers() { return std::tie(logits.data, labels, flags, samples); }
};

/// classes[n], or classes[samples[n]], = the class of row n's logit of that rank: 1 for the
/// largest; of equal logits the higher class is larger, as where a stable sort in rising order puts
/// it.
template <class T> struct ranked_class {
  static constexpr bool by_row = true;
  Map<const T> logits{};
  std::int32_t* classes = nullptr;
  int rank = 1;
  const std::int32_t* samples = nullptr;
  std::size_t rows() const { return logits.rows(); }
  double work() const { return double(logits.c) * logits.c; }
  auto pointers() { return std::tie(logits.data, classes, samples); }
};

/// momentum = decay momentum + gradient / mean |gradient|   (Dong et al. 2018, eq. 6, but for a
/// factor that all of it has); a gradient of zeros adds nothing.
template <class T> struct accumulate_direction {
  static constexpr bool by_row = true;
  Map<const T> gradient{};
  Map<T> momentum{};
  double decay = 1;
  std::size_t rows() const { return gradient.n; }
  double work() const { return 4.0 * features(gradient); }
  auto pointers() { return std::tie(gradient.data, momentum.data); }
};

/// adversarial = clean where it lies further away than values->eps: what a search for the smallest
/// perturbation found.
template <class T> struct clean_beyond {
  static constexpr bool by_row = true;
  Map<const T> clean{};
  Map<T> adversarial{};
  const StepValues* values = nullptr;
  Norm norm = Norm::linf;
  std::size_t rows() const { return clean.n; }
  double work() const { return 3.0 * features(clean); }
  auto pointers() { return std::tie(clean.data, adversarial.data, values); }
};

/// What AutoPGD knows of a row.
enum AutoPgdColumn {
  apgd_step_size,
  apgd_best,           ///< the largest loss
  apgd_best_at_check,  ///< likewise, when the step size was last looked at
  apgd_reduced,        ///< 1: it was halved then
  apgd_rises,          ///< iterations since then that count as progress
  apgd_last,           ///< the loss that the next one is compared with
  apgd_fooled,         ///< 1: `adversarial` holds a misclassified iterate
  apgd_sparsity,       ///< L1: pixels that the best iterate had moved
  apgd_share,          ///< L1: of the gradient's elements that a step takes
  apgd_done,           ///< 1: an earlier run has found a misclassified iterate
  apgd_record,         ///< the largest loss of earlier runs
  apgd_columns
};

/// Which published AutoPGD: see attack::AutoPgd.
enum class AutoPgdRule { code, paper, art };

/// One iteration, a = 1 in the first one and 0.75 then, P onto the ball of radius r = radius
/// values->eps and [0, 1]:
///   z = P(x + step d(g));  x' = P(x + a (z - x) + (1 - a) (x - previous))
/// d(g): Linf sign(g); L2 g / (|g| + 1e-12). In L1 x' = P(x + step s / |s|), s the signs of the
/// `share` largest |g|. previous = x.
template <class T> struct auto_pgd_step {
  static constexpr bool by_row = true;
  Map<const T> clean{};
  Map<const T> gradient{};
  Map<T> x{};
  Map<T> previous{};
  const T* state = nullptr;  ///< (n, apgd_columns)
  const StepValues* values = nullptr;
  Norm norm = Norm::linf;
  double radius = 1;
  bool first = false;
  std::size_t rows() const { return clean.n; }
  double work() const { return 40.0 * features(clean); }
  auto pointers() {
    return std::tie(clean.data, gradient.data, x.data, previous.data, state, values);
  }
};

/// After a gradient at x, with its loss and whether it is misclassified: keeps the best iterate
/// with its gradient and the last misclassified one; where `window` is not 0, it is that many
/// iterations since the step size was last looked at, and it is now: see attack::AutoPgd. begin: x
/// is the start.
template <class T> struct auto_pgd_track {
  static constexpr bool by_row = true;
  Map<const T> clean{};
  Map<T> x{};
  Map<T> previous{};
  Map<T> gradient{};
  Map<T> best{};
  Map<T> best_gradient{};
  Map<T> before_best{};  ///< AutoPgdRule::art: what stood before the best one; else unused
  Map<T> adversarial{};
  T* state = nullptr;         ///< (n, apgd_columns)
  const T* loss = nullptr;    ///< (n)
  const T* fooled = nullptr;  ///< (n); null: nothing counts as misclassified
  const StepValues* values = nullptr;
  Norm norm = Norm::linf;
  double radius = 1;
  double rho = 0.75;
  AutoPgdRule rule = AutoPgdRule::code;
  int window = 0;
  bool begin = false;
  bool first = false;        ///< this is the first iteration
  bool random_start = true;  ///< L1: nothing is known yet of the pixels that matter
  std::size_t rows() const { return clean.n; }
  double work() const { return 4.0 * features(clean); }
  auto pointers() {
    return std::tie(clean.data, x.data, previous.data, gradient.data, best.data, best_gradient.data,
                    before_best.data, adversarial.data, state, loss, fooled, values);
  }
};

/// After a run: to(n) = `adversarial` where it is misclassified (fooled[n], or else the state says
/// so), which ends the search for this row, or else the best iterate where no earlier run's loss
/// was larger. first: there was no run.
template <class T> struct auto_pgd_collect {
  static constexpr bool by_row = true;
  Map<const T> best{};
  Map<const T> adversarial{};
  Map<T> to{};
  T* state = nullptr;  ///< (n, apgd_columns)
  const T* fooled = nullptr;
  bool first = false;
  std::size_t rows() const { return best.n; }
  double work() const { return 2.0 * features(best); }
  auto pointers() { return std::tie(best.data, adversarial.data, to.data, state, fooled); }
};

}  // namespace rnx::inline RNX_ABI::op
