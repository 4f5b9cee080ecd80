// Norms of a perturbation, and the check that every attack's result passes before anything is
// counted.
#pragma once

#include "rnx/attack/op.hpp"
#include "rnx/core/text.hpp"
#include "rnx/loss.hpp"

namespace rnx::inline RNX_ABI::norm {

/// max |delta|
struct Linf {
  static constexpr op::Norm kind = op::Norm::linf;
  static constexpr const char* name = "linf";
};
/// Euclidean length of delta over all pixels and channels of one image
struct L2 {
  static constexpr op::Norm kind = op::Norm::l2;
  static constexpr const char* name = "l2";
};
/// sum of |delta| over all pixels and channels of one image
struct L1 {
  static constexpr op::Norm kind = op::Norm::l1;
  static constexpr const char* name = "l1";
};

}  // namespace rnx::inline RNX_ABI::norm

namespace rnx::inline RNX_ISA::attack {

/// Throws UsageError unless 0 <= eps (and eps <= 1 in Linf: images lie in [0, 1]) and step >= 0.
template <class Norm> void check_radius(double eps, double step) {
  require<UsageError>(eps >= 0 && std::isfinite(eps), [&] {
    return "attack: eps must not be negative, found " + fixed_text(eps, 6);
  });
  require<UsageError>(Norm::kind != op::Norm::linf || eps <= 1, [&] {
    return "attack: eps in Linf must be at most 1 (images lie in [0, 1]), found " +
           fixed_text(eps, 6);
  });
  require<UsageError>(step >= 0 && std::isfinite(step), [&] {
    return "attack: the step must not be negative, found " + fixed_text(step, 6);
  });
}

/// Throws NumericError when an adversarial image leaves the ball of radius eps around its clean
/// image, or [0, 1], or where a pixel of either is not finite.
/// Host copies, dense; `tolerance` is relative to eps.
template <class Norm, class T = float>
void verify(std::type_identity_t<std::span<const T>> clean,
            std::type_identity_t<std::span<const T>> adversarial, int n, double eps,
            double tolerance = 1e-5) {
  const std::size_t count = clean.size() / n;
  for (int i = 0; i < n; ++i) {
    double size = 0;
    for (std::size_t k = i * count; k < (i + 1) * count; ++k) {
      const double a = adversarial[k], d = a - clean[k];
      require<NumericError>(std::isfinite(clean[k]), [&] {
        return "attack: clean image " + std::to_string(i) + " holds " + std::to_string(clean[k]) +
               ", expected finite pixels";
      });
      require<NumericError>(a >= 0 && a <= 1, [&] {
        return "attack: image " + std::to_string(i) + " holds " + fixed_text(a, 6) +
               ", outside [0, 1]";
      });
      size = Norm::kind == op::Norm::linf ? std::max(size, std::abs(d))
             : Norm::kind == op::Norm::l2 ? size + d * d
                                          : size + std::abs(d);
    }
    if (Norm::kind == op::Norm::l2) size = std::sqrt(size);
    // of a float pixel near 1, for a radius near 0; in L1 of all of them
    const double rounding = 1e-7 * (Norm::kind == op::Norm::l1 ? double(count) : 1);
    require<NumericError>(size <= eps * (1 + tolerance) + rounding, [&] {
      return std::string("attack: the perturbation of image ") + std::to_string(i) + " has " +
             Norm::name + " size " + fixed_text(size, 6) + ", eps is " + fixed_text(eps, 6);
    });
  }
}

}  // namespace rnx::inline RNX_ISA::attack
