// An objective of two passes: cross-entropy on clean images, and consistency with noisy ones (as
// the stability training of Zheng et al. 2016). A plain struct with plan and step.
#include <rnx/rnx.hpp>

#include <cstdio>

using namespace rnx;

/// mean CE(f(x), y) + weight mean KL(f(x) || f(x + noise n)), n standard normal, clipped to [0, 1].
struct Consistency {
  double noise = 0.2;  // deviation, of pixels in [0, 1]
  double weight = 1;

  /// Once: names of views and passes, what is read, what schedules may move.
  template <class T, class Device> void plan(train::Planner<T, Device>& p) {
    p.labels();
    p.view("noisy");                     // filled by step()
    p.pass("clean", {});                 // a trained forward of the view "clean"
    p.pass("noisy", {.view = "noisy"});  // and of the other
    p.reads_target("noisy", "clean");    // the term compares them
    p.value("consistency.weight", weight);
    p.fact("consistency noise " + exact_text(noise));  // the bits depend on it
  }
  /// In each step.
  template <class T, class Device> void step(train::Stage<T, Device>& s) {
    const Context ctx = s.context(Mode::train, 0, 0);  // seed and draw of the step
    run<Device>(s.stream(), op::attack_start<T>{.clean = s.view("clean"),
                                                .adversarial = s.writable("noisy"),
                                                .values = ctx.values,
                                                .norm = op::Norm::linf,
                                                .draw = 0,
                                                .first_sample = 0,
                                                .noise = noise});
    s.forward("clean");
    s.forward("noisy");
    s.descend({.pass = "clean", .name = "ce"}, loss::CrossEntropy{.labels = s.labels.data()});
    s.descend({.pass = "noisy", .name = "consistency", .weight = weight, .target = "clean"},
              loss::Kl<T, Device>{.teacher_logits = s.logits("clean")});  // clean logits are held
  }
};

using Net =
    Network<Sequential<Named<"conv", Conv<8, 3, Stride<2>>>, Named<"bn", BatchNorm<>>,
                       Named<"relu", act::Relu>, GlobalAveragePool, Named<"fc", Linear<10>>>,
            Shape<3, 32, 32>>;

/// The terms of an objective, by name, as means over the first and over the last epoch.
template <class Objective>
auto trained(const Objective& objective, std::vector<train::Schedule> s) {
  Net net(1);
  optim::Sgd sgd({.momentum = 0.9});
  std::vector<std::vector<train::NamedValue>> epochs;
  train::fit(net, data::synthetic(data::Split::train, 500), objective, sgd,
             {.epochs = 3,
              .batch = 50,
              .seed = 1,
              .schedule = optim::Constant{.lr = 0.05},
              .schedules = std::move(s)},
             [&](const train::Progress& p) {
               if (p.epoch_end) epochs.push_back(p.values);
             });
  return epochs;
}

int main() {
  const auto plain = trained(Consistency{}, {});
  for (const auto& values : plain) {
    for (const train::NamedValue& v : values) std::printf("%s %.6f  ", v.name.c_str(), v.value);
    std::printf("\n");
  }
  // without noise both passes are one; a schedule turns the term off, and natural training is left
  const auto same = trained(Consistency{.noise = 1e-30}, {});
  const auto off = trained(Consistency{}, {{"consistency.weight", optim::Constant{.lr = 0}}});
  const auto natural = trained(train::Natural{}, {});
  const bool falls = plain[2][0].value<plain[0][0].value, differs = plain[0][1].value> 1e-6,
             equal = same[0][1].value < 1e-9,
             silent = std::abs(off[2][0].value - natural[2][0].value) < 1e-5;
  std::printf("falls %d, differs %d, equal %d, silent %d\n", falls, differs, equal, silent);
  return falls && differs && equal && silent ? 0 : 1;
}
