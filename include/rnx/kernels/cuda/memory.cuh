// Operations that move and add memory, on CUDA.
#pragma once

#include "rnx/kernels/cuda/execute.cuh"
#include "rnx/kernels/cuda/memory.hpp"

namespace rnx::inline RNX_ABI::gpu {

template <class T> struct element<op::fill<T>> {
  op::fill<T> a;
  std::size_t count() const { return a.count; }
  RNX_HD void operator()(std::size_t i) const { a.y[i] = a.value; }
};
template <class T> struct element<op::copy<T>> {
  op::copy<T> a;
  std::size_t count() const { return active(a.from); }
  RNX_HD void operator()(std::size_t i) const {
    a.to.data[offset(a.to, i)] = a.from.data[offset(a.from, i)];
  }
};
template <class T> struct element<op::gather_rows<T>> {
  op::gather_rows<T> a;
  std::size_t count() const { return active(a.to); }
  RNX_HD void operator()(std::size_t i) const {
    const Position p(a.to, i);
    a.to.data[offset(a.to, i)] = a.from.data[offset(a.from, a.rows[p.n], p.h, p.w, p.c)];
  }
};
template <class T> struct element<op::scatter_rows<T>> {
  op::scatter_rows<T> a;
  std::size_t count() const { return active(a.from); }
  RNX_HD void operator()(std::size_t i) const {
    const Position p(a.from, i);
    a.to.data[offset(a.to, a.rows[p.n], p.h, p.w, p.c)] = a.from.data[offset(a.from, i)];
  }
};
template <class T> struct element<op::accumulate<T>> {
  op::accumulate<T> a;
  std::size_t count() const { return active(a.from); }
  RNX_HD void operator()(std::size_t i) const {
    a.to.data[offset(a.to, i)] += a.from.data[offset(a.from, i)];
  }
};
template <class T> struct element<op::add<T>> {
  op::add<T> a;
  std::size_t count() const { return active(a.y); }
  RNX_HD void operator()(std::size_t i) const {
    a.y.data[offset(a.y, i)] = a.a.data[offset(a.a, i)] + a.b.data[offset(a.b, i)];
  }
};
template <class T> struct element<op::axpy<T>> {
  op::axpy<T> a;
  std::size_t count() const { return a.count; }
  RNX_HD void operator()(std::size_t i) const { a.y[i] += a.alpha * a.x[i]; }
};

template <class T> struct element<op::scale_channels<T>> {
  op::scale_channels<T> a;
  std::size_t count() const { return active(a.x); }
  RNX_HD void operator()(std::size_t i) const {
    const Position p(a.x, i);
    a.y.data[offset(a.y, i)] = a.x.data[offset(a.x, i)] * a.s.data[p.n * a.s.sample() + p.c];
  }
};
template <class T> struct element<op::scale_channels_gate<T>> {
  op::scale_channels_gate<T> a;
  std::size_t count() const { return std::size_t(a.x.n) * a.x.c; }
  RNX_HD void operator()(std::size_t i) const {
    const Split s(i, a.x.c);
    const T* x = a.x.data + s.quotient * a.x.sample() + s.remainder;
    const T* dy = a.dy.data + s.quotient * a.dy.sample() + s.remainder;
    T sum = 0;
    for (int p = 0; p < a.x.h * a.x.w; ++p)
      sum += x[std::size_t(p) * a.x.stride] * dy[std::size_t(p) * a.dy.stride];
    a.ds.data[s.quotient * a.ds.sample() + s.remainder] = sum;
  }
};

template <class T> struct element<op::pad_shortcut<T>> {
  op::pad_shortcut<T> a;
  std::size_t count() const { return active(a.y); }
  RNX_HD void operator()(std::size_t i) const {
    const Position p(a.y, i);
    const int c = p.c - a.before;
    a.y.data[offset(a.y, i)] =
        c >= 0 && c < a.x.c ? a.x.data[offset(a.x, p.n, p.h * a.stride, p.w * a.stride, c)] : T(0);
  }
};
template <class T> struct element<op::pad_shortcut_backward<T>> {
  op::pad_shortcut_backward<T> a;
  std::size_t count() const { return active(a.dx); }
  RNX_HD void operator()(std::size_t i) const {
    const Position p(a.dx, i);
    const int h = p.h / a.stride, w = p.w / a.stride, c = p.c + a.before;
    const bool reached =
        h * a.stride == p.h && w * a.stride == p.w && h < a.dy.h && w < a.dy.w && c < a.dy.c;
    a.dx.data[offset(a.dx, i)] = reached ? a.dy.data[offset(a.dy, p.n, h, w, c)] : T(0);
  }
};

template <class T> struct element<op::attention_map<T>> {
  op::attention_map<T> a;
  std::size_t count() const { return a.x.rows(); }
  RNX_HD void operator()(std::size_t row) const {
    const T* x = a.x.data + row * a.x.stride;
    T sum = 0;
    for (int c = 0; c < a.x.c; ++c) sum += x[c] * x[c];
    a.f[row] = sum;
  }
};
template <class T> struct element<op::attention_map_backward<T>> {
  op::attention_map_backward<T> a;
  std::size_t count() const { return active(a.x); }
  RNX_HD void operator()(std::size_t i) const {
    a.dx.data[offset(a.dx, i)] += 2 * a.df[Split(i, a.x.c).quotient] * a.x.data[offset(a.x, i)];
  }
};

}  // namespace rnx::inline RNX_ABI::gpu

namespace rnx::inline RNX_ABI {
RNX_CUDA_MEMORY(RNX_CUDA_DEFINE)
}  // namespace rnx::inline RNX_ABI
