// Margins of one row of logits, in double.
#pragma once

#include "rnx/loss/margin_op.hpp"

namespace rnx::inline RNX_ISA {

template <class T> struct row<op::logit_margin<T>> {
  op::logit_margin<T> a;

  /// The classes of the `Count` largest logits, largest first; of equal ones the first class first.
  template <int Count> RNX_HD void largest(const T* z, int c, int (&order)[Count]) const {
    for (int k = 0; k < Count; ++k) {
      int best = -1;
      for (int j = 0; j < c; ++j) {
        bool taken = false;
        for (int i = 0; i < k; ++i) taken = taken || order[i] == j;
        if (!taken && (best < 0 || z[j] > z[best])) best = j;
      }
      order[k] = best;
    }
  }
  RNX_HD void operator()(std::size_t n) const {
    const int c = a.logits.c;
    const T* z = a.logits.data + n * a.logits.stride;
    const std::size_t sample = geometry::sample_of(a.samples, n);
    const std::int32_t label = a.labels[sample];
    int order[4] = {0, 0, 0, 0};
    largest(z, c, order);
    const std::int32_t other = a.targets           ? a.targets[sample]
                               : order[0] == label ? order[1]
                                                   : order[0];
    bool valid = label >= 0 && label < c && other >= 0 && other < c;
    for (int k = 0; k < c; ++k) valid = valid && z[k] - z[k] == 0;
    const double nan = __builtin_nan("");
    const double difference = valid ? double(z[other]) - double(z[label]) : nan;
    double scale = 1;
    if (a.scale == op::MarginScale::dlr)
      scale = z[order[0]] -
              (a.targets ? (double(z[order[2]]) + double(z[order[3]])) / 2 : z[order[2]]) + 1e-12;
    const double value = difference / scale;
    const bool cut = value > a.most;
    if (a.value) a.value[n] = T(cut ? a.most : value);
    if (!a.dz.data) return;
    T* dz = a.dz.data + n * a.dz.stride;
    const double by = cut ? 0 : a.weight / scale, by_scale = -value * by;
    for (int k = 0; k < c; ++k) {
      double g = valid ? by * ((k == other) - (k == label)) : nan;
      if (a.scale == op::MarginScale::dlr) {
        const double third = a.targets ? 0.5 * ((k == order[2]) + (k == order[3])) : k == order[2];
        g += by_scale * ((k == order[0]) - third);
      }
      dz[k] = a.add ? dz[k] + T(g) : T(g);
    }
  }
};

}  // namespace rnx::inline RNX_ISA
