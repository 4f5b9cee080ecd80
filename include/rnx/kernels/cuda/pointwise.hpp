// Elementwise operations, on CUDA. Functors of the library: rnx/cuda.cuh lists them; your own:
// kernels/cuda/pointwise.cuh.
#pragma once

#include "rnx/kernels/cuda/declare.hpp"
#include "rnx/kernels/op/pointwise.hpp"

#define RNX_CUDA_POINTWISE(f) \
  f(masked_relu_forward) f(masked_relu_backward) f(affine_channels) f(dropout)

namespace rnx::inline RNX_ABI {
RNX_CUDA_POINTWISE(RNX_CUDA_DECLARE)

template <class F, class T> struct launch<cuda, op::pointwise_forward<F, T>> {
  static void run(Stream, const op::pointwise_forward<F, T>&);
};
template <class F, class T> struct launch<cuda, op::pointwise_backward<F, T>> {
  static void run(Stream, const op::pointwise_backward<F, T>&);
};
}  // namespace rnx::inline RNX_ABI
