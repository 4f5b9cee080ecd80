// Room search on the loopback device, beside rnx/kernels/loopback/definitions.hpp: for the same
// translation unit.
//
//   RNX_LOOPBACK_SEARCH                                                  masks and their cost
//   RNX_LOOPBACK_KERNEL_RULE(rnx::search::ElasticKernel<7, 5, 3>)        one for each kernel rule
//   that is used
#pragma once

#include "rnx/kernels/loopback/definitions.hpp"
#include "rnx/search/cpu.hpp"
#include "rnx/search/elastic_kernel.hpp"

#define RNX_LOOPBACK_SEARCH                                                           \
  RNX_LOOPBACK_4_(gumbel_mask, gumbel_mask_backward, effective_width, effective_cost) \
  RNX_LOOPBACK_1_(effective_width_backward)
#define RNX_LOOPBACK_KERNEL_RULE(...)             \
  RNX_LOOPBACK_OVER_(derived_kernel, __VA_ARGS__) \
  RNX_LOOPBACK_OVER_(derived_kernel_backward, __VA_ARGS__)
