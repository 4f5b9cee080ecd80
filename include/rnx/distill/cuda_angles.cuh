// Angles among the rows of a batch on CUDA. Where the CPU adds the gradients of one row's angles to
// a matrix, a thread here gathers what one element of the matrix gets from all rows.
#pragma once

#include "rnx/distill/formulas.hpp"
#include "rnx/kernels/cuda/execute.cuh"

namespace rnx::inline RNX_ABI::gpu {

using op::Grams;

/// Angles at a row `at`: differences u(i) = x(i) - x(at), their lengths (at, i).
struct Angles {
  std::size_t n;
  const double* q;
  double* lengths;
  RNX_SHARED double product(std::size_t at, std::size_t i, std::size_t k) const {
    return q[i * n + k] - q[i * n + at] - q[k * n + at] + q[at * n + at];
  }
  /// The cosine; 0 where a difference is.
  RNX_SHARED double operator()(std::size_t at, std::size_t i, std::size_t k) const {
    const double both = lengths[at * n + i] * lengths[at * n + k];
    return both == 0 ? 0 : product(at, i, k) / both;
  }
  /// Computes one length.
  RNX_HD void operator()(std::size_t e) const {
    const Split at(e, n);
    lengths[e] = std::sqrt(larger(product(at.quotient, at.remainder, at.remainder), 0.0));
  }
};

/// Of the angles at one row between row i and all others: the sum of H, and the gradients of
/// <u(i), :> and of <u(i), u(i)>; each (at, i).
struct AngleSums {
  Angles s, t;
  double weight;
  double* values;
  double* row;  // null: gradients are not computed
  double* own;
  RNX_SHARED double slope(double e) const { return weight * op::huber_slope(e); }
  RNX_HD void operator()(std::size_t e) const {
    const Split p(e, s.n);
    const std::size_t at = p.quotient, i = p.remainder;
    const double length = s.lengths[e];
    double sum = 0, of_row = 0, of_own = 0;
    for (std::size_t k = 0; k < s.n; ++k) {
      if (k == i) continue;
      const double a = s(at, i, k), difference = a - t(at, i, k),
                   both = length * s.lengths[at * s.n + k];
      if (k < i) sum += op::huber(difference);  // each pair once
      if (!row || both == 0) continue;
      of_row += slope(difference) / both;
      of_own -= slope(difference) * a / (2 * length * length);
    }
    values[e] = sum;
    if (!row) return;
    row[e] = of_row;
    own[e] = of_own;
  }
};
template <class T> struct AngleValue {
  std::size_t n;
  const double* sums;
  double scale;
  T* value;
  RNX_HD void operator()(std::size_t at) const {
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += sums[at * n + i];
    value[at] = T(scale * sum);
  }
};
/// The gradient of one element of the Gram matrix; that of a pair i > k stands for both.
struct AngleBackward {
  AngleSums f;
  double* ds;
  RNX_HD void operator()(std::size_t e) const {
    const std::size_t n = f.s.n;
    const Split p(e, n);
    const std::size_t i = p.quotient, k = p.remainder;
    double sum = -(f.row[k * n + i] + 2 * f.own[k * n + i]);
    for (std::size_t at = 0; k < i && at < n; ++at) {
      const double both = f.s.lengths[at * n + i] * f.s.lengths[at * n + k];
      if (both != 0) sum += f.slope(f.s(at, i, k) - f.t(at, i, k)) / both;
    }
    for (std::size_t j = 0; k == i && j < n; ++j)
      sum += f.own[j * n + i] + f.row[i * n + j] / 2 + f.own[i * n + j];
    ds[e] = sum;
  }
};
template <class T, class E>
void compare_angles(const E& on, const Grams& g, double weight, T* value) {
  const std::size_t n = g.n, all = n * n;
  const Scratch<double, E> memory(on, (g.ds ? 5 : 3) * all);
  const Angles s{n, g.s, memory.data()}, t{n, g.t, memory.data() + all};
  on.each(all, s);
  on.each(all, t);
  double* sums = memory.data() + 2 * all;
  const double each = 2 / (double(n) * double(n));  // i < k stands for k < i too
  const AngleSums f{
      s, t, weight * each, sums, g.ds ? sums + all : nullptr, g.ds ? sums + 2 * all : nullptr};
  on.each(all, f);
  if (value) on.each(n, AngleValue<T>{n, sums, each, value});
  if (g.ds) on.each(all, AngleBackward{f, g.ds});
}

}  // namespace rnx::inline RNX_ABI::gpu
