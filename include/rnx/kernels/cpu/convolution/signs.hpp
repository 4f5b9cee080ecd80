// Signs of values where the values are made: bits of op::Signs, in blocks of 16 channels, which are
// two bytes of a pixel, so that tasks share no byte. And the signs of values that are monotone in
// one count of bits: the count is compared, no value is computed.
#pragma once

#include <cstring>

#include "rnx/kernels/cpu/parallel.hpp"
#include "rnx/kernels/cpu/popcount.hpp"
#include "rnx/kernels/cpu/vector.hpp"
#include "rnx/kernels/op/binary.hpp"

namespace rnx::inline RNX_ISA::host {

/// A pixel of a map.
struct Pixel {
  int n, h, w;
};

/// Where the signs of a pixel lie: blocks of 16 channels, those of the next base `base_words`
/// further.
template <class T> std::uint16_t* signs_at(const op::Signs<T>& s, const Pixel& p) {
  const geometry::BitMap& m = s.to;
  std::uint32_t* const row = s.bits + p.n * m.sample_words() + p.h * m.row_words();
  return reinterpret_cast<std::uint16_t*>(row) + long(p.w + m.pad) * (m.c / geometry::lanes);
}
RNX_ALWAYS_INLINE inline void put_mask(std::uint16_t* to, std::uint32_t mask) {
  const auto bits = std::uint16_t(mask);
  __builtin_memcpy(to, &bits, sizeof bits);  // the words are read as such
}

/// Sixteen channels of one base: bit k is set where value k is below 0; nan: whether any is NaN.
struct SignMask {
  std::uint32_t negative = 0, nan = 0;
};
template <class T>
RNX_ALWAYS_INLINE inline SignMask signs_of(const op::Signs<T>& s, int base, const T* y) {
  constexpr int L = vector_lanes<T>;
  SignMask mask;
  decltype(vec<T>{} != vec<T>{}) nan = {};
#pragma GCC unroll 8
  for (int k = 0; k < geometry::lanes; k += L) {
    vec<T> v = load<L>(y + k);
    if (s.shifts) v = op::shifted(v, s.shifts[base]);
    nan |= v != v;
    mask.negative |= mask_bits(v < T(0)) << k;
  }
  mask.nan = mask_bits(nan);
  return mask;
}

/// A value of the pixel is NaN; several tasks may find one.
template <class T> [[gnu::cold, gnu::noinline]] void mark(const op::Signs<T>& s, const Pixel& p) {
  const geometry::BitMap& m = s.to;
  std::uint32_t* const marks =
      s.bits + p.n * m.sample_words() + m.bases * m.base_words() + long(p.h) * (1 + m.w);
  for (std::uint32_t* of : {marks, marks + 1 + p.w}) __atomic_store_n(of, ~0u, __ATOMIC_RELAXED);
}
/// Sixteen channels of a pixel in all bases.
template <class T>
RNX_ALWAYS_INLINE inline void put_signs(const op::Signs<T>& s, const Pixel& p, std::uint16_t* to,
                                        const T* y) {
  for (int k = 0; k < s.to.bases; ++k, to += 2 * s.to.base_words()) {
    const SignMask mask = signs_of(s, k, y);
    put_mask(to, mask.negative);
    if (mask.nan) mark(s, p);
  }
}
/// Rows [row, row + count) of a map (pixel, stride).
template <class T>
void put_signs(const op::Signs<T>& s, const T* y, long stride, long row, int count) {
  const int width = s.to.w, height = s.to.h, blocks = s.to.c / geometry::lanes;
  Pixel p{int(row / (long(width) * height)), int(row / width % height), int(row % width)};
  std::uint16_t* to = signs_at(s, p);
  for (const T* from = y + row * stride; count-- > 0; from += stride) {
    for (int b = 0; b < blocks; ++b) put_signs(s, p, to++, from + b * geometry::lanes);
    if (++p.w < width) continue;
    p.w = 0;
    if (++p.h == height) ++p.n, p.h = 0;
    if (count > 0) to = signs_at(s, p);
  }
}

/// For each output the count from which on its sign is the other one.
struct CountThresholds {
  const std::int32_t* least;     ///< (block, 16)
  const std::uint32_t* inverse;  ///< of each block: set where counts below it are negative

  /// The signs of a block's outputs with these counts.
  std::uint32_t mask(const std::int32_t* counts, int block) const {
    constexpr int L = vector_lanes<float>;
    std::uint32_t mask = 0;
    for (int k = 0; k < geometry::lanes; k += L) {
      vec<std::int32_t, L> count, t;
      std::memcpy(&count, counts + k, sizeof count);
      std::memcpy(&t, least + block * geometry::lanes + k, sizeof t);
      mask |= mask_bits(count >= t) << k;
    }
    return mask ^ inverse[block];
  }
};

/// Of `outputs` values that are monotone in counts 0 to `most`. negative(block, counts of its 16):
/// SignMask. Null where a value is NaN. Alive until the thread's next call.
template <class F> const CountThresholds* find_thresholds(int outputs, long most, F negative) {
  constexpr int lanes = geometry::lanes;
  thread_local CountThresholds found;
  const int blocks = (outputs + lanes - 1) / lanes;
  std::int32_t* const least =
      scratch<std::int32_t>(slot_partial, std::size_t(blocks) * (lanes + 1));
  auto* const inverse = reinterpret_cast<std::uint32_t*>(least + blocks * lanes);
  for (int b = 0; b < blocks; ++b) {
    std::int32_t low[lanes] = {}, high[lanes], middle[lanes];  // (low, high]
    for (std::int32_t& h : high) h = std::int32_t(most);
    const SignMask first = negative(b, low), last = negative(b, high);
    if (first.nan || last.nan) return nullptr;
    for (long width = most; width > 1; width = (width + 1) / 2) {
      for (int k = 0; k < lanes; ++k) middle[k] = low[k] + (high[k] - low[k]) / 2;
      const std::uint32_t at_middle = negative(b, middle).negative;
      for (int k = 0; k < lanes; ++k)
        ((at_middle ^ last.negative) >> k & 1 ? low : high)[k] = middle[k];
    }
    const std::uint32_t constant = ~(first.negative ^ last.negative);
    for (int k = 0; k < lanes; ++k) least[b * lanes + k] = constant >> k & 1 ? 0 : high[k];
    inverse[b] = ~last.negative & 0xffff;
  }
  found = {least, inverse};
  return &found;
}

}  // namespace rnx::inline RNX_ISA::host
