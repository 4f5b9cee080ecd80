// Signs of weights to bits and back.
#pragma once

#include <cstring>

#include "rnx/kernels/cpu/parallel.hpp"
#include "rnx/kernels/op/binary.hpp"

namespace rnx::inline RNX_ISA {

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
