// Threads and scratch memory of CPU kernels.
//
// Tasks are independent: which thread runs one never changes a bit. Sums over samples are cut into chunks whose number and borders
// depend on sizes only, and the chunks' results are added in chunk order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "rnx/device/cpu.hpp"

// A loop whose iterations are independent; the compiler may use vectors at -O2 too.
#if defined(_OPENMP)
#define RNX_SIMD _Pragma("omp simd")
#elif defined(__clang__)
#define RNX_SIMD _Pragma("clang loop vectorize(enable)")
#else
#define RNX_SIMD _Pragma("GCC ivdep")
#endif

namespace rnx::inline RNX_ISA::host {

inline int threads() {
#ifdef _OPENMP
  return omp_in_parallel() ? 1 : omp_get_max_threads();
#else
  return 1;
#endif
}

/// How many threads kernels may use from now on. The results do not depend on it.
inline void set_threads([[maybe_unused]] int count) {
#ifdef _OPENMP
  omp_set_num_threads(count);
#endif
}

constexpr double small_work = 16384;  // operations below which starting threads costs more than it saves

/// The first element of chunk i when n elements are cut into m chunks.
constexpr long chunk_begin(long n, long m, long i) { return n * i / m; }

/// run(f, begin, end) for runs of tasks. Apart from parallel_for, so that what it does is compiled once, not for one thread and for many.
[[gnu::noinline]] inline void run_tasks(long tasks, [[maybe_unused]] double work, void (*run)(const void*, long, long), const void* f) {
#ifdef _OPENMP
  if (tasks > 1 && work >= small_work && threads() > 1) {
#pragma omp parallel
    {
      const long count = omp_get_num_threads(), i = omp_get_thread_num();
      run(f, chunk_begin(tasks, count, i), chunk_begin(tasks, count, i + 1));
    }
    return;
  }
#endif
  run(f, 0, tasks);
}

/// f(task) for every task in [0, tasks). `work`: operations of all of them, roughly.
template <class F>
void parallel_for(long tasks, const F& f, double work = 1e9) {
  run_tasks(tasks, work, [](const void* p, long begin, long end) {
    const F& g = *static_cast<const F*>(p);
    for (long task = begin; task < end; ++task) g(task);
  }, &f);
}

/// f(task, lane) for every task: each lane is one thread's, so that it may own memory. Kernels inside run on that thread alone. With one
/// thread or task they keep all threads and the lane is 0. Of what tasks throw, the first in their order is thrown.
template <class F>
void parallel_lanes(long tasks, F&& f) {
#ifdef _OPENMP
  if (tasks > 1 && threads() > 1) {
    long failed = tasks;
    std::exception_ptr error;
#pragma omp parallel for schedule(static)
    for (long task = 0; task < tasks; ++task) {
      try {
        f(task, omp_get_thread_num());
      } catch (...) {
#pragma omp critical(rnx_parallel_lanes)
        if (task < failed) failed = task, error = std::current_exception();
      }
    }
    if (error) std::rethrow_exception(error);
    return;
  }
#endif
  for (long task = 0; task < tasks; ++task) f(task, 0);
}

constexpr std::size_t grain = 16384;  // elements of one task in flat loops

/// f(begin, end) over [0, count) in fixed pieces.
template <class F>
void for_range(std::size_t count, F&& f) {
  const long tasks = long((count + grain - 1) / grain);
  parallel_for(tasks, [&](long t) { f(t * grain, (t + 1) * grain < count ? (t + 1) * grain : count); }, double(count));
}

/// f(row, at, length): elements row * stride + at + [0, length) of maps of `rows` pixels and c channels. Dense maps: runs span pixels.
template <class F>
void for_runs(std::size_t rows, int c, bool dense, F&& f) {
  if (c <= 0) return;
  if (dense) return for_range(rows * c, [&](std::size_t begin, std::size_t end) { f(std::size_t(0), begin, int(end - begin)); });
  const std::size_t step = grain / c + 1;
  parallel_for(long((rows + step - 1) / step), [&](long t) {
    for (std::size_t row = t * step; row < (t + 1) * step && row < rows; ++row) f(row, std::size_t(0), c);
  }, double(rows) * c);
}

/// What scratch memory is for: a kernel may hold one buffer of each kind and thread.
enum Slot { slot_input, slot_gradient, slot_pixels, slot_runs, slot_partial, slot_weights, slot_channels, slot_winograd, slot_count };

inline void* scratch_bytes(Slot slot, std::size_t bytes) {
  struct Memory {
    void* data = nullptr;
    std::size_t bytes = 0;
    ~Memory() { memory<cpu>::release(data); }
  };
  thread_local Memory memories[slot_count];
  Memory& m = memories[slot];
  if (m.bytes < bytes) {
    memory<cpu>::release(m.data);
    m.data = nullptr, m.bytes = 0;
    m.data = memory<cpu>::allocate(bytes + bytes / 4);
    m.bytes = bytes + bytes / 4;
  }
  return m.data;
}

/// Memory of this thread, 64-byte aligned, uninitialised, valid until the next call for the slot. It grows and stays.
template <class T>
T* scratch(Slot slot, std::size_t count) { return static_cast<T*>(scratch_bytes(slot, count * sizeof(T))); }

}  // namespace rnx::inline RNX_ISA::host
