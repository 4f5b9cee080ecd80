// Elastic kernels on CUDA: a thread for each kernel, and for the gradient of each element of a
// transform one that adds what the kernels give, in their order.
#pragma once

#include "rnx/kernels/cuda/execute.cuh"
#include "rnx/search/elastic_rule.hpp"

namespace rnx::inline RNX_ABI::gpu {

/// The steps from the largest size to the active one: what host code knows of the rule, by value.
template <int Count> struct ElasticSteps {
  int sides[Count];      // of all sizes
  long matrices[Count];  // where the transform to size i lies among all
  long places[Count];    // where u(i), and behind it dw(i), lie in a kernel's own memory
  int steps = 0;
  long transforms = 0, memory = 0;  // elements of the transforms that are used, and of that memory
  RNX_SHARED int square(int i) const { return sides[i] * sides[i]; }
};
template <class Rule> ElasticSteps<Rule::count> elastic_steps(int active) {
  ElasticSteps<Rule::count> s{};
  s.sides[0] = Rule::maximum;
  for (int i = 1; i < Rule::count && Rule::sizes[i] >= active; ++i) {
    s.sides[i] = Rule::sizes[i];
    s.matrices[i] = s.transforms;
    s.places[i] = s.memory;
    s.transforms += long(s.square(i)) * s.square(i);
    s.memory += 2 * s.square(i);
    s.steps = i;
  }
  return s;
}
/// Where kernel r lies in theta.
RNX_SHARED long kernel_offset(const geometry::Weights& g, std::size_t r) {
  const Split input(r, g.i), output(input.quotient, g.o);
  return long(output.quotient) * g.sg + long(output.remainder) * g.so +
         long(input.remainder) * g.si;
}
RNX_SHARED std::size_t kernel_count(const geometry::Weights& g) {
  return std::size_t(g.groups) * g.o * g.i;
}

/// One kernel through the steps; seen(i, u): what transform i multiplies.
template <int Count, int Most, class T, class Seen>
RNX_SHARED void derive_kernel(const ElasticSteps<Count>& s, const T* theta, long row,
                              const T* transforms, T (&w)[Most], const Seen& seen) {
  T u[Most];
  if (s.steps == 0) kernel_rule::crop_kernel(theta, s.sides[0], row, s.sides[0], w);
  for (int i = 1; i <= s.steps; ++i) {
    kernel_rule::crop_kernel(i == 1 ? theta : w, s.sides[i - 1], i == 1 ? row : s.sides[i - 1],
                             s.sides[i], u);
    seen(i, u);
    kernel_rule::transform_kernel(transforms + s.matrices[i], s.square(i), u, w);
  }
}

template <class Rule, class T> struct DerivedKernel {
  op::derived_kernel<Rule, T> a;
  ElasticSteps<Rule::count> s;
  RNX_HD void operator()(std::size_t r) const {
    T w[Rule::maximum * Rule::maximum];
    derive_kernel(s, a.theta + kernel_offset(a.g, r), a.g.sh, a.extra, w, [](int, const T*) {});
    const int square = a.g.kh * a.g.kh;
    for (int c = 0; c < square; ++c) a.weights[r * square + c] = w[c];
  }
};
template <class Rule, class T> struct body<op::derived_kernel<Rule, T>> {
  template <class E> static void run(const E& on, const op::derived_kernel<Rule, T>& a) {
    on.each(kernel_count(a.g), DerivedKernel<Rule, T>{a, elastic_steps<Rule>(a.g.kh)});
  }
};

/// Keeps u(i) and dw(i) of a kernel, and adds to its theta's gradient.
template <class Rule, class T> struct DerivedKernelBackward {
  op::derived_kernel_backward<Rule, T> a;
  ElasticSteps<Rule::count> s;
  T* memory;
  RNX_HD void operator()(std::size_t r) const {
    T* own = memory + r * s.memory;
    const long at = kernel_offset(a.g, r);
    T w[Rule::maximum * Rule::maximum], du[Rule::maximum * Rule::maximum];
    derive_kernel(s, a.theta + at, a.g.sh, a.extra, w, [&](int i, const T* u) {
      for (int c = 0; c < s.square(i); ++c) own[s.places[i] + c] = u[c];
    });
    const int square = a.g.kh * a.g.kh;
    T* dw = w;
    for (int c = 0; c < square; ++c) dw[c] = a.dweights[r * square + c];
    for (int i = s.steps; i > 0; --i) {
      const int side = s.sides[i], m = s.square(i);
      const T* matrix = a.extra + s.matrices[i];
      for (int c = 0; c < m; ++c) du[c] = 0;
      for (int q = 0; q < m; ++q) {
        own[s.places[i] + m + q] = dw[q];
        for (int c = 0; c < m; ++c) du[c] += matrix[q * m + c] * dw[q];
      }
      // the first crop is of theta itself, below
      const int wide = i == 1 ? side : s.sides[i - 1], d = (wide - side) / 2;
      for (int c = 0; c < wide * wide; ++c) dw[c] = 0;
      for (int c = 0; c < m; ++c) dw[(c / side + d) * wide + c % side + d] = du[c];
    }
    const int side = s.sides[s.steps ? 1 : 0], d = (Rule::maximum - side) / 2;
    for (int c = 0; c < side * side; ++c)
      a.dtheta[at + long(c / side + d) * a.g.sh + c % side + d] += dw[c];
  }
};
/// Element e of all transforms that are used.
template <class Rule, class T> struct TransformGradient {
  op::derived_kernel_backward<Rule, T> a;
  ElasticSteps<Rule::count> s;
  const T* memory;
  RNX_HD void operator()(std::size_t e) const {
    int i = s.steps;
    while (long(e) < s.matrices[i]) --i;
    const Split at(e - s.matrices[i], s.square(i));
    const T* own = memory + s.places[i];
    T sum = a.dextra[e];
    for (std::size_t r = 0; r < kernel_count(a.g); ++r, own += s.memory)
      sum += own[s.square(i) + at.quotient] * own[at.remainder];
    a.dextra[e] = sum;
  }
};
template <class Rule, class T> struct body<op::derived_kernel_backward<Rule, T>> {
  template <class E> static void run(const E& on, const op::derived_kernel_backward<Rule, T>& a) {
    const auto s = elastic_steps<Rule>(a.g.kh);
    const std::size_t kernels = kernel_count(a.g);
    const Scratch<T, E> memory(on, kernels * s.memory);
    on.each(kernels, DerivedKernelBackward<Rule, T>{a, s, memory.data()});
    on.each(s.transforms, TransformGradient<Rule, T>{a, s, memory.data()});
  }
};

}  // namespace rnx::inline RNX_ABI::gpu
