// Operations on attention maps, tutors and the rows of a batch, on CUDA.
#pragma once

#include "rnx/distill/op.hpp"
#include "rnx/kernels/cuda/declare.hpp"

#define RNX_CUDA_DISTILL(f)                                                                       \
  f(resize_map) f(resize_map_backward) f(normalize_rows) f(normalize_rows_backward) f(tutor_draw) \
      f(tutor_draw_backward) f(tutor_distance) f(tutor_value) f(tutor_maps_backward)              \
          f(tutor_weights_backward) f(row_relations) f(put_rows) f(remember_rows) f(row_contrast)

namespace rnx::inline RNX_ABI {
RNX_CUDA_DISTILL(RNX_CUDA_DECLARE)
}  // namespace rnx::inline RNX_ABI
