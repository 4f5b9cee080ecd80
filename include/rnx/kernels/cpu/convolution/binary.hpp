// Convolutions of signs: patches of bits under a window times weights of as many bits, vectors of
// 32-bit words over output channels. Sums are integers, so their order is free; what follows them
// (scales, bias, op::Tail) is computed as behind conv2d_forward over maps of +1 and -1, and where a
// tail sums over pixels, tasks and pixels have that kernel's order.
#pragma once

#include <limits>

#include "rnx/kernels/cpu/convolution/few.hpp"
#include "rnx/kernels/cpu/convolution/winograd.hpp"
#include "rnx/kernels/cpu/popcount.hpp"

namespace rnx::inline RNX_ISA::host {

/// Outputs of one block, and vectors of words for them.
constexpr int binary_block = geometry::lanes, binary_vectors = binary_block / popcount_lanes;
/// Pixels of a register tile: sums, weights, table and two words in the registers.
constexpr int binary_tile = popcount_bytes == 64 ? 8 : popcount_bytes == 32 ? 3 : 1;
/// Pixels at a time: a multiple of every tile.
constexpr int binary_pixels_least = 24, binary_pixels_most = 96;

/// Sizes of a binary convolution, as its tasks need them.
template <class T> struct BinaryConvolution {
  op::binary_convolution<T> a;
  geometry::BitWeights weights;
  Convolution<T> as;  ///< the convolution of maps of +1 and -1 whose bits this one has

  BinaryConvolution(const op::binary_convolution<T>& b, FusedTail<T>* fused)
      : a(b),
        weights{b.in.weight_bases, b.y.c, b.in.x.c, b.filter.kh, b.filter.kw},
        as(forward<T>({.x = {geometry::padded(b.in.x, b.in.x.pad), nullptr},
                       .w = nullptr,
                       .bias = b.bias,
                       .y = b.y,
                       .filter = b.filter})) {
    as.epilogue.fused = fused;
  }
  int activation_bases() const { return a.in.x.bases; }
  long patch() const { return weights.patch_words(); }
  int pixels_at_a_time() const {
    const long bytes = activation_bases() * PopcountSum::forms * patch() * 4;
    return int(clamped((24l << 10) / bytes / 24 * 24, long(binary_pixels_least),
                       long(binary_pixels_most)));
  }
};

/// The patches under the windows of one pixel: forms of words, base after base. Returns whether a
/// value is NaN.
template <class T>
bool binary_patch(const BinaryConvolution<T>& c, long pixel, std::uint32_t* to) {
  const geometry::BitMap& x = c.a.in.x;
  const geometry::Filter& f = c.a.filter;
  const int w = int(pixel % c.a.y.w) * f.stride, h = int(pixel / c.a.y.w % c.a.y.h) * f.stride,
            n = int(pixel / (long(c.a.y.w) * c.a.y.h)), run = f.kw * x.c;
  const long words = c.patch();
  const std::uint32_t* const sample = c.a.in.bits + n * x.sample_words();
  for (int k = 0; k < x.bases; ++k, to += PopcountSum::forms * words) {
    BitWriter writer(to);
    for (int r = h - x.pad; r < h - x.pad + f.kh; ++r) {
      if (r < 0 || r >= x.h)
        writer.put_zeros(run);
      else
        writer.put_from(sample + k * x.base_words() + r * x.row_words(), long(w) * x.c, run);
    }
    writer.finish();
    if constexpr (PopcountSum::forms > 1) {
      RNX_SIMD
      for (long i = 0; i < words; ++i) {
        const std::uint32_t word = to[i];
        to[i] = PopcountSum::form(word, 0);
        to[words + i] = PopcountSum::form(word, 1);
      }
    }
  }
  std::uint32_t marked = 0;
  for (int r = larger(h - x.pad, 0); r < smaller(h - x.pad + f.kh, x.h); ++r) {
    const std::uint32_t* mark = sample + x.bases * x.base_words() + long(r) * (1 + x.w);
    if (mark[0])
      for (int q = larger(w - x.pad, 0); q < smaller(w - x.pad + f.kw, x.w); ++q)
        marked |= mark[1 + q];
  }
  return marked != 0;
}

/// counts(pixel, 16) of P patches, `pitch` words apart, and one block of weights in forms (word,
/// form, 16).
template <int P>
void binary_tile_of(const std::uint32_t* patches, long pitch, const std::uint32_t* weights,
                    long words, std::int32_t* counts) {
  constexpr int V = binary_vectors, F = PopcountSum::forms, L = popcount_lanes;
  Words totals[P][V] = {};
  for (long begin = 0; begin < words; begin += PopcountSum::most) {
    const long end = smaller(begin + PopcountSum::most, words);
    PopcountSum sums[P][V];
    for (long k = begin; k < end; ++k) {
      Words w[V][F];
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v)
#pragma GCC unroll 2
        for (int f = 0; f < F; ++f)
          w[v][f] = load<L>(weights + (k * F + f) * binary_block + v * L);
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) {
        Words x[F];
#pragma GCC unroll 2
        for (int f = 0; f < F; ++f) x[f] = patches[p * pitch + f * words + k] - Words{};
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) sums[p][v].add(x, w[v]);
      }
    }
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) totals[p][v] += sums[p][v].total();
  }
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v)
      __builtin_memcpy(counts + p * binary_block + v * L, &totals[p][v], sizeof(Words));
}

/// sums(pixel, 16) [+]= scale (bits - 2 counts), the product rounded; scale null: 1.
template <class T>
void binary_add(const std::int32_t* counts, int pixels, long bits, const T* scale, bool first,
                T* sums) {
  constexpr int L = vector_lanes<T>;
  const auto total = std::int32_t(bits);
  for (int k = 0; k < binary_block; k += L) {
    const vec<T> factor = scale ? load<L>(scale + k) : vec<T>{};
    for (int p = 0; p < pixels; ++p) {
      vec<std::int32_t, L> count;
      __builtin_memcpy(&count, counts + p * binary_block + k, sizeof count);
      vec<T> v = __builtin_convertvector(total - 2 * count, vec<T>);
      if (scale) {
        v = v * factor;
        rounded(v);
      }
      T* const to = sums + p * binary_block + k;
      store(to, first ? v : vec<T>(load<L>(to) + v));
    }
  }
}

/// One block of 16 outputs of `count` pixels with their patches: sums(pixel, 16).
template <class T>
void binary_sums(const BinaryConvolution<T>& c, const std::uint32_t* patches, int count, int block,
                 T* sums) {
  constexpr int F = PopcountSum::forms, P = binary_tile;
  const int bases = c.activation_bases(), at = block * binary_block;
  const long words = c.patch(), pitch = bases * F * words;
  std::uint32_t* const forms = scratch<std::uint32_t>(slot_weights, F * words * binary_block);
  alignas(64) std::int32_t counts[binary_pixels_most * binary_block];
  T scales[binary_block] = {};
  for (int m = 0; m < c.weights.bases; ++m) {
    const std::uint32_t* from =
        c.a.in.weights + m * c.weights.base_words() + block * words * binary_block;
    for (long k = 0; k < words; ++k)
      for (int f = 0; f < F; ++f) {
        RNX_SIMD
        for (int o = 0; o < binary_block; ++o)
          forms[(k * F + f) * binary_block + o] = PopcountSum::form(from[k * binary_block + o], f);
      }
    for (int n = 0; n < bases; ++n) {
      const std::uint32_t* patch = patches + n * F * words;
      int p = 0;
      for (; p + P <= count; p += P)
        binary_tile_of<P>(patch + p * pitch, pitch, forms, words, counts + p * binary_block);
      for (; p < count; ++p)
        binary_tile_of<1>(patch + p * pitch, pitch, forms, words, counts + p * binary_block);
      if (c.a.scale)
        for (int o = 0; o < smaller(binary_block, c.weights.o - at); ++o)
          scales[o] = c.a.scale[(m * bases + n) * long(c.weights.o) + at + o];
      binary_add(counts, count, c.weights.bits(), c.a.scale ? scales : nullptr, m + n == 0, sums);
    }
  }
}

/// NaN where a patch or an output's weights have one.
template <class T>
void binary_marks(const BinaryConvolution<T>& c, const bool* marked, int count, int block,
                  T* sums) {
  const std::uint32_t* const weights =
      c.a.in.weights + c.weights.bases * c.weights.base_words() + block * binary_block;
  std::uint32_t any = 0;
  for (int o = 0; o < binary_block; ++o) any |= weights[o];
  for (int p = 0; p < count; ++p)
    if (marked[p] || any)
      for (int o = 0; o < binary_block; ++o)
        if (marked[p] || weights[o])
          sums[p * binary_block + o] = std::numeric_limits<T>::quiet_NaN();
}

/// Blocks [b0, b1) of outputs of the pixels at y.
template <class T>
void binary_pixels(const BinaryConvolution<T>& c, const Epilogue<T>& epilogue, T* const* y,
                   int count, int b0, int b1) {
  const long pitch = c.activation_bases() * PopcountSum::forms * c.patch();
  std::uint32_t* const patches = scratch<std::uint32_t>(slot_input, count * pitch);
  bool marked[binary_pixels_most];
  alignas(64) T sums[binary_pixels_most * binary_block];
  for (int p = 0; p < count; ++p)
    marked[p] = binary_patch(c, (y[p] - c.a.y.data) / c.a.y.stride, patches + p * pitch);
  for (int b = b0; b < b1; ++b) {
    binary_sums(c, patches, count, b, sums);
    binary_marks(c, marked, count, b, sums);
    finish(sums, binary_block / vector_lanes<T>, y, count, b * binary_block, c.weights.o, epilogue);
  }
}

/// f(the task's number, first block, end, its pixels in parts) for the tasks of the convolution
/// `as`, whose number and pixels' order they have.
template <class T> class BinaryTasks {
 public:
  explicit BinaryTasks(const BinaryConvolution<T>& c) : c_(c), direct_(c.as) {
    const Convolution<T>& as = c.as;
    if (as.winograd) {
      cut_ = winograd_cut(as);
      runs_ = cut_.runs;
      splits_ = cut_.splits;
    } else if (few_outputs(as)) {
      direct_.blocks = {1, as.dst.h, as.dst.n, 1};
      runs_ = as.dst.n;
    } else {
      runs_ = direct_.blocks.tasks;
      splits_ = direct_.splits;
    }
  }
  long count() const { return c_.as.dst.n <= 0 ? 0 : runs_ * splits_; }

  void run(long task) const {
    const long run = task / splits_, split = task % splits_, blocks = c_.weights.blocks();
    const int b0 = int(chunk_begin(blocks, splits_, split)),
              b1 = int(chunk_begin(blocks, splits_, split + 1)), most = c_.pixels_at_a_time();
    const Epilogue<T> epilogue = c_.as.epilogue.of(task);
    if (b0 < b1) c_.as.winograd ? tiles(run, b0, b1, most, epilogue)
                                : rows(run, b0, b1, most, epilogue);
  }

 private:
  void tiles(long run, int b0, int b1, int most, const Epilogue<T>& epilogue) const {
    const Convolution<T>& as = c_.as;
    const TileGrid grid{as.dst.h, as.dst.w, 0, 0};
    T** const y = scratch<T*>(slot_pixels, most + 4);
    const long end = cut_.begin(run + 1);
    for (long t = cut_.begin(run); t < end; t += most / 4)
      binary_pixels(c_, epilogue, y,
                    pixels_of(grid, t, smaller(t + most / 4, end), 0, 0, as.dst, as.y, y), b0, b1);
  }
  void rows(long run, int b0, int b1, int most, const Epilogue<T>& epilogue) const {
    const Convolution<T>& as = c_.as;
    const Blocks& b = direct_.blocks;
    const int n0 = int(run / b.row_blocks) * b.samples, r0 = int(run % b.row_blocks) * b.rows;
    const int n1 = smaller(n0 + b.samples, as.dst.n), r1 = smaller(r0 + b.rows, as.dst.h);
    T** const y = scratch<T*>(slot_pixels, most);
    int count = 0;
    for (int n = n0; n < n1; ++n)
      for (int r = r0; r < r1; ++r)
        for (int q = 0; q < as.dst.w; ++q) {
          y[count++] = as.y + n * as.dst.sample() + (long(r) * as.dst.w + q) * as.dst.stride;
          if (count < most) continue;
          binary_pixels(c_, epilogue, y, count, b0, b1);
          count = 0;
        }
    if (count) binary_pixels(c_, epilogue, y, count, b0, b1);
  }

  const BinaryConvolution<T>& c_;
  ConvolutionTasks<T> direct_;
  WinogradCut cut_{};
  long runs_ = 1, splits_ = 1;
};

/// Runs a binary convolution and, where it has one, its tail.
template <class T>
void binary_convolve(const op::binary_convolution<T>& a, FusedTail<T>* fused = nullptr) {
  const BinaryConvolution<T> c(a, fused);
  const BinaryTasks<T> tasks(c);
  const long count = tasks.count();
  if (fused) fused->begin(count);
  parallel_for(
      count, [&](long task) { tasks.run(task); },
      double(a.y.rows()) * c.weights.o * c.patch() * a.in.weight_bases * a.in.x.bases);
  if (fused) fused->end(count);
}

}  // namespace rnx::inline RNX_ISA::host

namespace rnx::inline RNX_ISA {

template <class T> struct kernel<cpu, op::binary_convolution<T>> {
  static void run(Stream, const op::binary_convolution<T>& a) { host::binary_convolve(a); }
};

template <class T> struct kernel<cpu, op::pack_binary<T>> {
  static void run(Stream, const op::pack_binary<T>& a) {
    const geometry::BitWeights& g = a.g;
    const long words = g.patch_words(), bits = g.bits(), window = long(g.kh) * g.kw;
    std::uint32_t* const marks = a.words + g.bases * g.base_words();
    std::memset(a.words, 0, std::size_t(g.words()) * sizeof(std::uint32_t));
    host::parallel_for(
        g.o,
        [&](long o) {
          for (int m = 0; m < g.bases; ++m) {
            const T* from = a.base + (m * long(g.o) + o) * bits;
            std::uint32_t* to = a.words + m * g.base_words() +
                                o / geometry::lanes * words * geometry::lanes + o % geometry::lanes;
            for (long t = 0, k = 0; t < window; ++t)
              for (int i = 0; i < g.i; ++i, ++k) {
                const T v = from[i * window + t];
                to[k / 32 * geometry::lanes] |= std::uint32_t(v < T(0)) << (k % 32);
                if (v != v) marks[o] = ~0u;
              }
          }
        },
        double(g.o) * bits * g.bases);
  }
};

}  // namespace rnx::inline RNX_ISA
