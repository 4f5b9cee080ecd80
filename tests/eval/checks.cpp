// A zoo of defences that are known to be none, each an honest network with something around it:
// each raises exactly the checks that find it, the network itself none.
#include <doctest/doctest.h>

#include <string>

#include "rnx/eval/checks.hpp"
#include "rnx/rnx.hpp"
#include "support/error_of.hpp"

using namespace rnx;

namespace {

constexpr int kinds = 4, pixels = 192, count = 60;
constexpr double eps = 20. / 255;
using Net =
    Network<Sequential<Named<"hidden", Linear<kinds>>, act::Relu, Named<"fc", Linear<kinds>>>,
            Shape<3, 8, 8>>;

/// Of pixel k in class c: 1 or -1.
float pattern(int c, int k) {
  return rng::Stream(9, Purpose::test).bits(std::uint64_t(c * pixels + k)) & 1 ? 1.f : -1.f;
}
/// Images that hold their class's pattern, faint to plain: an attack of eps fools about half.
data::Images images() {
  const rng::Stream random(7, Purpose::data);
  data::Images set{.n = count, .dims = {3, 8, 8}, .classes = kinds};
  for (int i = 0; i < count; ++i) {
    const double faint = 0.04 + 0.08 * random.uniform(std::uint64_t(i));
    set.labels.push_back(i % kinds);
    for (int k = 0; k < pixels; ++k) {
      const double noise = random.uniform(std::uint64_t(1000 + i * pixels + k)) - 0.5;
      set.pixels.push_back(
          std::uint8_t(std::lround(255 * (0.5 + faint * pattern(i % kinds, k) + 0.1 * noise))));
    }
  }
  return set;
}
/// Finds the patterns: logits are what is above -1 of their correlations.
Net honest() {
  Net net(1);
  std::vector<float> correlate(kinds * pixels), ones(kinds * kinds);
  // parameters are in PyTorch's order, pixels of a sample (h, w, c)
  for (int c = 0; c < kinds; ++c)
    for (int k = 0; k < pixels; ++k)
      correlate[std::size_t(c * pixels + k % 3 * 64 + k / 3)] = 0.3f * pattern(c, k);
  std::vector<float> offset(kinds, 2.f);
  for (int c = 0; c < kinds; ++c) {
    ones[std::size_t(c * kinds + c)] = 1;
    for (int k = 0; k < pixels; ++k) offset[std::size_t(c)] -= 0.15f * pattern(c, k);
  }
  net.set("hidden.weight", correlate);
  net.set("hidden.bias", offset);
  net.set("fc.weight", ones);
  net.set("fc.bias", std::vector<float>(kinds, 0.f));
  return net;
}

/// What stands around the network.
struct Around {
  /// of one image, by its sample and the draw
  std::function<void(std::span<float> x, std::uint64_t sample, std::uint64_t draw)> before{};
  std::function<void(std::span<float> z)> behind{};
  /// dz at the network's logits out of that at `behind`'s; empty: as it is
  std::function<void(std::span<const float> z, std::span<float> dz)> back{};
  bool gradient = true;  ///< false: zero
};

class Defence final : public attack::WhiteBox<> {
 public:
  Defence(const Net& net, Around around) : net_(net), around_(std::move(around)) {}
  Dims input_dims() const override { return net_.input_dims(); }
  int classes() const override { return net_.classes(); }
  std::unique_ptr<Memory> make_memory(Use use, int capacity, int) const override {
    return std::make_unique<Own>(*this, use, capacity);
  }
  View<const float> logits(Memory& memory, View<const float> x, const Context& ctx,
                           int) const override {
    Own& own = dynamic_cast<Own&>(memory);
    std::copy(x.data, x.data + x.count(), own.x.data());
    for (int i = 0; around_.before && i < x.n; ++i)
      around_.before({own.x.data() + i * pixels, pixels},
                     ctx.first_sample + std::uint64_t(ctx.samples ? ctx.samples.data[i] : i),
                     ctx.draw);
    const auto z = net_.forward(own.inner, std::as_const(own.x).view().samples(0, x.n), ctx);
    std::copy(z.data, z.data + z.count(), own.raw.data());
    std::copy(z.data, z.data + z.count(), own.z.data());
    for (int i = 0; around_.behind && i < x.n; ++i)
      around_.behind({own.z.data() + i * kinds, kinds});
    return std::as_const(own.z).view().samples(0, x.n);
  }
  void input_gradient(Memory& memory, View<const float> x, const loss::LossRef<float, cpu>& loss,
                      const Context& ctx, View<float> dx, float* values) const override {
    Own& own = dynamic_cast<Own&>(memory);
    own.head.forward(own.trace, logits(memory, x, ctx, 0), ctx);
    loss(own.trace,
         {.samples = ctx.samples, .values = values, .scratch = own.trace.loss_scratch()});
    const View<float> dz = own.trace.logits_gradient();
    for (int i = 0; around_.back && i < x.n; ++i)
      around_.back({own.raw.data() + i * kinds, kinds}, {dz.data + i * kinds, kinds});
    std::copy(dz.data, dz.data + dz.count(), own.inner.logits_gradient().data);
    net_.backward(own.inner, dx, nullptr);
    if (!around_.gradient) std::fill(dx.data, dx.data + dx.count(), 0.f);
  }

 private:
  struct Own : Memory {
    Own(const Defence& d, Use use, int capacity)
        : Memory(d, capacity),
          inner(d.net_.make_trace({.use = use, .capacity = capacity, .eval_only = true})),
          x(capacity, d.input_dims()),
          raw(capacity, {kinds, 1, 1}),
          z(capacity, {kinds, 1, 1}) {}
    Trace<float> inner;
    Tensor<> x, raw, z;
  };
  const Net& net_;
  Around around_;
};

void softmax(std::span<float> z) {
  const float most = *std::max_element(z.begin(), z.end());
  float sum = 0;
  for (float& v : z) sum += v = std::exp(v - most);
  for (float& v : z) v /= sum;
}
void softmax_back(std::span<const float> z, std::span<float> dz) {
  std::vector<float> p(z.begin(), z.end());
  softmax(p);
  float along = 0;
  for (std::size_t c = 0; c < p.size(); ++c) along += p[c] * dz[c];
  for (std::size_t c = 0; c < p.size(); ++c) dz[c] = p[c] * (dz[c] - along);
}
auto every(float (*f)(float)) {
  return [f](std::span<float> x, std::uint64_t, std::uint64_t) {
    for (float& v : x) v = f(v);
  };
}
float coarse(float v) { return std::round(v * 4) / 4; }
float sign(float v) { return v > 0.5f ? 1.f : 0.f; }

/// The checks that ended so, one after the other.
std::string raised(const attack::WhiteBoxRef<float, cpu>& victim, eval::CheckOptions<> o = {},
                   eval::Verdict verdict = eval::Verdict::fired) {
  o.eps = eps;
  o.queries = 400;
  std::string names;
  const data::Images set = images();
  const int threads = host::threads();
  host::set_threads(1);  // the network is too small for several
  for (const eval::Check& c : eval::run_checks(victim, data::Memory(set), o))
    if (c.verdict == verdict) names += (names.empty() ? "" : " ") + c.name;
  host::set_threads(threads);
  return names;
}

}  // namespace

TEST_CASE("an honest network raises no check") {
  const Net net = honest();
  const data::Images set = images();
  const auto a = eval::accuracy(net, set, attack::Pgd<>{.eps = eps, .steps = 20});
  CHECK(a.clean() > 0.9);
  CHECK(a.robust() > 0.2);
  CHECK(a.robust() < 0.8);
  const Net other = honest();
  CHECK(raised(net, {.other = &other}) == "");
  CHECK(raised(Defence(net, {})) == "");
  CHECK(raised(net, {}, eval::Verdict::not_run) == "transfer another-surrogate worst-path");
}

TEST_CASE("softmax as the output: its logits are probabilities") {
  const Net net = honest();
  CHECK(raised(Defence(net, {.behind = softmax, .back = softmax_back})) == "probability-outputs");
}

TEST_CASE("random noise: the logits change with the draw") {
  const Net net = honest();
  const auto noise = [](std::span<float> x, std::uint64_t sample, std::uint64_t draw) {
    const rng::Stream random(draw, Purpose::test);
    for (std::size_t k = 0; k < x.size(); ++k)
      x[k] += float(0.05 * (random.uniform(sample * pixels + k) - 0.5));
  };
  CHECK(raised(Defence(net, {.before = noise})) == "randomness");
}

TEST_CASE("a zeroed gradient: it is no slope, and weaker attacks are better") {
  const Net net = honest();
  CHECK(raised(Defence(net, {.gradient = false}), {.other = &net}) ==
        "zero-gradients-start zero-gradients-path finite-differences eps-one-above-chance "
        "black-box transfer");
}

TEST_CASE("signs without a surrogate: there is no gradient, as there is no slope") {
  const Net net = honest();
  const Defence signs(net, {.before = every(sign), .gradient = false});
  CHECK(raised(signs, {.other = &net}) ==
        "zero-gradients-start zero-gradients-path eps-one-above-chance black-box transfer");
  // a network that is said to have surrogates is told of it
  CHECK(raised(signs, {.surrogate_gradients = true}, eval::Verdict::informative) ==
        "zero-gradients-start zero-gradients-path");
}

TEST_CASE("a surrogate that hides what another one finds raises another-surrogate") {
  const Net net = honest(), other(2);
  const Defence hidden(net, {.before = every(sign), .gradient = false}),
      open(net, {.before = every(sign)});
  const eval::CheckOptions<> o{.names = {"another-surrogate"}, .surrogate = open};
  CHECK(raised(hidden, o) == "another-surrogate");
  CHECK(raised(open, o) == "");
  CHECK(support::error_of<UsageError>([&] { raised(hidden, {.surrogate = other}); }) ==
        "eval: the network with another surrogate computes other logits");
}

TEST_CASE("rounded images with the gradient of the unrounded ones: it is another function's") {
  const Net net = honest();
  const Defence rounded(net, {.before = every(coarse)});
  CHECK(raised(rounded) == "finite-differences");
  CHECK(raised(rounded, {.surrogate_gradients = true}) == "");
  CHECK(raised(rounded, {.surrogate_gradients = true}, eval::Verdict::informative) ==
        "finite-differences");
}

TEST_CASE("defensive distillation at T = 30: the softmax of large logits has no gradient") {
  const Net net = honest();
  const auto distilled = [](std::span<float> z) {
    for (float& v : z) v *= 30;
  };
  const auto back = [](std::span<const float>, std::span<float> dz) {
    for (float& v : dz) v *= 30;
  };
  CHECK(raised(Defence(net, {.behind = distilled, .back = back})) ==
        "zero-gradients-start zero-gradients-path");
}

TEST_CASE("a second batch-norm path that gives way raises worst-path") {
  using Dual = Network<Sequential<Named<"hidden", Linear<kinds>>, act::Relu,
                                  Named<"fc", Linear<kinds>>, Named<"bn", BatchNorm<paths::Dual>>>,
                       Shape<3, 8, 8>>;
  const Net net = honest();
  Dual dual(1);
  for (const char* name : {"hidden.weight", "hidden.bias", "fc.weight", "fc.bias"})
    dual.set(name, net.get(name).values);
  CHECK(raised(dual, {.paths = 2}) == "");
  dual.set("bn.paths.1.bias", std::vector<float>{2, 0, 0, 0});
  CHECK(raised(dual, {.paths = 2}) == "worst-path");
  CHECK(raised(dual, {.path = 1, .attack_path = 1, .paths = 2}) == "");
}

TEST_CASE("names of checks are checked") {
  const Net net = honest();
  const data::Images set = images();
  CHECK(support::error_of<UsageError>([&] {
          eval::run_checks(net, data::Memory(set), {.names = {"black-bix"}});
        }) == "eval: 'black-bix' is the name of no check");
  CHECK(eval::run_checks(net, data::Memory(set), {.names = {"randomness"}}).size() == 1);
}
