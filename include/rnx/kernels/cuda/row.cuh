// Operations by row on CUDA: a thread for each row.
#pragma once

#include "rnx/kernels/cuda/execute.cuh"
#include "rnx/kernels/row.hpp"

namespace rnx::inline RNX_ABI::gpu {

template <class Operation>
  requires op::ByRow<Operation>
struct element<Operation> {
  Operation a;
  std::size_t count() const { return a.rows(); }
  RNX_HD void operator()(std::size_t n) const { row<Operation>{a}(n); }
};

}  // namespace rnx::inline RNX_ABI::gpu
