// Operations by row: a task for each row.
#pragma once

#include "rnx/kernels/cpu/parallel.hpp"
#include "rnx/kernels/row.hpp"

namespace rnx::inline RNX_ISA {

template <class Operation>
  requires op::ByRow<Operation>
struct kernel<cpu, Operation> {
  static void run(Stream, const Operation& a) {
    const row<Operation> one{a};
    host::parallel_for(
        long(a.rows()), [&](long n) { one(std::size_t(n)); }, double(a.rows()) * a.work());
  }
};

}  // namespace rnx::inline RNX_ISA
