// How a family of operations is listed: RNX_CUDA_<FAMILY>(f) applies f to each name. The list
// declares the kernels here, defines them in the .cuh of the same name and instantiates them in
// rnx/cuda.cuh.
#pragma once

#include "rnx/kernels/kernel.hpp"

/// Declares launch<cuda, op::operation<T>>, at namespace scope inside rnx.
#define RNX_CUDA_DECLARE(operation)                          \
  template <class T> struct launch<cuda, op::operation<T>> { \
    static void run(Stream, const op::operation<T>&);        \
  };
