// doctest's main for the CUDA tests. Without a device they count as skipped: compiled, not run.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cuda_runtime_api.h>

#include <cstdio>

int main(int argc, char** argv) {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    std::puts("no CUDA device: compiled, not run");
    return 77;
  }
  return doctest::Context(argc, argv).run();
}
