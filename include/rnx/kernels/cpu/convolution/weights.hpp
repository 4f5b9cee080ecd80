// Weights between the field's order, theta (o, i, kh, kw), and the kernels' orders. Blocks of 16
// channels are transposed in the first-level cache.
//   forward (group, kh, kw, i, o)   backward (group, kh flipped, kw flipped, o, i)   the last index
//                                   padded with zeros to 16
#pragma once

#include <cstring>

#include "rnx/kernels/cpu/vector.hpp"
#include "rnx/kernels/op/convolution.hpp"

namespace rnx::inline RNX_ISA::host {

/// A block of theta is `lanes` channels of one kind by some of the other: (row, tap, lane), rows
/// being `outer` channels. Theta is walked in its memory order: a vector collects one element of
/// each of four lanes.
template <class T> struct ThetaBlock {
  static constexpr int L = geometry::lanes;
  const geometry::Weights& g;
  long outer_step, lane_step;
  int rows, lanes;

  /// f(offset in theta, offset in the block, elements): taps that are neighbours in theta, of lane
  /// 0 of a row.
  template <class F> void runs(F&& f) const {
    const int taps = g.kh * g.kw;
    const bool whole = g.sw == 1 && (g.kh == 1 || g.sh == g.kw);
    const bool one = whole && outer_step == taps;
    const int runs = one ? 1 : rows, pieces = whole ? 1 : taps,
              count = one ? rows * taps : taps / pieces;
    for (int u = 0; u < runs; ++u)
      for (int t = 0; t < pieces; ++t)
        f(u * outer_step + t / g.kw * g.sh + t % g.kw * g.sw, (long(u) * taps + t) * L, count);
  }
  /// block = theta, zero in the lanes that do not exist.
  void read(const T* theta, T* block) const {
    runs([&](long from, long to, int count) {
      int v = 0;
      for (; v + 4 <= lanes; v += 4) {
        const T *a = theta + from + v * lane_step, *b = a + lane_step, *c = b + lane_step,
                *d = c + lane_step;
        for (int k = 0; k < count; ++k)
          store(block + to + k * L + v, vec<T, 4>{a[k], b[k], c[k], d[k]});
      }
      for (; v < L; ++v)
        for (int k = 0; k < count; ++k)
          block[to + k * L + v] = v < lanes ? theta[from + v * lane_step + k] : T(0);
    });
  }
  /// theta += block
  void add(const T* block, T* theta) const {
    runs([&](long to, long from, int count) {
      for (int v = 0; v < lanes; ++v) {
        T* row = theta + to + v * lane_step;
        for (int k = 0; k < count; ++k) row[k] += block[from + k * L + v];
      }
    });
  }
};

/// f(group, first row, rows, first lane, lanes) for blocks of about 16 x 16 channels that cover
/// outer x inner.
template <class F> void for_theta_blocks(const geometry::Weights& g, int outer, int inner, F&& f) {
  constexpr int L = geometry::lanes;
  const int height = clamped(4 * L * 9 / (g.kh * g.kw), 1, 2 * L),
            tall = (outer + height - 1) / height, wide = (inner + L - 1) / L;
  parallel_for(
      long(g.groups) * tall * wide,
      [&](long task) {
        const int u = int(task / wide % tall) * height, v = int(task % wide) * L;
        f(int(task / wide / tall), u, smaller(height, outer - u), v, smaller(L, inner - v));
      },
      double(g.count()));
}

/// One packed form: `inner` channels (the padded index) with stride `si` in theta, `outer` ones
/// with stride `so`.
template <class T>
void pack(const geometry::Weights& g, const T* theta, T* packed, int outer, long so, int inner,
          long si, bool flip) {
  constexpr int L = geometry::lanes;
  const long pitch = round_up(inner, L), taps = long(g.kh) * g.kw;
  for_theta_blocks(g, outer, inner, [&](int group, int u, int rows, int v, int lanes) {
    T* const block = scratch<T>(slot_weights, std::size_t(rows) * taps * L);
    ThetaBlock<T>{g, so, si, rows, lanes}.read(theta + group * g.sg + u * so + v * si, block);
    for (long t = 0; t < taps; ++t)
      for (int k = 0; k < rows; ++k)
        std::memcpy(
            packed + ((group * taps + (flip ? taps - 1 - t : t)) * outer + u + k) * pitch + v,
            block + (k * taps + t) * L, L * sizeof(T));
  });
}

/// Output channels of a block of weights for Winograd's algorithm, on every instruction set.
constexpr int winograd_block = 32;

/// U = G g G^T of 3x3 kernels (winograd.hpp): (block of 32 inner channels, 16, outer, 32), the last
/// block 16 wide where that is enough.
template <class T>
void pack_winograd(const geometry::Weights& g, const T* theta, T* packed, int outer, long so,
                   int inner, long si, bool flip) {
  constexpr int L = geometry::lanes, N = vector_lanes<T> < L ? vector_lanes<T> : L;
  for_theta_blocks(g, outer, inner, [&](int, int u, int rows, int v, int lanes) {
    T* const block = scratch<T>(slot_weights, std::size_t(rows) * (9 + 16) * L);
    T* const product = block + rows * 9 * L;
    ThetaBlock<T>{g, so, si, rows, lanes}.read(theta + u * so + v * si, block);
    for (int k = 0; k < rows; ++k)
      for (int at = 0; at < L; at += N) {
        const T* from = block + k * 9 * L + at;
        vec<T, N> a[4][3];
#pragma GCC unroll 3
        for (int c = 0; c < 3; ++c) {
          vec<T, N> w[3];
#pragma GCC unroll 3
          for (int r = 0; r < 3; ++r) w[r] = load<N>(from + (flip ? 8 - 3 * r - c : 3 * r + c) * L);
          const vec<T, N> ends = (w[0] + w[2]) * T(0.5),
                          middle = w[1] * T(0.5);  // halves are exact
          a[0][c] = w[0];
          a[1][c] = ends + middle;
          a[2][c] = ends - middle;
          a[3][c] = w[2];
        }
#pragma GCC unroll 4
        for (int r = 0; r < 4; ++r) {
          const vec<T, N> ends = (a[r][0] + a[r][2]) * T(0.5), middle = a[r][1] * T(0.5);
          T* const to = product + (4 * r * rows + k) * L + at;
          store(to, a[r][0]);
          store(to + rows * L, ends + middle);
          store(to + 2 * rows * L, ends - middle);
          store(to + 3 * rows * L, a[r][2]);
        }
      }
    const int first = v / winograd_block * winograd_block,
              width = int(smaller(long(winograd_block), long(round_up(inner - first, L))));
    for (int xi = 0; xi < 16; ++xi)
      for (int k = 0; k < rows; ++k)
        std::memcpy(packed + (long(first) * 16 + long(xi) * width) * outer + long(u + k) * width +
                        v - first,
                    product + (xi * rows + k) * L, L * sizeof(T));
  });
}

}  // namespace rnx::inline RNX_ISA::host

namespace rnx::inline RNX_ISA {

template <class T> struct kernel<cpu, op::pack_weights<T>> {
  static void run(Stream, const op::pack_weights<T>& a) {
    const auto form = [&](bool winograd) {
      return winograd ? host::pack_winograd<T> : host::pack<T>;
    };
    if (a.forward)
      form(a.winograd_forward)(a.g, a.theta, a.forward, a.g.i, a.g.si, a.g.o, a.g.so, false);
    if (a.backward)
      form(a.winograd_backward)(a.g, a.theta, a.backward, a.g.o, a.g.so, a.g.i, a.g.si, true);
  }
};

template <class T> struct kernel<cpu, op::unpack_gradient<T>> {
  static void run(Stream, const op::unpack_gradient<T>& a) {
    using namespace host;
    constexpr int L = geometry::lanes;
    const auto& g = a.g;
    const long taps = long(g.kh) * g.kw;
    for_theta_blocks(g, g.i, g.o, [&](int group, int i, int rows, int o, int lanes) {
      T* const block = scratch<T>(slot_weights, std::size_t(rows) * taps * L);
      for (long t = 0; t < taps; ++t)
        for (int k = 0; k < rows; ++k)
          std::memcpy(block + (k * taps + t) * L,
                      a.dense + ((group * taps + t) * g.i + i + k) * g.o + o, lanes * sizeof(T));
      ThetaBlock<T>{g, g.si, g.so, rows, lanes}.add(block,
                                                    a.dtheta + group * g.sg + i * g.si + o * g.so);
    });
  }
};

/// (kh, kw, c): channel c is group c, its theta at c sg.
template <class T> struct kernel<cpu, op::pack_depthwise<T>> {
  static void run(Stream, const op::pack_depthwise<T>& a) {
    const auto& g = a.g;
    for (int kh = 0; kh < g.kh; ++kh)
      for (int kw = 0; kw < g.kw; ++kw)
        for (int c = 0; c < g.groups; ++c)
          a.packed[(long(kh) * g.kw + kw) * g.groups + c] =
              a.theta[c * g.sg + kh * g.sh + kw * g.sw];
  }
};

template <class T> struct kernel<cpu, op::unpack_depthwise_gradient<T>> {
  static void run(Stream, const op::unpack_depthwise_gradient<T>& a) {
    const auto& g = a.g;
    for (int c = 0; c < g.groups; ++c)
      for (int kh = 0; kh < g.kh; ++kh)
        for (int kw = 0; kw < g.kw; ++kw)
          a.dtheta[c * g.sg + kh * g.sh + kw * g.sw] +=
              a.dense[(long(kh) * g.kw + kw) * g.groups + c];
  }
};

template <class T> struct kernel<cpu, op::sum_bases<T>> {
  static void run(Stream, const op::sum_bases<T>& a) {
    host::parallel_for(
        a.rows,
        [&](long r) {
          T* y = a.y + r * a.row;
          for (int k = 0; k < a.bases; ++k) {
            const T scale = a.scale ? a.scale[long(k) * a.rows + r] : T(1);
            const T* base = a.base + (std::size_t(k) * a.rows + r) * a.row;
            for (std::size_t i = 0; i < a.row; ++i) {
              const T term = scale * base[i];
              y[i] = k == 0 ? term : y[i] + term;
            }
          }
        },
        double(a.bases) * a.rows * a.row);
  }
};

}  // namespace rnx::inline RNX_ISA
