// Convolutions of signs: bits along the patch under a window, xor and popcount.
//
// A bit says that the sign is -1. A patch has its bits in the order (kh, kw, i), and S = K - 2
// popcount(x xor w) is the sum of its K products: padded positions are 0 bits, a +1 in every base.
#pragma once

#include <cstdint>

#include "rnx/kernels/kernel.hpp"

namespace rnx::inline RNX_ABI {

namespace geometry {

/// Signs of a map of (n, h, w, c), `bases` of them for each value, as words of 32 bits:
///   bits    (sample, base, row, row_words): the row's pixels with `pad` on each side, c bits each,
///           one behind the other; two words more, so that 64 bits may be read at each of them
///   marks   behind a sample's bits: (row, 1 + w), ~0 where a value of the row, of the pixel is NaN
struct BitMap : Map {
  int pad = 0, bases = 1;
  RNX_SHARED constexpr long row_words() const { return (long(w + 2 * pad) * c + 31) / 32 + 2; }
  RNX_SHARED constexpr long base_words() const { return h * row_words(); }
  RNX_SHARED constexpr long sample_words() const {
    return bases * base_words() + long(h) * (1 + w);
  }
};

/// Signs of the weights (base, o, i, kh, kw) as words of 32 bits: (base, block of 16 outputs, word
/// of the patch, 16), then a mark for each output, ~0 where one of its weights is NaN.
struct BitWeights {
  int bases = 1, o = 0, i = 0, kh = 1, kw = 1;
  RNX_SHARED constexpr long bits() const { return long(kh) * kw * i; }
  RNX_SHARED constexpr long patch_words() const { return (bits() + 31) / 32; }
  RNX_SHARED constexpr long blocks() const { return (o + lanes - 1) / lanes; }
  RNX_SHARED constexpr long base_words() const { return blocks() * patch_words() * lanes; }
  RNX_SHARED constexpr long words() const { return bases * base_words() + blocks() * lanes; }
  /// Where the word of bit k of a patch lies.
  RNX_SHARED constexpr long word_of(int base, int out, long k) const {
    return base * base_words() + (out / lanes * patch_words() + k / 32) * lanes + out % lanes;
  }
};

/// Sums of so many signs are exact in float, on the way by Winograd's transforms, too.
constexpr long binary_most = 1l << 20;

/// Whether a convolution of signs takes xor and popcount: a patch must fill words, and its making
/// must be paid for by several outputs (docs/benchmarks.md).
RNX_SHARED constexpr bool binary_wins(int in, int out, int kh, int kw) {
  return long(in) * kh * kw >= 64 && out >= lanes && long(in) * kh * kw <= binary_most;
}

}  // namespace geometry

namespace op {

/// The value whose sign is that of x in an activation base with a shift
/// (quant::MultiBitActivation).
template <class V, class T> RNX_SHARED V shifted(V x, T shift) { return x + shift - T(0.5); }

/// The signs of values, as the bits that a binary convolution reads. shifts: of each base; null: of
/// x itself, one base. alone: nobody reads the values themselves, they need not be stored. bits
/// null: not wanted.
template <class T> struct Signs {
  geometry::BitMap to{};
  std::uint32_t* bits = nullptr;
  const T* shifts = nullptr;
  bool alone = false;
};

/// Signs of weights to bits. base: (bases, o, i, kh, kw), each +1 or -1 or NaN.
template <class T> struct pack_binary {
  geometry::BitWeights g;
  const T* base;
  std::uint32_t* words;
  auto pointers() { return std::tie(base, words); }
};

/// The way back: words to (bases, o, i, kh, kw), each +1 or -1.
template <class T> struct unpack_binary {
  geometry::BitWeights g;
  const std::uint32_t* words;
  T* base;
  auto pointers() { return std::tie(words, base); }
};

/// What a binary convolution reads.
struct BinaryOperands {
  geometry::BitMap x{};
  const std::uint32_t* bits = nullptr;
  const std::uint32_t* weights = nullptr;
  int weight_bases = 1;
};

/// y = sum over weight bases m and activation bases n, in that order, of scale(m, n, o) S(m, n, o)
/// [+ bias], S the exact sum of the products of signs; scale null: 1, for one pair of bases. Each
/// product is rounded, then added: the bits of as many conv2d_forward over maps of +1 and -1. A NaN
/// makes the outputs NaN that it would reach there. filter: of the padded map; winograd: the order
/// in which sums over pixels (op::Tail) are formed.
template <class T> struct binary_convolution {
  BinaryOperands in;
  const T* bias = nullptr;
  const T* scale = nullptr;
  Map<T> y;
  geometry::Filter filter;
  auto pointers() { return std::tie(in.bits, in.weights, bias, scale, y.data); }
};

}  // namespace op
}  // namespace rnx::inline RNX_ABI
