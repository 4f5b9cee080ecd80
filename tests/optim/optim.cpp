// Optimizers, averages, schedules: PyTorch's values, groups, clipping, state, replays, bad input.
#include "support/error_of.hpp"
#include "rnx/optim.hpp"

#include <doctest/doctest.h>

#include "golden/golden.hpp"
#include "rnx/kernels.hpp"
#include "rnx/kernels/loopback/definitions.hpp"
#include "rnx/network.hpp"

namespace {

using namespace rnx;
using golden::json;

/// Six parameters in two tensors, with padding between them.
template <class Device = cpu> struct Six final : Parametrised<double, Device> {
  std::vector<NamedParameter> list{
      {"a.weight", {2}, ParameterKind::weight, Init::zeros, 0, 0, 2, 0},
      {"b.bias", {4}, ParameterKind::bias, Init::zeros, 0, 16, 4, 1}};
  Six() {
    this->parameters_ = Buffer<double, Device>(32),
    put(this->parameters_, golden::u_values("p", 6));
  }
  const std::vector<NamedParameter>& parameter_list() const override { return list; }
  std::vector<double> values() const { return get(this->parameters_); }

  static void put(Buffer<double, Device>& flat, const std::vector<double>& v) {
    flat.upload(std::span(v).subspan(0, 2), 0);
    flat.upload(std::span(v).subspan(2), 16);
  }
  static std::vector<double> get(const Buffer<double, Device>& flat) {
    const auto v = flat.download();
    for (int i = 0; i < 32; ++i)
      if ((i >= 2 && i < 16) || i >= 20) REQUIRE(v[i] == 0);
    return {v[0], v[1], v[16], v[17], v[18], v[19]};
  }
};
std::vector<double> gradient(int step) {
  auto g = golden::u_values("g." + std::to_string(step), 6);
  for (double& x : g) x -= 0.5;
  return g;
}
StepValues rates(double lr, double momentum = 0) {
  StepValues v;
  v.lr = lr;
  v.momentum = momentum;
  return v;
}

using support::error_of;

}  // namespace

TEST_CASE("optimizers and averages follow PyTorch") {
  const json all = golden::load("optim");
  CHECK(golden::difference(Six<>().values(), golden::numbers(all["p"])) == 0);
  CHECK(golden::difference(gradient(5), golden::numbers(all["g"][5])) == 0);
  const auto check = [&](const char* name, auto& optimizer, double lr, double momentum) {
    CAPTURE(name);
    Six<> p;
    auto g = p.make_grads();
    optimizer.add(p, g);
    optim::Ema average(p, 0.9);
    const optim::StepState<> state(rates(lr, momentum));
    for (int k = 0; k < 6; ++k) {
      Six<>::put(g.flat, gradient(k));
      const auto version = p.parameter_version();
      optimizer.step(state.get());
      CHECK(p.parameter_version() > version);
      CHECK(golden::difference(p.values(), golden::numbers(all.at(name)[k])) < 1e-12);
      average.update(p);
      if (name != std::string("sgd_momentum")) continue;
      Six<> copy;
      average.copy_to(copy);
      CHECK(golden::difference(copy.values(), golden::numbers(all["ema_0.9_of_sgd_momentum"][k])) <
            1e-12);
    }
    optimizer.zero_grads();
    CHECK(Six<>::get(g.flat) == std::vector<double>(6, 0.0));
  };
  const double lr = all["sgd_lr"], decay = all["sgd_weight_decay"];
  optim::Sgd<double> plain({.weight_decay = decay}),
      momentum({.momentum = 0.9, .weight_decay = decay});
  optim::Sgd<double> nesterov({.momentum = 0.9, .nesterov = true, .weight_decay = decay});
  optim::Adam<double> adam({.weight_decay = 0.1});
  check("sgd_plain", plain, lr, 0);
  check("sgd_momentum", momentum, lr, 0.9);
  check("sgd_nesterov", nesterov, lr, 0.9);
  check("adam", adam, 0.01, 0);
  CHECK(adam.steps() == 6);
}

TEST_CASE("clipping by the norm of all gradients") {
  const json all = golden::load("optim");
  for (const char* name : {"clip_grad_norm", "clip_grad_norm_idle"}) {
    Six<> p;
    auto g = p.make_grads();
    Six<>::put(g.flat, gradient(0));
    optim::Sgd<double> sgd;
    sgd.add(p, g);
    sgd.clip_grad_norm(all[name]["max_norm"]);
    CHECK(std::abs(sgd.grad_norm() - all[name]["norm"].get<double>()) < 1e-12);
    const optim::StepState<> state(rates(1));
    for (const char* expected : {name, "clip_grad_norm_idle"}) {  // the second step is not clipped
      const auto before = p.values();
      sgd.step(state.get());
      auto moved = p.values();
      for (int i = 0; i < 6; ++i) moved[i] = before[i] - moved[i];
      CHECK(golden::difference(moved, golden::numbers(all[expected]["clipped"])) < 1e-12);
    }
  }
  Six<> p, q;
  auto gp = p.make_grads(), gq = q.make_grads();
  Six<>::put(gp.flat, {3, 100, 0, 0, 0, 0}), Six<>::put(gq.flat, {100, 0, 4, 0, 0, 0});
  optim::Sgd<double> sgd({.groups = {{.names = "*.weight", .frozen = true}}});
  sgd.add(p, gp);
  sgd.add(q, gq, "q.");
  sgd.clip_grad_norm(1);
  CHECK(sgd.grad_norm() == doctest::Approx(4));  // frozen gradients do not count
}

TEST_CASE("groups: the first that matches wins") {
  Network<Sequential<Named<"a", Linear<8>>, Named<"bn", BatchNorm<>>, Named<"fc", Linear<7>>>,
          Shape<7>>
      net(1);
  auto grads = net.make_grads();
  optim::Sgd<float> sgd({.weight_decay = 0.5,
                         .groups = {{.names = "fc.weight", .frozen = true},
                                    optim::no_decay_on_norm_and_bias(),
                                    {.names = "*.weight", .lr_factor = 0.1}}});
  sgd.add(net, grads);
  const auto before = net;
  const optim::StepState<> state(rates(1));
  for (float& g : std::span(grads.flat.data(), grads.flat.size())) g = 0.25f;
  sgd.step(state.get());
  std::vector<const float*> old;
  before.visit([&](const auto& p) { old.push_back(p.value); });
  std::size_t k = 0;
  std::as_const(net).visit([&](const auto& p) {
    CAPTURE(p.name);
    for (std::size_t i = 0; i < p.count; ++i) {
      const float was = old[k][i];
      const float expected = p.name == "fc.weight"  ? was
                             : p.name == "a.weight" ? was - 0.1f * (0.25f + 0.5f * was)
                                                    : was - 0.25f;
      CHECK(p.value[i] == doctest::Approx(expected));
    }
    ++k;
  });

  // averages with and without buffers
  optim::Ema with(net, 0.5, true), without(net, 0.5);
  net.set("bn.running_mean", std::vector<float>(8, 1.0f));
  const std::vector<float> bias(7, 2.0f), old_bias = {old[5], old[5] + 7};
  net.set("fc.bias", bias);
  with.update(net);
  without.update(net);
  CHECK(with.state().size() == without.state().size() + net.graph().buffers.size());
  const auto mean_of = [](auto& n) {
    float mean = -1;
    n.visit_buffers([&](const auto& b) {
      if (b.name == "bn.running_mean") mean = b.value[3];
    });
    return mean;
  };
  without.copy_to(net);
  CHECK(mean_of(net) == 1.0f);
  with.copy_to(net);
  CHECK(mean_of(net) == 0.5f);
  std::as_const(net).visit([&](const auto& p) {
    if (p.name == "fc.bias") CHECK(p.value[0] == doctest::Approx(0.5 * (old_bias[0] - 0.25 + 2)));
  });
  CHECK_THROWS_AS(with.update(Network<Sequential<Named<"fc", Linear<7>>>, Shape<7>>()), ShapeError);
}

TEST_CASE("state: names, shapes, and a run that goes on from it") {
  const auto run_from = [](optim::Optimizer<double>& o, Grads<double>& g, int first, int last) {
    const optim::StepState<> state(rates(0.1, 0.9));
    for (int k = first; k < last; ++k) Six<>::put(g.flat, gradient(k)), o.step(state.get());
  };
  const auto check = [&](auto& whole, auto& start, auto& rest,
                         const std::vector<std::string>& names) {
    Six<> p, q;
    auto gp = p.make_grads(), gq = q.make_grads(), gr = q.make_grads();
    whole.add(p, gp);
    start.add(q, gq);
    run_from(whole, gp, 0, 6);
    run_from(start, gq, 0, 3);
    rest.add(q, gr);
    const auto from = start.state(), to = rest.state();
    REQUIRE(from.size() == names.size());
    for (std::size_t i = 0; i < from.size(); ++i) {
      CHECK(from[i].name == names[i]);
      if (from[i].number) {
        *to[i].number = *from[i].number;
        continue;
      }
      CHECK(from[i].shape == q.list[i % 2].shape);
      std::copy_n(from[i].data, from[i].count, to[i].data);
    }
    run_from(rest, gr, 3, 6);
    CHECK(p.values() == q.values());
  };
  optim::Sgd<double> a({.momentum = 0.9}), b({.momentum = 0.9}), c({.momentum = 0.9});
  check(a, b, c, {"momentum.a.weight", "momentum.b.bias"});
  optim::Adam<double> d, e, f;
  check(
      d, e, f,
      {"exp_avg.a.weight", "exp_avg.b.bias", "exp_avg_sq.a.weight", "exp_avg_sq.b.bias", "steps"});
  CHECK(optim::Sgd<double>().state().empty());
}

TEST_CASE(
    "Adam's first beta follows a schedule's momentum, as in PyTorch's OneCycleLR; an optimizer "
    "without one refuses it") {
  const optim::OneCycle cycle{.max = 0.01, .warm = 0.5};
  Six<> p;
  auto g = p.make_grads();
  optim::Adam<double> adam;
  adam.add(p, g);
  optim::StepState<> state;
  std::vector<double> expected = p.values(), m(6), v(6);
  for (int k = 0; k < 6; ++k) {
    StepValues values;
    adam.apply(cycle(k, 6), values);
    state.set(values);
    Six<>::put(g.flat, gradient(k));
    adam.step(state.get());
    const double beta = *cycle(k, 6).momentum, lr = cycle(k, 6).lr, t = k + 1;
    for (int i = 0; i < 6; ++i) {
      const double d = gradient(k)[i];
      m[i] = beta * m[i] + (1 - beta) * d;
      v[i] = 0.999 * v[i] + 0.001 * d * d;
      const double first = m[i] / (1 - std::pow(beta, t)), second = v[i] / (1 - std::pow(0.999, t));
      expected[i] -= lr * first / (std::sqrt(second) + 1e-8);
    }
    CHECK(golden::difference(p.values(), expected) < 1e-12);
  }
  StepValues values;
  CHECK_THROWS_AS(adam.apply({0.1, 1.0}, values), UsageError);

  struct Plain final : optim::Optimizer<double> {
    Plain() : Optimizer(0, {}, {}) {}
    void update(Member&, const Range&, double*, const StepValues*, const double*, Stream) override {
    }
  } plain;
  plain.apply({0.1}, values);
  CHECK(values.lr == 0.1);
  CHECK(error_of<UsageError>([&] {
          plain.apply({0.1, 0.9}, values);
        }) == "optim: the schedule moves the momentum, but this optimizer has none");
}

TEST_CASE("an object that is removed leaves nothing behind") {
  Six<> p, q;
  auto gp = p.make_grads(), gq = q.make_grads(), again = p.make_grads();
  optim::Adam<double> adam({.groups = {{.names = "a.*", .frozen = true}}});
  adam.add(p, gp);
  adam.add(q, gq, "q.");
  CHECK(adam.frozen(p) == std::vector<bool>{true, false});
  CHECK(adam.frozen(q) == std::vector<bool>{false, false});
  const optim::StepState<> state(rates(0.1));
  adam.step(state.get());
  adam.remove(gp);
  CHECK(adam.frozen(p) == std::vector<bool>{false, false});
  CHECK(adam.state().size() == 5);
  CHECK(adam.steps() == 1);
  CHECK_THROWS_AS(adam.step(state.get()), NameError);  // the group matched in p alone
  adam.remove(gq);
  CHECK(adam.steps() == 0);
  adam.add(p, again);
  CHECK(adam.state()[0].name == "exp_avg.a.weight");
}

TEST_CASE(
    "a recorded step replays with other rates, on a device whose memory the host cannot read") {
  Six<> p;
  Six<loopback> q;
  auto gp = p.make_grads();
  auto gq = q.make_grads();
  optim::Sgd<double> direct({.momentum = 0.9, .nesterov = true, .weight_decay = 0.01});
  optim::Sgd<double, loopback> recorded({.momentum = 0.9, .nesterov = true, .weight_decay = 0.01});
  direct.add(p, gp);
  recorded.add(q, gq);
  optim::StepState<> v;
  optim::StepState<loopback> w;
  optim::Ema average(p, 0.9);
  optim::Ema average_there(q, 0.9);
  Recording step;
  recorded.clip_grad_norm(0.6, step.stream());
  recorded.step(w.get(), step.stream());
  average_there.update(q, step.stream());
  for (int k = 0; k < 4; ++k) {
    v.set(rates(0.1 / (k + 1), 0.8 + 0.05 * k));
    w.set(v.values());
    Six<>::put(gp.flat, gradient(k)), Six<loopback>::put(gq.flat, gradient(k));
    direct.clip_grad_norm(0.6);
    direct.step(v.get());
    average.update(p);
    step.replay();
    CHECK(p.values() == q.values());
    CHECK(direct.grad_norm() == recorded.grad_norm());
  }
  average.copy_to(p);
  average_there.copy_to(q);
  CHECK(p.values() == q.values());
}

TEST_CASE("schedules") {
  const json all = golden::load("optim")["schedules"];
  const auto check = [&](const char* name, const auto& schedule) {
    CAPTURE(name);
    const json& g = all.at(name);
    std::vector<double> lr, momentum;
    for (int k = 0; k < 20; ++k) {
      lr.push_back(schedule(k, 20).lr);
      momentum.push_back(schedule(k, 20).momentum.value_or(0));
    }
    CHECK(golden::difference(lr, golden::numbers(g["lr"])) < 1e-12);
    if (g.contains("momentum"))
      CHECK(golden::difference(momentum, golden::numbers(g["momentum"])) < 1e-12);
    else
      CHECK(momentum == std::vector<double>(20, 0.0));
  };
  check("multistep", optim::MultiStep{.base = 0.1, .milestones = {0.3, 0.6}, .gamma = 0.1});
  check("cosine", optim::Cosine{.base = 0.1, .minimum = 1e-6});
  check("triangular", optim::Triangular{.max = 0.2});
  check("onecycle_linear", optim::OneCycle{.max = 0.2, .warm = 0.4, .linear = true});
  check("onecycle_cos", optim::OneCycle{.max = 0.2, .warm = 0.4});
  check("warmup_cosine", optim::Warmup{optim::Cosine{.base = 0.1}, 0.25});
  CHECK(all.size() == 6);

  CHECK(optim::Constant{0.3}(7, 20).lr == 0.3);
  CHECK(optim::Cosine{.base = 0.1, .minimum = 1e-6}(100, 20).lr == doctest::Approx(1e-6));
  CHECK(optim::Triangular{.max = 0.2, .peak = 0.4}(8, 20).lr == doctest::Approx(0.2));
  CHECK(optim::Triangular{.max = 0.2}(21, 20).lr == 0);
  CHECK(!optim::OneCycle{.cycle_momentum = false}(3, 20).momentum);

  StepValues v;
  optim::Sgd<float> sgd({.momentum = 0.8});
  sgd.apply({0.5}, v);
  CHECK((v.lr == 0.5 && v.momentum == 0.8));
  sgd.apply({0.5, 0.95}, v);
  CHECK(v.momentum == 0.95);
  CHECK_THROWS_AS(optim::Sgd<float>().apply({0.5, 0.95}, v), UsageError);
  CHECK_THROWS_AS(sgd.apply({-0.5}, v), UsageError);
  CHECK_THROWS_AS(sgd.apply({0.5, 1.5}, v), UsageError);
}

TEST_CASE("bad input: values of a step, settings of optimizers and averages") {
  using namespace optim;
  using Net = Sgd<double>;
  const double nan = std::nan("");
  StepState<> state;
  CHECK(state.values().temperature == 1);
  CHECK(error_of<UsageError>([&] { state.set(rates(-1)); }) ==
        "optim: the learning rate must not be negative, found -1.000000");
  CHECK(error_of<UsageError>([&] { state.set(rates(1, 1)); }) ==
        "optim: momentum must be in [0, 1), found 1.000000");
  CHECK_THROWS_AS(state.set(rates(nan)), UsageError);
  CHECK_THROWS_AS(state.set(rates(0.1, nan)), UsageError);
  for (const double bad : {-0.1, 1.0, nan}) {
    CHECK_THROWS_AS(Net({.momentum = bad}), UsageError);
    CHECK_THROWS_AS(Adam<double>({.beta1 = bad}), UsageError);
    CHECK_THROWS_AS(Adam<double>({.beta2 = bad}), UsageError);
    CHECK_THROWS_AS(Ema(Six<>(), bad), UsageError);
  }
  for (const double bad : {-1e-9, nan}) {
    CHECK_THROWS_AS(Net({.weight_decay = bad}), UsageError);
    CHECK_THROWS_AS(Net({.groups = {{.weight_decay = bad}}}), UsageError);
    CHECK_THROWS_AS(Net({.groups = {{.lr_factor = bad}}}), UsageError);
  }
  CHECK_THROWS_AS(Net({.nesterov = true}), UsageError);
  CHECK_THROWS_AS(Adam<double>({.eps = 0}), UsageError);
  CHECK_THROWS_AS(Adam<double>().set_steps(-1), UsageError);
  CHECK_THROWS_AS(Ema(Six<>(), 0.9, true), UsageError);
}

TEST_CASE("bad input: settings and steps of schedules") {
  using namespace optim;
  for (const double bad : {-1e-9, std::nan("")}) {
    CHECK_THROWS_AS(Constant{bad}(0, 20), UsageError);
    CHECK_THROWS_AS((MultiStep{.base = bad}(0, 20)), UsageError);
    CHECK_THROWS_AS((Triangular{.max = bad}(0, 20)), UsageError);
    CHECK_THROWS_AS((Cosine{.minimum = bad}(0, 20)), UsageError);
    CHECK_THROWS_AS((OneCycle{.max = bad}(0, 20)), UsageError);
  }
  CHECK_THROWS_AS(Cosine{}(0, 0), UsageError);
  CHECK_THROWS_AS(Triangular{.peak = 1}(0, 20), UsageError);
  for (const double bad : {-0.1, 1.0, std::nan("")})
    CHECK_THROWS_AS((Warmup{Constant{}, bad}(0, 20)), UsageError);
  CHECK(error_of<UsageError>([&] {
          MultiStep{.milestones = {0.5, 60}}(0, 20);
        }) == "optim: milestones are parts of a run, in [0, 1], found 60.000000");
  CHECK_THROWS_AS((OneCycle{.div = 0}(0, 20)), UsageError);
  CHECK_THROWS_AS((OneCycle{.warm = 0.05}(0, 20)), UsageError);
  CHECK_THROWS_AS((OneCycle{.momentum_high = 1}(0, 20)), UsageError);
  CHECK(error_of<UsageError>([&] { OneCycle{}(20, 20); }) ==
        "optim: step 20 of a one-cycle schedule of 20");
}

TEST_CASE("bad input: objects, limits and groups that do not fit") {
  using Net = optim::Sgd<double>;
  Six<> p, q;
  auto g = p.make_grads();
  Grads<double> small{Buffer<double>(16)};
  Net sgd;
  CHECK(error_of<ShapeError>([&] { sgd.add(p, small); }) ==
        "optim: these gradients belong to another object");
  sgd.add(p, g);
  CHECK_THROWS_AS(sgd.add(p, g), UsageError);
  CHECK_THROWS_AS(sgd.add(q, g, "q."), UsageError);
  auto h = q.make_grads();
  CHECK(error_of<NameError>([&] { sgd.add(q, h); }) ==
        "optim: two parameters are called 'a.weight'; give one object a prefix");
  CHECK(error_of<UsageError>([&] { sgd.clip_grad_norm(0); }) ==
        "optim: the limit of the gradient's norm must be positive, found 0.000000");
  CHECK_THROWS_AS(sgd.clip_grad_norm(std::nan("")), UsageError);
  CHECK_THROWS_AS(sgd.step(nullptr), UsageError);
  Net typo({.groups = {{.names = "layer9.*"}}});
  typo.add(p, g);
  const optim::StepState<> state;
  CHECK(error_of<NameError>([&] { typo.step(state.get()); }) ==
        "optim: no parameter matches the group 'layer9.*'");
}
