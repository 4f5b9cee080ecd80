// The contrast of rows with a memory of rows on CUDA. How many rows are remembered is known on the
// device alone: memory is for as many as there may be.
#pragma once

#include "rnx/distill/op.hpp"
#include "rnx/kernels/cuda/reduce.cuh"
#include "rnx/loss/cuda.cuh"

namespace rnx::inline RNX_ABI::gpu {

/// The slot of the batch's row i, or of the row that was remembered -i steps ago.
template <class T> RNX_SHARED std::size_t slot_of(const op::ring_of_rows<T>& ring, long i) {
  return Split(std::size_t(long(ring.at[0]) + i + ring.capacity), ring.capacity).remainder;
}
/// norms(n) = |x(n)|
template <class T> struct RowNorms {
  static constexpr int terms = 1;
  op::Map<const T> x;
  double* norms;
  RNX_SHARED void operator()(std::size_t n, std::size_t k, double* acc) const {
    const double v = x.data[n * x.stride + k];
    acc[0] += v * v;
  }
  RNX_SHARED void operator()(std::size_t n, const double* sums) const {
    norms[n] = std::sqrt(sums[0]);
  }
};

template <class T> struct PutRows {
  op::put_rows<T> a;
  const double* norms;
  RNX_HD void operator()(std::size_t e) const {
    const Split at(e, a.ring.length);
    const T x = a.x.data[at.quotient * a.x.stride + at.remainder];
    a.ring.rows[slot_of(a.ring, long(at.quotient)) * a.ring.length + at.remainder] =
        T(x / larger(norms[at.quotient], 1e-12));
    if (e == 0) a.ring.at[2] = T(a.x.n);
  }
};
template <class T> struct body<op::put_rows<T>> {
  template <class E> static void run(const E& on, const op::put_rows<T>& a) {
    const Scratch<double, E> norms(on, a.x.n);
    const RowNorms<T> f{a.x, norms.data()};
    sum_segments(on, a.x.n, a.ring.length, false, f, f);
    on.each(std::size_t(a.x.n) * a.ring.length, PutRows<T>{a, norms.data()});
  }
};
template <class T> struct element<op::remember_rows<T>> {
  op::remember_rows<T> a;
  std::size_t count() const { return 1; }
  RNX_HD void operator()(std::size_t) const {
    T* at = a.ring.at;
    at[1] = T(smaller(long(at[1]) + long(at[2]), long(a.ring.capacity)));
    at[0] = T(slot_of(a.ring, long(at[2])));
    at[2] = 0;
  }
};

/// What the passes of row_contrast share.
template <class T> struct Contrast {
  static constexpr std::size_t piece = 256;  // candidates that one thread sums
  op::row_contrast<T> a;
  std::size_t most, pieces;  // candidates of a row, at most, and pieces of them
  double* norms;             // (n)
  double* z;                 // (n, most): logits, then probabilities without the one-hot target
  double* top;               // (n, pieces)
  double* sum;               // (n, pieces)
  double* log_sum;           // (n)
  double* du;                // (n, length)
  double* along;             // (n)

  RNX_SHARED std::size_t all() const {
    return a.s.n + std::size_t(smaller(long(a.ring.at[1]), long(a.newest)));
  }
  RNX_SHARED const T* candidate(std::size_t c) const {
    const long n = a.s.n, i = long(c);
    return a.ring.rows + slot_of(a.ring, i < n ? i : n - 1 - i) * a.ring.length;
  }
  RNX_SHARED double divisor(std::size_t i) const { return larger(norms[i], 1e-12); }
};
template <class T> struct ContrastLogits : Contrast<T> {
  RNX_HD void operator()(std::size_t e) const {
    const Split at(e, this->most);
    if (at.remainder >= this->all()) return;
    const T* s = this->a.s.data + at.quotient * this->a.s.stride;
    const T* v = this->candidate(at.remainder);
    double dot = 0;
    for (int k = 0; k < this->a.ring.length; ++k) dot += double(s[k]) * double(v[k]);
    this->z[e] = dot / (this->divisor(at.quotient) * this->a.temperature);
  }
};
/// Of each piece the largest logit and the sum of exp(z - largest): NaN unless all are finite.
template <class T> struct ContrastPieces : Contrast<T> {
  RNX_HD void operator()(std::size_t e) const {
    const Split at(e, this->pieces);
    const double* z = this->z + at.quotient * this->most;
    const std::size_t begin = at.remainder * this->piece,
                      end = smaller(begin + this->piece, this->all());
    if (begin >= end) return;
    double top = z[begin], sum = 0;
    for (std::size_t c = begin; c < end; ++c) top = larger(top, z[c]);
    for (std::size_t c = begin; c < end; ++c)
      sum += z[c] - z[c] == 0 ? std::exp(z[c] - top) : __builtin_nan("");
    this->top[e] = top;
    this->sum[e] = sum;
  }
};
template <class T> struct ContrastValue : Contrast<T> {
  RNX_HD void operator()(std::size_t i) const {
    const std::size_t used = (this->all() + this->piece - 1) / this->piece;
    const double* tops = this->top + i * this->pieces;
    const double* sums = this->sum + i * this->pieces;
    double top = tops[0], sum = 0;
    for (std::size_t k = 0; k < used; ++k) top = larger(top, tops[k]);
    for (std::size_t k = 0; k < used; ++k) sum += sums[k] * std::exp(tops[k] - top);
    this->log_sum[i] = top + std::log(sum);
    if (this->a.value) this->a.value[i] = T(this->log_sum[i] - this->z[i * this->most + i]);
  }
};
template <class T> struct ContrastProbabilities : Contrast<T> {
  RNX_HD void operator()(std::size_t e) const {
    const Split at(e, this->most);
    if (at.remainder < this->all())
      this->z[e] =
          std::exp(this->z[e] - this->log_sum[at.quotient]) - (at.remainder == at.quotient);
  }
};
template <class T> struct ContrastDirections : Contrast<T> {
  static constexpr int terms = 1;
  /// du(i, k) = sum over c of p(c) v(c, k)
  RNX_HD void operator()(std::size_t e) const {
    const Split at(e, this->a.ring.length);
    const double* p = this->z + at.quotient * this->most;
    const std::size_t all = this->all();
    double sum = 0;
    for (std::size_t c = 0; c < all; ++c) sum += p[c] * double(this->candidate(c)[at.remainder]);
    this->du[e] = sum;
  }
  /// along(i) = <du(i), s(i)> / |s(i)|; below 1e-12 the divisor is a constant.
  RNX_SHARED void operator()(std::size_t i, std::size_t k, double* acc) const {
    if (this->norms[i] >= 1e-12)
      acc[0] += this->du[i * this->a.ring.length + k] *
                double(this->a.s.data[i * this->a.s.stride + k]) / this->norms[i];
  }
  RNX_SHARED void operator()(std::size_t i, const double* sums) const { this->along[i] = sums[0]; }
};
template <class T> struct ContrastBackward : Contrast<T> {
  RNX_HD void operator()(std::size_t e) const {
    const Split at(e, this->a.ring.length);
    const std::size_t i = at.quotient, k = at.remainder;
    const double divisor = this->divisor(i), s = this->a.s.data[i * this->a.s.stride + k],
                 factor = this->a.weight / (this->a.temperature * divisor);
    put(this->a.ds.data[i * this->a.ds.stride + k],
        factor * (this->du[e] - this->along[i] * s / divisor), this->a.add);
  }
};

template <class T> struct body<op::row_contrast<T>> {
  template <class E> static void run(const E& on, const op::row_contrast<T>& a) {
    const std::size_t n = a.s.n, length = a.ring.length,
                      most = n + smaller(a.newest, a.ring.capacity),
                      pieces = (most + Contrast<T>::piece - 1) / Contrast<T>::piece;
    const Scratch<double, E> memory(on, n * (3 + most + 2 * pieces + length));
    double* at = memory.data();
    const auto next = [&](std::size_t count) { return (at += count) - count; };
    const Contrast<T> shared{.a = a,
                             .most = most,
                             .pieces = pieces,
                             .norms = next(n),
                             .z = next(n * most),
                             .top = next(n * pieces),
                             .sum = next(n * pieces),
                             .log_sum = next(n),
                             .du = next(n * length),
                             .along = next(n)};
    const RowNorms<T> norms{a.s, shared.norms};
    sum_segments(on, n, length, false, norms, norms);
    on.each(n * most, ContrastLogits<T>{shared});
    on.each(n * pieces, ContrastPieces<T>{shared});
    on.each(n, ContrastValue<T>{shared});
    if (!a.ds.data) return;
    on.each(n * most, ContrastProbabilities<T>{shared});
    const ContrastDirections<T> directions{shared};
    on.each(n * length, directions);
    sum_segments(on, n, length, false, directions, directions);
    on.each(n * length, ContrastBackward<T>{shared});
  }
};

}  // namespace rnx::inline RNX_ABI::gpu
