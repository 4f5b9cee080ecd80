// Room search on CUDA: masks and their cost here, elastic kernels in a file of their own.
// Sizes of elastic kernels of your own: include this in a .cu file and write
// RNX_CUDA_KERNEL_RULE(rnx::kernel_rule::Elastic<9, 5>) at namespace scope, outside every
// namespace.
#pragma once

#include <cmath>

#include "rnx/core/rng.hpp"
#include "rnx/kernels/cuda/reduce.cuh"
#include "rnx/search/cuda.hpp"
#include "rnx/search/cuda_elastic.cuh"

namespace rnx::inline RNX_ABI::gpu {

/// Every thread computes the softmax, which is of a few widths.
template <class T> struct element<op::gumbel_mask<T>> {
  op::gumbel_mask<T> a;
  std::size_t count() const { return larger(a.widths.n, a.c); }
  RNX_HD void operator()(std::size_t k) const {
    const StepValues* v = a.values;
    const rng::Stream random(v ? v->seed : 0, Purpose::gumbel, (v ? v->draw : 0) + a.draw, a.site);
    const double temperature = v ? v->temperature : StepValues{}.temperature;
    const int n = a.widths.n;
    double z[op::most_widths], largest = -1e300, sum = 0, factor = 0;
    for (int i = 0; i < n; ++i) {
      z[i] = (double(a.theta[i]) + random.gumbel(i)) / temperature;
      largest = z[i] > largest ? z[i] : largest;
    }
    for (int i = 0; i < n; ++i) {
      z[i] = std::exp(z[i] - largest);
      sum += z[i];
      if (int(k) < a.widths.width[i]) factor += z[i];
    }
    if (int(k) < n) a.g[k] = T(z[k] / sum);
    if (int(k) < a.c) a.factors[k] = T(factor / sum);
  }
};

/// dg(i) of each width
template <class T> struct MaskGradients {
  static constexpr int terms = 1;
  op::gumbel_mask_backward<T> a;
  double* dg;
  RNX_SHARED void operator()(std::size_t i, std::size_t j, double* acc) const {
    const Split at(j, a.s.c);
    if (int(at.remainder) < a.widths.width[i])
      acc[0] += a.products[at.quotient * a.s.sample() + at.remainder];
  }
  RNX_SHARED void operator()(std::size_t i, const double* sums) const {
    dg[i] = (a.seed ? double(a.seed[i]) : 0) + sums[0];
  }
};
template <class T> struct MaskBackward {
  op::gumbel_mask_backward<T> a;
  const double* dg;
  RNX_HD void operator()(std::size_t j) const {
    double mean = 0;
    for (int i = 0; i < a.widths.n; ++i) mean += a.g[i] * dg[i];
    const double tau = a.values ? a.values->temperature : StepValues{}.temperature;
    a.dtheta[j] += T(a.g[j] * (dg[j] - mean) / tau);
  }
};
template <class T> struct body<op::gumbel_mask_backward<T>> {
  template <class E> static void run(const E& on, const op::gumbel_mask_backward<T>& a) {
    const std::size_t n = a.widths.n;
    const Scratch<double, E> dg(on, n);
    const MaskGradients<T> f{a, dg.data()};
    sum_segments(on, n, std::size_t(a.s.n) * a.s.c, false, f, f);
    on.each(n, MaskBackward<T>{a, dg.data()});
  }
};

template <class T> struct element<op::effective_width<T>> {
  op::effective_width<T> a;
  std::size_t count() const { return 1; }
  RNX_HD void operator()(std::size_t) const {
    double width = 0;
    for (int i = 0; i < a.widths.n; ++i) width += double(a.g[i]) * a.widths.width[i];
    *a.width = width;
  }
};
/// Blocks are few, and each needs the one before: one thread.
template <class T> struct element<op::effective_cost<T>> {
  op::effective_cost<T> a;
  std::size_t count() const { return 1; }
  RNX_HD void operator()(std::size_t) const {
    double cost = 0, in = a.start;
    for (int b = 0; b < a.blocks; ++b) {
      const double expansion = a.terms[4 * b], expand = a.terms[4 * b + 1],
                   filter = a.terms[4 * b + 2], project = a.terms[4 * b + 3], out = a.width[b];
      cost += expansion * in * (expand * in + filter + project * out);
      if (b) a.dwidth[b - 1] += expansion * (2 * expand * in + filter + project * out);
      a.dwidth[b] = expansion * in * project;
      in = out;
    }
    *a.cost = cost;
  }
};
template <class T> struct element<op::effective_width_backward<T>> {
  op::effective_width_backward<T> a;
  std::size_t count() const { return a.widths.n; }
  RNX_HD void operator()(std::size_t i) const {
    a.seed[i] += T(a.weight * *a.dwidth * a.widths.width[i]);
  }
};

}  // namespace rnx::inline RNX_ABI::gpu

namespace rnx::inline RNX_ABI {
RNX_CUDA_SEARCH(RNX_CUDA_DEFINE)
#ifdef __CUDACC__
template <class Rule, class T>
void launch<cuda, op::derived_kernel<Rule, T>>::run(Stream s,
                                                    const op::derived_kernel<Rule, T>& a) {
  gpu::execute("derived_kernel", s, a);
}
template <class Rule, class T>
void launch<cuda, op::derived_kernel_backward<Rule, T>>::run(
    Stream s, const op::derived_kernel_backward<Rule, T>& a) {
  gpu::execute("derived_kernel_backward", s, a);
}
#endif
}  // namespace rnx::inline RNX_ABI

#define RNX_CUDA_KERNEL_RULE_(T, ...)                                              \
  template struct rnx::launch<rnx::cuda, rnx::op::derived_kernel<__VA_ARGS__, T>>; \
  template struct rnx::launch<rnx::cuda, rnx::op::derived_kernel_backward<__VA_ARGS__, T>>;
/// Forward and backward of one kernel rule, in float and double.
#define RNX_CUDA_KERNEL_RULE(...)           \
  RNX_CUDA_KERNEL_RULE_(float, __VA_ARGS__) \
  RNX_CUDA_KERNEL_RULE_(double, __VA_ARGS__)
