// Starts and steps of first-order attacks on CUDA: rows are dense samples, each one's result
// depends on its own number only.
#pragma once

#include <cmath>

#include "rnx/attack/auto_pgd_row.hpp"
#include "rnx/attack/carlini_wagner_row.hpp"
#include "rnx/attack/cuda.hpp"
#include "rnx/attack/deep_fool_row.hpp"
#include "rnx/attack/fab_row.hpp"
#include "rnx/attack/square_row.hpp"
#include "rnx/attack/victim_row.hpp"
#include "rnx/core/rng.hpp"
#include "rnx/kernels/cuda/reduce.cuh"
#include "rnx/kernels/cuda/row.cuh"

namespace rnx::inline RNX_ABI::gpu {

/// norms(n) = root of a sum of squares
struct StoreNorm {
  double* norms;
  RNX_SHARED void operator()(std::size_t n, const double* sums) const {
    norms[n] = std::sqrt(sums[0]);
  }
};

template <class T> struct AttackStart {
  static constexpr int terms = 1;
  op::attack_start<T> a;
  std::size_t features;
  const double* norms;  // of the normal draws
  RNX_SHARED rng::Stream stream(std::size_t n) const {
    const std::uint64_t seed = (a.values ? a.values->seed : 0) + a.seed,
                        draw = (a.values ? a.values->draw : 0) + a.draw;
    return rng::Stream(seed, Purpose::attack, draw,
                       a.first_sample + geometry::sample_of(a.samples, n));
  }
  RNX_HD void operator()(std::size_t n, std::size_t j, double* acc) const {
    const double v = stream(n).normal(j);
    acc[0] += v * v;
  }
  RNX_HD void operator()(std::size_t e) const {
    const Split s(e, features);
    const double eps = a.values ? a.values->eps : 0;
    const double delta =
        a.noise > 0 ? a.noise * stream(s.quotient).normal(s.remainder)
        : a.norm == op::Norm::linf
            ? eps * (2 * stream(s.quotient).uniform(s.remainder) - 1)
            : eps / (norms[s.quotient] + 1e-10) * stream(s.quotient).normal(s.remainder);
    a.adversarial.data[e] = clamped(T(a.clean.data[e] + delta), T(0), T(1));
  }
};
template <class T> struct body<op::attack_start<T>> {
  template <class E> static void run(const E& on, const op::attack_start<T>& a) {
    const std::size_t n = a.clean.n, features = std::size_t(a.clean.h) * a.clean.w * a.clean.c;
    const Scratch<double, E> norms(on, a.norm == op::Norm::linf || a.noise > 0 ? 0 : n);
    const AttackStart<T> start{a, features, norms.data()};
    if (a.norm != op::Norm::linf && !(a.noise > 0))
      sum_segments(on, n, features, false, start, StoreNorm{norms.data()});
    on.each(n * features, start);
  }
};

/// |g| of each sample
template <class T> struct GradientSquares {
  static constexpr int terms = 1;
  const T* gradient;
  std::size_t features;
  RNX_SHARED void operator()(std::size_t n, std::size_t j, double* acc) const {
    const double v = gradient[n * features + j];
    acc[0] += v * v;
  }
};
template <class T> struct AttackStep {
  static constexpr int terms = 1;
  op::attack_step<T> a;
  std::size_t features;
  const double* gradient_norms;
  const double* distances;
  RNX_SHARED double eps() const { return a.values ? a.values->eps : 0; }
  RNX_SHARED double length() const { return a.fgsm ? eps() : a.values ? a.values->step : 0; }
  RNX_SHARED double delta(std::size_t n, std::size_t e) const {
    return a.adversarial.data[e] + length() / (gradient_norms[n] + 1e-10) * a.gradient.data[e] -
           a.clean.data[e];
  }
  RNX_HD void operator()(std::size_t n, std::size_t j, double* acc) const {
    const double v = delta(n, n * features + j);
    acc[0] += v * v;
  }
  RNX_HD void operator()(std::size_t e) const {
    const T x = a.clean.data[e];
    if (a.norm == op::Norm::linf) {
      const T step = T(length()), radius = T(eps());
      const T v = clamped(a.adversarial.data[e] + step * op::direction(a.gradient.data[e]),
                          x - radius, x + radius);
      a.adversarial.data[e] = clamped(x == x ? v : x, T(0), T(1));
      return;
    }
    const std::size_t n = Split(e, features).quotient;
    const double distance = distances[n], factor = distance > eps() ? eps() / (distance + 1e-7) : 1;
    a.adversarial.data[e] = clamped(T(x + factor * delta(n, e)), T(0), T(1));
  }
};
template <class T> struct body<op::attack_step<T>> {
  template <class E> static void run(const E& on, const op::attack_step<T>& a) {
    const std::size_t n = a.clean.n, features = std::size_t(a.clean.h) * a.clean.w * a.clean.c;
    const Scratch<double, E> norms(on, a.norm == op::Norm::linf ? 0 : 2 * n);
    const AttackStep<T> step{a, features, norms.data(),
                             norms.data() + (a.norm == op::Norm::linf ? 0 : n)};
    if (a.norm != op::Norm::linf) {
      sum_segments(on, n, features, false, GradientSquares<T>{a.gradient.data, features},
                   StoreNorm{norms.data()});
      sum_segments(on, n, features, false, step, StoreNorm{norms.data() + n});
    }
    on.each(n * features, step);
  }
};

}  // namespace rnx::inline RNX_ABI::gpu

namespace rnx::inline RNX_ABI {
RNX_CUDA_ATTACK(RNX_CUDA_DEFINE)
}  // namespace rnx::inline RNX_ABI
