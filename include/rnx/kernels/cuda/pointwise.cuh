// Elementwise operations on CUDA, over functors that every device shares.
// A functor of your own: include this in a .cu file and write RNX_CUDA_FUNCTOR(MyFunctor) at
// namespace scope, outside every namespace. In .cu files say rnx::cuda, not cuda: the toolkit has a
// namespace of that name.
#pragma once

#include "rnx/core/rng.hpp"
#include "rnx/kernels/cuda/execute.cuh"
#include "rnx/kernels/cuda/pointwise.hpp"

namespace rnx::inline RNX_ABI::gpu {

template <class F, class T> struct element<op::pointwise_forward<F, T>> {
  op::pointwise_forward<F, T> a;
  std::size_t count() const { return active(a.x); }
  RNX_HD void operator()(std::size_t i) const {
    a.y.data[offset(a.y, i)] = F::forward(a.x.data[offset(a.x, i)]);
  }
};
template <class F, class T> struct element<op::pointwise_backward<F, T>> {
  op::pointwise_backward<F, T> a;
  std::size_t count() const { return active(a.v); }
  RNX_HD void operator()(std::size_t i) const {
    const auto slope = F::derivative(a.v.data[offset(a.v, i)]);
    a.dx.data[offset(a.dx, i)] = slope == 0 ? T(0) : a.dy.data[offset(a.dy, i)] * slope;
  }
};

/// Element i's value of a mask (c, h, w).
template <class T> RNX_SHARED bool masked(const geometry::Map& m, const T* mask, std::size_t i) {
  const Split channel(i, m.c), pixel(channel.quotient, std::size_t(m.h) * m.w);
  return mask[channel.remainder * m.h * m.w + pixel.remainder] != 0;
}
template <class T> struct element<op::masked_relu_forward<T>> {
  op::masked_relu_forward<T> a;
  std::size_t count() const { return active(a.x); }
  RNX_HD void operator()(std::size_t i) const {
    const T x = a.x.data[offset(a.x, i)];
    a.y.data[offset(a.y, i)] = masked(a.x, a.mask, i) && x <= 0 ? T(0) : x;
  }
};
template <class T> struct element<op::masked_relu_backward<T>> {
  op::masked_relu_backward<T> a;
  std::size_t count() const { return active(a.y); }
  RNX_HD void operator()(std::size_t i) const {
    a.dx.data[offset(a.dx, i)] =
        masked(a.y, a.mask, i) && a.y.data[offset(a.y, i)] <= 0 ? T(0) : a.dy.data[offset(a.dy, i)];
  }
};

template <class T> struct element<op::affine_channels<T>> {
  op::affine_channels<T> a;
  std::size_t count() const { return active(a.x); }
  RNX_HD void operator()(std::size_t i) const {
    const std::size_t c = Split(i, a.x.c).remainder;
    const T x = a.x.data[offset(a.x, i)];
    a.y.data[offset(a.y, i)] = (a.shift ? x - a.shift[c] : x) / a.divisor[c];
  }
};

/// An element's number counts samples, pixels and the channels of the maximum (x.stride): equal for
/// every choice of active channels.
template <class T> struct element<op::dropout<T>> {
  op::dropout<T> a;
  std::size_t count() const { return active(a.x); }
  RNX_HD void operator()(std::size_t i) const {
    const rng::Stream stream(a.values ? a.values->seed : 0, Purpose::dropout,
                             (a.values ? a.values->draw : 0) + a.draw, a.site);
    const Position at(a.x, i);
    const std::uint64_t sample = a.first_sample + geometry::sample_of(a.samples, at.n),
                        pixel = (sample * a.x.h + at.h) * a.x.w + at.w,
                        number = pixel * a.x.stride + at.c;
    const T x = a.x.data[offset(a.x, i)];
    a.y.data[offset(a.y, i)] = stream.uniform(number) >= a.p ? x * T(1 / (1 - a.p)) : x - x;
  }
};

}  // namespace rnx::inline RNX_ABI::gpu

namespace rnx::inline RNX_ABI {
RNX_CUDA_POINTWISE(RNX_CUDA_DEFINE)
#ifdef __CUDACC__
template <class F, class T>
void launch<cuda, op::pointwise_forward<F, T>>::run(Stream s,
                                                    const op::pointwise_forward<F, T>& a) {
  gpu::execute("pointwise_forward", s, a);
}
template <class F, class T>
void launch<cuda, op::pointwise_backward<F, T>>::run(Stream s,
                                                     const op::pointwise_backward<F, T>& a) {
  gpu::execute("pointwise_backward", s, a);
}
#endif
}  // namespace rnx::inline RNX_ABI

#define RNX_CUDA_FUNCTOR_(T, ...)                                                     \
  template struct rnx::launch<rnx::cuda, rnx::op::pointwise_forward<__VA_ARGS__, T>>; \
  template struct rnx::launch<rnx::cuda, rnx::op::pointwise_backward<__VA_ARGS__, T>>;
/// Forward and backward of one elementwise functor, in float and double.
#define RNX_CUDA_FUNCTOR(...)           \
  RNX_CUDA_FUNCTOR_(float, __VA_ARGS__) \
  RNX_CUDA_FUNCTOR_(double, __VA_ARGS__)
