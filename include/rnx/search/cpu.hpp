// CPU kernels of searched networks: a few numbers per mask, in double, in one order.
#pragma once

#include "rnx/kernels/cpu/parallel.hpp"
#include "rnx/search/op.hpp"

namespace rnx::inline RNX_ISA {

template <class T> struct kernel<cpu, op::gumbel_mask<T>> {
  static void run(Stream, const op::gumbel_mask<T>& a) {
    const StepValues values = a.values ? *a.values : StepValues{};
    const rng::Stream random(values.seed, Purpose::gumbel, values.draw + a.draw, a.site);
    const int n = a.widths.n;
    double z[op::most_widths], largest = -1e300, sum = 0;
    for (int i = 0; i < n; ++i) {
      z[i] = (double(a.theta[i]) + random.gumbel(i)) / values.temperature;
      largest = z[i] > largest ? z[i] : largest;
    }
    for (int i = 0; i < n; ++i) {
      z[i] = std::exp(z[i] - largest);
      sum += z[i];
    }
    for (int i = 0; i < n; ++i) a.g[i] = T(z[i] / sum);
    for (int k = 0; k < a.c; ++k) {
      double factor = 0;
      for (int i = 0; i < n; ++i)
        if (k < a.widths.width[i]) factor += z[i];
      a.factors[k] = T(factor / sum);
    }
  }
};

template <class T> struct kernel<cpu, op::gumbel_mask_backward<T>> {
  static void run(Stream, const op::gumbel_mask_backward<T>& a) {
    const int n = a.widths.n;
    double dg[op::most_widths], mean = 0;
    for (int i = 0; i < n; ++i) {
      dg[i] = a.seed ? double(a.seed[i]) : 0;
      for (int s = 0; s < a.s.n; ++s)
        for (int k = 0; k < a.s.c && k < a.widths.width[i]; ++k)
          dg[i] += a.products[s * a.s.sample() + k];
      mean += a.g[i] * dg[i];
    }
    const double tau = a.values ? a.values->temperature : StepValues{}.temperature;
    for (int i = 0; i < n; ++i) a.dtheta[i] += T(a.g[i] * (dg[i] - mean) / tau);
  }
};

template <class T> struct kernel<cpu, op::effective_width<T>> {
  static void run(Stream, const op::effective_width<T>& a) {
    double width = 0;
    for (int i = 0; i < a.widths.n; ++i) width += double(a.g[i]) * a.widths.width[i];
    *a.width = width;
  }
};

template <class T> struct kernel<cpu, op::effective_cost<T>> {
  static void run(Stream, const op::effective_cost<T>& a) {
    double cost = 0, in = a.start;
    for (int b = 0; b < a.blocks; ++b) {
      const double expansion = a.terms[4 * b], expand = a.terms[4 * b + 1],
                   filter = a.terms[4 * b + 2], project = a.terms[4 * b + 3];
      const double out = a.width[b];
      cost += expansion * in * (expand * in + filter + project * out);
      if (b) a.dwidth[b - 1] += expansion * (2 * expand * in + filter + project * out);
      a.dwidth[b] = expansion * in * project;
      in = out;
    }
    *a.cost = cost;
  }
};

template <class T> struct kernel<cpu, op::effective_width_backward<T>> {
  static void run(Stream, const op::effective_width_backward<T>& a) {
    for (int i = 0; i < a.widths.n; ++i) a.seed[i] += T(a.weight * *a.dwidth * a.widths.width[i]);
  }
};

}  // namespace rnx::inline RNX_ISA
