// Room attack on the loopback device, beside rnx/kernels/loopback/definitions.hpp: for the same
// translation unit.
#pragma once

#include "rnx/kernels/loopback/definitions.hpp"
#include "rnx/attack/auto_pgd_row.hpp"
#include "rnx/attack/carlini_wagner_row.hpp"
#include "rnx/attack/cpu.hpp"
#include "rnx/attack/deep_fool_row.hpp"
#include "rnx/attack/fab_row.hpp"
#include "rnx/attack/square_row.hpp"
#include "rnx/attack/victim_row.hpp"
#include "rnx/kernels/cpu/row.hpp"

#define RNX_LOOPBACK_ATTACK                                                       \
  RNX_LOOPBACK_2_(attack_start, attack_step)                                      \
  RNX_LOOPBACK_4_(ball_start, misclassified, ranked_class, auto_pgd_step)         \
  RNX_LOOPBACK_4_(auto_pgd_track, auto_pgd_collect, square_start, square_propose) \
  RNX_LOOPBACK_2_(square_accept, combine_logits)                                  \
  RNX_LOOPBACK_2_(combine_logits_backward, keep_larger)                           \
  RNX_LOOPBACK_4_(fab_begin, fab_nearest, fab_step, fab_keep)                     \
  RNX_LOOPBACK_2_(clean_beyond, accumulate_direction)                             \
  RNX_LOOPBACK_4_(cw_begin, cw_restart, cw_image, cw_step)                        \
  RNX_LOOPBACK_2_(deep_fool_step, deep_fool_image)
