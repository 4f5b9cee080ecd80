// Threads: every task runs once, whatever the numbers of tasks and threads.
#include <doctest/doctest.h>

#include <atomic>
#include <vector>

#include <rnx/kernels.hpp>

TEST_CASE("parallel_for runs every task once") {
  using namespace rnx;
  const int before = host::threads();
  for (const int threads : {1, 2, 5}) {
    host::set_threads(threads);
    for (const long tasks : {0l, 1l, 3l, 64l})
      for (const double work : {1.0, 1e9}) {  // on this thread, and on all
        std::vector<std::atomic<int>> runs(tasks);
        host::parallel_for(tasks, [&](long task) { ++runs[task]; }, work);
        for (const auto& count : runs) CHECK(count == 1);
      }
  }
  host::set_threads(before);
}
