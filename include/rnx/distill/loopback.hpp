// Room distill on the loopback device, beside rnx/kernels/loopback/definitions.hpp: for the same
// translation unit.
#pragma once

#include "rnx/distill/cpu_batch.hpp"
#include "rnx/distill/cpu_tutor.hpp"
#include "rnx/kernels/loopback/definitions.hpp"

#define RNX_LOOPBACK_DISTILL                                                                \
  RNX_LOOPBACK_4_(resize_map, resize_map_backward, normalize_rows, normalize_rows_backward) \
  RNX_LOOPBACK_4_(tutor_draw, tutor_draw_backward, tutor_distance, tutor_value)             \
  RNX_LOOPBACK_4_(row_relations, put_rows, remember_rows, row_contrast)                     \
  RNX_LOOPBACK_2_(tutor_maps_backward, tutor_weights_backward)
