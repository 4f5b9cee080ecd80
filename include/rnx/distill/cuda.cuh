// Room distill on CUDA: resized and normalised maps here; tutors, relations among rows and the
// contrast with a memory in files of their own.
#pragma once

#include "rnx/distill/cuda.hpp"
#include "rnx/distill/cuda_contrast.cuh"
#include "rnx/distill/cuda_relations.cuh"
#include "rnx/distill/cuda_tutor.cuh"
#include "rnx/distill/formulas.hpp"
#include "rnx/kernels/cuda/reduce.cuh"

namespace rnx::inline RNX_ABI::gpu {

template <class T> struct element<op::resize_map<T>> {
  op::resize_map<T> a;
  std::size_t count() const { return a.y.rows(); }
  RNX_HD void operator()(std::size_t i) const {
    const Split column(i, a.y.w), row(column.quotient, a.y.h);
    const op::Sources h = op::sources(a.method, int(row.remainder), a.x.h, a.y.h),
                      w = op::sources(a.method, int(column.remainder), a.x.w, a.y.w);
    T sum = 0;
    for (int k = 0; k < h.count; ++k)
      for (int l = 0; l < w.count; ++l)
        sum += T(h[k] * w[l] * a.x.data[offset(a.x, row.quotient, h.first + k, w.first + l, 0)]);
    a.y.data[i * a.y.stride] = sum;
  }
};
/// Each source pixel looks through all targets, in their order: maps are small, and a sum that is
/// gathered has one order.
template <class T> struct element<op::resize_map_backward<T>> {
  op::resize_map_backward<T> a;
  std::size_t count() const { return a.dx.rows(); }
  RNX_HD void operator()(std::size_t i) const {
    const Split column(i, a.dx.w), row(column.quotient, a.dx.h);
    T sum = a.dx.data[i * a.dx.stride];
    for (int oh = 0; oh < a.dy.h; ++oh) {
      const op::Sources h = op::sources(a.method, oh, a.dx.h, a.dy.h);
      const int k = int(row.remainder) - h.first;
      if (k < 0 || k >= h.count) continue;
      for (int ow = 0; ow < a.dy.w; ++ow) {
        const op::Sources w = op::sources(a.method, ow, a.dx.w, a.dy.w);
        const int l = int(column.remainder) - w.first;
        if (l >= 0 && l < w.count)
          sum += T(h[k] * w[l] * a.dy.data[offset(a.dy, row.quotient, oh, ow, 0)]);
      }
    }
    a.dx.data[i * a.dx.stride] = sum;
  }
};

template <class T> struct NormalizeRows {
  static constexpr int terms = 1;
  op::normalize_rows<T> a;
  T* factor;
  RNX_SHARED void operator()(std::size_t r, std::size_t k, double* acc) const {
    const double v = a.px[r * a.length + k];
    acc[0] += v * v;
  }
  RNX_SHARED void operator()(std::size_t r, const double* sums) const {
    const double norm = std::sqrt(sums[0]);
    if (a.norm) a.norm[r] = T(norm);
    factor[r] = T(1 / larger(norm, a.eps));
  }
  RNX_HD void operator()(std::size_t e) const {
    a.py[e] = a.px[e] * factor[Split(e, a.length).quotient];
  }
};
template <class T> struct body<op::normalize_rows<T>> {
  template <class E> static void run(const E& on, const op::normalize_rows<T>& a) {
    const Scratch<T, E> factor(on, a.rows);
    const NormalizeRows<T> f{a, factor.data()};
    sum_segments(on, a.rows, a.length, false, f, f);
    on.each(a.rows * a.length, f);
  }
};

template <class T> struct NormalizeRowsBackward {
  static constexpr int terms = 1;
  op::normalize_rows_backward<T> a;
  T* along;
  /// Below eps the factor is a constant.
  RNX_SHARED bool moves(std::size_t r) const { return a.norm[r] >= a.eps; }
  RNX_SHARED void operator()(std::size_t r, std::size_t k, double* acc) const {
    acc[0] += double(a.py[r * a.length + k]) * double(a.dy[r * a.length + k]);
  }
  RNX_SHARED void operator()(std::size_t r, const double* sums) const {
    along[r] = moves(r) ? T(sums[0]) : T(0);
  }
  RNX_HD void operator()(std::size_t e) const {
    const std::size_t r = Split(e, a.length).quotient;
    const T factor = T(1 / (moves(r) ? double(a.norm[r]) : a.eps));
    a.dx[e] = (a.dy[e] - a.py[e] * along[r]) * factor;
  }
};
template <class T> struct body<op::normalize_rows_backward<T>> {
  template <class E> static void run(const E& on, const op::normalize_rows_backward<T>& a) {
    const Scratch<T, E> along(on, a.rows);
    const NormalizeRowsBackward<T> f{a, along.data()};
    sum_segments(on, a.rows, a.length, false, f, f);
    on.each(a.rows * a.length, f);
  }
};

}  // namespace rnx::inline RNX_ABI::gpu

namespace rnx::inline RNX_ABI {
RNX_CUDA_DISTILL(RNX_CUDA_DEFINE)
}  // namespace rnx::inline RNX_ABI
