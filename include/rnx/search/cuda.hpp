// Operations of searched networks, on CUDA. Kernel rules: rnx/cuda.cuh lists the library's; others:
// search/cuda.cuh.
#pragma once

#include "rnx/kernels/cuda/declare.hpp"
#include "rnx/search/elastic_rule.hpp"
#include "rnx/search/op.hpp"

#define RNX_CUDA_SEARCH(f)                                                    \
  f(gumbel_mask) f(gumbel_mask_backward) f(effective_width) f(effective_cost) \
      f(effective_width_backward)

namespace rnx::inline RNX_ABI {
RNX_CUDA_SEARCH(RNX_CUDA_DECLARE)

template <class Rule, class T> struct launch<cuda, op::derived_kernel<Rule, T>> {
  static void run(Stream, const op::derived_kernel<Rule, T>&);
};
template <class Rule, class T> struct launch<cuda, op::derived_kernel_backward<Rule, T>> {
  static void run(Stream, const op::derived_kernel_backward<Rule, T>&);
};
}  // namespace rnx::inline RNX_ABI
