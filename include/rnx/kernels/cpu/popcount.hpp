// Counting the bits of many words at once, in vectors of 32-bit words: by AVX-512's VPOPCNTDQ, by
// the table of a nibble that AVX2 looks 32 bytes up in, or by adding neighbouring bits.
#pragma once

#include <cstdint>

#include "rnx/kernels/cpu/vector.hpp"

namespace rnx::inline RNX_ISA::host {

#if defined(__AVX512VPOPCNTDQ__) && RNX_VECTOR_BYTES == 64
#define RNX_POPCOUNT_VECTOR 1
constexpr int popcount_bytes = 64;
#else
#define RNX_POPCOUNT_VECTOR 0
constexpr int popcount_bytes = RNX_VECTOR_BYTES == 16 ? 16 : 32;
#endif
#if defined(__AVX2__) && !RNX_POPCOUNT_VECTOR && !defined(__CUDACC__)
#define RNX_POPCOUNT_TABLE 1
#else
#define RNX_POPCOUNT_TABLE 0
#endif

/// A vector of words, each of them counted alone.
constexpr int popcount_lanes = popcount_bytes / 4;
using Words = vec<std::uint32_t, popcount_lanes>;

/// Sums of popcount(x xor w), a vector of words at a time. Words come in `forms`: as they are, or
/// as their even and odd nibbles, each in a byte.
struct PopcountSum {
  static constexpr int forms = RNX_POPCOUNT_TABLE ? 2 : 1;
  /// Words that may be added before total().
  static constexpr int most = RNX_POPCOUNT_VECTOR ? 1 << 30 : 31;

  /// A word in its forms, the first in the low bits.
  using Forms = std::conditional_t<forms == 1, std::uint32_t, std::uint64_t>;
  static constexpr Forms split(std::uint32_t word) {
    const Forms w = word;
    return forms == 1 ? w : Forms((w | w << 28 % (8 * sizeof(Forms))) & Forms(0x0f0f0f0f0f0f0f0f));
  }
  static constexpr std::uint32_t form(std::uint32_t word, int k) {
    return forms == 1 ? word : word >> 4 * k & 0x0f0f0f0f;
  }

  Words sum = {};

  RNX_ALWAYS_INLINE void add(const Words* x, const Words* w) {
#if RNX_POPCOUNT_TABLE
    sum = add_bytes(add_bytes(sum, looked_up(x[0] ^ w[0])), looked_up(x[1] ^ w[1]));
#elif RNX_POPCOUNT_VECTOR
    sum += counted(x[0] ^ w[0]);
#else
    Words v = x[0] ^ w[0];
    v -= v >> 1 & 0x55555555u;
    v = (v & 0x33333333u) + (v >> 2 & 0x33333333u);
    sum += (v + (v >> 4)) & 0x0f0f0f0fu;
#endif
  }
  /// For each word.
  RNX_ALWAYS_INLINE Words total() const {
    if constexpr (RNX_POPCOUNT_VECTOR) return sum;
    const Words pairs = (sum & 0x00ff00ffu) + (sum >> 8 & 0x00ff00ffu);
    return (pairs & 0xffffu) + (pairs >> 16);
  }

 private:
#if RNX_POPCOUNT_TABLE
  using Bytes = vec<char, popcount_bytes>;
  RNX_ALWAYS_INLINE static Words looked_up(Words nibbles) {
    constexpr Bytes counts = {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
                              0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};
    return Words(__builtin_ia32_pshufb256(counts, Bytes(nibbles)));
  }
  RNX_ALWAYS_INLINE static Words add_bytes(Words a, Words b) { return Words(Bytes(a) + Bytes(b)); }
#elif RNX_POPCOUNT_VECTOR
  RNX_ALWAYS_INLINE static Words counted(Words v) {
#if defined(__clang__) || defined(__CUDACC__)
    for (int k = 0; k < popcount_lanes; ++k) v[k] = std::uint32_t(__builtin_popcount(v[k]));
    return v;
#else
    typedef int Ints __attribute__((vector_size(64)));
    return Words(__builtin_ia32_vpopcountd_v16si(Ints(v)));
#endif
  }
#endif
};

/// Bit k: lane k of a comparison's result.
template <class V> RNX_ALWAYS_INLINE inline std::uint32_t mask_bits(const V& all_or_nothing) {
#if !defined(__CUDACC__) && RNX_VECTOR_BYTES == 64
  typedef int I16 __attribute__((vector_size(64)));
  typedef long long I8 __attribute__((vector_size(64)));
  if constexpr (sizeof(all_or_nothing[0]) == 8)
    return std::uint32_t(__builtin_ia32_cvtq2mask512(I8(all_or_nothing)));
  else
    return std::uint32_t(__builtin_ia32_cvtd2mask512(I16(all_or_nothing)));
#elif !defined(__CUDACC__) && defined(__SSE2__)
  typedef float F4 __attribute__((vector_size(16)));
  typedef double D2 __attribute__((vector_size(16)));
  constexpr bool wide = sizeof(all_or_nothing[0]) == 8;
#if defined(__AVX__)
  typedef float F8 __attribute__((vector_size(32)));
  typedef double D4 __attribute__((vector_size(32)));
  if constexpr (sizeof(V) == 32 && wide)
    return std::uint32_t(__builtin_ia32_movmskpd256(D4(all_or_nothing)));
  else if constexpr (sizeof(V) == 32)
    return std::uint32_t(__builtin_ia32_movmskps256(F8(all_or_nothing)));
  else
#endif
      if constexpr (wide)
    return std::uint32_t(__builtin_ia32_movmskpd(D2(all_or_nothing)));
  else
    return std::uint32_t(__builtin_ia32_movmskps(F4(all_or_nothing)));
#else
  std::uint32_t bits = 0;
  for (int k = 0; k < int(sizeof(V) / sizeof(all_or_nothing[0])); ++k)
    bits |= std::uint32_t(all_or_nothing[k] & 1) << k;
  return bits;
#endif
}

/// `count` <= 64 bits from bit `at` of words of which two more may be read.
RNX_ALWAYS_INLINE inline std::uint64_t bits_at(const std::uint32_t* words, long at, int count) {
  const std::uint32_t* const from = words + (at >> 5);
  const int shift = int(at & 31);
  std::uint64_t v = (from[0] | std::uint64_t(from[1]) << 32) >> shift;
  v |= std::uint64_t(from[2]) << 1 << (63 - shift);
  return v & ~std::uint64_t(0) >> (64 - count);
}

/// Strings of bits, one behind the other, into words of 32, each stored as Store says; bits of the
/// last word beyond them are 0.
template <class To, class Store> class BitWriter {
 public:
  BitWriter(To* to, Store store) : to_(to), store_(store) {}
  /// The low `count` bits, 1 to 64; those above are 0.
  RNX_ALWAYS_INLINE void put(std::uint64_t bits, int count) {
    open_ |= bits << filled_;
    filled_ += count;
    if (filled_ < 64) return;
    *to_++ = store_(std::uint32_t(open_));
    *to_++ = store_(std::uint32_t(open_ >> 32));
    filled_ -= 64;
    open_ = filled_ ? bits >> (count - filled_) : 0;
  }
  RNX_ALWAYS_INLINE void put_zeros(long count) {
    for (; count > 0; count -= 64) put(0, int(smaller(count, 64l)));
  }
  RNX_ALWAYS_INLINE void put_from(const std::uint32_t* words, long at, int count) {
    for (; count > 64; count -= 64, at += 64) put(bits_at(words, at, 64), 64);
    put(bits_at(words, at, count), count);
  }
  /// Whole words, null: of zeros, where nothing but such was put.
  RNX_ALWAYS_INLINE void put_words(const std::uint32_t* words, int count) {
    if (words) {
      RNX_SIMD
      for (int i = 0; i < count; ++i) to_[i] = store_(words[i]);
    } else {
      for (int i = 0; i < count; ++i) to_[i] = 0;
    }
    to_ += count;
  }
  /// The last words. Returns the end of what was written.
  To* finish() {
    for (; filled_ > 0; filled_ -= 32, open_ >>= 32) *to_++ = store_(std::uint32_t(open_));
    return to_;
  }

 private:
  To* to_;
  Store store_;
  std::uint64_t open_ = 0;
  int filled_ = 0;
};

}  // namespace rnx::inline RNX_ISA::host
