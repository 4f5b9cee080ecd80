// Threads and scratch memory of CPU kernels.
//
// Tasks are independent: which thread runs one never changes a bit. Sums over samples are cut into
// chunks whose number and borders depend on sizes only, and the chunks' results are added in chunk
// order.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#ifdef _OPENMP
#include <omp.h>
#endif
#if defined(_OPENMP) && !defined(__clang__) && (defined(__unix__) || defined(__APPLE__))
#include <pthread.h>
#define RNX_THREADS_LOST_BY_FORK 1
#else
#define RNX_THREADS_LOST_BY_FORK 0
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

namespace rnx::inline RNX_ABI {
/// What a process says of its threads, for the kernels of all instruction sets.
struct ThreadSettings {
  std::atomic<int> count = 0;        ///< of set_threads; 0: OpenMP's number
  std::atomic<bool> forked = false;  ///< this is a child, and the threads stayed with its parent
};
inline ThreadSettings thread_settings;
}  // namespace rnx::inline RNX_ABI

namespace rnx::inline RNX_ISA::host {

/// The most threads that any option of the library takes.
constexpr int max_threads = 1024;

/// Throws UsageError unless `count` is from `least` to max_threads. what: like "Loader: expected
/// threads".
inline void check_threads(const char* what, long count, int least = 1) {
  require<UsageError>(count >= least && count <= max_threads, [&] {
    return what + (" from " + std::to_string(least)) + " to " + std::to_string(max_threads) +
           ", found " + std::to_string(count);
  });
}

/// How many threads a kernel that is called here may use: what set_threads said, or else OpenMP's
/// number (OMP_NUM_THREADS, omp_set_num_threads), at most max_threads. It is 1 inside a parallel
/// region, without OpenMP, and in a child that was forked after kernels of its parent had run on
/// several threads of GCC's OpenMP, which would wait for them for ever.
inline int threads() {
#ifdef _OPENMP
  if (omp_in_parallel() || thread_settings.forked.load(std::memory_order_relaxed)) return 1;
  const int count = thread_settings.count.load(std::memory_order_relaxed);
  return count ? count : std::min(omp_get_max_threads(), max_threads);
#else
  return 1;
#endif
}

/// How many threads each kernel of the process may use from now on, whatever thread calls it. The
/// results do not depend on it, and without OpenMP it has no effect. Throws UsageError unless
/// `count` is from 1 to max_threads.
inline void set_threads(int count) {
  check_threads("set_threads: expected threads", count);
  thread_settings.count = count;
}

/// Called before OpenMP may start threads.
inline void remember_forks() {
#if RNX_THREADS_LOST_BY_FORK
  static const int registered =
      ::pthread_atfork(nullptr, nullptr, [] { thread_settings.forked = true; });
  (void)registered;
#endif
}

constexpr double small_work =
    16384;  // operations below which starting threads costs more than it saves

/// The first element of chunk i when n elements are cut into m chunks.
constexpr long chunk_begin(long n, long m, long i) { return n * i / m; }

/// run(f, begin, end) for runs of tasks. Apart from parallel_for, so that what it does is compiled
/// once, not for one thread and for many.
[[gnu::noinline]] inline void run_tasks(long tasks, [[maybe_unused]] double work,
                                        void (*run)(const void*, long, long), const void* f) {
#ifdef _OPENMP
  if (const int most = tasks > 1 && work >= small_work ? threads() : 1; most > 1) {
    remember_forks();
#pragma omp parallel num_threads(most)
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
template <class F> void parallel_for(long tasks, const F& f, double work = 1e9) {
  run_tasks(
      tasks, work,
      [](const void* p, long begin, long end) {
        const F& g = *static_cast<const F*>(p);
        for (long task = begin; task < end; ++task) g(task);
      },
      &f);
}

/// f(task, lane) for every task, lane < lanes: each lane is one thread's, so that it may own
/// memory. Kernels inside run on that thread alone. With one lane or task they keep all threads and
/// the lane is 0. Of what tasks throw, the first in their order is thrown. lanes: threads(), asked
/// once by the caller, who makes room for as many; it may change meanwhile.
template <class F> void parallel_lanes(long tasks, [[maybe_unused]] int lanes, F&& f) {
#ifdef _OPENMP
  if (tasks > 1 && lanes > 1) {
    long failed = tasks;
    std::exception_ptr error;
    remember_forks();
#pragma omp parallel for schedule(static) num_threads(lanes)
    for (long task = 0; task < tasks; ++task) {
      try {
        f(task, omp_get_thread_num());
      } catch (...) {
#pragma omp critical(rnx_parallel_lanes)
        if (task < failed) {
          failed = task;
          error = std::current_exception();
        }
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
template <class F> void for_range(std::size_t count, F&& f) {
  const long tasks = long((count + grain - 1) / grain);
  parallel_for(
      tasks, [&](long t) { f(t * grain, (t + 1) * grain < count ? (t + 1) * grain : count); },
      double(count));
}

/// f(row, at, length): elements row * stride + at + [0, length) of maps of `rows` pixels and c
/// channels. Dense maps: runs span pixels.
template <class F> void for_runs(std::size_t rows, int c, bool dense, F&& f) {
  if (c <= 0) return;
  if (dense)
    return for_range(rows * c, [&](std::size_t begin, std::size_t end) {
      f(std::size_t(0), begin, int(end - begin));
    });
  const std::size_t step = grain / c + 1;
  parallel_for(
      long((rows + step - 1) / step),
      [&](long t) {
        for (std::size_t row = t * step; row < (t + 1) * step && row < rows; ++row)
          f(row, std::size_t(0), c);
      },
      double(rows) * c);
}

/// What scratch memory is for: a kernel may hold one buffer of each kind and thread.
enum Slot {
  slot_input,
  slot_gradient,
  slot_pixels,
  slot_runs,
  slot_partial,
  slot_weights,
  slot_channels,
  slot_winograd,
  slot_count
};

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
    m.data = nullptr;
    m.bytes = 0;
    m.data = memory<cpu>::allocate(bytes + bytes / 4);
    m.bytes = bytes + bytes / 4;
  }
  return m.data;
}

/// Memory of this thread, 64-byte aligned, uninitialised, valid until the next call for the slot.
/// It grows and stays.
template <class T> T* scratch(Slot slot, std::size_t count) {
  return static_cast<T*>(scratch_bytes(slot, count * sizeof(T)));
}

}  // namespace rnx::inline RNX_ISA::host
