// No memory is allocated inside a training step once one has run: arenas, gradients, prepared
// weights and scratch stay.
#include "support/batch.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include <rnx/train.hpp>

namespace {
std::atomic<long> allocations{0};
[[gnu::noinline]] void* counted(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  void* p = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (!p) throw std::bad_alloc();
  return p;
}
[[gnu::noinline]] void released(void* p) { std::free(p); }
}  // namespace

// All of them, also those that the standard library builds on these: a sanitizer brings its own.
void* operator new(std::size_t n) { return counted(n, 16); }
void* operator new[](std::size_t n) { return counted(n, 16); }
void* operator new(std::size_t n, std::align_val_t a) { return counted(n, std::size_t(a)); }
void* operator new[](std::size_t n, std::align_val_t a) { return counted(n, std::size_t(a)); }
void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return counted(n, 16); }
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return counted(n, 16); }
void* operator new(std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
  return counted(n, std::size_t(a));
}
void* operator new[](std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
  return counted(n, std::size_t(a));
}
void operator delete(void* p) noexcept { released(p); }
void operator delete[](void* p) noexcept { released(p); }
void operator delete(void* p, std::size_t) noexcept { released(p); }
void operator delete[](void* p, std::size_t) noexcept { released(p); }
void operator delete(void* p, std::align_val_t) noexcept { released(p); }
void operator delete[](void* p, std::align_val_t) noexcept { released(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { released(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { released(p); }

using namespace rnx;
namespace {
template <class Objective> void check(const Objective& objective) {
  using Net = Network<support::SmallResNet<>, Shape<3, 16, 16>>;
  Net net(3);
  constexpr int n = 24;
  optim::Sgd<float> sgd({.momentum = 0.9, .weight_decay = 5e-4});
  train::Step<float, cpu> step(net, sgd, objective, n);
  step.images() = support::images<float>(n, net.input_dims());
  step.labels().upload(support::labels(n, 10));
  step.set({.seed = 1, .lr = 0.01, .momentum = 0.9});
  step(n);
  const long before = allocations;
  for (int k = 0; k < 3; ++k) step(n);
  CHECK(allocations == before);
}
}  // namespace

TEST_CASE("allocations: none in a step, natural, PGD, TRADES and Free") {
  check(train::Natural{});
  check(train::Adversarial<>{attack::Pgd<>{.steps = 2}});
  check(train::Adversarial<>{attack::Pgd<>{.steps = 2}, Mode::train});
  check(train::Trades<>{});
  check(train::Free{});
}
