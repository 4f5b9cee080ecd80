// Version, and the two inline namespaces that keep translation units with different flags apart.
//
//   namespace rnx::inline RNX_ABI { ... }   names the version only: errors, tags, geometry,
//   declarations of device kernels, bookkeeping
//   namespace rnx::inline RNX_ISA { ... }   names version, instruction set, OpenMP, RNX_WINOGRAD
//   and RNX_DEVICE: CPU kernels and every template that reaches them
//
// Two object files built with different -march link, and each calls the kernels that were compiled
// for it.
#pragma once

// Under -ffinite-math-only every comparison that lets a NaN through folds away, here and in
// <cmath>: no check would be left.
#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
#error "rnx: -ffast-math and -Ofast hide NaN and infinity; add -fno-finite-math-only behind them"
#endif

#define RNX_VERSION_MAJOR 0
#define RNX_VERSION_MINOR 1
#define RNX_VERSION_PATCH 0

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#if defined(__AVX512VPOPCNTDQ__)
#define RNX_ISA_LEVEL avx512_vpopcntdq
#else
#define RNX_ISA_LEVEL avx512
#endif
#define RNX_VECTOR_BYTES 64
#elif defined(__AVX2__) && defined(__FMA__)
#define RNX_ISA_LEVEL avx2
#define RNX_VECTOR_BYTES 32
#elif defined(__AVX__)
#define RNX_ISA_LEVEL avx
#define RNX_VECTOR_BYTES 32
#else
#define RNX_ISA_LEVEL plain
#define RNX_VECTOR_BYTES 16
#endif

#ifdef _OPENMP
#define RNX_THREADING omp
#else
#define RNX_THREADING serial
#endif

/// 0: convolutions of 3x3 and stride 1 are summed directly everywhere, never by Winograd's F(2x2,
/// 3x3).
#ifndef RNX_WINOGRAD
#define RNX_WINOGRAD 1
#endif
#if RNX_WINOGRAD
#define RNX_SUMMATION winograd
#else
#define RNX_SUMMATION direct
#endif

/// The device that a program is compiled for: where networks, optimizers and attacks live unless
/// they name another. cpu, cuda or loopback; a whole program says -DRNX_DEVICE=cuda.
#ifndef RNX_DEVICE
#define RNX_DEVICE cpu
#endif

/// Functions that host and CUDA kernels share.
#ifdef __CUDACC__
#define RNX_HD __host__ __device__
#define RNX_SHARED __host__ __device__ __forceinline__
#else
#define RNX_HD
/// For code in RNX_ABI that computes: inlined always, so that no instruction set's copy is called
/// from another's code.
#define RNX_SHARED [[gnu::always_inline]] inline
#endif

#define RNX_JOIN5_(a, b, c, d, e) a##b##_##c##_##d##_##e
#define RNX_JOIN5(a, b, c, d, e) RNX_JOIN5_(a, b, c, d, e)
#define RNX_TEXT_(a) #a
#define RNX_TEXT(a) RNX_TEXT_(a)

#define RNX_ABI v0_1
#define RNX_ISA RNX_JOIN5(v0_1_, RNX_ISA_LEVEL, RNX_THREADING, RNX_SUMMATION, RNX_DEVICE)
/// 1 where the program's device is that one: #if RNX_DEVICE_IS(cuda)
#define RNX_DEVICE_IS_cpu_cpu 1
#define RNX_DEVICE_IS_cuda_cuda 1
#define RNX_DEVICE_IS_loopback_loopback 1
#define RNX_DEVICE_IS__(a, b) RNX_DEVICE_IS_##a##_##b
#define RNX_DEVICE_IS_(a, b) RNX_DEVICE_IS__(a, b)
#define RNX_DEVICE_IS(device) RNX_DEVICE_IS_(RNX_DEVICE, device)

namespace rnx::inline RNX_ISA {
/// The instruction set this translation unit was compiled for: "plain", "avx", "avx2", "avx512"
/// or "avx512_vpopcntdq" (with the count of a vector's bits).
constexpr const char* instruction_set() { return RNX_TEXT(RNX_ISA_LEVEL); }
}  // namespace rnx::inline RNX_ISA
