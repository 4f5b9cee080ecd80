// 09: an objective of your own, with parameters of its own and an optimizer for them. Two terms
// whose weights are learned from their uncertainty (Kendall et al. 2018):
//   sum over i of exp(-s_i) L_i + s_i
#include <rnx/rnx.hpp>

#include <cmath>
#include <cstdio>

using namespace rnx;

/// The two numbers s: anything with parameters is optimized, saved and resumed alike.
template <class T, class Device> struct LogVariances : Parametrised<T, Device> {
  LogVariances() {
    NamedParameter s{"s", {2}, ParameterKind::scale, Init::zeros};
    s.count = 2;
    this->parameters_ = Buffer<T, Device>(s.count);
    list.push_back(s);
  }
  const std::vector<NamedParameter>& parameter_list() const override { return list; }
  std::vector<NamedParameter> list;
};

/// An item of an objective: plan() says once what it needs, step() runs, finish() stands between
/// backward and the optimizers.
struct Uncertain {
  template <class T, class Device> void plan(train::Planner<T, Device>& p) {
    p.labels();
    p.loaded("flipped", {data::RandomCrop{.pad = 2}, data::HorizontalFlip{}});
    p.pass("clean", {.view = "clean"});
    p.pass("flipped", {.view = "flipped"});
    p.part("uncertain", std::make_unique<LogVariances<T, Device>>());
  }
  template <class T, class Device> void step(train::Stage<T, Device>& s) {
    const auto [first, second] = numbers(s);
    s.forward("clean");
    s.forward("flipped");
    s.descend({.pass = "clean", .name = "label", .weight = std::exp(-first)},
              loss::CrossEntropy{.labels = s.labels.data()});
    s.descend({.pass = "flipped", .name = "agree", .weight = std::exp(-second), .target = "clean"},
              loss::Kl<T, Device>{.teacher_logits = s.logits("clean")});
  }
  template <class T, class Device> void finish(train::Stage<T, Device>& s) {
    const auto [first, second] = numbers(s);
    const T g[] = {T(1 - std::exp(-first) * s.value("label")),
                   T(1 - std::exp(-second) * s.value("agree"))};
    s.part_grads("uncertain").flat.upload(std::span<const T>(g));
    s.note("s0", first);
    s.note("s1", second);
  }
  template <class T, class Device> std::pair<double, double> numbers(train::Stage<T, Device>& s) {
    const auto& part = s.template part_as<LogVariances<T, Device>>("uncertain");
    T now[2];
    memory<Device>::download(now, part.parameters(), sizeof now);
    return {now[0], now[1]};
  }
};

int main() {
  Network<Sequential<Normalize, Named<"conv", Conv<16, 3, Stride<2>>>, BatchNorm<>, act::Relu,
                     GlobalAveragePool, Named<"fc", Linear<10>>>,
          Shape<3, 32, 32>>
      net(1);
  const data::Images images = data::synthetic(data::Split::train, 512);
  optim::Sgd<float> sgd({.momentum = 0.9});
  optim::Adam<float> adam;
  double agreement = 0;
  train::fit(net, images, Uncertain{},
             {{"weights", sgd, {.names = "uncertain.*", .others = true}},
              {"s", adam, {.names = "uncertain.*"}}},
             {.epochs = 3,
              .batch = 32,
              .schedules = {{"weights.lr", optim::Cosine{.base = 0.1}},
                            {"s.lr", optim::Constant{.lr = 0.05}}}},
             [&](const train::Progress& p) {
               if (p.epoch_end) std::printf("%s\n", train::progress_line(p).c_str());
               agreement = p.values.back().value;  // s1
             });
  return agreement < 0 ? 0 : 1;  // the views agree more than labels can be told: a larger weight
}
