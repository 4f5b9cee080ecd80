// The sizes of a convolution as a value: a template argument of its bound layer.
#pragma once

#include "rnx/core/dims.hpp"

namespace rnx::inline RNX_ISA {

/// Sizes of one bound convolution, all maxima.
struct ConvShape {
  Dims in, out;
  int kh, kw, stride, pad, groups;
  bool bias, linear;
  constexpr bool depthwise() const { return groups > 1 && groups == in.c && out.c == in.c; }
  constexpr int in_group() const { return in.c / groups; }
  constexpr std::size_t weights() const { return std::size_t(out.c) * in_group() * kh * kw; }
};

}  // namespace rnx::inline RNX_ISA
