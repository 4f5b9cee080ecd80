// Convolutions of signs on CUDA: the patches under all windows are written out as words, then a
// thread for each output counts bits. Sums are integers, so their order is free; what follows them
// is rounded as behind conv2d_forward.
#pragma once

#include <bit>

#include "rnx/kernels/cuda/binary.hpp"
#include "rnx/kernels/cuda/reduce.cuh"

namespace rnx::inline RNX_ABI::gpu {

RNX_SHARED int bit_count(std::uint32_t word) {
#ifdef __CUDA_ARCH__
  return __popc(word);
#else
  return std::popcount(word);
#endif
}

/// Position k of a patch, (kh, kw, i), in a filter of weights, (i, kh, kw).
RNX_SHARED std::size_t weight_of_bit(const geometry::BitWeights& g, std::size_t k) {
  const Split at(k, g.i);
  return at.remainder * g.kh * g.kw + at.quotient;
}
template <class T> struct PackBinary {
  static constexpr int terms = 1;
  op::pack_binary<T> a;
  /// One word; the marks are cleared.
  RNX_HD void operator()(std::size_t e) const {
    const geometry::BitWeights& g = a.g;
    const Split lane(e, geometry::lanes), word(lane.quotient, g.patch_words()),
        block(word.quotient, g.blocks());
    const long out = long(block.remainder) * geometry::lanes + long(lane.remainder),
               base = long(block.quotient), first = 32 * long(word.remainder);
    std::uint32_t bits = 0;
    if (base < g.bases && out < g.o)
      for (long k = first; k < smaller(first + 32, g.bits()); ++k)
        bits |= std::uint32_t(a.base[(base * g.o + out) * g.bits() + weight_of_bit(g, k)] < T(0))
                << (k - first);
    a.words[e] = bits;
  }
  /// Weight j of an output, in all bases, is NaN.
  RNX_SHARED void operator()(std::size_t out, std::size_t j, double* acc) const {
    const Split at(j, a.g.bits());
    const T v = a.base[(at.quotient * a.g.o + out) * a.g.bits() + at.remainder];
    acc[0] += v != v;
  }
  RNX_SHARED void operator()(std::size_t out, const double* sums) const {
    a.words[a.g.bases * a.g.base_words() + out] = sums[0] > 0 ? ~0u : 0;
  }
};
template <class T> struct body<op::pack_binary<T>> {
  template <class E> static void run(const E& on, const op::pack_binary<T>& a) {
    const PackBinary<T> f{a};
    on.each(a.g.words(), f);
    sum_segments(on, a.g.o, a.g.bases * a.g.bits(), false, f, f);
  }
};
template <class T> struct element<op::unpack_binary<T>> {
  op::unpack_binary<T> a;
  std::size_t count() const { return std::size_t(a.g.bases) * a.g.o * a.g.bits(); }
  RNX_HD void operator()(std::size_t e) const {
    const Split k(e, a.g.bits()), out(k.quotient, a.g.o);
    const std::uint32_t word =
        a.words[a.g.word_of(int(out.quotient), int(out.remainder), long(k.remainder))];
    a.base[k.quotient * a.g.bits() + weight_of_bit(a.g, k.remainder)] =
        word >> (k.remainder % 32) & 1 ? T(-1) : T(1);
  }
};

/// What the passes of a binary convolution share: pixels are the rows of y.
template <class T> struct BinarySizes {
  op::binary_convolution<T> a;
  geometry::BitWeights weights;
  std::uint32_t* patches;  // (pixel, activation base, word)
  std::uint32_t* marked;   // (pixel): 1 where a value under the window is NaN
  std::size_t pixels, words;

  explicit BinarySizes(const op::binary_convolution<T>& of)
      : a(of),
        weights{of.in.weight_bases, of.y.c, of.in.x.c, of.filter.kh, of.filter.kw},
        patches(nullptr),
        marked(nullptr),
        pixels(of.y.rows()),
        words(weights.patch_words()) {}
  RNX_SHARED std::size_t patch_count() const { return pixels * a.in.x.bases * words; }
};

/// `count` <= 32 bits from bit `at` of words of which one more may be read.
RNX_SHARED std::uint32_t bits_at(const std::uint32_t* words, long at, int count) {
  const std::uint32_t* from = words + (at >> 5);
  const std::uint64_t v = (from[0] | std::uint64_t(from[1]) << 32) >> (at & 31);
  return std::uint32_t(v & ((std::uint64_t(1) << count) - 1));
}
/// One word of a patch, from the rows under its window.
template <class T> struct BinaryPatches {
  BinarySizes<T> s;
  RNX_HD void operator()(std::size_t e) const {
    const geometry::BitMap& x = s.a.in.x;
    const geometry::Filter& filter = s.a.filter;
    const Split word(e, s.words), base(word.quotient, x.bases), column(base.quotient, s.a.y.w),
        row(column.quotient, s.a.y.h);
    const long run = long(filter.kw) * x.c, left = long(column.remainder) * filter.stride * x.c,
               top = long(row.remainder) * filter.stride - x.pad, first = 32 * long(word.remainder),
               end = smaller(first + 32, s.weights.bits());
    const std::uint32_t* from =
        s.a.in.bits + row.quotient * x.sample_words() + base.remainder * x.base_words();
    std::uint32_t bits = 0;
    for (long k = first; k < end;) {
      const long r = k / run, inside = k - r * run, count = smaller(run - inside, end - k);
      if (top + r >= 0 && top + r < x.h)
        bits |= bits_at(from + (top + r) * x.row_words(), left + inside, int(count)) << (k - first);
      k += count;
    }
    s.patches[e] = bits;
  }
};
template <class T> struct BinaryMarks {
  BinarySizes<T> s;
  RNX_HD void operator()(std::size_t pixel) const {
    const geometry::BitMap& x = s.a.in.x;
    const Split column(pixel, s.a.y.w), row(column.quotient, s.a.y.h);
    const int top = int(row.remainder) * s.a.filter.stride - x.pad,
              left = int(column.remainder) * s.a.filter.stride - x.pad;
    const std::uint32_t* marks =
        s.a.in.bits + row.quotient * x.sample_words() + x.bases * x.base_words();
    std::uint32_t any = 0;
    for (int r = larger(top, 0); r < smaller(top + s.a.filter.kh, x.h); ++r)
      for (int q = larger(left, 0); q < smaller(left + s.a.filter.kw, x.w); ++q)
        any |= marks[long(r) * (1 + x.w) + 1 + q];
    s.marked[pixel] = any;
  }
};
template <class T> struct BinaryOutputs {
  BinarySizes<T> s;
  RNX_HD void operator()(std::size_t e) const {
    const op::binary_convolution<T>& a = s.a;
    const Split at(e, a.y.c);
    const int out = int(at.remainder), bases = a.in.x.bases;
    T sum = 0;
    for (int m = 0; m < a.in.weight_bases; ++m)
      for (int n = 0; n < bases; ++n) {
        const T v = T(s.weights.bits() - 2 * differing(m, out, at.quotient * bases + n));
        const T term =
            a.scale ? product(v, a.scale[(std::size_t(m) * bases + n) * a.y.c + out]) : v;
        sum = m + n == 0 ? term : sum + term;
      }
    if (a.bias) sum += a.bias[out];
    if (s.marked[at.quotient] || a.in.weights[a.in.weight_bases * s.weights.base_words() + out])
      sum = T(__builtin_nan(""));
    a.y.data[offset(a.y, e)] = sum;
  }

 private:
  /// How many signs of a patch and of an output's weights differ.
  RNX_SHARED long differing(int m, int out, std::size_t patch) const {
    const std::uint32_t* x = s.patches + patch * s.words;
    const std::uint32_t* w = s.a.in.weights + s.weights.word_of(m, out, 0);
    int count = 0;
    for (std::size_t k = 0; k < s.words; ++k) count += bit_count(x[k] ^ w[k * geometry::lanes]);
    return count;
  }
};
template <class T> struct body<op::binary_convolution<T>> {
  template <class E> static void run(const E& on, const op::binary_convolution<T>& a) {
    BinarySizes<T> s(a);
    const Scratch<std::uint32_t, E> memory(on, s.patch_count() + s.pixels);
    s.patches = memory.data();
    s.marked = memory.data() + s.patch_count();
    on.each(s.patch_count(), BinaryPatches<T>{s});
    on.each(s.pixels, BinaryMarks<T>{s});
    on.each(active(a.y), BinaryOutputs<T>{s});
  }
};

}  // namespace rnx::inline RNX_ABI::gpu

namespace rnx::inline RNX_ABI {
RNX_CUDA_BINARY(RNX_CUDA_DEFINE)
}  // namespace rnx::inline RNX_ABI
