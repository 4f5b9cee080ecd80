// Definitions of memory<cuda>: for exactly one translation unit (rnx/cuda.cuh includes this).
#pragma once

#include <cuda_runtime_api.h>

#include "rnx/device/cuda.hpp"

namespace rnx::inline RNX_ABI {

namespace gpu {

inline cudaStream_t stream_of(Stream s) { return static_cast<cudaStream_t>(s.handle); }

/// Throws DeviceError with one sentence unless `status` is success.
template <class What> void memory_check(cudaError_t status, const What& what) {
  if (status == cudaSuccess) [[likely]]
    return;
  cudaGetLastError();  // an error that is reported is not reported again
  throw DeviceError("cuda: " + what() + ": " + cudaGetErrorString(status));
}

inline void transfer(const char* what, void* to, const void* from, std::size_t bytes,
                     cudaMemcpyKind kind, Stream s) {
  if (bytes == 0) return;
  const auto sentence = [&] {
    return std::string(what) + " of " + std::to_string(bytes) + " bytes failed";
  };
  memory_check(cudaMemcpyAsync(to, from, bytes, kind, stream_of(s)), sentence);
  if (kind != cudaMemcpyDeviceToDevice) memory_check(cudaStreamSynchronize(stream_of(s)), sentence);
}

}  // namespace gpu

void* memory<cuda>::allocate(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  void* p = nullptr;
  gpu::memory_check(cudaMalloc(&p, bytes), [&] {
    return std::to_string(bytes) + " bytes of device memory could not be allocated";
  });
  return p;
}

void memory<cuda>::release(void* p) noexcept {
  if (p) cudaFree(p);
}

void memory<cuda>::upload(void* device, const void* host, std::size_t bytes, Stream s) {
  gpu::transfer("an upload", device, host, bytes, cudaMemcpyHostToDevice, s);
}
void memory<cuda>::download(void* host, const void* device, std::size_t bytes, Stream s) {
  gpu::transfer("a download", host, device, bytes, cudaMemcpyDeviceToHost, s);
}
void memory<cuda>::copy(void* to, const void* from, std::size_t bytes, Stream s) {
  gpu::transfer("a copy", to, from, bytes, cudaMemcpyDeviceToDevice, s);
}

void memory<cuda>::zero(void* p, std::size_t bytes, Stream s) {
  if (bytes)
    gpu::memory_check(cudaMemsetAsync(p, 0, bytes, gpu::stream_of(s)),
                      [&] { return "zeroing " + std::to_string(bytes) + " bytes failed"; });
}

}  // namespace rnx::inline RNX_ABI
