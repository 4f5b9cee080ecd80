// Operations of room search on a device against the CPU's.
#pragma once

#include "ops.hpp"

#include "rnx/search/cpu.hpp"
#include "rnx/search/elastic_kernel.hpp"

namespace test {

template <class Device, class T> struct SearchOps : Ops<Device, T> {
  using Base = Ops<Device, T>;
  using Base::check, Base::values;
  using Rule = rnx::search::ElasticKernel<7, 5, 3>;

  static void masks(bool undefined) {
    const op::Widths widths{.n = 3, .width = {9, 6, 2}};
    const geometry::Map rows{4, 1, 1, 9, 11};
    std::vector<T> theta = numbers<T>(3, 1), products = Field<T>(rows, 2).v;
    if (undefined) theta[1] = std::numeric_limits<T>::quiet_NaN();
    for (const bool given : {false, true}) {
      Arrays m;
      const rnx::StepValues* v = given ? m.add(values()) : nullptr;
      T *pt = m.add(theta), *g = m.add(numbers<T>(3, 3)), *seed = m.add(numbers<T>(3, 4));
      check("gumbel_mask", m,
            op::gumbel_mask<T>{.widths = widths,
                               .c = 9,
                               .draw = 4,
                               .site = 2,
                               .values = v,
                               .theta = pt,
                               .g = g,
                               .factors = m.add(std::vector<T>(9))});
      check("gumbel_mask_backward", m,
            op::gumbel_mask_backward<T>{.widths = widths,
                                        .s = rows,
                                        .values = v,
                                        .products = m.add(products),
                                        .seed = given ? seed : nullptr,
                                        .g = g,
                                        .dtheta = pt});
    }
  }
  static void costs() {
    const op::Widths widths{.n = 3, .width = {9, 6, 2}};
    Arrays m;
    double *width = m.add(numbers<double>(5, 1)), *cost = m.add(std::vector<double>(1)),
           *dwidth = m.add(numbers<double>(5, 2)), *terms = m.add(numbers<double>(20, 3));
    T *g = m.add(numbers<T>(3, 4)), *seed = m.add(numbers<T>(3, 5));
    check("effective_width", m,
          op::effective_width<T>{.widths = widths, .g = g, .width = width + 2});
    check("effective_cost", m,
          op::effective_cost<T>{.blocks = 5,
                                .start = 3,
                                .terms = terms,
                                .width = width,
                                .cost = cost,
                                .dwidth = dwidth});
    check("effective_width_backward", m,
          op::effective_width_backward<T>{
              .widths = widths, .weight = 0.3, .dwidth = dwidth + 1, .seed = seed});
  }

  /// The active corner of weights with room for one more input and output channel.
  static void elastic_kernels(int k, int groups) {
    constexpr int o = 3, i = 2, square = 49, transforms = 25 * 25 + 9 * 9;
    const geometry::Weights g{groups,           o,      i, k, k,
                              (i + 1) * square, square, 7, 1, long(o + 1) * (i + 1) * square};
    const std::size_t all = std::size_t(groups) * (o + 1) * (i + 1) * square;
    Arrays m;
    T *theta = m.add(numbers<T>(all, 1)), *extra = m.add(numbers<T>(transforms, 2)),
      *weights = m.add(numbers<T>(g.count(), 3));
    check("derived_kernel", m,
          op::derived_kernel<Rule, T>{.g = g, .theta = theta, .extra = extra, .weights = weights});
    check("derived_kernel_backward", m,
          op::derived_kernel_backward<Rule, T>{.g = g,
                                               .theta = theta,
                                               .extra = extra,
                                               .dweights = weights,
                                               .dtheta = m.add(numbers<T>(all, 4)),
                                               .dextra = m.add(numbers<T>(transforms, 5))});
  }

  static void all() {
    masks(false);
    masks(true);
    costs();
    for (const int k : {7, 5, 3}) {
      elastic_kernels(k, 1);
      elastic_kernels(k, 4);
    }
  }
};

}  // namespace test
