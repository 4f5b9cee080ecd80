// Tensors, views, the arena planner, and the bridges to Eigen and xtensor.
#include <doctest/doctest.h>

#include <rnx/tensor.hpp>
#include <rnx/tensor/eigen.hpp>
#include <rnx/tensor/xtensor.hpp>

#include <numeric>

using namespace rnx;

TEST_CASE("the field's order goes in and out; memory is channels-innermost") {
  std::vector<float> nchw(2 * 3 * 4 * 5);
  std::iota(nchw.begin(), nchw.end(), 0.f);
  const auto t = Tensor<float>::from_nchw(2, {3, 4, 5}, nchw);
  CHECK(t.to_nchw() == nchw);
  CHECK(t.data()[((1 * 4 + 2) * 5 + 3) * 3 + 1] == ((1 * 3 + 1) * 4 + 2) * 5 + 3);
  CHECK_THROWS_AS((Tensor<float>::from_nchw(2, {3, 4, 4}, nchw)), ShapeError);
  const auto part = to_host(t.view().samples(1, 1).channels(1, 2));
  CHECK(part.size() == 40);
  CHECK(part[0] == t.data()[4 * 5 * 3 + 1]);
  const auto ordered = to_nchw(t.view().samples(1, 1).channels(1, 2));
  CHECK(ordered == std::vector<float>(nchw.begin() + 4 * 20, nchw.end()));
}

TEST_CASE("buffers copy deeply and check their bounds") {
  Buffer<int> a(4), b;
  a.upload(std::vector<int>{1, 2, 3, 4});
  b = a;
  a.zero();
  CHECK(b.download() == std::vector<int>{1, 2, 3, 4});
  CHECK_THROWS_AS(b.upload(std::vector<int>(2), 3), ShapeError);
  CHECK(reinterpret_cast<std::uintptr_t>(b.data()) % 64 == 0);
}

TEST_CASE("the planner overlaps what does not live together, and nothing else") {
  ArenaPlan plan;
  struct Block {
    std::size_t size;
    int first, last;
  };
  std::vector<Block> blocks;
  std::uint32_t state = 1;
  const auto next = [&](int n) { return int((state = state * 1664525u + 1013904223u) >> 16) % n; };
  for (int i = 0; i < 200; ++i) {
    const int first = next(100);
    blocks.push_back({std::size_t(1 + next(1000)), first, first + next(20)});
    CHECK(plan.request(blocks.back().size, blocks.back().first, blocks.back().last) == i);
  }
  const std::size_t total = plan.place();
  std::size_t sum = 0, busiest = 0;
  for (int i = 0; i < 200; ++i) {
    sum += blocks[i].size;
    CHECK(plan.offset(i) + blocks[i].size <= total);
    CHECK(plan.offset(i) % 16 == 0);
    for (int j = 0; j < i; ++j) {
      if (blocks[i].last < blocks[j].first || blocks[j].last < blocks[i].first) continue;
      CHECK((plan.offset(i) + plan.elements(i) <= plan.offset(j) ||
             plan.offset(j) + plan.elements(j) <= plan.offset(i)));
    }
  }
  for (int t = 0; t < 120; ++t) {
    std::size_t alive = 0;
    for (int i = 0; i < 200; ++i)
      if (blocks[i].first <= t && t <= blocks[i].last) alive += plan.elements(i);
    busiest = std::max(busiest, alive);
  }
  CHECK(total < sum);
  CHECK(total <= busiest * 3 / 2);
}

TEST_CASE("Eigen and xtensor see the same memory") {
  Tensor<double> t(2, {3, 2, 2});
  for (std::size_t i = 0; i < t.size(); ++i) t.data()[i] = double(i);
  auto m = as_matrix(t.view());
  CHECK(m.rows() == 8);
  CHECK(m.cols() == 3);
  CHECK(m(3, 1) == 10);
  m(3, 1) = -1;
  auto x = as_xtensor(t.view());
  CHECK(x(0, 1, 1, 1) == -1);
  x(1, 0, 0, 2) = 7;
  CHECK(as_matrix(std::as_const(t).view())(4, 2) == 7);
  CHECK_THROWS_AS(as_matrix(t.view().channels(0, 2)), ShapeError);
  CHECK_THROWS_AS(as_xtensor(t.view().channels(0, 2)), ShapeError);
}
