// The only bridge to xtensor: batches as xtensor adaptors (the user's view), nothing copied.
#pragma once

#include <array>
#include <xtensor/xadapt.hpp>

#include "rnx/tensor/tensor.hpp"

namespace rnx::inline RNX_ISA {

/// (n, h, w, c) over the view's memory. Errors: ShapeError unless the view is dense.
template <class T> auto as_xtensor(View<T, cpu> v) {
  require<ShapeError>(v.dense(), "as_xtensor: the view must be dense");
  const std::array<std::size_t, 4> shape{std::size_t(v.n), std::size_t(v.dims.h),
                                         std::size_t(v.dims.w), std::size_t(v.dims.c)};
  return xt::adapt(v.data, v.count(), xt::no_ownership(), shape);
}

}  // namespace rnx::inline RNX_ISA
