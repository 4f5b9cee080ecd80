// Convolutions of signs: patches of bits under a window times weights of as many bits, vectors of
// 32-bit words over output channels. Sums are integers, so their order is free; what follows them
// (scales, bias, op::Tail) is computed as behind conv2d_forward over maps of +1 and -1, and where a
// tail sums over pixels, tasks and pixels have that kernel's order.
#pragma once

#include <limits>

#include "rnx/kernels/cpu/convolution/binary_patches.hpp"
#include "rnx/kernels/cpu/convolution/binary_weights.hpp"

namespace rnx::inline RNX_ISA::host {

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

/// One block of 16 outputs of weight base m in forms (word, form, 16).
template <class T>
const std::uint32_t* binary_forms(const BinaryConvolution<T>& c, int m, int block) {
  constexpr int F = PopcountSum::forms;
  const long words = c.patch;
  std::uint32_t* const forms = scratch<std::uint32_t>(slot_weights, F * words * binary_block);
  const std::uint32_t* from =
      c.a.in.weights + m * c.weights.base_words() + block * words * binary_block;
  for (long k = 0; k < words; ++k)
    for (int f = 0; f < F; ++f) {
      RNX_SIMD
      for (int o = 0; o < binary_block; ++o)
        forms[(k * F + f) * binary_block + o] = PopcountSum::form(from[k * binary_block + o], f);
    }
  return forms;
}
/// counts(pixel, 16) of `count` patches.
inline void binary_counts(const PopcountSum::Forms* patch, long pitch, int count,
                          const std::uint32_t* forms, long words, std::int32_t* counts) {
  constexpr int P = binary_tile;
  int p = 0;
  for (; p + P <= count; p += P)
    binary_tile_of<P>(patch + p * pitch, pitch, forms, words, counts + p * binary_block);
  for (; p < count; ++p)
    binary_tile_of<1>(patch + p * pitch, pitch, forms, words, counts + p * binary_block);
}
/// The scales of a block's outputs, for one pair of bases; null: 1.
template <class T>
const T* binary_scales(const BinaryConvolution<T>& c, int pair, int block, T* to) {
  if (!c.a.scale) return nullptr;
  const int at = block * binary_block;
  for (int o = 0; o < smaller(binary_block, c.weights.o - at); ++o)
    to[o] = c.a.scale[pair * long(c.weights.o) + at + o];
  return to;
}

/// One block of 16 outputs of `count` pixels with their patches: sums(pixel, 16).
template <class T>
void binary_sums(const BinaryConvolution<T>& c, const PopcountSum::Forms* patches, int count,
                 int block, T* sums) {
  const int bases = c.activation_bases();
  const long words = c.patch;
  alignas(64) std::int32_t counts[binary_pixels_most * binary_block];
  T scales[binary_block] = {};
  for (int m = 0; m < c.weights.bases; ++m) {
    const std::uint32_t* const forms = binary_forms(c, m, block);
    for (int n = 0; n < bases; ++n) {
      binary_counts(patches + n * words, bases * words, count, forms, words, counts);
      const T* const scale = binary_scales(c, m * bases + n, block, scales);
      binary_add(counts, count, c.weights.bits(), scale, m + n == 0, sums);
    }
  }
}

/// NaN where a patch or an output's weights have one.
template <class T>
void binary_marks(const BinaryConvolution<T>& c, const Pixel* pixels, int count, int block,
                  T* sums) {
  const std::uint32_t* const weights =
      c.a.in.weights + c.weights.bases * c.weights.base_words() + block * binary_block;
  for (int p = 0; p < count; ++p) {
    const bool all = binary_marked(c, pixels[p]);
    for (int o = 0; o < binary_block; ++o)
      if (all || weights[o]) sums[p * binary_block + o] = std::numeric_limits<T>::quiet_NaN();
  }
}

/// Signs of blocks [b0, b1) of outputs, from their counts alone.
template <class T>
void binary_compared(const BinaryConvolution<T>& c, const PopcountSum::Forms* patches, int count,
                     std::uint16_t* const* to, int b0, int b1) {
  alignas(64) std::int32_t counts[binary_pixels_most * binary_block];
  for (int b = b0; b < b1; ++b) {
    binary_counts(patches, c.patch, count, binary_forms(c, 0, b), c.patch, counts);
    for (int p = 0; p < count; ++p)
      put_mask(to[p] + b, c.thresholds->mask(counts + p * binary_block, b));
  }
}

/// Blocks [b0, b1) of outputs of some pixels.
template <class T>
void binary_pixels(const BinaryConvolution<T>& c, const Epilogue<T>& epilogue, const Pixel* pixels,
                   int count, int b0, int b1) {
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
  const op::Signs<T>* const signs = c.signs();
  T* y[binary_pixels_most];
  std::uint16_t* to[binary_pixels_most];
  for (int p = 0; p < count; ++p) y[p] = c.at(pixels[p]);
  for (int p = 0; signs && p < count; ++p) to[p] = signs_at(*signs, pixels[p]);
  if (c.thresholds) return binary_compared(c, patches, count, to, b0, b1);
  alignas(64) T sums[binary_pixels_most * binary_block];
  for (int b = b0; b < b1; ++b) {
    binary_sums(c, patches, count, b, sums);
    if (c.marked) binary_marks(c, pixels, count, b, sums);
    finish(sums, binary_block / vector_lanes<T>, y, count, b * binary_block, c.weights.o, epilogue);
    for (int p = 0; signs && p < count; ++p)
      put_signs(*signs, pixels[p], to[p] + b, y[p] + b * binary_block);
  }
}

/// The thresholds of a convolution whose values nobody reads but as signs; none where they are no
/// function of one sum. Bisected on what computes a value, so that its rounding is theirs.
template <class T> const CountThresholds* binary_thresholds(const BinaryConvolution<T>& c) {
  using Tail = FusedTail<T>;
  const op::Signs<T>* const signs = c.signs();
  const bool of_one_sum = signs && signs->alone && signs->to.bases == 1 && c.weights.bases == 1 &&
                          c.activation_bases() == 1 && !c.marked;
  if (!of_one_sum) return nullptr;
  const Epilogue<T>& epilogue = c.as.epilogue;
  const Tail& tail = *epilogue.fused;
  if ((tail.parts & ~(Tail::normalize | Tail::relu)) || tail.tail.raw) return nullptr;
  for (int o = 0; o < c.weights.o; ++o)  // an infinite factor makes NaN of one sum in the middle
    if ((tail.factor && !std::isfinite(tail.factor[o])) ||
        (c.a.scale && !std::isfinite(c.a.scale[o])))
      return nullptr;
  return find_thresholds(c.weights.o, c.weights.bits(), [&](int block, const std::int32_t* counts) {
    alignas(64) T sums[binary_block], scales[binary_block] = {};
    T* const y = tail.y;
    binary_add(counts, 1, c.weights.bits(), binary_scales(c, 0, block, scales), true, sums);
    finish(sums, binary_block / vector_lanes<T>, &y, 1, block * binary_block, c.weights.o,
           epilogue);
    return signs_of(*signs, 0, y + block * binary_block);
  });
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
    Pixel pixels[binary_pixels_most + 1];
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
    Pixel pixels[binary_pixels_most];
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
  BinaryConvolution<T> c(a, fused);
  if (fused) fused->begin_signs();
  c.thresholds = binary_thresholds(c);
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

}  // namespace rnx::inline RNX_ISA
