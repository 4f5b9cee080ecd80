// Operations that move and add memory, on CUDA.
#pragma once

#include "rnx/kernels/cuda/declare.hpp"
#include "rnx/kernels/op/memory.hpp"

#define RNX_CUDA_MEMORY(f)                                                                \
  f(fill) f(copy) f(accumulate) f(add) f(axpy) f(scale_channels) f(scale_channels_gate)   \
      f(pad_shortcut) f(pad_shortcut_backward) f(attention_map) f(attention_map_backward) \
          f(gather_rows) f(scatter_rows)

namespace rnx::inline RNX_ABI {
RNX_CUDA_MEMORY(RNX_CUDA_DECLARE)
}  // namespace rnx::inline RNX_ABI
