// Relations among the rows of a batch on CUDA, in double, from the Gram matrices (n, n) of both
// sides: a thread for each pair of rows, sums over rows in their order.
#pragma once

#include "rnx/distill/cuda_angles.cuh"
#include "rnx/distill/formulas.hpp"
#include "rnx/kernels/cuda/reduce.cuh"
#include "rnx/loss/cuda.cuh"

namespace rnx::inline RNX_ABI::gpu {

/// q(i, j) = <x(i), x(j)>
template <class T> struct Gram {
  op::Map<const T> x;
  double* q;
  RNX_HD void operator()(std::size_t e) const {
    const Split at(e, x.n);
    const T* a = x.data + at.quotient * x.stride;
    const T* b = x.data + at.remainder * x.stride;
    double sum = 0;
    for (int k = 0; k < x.c; ++k) sum += double(a[k]) * double(b[k]);
    q[e] = sum;
  }
};
/// dx(i) = sum over j of (dq(i, j) + dq(j, i)) x(j)
template <class T> struct GramBackward {
  op::Map<const T> x;
  const double* dq;
  op::Map<T> dx;
  bool add;
  RNX_HD void operator()(std::size_t e) const {
    const Split at(e, x.c);
    const std::size_t n = x.n, i = at.quotient, k = at.remainder;
    double sum = 0;
    for (std::size_t j = 0; j < n; ++j)
      sum += (dq[i * n + j] + dq[j * n + i]) * double(x.data[j * x.stride + k]);
    put(dx.data[i * dx.stride + k], sum, add);
  }
};

template <class T> struct CompareSimilarity {
  Grams g;
  double weight;
  T* value;
  RNX_HD void operator()(std::size_t i) const { op::compare_similarity_row(g, i, weight, value); }
};

struct Diagonal {
  std::size_t n;
  const double* q;
  double* diagonal;
  RNX_HD void operator()(std::size_t i) const { diagonal[i] = q[i * n + i]; }
};
/// q becomes d(i, j) = |x(i) - x(j)|
struct Distances {
  std::size_t n;
  const double* diagonal;
  double* q;
  RNX_HD void operator()(std::size_t e) const {
    const Split at(e, n);
    const double square =
        at.quotient == at.remainder ? 0 : diagonal[at.quotient] + diagonal[at.remainder] - 2 * q[e];
    q[e] = std::sqrt(larger(square, 0.0));
  }
};
/// One sum of all n^2 distances, stored as their mean over i != j.
struct MeanDistance {
  static constexpr int terms = 1;
  std::size_t n;
  const double* d;
  double* mean;
  RNX_SHARED void operator()(std::size_t, std::size_t e, double* acc) const { acc[0] += d[e]; }
  RNX_SHARED void operator()(std::size_t, const double* sums) const {
    *mean = sums[0] / (double(n) * double(n - 1));
  }
};
/// means: of s, of t, and behind them `along`, the sum of dL/dpsi d, which the mean divides.
struct DistanceSlopes {
  static constexpr int terms = 1;
  Grams g;
  double weight;
  double* means;
  RNX_SHARED double difference(std::size_t e) const {
    return g.s[e] / means[0] - g.t[e] / means[1];
  }
  RNX_HD void operator()(std::size_t e) const {
    const Split at(e, g.n);
    g.ds[e] =
        at.quotient == at.remainder ? 0 : weight / double(g.n) * op::huber_slope(difference(e));
  }
  RNX_SHARED void operator()(std::size_t, std::size_t e, double* acc) const {
    if (e % (g.n + 1) != 0) acc[0] += g.ds[e] * g.s[e];
  }
  RNX_SHARED void operator()(std::size_t, const double* sums) const { means[2] = sums[0]; }
};
template <class T> struct DistanceValue {
  DistanceSlopes slopes;
  T* value;
  RNX_HD void operator()(std::size_t i) const {
    const std::size_t n = slopes.g.n;
    double sum = 0;
    for (std::size_t j = 0; j < n; ++j)
      if (j != i) sum += op::huber(slopes.difference(i * n + j));
    value[i] = T(sum / double(n));
  }
};
/// From the slopes of distances to those of the Gram matrix.
struct DistanceBackward {
  Grams g;
  const double* means;
  RNX_HD void operator()(std::size_t i) const {
    const double mean = means[0], along = means[2], count = double(g.n) * double(g.n - 1);
    double own = 0;
    for (std::size_t j = 0; j < g.n; ++j) {
      if (j == i) continue;
      const double d = g.s[i * g.n + j];
      double& to = g.ds[i * g.n + j];
      const double of_square = d == 0 ? 0 : (to / mean - along / (mean * mean * count)) / (2 * d);
      to = -2 * of_square;
      own += 2 * of_square;
    }
    g.ds[i * g.n + i] = own;
  }
};
template <class T, class E>
void compare_distances(const E& on, const Grams& g, double weight, T* value) {
  const std::size_t n = g.n;
  const Scratch<double, E> memory(on, n + 3);
  double *means = memory.data(), *diagonal = memory.data() + 3;
  for (double* q : {g.s, g.t}) {
    on.each(n, Diagonal{n, q, diagonal});
    on.each(n * n, Distances{n, diagonal, q});
    const MeanDistance mean{n, q, means + (q == g.t)};
    sum_segments(on, 1, n * n, false, mean, mean);
  }
  const DistanceSlopes slopes{g, weight, means};
  if (value) on.each(n, DistanceValue<T>{slopes, value});
  if (!g.ds) return;
  on.each(n * n, slopes);
  sum_segments(on, 1, n * n, false, slopes, slopes);
  on.each(n, DistanceBackward{g, means});
}

template <class T> struct body<op::row_relations<T>> {
  template <class E> static void run(const E& on, const op::row_relations<T>& a) {
    const std::size_t n = std::size_t(a.s.n);
    const Scratch<double, E> memory(on, (a.ds.data ? 3 : 2) * n * n);
    const Grams g{n, memory.data(), memory.data() + n * n,
                  a.ds.data ? memory.data() + 2 * n * n : nullptr};
    on.each(n * n, Gram<T>{a.s, g.s});
    on.each(n * n, Gram<T>{a.t, g.t});
    if (a.kind == op::Relation::similarity)
      on.each(n, CompareSimilarity<T>{g, a.weight, a.value});
    else if (a.kind == op::Relation::distance)
      compare_distances(on, g, a.weight, a.value);
    else
      compare_angles(on, g, a.weight, a.value);
    if (g.ds) on.each(n * a.s.c, GramBackward<T>{a.s, g.ds, a.ds, a.add});
  }
};

}  // namespace rnx::inline RNX_ABI::gpu
