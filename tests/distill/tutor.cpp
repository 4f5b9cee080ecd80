// Attention maps of every convolution of two different networks, and what compares them: resizing,
// the tutor loss, attention transfer. The numbers are torch 1.13's in double: interpolate,
// adaptive_avg_pool2d, normalize, autograd.
#include "kernels/support.hpp"
#include "rnx/distill.hpp"
#include "rnx/loss.hpp"
#include "rnx/models.hpp"
#include "rnx/optim.hpp"

using namespace rnx;
using test::Map;
using Trace64 = Trace<double, cpu>;

namespace {

using Norm = BatchNorm<>;
using Input = Shape<3, 16, 16>;
using Blocks = Sequential<models::InvertedResidual<8, 24, 8, 3, 1, false>,
                          models::InvertedResidual<8, 32, 12, 3, 2, false>>;
using Student = Network<
    models::Classifier<models::Convolutions<>, 4, Named<"conv1", Conv<8, 3>>, Named<"bn1", Norm>,
                       Named<"act", act::HardSwish>, Named<"blocks", Blocks>>,
    Input, cpu, precision::Double>;
template <int Width, int S, class Shortcut>
using Block = models::BasicBlock<Width, S, Shortcut, models::Convolutions<>, Norm, act::Relu>;
using Teacher = Network<
    models::Classifier<models::Convolutions<>, 4, Named<"conv1", Conv<12, 3>>, Named<"bn1", Norm>,
                       Named<"relu", act::Relu>, Named<"layer1", Repeat<1, Block<12, 1, Identity>>>,
                       Named<"layer2", Repeat<1, Block<20, 2, PadShortcut<20, 2>>>>>,
    Input, cpu, precision::Double>;

std::vector<double> wave(double phase, std::size_t count) {
  std::vector<double> v(count);
  for (std::size_t i = 0; i < count; ++i) v[i] = std::sin(phase + 1.3 * double(i));
  return v;
}
double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}
double euclidean(const std::vector<double>& a) { return std::sqrt(dot(a, a)); }
std::vector<double> read(const double* p, std::size_t count) { return {p, p + count}; }
std::vector<double> concat(std::initializer_list<std::vector<double>> parts) {
  std::vector<double> all;
  for (const auto& p : parts) all.insert(all.end(), p.begin(), p.end());
  return all;
}

/// Largest error of <gradient, u> against central differences of f along random directions u and
/// the gradient's own, over |gradient|.
template <class F> double gradient_error(double* at, const std::vector<double>& gradient, F f) {
  const std::vector<double> start(at, at + gradient.size());
  double worst = 0;
  for (std::uint64_t trial = 0; trial < 4; ++trial) {
    std::vector<double> u = trial ? test::numbers<double>(gradient.size(), 40 + trial) : gradient;
    const double length = euclidean(u), h = 1e-6;
    const auto moved = [&](double step) {
      for (std::size_t i = 0; i < start.size(); ++i) at[i] = start[i] + step * u[i] / length;
      return f();
    };
    const double slope = (moved(h) - moved(-h)) / (2 * h);
    worst = std::max(worst, std::abs(slope - dot(gradient, u) / length) / euclidean(gradient));
  }
  std::copy(start.begin(), start.end(), at);
  return worst;
}

/// Both networks, a batch, and the tutor loss between them.
struct Pair {
  static constexpr int n = 3;
  Student student{1};
  Teacher teacher{2};
  distill::TutorLoss<double> tutor;
  Trace64 ts, tt;
  Grads<double, cpu> grads = student.make_grads(), logits = tutor.make_grads();
  Tensor<double> x{n, {3, 16, 16}};
  StepValues values{.seed = 11, .draw = 5, .temperature = 0.8};
  Context ctx{.mode = Mode::train, .values = &values};

  explicit Pair(distill::TutorOptions o = {})
      : tutor(student.graph(), teacher.graph(), o),
        ts(student.make_trace({.use = Use::train, .capacity = n, .keep = tutor.student_keep()})),
        tt(teacher.make_trace({.capacity = n, .keep = tutor.teacher_keep()})) {
    x.upload(test::numbers<double>(x.size(), 3));
    const auto start = test::numbers<double>(tutor.parameter_count(), 4);
    std::copy(start.begin(), start.end(), tutor.mutable_parameters());
    teacher.forward(tt, x.view(), {});
  }
  double value() {
    student.forward(ts, x.view(), ctx);
    tutor.forward(ts, tt);
    return *tutor.value();
  }
  std::vector<double> seeds() const {
    std::vector<double> all;
    for (const auto& kept : ts.activations()) all = concat({all, to_host(kept.seed)});
    return all;
  }
  /// Gradients of weight L: seeds, logits, weights, input.
  std::vector<double> gradients(double weight = 1) {
    Tensor<double> dx{n, {3, 16, 16}};
    grads.zero();
    logits.zero();
    value();
    tutor.backward(ts, weight, &logits);
    const auto map_seeds = seeds();
    memory<cpu>::zero(ts.logits_gradient().data, n * 4 * sizeof(double));
    student.backward(ts, dx.view(), &grads);
    return concat({map_seeds, logits.flat.download(), grads.flat.download(), dx.download()});
  }
};

/// Convolutions of one pixel and nothing else: a few lines of torch.
template <class... Layers>
using PlainNet =
    Network<Sequential<Layers..., GlobalAveragePool>, Shape<3, 6, 6>, cpu, precision::Double>;
using Plain1 = PlainNet<Named<"s1", Conv<2, 1>>, Named<"s2", Conv<3, 1, Stride<2>>>>;
using Plain2 =
    PlainNet<Named<"t1", Conv<4, 1, Stride<2>>>, Named<"t2", Conv<2, 1>>, Named<"t3", Conv<3, 1>>>;
struct Plain {
  Plain1 student;
  Plain2 teacher;
  Tensor<double> x = Tensor<double>::from_nchw(2, {3, 6, 6}, wave(0.1, 216));
  StepValues values{.temperature = 1e13};  // every g is 1 / n_t
  Context ctx{.values = &values};
  Plain() {
    double phase = 1;
    for (const auto& p : student.parameter_list()) student.set(p.name, wave(phase++, p.count));
    for (const auto& p : teacher.parameter_list()) teacher.set(p.name, wave(phase++, p.count));
  }
  /// The gradient of the input in torch's order, from the seeds alone.
  std::vector<double> input_gradient(Trace64& trace) {
    Tensor<double> dx{2, {3, 6, 6}};
    student.backward(trace, dx.view(), nullptr);
    return dx.to_nchw();
  }
};

void check_close(const std::vector<double>& found, std::initializer_list<double> expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    CHECK(found[i] == doctest::Approx(expected.begin()[i]).epsilon(1e-10).scale(1));
}
std::vector<double> resized(const std::vector<double>& x, Map from, Map to, Resize method) {
  std::vector<double> y(to.rows(), 77.0);
  test::run(op::resize_map<double>{.x = {from, x.data()}, .y = {to, y.data()}, .method = method});
  return y;
}

}  // namespace

TEST_CASE("resize: torch's interpolate and adaptive average pooling") {
  const std::vector<double> x{0, 1, 4, 2, 2, 4, 1, 0, 1, 4, 2, 2},
      squares{0, 1, 4, 9, 16, 25, 36, 49};
  const auto resize = [&](int h, int w, Resize method) {
    return resized(x, {1, 3, 4, 1, 1}, {1, h, w, 1, 1}, method);
  };
  const double third = 1.0 / 3, sixth = 1.0 / 6;
  check_close(resize(2, 2, Resize::bilinear), {1.125, 2.375, 2.625, 1.625});
  check_close(resize(5, 3, Resize::bilinear),
              {sixth, 2.5, 7 * third, 31 / 30.0, 2.5, 22 / 15.0, 7 * third, 2.5, sixth, 11 * sixth,
               2.8, 19 / 15.0, 1.5, 3, 2});
  check_close(resize(1, 6, Resize::bilinear), {2, 3, 3.5, 1.5, 0.5, 0});
  check_close(resize(2, 2, Resize::average), {1.75, 1.75, 2.75, 1.25});
  check_close(resize(5, 3, Resize::average),
              {0.5, 2.5, 3, 1.75, 2.5, 1.75, 3, 2.5, 0.5, 2.75, 2.75, 1.25, 2.5, 3, 2});
  check_close(resize(1, 6, Resize::average), {1, 2, 3, 7 * third, 11 * sixth, 4 * third});
  check_close(resized(squares, {1, 1, 8, 1, 1}, {1, 1, 3, 1, 1}, Resize::bilinear),
              {5 * sixth, 12.5, 229 * sixth});
  check_close(resized(squares, {1, 1, 8, 1, 1}, {1, 1, 14, 1, 1}, Resize::bilinear),
              {0, 5 / 14.0, 13 / 14.0, 2.5, 61 / 14.0, 101 / 14.0, 10.5, 14.5, 269 / 14.0,
               341 / 14.0, 30.5, 517 / 14.0, 621 / 14.0, 49});
  for (const Resize method : {Resize::bilinear, Resize::average})
    CHECK(test::same(resize(3, 4, method), x));
}

TEST_CASE("resize: backward adds the transpose, equal bits for every number of threads") {
  const int sizes[][4] = {{3, 4, 5, 3},   {32, 32, 14, 14}, {8, 8, 14, 14},
                          {1, 1, 14, 14}, {7, 5, 1, 1},     {6, 6, 6, 6}};
  for (const auto& [h, w, oh, ow] : sizes)
    for (const Resize method : {Resize::bilinear, Resize::average}) {
      const Map a{40, h, w, 1, 1}, b{40, oh, ow, 1, 1};
      const auto x = test::numbers<double>(a.rows(), 1),
                 before = test::numbers<double>(a.rows(), 3);
      const auto y = test::numbers<double>(b.rows(), 2);
      const auto back = [&] {
        auto dx = before;
        test::run(op::resize_map_backward<double>{
            .dy = {b, y.data()}, .dx = {a, dx.data()}, .method = method});
        return dx;
      };
      CHECK(dot(back(), x) - dot(before, x) ==
            doctest::Approx(dot(y, resized(x, a, b, method))).epsilon(1e-12));
      CHECK(test::same_for_threads(back));
      CHECK(test::same_for_threads([&] { return resized(x, a, b, method); }));
    }
}

TEST_CASE("tutor loss: Eq. 1 and the released code's form as torch computes them") {
  Plain p;
  const auto check = [&](distill::TutorOptions o, std::initializer_list<double> values,
                         double length, double along) {
    o.size = 5;
    distill::TutorLoss<double> tutor(p.student.graph(), p.teacher.graph(), o);
    auto ts = p.student.make_trace(
        {.use = Use::input_gradient, .capacity = 2, .keep = tutor.student_keep()});
    auto tt = p.teacher.make_trace({.capacity = 2, .keep = tutor.teacher_keep()});
    p.teacher.forward(tt, p.x.view(), {});
    p.student.forward(ts, p.x.view(), p.ctx);
    memory<cpu>::zero(ts.logits_gradient().data, 6 * sizeof(double));
    tutor(ts, tt, 1, nullptr);
    check_close(read(tutor.values(), values.size()), values);
    const auto dx = p.input_gradient(ts);
    check_close({euclidean(dx), dot(dx, wave(0.7, dx.size()))}, {length, along});
  };
  check({}, {0.15759204227198584, 0.1596314448509268}, 0.15404263135102214, -0.0047427879300465658);
  check({.per_batch = true, .joint = true}, {0.7507132498570225}, 0.4638466778057086,
        -0.066090051817677159);
}

TEST_CASE(
    "tutor loss: the draw is Gumbel-softmax, the parameters are the logits, argmax gives the "
    "tutors") {
  Pair p;
  using Names = std::vector<std::string>;
  CHECK(p.tutor.student_layers() == Names{"conv1", "blocks.0.conv1", "blocks.0.conv2",
                                          "blocks.0.conv3", "blocks.1.conv1", "blocks.1.conv2",
                                          "blocks.1.conv3"});
  CHECK(p.tutor.teacher_layers() ==
        Names{"conv1", "layer1.0.conv1", "layer1.0.conv2", "layer2.0.conv1", "layer2.0.conv2"});
  const distill::TutorLoss<double> fresh(p.student.graph(), p.teacher.graph());
  fresh.visit([&](const auto& parameter) {
    CHECK((parameter.name == "tutor.logits" && parameter.shape == std::vector<int>{7, 5} &&
           parameter.kind == ParameterKind::architecture));
    for (double v : read(parameter.value, parameter.count)) CHECK(v == 0.2);
  });

  p.ctx.draw = 2;
  p.value();
  const rng::Stream noise(11, Purpose::gumbel, 5 + 2, distill::loss_sites);
  const auto v = read(std::as_const(p.tutor).parameters(), 35), g = read(p.tutor.weights(), 35);
  std::vector<int> best;
  for (int i = 0; i < 7; ++i) {
    double z[5], sum = 0;
    for (int j = 0; j < 5; ++j)
      sum += z[j] = std::exp((v[i * 5 + j] + noise.gumbel(i * 5 + j)) / 0.8);
    for (int j = 0; j < 5; ++j) CHECK(g[i * 5 + j] == doctest::Approx(z[j] / sum).epsilon(1e-12));
    best.push_back(int(std::max_element(&v[i * 5], &v[i * 5] + 5) - &v[i * 5]));
  }
  CHECK(p.tutor.tutors() == best);
  p.ctx.draw = 3;
  p.value();
  CHECK_FALSE(test::same(read(p.tutor.weights(), 35), g));
  p.tutor.one_hot(true);
  p.value();
  for (int k = 0; k < 35; ++k) CHECK(p.tutor.weights()[k] == double(k % 5 == best[k / 5]));
}

TEST_CASE("tutor loss: gradients against central differences") {
  const auto check = [](distill::TutorOptions o, bool one_hot) {
    Pair p(o);
    p.tutor.one_hot(one_hot);
    const auto value = [&] {
      return p.student.mutable_parameters(), p.value();
    };  // a new version: parameters were moved
    const auto all = p.gradients();
    const std::size_t seeds = p.seeds().size(), logits = 35,
                      weights = p.student.parameter_storage();
    const auto part = [&](std::size_t at, std::size_t count) {
      return read(all.data() + at, count);
    };
    CHECK(gradient_error(p.student.mutable_parameters(), part(seeds + logits, weights), value) <
          1e-6);
    CHECK(gradient_error(p.x.data(), part(seeds + logits + weights, p.x.size()), value) < 1e-6);
    if (one_hot)
      CHECK(euclidean(part(seeds, logits)) == 0);
    else
      CHECK(gradient_error(p.tutor.mutable_parameters(), part(seeds, logits), value) < 1e-6);
    // twice the weight, added to what is there
    const auto once = p.logits.flat.download();
    p.value();
    p.tutor.backward(p.ts, 2, &p.logits);
    p.tutor.forward(p.ts, p.tt);
    p.tutor.backward(p.ts, 1, nullptr);
    CHECK(dot(p.seeds(), part(0, seeds)) ==
          doctest::Approx(3 * dot(part(0, seeds), part(0, seeds))).epsilon(1e-12));
    CHECK(dot(p.logits.flat.download(), once) ==
          doctest::Approx(3 * dot(once, once)).epsilon(1e-12));
  };
  check({}, false);
  check({}, true);
  check({.size = 9, .per_batch = true, .joint = true}, false);
}

TEST_CASE("tutor loss: a differentiable cost reads the same draw") {
  Pair p;
  const auto prices = test::numbers<double>(35, 9);
  const auto cost = [&] { return dot(read(p.tutor.weights(), 35), prices); };
  p.gradients();
  const auto alone = p.logits.flat.download();
  p.logits.zero();
  p.value();
  for (int k = 0; k < 35; ++k) p.tutor.weights_seed()[k] += prices[k];
  p.tutor.backward(p.ts, 1, &p.logits);
  const auto both = p.logits.flat.download();
  p.logits.zero();
  p.value();
  for (int k = 0; k < 35; ++k) p.tutor.weights_seed()[k] += prices[k];
  p.tutor.backward(p.ts, 0, &p.logits);
  const auto cost_alone = p.logits.flat.download();
  for (int k = 0; k < 35; ++k)
    CHECK(both[k] == doctest::Approx(alone[k] + cost_alone[k]).epsilon(1e-12));
  CHECK(gradient_error(p.tutor.mutable_parameters(), both, [&] {
          const double l = p.value();
          return l + cost();
        }) < 1e-6);
}

TEST_CASE(
    "tutor loss: steps of the logits' own optimizer lower it and find each layer's best tutor") {
  Pair p;
  optim::Adam<double> adam;
  adam.add(p.tutor, p.logits);
  StepValues values = p.values;
  values.lr = 0.1;
  optim::StepState<> state(values);
  const double start = p.value();
  const auto before = read(std::as_const(p.student).parameters(), p.student.parameter_storage());
  for (int step = 0; step < 200; ++step) {
    adam.zero_grads();
    p.value();
    p.tutor.backward(p.ts, 1, &p.logits);
    adam.step(state.get());
  }
  CHECK(p.value() < 0.97 * start);
  const auto found = p.tutor.tutors();
  p.tutor.one_hot(true);
  const double best = p.value();
  for (int k = 0; k < 35; ++k) {
    if (k % 5 == found[k / 5]) continue;
    const double own = p.tutor.parameters()[k];
    p.tutor.mutable_parameters()[k] = 1e3;
    CHECK(p.value() > best);
    p.tutor.mutable_parameters()[k] = own;
  }
  CHECK(test::same(before, read(std::as_const(p.student).parameters(), before.size())));
}

TEST_CASE("keeping maps: no bit of the logits changes, the bytes are as computed by hand") {
  Pair p;
  auto plain = p.student.make_trace({.use = Use::train, .capacity = Pair::n});
  for (const Mode mode : {Mode::train, Mode::eval}) {
    p.ctx.mode = mode;
    p.value();
    CHECK(test::same(to_host(p.student.forward(plain, p.x.view(), p.ctx)), to_host(p.ts.logits())));
  }
  auto bare = p.teacher.make_trace({.capacity = Pair::n});
  CHECK(test::same(to_host(p.teacher.forward(bare, p.x.view(), {})), to_host(p.tt.logits())));
  CHECK(plain.kept_bytes() == 0);
  CHECK(p.ts.kept_bytes() == 8 * Pair::n * (5 * 256 + 2 * 64) *
                                 2);  // conv1, blocks.0.*, blocks.1.conv1 | 8 x 8; map and seed
  CHECK(p.tt.kept_bytes() == 8 * Pair::n * (3 * 256 + 2 * 64));
  CHECK(p.tutor.bytes() == 8 * (2 * 35 + Pair::n * ((7 + 5 + 1) * 196 + 7 + 35 + 1) + 1));
}

TEST_CASE(
    "tutor loss: equal bits for every number of threads; a sample's value does not depend on its "
    "batch") {
  for (const bool joined : {false, true}) {
    Pair p({.per_batch = joined, .joint = joined});
    const int rows = joined ? 1 : Pair::n;
    CHECK(test::same_for_threads([&] {
      return concat({p.gradients(), read(p.tutor.values(), rows), {*p.tutor.value()}});
    }));
  }
  Pair p;
  p.ctx.mode = Mode::eval;
  p.value();
  const auto all = read(p.tutor.values(), Pair::n);
  CHECK(*p.tutor.value() == doctest::Approx((all[0] + all[1] + all[2]) / 3).epsilon(1e-14));
  p.teacher.forward(p.tt, p.x.view().samples(1, 1), {});
  p.student.forward(p.ts, p.x.view().samples(1, 1), p.ctx);
  p.tutor.forward(p.ts, p.tt);
  CHECK(p.tutor.values()[0] == all[1]);
}

TEST_CASE("tutor loss: a term of a sum gives the same gradients and values") {
  Pair p;
  const auto expected = p.gradients(0.5);
  const auto tutor_values = read(p.tutor.values(), Pair::n);
  const loss::Labels<> labels(std::vector<std::int32_t>{0, 1, 3}, 4);
  loss::Values<double> values(Pair::n);
  p.student.forward(p.ts, p.x.view(), p.ctx);
  p.logits.zero();
  loss::mean(loss::CrossEntropy{labels.data()}, p.ts, values);
  const auto dz = to_host(p.ts.logits_gradient()), cross_entropy = values.host(Pair::n);
  const distill::TutorTerm term{&p.tutor, &p.tt, &p.logits};
  loss::mean(loss::sum(loss::term(1, loss::CrossEntropy{labels.data()}), loss::term(0.5, term)),
             p.ts, values);
  CHECK(test::same(to_host(p.ts.logits_gradient()), dz));
  const auto seeds = p.seeds(), logits = p.logits.flat.download();
  for (std::size_t k = 0; k < seeds.size(); ++k)
    CHECK(seeds[k] == doctest::Approx(expected[k]).epsilon(1e-12));
  for (std::size_t k = 0; k < logits.size(); ++k)
    CHECK(logits[k] == doctest::Approx(expected[seeds.size() + k]).epsilon(1e-12));
  for (int k = 0; k < Pair::n; ++k)
    CHECK(values.data()[k] ==
          doctest::Approx(cross_entropy[k] + 0.5 * tutor_values[k]).epsilon(1e-14));
}

TEST_CASE("tutor loss: a student layer that does not run has no share") {
  using Step = Sequential<Named<"conv", Conv<3, 1>>,
                          Named<"act", act::HardSwish>>;  // a stage ends under its last layer
  PlainNet<Named<"s1", Conv<3, 1>>, Named<"s2", Repeat<2, Step, Step, 1>>> student(
      3);  // s1, s2.0.conv, s2.1.conv
  Plain p;
  distill::TutorLoss<double> tutor(student.graph(), p.teacher.graph());
  auto grads = tutor.make_grads();
  auto ts =
      student.make_trace({.use = Use::input_gradient, .capacity = 2, .keep = tutor.student_keep()});
  auto tt = p.teacher.make_trace({.capacity = 2, .keep = tutor.teacher_keep()});
  p.teacher.forward(tt, p.x.view(), {});
  const auto value = [&](int depth) {
    const Subnet subnet = student.make_subnet({{"s2", "depth", depth}});
    p.ctx.subnet = &subnet;
    student.forward(ts, p.x.view(), p.ctx);
    grads.zero();
    tutor(ts, tt, 1, &grads);
    return *tutor.value();
  };
  p.values = {.seed = 3, .temperature = 1};
  const double deep = value(2);
  const auto all = grads.flat.download();
  const double shallow = value(1);
  const auto fewer = grads.flat.download();
  CHECK(shallow > 0);
  CHECK(shallow < deep);
  CHECK(test::same(read(fewer.data(), 6), read(all.data(), 6)));
  CHECK(euclidean(read(fewer.data() + 6, 3)) == 0);
  CHECK(euclidean(read(all.data() + 6, 3)) > 0);
}

TEST_CASE("attention transfer: torch's numbers, per sample, in tiles, and central differences") {
  Plain p;
  const std::vector<distill::AttentionPair> pairs{{"s1", "t1"}, {"s2", "t3"}};
  auto tt = p.teacher.make_trace(
      {.capacity = 2, .keep = distill::AttentionTransfer<double>::teacher_keep(pairs)});
  auto keep = distill::AttentionTransfer<double>::student_keep(pairs);
  auto ts = p.student.make_trace({.use = Use::input_gradient, .capacity = 2, .keep = keep});
  p.teacher.forward(tt, p.x.view(), {});
  const distill::AttentionTransfer<double> reference(tt, pairs),
      bilinear(tt, pairs, {Resize::bilinear, 4});
  loss::Values<double> values(2);
  const auto mean_of = [&](const auto& loss) {
    return p.student.forward(ts, p.x.view(), p.ctx), loss::mean(loss, ts, values);
  };

  mean_of(reference);
  check_close(read(values.data(), 2), {0.07058159149227394, 0.07082258588039347});
  const auto dx = p.input_gradient(ts);
  check_close({euclidean(dx), dot(dx, wave(0.7, dx.size()))},
              {0.15719216051402118, -0.020423263161547012});
  CHECK(test::same_for_threads([&] {
    return mean_of(reference), concat({values.host(2), p.input_gradient(ts)});
  }));

  const double second = values.data()[1];
  p.student.forward(ts, p.x.view().samples(1, 1), p.ctx);
  reference(ts, values.call(1, 1, 1));
  CHECK(values.data()[0] == second);

  for (const auto* loss : {&reference, &bilinear}) {
    mean_of(*loss);
    Tensor<double> gradient{2, {3, 6, 6}};
    p.student.backward(ts, gradient.view(), nullptr);
    CHECK(gradient_error(p.x.data(), gradient.download(), [&] { return mean_of(*loss); }) < 1e-6);
  }
}

TEST_CASE("attention losses: what is missing is said") {
  Pair p;
  auto no_maps = p.student.make_trace(
      {.use = Use::train, .capacity = Pair::n, .keep = {Keep::every(Kind::convolution).seeded()}});
  auto no_seeds = p.student.make_trace(
      {.use = Use::train, .capacity = Pair::n, .keep = {Keep::every(Kind::convolution).maps()}});
  CHECK_THROWS_AS(p.tutor.backward(p.ts, 1, nullptr), StateError);
  CHECK_THROWS_AS(p.tutor.forward(p.ts, p.tt), StateError);
  p.student.forward(no_maps, p.x.view(), p.ctx);
  p.student.forward(no_seeds, p.x.view(), p.ctx);
  CHECK_THROWS_AS(p.tutor.forward(no_maps, p.tt), StateError);
  CHECK_THROWS_AS(p.tutor.forward(p.tt, p.tt), StateError);
  p.tutor.forward(no_seeds, p.tt);
  CHECK_THROWS_AS(p.tutor.backward(no_seeds, 1, nullptr), StateError);
  p.value();
  p.tutor.mutable_parameters();
  CHECK_THROWS_AS(p.tutor.backward(p.ts, 1, nullptr), StateError);
  p.value();
  CHECK_THROWS_AS(p.tutor.backward(p.ts, 1, &p.grads), ShapeError);
  p.student.forward(p.ts, p.x.view().samples(0, 2), p.ctx);
  CHECK_THROWS_AS(p.tutor.forward(p.ts, p.tt), ShapeError);
  CHECK_THROWS_AS(distill::TutorLoss<double>(p.student.graph(), p.teacher.graph(),
                                             {.student = {Keep::at("nowhere")}}),
                  UsageError);
  CHECK_THROWS_AS(distill::TutorLoss<double>(p.student.graph(), p.teacher.graph(), {.size = 0}),
                  UsageError);

  loss::Values<double> values(Pair::n);
  const distill::AttentionTransfer<double> transfer(p.tt, {{"conv1", "conv1"}}),
      elsewhere(p.tt, {{"nowhere", "conv1"}});
  p.value();
  CHECK_THROWS_AS(loss::mean(elsewhere, p.ts, values), NameError);
  CHECK_THROWS_AS(loss::mean(transfer, no_maps, values), UsageError);
  CHECK_THROWS_AS(loss::mean(transfer, no_seeds, values), UsageError);
  CHECK_THROWS_AS(transfer(p.ts, values.call(Pair::n, 1, 1)), ShapeError);
  CHECK_THROWS_AS(distill::AttentionTransfer<double>(p.tt, {}), UsageError);
}
