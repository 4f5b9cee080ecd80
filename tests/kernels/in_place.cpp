// Operations that may write over what they read give the same bits in place: the list of
// docs/architecture.md.
#include "rnx/layers/activation.hpp"
#include "rnx/loss/cpu.hpp"
#include "rnx/train/cpu.hpp"
#include "support.hpp"

namespace {

using namespace test;
namespace op = rnx::op;
using Values = std::vector<float>;

constexpr int c = 19;
const Map m{2, 3, 2, c, c};
const std::size_t count = m.rows() * c;

/// f(from, to) gives the same with to = from. Others of its arguments hold other values.
template <class F> void in_place(F f) {
  Values from = numbers<float>(count, 1), to(count, 9);
  f(from.data(), to.data());
  f(from.data(), from.data());
  CHECK(same(from, to));
}

}  // namespace

TEST_CASE("activations in place") {
  const Values other = numbers<float>(count, 2), mask(count / 2, 1);
  const auto forward = [&]<class F>(F) {
    in_place([&](const float* x, float* y) {
      run(op::pointwise_forward<F, float>{.x = {m, x}, .y = {m, y}});
    });
    in_place([&](const float* dy, float* dx) {
      run(op::pointwise_backward<F, float>{.v = {m, other.data()}, .dy = {m, dy}, .dx = {m, dx}});
    });
    in_place([&](const float* v, float* dx) {
      run(op::pointwise_backward<F, float>{.v = {m, v}, .dy = {m, other.data()}, .dx = {m, dx}});
    });
  };
  forward(rnx::functor::Relu{});
  forward(rnx::functor::HardSwish{});
  in_place([&](auto x, auto y) {
    run(op::masked_relu_forward<float>{.x = {m, x}, .y = {m, y}, .mask = mask.data()});
  });
  in_place([&](auto dy, auto dx) {
    run(op::masked_relu_backward<float>{
        .y = {m, other.data()}, .dy = {m, dy}, .dx = {m, dx}, .mask = mask.data()});
  });
}

TEST_CASE("elementwise operations in place") {
  const Values other = numbers<float>(count, 2), channel(c, .5f);
  in_place([&](auto x, auto y) {
    run(op::affine_channels<float>{
        .x = {m, x}, .y = {m, y}, .shift = channel.data(), .divisor = channel.data()});
  });
  in_place([&](auto x, auto y) {
    run(op::dropout<float>{.x = {m, x},
                           .y = {m, y},
                           .values = nullptr,
                           .p = .5,
                           .draw = 0,
                           .site = 1,
                           .first_sample = 0});
  });
  in_place([&](auto x, auto y) {
    run(op::add<float>{.a = {m, x}, .b = {m, other.data()}, .y = {m, y}});
  });
  in_place([&](auto x, auto y) {
    run(op::add<float>{.a = {m, other.data()}, .b = {m, x}, .y = {m, y}});
  });
  const Map gate{2, 1, 1, c, c};
  in_place([&](auto x, auto y) {
    run(op::scale_channels<float>{.x = {m, x}, .s = {gate, other.data()}, .y = {m, y}});
  });
  in_place([&](auto x, auto y) {
    run(op::perturb<float>{.count = count, .x = x, .delta = other.data(), .y = y});
  });
}

TEST_CASE("batch norm in place") {
  const Values other = numbers<float>(count, 2), channel(c, .5f);
  in_place([&](auto x, auto y) {
    run(op::batch_norm_normalize<float>{.x = {m, x},
                                        .y = {m, y},
                                        .mean = channel.data(),
                                        .var = channel.data(),
                                        .gamma = nullptr,
                                        .beta = nullptr,
                                        .eps = 1e-5f});
  });
  const Values sums = numbers<float>(2 * c, 3);
  for (const float* s : {sums.data(), static_cast<const float*>(nullptr)})
    in_place([&](auto dy, auto dx) {
      run(op::batch_norm_backward<float>{.x = {m, other.data()},
                                         .dy = {m, dy},
                                         .dx = {m, dx},
                                         .mean = channel.data(),
                                         .var = channel.data(),
                                         .gamma = nullptr,
                                         .sums = s,
                                         .eps = 1e-5f});
    });
}

TEST_CASE("fused operations over values in place") {
  const Values other = numbers<float>(count, 2), third = numbers<float>(count, 4), channel(c, .5f);
  const auto fused = [&](const float* x, const float* addend, const float* mask, float* y) {
    op::Tail<float> tail{
        .mean = channel.data(), .var = channel.data(), .eps = 1e-5f, .normalize = true};
    tail.addend = addend;
    tail.relu_output = mask;
    tail.relu = true;
    run(op::fused<float>{.x = {m, x}, .y = {m, y}, .tail = tail});
  };
  in_place([&](auto x, auto y) { fused(x, other.data(), third.data(), y); });
  in_place([&](auto addend, auto y) { fused(other.data(), addend, third.data(), y); });
  in_place([&](auto mask, auto y) { fused(other.data(), third.data(), mask, y); });
}

TEST_CASE("losses write gradients over logits or features") {
  const Map rows{12, 1, 1, c, c};
  const Values other = numbers<float>(count, 2);
  std::vector<std::int32_t> labels(12, 3);
  in_place([&](auto z, auto dz) {
    run(op::cross_entropy<float>{.logits = {rows, z},
                                 .dz = {rows, dz},
                                 .labels = labels.data(),
                                 .value = nullptr,
                                 .smoothing = .1,
                                 .weight = 1,
                                 .add = false});
  });
  for (const bool reverse : {false, true})
    in_place([&](auto z, auto dz) {
      run(op::kl_divergence<float>{.logits = {rows, z},
                                   .teacher = {rows, other.data()},
                                   .dz = {rows, dz},
                                   .value = nullptr,
                                   .temperature = 2,
                                   .weight = 1,
                                   .reverse = reverse,
                                   .add = false});
    });
  for (const op::Distance kind : {op::Distance::mean_square, op::Distance::cosine, op::Distance::l2,
                                  op::Distance::relative_l2})
    in_place([&](auto s, auto ds) {
      run(op::row_distance<float>{.s = {rows, s},
                                  .t = {rows, other.data()},
                                  .ds = {rows, ds},
                                  .value = nullptr,
                                  .kind = kind,
                                  .weight = 1,
                                  .add = false});
    });
}
