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

/// An output pixel.
struct BinaryPixel {
  int n, h, w;
};

template <class T> struct BinaryConvolution;
template <class T> bool binary_marked(const BinaryConvolution<T>& c);

/// Sizes of a binary convolution, as its tasks need them.
template <class T> struct BinaryConvolution {
  op::binary_convolution<T> a;
  geometry::BitWeights weights;
  Convolution<T> as;  ///< the convolution of maps of +1 and -1 whose bits this one has
  long row_words, base_words, sample_words, patch;
  bool marked;

  BinaryConvolution(const op::binary_convolution<T>& b, FusedTail<T>* fused)
      : a(b),
        weights{b.in.weight_bases, b.y.c, b.in.x.c, b.filter.kh, b.filter.kw},
        as(forward<T>({.x = {geometry::padded(b.in.x, b.in.x.pad), nullptr},
                       .w = nullptr,
                       .bias = b.bias,
                       .y = b.y,
                       .filter = b.filter})),
        row_words(b.in.x.row_words()),
        base_words(b.in.x.base_words()),
        sample_words(b.in.x.sample_words()),
        patch(weights.patch_words()) {
    as.epilogue.fused = fused;
    marked = binary_marked(*this);
  }
  int activation_bases() const { return a.in.x.bases; }
  T* at(const BinaryPixel& p) const {
    return a.y.data + ((long(p.n) * a.y.h + p.h) * a.y.w + p.w) * a.y.stride;
  }
  int pixels_at_a_time() const {
    const long bytes = activation_bases() * long(sizeof(PopcountSum::Forms)) * patch;
    return int(clamped((24l << 10) / bytes / 24 * 24, long(binary_pixels_least),
                       long(binary_pixels_most)));
  }
};

/// The patches of some pixels in one base, `pitch` apart: words in the order (kh, kw, i), split
/// into forms. base: of sample 0. whole: rows of a window are whole words.
template <bool whole, class T>
[[gnu::noinline]] void binary_patches(const BinaryConvolution<T>& c, const std::uint32_t* base,
                                      const BinaryPixel* pixels, int count, PopcountSum::Forms* to,
                                      long pitch) {
  const int channels = c.a.in.x.c, stride = c.a.filter.stride, pad = c.a.in.x.pad,
            kh = c.a.filter.kh, height = c.a.in.x.h, run = c.a.filter.kw * channels;
  const long row = c.row_words, sample = c.sample_words;
  const auto split = [](std::uint32_t word) { return PopcountSum::split(word); };
  for (int p = 0; p < count; ++p, to += pitch) {
    const int top = pixels[p].h * stride - pad;
    const long at = long(pixels[p].w) * stride * channels;
    const std::uint32_t* const from = base + pixels[p].n * sample;
    BitWriter writer(to, split);
    for (int r = top; r < top + kh; ++r) {
      const bool inside = r >= 0 && r < height;
      if constexpr (whole)
        writer.put_words(inside ? from + r * row + at / 32 : nullptr, run / 32);
      else if (inside)
        writer.put_from(from + r * row, at, run);
      else
        writer.put_zeros(run);
    }
    writer.finish();
  }
}

/// The same for windows of three rows that have less than 64 bits each: 16 channels under 3x3.
template <class T>
[[gnu::noinline]] void narrow_patches(const BinaryConvolution<T>& c, const std::uint32_t* base,
                                      const BinaryPixel* pixels, int count, PopcountSum::Forms* to,
                                      long pitch) {
  const int channels = c.a.in.x.c, stride = c.a.filter.stride, pad = c.a.in.x.pad,
            height = c.a.in.x.h, run = c.a.filter.kw * channels, words = int(c.patch);
  const long row = c.row_words, sample = c.sample_words;
  for (int p = 0; p < count; ++p, to += pitch) {
    const int top = pixels[p].h * stride - pad;
    const long at = long(pixels[p].w) * stride * channels;
    const std::uint32_t* const from = base + pixels[p].n * sample;
    std::uint64_t v[3];
#pragma GCC unroll 3
    for (int r = 0; r < 3; ++r)
      v[r] = top + r >= 0 && top + r < height ? bits_at(from + (top + r) * row, at, run) : 0;
    std::uint64_t all[3] = {v[0] | v[1] << run, v[1] >> 1 >> (63 - run), 0};
    if (2 * run < 64) {
      all[0] |= v[2] << 2 * run;
      all[1] |= v[2] >> 1 >> (63 - 2 * run);
    } else {
      all[1] |= v[2] << (2 * run - 64);
      all[2] = v[2] >> 1 >> (127 - 2 * run);
    }
#pragma GCC unroll 6
    for (int i = 0; i < 6; ++i)
      if (i < words) to[i] = PopcountSum::split(std::uint32_t(all[i / 2] >> 32 * (i % 2)));
  }
}

/// Whether a value under a pixel's window is NaN.
template <class T> bool binary_marked(const BinaryConvolution<T>& c, const BinaryPixel& p) {
  const geometry::BitMap& x = c.a.in.x;
  const int top = p.h * c.a.filter.stride - x.pad, left = p.w * c.a.filter.stride - x.pad;
  const int r1 = smaller(top + c.a.filter.kh, x.h), q1 = smaller(left + c.a.filter.kw, x.w);
  const std::uint32_t* const marks = c.a.in.bits + p.n * c.sample_words + x.bases * c.base_words;
  std::uint32_t marked = 0;
  for (int r = larger(top, 0); r < r1; ++r)
    for (int q = larger(left, 0); q < q1; ++q) marked |= marks[long(r) * (1 + x.w) + 1 + q];
  return marked != 0;
}
/// Whether a value or a weight is NaN.
template <class T> bool binary_marked(const BinaryConvolution<T>& c) {
  const geometry::BitMap& x = c.a.in.x;
  std::uint32_t marked = 0;
  for (int n = 0; n < x.n; ++n)
    for (int r = 0; r < x.h; ++r)
      marked |= c.a.in.bits[n * c.sample_words + x.bases * c.base_words + long(r) * (1 + x.w)];
  for (int o = 0; o < c.weights.o; ++o)
    marked |= c.a.in.weights[c.weights.bases * c.weights.base_words() + o];
  return marked != 0;
}

/// counts(pixel, 16) of P patches, `pitch` apart, and one block of weights in forms (word, form,
/// 16).
template <int P>
void binary_tile_of(const PopcountSum::Forms* patches, long pitch, const std::uint32_t* weights,
                    long words, std::int32_t* counts) {
  constexpr int V = binary_vectors, F = PopcountSum::forms, L = popcount_lanes;
  for (long begin = 0; begin < words; begin += PopcountSum::most) {
    const long end = smaller(begin + PopcountSum::most, words);
    PopcountSum sums[P][V];
    for (long k = begin; k < end; ++k) {
      Words w[V][F];
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v)
#pragma GCC unroll 2
        for (int f = 0; f < F; ++f) w[v][f] = load<L>(weights + (k * F + f) * binary_block + v * L);
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) {
        Words x[F];
#pragma GCC unroll 2
        for (int f = 0; f < F; ++f)
          x[f] = reinterpret_cast<const std::uint32_t*>(patches + p * pitch + k)[f] - Words{};
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) sums[p][v].add(x, w[v]);
      }
    }
    // through memory: in registers, totals would push sums out of them
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) {
        std::int32_t* const to = counts + p * binary_block + v * L;
        Words total = sums[p][v].total();
        if (begin > 0) {
          Words before;
          __builtin_memcpy(&before, to, sizeof before);
          total += before;
        }
        __builtin_memcpy(to, &total, sizeof total);
      }
  }
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
void binary_sums(const BinaryConvolution<T>& c, const PopcountSum::Forms* patches, int count,
                 int block, T* sums) {
  constexpr int F = PopcountSum::forms, P = binary_tile;
  const int bases = c.activation_bases(), at = block * binary_block;
  const long words = c.patch, pitch = bases * words;
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
      const PopcountSum::Forms* patch = patches + n * words;
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
void binary_marks(const BinaryConvolution<T>& c, const BinaryPixel* pixels, int count, int block,
                  T* sums) {
  const std::uint32_t* const weights =
      c.a.in.weights + c.weights.bases * c.weights.base_words() + block * binary_block;
  for (int p = 0; p < count; ++p) {
    const bool all = binary_marked(c, pixels[p]);
    for (int o = 0; o < binary_block; ++o)
      if (all || weights[o]) sums[p * binary_block + o] = std::numeric_limits<T>::quiet_NaN();
  }
}

/// Blocks [b0, b1) of outputs of some pixels.
template <class T>
void binary_pixels(const BinaryConvolution<T>& c, const Epilogue<T>& epilogue,
                   const BinaryPixel* pixels, int count, int b0, int b1) {
  const int bases = c.activation_bases();
  const long pitch = bases * c.patch;
  PopcountSum::Forms* const patches = scratch<PopcountSum::Forms>(slot_input, count * pitch);
  for (int k = 0; k < bases; ++k) {
    const bool narrow = c.a.filter.kh == 3 && c.a.filter.kw * c.a.in.x.c < 64;
    const auto make = c.a.in.x.c % 32 == 0 ? binary_patches<true, T>
                      : narrow             ? narrow_patches<T>
                                           : binary_patches<false, T>;
    make(c, c.a.in.bits + k * c.base_words, pixels, count, patches + k * c.patch, pitch);
  }
  T* y[binary_pixels_most];
  for (int p = 0; p < count; ++p) y[p] = c.at(pixels[p]);
  alignas(64) T sums[binary_pixels_most * binary_block];
  for (int b = b0; b < b1; ++b) {
    binary_sums(c, patches, count, b, sums);
    if (c.marked) binary_marks(c, pixels, count, b, sums);
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
    if (b0 < b1)
      c_.as.winograd ? tiles(run, b0, b1, most, epilogue) : rows(run, b0, b1, most, epilogue);
  }

 private:
  void tiles(long run, int b0, int b1, int most, const Epilogue<T>& epilogue) const {
    const Convolution<T>& as = c_.as;
    const TileGrid grid{as.dst.h, as.dst.w, 0, 0};
    BinaryPixel pixels[binary_pixels_most + 1];
    const long end = cut_.begin(run + 1);
    for (long t = cut_.begin(run); t < end; t += most / 4) {
      int count = 0;
      grid.runs(t, smaller(t + most / 4, end), [&](int n, int row, int q0, int q1, int) {
        for (int q = q0; q < q1; ++q)
          for (int k = 0; k < 4; ++k) {
            pixels[count] = {n, 2 * row + k / 2, 2 * q + k % 2};
            count += pixels[count].h < as.dst.h && pixels[count].w < as.dst.w;
          }
      });
      binary_pixels(c_, epilogue, pixels, count, b0, b1);
    }
  }
  void rows(long run, int b0, int b1, int most, const Epilogue<T>& epilogue) const {
    const Convolution<T>& as = c_.as;
    const Blocks& b = direct_.blocks;
    const int n0 = int(run / b.row_blocks) * b.samples, r0 = int(run % b.row_blocks) * b.rows;
    const int n1 = smaller(n0 + b.samples, as.dst.n), r1 = smaller(r0 + b.rows, as.dst.h);
    BinaryPixel pixels[binary_pixels_most];
    int count = 0;
    for (int n = n0; n < n1; ++n)
      for (int r = r0; r < r1; ++r)
        for (int q = 0; q < as.dst.w; ++q) {
          pixels[count++] = {n, r, q};
          if (count < most) continue;
          binary_pixels(c_, epilogue, pixels, count, b0, b1);
          count = 0;
        }
    if (count) binary_pixels(c_, epilogue, pixels, count, b0, b1);
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
      double(a.y.rows()) * c.weights.o * c.patch * a.in.weight_bases * a.in.x.bases);
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
    const long bits = g.bits(), window = long(g.kh) * g.kw;
    std::uint32_t* const marks = a.words + g.bases * g.base_words();
    std::memset(a.words, 0, std::size_t(g.words()) * sizeof(std::uint32_t));
    host::parallel_for(
        g.o,
        [&](long o) {
          for (int m = 0; m < g.bases; ++m) {
            const T* from = a.base + (m * long(g.o) + o) * bits;
            for (long t = 0, k = 0; t < window; ++t)
              for (int i = 0; i < g.i; ++i, ++k) {
                const T v = from[i * window + t];
                a.words[g.word_of(m, int(o), k)] |= std::uint32_t(v < T(0)) << (k % 32);
                if (v != v) marks[o] = ~0u;
              }
          }
        },
        double(g.o) * bits * g.bases);
  }
};

template <class T> struct kernel<cpu, op::unpack_binary<T>> {
  static void run(Stream, const op::unpack_binary<T>& a) {
    const geometry::BitWeights& g = a.g;
    const long bits = g.bits(), window = long(g.kh) * g.kw;
    host::parallel_for(
        g.o,
        [&](long o) {
          for (int m = 0; m < g.bases; ++m) {
            T* to = a.base + (m * long(g.o) + o) * bits;
            for (long t = 0, k = 0; t < window; ++t)
              for (int i = 0; i < g.i; ++i, ++k)
                to[i * window + t] =
                    a.words[g.word_of(m, int(o), k)] >> (k % 32) & 1 ? T(-1) : T(1);
          }
        },
        double(g.o) * bits * g.bases);
  }
};

}  // namespace rnx::inline RNX_ISA
