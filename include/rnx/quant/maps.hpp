// Weight maps and activation maps: a tensor becomes K >= 1 bases with scales, and a gradient is pulled back through a declared surrogate.
//
// A weight map W
//   bases, bits        K, and the bits that cost counts
//   identity           true: theta is used as it is
//   extra(kh)          number of parameters of its own for kernels up to kh x kh (0 for most)
//   forward            op::weight_bases<W>:  theta (o, i, kh, kw) -> bases (K, o, i, kh, kw), scales (K, o)
//   backward           op::weight_bases_backward<W>: gradient of sum_k scale_k base_k -> gradient of theta (surrogate), +=
// An activation map A
//   bases, bits, identity, parameters (scales and shifts that are trained)
//                      (betas first when `scaled`, then shifts)
//   pad_value          what a padded position of every base holds: stated, never an accidental zero
//   forward            op::activation_bases<A>: x -> bases (N, n, h + 2 pad, w + 2 pad, c dense) and their scaled sum; null: unwanted
//   backward           op::activation_bases_backward<A>: gradient of the sum (padded) -> dx assigned (null: unwanted), parameters += (null)
// sign(0) = +1 everywhere, and a NaN stays one in every base. The surrogate is part of the model: attacks depend on it.
#pragma once

#include "rnx/kernels.hpp"

namespace rnx::inline RNX_ABI {

namespace option {
struct weight_map {};
struct activation_map {};
}  // namespace option

namespace quant {

/// +1 or -1, sign(0) = +1; a NaN stays one.
template <class T> RNX_SHARED T sign(T v) { return v < T(0) ? T(-1) : v >= T(0) ? T(1) : v; }

/// theta is the weight: one base, scale 1.
struct FullPrecision {
  using option = option::weight_map;
  static constexpr int bases = 1, bits = 32;
  static constexpr bool identity = true, scaled = false;
  static constexpr bool valid = true;
};
/// The activation is used as it is.
struct FullActivation {
  using option = option::activation_map;
  static constexpr int bases = 1, bits = 32, parameters = 0;
  static constexpr bool identity = true, scaled = false;
  static constexpr bool valid = true;
};

}  // namespace quant

namespace op {

template <class W>
struct weight_bases {
  template <class T> struct Args { geometry::Weights g; const T* theta; const T* extra; T* bases; T* scales; auto pointers() { return std::tie(theta, extra, bases, scales); } };
};
template <class W>
struct weight_bases_backward {
  template <class T> struct Args {
    geometry::Weights g;
    const T* theta; const T* extra; const T* bases; const T* scales; const T* dsum; T* dtheta; T* dextra;
    auto pointers() { return std::tie(theta, extra, bases, scales, dsum, dtheta, dextra); }
  };
};
template <class A>
struct activation_bases {
  template <class T> struct Args { geometry::Map x; int pad; const T* px; const T* parameters; T* bases; T* sum; auto pointers() { return std::tie(px, parameters, bases, sum); } };
};
template <class A>
struct activation_bases_backward {
  template <class T> struct Args {
    geometry::Map x, dxg; int pad;
    const T* px; const T* parameters; const T* dsum; T* dx; T* dparameters;
    auto pointers() { return std::tie(px, parameters, dsum, dx, dparameters); }
  };
};
/// products (k, n, o) = scales (k, o) betas (n); betas null: 1
struct base_products {
  template <class T> struct Args { int k, n, o; const T* scales; const T* betas; T* products; auto pointers() { return std::tie(scales, betas, products); } };
};

}  // namespace op
}  // namespace rnx::inline RNX_ABI
