// Maps for kernel tests: NaN behind the active channels of inputs (never read), a mark behind those
// of outputs (never written).
#pragma once

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "rnx/kernels.hpp"

namespace test {

using rnx::cpu;
using rnx::geometry::Map;
template <class Operation> void run(const Operation& a) { rnx::run<cpu>({}, a); }

inline double noise(std::uint64_t i, std::uint64_t site = 0) {
  return 2 * rnx::rng::Stream(7, rnx::Purpose::test, 0, site).uniform(i) - 1;
}

template <class T> std::vector<T> numbers(std::size_t count, std::uint64_t site) {
  std::vector<T> v(count);
  for (std::size_t i = 0; i < count; ++i) v[i] = T(noise(i, site));
  return v;
}

/// A map's memory, exactly as long as its last active channel: the sanitizers see a read behind it.
template <class T> struct Field {
  Map m;
  std::vector<T> v;
  T behind;
  Field(Map map, std::uint64_t site, bool output = false)
      : m(map),
        v(map.rows() * map.stride - (map.stride - map.c)),
        behind(output ? T(77) : std::numeric_limits<T>::quiet_NaN()) {
    for (std::size_t i = 0; i < v.size(); ++i)
      v[i] = int(i % m.stride) < m.c ? T(noise(i, site)) : behind;
  }
  T* data() { return v.data(); }
  T& at(int n, int h, int w, int c) {
    return v[((std::size_t(n) * m.h + h) * m.w + w) * m.stride + c];
  }
  /// Zero outside the map.
  double get(int n, int h, int w, int c) {
    return h < 0 || w < 0 || h >= m.h || w >= m.w ? 0 : double(at(n, h, w, c));
  }
  bool untouched() const {
    for (std::size_t i = 0; i < v.size(); ++i)
      if (int(i % m.stride) >= m.c && std::memcmp(&v[i], &behind, sizeof(T)) != 0) return false;
    return true;
  }
};

/// f(n, h, w, c) for every active element.
template <class F> void each(const Map& m, F f) {
  for (int n = 0; n < m.n; ++n)
    for (int h = 0; h < m.h; ++h)
      for (int w = 0; w < m.w; ++w)
        for (int c = 0; c < m.c; ++c) f(n, h, w, c);
}

template <class T> bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

/// Largest difference over largest value, in units of T's precision.
struct Error {
  double difference = 0, size = 1e-300;
  void operator()(double found, double expected) {
    difference = std::isnan(found) ? 1e300 : std::fmax(difference, std::fabs(found - expected));
    size = std::fmax(size, std::fabs(expected));
  }
  template <class T> double of() const {
    return difference / size / std::numeric_limits<T>::epsilon();
  }
};

/// f() gives the same bits with 1, 2 and 3 threads. f returns the result.
template <class F> bool same_for_threads(F f) {
#ifdef _OPENMP
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const auto one = f();
  bool equal = true;
  for (int threads : {2, 3}) {
    omp_set_num_threads(threads);
    equal = equal && same(one, f());
  }
  omp_set_num_threads(before);
  return equal;
#else
  return same(f(), f());
#endif
}

}  // namespace test
