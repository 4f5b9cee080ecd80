// Weight maps and activation maps, on CUDA. Maps of the library: rnx/cuda.cuh lists them; others:
// quant/cuda.cuh.
#pragma once

#include "rnx/kernels/cuda/declare.hpp"
#include "rnx/quant/binarize.hpp"
#include "rnx/quant/maps.hpp"

#define RNX_CUDA_QUANT(f) f(base_products)

namespace rnx::inline RNX_ABI {
RNX_CUDA_QUANT(RNX_CUDA_DECLARE)

template <class W, class T> struct launch<cuda, op::weight_bases<W, T>> {
  static void run(Stream, const op::weight_bases<W, T>&);
};
template <class W, class T> struct launch<cuda, op::weight_bases_backward<W, T>> {
  static void run(Stream, const op::weight_bases_backward<W, T>&);
};
template <class A, class T> struct launch<cuda, op::activation_bases<A, T>> {
  static void run(Stream, const op::activation_bases<A, T>&);
};
template <class A, class T> struct launch<cuda, op::activation_bases_backward<A, T>> {
  static void run(Stream, const op::activation_bases_backward<A, T>&);
};
template <class A, class T> struct launch<cuda, op::binarize<A, T>> {
  static void run(Stream, const op::binarize<A, T>&);
};
}  // namespace rnx::inline RNX_ABI
