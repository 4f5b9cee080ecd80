// CPU kernels of activation maps: over the rows of padded maps, in parallel. Gradients of a map's
// parameters are summed in chunks of rows whose borders depend on sizes only: the same bits for
// every number of threads.
#pragma once

#include <algorithm>
#include <array>

#include "rnx/quant/cpu_lanes.hpp"
#include "rnx/quant/multi_bit.hpp"

namespace rnx::inline RNX_ISA {

namespace quant_detail {
template <class A> constexpr bool has_bases = requires(float x, const float* p) {
  A::base(x, p, 0);
};
/// Maps that the kernels here know; others have kernels of their own.
template <class A>
constexpr bool known = std::is_base_of_v<quant::Elementwise, A> && (!A::scaled || has_bases<A>);

/// The element functions of an activation map, with its parameters (of the layer) at hand.
template <class A, class T> struct Elements {
  static constexpr int count = int(quant::parameter_count<A>(0));
  T p[count > 0 ? count : 1] = {};

  explicit Elements(const T* parameters) {
    if (count > 0) std::copy_n(parameters, count, p);
  }
  T base(T x, int n) const {
    if constexpr (has_bases<A>)
      return A::base(x, p, n);
    else if constexpr (count > 0)
      return A::value(x, p);
    else
      return A::value(x);
  }
  T sum(T x) const {
    T total = 0;
    for (int n = 0; n < A::bases; ++n) total += A::scaled ? p[n] * base(x, n) : base(x, n);
    return total;
  }
  T padded_sum() const {
    T total = 0;
    for (int n = 0; n < A::bases; ++n)
      total += A::scaled ? p[n] * T(A::pad_value) : T(A::pad_value);
    return total;
  }
  /// Of the sum.
  T slope(T x) const {
    if constexpr (has_bases<A>) {
      T total = 0;
      for (int n = 0; n < A::bases; ++n) total += p[n] * A::base_slope(x, p, n);
      return total;
    } else if constexpr (count > 0)
      return A::slope(x, p);
    else
      return A::slope(x);
  }
  /// What stands in the place of the derivative of the sum in parameter j, up to factor(j).
  template <int j> T parameter_slope(T x) const {
    if constexpr (has_bases<A> && j < A::bases)
      return A::base(x, p, j);
    else if constexpr (has_bases<A>)
      return A::base_slope(x, p, j - A::bases);
    else if constexpr (count > 0)
      return A::parameter_slope(x, p, j);
    else
      return T(0);
  }
  /// The same at a padded position, where bases are constant.
  T padded_slope(int j) const { return A::scaled && j < A::bases ? T(A::pad_value) : T(0); }
  /// What stands before the sums: of shifts their beta.
  T factor(int j) const { return has_bases<A> && j >= A::bases ? p[j - A::bases] : T(1); }
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
    const quant_detail::Elements<A, T> e(a.parameters);
    const long rows = long(a.x.n) * (a.x.h + 2 * a.pad);
    const std::size_t count = std::size_t(rows) * (a.x.w + 2 * a.pad) * a.x.c;
    const T outside = e.padded_sum();
    host::parallel_for(
        rows,
        [&](long row) {
          quant_detail::padded_runs(a.x, a.pad, row, [&](const quant_detail::PaddedRun& r) {
            const T* x = a.x.data + r.from;
            if (a.bases)
              for (int n = 0; n < A::bases; ++n) bases(e, n, r, x, a.bases + n * count + r.at);
            if (a.sum && r.inside)
              sums(e, r.length, x, a.sum + r.at);
            else if (a.sum)
              std::fill_n(a.sum + r.at, r.length, outside);
          });
        },
        double(count) * A::bases);
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
  static void sums(const quant_detail::Elements<A, T>& e, int length, const T* x, T* to) {
    RNX_SIMD
    for (int i = 0; i < length; ++i) to[i] = e.sum(x[i]);
  }
};
template <class A, class T> struct kernel<cpu, op::activation_bases_backward<A, T>> {
  static constexpr bool known = quant_detail::known<A>;
  static void run(Stream, const op::activation_bases_backward<A, T>& a) {
    if constexpr (known) {
      const quant_detail::Elements<A, T> e(a.parameters);
      if (a.dx.data) input(a, e);
      if constexpr (Elements::count > 0)
        if (a.dparameters) parameters(a, e, std::make_integer_sequence<int, Elements::count>());
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
          for (int w = 0; w < a.x.w; ++w, x += a.x.stride, dsum += a.x.c, dx += a.dx.stride) {
            RNX_SIMD
            for (int c = 0; c < a.x.c; ++c) dx[c] = e.slope(x[c]) * dsum[c];
          }
        },
        double(a.x.rows()) * a.x.c * A::bases);
  }

  /// Adds what a run gives to the sums of parameter j.
  template <int j>
  static void add(const op::activation_bases_backward<A, T>& a, const Elements& e,
                  const quant_detail::PaddedRun& r, host::Lanes& sums) {
    const T *x = a.x.data + r.from, *dsum = a.dsum + r.at;
    if (r.inside)
      sums.add_products(r.length, dsum, [&](int k) { return e.template parameter_slope<j>(x[k]); });
    else if (const double slope = e.padded_slope(j); slope != 0)
      sums.add(r.length, [&](int k) { return slope * double(dsum[k]); });
  }
  template <int... j>
  static void parameters(const op::activation_bases_backward<A, T>& a, const Elements& e,
                         std::integer_sequence<int, j...>) {
    constexpr int count = Elements::count;
    constexpr long most = 256;
    const long rows = long(a.x.n) * (a.x.h + 2 * a.pad), chunks = std::min(rows, most);
    double parts[most][count];
    host::parallel_for(
        chunks,
        [&](long i) {
          host::Lanes sums[count];
          for (long row = host::chunk_begin(rows, chunks, i);
               row < host::chunk_begin(rows, chunks, i + 1); ++row)
            quant_detail::padded_runs(a.x, a.pad, row, [&](const quant_detail::PaddedRun& r) {
              (add<j>(a, e, r, sums[j]), ...);
            });
          ((parts[i][j] = sums[j].total()), ...);
        },
        double(a.x.rows()) * a.x.c * A::bases);
    for (int k = 0; k < count; ++k) {
      double sum = 0;
      for (long i = 0; i < chunks; ++i) sum += parts[i][k];
      a.dparameters[k] += T(sum * e.factor(k));
    }
  }
};

}  // namespace rnx::inline RNX_ISA
