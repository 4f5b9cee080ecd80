// The only bridge to Eigen: dense views as Eigen maps, nothing copied.
#pragma once

#include <Eigen/Core>

#include "rnx/tensor/tensor.hpp"

namespace rnx::inline RNX_ISA {

/// Rows are pixels of all samples (n h w), columns are channels. Errors: ShapeError unless the view
/// is dense.
template <class T> auto as_matrix(View<T, cpu> v) {
  using Matrix =
      Eigen::Matrix<std::remove_const_t<T>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  require<ShapeError>(v.dense(), "as_matrix: the view must be dense");
  return Eigen::Map<std::conditional_t<std::is_const_v<T>, const Matrix, Matrix>>(
      v.data, Eigen::Index(v.n) * v.dims.pixels(), v.dims.c);
}

}  // namespace rnx::inline RNX_ISA
