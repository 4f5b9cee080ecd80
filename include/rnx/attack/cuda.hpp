// Starts and steps of first-order attacks, on CUDA.
#pragma once

#include "rnx/attack/op.hpp"
#include "rnx/attack/auto_pgd_op.hpp"
#include "rnx/attack/carlini_wagner_op.hpp"
#include "rnx/attack/deep_fool_op.hpp"
#include "rnx/attack/fab_op.hpp"
#include "rnx/attack/square_op.hpp"
#include "rnx/attack/victim_op.hpp"
#include "rnx/kernels/cuda/declare.hpp"

#define RNX_CUDA_ATTACK(f)                                                                        \
  f(attack_start) f(attack_step) f(ball_start) f(misclassified) f(ranked_class) f(auto_pgd_step)  \
      f(auto_pgd_track) f(auto_pgd_collect) f(square_start) f(square_propose) f(square_accept)    \
          f(combine_logits) f(combine_logits_backward) f(keep_larger) f(fab_begin) f(fab_nearest) \
              f(fab_step) f(fab_keep) f(clean_beyond) f(accumulate_direction) f(cw_begin)         \
                  f(cw_restart) f(cw_image) f(cw_step) f(deep_fool_step) f(deep_fool_image)

namespace rnx::inline RNX_ABI {
RNX_CUDA_ATTACK(RNX_CUDA_DECLARE)
}  // namespace rnx::inline RNX_ABI
