// Bits of activations on CUDA.
#pragma once

#include "rnx/kernels/cuda/execute.cuh"
#include "rnx/quant/binarize.hpp"

namespace rnx::inline RNX_ABI::gpu {

/// One word of a sample: 32 signs of a row, padding among them, or the mark of a pixel.
template <class A, class T> struct BinarizeWord {
  op::binarize<A, T> a;
  RNX_HD void operator()(std::size_t e) const {
    const geometry::BitMap& m = a.to;
    const Split word(e, m.sample_words());
    const std::size_t marks = m.bases * m.base_words();
    if (word.remainder >= marks)
      mark(e, word.quotient, word.remainder - marks);
    else
      a.bits[e] = signs(word.quotient, word.remainder);
  }
  RNX_SHARED T value(std::size_t x, int base) const {
    return quant::SignOf<A>::value(a.x.data[x], a.parameters, base, a.to.bases);
  }

 private:
  RNX_SHARED std::uint32_t signs(std::size_t sample, std::size_t index) const {
    const geometry::BitMap& m = a.to;
    const Split word(index, m.row_words()), row(word.quotient, m.h),
        pixel(32 * word.remainder, m.c);
    long w = long(pixel.quotient) - m.pad, c = long(pixel.remainder);
    std::uint32_t bits = 0;
    for (int k = 0; k < 32; ++k) {
      if (w >= 0 && w < m.w)
        bits |= std::uint32_t(value(offset(a.x, sample, int(row.remainder), int(w), int(c)),
                                    int(row.quotient)) < T(0))
                << k;
      if (++c == m.c) {
        c = 0;
        ++w;
      }
    }
    return bits;
  }
  RNX_SHARED void mark(std::size_t e, std::size_t sample, std::size_t index) const {
    const geometry::BitMap& m = a.to;
    const Split at(index, 1 + m.w);
    if (at.remainder == 0) return;  // of the row: below
    bool nan = false;
    for (int c = 0; c < m.c; ++c)
      for (int k = 0; k < m.bases; ++k) {
        const T v = value(offset(a.x, sample, int(at.quotient), int(at.remainder) - 1, c), k);
        nan = nan || v != v;
      }
    a.bits[e] = nan ? ~0u : 0;
  }
};
/// The mark of a row, from those of its pixels.
template <class A, class T> struct MarkRow {
  op::binarize<A, T> a;
  RNX_HD void operator()(std::size_t e) const {
    const geometry::BitMap& m = a.to;
    const Split row(e, m.h);
    std::uint32_t* marks = a.bits + row.quotient * m.sample_words() + m.bases * m.base_words() +
                           row.remainder * (1 + m.w);
    std::uint32_t any = 0;
    for (int w = 1; w <= m.w; ++w) any |= marks[w];
    marks[0] = any;
  }
};
template <class A, class T> struct body<op::binarize<A, T>> {
  template <class E> static void run(const E& on, const op::binarize<A, T>& a) {
    on.each(std::size_t(a.to.n) * a.to.sample_words(), BinarizeWord<A, T>{a});
    on.each(std::size_t(a.to.n) * a.to.h, MarkRow<A, T>{a});
  }
};

}  // namespace rnx::inline RNX_ABI::gpu
