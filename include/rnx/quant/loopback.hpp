// The maps on the loopback device, beside rnx/kernels/loopback/definitions.hpp: for the same
// translation unit.
//
//   RNX_LOOPBACK_QUANT                                       what every map needs
//   RNX_LOOPBACK_WEIGHT_MAP(rnx::quant::MultiBit<3>)         one for each map that is used
//   RNX_LOOPBACK_ACTIVATION_MAP(rnx::quant::SignActivation)
//   RNX_LOOPBACK_BINARIZE(rnx::quant::SignActivation)        one for each of signs
#pragma once

#include "rnx/kernels/loopback/definitions.hpp"
#include "rnx/quant.hpp"

#define RNX_LOOPBACK_QUANT RNX_LOOPBACK_1_(base_products)
#define RNX_LOOPBACK_WEIGHT_MAP(...)            \
  RNX_LOOPBACK_OVER_(weight_bases, __VA_ARGS__) \
  RNX_LOOPBACK_OVER_(weight_bases_backward, __VA_ARGS__)
#define RNX_LOOPBACK_BINARIZE(...) RNX_LOOPBACK_OVER_(binarize, __VA_ARGS__)
#define RNX_LOOPBACK_ACTIVATION_MAP(...)            \
  RNX_LOOPBACK_OVER_(activation_bases, __VA_ARGS__) \
  RNX_LOOPBACK_OVER_(activation_bases_backward, __VA_ARGS__)
