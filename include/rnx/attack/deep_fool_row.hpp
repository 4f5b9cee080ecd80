// DeepFool on one row, computed in double.
#pragma once

#include "rnx/attack/deep_fool_op.hpp"
#include "rnx/attack/fab_row.hpp"

namespace rnx::inline RNX_ISA {

template <class T> struct row<op::deep_fool_step<T>> {
  op::deep_fool_step<T> a;

  RNX_HD void operator()(std::size_t n) const {
    const std::size_t count = op::features(a.plane);
    const T* g = a.plane.data + n * count;
    T* total = a.total.data + geometry::sample_of(a.packed, n) * count;
    const double by = a.state[n * op::fab_columns + op::fab_distance] + 1e-4;
    const double length =
        rows::norm(rows::dual(a.norm), count, [&](std::size_t i) { return double(g[i]); });
    for (std::size_t i = 0; i < count; ++i)
      total[i] = T(total[i] + by * (a.norm == op::Norm::linf ? op::direction(double(g[i]))
                                                             : g[i] / (length + 1e-12)));
  }
};

template <class T> struct row<op::deep_fool_image<T>> {
  op::deep_fool_image<T> a;

  RNX_HD void operator()(std::size_t n) const {
    const std::size_t count = op::features(a.x), at = geometry::sample_of(a.packed, n) * count;
    const T* clean = a.clean.data + at;
    const T* total = a.total.data + at;
    T* x = a.x.data + n * count;
    for (std::size_t i = 0; i < count; ++i)
      x[i] = T(rows::within(clean[i] + (1 + a.overshoot) * total[i], 0, 1));
  }
};

}  // namespace rnx::inline RNX_ISA
