// The bodies of the CUDA kernels on the host: a device like any other, for machines without a GPU.
// Elements run in another order than on a GPU: what depends on it shows.
#pragma once

#include "rnx/attack/cuda.cuh"
#include "rnx/distill/cuda.cuh"
#include "rnx/kernels.hpp"
#include "rnx/kernels/cuda/batch_norm.cuh"
#include "rnx/kernels/cuda/binary.cuh"
#include "rnx/kernels/cuda/convolution.cuh"
#include "rnx/kernels/cuda/convolution_weight.cuh"
#include "rnx/kernels/cuda/depthwise.cuh"
#include "rnx/kernels/cuda/memory.cuh"
#include "rnx/kernels/cuda/pointwise.cuh"
#include "rnx/kernels/cuda/pooling.cuh"
#include "rnx/kernels/cuda/weights.cuh"
#include "rnx/linearize/cuda.cuh"
#include "rnx/loss/cuda.cuh"
#include "rnx/optim/cuda.cuh"
#include "rnx/quant/cuda.cuh"
#include "rnx/search/cuda.cuh"
#include "rnx/train/cuda.cuh"

namespace test {

struct emulated {
  static constexpr const char* name = "emulated";
};

struct HostExecutor {
  template <class F> void each(std::size_t count, const F& f) const {
    for (std::size_t i = count; i-- > 0;) f(i);
  }
  void* allocate(std::size_t bytes) const { return rnx::memory<rnx::cpu>::allocate(bytes); }
  void release(void* p) const { rnx::memory<rnx::cpu>::release(p); }
  template <class T> void gemm(const rnx::gpu::Gemm<T>& p) const {
    for (int one = 0; one < p.batch; ++one)
      for (int i = 0; i < p.m; ++i)
        for (int j = 0; j < p.n; ++j) {
          const T *a = p.a + one * p.step_a, *b = p.b + one * p.step_b;
          T sum = 0;
          for (int l = 0; l < p.k; ++l)
            sum += a[p.transposed ? l * p.lda + i : i * p.lda + l] * b[l * p.ldb + j];
          p.c[one * p.step_c + i * p.ldc + j] = sum;
        }
  }
};

}  // namespace test

namespace rnx::inline RNX_ABI {
template <> struct memory<test::emulated> : memory<cpu> {};
template <class Operation> struct launch<test::emulated, Operation> {
  static void run(Stream, const Operation& a) {
    gpu::body<Operation>::run(test::HostExecutor{}, a);
  }
};
}  // namespace rnx::inline RNX_ABI

/// As cuda does, it computes with bits.
template <> inline constexpr bool rnx::has_binary<test::emulated> = true;
