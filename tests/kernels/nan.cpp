// A NaN at each position through every activation, mask, fused operation, pool, attack step, loss
// and optimizer, forward and backward: what PyTorch gives (torch 2.15), but for what
// docs/decisions.md states. Everything else keeps its bits. Channels leave a rest behind whole
// vectors.
#include "rnx/attack/cpu.hpp"
#include "rnx/layers/activation.hpp"
#include "rnx/loss/cpu.hpp"
#include "rnx/optim/cpu.hpp"
#include "rnx/train/cpu.hpp"
#include "support.hpp"

namespace {

using namespace test;
namespace op = rnx::op;
namespace functor = rnx::functor;

constexpr double NaN = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
const int channel_counts[] = {1, 3, 8, 17, 33};

/// Equal values, NaN with NaN.
template <class T> bool agree(const std::vector<T>& found, const std::vector<T>& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i)
    if (std::isnan(expected[i]) ? !std::isnan(found[i]) : found[i] != expected[i]) return false;
  return found.size() == expected.size();
}
template <class T> std::vector<T> with(std::vector<T> v, std::size_t at, double value) {
  v[at] = T(value);
  return v;
}
template <class T> bool all_nan(const std::vector<T>& v) {
  return agree(v, std::vector<T>(v.size(), T(NaN)));
}

/// slope: of the gradient at a NaN.
template <class F, class T> void activation(int c, double slope) {
  CAPTURE(F::name);
  CAPTURE(c);
  const Map m{1, 2, 2, c, c};
  std::vector<T> x = numbers<T>(m.rows() * c, 1);
  for (T& v : x) v *= 8;
  const std::vector<T> dy = numbers<T>(x.size(), 2);
  const auto forward = [&](const std::vector<T>& from) {
    std::vector<T> y(from.size());
    run(op::pointwise_forward<F, T>{.x = {m, from.data()}, .y = {m, y.data()}});
    return y;
  };
  const auto backward = [&](const std::vector<T>& from, const std::vector<T>& gradient) {
    const std::vector<T> v = F::reads == functor::Reads::input ? from : forward(from);
    std::vector<T> dx(v.size());
    run(op::pointwise_backward<F, T>{
        .v = {m, v.data()}, .dy = {m, gradient.data()}, .dx = {m, dx.data()}});
    return dx;
  };
  const std::vector<T> y = forward(x), dx = backward(x, dy);
  bool right = true;
  for (std::size_t i = 0; i < x.size(); ++i) {
    right = right && agree(forward(with(x, i, NaN)), with(y, i, NaN));
    right = right && agree(backward(with(x, i, NaN), dy), with(dx, i, slope * dy[i]));
    right = right && agree(backward(x, with(dy, i, NaN)), with(dx, i, dx[i] == 0 ? 0 : NaN));
  }
  CHECK(right);
  // a zero is +0, whatever its sign was
  CHECK(!std::signbit(forward(std::vector<T>(x.size(), T(-0.0)))[0]) ==
        (std::string(F::name) != "hard_swish"));
}

template <class T> void masked_relu(int c) {
  const Map m{2, 1, 2, c, c};
  const std::size_t count = m.rows() * c;
  const std::vector<T> x = numbers<T>(count, 1), dy = numbers<T>(count, 2);
  std::vector<T> mask(2 * c), y(count), dx(count);
  for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = noise(i, 3) > 0;
  const auto forward = [&](const std::vector<T>& from) {
    std::vector<T> to(count);
    run(op::masked_relu_forward<T>{
        .x = {m, from.data()}, .y = {m, to.data()}, .mask = mask.data()});
    return to;
  };
  const auto backward = [&](const std::vector<T>& from, const std::vector<T>& gradient) {
    std::vector<T> to(count);
    run(op::masked_relu_backward<T>{.y = {m, from.data()},
                                    .dy = {m, gradient.data()},
                                    .dx = {m, to.data()},
                                    .mask = mask.data()});
    return to;
  };
  y = forward(x);
  dx = backward(y, dy);
  bool right = true;
  for (std::size_t i = 0; i < count; ++i) {
    right = right && agree(forward(with(x, i, NaN)), with(y, i, NaN));
    right = right && agree(backward(with(y, i, NaN), dy), with(dx, i, dy[i]));
    right = right && agree(backward(y, with(dy, i, NaN)), with(dx, i, dx[i] == 0 ? 0 : NaN));
  }
  CHECK(right);
}

/// The parts of a fused operation, and what its maps and channels hold.
template <class T> struct FusedTest {
  Map m;
  std::size_t count = m.rows() * m.c;
  std::vector<T> x = numbers<T>(count, 1), addend = numbers<T>(count, 2),
                 mask = numbers<T>(count, 3);
  std::vector<T> mean = numbers<T>(m.c, 5), var = std::vector<T>(m.c, T(0.7)),
                 gamma = numbers<T>(m.c, 6);

  explicit FusedTest(int c) : m{1, 3, 2, c, c} {}
  std::vector<T> run(bool normalize, bool add, bool relu, bool masks, bool scaled) {
    std::vector<T> y(count);
    op::Tail<T> tail{.mean = mean.data(), .var = var.data(), .gamma = gamma.data(), .eps = T(1e-5)};
    tail.normalize = normalize;
    tail.relu = relu;
    tail.scaled = scaled;
    if (add) tail.addend = addend.data();
    if (masks) tail.relu_output = mask.data();
    test::run(op::fused<T>{.x = {m, x.data()}, .y = {m, y.data()}, .tail = tail});
    return y;
  }
  void check(bool normalize, bool add, bool relu, bool masks, bool scaled) {
    const auto result = [&] { return run(normalize, add, relu, masks, scaled); };
    const std::vector<T> clean = result();
    bool right = true;
    for (std::size_t i = 0; i < count; ++i) {
      const std::vector<T> hit = with(clean, i, masks && mask[i] <= 0 ? 0 : NaN);
      for (std::vector<T>* map : {&x, &addend}) {
        if (map == &addend && !add) continue;
        const T before = std::exchange((*map)[i], T(NaN));
        right = right && agree(result(), hit);
        (*map)[i] = before;
      }
      if (!masks) continue;
      const T before = std::exchange(mask[i], T(1));
      const std::vector<T> passed = result();
      mask[i] = T(NaN);
      right = right && agree(result(), passed);
      mask[i] = before;
    }
    CHECK(right);
    for (const double bad : {NaN, -1.0})
      if (normalize || scaled) {
        const T before = std::exchange(var[0], T(bad));
        std::vector<T> expected = clean;
        for (std::size_t i = 0; i < count; i += m.c) expected[i] = T(NaN);
        CHECK(agree(result(), expected));
        var[0] = before;
      }
  }
};

template <class T> void pooling(int c) {
  const Map m{1, 3, 3, c, c}, one{1, 1, 1, c, c};
  const rnx::geometry::Window window{3, 3, 0};
  const std::vector<T> x = numbers<T>(9 * c, 1), dy = numbers<T>(c, 2);
  const auto forward = [&](auto operation, const std::vector<T>& from) {
    std::vector<T> y(c);
    operation.x = {m, from.data()};
    operation.y = {one, y.data()};
    operation.window = window;
    run(operation);
    return y;
  };
  const auto backward = [&](const std::vector<T>& from) {
    std::vector<T> dx(9 * c);
    run(op::max_pool_backward<T>{
        .x = {m, from.data()}, .dy = {one, dy.data()}, .dx = {m, dx.data()}, .window = window});
    return dx;
  };
  const std::vector<T> most = forward(op::max_pool_forward<T>{}, x), dx = backward(x);
  const std::vector<T> mean = forward(op::average_pool_forward<T>{}, x);
  bool right = true;
  for (int i = 0; i < 9 * c; ++i) {
    const std::vector<T> bad = with(x, i, NaN);
    const int k = i % c;
    right = right && agree(forward(op::max_pool_forward<T>{}, bad), with(most, k, NaN));
    right = right && agree(forward(op::average_pool_forward<T>{}, bad), with(mean, k, NaN));
    std::vector<T> expected = dx;
    for (int p = 0; p < 9; ++p) expected[p * c + k] = p == i / c ? dy[k] : T(0);
    right = right && agree(backward(bad), expected);
    right = right && agree(backward(with(bad, k, NaN)), expected);  // of two the last
  }
  CHECK(right);
}

/// A NaN in `bad`, one of the arguments, makes the row's value NaN, and its gradient: all of it, or
/// that element.
template <class Operation, class T>
void loss_rows(const Operation& args, std::vector<T>& bad, std::vector<T>& value,
               std::vector<T>& dz, bool whole_row) {
  const std::size_t c = bad.size() / value.size();
  run(args);
  const std::vector<T> clean = value, gradient = dz;
  CHECK(!std::isnan(clean[0]));
  bool right = true;
  for (std::size_t i = 0; i < bad.size(); ++i) {
    const T before = std::exchange(bad[i], T(NaN));
    run(args);
    std::vector<T> expected = gradient;
    for (std::size_t k = i / c * c; k < (i / c + 1) * c; ++k)
      if (whole_row || k == i) expected[k] = T(NaN);
    right = right && agree(value, with(clean, i / c, NaN));
    right = right && agree(dz, expected);
    bad[i] = before;
  }
  CHECK(right);
}

}  // namespace

TEST_CASE("activations pass a NaN on") {
  for (int c : channel_counts) {
    activation<functor::Relu, float>(c, 1), activation<functor::Relu, double>(c, 1);
    activation<functor::Relu6, float>(c, 1), activation<functor::Relu6, double>(c, 1);
    activation<functor::HardSwish, float>(c, NaN), activation<functor::HardSwish, double>(c, NaN);
    activation<functor::HardSigmoid, float>(c, 0), activation<functor::HardSigmoid, double>(c, 0);
    masked_relu<float>(c), masked_relu<double>(c);
  }
}

TEST_CASE("dropped values are 0 times what they were") {
  const Map m{1, 1, 4, 17, 17};
  const auto drop = [&](float value) {
    const std::vector<float> x(68, value);
    std::vector<float> y(68);
    run(op::dropout<float>{.x = {m, x.data()},
                           .y = {m, y.data()},
                           .values = nullptr,
                           .p = .5,
                           .draw = 0,
                           .site = 1,
                           .first_sample = 0});
    return y;
  };
  const std::vector<float> kept = drop(1), infinite = drop(INFINITY);
  CHECK(all_nan(drop(NAN)));
  for (std::size_t i = 0; i < 68; ++i)
    CHECK((kept[i] > 0 ? infinite[i] == INFINITY : std::isnan(infinite[i])));
}

TEST_CASE_TEMPLATE("fused operations pass a NaN on", T, float, double) {
  for (int c : channel_counts) {
    CAPTURE(c);
    FusedTest<T> fused(c);
    fused.check(false, true, true, false, false);
    fused.check(true, false, false, false, false);
    fused.check(true, false, true, false, false);
    fused.check(true, true, true, false, false);
    fused.check(false, false, false, true, false);
    fused.check(false, false, false, true, true);
    fused.check(false, true, false, true, true);
  }
}

TEST_CASE_TEMPLATE("a fused convolution passes a NaN on, its moments too", T, float, double) {
  for (int c : channel_counts) {
    const Map x{2, 5, 4, 2, 2}, y{2, 5, 4, c, c};
    const rnx::geometry::Weights w{1, c, 2, 3, 3, 18, 9, 3, 1, 18l * c};
    std::vector<T> images = numbers<T>(x.rows() * 2, 1), mean(c), var(c), out(y.rows() * c);
    const auto convolve = [&](std::vector<T> theta, op::Tail<T> tail) {
      std::vector<T> packed(w.packed_forward());
      run(op::pack_weights<T>{
          .g = w, .theta = theta.data(), .forward = packed.data(), .backward = nullptr});
      run(op::fused<T>{.source = op::FusedSource::forward,
                       .x = {x, images.data()},
                       .w = packed.data(),
                       .y = {y, out.data()},
                       .filter = {.kh = 3, .kw = 3, .pad_h = 1, .pad_w = 1},
                       .tail = tail});
    };
    const op::Tail<T> moments{.mean_out = mean.data(), .var_out = var.data()};
    std::vector<T> theta = numbers<T>(18 * c, 2);
    convolve(theta, moments);
    CHECK(var[c - 1] > 0);
    const std::vector<T> one(c, T(1));
    convolve(std::vector<T>(18 * c, T(NaN)),
             {.mean = mean.data(), .var = one.data(), .normalize = true, .relu = true});
    CHECK(all_nan(out));
    for (const double bad : {NaN, infinity}) {
      images[7] = T(bad);
      convolve(theta, moments);
      CHECK(all_nan(var));
    }
  }
}

TEST_CASE_TEMPLATE("batch normalisation passes a NaN on", T, float, double) {
  const Map m{2, 2, 2, 5, 5};
  std::vector<T> x = numbers<T>(40, 1), mean(5), var(5), y(40);
  x[1] = T(NaN);
  x[7] = T(infinity);
  run(op::batch_norm_statistics<T>{.x = {m, x.data()}, .mean = mean.data(), .var = var.data()});
  CHECK((std::isnan(mean[1]) && std::isnan(var[1]) && std::isnan(var[2]) && !std::isnan(var[0])));
  var = {1, T(NaN), -1, 1, 1};
  mean = {0, 0, 0, T(NaN), 0};
  x.assign(40, 1);
  run(op::batch_norm_normalize<T>{.x = {m, x.data()},
                                  .y = {m, y.data()},
                                  .mean = mean.data(),
                                  .var = var.data(),
                                  .gamma = nullptr,
                                  .beta = nullptr,
                                  .eps = T(1e-5)});
  for (std::size_t i = 0; i < 40; ++i) CHECK(std::isnan(y[i]) == (i % 5 >= 1 && i % 5 <= 3));
}

TEST_CASE("pooling passes a NaN on") {
  for (int c : channel_counts) pooling<float>(c), pooling<double>(c);
}

TEST_CASE_TEMPLATE("attacks pass a NaN on", T, float, double) {
  const Map m{2, 1, 3, 7, 7};
  const std::size_t count = 42, sample = 21;
  const rnx::StepValues values{.seed = 1, .eps = .1, .step = .03};
  std::vector<T> clean = numbers<T>(count, 1), gradient = numbers<T>(count, 2), start(count), x;
  for (T& v : clean) v = T(.5 + .4 * v);
  const auto begin = [&](op::Norm norm, double noise, const std::vector<T>& from) {
    std::vector<T> to(count);
    run(op::attack_start<T>{.clean = {m, from.data()},
                            .adversarial = {m, to.data()},
                            .values = &values,
                            .norm = norm,
                            .draw = 0,
                            .first_sample = 0,
                            .noise = noise});
    return to;
  };
  const auto step = [&](op::Norm norm, const std::vector<T>& from, const std::vector<T>& g,
                        std::vector<T> to) {
    run(op::attack_step<T>{.clean = {m, from.data()},
                           .gradient = {m, g.data()},
                           .adversarial = {m, to.data()},
                           .values = &values,
                           .norm = norm,
                           .fgsm = false});
    return to;
  };
  bool right = true;
  for (std::size_t i = 0; i < count; ++i) {
    for (const double noise : {0., 1e-3})
      for (const op::Norm norm : {op::Norm::linf, op::Norm::l2}) {
        const std::vector<T> expected = with(begin(norm, noise, clean), i, NaN);
        right = right && agree(begin(norm, noise, with(clean, i, NaN)), expected);
      }
    start = begin(op::Norm::linf, 0, clean);
    x = step(op::Norm::linf, clean, gradient, start);
    const std::vector<T> hit = with(x, i, NaN),
                         upward = step(op::Norm::linf, clean, with(gradient, i, 1), start);
    right = right && agree(step(op::Norm::linf, clean, with(gradient, i, NaN), start), hit);
    right = right && agree(step(op::Norm::linf, with(clean, i, NaN), gradient, start), hit);
    right = right && agree(step(op::Norm::linf, clean, gradient, with(start, i, NaN)), hit);
    right = right && agree(step(op::Norm::linf, clean, with(gradient, i, infinity), start), upward);
    start = begin(op::Norm::l2, 0, clean);
    x = step(op::Norm::l2, clean, gradient, start);
    std::fill_n(x.begin() + long(i / sample * sample), sample, T(NaN));
    right = right && agree(step(op::Norm::l2, clean, with(gradient, i, NaN), start), x);
  }
  CHECK(right);
  std::vector<T> delta = numbers<T>(count, 3), moved(count);
  gradient[5] = T(NaN);
  run(op::perturbation_step<T>{.rows = 1,
                               .features = count,
                               .norm = op::Norm::linf,
                               .values = &values,
                               .gradient = gradient.data(),
                               .delta = delta.data()});
  run(op::perturb<T>{.count = count, .x = clean.data(), .delta = delta.data(), .y = moved.data()});
  for (std::size_t i = 0; i < count; ++i)
    CHECK((std::isnan(delta[i]) == (i == 5) && std::isnan(moved[i]) == (i == 5)));
}

TEST_CASE_TEMPLATE("losses pass a NaN on", T, float, double) {
  const Map m{3, 1, 1, 6, 6};
  std::vector<T> z = numbers<T>(18, 1), t = numbers<T>(18, 2), value(3), dz(18);
  const std::int32_t labels[] = {0, 5, 2};
  for (const double smoothing : {0., .1})
    loss_rows(op::cross_entropy<T>{.logits = {m, z.data()},
                                   .dz = {m, dz.data()},
                                   .labels = labels,
                                   .value = value.data(),
                                   .smoothing = smoothing,
                                   .weight = .5,
                                   .add = false},
              z, value, dz, true);
  for (const bool reverse : {false, true})
    for (std::vector<T>* bad : {&z, &t})
      loss_rows(op::kl_divergence<T>{.logits = {m, z.data()},
                                     .teacher = {m, t.data()},
                                     .dz = {m, dz.data()},
                                     .value = value.data(),
                                     .temperature = 2,
                                     .weight = .5,
                                     .reverse = reverse,
                                     .add = false},
                *bad, value, dz, true);
  for (const op::Distance kind : {op::Distance::mean_square, op::Distance::cosine, op::Distance::l2,
                                  op::Distance::relative_l2})
    for (std::vector<T>* bad : {&z, &t})
      loss_rows(op::row_distance<T>{.s = {m, z.data()},
                                    .t = {m, t.data()},
                                    .ds = {m, dz.data()},
                                    .value = value.data(),
                                    .kind = kind,
                                    .weight = .5,
                                    .add = false},
                *bad, value, dz, kind != op::Distance::mean_square);
}

TEST_CASE("a NaN in a gradient reaches its norm, the clipping factor and the parameters") {
  std::vector<double> g = numbers<double>(19, 1), p(19, 1.0), v(19), m(19), second(19);
  g[11] = NaN;
  double sum = 0, clip = 0;
  run(op::square_sum<double>{.count = 19, .x = g.data(), .sum = &sum});
  run(op::clip_factor<double>{.limit = 1, .sum = &sum, .clip = &clip});
  CHECK((std::isnan(sum) && std::isnan(clip)));
  const rnx::StepValues values{.lr = .1, .momentum = .9};
  run(op::sgd_step<double>{.count = 19,
                           .lr_factor = 1,
                           .decay = 0,
                           .nesterov = false,
                           .first = false,
                           .values = &values,
                           .clip = nullptr,
                           .gradient = g.data(),
                           .velocity = v.data(),
                           .parameter = p.data()});
  for (std::size_t i = 0; i < 19; ++i) CHECK(std::isnan(p[i]) == (i == 11));
  p.assign(19, 1.0);
  run(op::adam_step<double>{.count = 19,
                            .lr_factor = 1,
                            .beta1 = .9,
                            .beta2 = .99,
                            .eps = 1e-8,
                            .decay = 0,
                            .t = 1,
                            .values = &values,
                            .clip = &clip,
                            .gradient = g.data(),
                            .m = m.data(),
                            .v = second.data(),
                            .parameter = p.data()});
  CHECK(all_nan(p));
}
