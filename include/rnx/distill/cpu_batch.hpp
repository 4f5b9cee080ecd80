// CPU kernels of losses that couple a batch, in double. Rows are independent, and sums over rows
// run in their order: the same bits for every number of threads.
#pragma once

#include "rnx/distill/cpu.hpp"
#include "rnx/distill/formulas.hpp"
#include "rnx/loss/cpu.hpp"

namespace rnx::inline RNX_ISA::host {

/// <a, b>
template <class T> double dot(const T* a, const T* b, std::size_t length) {
  return sum_of(length, [&](auto width, std::size_t k) RNX_ALWAYS_INLINE {
    constexpr int N = decltype(width)::value;
    return load_double<N>(a + k) * load_double<N>(b + k);
  });
}
/// q(i, j) = <x(i), x(j)>, dense.
template <class T> void gram(const op::Map<const T>& x, double* q) {
  const std::size_t n = std::size_t(x.n);
  for_rows(n, double(n) * x.c, [&](std::size_t i) {
    for (std::size_t j = 0; j <= i; ++j)
      q[i * n + j] = q[j * n + i] = dot(x.data + i * x.stride, x.data + j * x.stride, x.c);
  });
}
/// dx(i) = sum over j of (dq(i, j) + dq(j, i)) x(j)
template <class T>
void gram_backward(const op::Map<const T>& x, const double* dq, const op::Map<T>& dx, bool add) {
  const std::size_t n = std::size_t(x.n);
  for_rows(n, 2.0 * double(n) * x.c, [&](std::size_t i) {
    T* to = dx.data + i * dx.stride;
    for_lanes<double>(x.c, [&](auto width, int k) RNX_ALWAYS_INLINE {
      constexpr int N = decltype(width)::value;
      vec<double, N> sum = {};
      for (std::size_t j = 0; j < n; ++j)
        sum += (dq[i * n + j] + dq[j * n + i]) * load_double<N>(x.data + j * x.stride + k);
      double values[N];
      store(values, sum);
      for (int e = 0; e < N; ++e) put(to[k + e], values[e], add);
    });
  });
}

using op::Grams;

template <class T> void compare_similarity(const Grams& g, double weight, T* value) {
  for_rows(g.n, 12.0 * double(g.n),
           [&](std::size_t i) { op::compare_similarity_row(g, i, weight, value); });
}

/// q becomes d(i, j) = |x(i) - x(j)|; returns their mean over i != j. row: memory of n values.
inline double distances(double* q, std::size_t n, double* row) {
  for (std::size_t i = 0; i < n; ++i) row[i] = q[i * n + i];
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      const double square = i == j ? 0 : row[i] + row[j] - 2 * q[i * n + j];
      sum += q[i * n + j] = std::sqrt(larger(square, 0.0));
    }
  return sum / (double(n) * double(n - 1));
}
template <class T> void compare_distances(const Grams& g, double weight, T* value) {
  const std::size_t n = g.n;
  const double count = double(n) * double(n - 1);
  double* row = scratch<double>(slot_runs, n);
  const double mean_s = distances(g.s, n, row), mean_t = distances(g.t, n, row);
  double along = 0;  // sum of dL/dpsi d, which the mean distance divides
  for (std::size_t i = 0; i < n; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < n; ++j) {
      if (i == j) continue;
      const double e = g.s[i * n + j] / mean_s - g.t[i * n + j] / mean_t;
      sum += op::huber(e);
      if (!g.ds) continue;
      g.ds[i * n + j] = weight / double(n) * op::huber_slope(e);
      along += g.ds[i * n + j] * g.s[i * n + j];
    }
    if (value) value[i] = T(sum / double(n));
  }
  if (!g.ds) return;
  for (std::size_t i = 0; i < n; ++i) {
    double own = 0;
    for (std::size_t j = 0; j < n; ++j) {
      const double d = g.s[i * n + j];
      if (i == j) continue;
      double& to = g.ds[i * n + j];
      const double of_square =
          d == 0 ? 0 : (to / mean_s - along / (mean_s * mean_s * count)) / (2 * d);
      to = -2 * of_square;
      own += 2 * of_square;
    }
    g.ds[i * n + i] = own;
  }
}

/// Angles at one row: differences u(i) = x(i) - x(at), r(i) = |u(i)|.
class Angles {
 public:
  Angles(const double* q, std::size_t n, std::size_t at, double* length)
      : q_(q),
        n_(n),
        at_(at),
        length_(length) {
    for (std::size_t i = 0; i < n; ++i) length_[i] = std::sqrt(larger(product(i, i), 0.0));
  }
  double length(std::size_t i) const { return length_[i]; }
  /// The cosine; 0 where a difference is.
  double operator()(std::size_t i, std::size_t k) const {
    const double lengths = length_[i] * length_[k];
    return lengths == 0 ? 0 : product(i, k) / lengths;
  }

 private:
  double product(std::size_t i, std::size_t k) const {
    return q_[i * n_ + k] - q_[i * n_ + at_] - q_[k * n_ + at_] + q_[at_ * n_ + at_];
  }
  const double* q_;
  std::size_t n_, at_;
  double* length_;
};
/// Of the angles at one row: the sum of H over pairs i < k; where ds is wanted it is added to by
/// weight times the gradient.
inline double compare_angles_at(const Grams& g, std::size_t at, double weight, double* ds) {
  const std::size_t n = g.n;
  double* memory = scratch<double>(slot_runs, 4 * n);
  const Angles s(g.s, n, at, memory), t(g.t, n, at, memory + n);
  double *row = memory + 2 * n,
         *own = memory + 3 * n;  // gradients of <u(i), :> and of <u(i), u(i)>
  for (std::size_t i = 0; i < 2 * n; ++i) row[i] = 0;
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < i; ++k) {
      const double a = s(i, k), e = a - t(i, k), lengths = s.length(i) * s.length(k);
      sum += op::huber(e);
      if (!ds || lengths == 0) continue;
      const double slope = weight * op::huber_slope(e), product = slope / lengths;
      ds[i * n + k] += product;
      row[i] += product;
      row[k] += product;
      own[i] -= slope * a / (2 * s.length(i) * s.length(i));
      own[k] -= slope * a / (2 * s.length(k) * s.length(k));
    }
  if (!ds) return sum;
  for (std::size_t i = 0; i < n; ++i) {
    ds[i * n + i] += own[i];
    ds[i * n + at] -= row[i] + 2 * own[i];
    ds[at * n + at] += row[i] / 2 + own[i];
  }
  return sum;
}
template <class T> void compare_angles(const Grams& g, double weight, T* value) {
  const std::size_t n = g.n;
  const long chunks = clamped(long(n), 1l, 16l);
  double* partial = g.ds ? scratch<double>(slot_partial, std::size_t(chunks) * n * n) : nullptr;
  parallel_for(
      chunks,
      [&](long chunk) {
        double* own = g.ds ? partial + std::size_t(chunk) * n * n : nullptr;
        for (std::size_t k = 0; own && k < n * n; ++k) own[k] = 0;
        const std::size_t end = chunk_begin(long(n), chunks, chunk + 1);
        for (std::size_t at = chunk_begin(long(n), chunks, chunk); at < end; ++at) {
          const double each = 2 / (double(n) * double(n));  // i < k stands for k < i too
          const double sum = compare_angles_at(g, at, weight * each, own);
          if (value) value[at] = T(each * sum);
        }
      },
      20.0 * double(n) * double(n) * double(n));
  if (!g.ds) return;
  for (std::size_t k = 0; k < n * n; ++k) {
    double sum = 0;
    for (long chunk = 0; chunk < chunks; ++chunk) sum += partial[std::size_t(chunk) * n * n + k];
    g.ds[k] = sum;
  }
}

/// The slot of the batch's row i, or of the row that was remembered -i steps ago.
template <class T> std::size_t slot_of(const op::ring_of_rows<T>& ring, long i) {
  return std::size_t((long(ring.at[0]) + i + ring.capacity) % ring.capacity);
}

}  // namespace rnx::inline RNX_ISA::host

namespace rnx::inline RNX_ISA {

template <class T> struct kernel<cpu, op::row_relations<T>> {
  static void run(Stream, const op::row_relations<T>& a) {
    const std::size_t n = std::size_t(a.s.n);
    double* memory = host::scratch<double>(host::slot_input, 3 * n * n);
    const host::Grams g{n, memory, memory + n * n, a.ds.data ? memory + 2 * n * n : nullptr};
    host::gram(a.s, g.s);
    host::gram(a.t, g.t);
    switch (a.kind) {
      case op::Relation::similarity: host::compare_similarity(g, a.weight, a.value); break;
      case op::Relation::distance: host::compare_distances(g, a.weight, a.value); break;
      default: host::compare_angles(g, a.weight, a.value);
    }
    if (g.ds) host::gram_backward(a.s, g.ds, a.ds, a.add);
  }
};

template <class T> struct kernel<cpu, op::put_rows<T>> {
  static void run(Stream, const op::put_rows<T>& a) {
    const std::size_t length = std::size_t(a.ring.length);
    host::for_rows(std::size_t(a.x.n), 3.0 * double(length), [&](std::size_t i) {
      const T* x = a.x.data + i * a.x.stride;
      T* to = a.ring.rows + host::slot_of(a.ring, long(i)) * length;
      const double norm = host::larger(std::sqrt(host::dot(x, x, length)), 1e-12);
      for (std::size_t k = 0; k < length; ++k) to[k] = T(x[k] / norm);
    });
    a.ring.at[2] = T(a.x.n);
  }
};

template <class T> struct kernel<cpu, op::remember_rows<T>> {
  static void run(Stream, const op::remember_rows<T>& a) {
    T* at = a.ring.at;
    at[1] = T(host::smaller(long(at[1]) + long(at[2]), long(a.ring.capacity)));
    at[0] = T(host::slot_of(a.ring, long(at[2])));
    at[2] = 0;
  }
};

template <class T> struct kernel<cpu, op::row_contrast<T>> {
  static void run(Stream, const op::row_contrast<T>& a) {
    const std::size_t length = std::size_t(a.ring.length);
    const long n = a.s.n, all = n + host::smaller(long(a.ring.at[1]), long(a.newest));
    const auto candidate = [&](long c) {
      return a.ring.rows + host::slot_of(a.ring, c < n ? c : n - 1 - c) * length;
    };
    host::for_rows(std::size_t(n), 4.0 * double(all) * double(length), [&](std::size_t i) {
      const T* s = a.s.data + i * a.s.stride;
      double* z = host::scratch<double>(host::slot_runs, std::size_t(all) + length);
      double* du = z + all;
      const double norm = std::sqrt(host::dot(s, s, length)), divisor = host::larger(norm, 1e-12);
      for (long c = 0; c < all; ++c)
        z[c] = host::dot(s, candidate(c), length) / (divisor * a.temperature);
      const double log_sum = host::log_sum_exp(z, int(all), 1);
      if (a.value) a.value[i] = T(log_sum - z[i]);
      if (!a.ds.data) return;
      for (std::size_t k = 0; k < length; ++k) du[k] = 0;
      for (long c = 0; c < all; ++c) {
        const T* v = candidate(c);
        const double p = std::exp(z[c] - log_sum) - (c == long(i));
        for (std::size_t k = 0; k < length; ++k) du[k] += p * double(v[k]);
      }
      double along = 0;  // below 1e-12 the divisor is a constant
      if (norm >= 1e-12)
        for (std::size_t k = 0; k < length; ++k) along += du[k] * double(s[k]) / norm;
      T* ds = a.ds.data + i * a.ds.stride;
      const double factor = a.weight / (a.temperature * divisor);
      for (std::size_t k = 0; k < length; ++k)
        host::put(ds[k], factor * (du[k] - along * double(s[k]) / divisor), a.add);
    });
  }
};

}  // namespace rnx::inline RNX_ISA
