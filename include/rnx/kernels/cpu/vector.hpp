// Vectors of the target's width through compiler extensions: one source for every instruction set.
// Width 1 is the scalar itself, so that one expression serves full vectors and tails.
#pragma once

#include <type_traits>

#include "rnx/kernels/cpu/parallel.hpp"

#define RNX_ALWAYS_INLINE __attribute__((always_inline))

namespace rnx::inline RNX_ISA::host {

template <class T, int N> struct VectorOf {
  typedef T type __attribute__((vector_size(N * sizeof(T))));
};
template <class T> struct VectorOf<T, 1> { using type = T; };

/// Elements of T in one register.
template <class T> constexpr int vector_lanes = RNX_VECTOR_BYTES / int(sizeof(T));
template <class T, int N = vector_lanes<T>> using vec = typename VectorOf<T, N>::type;

template <int N, class T> RNX_ALWAYS_INLINE inline vec<T, N> load(const T* p) {
  vec<T, N> v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class T, class V> RNX_ALWAYS_INLINE inline void store(T* p, const V& v) {
  __builtin_memcpy(p, &v, sizeof v);
}

/// N elements as double.
template <int N, class T> RNX_ALWAYS_INLINE inline vec<double, N> load_double(const T* p) {
  if constexpr (std::is_same_v<T, double>)
    return load<N>(p);
  else if constexpr (N == 1)
    return double(*p);
  else
    return __builtin_convertvector(load<N>(p), vec<double, N>);
}

/// The first `count` of a vector's elements.
template <class T, class V> RNX_ALWAYS_INLINE inline void store_first(T* p, const V& v, int count) {
  if (count >= int(sizeof(V) / sizeof(T))) return store(p, v);
  T all[sizeof(V) / sizeof(T)];
  store(all, v);
  for (int i = 0; i < count; ++i) p[i] = all[i];
}
template <int N, class T> RNX_ALWAYS_INLINE inline vec<T, N> load_first(const T* p, int count) {
  if (count >= N) return load<N>(p);
  T all[N] = {};
  for (int i = 0; i < count; ++i) all[i] = p[i];
  return load<N>(all);
}

/// Elements K... of a and b, one behind the other.
template <class T, int... K, class V>
RNX_ALWAYS_INLINE inline vec<T, int(sizeof...(K))> shuffled(const V& a, const V& b) {
#ifdef __CUDACC__  // nvcc does not expand a pack in the builtin's arguments
  constexpr int N = int(sizeof(V) / sizeof(T)), from[] = {K...};
  T all[2 * N], out[sizeof...(K)];
  store(all, a);
  store(all + N, b);
  for (int i = 0; i < int(sizeof...(K)); ++i) out[i] = all[from[i]];
  return load<int(sizeof...(K))>(out);
#else
  return __builtin_shufflevector(a, b, K...);
#endif
}

/// a b + c. Tuned for AMD's Zen, GCC contracts the expression or not by the loop around it, and two
/// tiles of one sum would differ in their bits: there it is said.
template <class T>
RNX_ALWAYS_INLINE inline vec<T> multiply_add(const vec<T>& a, const vec<T>& b, const vec<T>& c) {
#if defined(__FMA__) && RNX_VECTOR_BYTES == 32 && defined(__GNUC__) && !defined(__clang__)
  if constexpr (std::is_same_v<T, float>)
    return __builtin_ia32_vfmaddps256(a, b, c);
  else
    return __builtin_ia32_vfmaddpd256(a, b, c);
#else
  return a * b + c;
#endif
}
/// Keeps a rounded value as it is: the multiplication before it and the addition behind it are not
/// fused.
template <class V> RNX_ALWAYS_INLINE inline void rounded(V& v) {
#if defined(__x86_64__) && defined(__AVX512F__)
  asm volatile("" : "+v"(v));
#elif defined(__x86_64__)
  asm volatile("" : "+x"(v));
#else
  asm volatile("" : "+m"(v));
#endif
}

/// a b + c with one rounding where the target has fused multiply-adds, else with two: said, where
/// more than one place must compute the same bits. V: a vector of vector_lanes<T>, or T.
template <class T, class V>
RNX_ALWAYS_INLINE inline V fused_multiply_add(const V& a, const V& b, const V& c) {
#if defined(__FMA__) && !defined(__CUDACC__)
  constexpr bool single = sizeof(T) == 4;
  if constexpr (std::is_same_v<V, float>)
    return __builtin_fmaf(a, b, c);
  else if constexpr (std::is_same_v<V, double>)
    return __builtin_fma(a, b, c);
#if RNX_VECTOR_BYTES == 64
  else if constexpr (single)
    return __builtin_ia32_vfmaddps512_mask(a, b, c, (unsigned short)-1, 4);  // rounded as usual
  else
    return __builtin_ia32_vfmaddpd512_mask(a, b, c, (unsigned char)-1, 4);
#else
  else if constexpr (single)
    return __builtin_ia32_vfmaddps256(a, b, c);
  else
    return __builtin_ia32_vfmaddpd256(a, b, c);
#endif
#else
  return a * b + c;
#endif
}
/// Batch norm of a value, wherever it is computed: (v - mean) factor + shift, the difference
/// rounded, then fused_multiply_add. factor: gamma / sqrt(var + eps), in double, then rounded.
template <class T, class V>
RNX_ALWAYS_INLINE inline V normalized_value(const V& v, const V& mean, const V& factor,
                                            const V& shift) {
  return fused_multiply_add<T>(V(v - mean), factor, shift);
}

/// f(width, j) for the channels [0, c): full vectors, then one by one. width is an
/// integral_constant.
template <class T, class F> RNX_ALWAYS_INLINE inline void for_lanes(int c, F&& f) {
  constexpr int L = vector_lanes<T>;
  int j = 0;
  for (; j + L <= c; j += L) f(std::integral_constant<int, L>{}, j);
  for (; j < c; ++j) f(std::integral_constant<int, 1>{}, j);
}

// A NaN as the first argument comes through.
template <class T> constexpr T smaller(T a, T b) { return b < a ? b : a; }
template <class T> constexpr T larger(T a, T b) { return a < b ? b : a; }
template <class T> constexpr T clamped(T v, T low, T high) {
  return v < low ? low : high < v ? high : v;
}

}  // namespace rnx::inline RNX_ISA::host
