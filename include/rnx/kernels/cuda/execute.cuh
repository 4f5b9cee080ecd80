// What the operations of this folder are made of, and how they run.
//
//   element<Operation>   one thread's share: Operation a;  count();  operator()(i) for i in
//                        [0, count())
//   body<Operation>      run(on, a): one pass over the elements, unless specialised for several
//   on                   where they run: each(count, f), allocate, release, gemm(Gemm)
// Elements are independent of one another and of their order; sums have a fixed order: the same
// bits every time, no atomics. Bodies are plain C++: tests also run them on the host. nvcc gives
// them Executor: Thrust and cuBLAS on one stream.
#pragma once

#include "rnx/kernels/kernel.hpp"

namespace rnx::inline RNX_ABI::gpu {

/// C (m, n) = A B, row-major with rows lda, ldb, ldc apart, `batch` times with steps between the
/// matrices. transposed: A is stored as (k, m).
template <class T> struct Gemm {
  bool transposed = false;
  int m, n, k;
  const T* a;
  long lda;
  const T* b;
  long ldb;
  T* c;
  long ldc;
  int batch = 1;
  long step_a = 0, step_b = 0, step_c = 0;
};

}  // namespace rnx::inline RNX_ABI::gpu

#ifdef __CUDACC__
#include "rnx/kernels/cuda/executor.cuh"
#endif

namespace rnx::inline RNX_ABI::gpu {

template <class Operation> struct element;

template <class Operation> struct body {
  template <class E> static void run(const E& on, const Operation& a) {
    const element<Operation> f{a};
    on.each(f.count(), f);
  }
};

/// Memory of one operation: given back when what was launched before is done.
template <class T, class E> class Scratch {
 public:
  Scratch(const E& on, std::size_t count)
      : on_(on),
        data_(static_cast<T*>(on.allocate(count * sizeof(T)))) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { on_.release(data_); }
  T* data() const { return data_; }

 private:
  const E& on_;
  T* data_;
};

// ---- positions ----

/// quotient and remainder; 32-bit division where it is enough
struct Split {
  std::size_t quotient, remainder;
  RNX_SHARED Split(std::size_t value, std::size_t divisor) {
    if ((value | divisor) >> 32)
      quotient = value / divisor;
    else
      quotient = unsigned(value) / unsigned(divisor);
    remainder = value - quotient * divisor;
  }
};

/// Where active element e of a map lies.
RNX_SHARED std::size_t offset(const geometry::Map& m, std::size_t e) {
  if (m.stride == m.c) return e;
  const Split s(e, m.c);
  return s.quotient * m.stride + s.remainder;
}
RNX_SHARED std::size_t offset(const geometry::Map& m, std::size_t n, int h, int w, int c) {
  return ((n * m.h + h) * m.w + w) * m.stride + c;
}
RNX_SHARED std::size_t active(const geometry::Map& m) { return m.rows() * m.c; }

struct Position {
  std::size_t n;
  int h, w, c;
  RNX_SHARED Position(const geometry::Map& m, std::size_t e) {
    const Split channel(e, m.c), column(channel.quotient, m.w), row(column.quotient, m.h);
    c = int(channel.remainder);
    w = int(column.remainder);
    h = int(row.remainder);
    n = row.quotient;
  }
};

// ---- arithmetic: a NaN as the first argument comes through ----

template <class T> RNX_SHARED T smaller(T a, T b) { return b < a ? b : a; }
template <class T> RNX_SHARED T larger(T a, T b) { return a < b ? b : a; }
template <class T> RNX_SHARED T clamped(T v, T low, T high) {
  return v < low ? low : high < v ? high : v;
}

/// a b, rounded: never fused with an addition.
RNX_SHARED float product(float a, float b) {
#ifdef __CUDA_ARCH__
  return __fmul_rn(a, b);
#else
  volatile float v = a * b;
  return v;
#endif
}
RNX_SHARED double product(double a, double b) {
#ifdef __CUDA_ARCH__
  return __dmul_rn(a, b);
#else
  volatile double v = a * b;
  return v;
#endif
}

}  // namespace rnx::inline RNX_ABI::gpu

/// Defines launch<cuda, op::operation<T>>, at namespace scope inside rnx.
#ifdef __CUDACC__
#define RNX_CUDA_DEFINE(operation)                                                \
  template <class T>                                                              \
  void launch<cuda, op::operation<T>>::run(Stream s, const op::operation<T>& a) { \
    gpu::execute(#operation, s, a);                                               \
  }
#else
#define RNX_CUDA_DEFINE(operation)
#endif
