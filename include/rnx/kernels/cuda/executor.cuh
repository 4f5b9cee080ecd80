// Runs bodies on a CUDA stream: elements through Thrust, matrix products through cuBLAS, scratch
// memory from a pool.
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <thrust/execution_policy.h>
#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/system_error.h>

#include <mutex>
#include <vector>

#include "rnx/kernels/kernel.hpp"

namespace rnx::inline RNX_ABI::gpu {

inline void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) [[likely]]
    return;
  cudaGetLastError();  // an error that is reported is not reported again
  throw DeviceError(std::string("cuda: ") + what + ": " + cudaGetErrorString(status));
}
inline void check(cublasStatus_t status, const char* what) {
  require<DeviceError>(status == CUBLAS_STATUS_SUCCESS, [&] {
    return std::string("cuda: ") + what + ": " + cublasGetStatusString(status);
  });
}
inline int current_device() {
  int device = 0;
  check(cudaGetDevice(&device), "there is no current device");
  return device;
}

/// The memory pool of scratch memory: one for each device, it grows and stays.
inline cudaMemPool_t pool(int device) {
  static std::mutex mutex;
  static std::vector<cudaMemPool_t> pools;
  const std::lock_guard lock(mutex);
  if (pools.size() <= std::size_t(device)) pools.resize(device + 1);
  if (!pools[device]) {
    cudaMemPoolProps properties{};
    properties.allocType = cudaMemAllocationTypePinned;
    properties.location.type = cudaMemLocationTypeDevice;
    properties.location.id = device;
    check(cudaMemPoolCreate(&pools[device], &properties),
          "a pool of scratch memory could not be made");
    std::uint64_t keep = ~std::uint64_t(0);
    check(cudaMemPoolSetAttribute(pools[device], cudaMemPoolAttrReleaseThreshold, &keep),
          "a pool of scratch memory could not be set up");
  }
  return pools[device];
}

/// This thread's cuBLAS handle for the current device and one stream: results repeat where a handle
/// serves one stream.
inline cublasHandle_t blas(int device, cudaStream_t stream) {
  struct Entry {
    int device;
    cudaStream_t stream;
    cublasHandle_t handle;
  };
  struct List : std::vector<Entry> {
    ~List() {
      for (const Entry& e : *this) cublasDestroy(e.handle);
    }
  };
  thread_local List list;
  for (const Entry& e : list)
    if (e.device == device && e.stream == stream) return e.handle;
  cublasHandle_t handle = nullptr;
  check(cublasCreate(&handle), "cuBLAS could not be started");
  list.push_back({device, stream, handle});
  check(cublasSetStream(handle, stream), "cuBLAS did not take the stream");
  check(cublasSetMathMode(handle, CUBLAS_DEFAULT_MATH),
        "cuBLAS did not take its math mode");  // float is float: no TF32
  return handle;
}

class Executor {
 public:
  explicit Executor(Stream s)
      : device_(current_device()),
        stream_(static_cast<cudaStream_t>(s.handle)) {}

  /// f(i) for every i in [0, count), in any order.
  template <class F> void each(std::size_t count, const F& f) const {
    if (count)
      thrust::for_each_n(thrust::cuda::par_nosync.on(stream_),
                         thrust::counting_iterator<std::size_t>(0), count, f);
  }
  void* allocate(std::size_t bytes) const {
    void* p = nullptr;
    if (bytes)
      check(cudaMallocFromPoolAsync(&p, bytes, pool(device_), stream_),
            "scratch memory could not be allocated");
    return p;
  }
  void release(void* p) const noexcept {
    if (p) cudaFreeAsync(p, stream_);
  }
  void gemm(const Gemm<float>& p) const { multiply(cublasSgemmStridedBatched, p); }
  void gemm(const Gemm<double>& p) const { multiply(cublasDgemmStridedBatched, p); }

 private:
  template <class Multiply, class T> void multiply(Multiply function, const Gemm<T>& p) const {
    const T one = 1, zero = 0;
    // cuBLAS is column-major: C' = B' A'
    check(function(blas(device_, stream_), CUBLAS_OP_N, p.transposed ? CUBLAS_OP_T : CUBLAS_OP_N,
                   p.n, p.m, p.k, &one, p.b, int(p.ldb), p.step_b, p.a, int(p.lda), p.step_a, &zero,
                   p.c, int(p.ldc), p.step_c, p.batch),
          "a matrix product failed");
  }

  int device_;
  cudaStream_t stream_;
};

template <class Operation> struct body;

/// What every launch<cuda, ...> does; failures name the operation.
template <class Operation> void execute(const char* name, Stream s, const Operation& a) {
  try {
    body<Operation>::run(Executor(s), a);
  } catch (const thrust::system_error& error) {
    cudaGetLastError();
    throw DeviceError(std::string("cuda: ") + name + " could not be launched: " + error.what());
  }
}

}  // namespace rnx::inline RNX_ABI::gpu
