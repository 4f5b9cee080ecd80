// 10: fine-tuning. Weights of one task without their last layer, its body frozen, a new classifier
// trained; then the last stage with it, at a smaller rate.
#include <rnx/rnx.hpp>

#include <cstdio>

using namespace rnx;

// the number of classes is told when a network is made: one type for both tasks
using Spec = models::Classifier<models::Convolutions<>, at_run_time,
                                Named<"conv1", Conv<16, 3, Stride<2>>>, Named<"bn1", BatchNorm<>>,
                                Named<"relu1", act::Relu>, Named<"conv2", Conv<32, 3, Stride<2>>>,
                                Named<"bn2", BatchNorm<>>, Named<"relu2", act::Relu>>;
using Net = Network<Spec, Shape<3, 32, 32>>;

/// Trains what `groups` leave free; says how well.
double trained(Net& net, const data::Source& train_set, const data::Source& test_set, double rate,
               std::vector<optim::Group> groups, int epochs) {
  optim::Sgd sgd({.momentum = 0.9, .groups = std::move(groups)});
  train::fit(net, train_set, train::Natural{}, sgd,
             {.epochs = epochs,
              .batch = 50,
              .seed = 1,
              .augment = {},
              .schedule = optim::Cosine{.base = rate}});
  const double clean = eval::accuracy(net, test_set).clean();
  std::printf("%2d classes: %.1f %%\n", net.classes(), 100 * clean);
  return clean;
}

int main() {
  const data::Memory ten(data::synthetic(data::Split::train, 1000)),
      ten_test(data::synthetic(data::Split::test, 300));
  const std::vector<data::Group> families{{.name = "whole", .classes = {0, 1, 2, 3}},
                                          {.name = "parts", .classes = {4, 5, 6, 7, 8, 9}}};
  const data::Grouped two(ten, families), two_test(ten_test, families);

  Net first(1, ten.classes());
  trained(first, ten, ten_test, 0.1, {}, 4);
  io::save_model("ten.safetensors", first);

  // strict names, but for the last layer, which has another number of classes
  Net net(2, two.classes());
  const io::Loaded loaded = io::load_model("ten.safetensors", net, {.except = "fc.*"});
  for (const std::string& name : loaded.skipped) std::printf("not loaded: %s\n", name.c_str());

  // the first group that matches a name wins: the classifier alone. Frozen batch norms keep their
  // statistics, and backward ends where the frozen layers begin
  const auto body = net.get("conv2.weight").values, mean = net.get("bn2.running_mean").values;
  const double head = trained(net, two, two_test, 0.1, {{.names = "fc.*"}, optim::freeze("*")}, 2);
  const bool kept =
      net.get("conv2.weight").values == body && net.get("bn2.running_mean").values == mean;

  const auto stem = net.get("conv1.weight").values;
  const double whole = trained(net, two, two_test, 0.05,
                               {{.names = "fc.*"},
                                {.names = "conv2.*", .lr_factor = 0.1},
                                optim::freeze_batch_norms(),
                                optim::freeze("*")},
                               2);
  const bool moved = net.get("conv2.weight").values != body;
  std::printf("frozen parts kept: %s\n",
              kept && net.get("conv1.weight").values == stem ? "yes" : "no");
  return kept && moved && net.get("conv1.weight").values == stem && head > 0.55 && whole > 0.55 ? 0
                                                                                                : 1;
}
