// Weight maps and activation maps: a tensor becomes K >= 1 bases with scales, and a gradient is
// pulled back through a declared surrogate.
//
// Both say
//   bases, bits        K, and the bits that cost counts
//   identity           true: the tensor is used as it is (one base, not scaled)
//   scaled             whether the bases have scales
//   parameters         an array of MapParameter: what they learn; without the member: nothing
//   valid              false: the parameters of the type are out of range
//   told               of Map<at_run_time> (told.hpp): the number of bases or of bits is the
//                      network's; operations have it as `told`
// A weight map W
//   scaled             true: the kernels of W get scales (K, o), which are applied; false: scales
//                      are 1 and the kernels get none
//   scales_per         Per::layer where one scale of each base serves all filters: what storing
//                      them costs (Per::channel where it is not said)
//   forward            op::weight_bases<W>:  theta (o, i, kh, kw) -> bases (K, o, i, kh, kw),
//                      scales (K, o) where `scaled`
//   backward           op::weight_bases_backward<W>: gradient of sum_k scale_k base_k -> gradients
//                      of theta (surrogate) and of the map's parameters, +=
// An activation map A
//   scaled             true: its first parameter is the betas, one of the layer for each base
//   pad_value          what a padded position of every base holds: stated, never an accidental zero
//   forward            op::activation_bases<A>: x -> bases (N, n, h + 2 pad, w + 2 pad, c dense)
//                      and their scaled sum; null: unwanted
//   backward           op::activation_bases_backward<A>: gradient of the sum (padded) -> dx
//                      assigned (null: unwanted), parameters += (null)
// sign(0) = +1 everywhere, and a NaN stays one in every base. The surrogate is part of the model:
// attacks depend on it.
#pragma once

#include <array>
#include <type_traits>

#include "rnx/kernels.hpp"
#include "rnx/quant/map_parameter.hpp"

namespace rnx::inline RNX_ABI {

namespace option {
struct weight_map {};
struct activation_map {};
}  // namespace option

namespace quant {

/// +1 or -1, sign(0) = +1; a NaN stays one.
template <class T> RNX_SHARED T sign(T v) {
  const T side = v < T(0) ? T(-1) : T(1);
  return v == v ? side : v;  // two selects: loops over it become vectors
}

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
  static constexpr int bases = 1, bits = 32;
  static constexpr bool identity = true, scaled = false;
  static constexpr bool valid = true;
};

}  // namespace quant

namespace op {

/// In the place of scales where a map says `scaled = false`: a kernel that writes some does not
/// compile.
struct NoScales {
  template <class I> double& operator[](I) const {
    static_assert(sizeof(I) == 0,
                  "rnx: a weight map that says `scaled = false` has no scales; with `scaled = "
                  "true` they are applied");
    static double none;
    return none;
  }
};
/// Scales (K, o) of a map's arguments; P: a pointer.
template <class Map, class P> using scales_of = std::conditional_t<Map::scaled, P, NoScales>;

/// filters: of the whole layer, the rows of each of the map's parameters that every filter has.
template <class W, class T> struct weight_bases {
  geometry::Weights g;
  const T* theta;
  T* bases;
  scales_of<W, T*> scales;
  const T* parameters = nullptr;
  int filters = 0;
  int told = 0;  ///< to a map that is told its bases or bits
  auto pointers() {
    if constexpr (W::scaled)
      return std::tie(theta, bases, scales, parameters);
    else
      return std::tie(theta, bases, parameters);
  }
};
template <class W, class T> struct weight_bases_backward {
  geometry::Weights g;
  const T* theta;
  const T* bases;
  scales_of<W, const T*> scales;
  const T* dsum;
  T* dtheta;
  const T* parameters = nullptr;
  T* dparameters = nullptr;
  int filters = 0;
  int told = 0;
  auto pointers() {
    if constexpr (W::scaled)
      return std::tie(theta, bases, scales, dsum, dtheta, parameters, dparameters);
    else
      return std::tie(theta, bases, dsum, dtheta, parameters, dparameters);
  }
};
/// channels: of the whole layer's input, the rows of each of the map's parameters that every
/// channel has.
template <class A, class T> struct activation_bases {
  Map<const T> x;
  const T* parameters;
  T* bases;
  T* sum;
  int pad;
  int channels = 0;
  int told = 0;
  auto pointers() { return std::tie(x.data, parameters, bases, sum); }
};
template <class A, class T> struct activation_bases_backward {
  Map<const T> x;
  Map<T> dx;
  const T* parameters;
  const T* dsum;
  T* dparameters;
  int pad;
  int channels = 0;
  int told = 0;
  auto pointers() { return std::tie(x.data, dx.data, parameters, dsum, dparameters); }
};
/// products (k, n, o) = scales (k, o) betas (n); null scales, null betas: 1. `products` is memory
/// of its own.
template <class T> struct base_products {
  int k, n, o;
  const T* scales;
  const T* betas;
  T* products;
  auto pointers() { return std::tie(scales, betas, products); }
};

}  // namespace op
}  // namespace rnx::inline RNX_ABI
