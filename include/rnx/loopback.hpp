// The loopback device's kernels, those of every room: for one translation unit of a program,
// compiled with any flags.
//
//   #include <rnx/loopback.hpp>
//   RNX_LOOPBACK_ALL                          at namespace scope, outside every namespace
// Maps and kernel rules that a program uses have lines of their own (quant/loopback.hpp,
// search/loopback.hpp).
#pragma once

#include "rnx/attack/loopback.hpp"
#include "rnx/distill/loopback.hpp"
#include "rnx/layers/activation.hpp"
#include "rnx/linearize/loopback.hpp"
#include "rnx/loss/loopback.hpp"
#include "rnx/optim/loopback.hpp"
#include "rnx/quant/loopback.hpp"
#include "rnx/search/loopback.hpp"
#include "rnx/train/loopback.hpp"

#define RNX_LOOPBACK_ALL                          \
  RNX_LOOPBACK_KERNELS                            \
  RNX_LOOPBACK_QUANT                              \
  RNX_LOOPBACK_LOSS                               \
  RNX_LOOPBACK_OPTIM                              \
  RNX_LOOPBACK_ATTACK                             \
  RNX_LOOPBACK_DISTILL                            \
  RNX_LOOPBACK_TRAIN                              \
  RNX_LOOPBACK_LINEARIZE                          \
  RNX_LOOPBACK_SEARCH                             \
  RNX_LOOPBACK_POINTWISE(rnx::functor::Relu)      \
  RNX_LOOPBACK_POINTWISE(rnx::functor::Relu6)     \
  RNX_LOOPBACK_POINTWISE(rnx::functor::HardSwish) \
  RNX_LOOPBACK_POINTWISE(rnx::functor::HardSigmoid)
