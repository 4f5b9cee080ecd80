// Threads: every task runs once, whatever the numbers of tasks and threads.
#include "support/error_of.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <rnx/kernels.hpp>

TEST_CASE("parallel_for runs every task once") {
  using namespace rnx;
  const int before = host::threads();
  for (const int threads : {1, 2, 5}) {
    host::set_threads(threads);
    for (const long tasks : {0l, 1l, 3l, 64l})
      for (const double work : {1.0, 1e9}) {  // on this thread, and on all
        std::vector<std::atomic<int>> runs(tasks);
        host::parallel_for(
            tasks, [&](long task) { ++runs[task]; }, work);
        for (const auto& count : runs) CHECK(count == 1);
      }
  }
  host::set_threads(before);
}

TEST_CASE(
    "parallel_lanes: lanes below the number that was asked for, whatever set_threads says "
    "meanwhile") {
  using namespace rnx;
  const int before = host::threads();
  host::set_threads(7);
  std::atomic<int> runs = 0, beyond = 0;
  host::parallel_lanes(40, 2, [&](long, int lane) {
    ++runs;
    beyond += lane >= 2;
  });
  CHECK(runs == 40);
  CHECK(beyond == 0);
  host::set_threads(before);
}

TEST_CASE("set_threads holds for every thread of the process, from 1 to 1024") {
  using namespace rnx;
  static_assert(host::max_threads == 1024);
  for (const int count : {0, -1, 1025, 100'000})
    CHECK(support::error_of<UsageError>([&] { host::set_threads(count); }) ==
          "set_threads: expected threads from 1 to 1024, found " + std::to_string(count));
#ifdef _OPENMP
  const int before = host::threads();
  host::set_threads(3);
  int elsewhere = 0, inside = 0;
  std::thread([&] { elsewhere = host::threads(); }).join();
  CHECK(elsewhere == 3);
  host::parallel_lanes(2, 2, [&](long task, int) {
    if (task == 0) inside = host::threads();
  });
  CHECK(inside == 1);
  host::set_threads(before);
#endif
}

TEST_CASE("a forked child runs kernels, on one thread when its parent had used several") {
  using namespace rnx;
  const int before = host::threads();
  host::set_threads(3);
  const auto sum = [] {
    std::vector<std::atomic<int>> runs(64);
    host::parallel_for(64, [&](long task) { ++runs[task]; });
    int all = 0;
    for (const auto& count : runs) all += count;
    return all;
  };
  CHECK(sum() == 64);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::alarm(60);  // instead of a hang
    const int all = sum();
    ::_exit(all == 64 ? host::threads() : 100);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
#if defined(_OPENMP) && !defined(__clang__)
  CHECK(WEXITSTATUS(status) == 1);
#else
  CHECK(WEXITSTATUS(status) == host::threads());
#endif
  CHECK(sum() == 64);
  host::set_threads(before);
}
