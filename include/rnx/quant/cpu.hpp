// CPU kernels of the maps. Reductions over a tensor run in one fixed order: the same bits for every
// number of threads.
#pragma once

#include <cmath>

#include "rnx/quant/multi_bit.hpp"
#include "rnx/quant/ste.hpp"

namespace rnx::inline RNX_ISA {

namespace host {
/// f(dense index, theta offset) for each weight of the active corner, in the order (group, o, i,
/// kh, kw): what the CPU kernels of a weight map walk over.
template <class F> inline void each_weight(const geometry::Weights& g, F f) {
  std::size_t k = 0;
  for (int q = 0; q < g.groups; ++q)
    for (int o = 0; o < g.o; ++o)
      for (int i = 0; i < g.i; ++i)
        for (int y = 0; y < g.kh; ++y)
          for (int x = 0; x < g.kw; ++x)
            f(k++, std::size_t(q * g.sg + o * g.so + i * g.si + y * g.sh + x * g.sw));
}
}  // namespace host

namespace quant_detail {
/// Solves the normal equations A a = b (A: m x m, symmetric) by Cholesky. A base that the earlier
/// ones span gets scale 0.
template <int M> inline void solve(double (&A)[M][M], double (&b)[M]) {
  bool spanned[M] = {};
  for (int j = 0; j < M; ++j) {
    const double diagonal = A[j][j];
    for (int k = 0; k < j; ++k) A[j][j] -= A[j][k] * A[j][k];
    spanned[j] = A[j][j] <= 1e-12 * diagonal;
    A[j][j] = spanned[j] ? 1 : std::sqrt(A[j][j]);
    for (int i = j + 1; i < M; ++i) {
      for (int k = 0; k < j; ++k) A[i][j] -= A[i][k] * A[j][k];
      A[i][j] = spanned[j] ? 0 : A[i][j] / A[j][j];
    }
  }
  for (int i = 0; i < M; ++i) {
    for (int k = 0; k < i; ++k) b[i] -= A[i][k] * b[k];
    b[i] = spanned[i] ? 0 : b[i] / A[i][i];
  }
  for (int i = M; i-- > 0;) {
    for (int k = i + 1; k < M; ++k) b[i] -= A[k][i] * b[k];
    b[i] = spanned[i] ? 0 : b[i] / A[i][i];
  }
}
}  // namespace quant_detail

namespace quant_detail {
template <class W> constexpr bool elementwise = std::is_base_of_v<quant::Elementwise, W>;
}  // namespace quant_detail

template <class W, class T> struct kernel<cpu, op::weight_bases<W, T>> {
  static constexpr bool known = quant_detail::elementwise<W>;
  static void run(Stream, const op::weight_bases<W, T>& a) {
    static_assert(
        !W::scaled || !known,
        "rnx: an elementwise weight map with scales needs a kernel of its own that writes them");
    if constexpr (known)
      host::each_weight(a.g,
                        [&](std::size_t k, std::size_t at) { a.bases[k] = W::value(a.theta[at]); });
  }
};
template <class W, class T> struct kernel<cpu, op::weight_bases_backward<W, T>> {
  static constexpr bool known = quant_detail::elementwise<W>;
  static void run(Stream, const op::weight_bases_backward<W, T>& a) {
    if constexpr (known)
      host::each_weight(a.g, [&](std::size_t k, std::size_t at) {
        if (W::lets_through(a.theta[at])) a.dtheta[at] += a.dsum[k];
      });
  }
};

template <int M, class T> struct kernel<cpu, op::weight_bases<quant::MultiBit<M>, T>> {
  static void run(Stream, const op::weight_bases<quant::MultiBit<M>, T>& a) {
    const std::size_t count = a.g.count();
    double sum = 0, squares = 0;
    host::each_weight(a.g, [&](std::size_t, std::size_t at) { sum += a.theta[at]; });
    const double mean = sum / count;
    host::each_weight(a.g, [&](std::size_t, std::size_t at) {
      const double d = a.theta[at] - mean;
      squares += d * d;
    });
    const double deviation = std::sqrt(squares / count);
    double A[M][M] = {}, b[M] = {};
    host::each_weight(a.g, [&](std::size_t k, std::size_t at) {
      double s[M];
      for (int m = 0; m < M; ++m) {
        s[m] = quant::sign(a.theta[at] - mean + quant::MultiBit<M>::shift(m) * deviation);
        a.bases[m * count + k] = T(s[m]);
        b[m] += s[m] * a.theta[at];
      }
      for (int i = 0; i < M; ++i)
        for (int j = 0; j <= i; ++j) A[i][j] += s[i] * s[j];
    });
    quant_detail::solve<M>(A, b);
    const int rows = a.g.groups * a.g.o;
    for (int m = 0; m < M; ++m)
      for (int o = 0; o < rows; ++o) a.scales[m * rows + o] = T(b[m]);
  }
};
template <int M, class T> struct kernel<cpu, op::weight_bases_backward<quant::MultiBit<M>, T>> {
  static void run(Stream, const op::weight_bases_backward<quant::MultiBit<M>, T>& a) {
    T alpha = 0;
    for (int m = 0; m < M; ++m) alpha += a.scales[m * a.g.groups * a.g.o];
    host::each_weight(a.g, [&](std::size_t k, std::size_t at) {
      if (std::abs(a.theta[at]) <= T(1)) a.dtheta[at] += alpha * a.dsum[k];
    });
  }
};

namespace quant_detail {
/// Calls f(sample, pixel offset in x, pixel offset in the padded dense map or -1) for every padded
/// pixel of one sample.
template <class F> inline void padded(const geometry::Map& x, int pad, int n, F f) {
  const int H = x.h + 2 * pad, W = x.w + 2 * pad;
  for (int h = 0; h < H; ++h)
    for (int w = 0; w < W; ++w) {
      const int ih = h - pad, iw = w - pad;
      const bool inside = ih >= 0 && ih < x.h && iw >= 0 && iw < x.w;
      f(inside, inside ? ((std::size_t(n) * x.h + ih) * x.w + iw) * x.stride : 0,
        ((std::size_t(n) * H + h) * W + w) * x.c);
    }
}
template <class A, class T> inline T base(T x, const T* parameters, int n) {
  if constexpr (std::is_base_of_v<quant::Elementwise, A>)
    return A::value(x);
  else
    return quant::sign(x + parameters[A::bases + n] - T(0.5));
}
template <class A, class T> inline bool lets_through(T x, const T* parameters, int n) {
  if constexpr (std::is_base_of_v<quant::Elementwise, A>)
    return A::lets_through(x);
  else {
    const T h = x + parameters[A::bases + n];
    return h >= T(0) && h <= T(1);
  }
}
/// Maps that base() and lets_through() know; others have kernels of their own.
template <class A> constexpr bool known = std::is_base_of_v<quant::Elementwise, A> && !A::scaled;
template <int N> constexpr bool known<quant::MultiBitActivation<N>> = true;
}  // namespace quant_detail

template <class A, class T> struct kernel<cpu, op::activation_bases<A, T>> {
  static constexpr bool known = quant_detail::known<A>;
  static void run(Stream, const op::activation_bases<A, T>& a) {
    if constexpr (known) compute(a);
  }

 private:
  static void compute(const op::activation_bases<A, T>& a) {
    const std::size_t count =
        std::size_t(a.x.n) * (a.x.h + 2 * a.pad) * (a.x.w + 2 * a.pad) * a.x.c;
    host::parallel_for(a.x.n, [&](long n) {
      quant_detail::padded(a.x, a.pad, n, [&](bool inside, std::size_t from, std::size_t to) {
        for (int c = 0; c < a.x.c; ++c) {
          T sum = 0;
          for (int k = 0; k < A::bases; ++k) {
            const T v = inside ? quant_detail::base<A>(a.x.data[from + c], a.parameters, k)
                               : T(A::pad_value);
            if (a.bases) a.bases[k * count + to + c] = v;
            if constexpr (A::scaled)
              sum += a.parameters[k] * v;
            else
              sum += v;
          }
          if (a.sum) a.sum[to + c] = sum;
        }
      });
    });
  }
};
template <class A, class T> struct kernel<cpu, op::activation_bases_backward<A, T>> {
  static constexpr bool known = quant_detail::known<A>;
  static void run(Stream, const op::activation_bases_backward<A, T>& a) {
    if constexpr (known) compute(a);
  }

 private:
  static void compute(const op::activation_bases_backward<A, T>& a) {
    const int H = a.x.h + 2 * a.pad, W = a.x.w + 2 * a.pad;
    if (a.dx.data)
      host::parallel_for(a.x.n, [&](long n) {
        for (int h = 0; h < a.x.h; ++h)
          for (int w = 0; w < a.x.w; ++w) {
            const std::size_t from = ((std::size_t(n) * a.x.h + h) * a.x.w + w) * a.x.stride;
            const std::size_t at = ((std::size_t(n) * H + h + a.pad) * W + w + a.pad) * a.x.c;
            const std::size_t to = ((std::size_t(n) * a.dx.h + h) * a.dx.w + w) * a.dx.stride;
            for (int c = 0; c < a.x.c; ++c) {
              T scale = 0;
              for (int k = 0; k < A::bases; ++k)
                if (quant_detail::lets_through<A>(a.x.data[from + c], a.parameters, k)) {
                  if constexpr (A::scaled)
                    scale += a.parameters[k];
                  else
                    scale += T(1);
                }
              a.dx.data[to + c] = scale * a.dsum[at + c];
            }
          }
      });
    if constexpr (A::scaled) {
      if (!a.dparameters) return;
      host::parallel_for(A::bases, [&](long k) {
        double dbeta = 0, dshift = 0;
        for (int n = 0; n < a.x.n; ++n)
          quant_detail::padded(a.x, a.pad, n, [&](bool inside, std::size_t from, std::size_t to) {
            for (int c = 0; c < a.x.c; ++c) {
              const T v = inside ? quant_detail::base<A>(a.x.data[from + c], a.parameters, k)
                                 : T(A::pad_value);
              dbeta += double(v) * a.dsum[to + c];
              if (inside && quant_detail::lets_through<A>(a.x.data[from + c], a.parameters, k))
                dshift += a.dsum[to + c];
            }
          });
        a.dparameters[k] += T(dbeta);
        a.dparameters[A::bases + k] += T(dshift * a.parameters[k]);
      });
    }
  }
};
template <class T> struct kernel<cpu, op::base_products<T>> {
  static void run(Stream, const op::base_products<T>& a) {
    for (int k = 0; k < a.k; ++k)
      for (int n = 0; n < a.n; ++n)
        for (int o = 0; o < a.o; ++o) {
          const T scale = a.scales ? a.scales[k * a.o + o] : T(1);
          a.products[(k * a.n + n) * a.o + o] = scale * (a.betas ? a.betas[n] : T(1));
        }
  }
};

namespace quant_detail {
/// Which kernels a map is without. The kernels above for many maps say whether they know it; one
/// that a user wrote for a map is there. Of other devices it is known only where they run
/// (core/fault.hpp).
enum class Lacks { nothing, forward, backward };
template <class Operation> constexpr bool no_kernel = requires {
  requires !kernel<cpu, Operation>::known;
};
template <class Device, class Map, class Forward, class Backward>
constexpr Lacks lacks = !std::is_same_v<Device, cpu> || Map::identity ? Lacks::nothing
                        : no_kernel<Forward>                          ? Lacks::forward
                        : no_kernel<Backward>                         ? Lacks::backward
                                                                      : Lacks::nothing;
template <class W, class Device, class T>
constexpr Lacks lacks_of_weights =
    lacks<Device, W, op::weight_bases<W, T>, op::weight_bases_backward<W, T>>;
template <class A, class Device, class T>
constexpr Lacks lacks_of_activations =
    lacks<Device, A, op::activation_bases<A, T>, op::activation_bases_backward<A, T>>;
}  // namespace quant_detail

}  // namespace rnx::inline RNX_ISA
