// Weight maps and activation maps on CUDA.
// A map of your own: include this in a .cu file and write RNX_CUDA_WEIGHT_MAP(MyWeights) or
// RNX_CUDA_ACTIVATION_MAP(MyActivation) (of signs RNX_CUDA_BINARIZE(MyActivation), too) at
// namespace scope, outside every namespace. The functions of an elementwise map say RNX_SHARED; for
// a map that acts on all weights specialise gpu::body of its operations first.
#pragma once

#include "rnx/quant/cuda.hpp"
#include "rnx/quant/cuda_activations.cuh"
#include "rnx/quant/cuda_binarize.cuh"
#include "rnx/quant/cuda_multi_bit.cuh"
#include "rnx/quant/cuda_weights.cuh"

namespace rnx::inline RNX_ABI::gpu {

template <class T> struct element<op::base_products<T>> {
  op::base_products<T> a;
  std::size_t count() const { return std::size_t(a.k) * a.n * a.o; }
  RNX_HD void operator()(std::size_t e) const {
    const Split o(e, a.o), n(o.quotient, a.n);
    const T scale = a.scales ? a.scales[n.quotient * a.o + o.remainder] : T(1);
    a.products[e] = scale * (a.betas ? a.betas[n.remainder] : T(1));
  }
};

}  // namespace rnx::inline RNX_ABI::gpu

namespace rnx::inline RNX_ABI {
RNX_CUDA_QUANT(RNX_CUDA_DEFINE)
#ifdef __CUDACC__
template <class W, class T>
void launch<cuda, op::weight_bases<W, T>>::run(Stream s, const op::weight_bases<W, T>& a) {
  gpu::execute("weight_bases", s, a);
}
template <class W, class T>
void launch<cuda, op::weight_bases_backward<W, T>>::run(Stream s,
                                                        const op::weight_bases_backward<W, T>& a) {
  gpu::execute("weight_bases_backward", s, a);
}
template <class A, class T>
void launch<cuda, op::activation_bases<A, T>>::run(Stream s, const op::activation_bases<A, T>& a) {
  gpu::execute("activation_bases", s, a);
}
template <class A, class T>
void launch<cuda, op::activation_bases_backward<A, T>>::run(
    Stream s, const op::activation_bases_backward<A, T>& a) {
  gpu::execute("activation_bases_backward", s, a);
}
template <class A, class T>
void launch<cuda, op::binarize<A, T>>::run(Stream s, const op::binarize<A, T>& a) {
  gpu::execute("binarize", s, a);
}
#endif
}  // namespace rnx::inline RNX_ABI

#define RNX_CUDA_MAP_(operation, ...)                                             \
  template struct rnx::launch<rnx::cuda, rnx::op::operation<__VA_ARGS__, float>>; \
  template struct rnx::launch<rnx::cuda, rnx::op::operation<__VA_ARGS__, double>>;
/// Forward and backward of one map, in float and double.
#define RNX_CUDA_WEIGHT_MAP(...)           \
  RNX_CUDA_MAP_(weight_bases, __VA_ARGS__) \
  RNX_CUDA_MAP_(weight_bases_backward, __VA_ARGS__)
#define RNX_CUDA_ACTIVATION_MAP(...)           \
  RNX_CUDA_MAP_(activation_bases, __VA_ARGS__) \
  RNX_CUDA_MAP_(activation_bases_backward, __VA_ARGS__)
/// Bits of an activation map of signs.
#define RNX_CUDA_BINARIZE(...) RNX_CUDA_MAP_(binarize, __VA_ARGS__)
