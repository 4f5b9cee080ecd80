// Definitions of the loopback device's kernels: for exactly one translation unit, compiled with any
// flags.
//
//   #include <rnx/kernels/loopback/definitions.hpp>
//   RNX_LOOPBACK_KERNELS                      at namespace scope, outside every namespace
//   RNX_LOOPBACK_POINTWISE(rnx::functor::Relu)      one for each elementwise functor that is used
#pragma once

#include <functional>

#include "rnx/kernels/cpu.hpp"
#include "rnx/kernels/loopback.hpp"
#include "rnx/kernels/op.hpp"

namespace rnx::inline RNX_ABI {

template <class Operation>
void launch<loopback, Operation>::run(Stream stream, const Operation& tagged) {
  auto args = tagged;
  std::apply([](auto*&... pointer) { ((pointer = memory<loopback>::tagged(pointer)), ...); },
             args.pointers());
  const auto now = [args] { kernel<cpu, Operation>::run({}, args); };
  if (stream.handle)
    static_cast<Recording*>(stream.handle)->add(now);
  else
    now();
}

}  // namespace rnx::inline RNX_ABI

#define RNX_LOOPBACK_1_(a)                                       \
  template struct rnx::launch<rnx::loopback, rnx::op::a<float>>; \
  template struct rnx::launch<rnx::loopback, rnx::op::a<double>>;
#define RNX_LOOPBACK_2_(a, b) RNX_LOOPBACK_1_(a) RNX_LOOPBACK_1_(b)
#define RNX_LOOPBACK_4_(a, b, c, d) RNX_LOOPBACK_2_(a, b) RNX_LOOPBACK_2_(c, d)
/// An operation over a policy: op::operation<policy, T>.
#define RNX_LOOPBACK_OVER_(operation, ...)                                            \
  template struct rnx::launch<rnx::loopback, rnx::op::operation<__VA_ARGS__, float>>; \
  template struct rnx::launch<rnx::loopback, rnx::op::operation<__VA_ARGS__, double>>;

/// Forward and backward of one elementwise functor.
#define RNX_LOOPBACK_POINTWISE(...)                  \
  RNX_LOOPBACK_OVER_(pointwise_forward, __VA_ARGS__) \
  RNX_LOOPBACK_OVER_(pointwise_backward, __VA_ARGS__)

/// Every operation of kernels/op/ that is no template.
#define RNX_LOOPBACK_KERNELS                                                                       \
  RNX_LOOPBACK_4_(pack_weights, unpack_gradient, pack_depthwise, unpack_depthwise_gradient)        \
  RNX_LOOPBACK_4_(conv2d_forward, conv2d_backward_input, conv2d_backward_weight, sum_bases)        \
  RNX_LOOPBACK_4_(depthwise_forward, depthwise_backward_input, depthwise_backward_weight,          \
                  bias_backward)                                                                   \
  RNX_LOOPBACK_4_(batch_norm_statistics, batch_norm_normalize, batch_norm_reduce,                  \
                  batch_norm_backward)                                                             \
  RNX_LOOPBACK_4_(batch_norm_update, dropout, affine_channels, masked_relu_forward)                \
  RNX_LOOPBACK_4_(masked_relu_backward, max_pool_forward, max_pool_backward, average_pool_forward) \
  RNX_LOOPBACK_4_(average_pool_backward, global_pool_forward, global_pool_backward, fill)          \
  RNX_LOOPBACK_4_(copy, accumulate, add, axpy)                                                     \
  RNX_LOOPBACK_4_(scale_channels, scale_channels_gate, pad_shortcut, pad_shortcut_backward)        \
  RNX_LOOPBACK_4_(attention_map, attention_map_backward, gather_rows, scatter_rows)                \
  RNX_LOOPBACK_4_(pack_binary, unpack_binary, binary_convolution, pack_mask)                       \
  RNX_LOOPBACK_1_(fused)
