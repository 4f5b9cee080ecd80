// Operations on rows that do not know of each other, with one source for every device: an operation
// that says `static constexpr bool by_row = true` and has rows() is run row by row, each by one
// thread, through row<Operation>. Sums run in the order of a row's elements, so that devices differ
// only in their mathematical functions.
#pragma once

#include "rnx/kernels/kernel.hpp"

namespace rnx::inline RNX_ABI::op {

template <class Operation>
concept ByRow = requires(const Operation& a) {
  requires Operation::by_row;
  a.rows();
};

}  // namespace rnx::inline RNX_ABI::op

namespace rnx::inline RNX_ISA {

/// What one row does: Operation a;  void operator()(std::size_t n) const.
template <class Operation> struct row;

}  // namespace rnx::inline RNX_ISA
