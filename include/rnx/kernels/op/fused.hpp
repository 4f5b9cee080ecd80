// A convolution (or values that lie in memory) and what follows it elementwise, in one pass over
// the output. Traces put these together while a network runs (layers/fusion.hpp); results are those
// of the single operations.
#pragma once

#include "rnx/kernels/op/binary.hpp"
#include "rnx/kernels/op/convolution.hpp"

namespace rnx::inline RNX_ABI::op {

/// What happens to each value v, in this order; a null pointer leaves its part out. Every map has
/// the sizes and the stride of the output.
///   forward     stored                                   raw
///               mean, var over samples and pixels        mean_out, var_out assigned (biased; from
///               sums of v and v^2 in double)
///               (v - mean) gamma / sqrt(var + eps) + beta    `normalize`; stored    normalized
///               + addend; stored   added;  0 where v <= 0 with `relu`, where `mask` has its bits
///               (op::pack_mask, at the output's stride; the samples share it; null: everywhere)
///   backward    0 where relu_output <= 0, `mask` likewise; stored    relu_gradient
///               sums(0, c) = sum of v, sums(1, c) = sum of v xhat    with x, mean, var; assigned
///               gamma / sqrt(var + eps) v                `scaled`
template <class T> struct Tail {
  T* raw = nullptr;
  T *mean_out = nullptr, *var_out = nullptr;
  const T *mean = nullptr, *var = nullptr, *gamma = nullptr, *beta = nullptr;
  T eps = 0;
  bool normalize = false, scaled = false, relu = false;
  T* normalized = nullptr;
  const T* addend = nullptr;
  T* added = nullptr;
  const T* relu_output = nullptr;
  const T* mask = nullptr;
  T* relu_gradient = nullptr;
  const T* x = nullptr;
  T* sums = nullptr;
  auto pointers() {
    return std::tie(raw, mean_out, var_out, mean, var, gamma, beta, normalized, addend, added,
                    relu_output, mask, relu_gradient, x, sums);
  }
};

enum class FusedSource { values, forward, backward_input, binary };

/// y = tail(v) with v = x itself (source values), the convolution of conv2d_forward or of
/// binary_convolution (`binary` in the place of x and w), or the input gradient of
/// conv2d_backward_input (x: dy, y: dx). `raw`, of a convolution alone: what `accumulate` adds to,
/// too. signs: of y, behind sources values and binary.
template <class T> struct fused {
  FusedSource source = FusedSource::values;
  Map<const T> x{};
  const T* w = nullptr;
  BinaryOperands binary{};
  const T* bias = nullptr;
  const T* scale = nullptr;
  bool accumulate = false;
  Map<T> y{};
  geometry::Filter filter{};
  Tail<T> tail{};
  Signs<T> signs{};
  auto pointers() {
    return std::tuple_cat(std::tie(x.data, w, binary.bits, binary.weights, bias, scale, y.data,
                                   signs.bits, signs.shifts),
                          tail.pointers());
  }
};

}  // namespace rnx::inline RNX_ABI::op
