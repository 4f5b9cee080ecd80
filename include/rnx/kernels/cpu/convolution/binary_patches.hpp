// The sizes of a convolution of signs, and the patches of bits under its windows.
#pragma once

#include "rnx/kernels/cpu/convolution/few.hpp"
#include "rnx/kernels/cpu/convolution/signs.hpp"
#include "rnx/kernels/cpu/convolution/winograd.hpp"
#include "rnx/kernels/cpu/popcount.hpp"

namespace rnx::inline RNX_ISA::host {

/// Outputs of one block, and vectors of words for them.
constexpr int binary_block = geometry::lanes, binary_vectors = binary_block / popcount_lanes;
/// Pixels of a register tile: sums, weights, table and two words in the registers.
constexpr int binary_tile = popcount_bytes == 64 ? 8 : popcount_bytes == 32 ? 3 : 1;
/// Pixels at a time: a multiple of every tile.
constexpr int binary_pixels_least = 24, binary_pixels_most = 96;

template <class T> struct BinaryConvolution;
template <class T> bool binary_marked(const BinaryConvolution<T>& c);

/// Sizes of a binary convolution, as its tasks need them.
template <class T> struct BinaryConvolution {
  op::binary_convolution<T> a;
  geometry::BitWeights weights;
  Convolution<T> as;  ///< the convolution of maps of +1 and -1 whose bits this one has
  long row_words, base_words, sample_words, patch;
  bool marked;
  const CountThresholds* thresholds = nullptr;

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
  /// Null: its values are not wanted as signs.
  const op::Signs<T>* signs() const {
    return as.epilogue.fused && as.epilogue.fused->signs.bits ? &as.epilogue.fused->signs : nullptr;
  }
  T* at(const Pixel& p) const {
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
                                      const Pixel* pixels, int count, PopcountSum::Forms* to,
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
                                      const Pixel* pixels, int count, PopcountSum::Forms* to,
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
template <class T> bool binary_marked(const BinaryConvolution<T>& c, const Pixel& p) {
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

}  // namespace rnx::inline RNX_ISA::host
