// Operations of searched networks. A mask has n widths, the largest first; x (samples, h, w, c).
#pragma once

#include "rnx/kernels/kernel.hpp"

namespace rnx::inline RNX_ABI::op {

constexpr int most_widths = 16;
/// The widths of one mask, by value: arguments can be queued and recorded.
struct Widths {
  int n = 0, width[most_widths]{};
};

/// g = softmax((theta + noise) / tau), noise(i) standard Gumbel (Jang et al. 2017, eq. 2), keyed by
/// (seed, gumbel, draw, site); factors(k) = sum_i g_i 1[k < width_i] for k < c
template <class T> struct gumbel_mask {
  Widths widths;
  int c;
  std::uint64_t draw, site;
  const StepValues* values;
  const T* theta;
  T* g;
  T* factors;
  auto pointers() { return std::tie(values, theta, g, factors); }
};
/// dg_i = seed_i + sum over samples and k < width_i of products;  dtheta_j += g_j (dg_j - sum_i g_i
/// dg_i) / tau
/// products (samples, c): sums over pixels of dy x. seed null: zeros.
template <class T> struct gumbel_mask_backward {
  Widths widths;
  geometry::Map s;
  const StepValues* values;
  const T* products;
  const T* seed;
  const T* g;
  T* dtheta;
  auto pointers() { return std::tie(values, products, seed, g, dtheta); }
};
/// *width = sum_i g_i width_i
template <class T> struct effective_width {
  Widths widths;
  const T* g;
  double* width;
  auto pointers() { return std::tie(g, width); }
};
/// Blocks b with terms (blocks, 4): e, x, f, p, and c_b channels, c_-1 = start, mid_b = e_b
/// c_{b-1}:
/// *cost = sum_b mid_b (x_b c_{b-1} + f_b + p_b c_b);  dwidth(b) = its derivative with respect to
/// c_b, assigned
template <class T> struct effective_cost {
  int blocks;
  double start;
  const double* terms;
  const double* width;
  double* cost;
  double* dwidth;
  auto pointers() { return std::tie(terms, width, cost, dwidth); }
};
/// seed_i += weight *dwidth width_i
template <class T> struct effective_width_backward {
  Widths widths;
  double weight;
  const double* dwidth;
  T* seed;
  auto pointers() { return std::tie(dwidth, seed); }
};

}  // namespace rnx::inline RNX_ABI::op
