// CPU kernels of activation maps: over the rows of padded maps, in parallel. Gradients of a map's
// parameters are summed in chunks of rows whose borders depend on sizes only: the same bits for
// every number of threads.
#pragma once

#include <algorithm>
#include <array>

#include "rnx/quant/cpu_lanes.hpp"
#include "rnx/quant/elements.hpp"

namespace rnx::inline RNX_ISA {

namespace quant_detail {
/// The element functions of an activation map over runs.
template <class A, class T> struct Elements : ElementFunctions<A, T> {
  using Functions = ElementFunctions<A, T>;
  using Functions::base, Functions::bases, Functions::most, Functions::p, Functions::slope,
      Functions::sum;

  Elements(const T* parameters, int told)
      : Functions(parameters, quant::bases_of<A>(told), quant::bits_of<A>(told),
                  int(quant::parameter_count<A>(0, quant::bases_of<A>(told)))) {}

  /// sum, and slope times dsum, of each of a run's elements. Where the bases are told, the loop
  /// over elements is the inner one: it becomes vectors.
  void sums(int length, const T* x, T* to) const {
    if constexpr (in_blocks) {
      each_block(length, [&](int first, int n, T* total) {
        for (int k = 0; k + 1 < bases; ++k) {
          RNX_SIMD
          for (int i = 0; i < n; ++i) total[i] += p[k] * base(x[first + i], k);
        }
        const int last = bases - 1;
        RNX_SIMD
        for (int i = 0; i < n; ++i) to[first + i] = total[i] + p[last] * base(x[first + i], last);
      });
    } else {
      RNX_SIMD
      for (int i = 0; i < length; ++i) to[i] = sum(x[i]);
    }
  }
  void slopes(int length, const T* x, const T* dsum, T* dx) const {
    if constexpr (in_blocks) {
      each_block(length, [&](int first, int n, T* total) {
        for (int k = 0; k + 1 < bases; ++k) {
          RNX_SIMD
          for (int i = 0; i < n; ++i) total[i] += p[k] * A::base_slope(x[first + i], p, k, bases);
        }
        const int last = bases - 1;
        RNX_SIMD
        for (int i = 0; i < n; ++i) {
          const T slope = total[i] + p[last] * A::base_slope(x[first + i], p, last, bases);
          dx[first + i] = slope * dsum[first + i];
        }
      });
    } else {
      RNX_SIMD
      for (int c = 0; c < length; ++c) dx[c] = slope(x[c]) * dsum[c];
    }
  }
  /// Adds the products with dsum to the sums of all parameters.
  void add_products(int length, const T* x, const T* dsum, host::Lanes* sums) const {
    if constexpr (in_blocks)
      for (int n = 0; n < bases; ++n) {
        sums[n].add_products(length, dsum, [&](int k) { return base(x[k], n); });
        sums[bases + n].add_products(length, dsum,
                                     [&](int k) { return A::base_slope(x[k], p, n, bases); });
      }
    else
      add_products(length, x, dsum, sums, std::make_integer_sequence<int, most>());
  }

 private:
  static constexpr bool in_blocks = quant::told<A> == quant::Told::bases;

  /// f(first, length, zeros) for blocks of a run.
  template <class F> static void each_block(int length, const F& f) {
    constexpr int block = 256;
    for (int first = 0; first < length; first += block) {
      const int n = std::min(block, length - first);
      T total[block];
      std::fill_n(total, n, T(0));
      f(first, n, total);
    }
  }
  template <int... j>
  void add_products([[maybe_unused]] int length, [[maybe_unused]] const T* x,
                    [[maybe_unused]] const T* dsum, [[maybe_unused]] host::Lanes* sums,
                    std::integer_sequence<int, j...>) const {
    (sums[j].add_products(length, dsum, [&](int k) { return this->parameter_slope(x[k], j); }),
     ...);
  }
};

/// A run of a padded row: `length` elements from `at` of the padded dense map, and from `from` of x
/// (inside) or none.
struct PaddedRun {
  std::size_t at, from;
  int length;
  bool inside;
};
/// f(run) for the runs of row `row` of n (h + 2 pad) rows.
template <class F> inline void padded_runs(const geometry::Map& x, int pad, long row, F f) {
  const int H = x.h + 2 * pad, W = x.w + 2 * pad, h = int(row % H) - pad;
  const std::size_t at = std::size_t(row) * W * x.c;
  if (h < 0 || h >= x.h) return f(PaddedRun{at, 0, W * x.c, false});
  const std::size_t from = (std::size_t(row / H) * x.h + h) * x.w * x.stride;
  if (pad > 0) f(PaddedRun{at, 0, pad * x.c, false});
  const std::size_t first = at + std::size_t(pad) * x.c;
  if (x.stride == x.c)
    f(PaddedRun{first, from, x.w * x.c, true});
  else
    for (int w = 0; w < x.w; ++w)
      f(PaddedRun{first + std::size_t(w) * x.c, from + std::size_t(w) * x.stride, x.c, true});
  if (pad > 0) f(PaddedRun{first + std::size_t(x.w) * x.c, 0, pad * x.c, false});
}
}  // namespace quant_detail

template <class A, class T> struct kernel<cpu, op::activation_bases<A, T>> {
  static constexpr bool known = quant_detail::known<A>;
  static void run(Stream, const op::activation_bases<A, T>& a) {
    if constexpr (known) compute(a);
  }

 private:
  static void compute(const op::activation_bases<A, T>& a) {
    const quant_detail::Elements<A, T> e(a.parameters, a.told);
    const long rows = long(a.x.n) * (a.x.h + 2 * a.pad);
    const std::size_t count = std::size_t(rows) * (a.x.w + 2 * a.pad) * a.x.c;
    const T outside = e.padded_sum();
    host::parallel_for(
        rows,
        [&](long row) {
          quant_detail::padded_runs(a.x, a.pad, row, [&](const quant_detail::PaddedRun& r) {
            const T* x = a.x.data + r.from;
            if (a.bases)
              for (int n = 0; n < e.bases; ++n) bases(e, n, r, x, a.bases + n * count + r.at);
            if (a.sum && r.inside)
              e.sums(r.length, x, a.sum + r.at);
            else if (a.sum)
              std::fill_n(a.sum + r.at, r.length, outside);
          });
        },
        double(count) * e.bases);
  }
  static void bases(const quant_detail::Elements<A, T>& e, int n, const quant_detail::PaddedRun& r,
                    const T* x, T* to) {
    if (!r.inside) {
      std::fill_n(to, r.length, T(A::pad_value));
      return;
    }
    RNX_SIMD
    for (int i = 0; i < r.length; ++i) to[i] = e.base(x[i], n);
  }
};
template <class A, class T> struct kernel<cpu, op::activation_bases_backward<A, T>> {
  static constexpr bool known = quant_detail::known<A>;
  static void run(Stream, const op::activation_bases_backward<A, T>& a) {
    if constexpr (known) {
      const Elements e(a.parameters, a.told);
      if (a.dx.data) input(a, e);
      if constexpr (Elements::most > 0)
        if (a.dparameters) parameters(a, e);
    }
  }

 private:
  using Elements = quant_detail::Elements<A, T>;

  static void input(const op::activation_bases_backward<A, T>& a, const Elements& e) {
    const int H = a.x.h + 2 * a.pad, W = a.x.w + 2 * a.pad;
    host::parallel_for(
        long(a.x.n) * a.x.h,
        [&](long row) {
          const long n = row / a.x.h, h = row % a.x.h;
          const T* x = a.x.data + std::size_t(row) * a.x.w * a.x.stride;
          const T* dsum = a.dsum + ((std::size_t(n) * H + h + a.pad) * W + a.pad) * a.x.c;
          T* dx = a.dx.data + (std::size_t(n) * a.dx.h + h) * a.dx.w * a.dx.stride;
          if (a.x.stride == a.x.c && a.dx.stride == a.x.c)
            return e.slopes(a.x.w * a.x.c, x, dsum, dx);
          for (int w = 0; w < a.x.w; ++w, x += a.x.stride, dsum += a.x.c, dx += a.dx.stride)
            e.slopes(a.x.c, x, dsum, dx);
        },
        double(a.x.rows()) * a.x.c * e.bases);
  }

  /// Adds what a run gives to the sums of all parameters.
  static void add(const op::activation_bases_backward<A, T>& a, const Elements& e,
                  const quant_detail::PaddedRun& r, host::Lanes* sums) {
    const T* dsum = a.dsum + r.at;
    if (r.inside) return e.add_products(r.length, a.x.data + r.from, dsum, sums);
    for (int j = 0; j < e.count; ++j)
      if (const double slope = e.padded_slope(j); slope != 0)
        sums[j].add(r.length, [&](int k) { return slope * double(dsum[k]); });
  }
  static void parameters(const op::activation_bases_backward<A, T>& a, const Elements& e) {
    constexpr int count = std::max(Elements::most, 1);
    constexpr long most = 256;
    const long rows = long(a.x.n) * (a.x.h + 2 * a.pad), chunks = std::min(rows, most);
    double parts[most][count];
    host::parallel_for(
        chunks,
        [&](long i) {
          host::Lanes sums[count];
          for (long row = host::chunk_begin(rows, chunks, i);
               row < host::chunk_begin(rows, chunks, i + 1); ++row)
            quant_detail::padded_runs(
                a.x, a.pad, row, [&](const quant_detail::PaddedRun& r) { add(a, e, r, sums); });
          for (int j = 0; j < count; ++j) parts[i][j] = sums[j].total();
        },
        double(a.x.rows()) * a.x.c * e.bases);
    for (int k = 0; k < e.count; ++k) {
      double sum = 0;
      for (long i = 0; i < chunks; ++i) sum += parts[i][k];
      a.dparameters[k] += T(sum * e.factor(k, double(a.x.h) * a.x.w * a.x.c));
    }
  }
};

}  // namespace rnx::inline RNX_ISA
