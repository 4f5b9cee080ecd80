// RLNet as it is trained and attacked: a small masked network with two batch-norm paths learns all
// three stages, and a confidence switch between its paths is attacked blindly and knowingly.
#include "rnx/linearize/rlnet.hpp"

#include <doctest/doctest.h>

#include "rnx/eval/confidence_switch.hpp"
#include "rnx/linearize/sensitivity.hpp"
#include "support/error_of.hpp"

using namespace rnx;
using linearize::Rlnet;
using support::error_of;

namespace {

template <class Norm, class Act>
using Layers =
    Sequential<Named<"conv1", Conv<8, 3>>, Named<"bn1", Norm>, Named<"relu1", Act>,
               Named<"conv2", Conv<16, 3, Stride<2>>>, Named<"bn2", Norm>, Named<"relu2", Act>,
               Tap<Penultimate, GlobalAveragePool>, Named<"fc", Linear<4>>>;
using Net = Network<Layers<BatchNorm<paths::Dual>, act::MaskedRelu>, Shape<3, 8, 8>>;

/// A pattern for each class under noise that blurs their borders.
data::Images images(int n, std::uint64_t seed) {
  data::Images set{.n = n, .dims = {3, 8, 8}, .classes = 4};
  const rng::Stream pattern(1, Purpose::test), noise(seed, Purpose::data);
  for (int i = 0; i < n; ++i) {
    set.labels.push_back(i % 4);
    for (int k = 0; k < 192; ++k) {
      const double v = 60 + 60 * pattern.uniform(std::uint64_t(i % 4 * 192 + k)) +
                       80 * pattern.uniform(std::uint64_t(768 + i % 4 * 3 + k % 3)) +
                       20 * noise.normal(std::uint64_t(i * 192 + k));
      set.pixels.push_back(std::uint8_t(std::clamp(v, 0.0, 255.0)));
    }
  }
  return set;
}
const attack::Pgd<> pgd{.eps = px(8), .step = px(4), .steps = 3};
const std::vector<distill::AttentionPair> pairs{{"relu1", "relu1"}, {"relu2", "relu2"}};

void learn(Net& net, Rlnet rlnet, int epochs) {
  rlnet.attack = pgd;
  optim::Sgd<float> sgd({.momentum = 0.9});
  train::fit(net, images(256, 7), rlnet.objective(), sgd,
             {.epochs = epochs,
              .batch = 32,
              .seed = 1,
              .augment = {},
              .schedule = optim::Constant{.lr = 0.05}});
}
double clean(const Net& net, int path) {
  return eval::accuracy(net, images(200, 9), {.path = path}).clean();
}

}  // namespace

TEST_CASE("RLNet: teacher, search and fine-tuning; the switch under attacks that know it") {
  Net teacher(1);
  learn(teacher, Rlnet::teach(), 12);
  CHECK(clean(teacher, 0) > 0.7);
  CHECK(clean(teacher, 1) > 0.5);

  Net student(2);
  const auto layers = linearize::relu_layers(student.graph());
  const linearize::Budget budget{60, 40};
  const linearize::Masks first = linearize::random_masks(layers, budget, 1);
  linearize::set_masks(student, first);
  learn(student, Rlnet::search(teacher, budget), 6);
  const linearize::Masks found = linearize::masks_of(student);
  CHECK(linearize::budget_of(found) == budget);
  CHECK(found != first);
  learn(student, Rlnet::tune(teacher, pairs, .5, .5, 10), 2);
  CHECK(linearize::masks_of(student) == found);  // frozen
  CHECK(clean(student, 0) > 0.6);

  const data::Images test = images(60, 11);
  const double threshold = eval::held_out_threshold(teacher, images(100, 10), 0.95);
  const attack::ConfidenceSwitch<float, cpu> both(teacher, {.threshold = threshold});
  const attack::SwitchAttack attack{.eps = px(8), .step = px(2), .steps = 8};
  const eval::SwitchResult r = eval::attack_switch(both, test, attack, {.batch = 25});
  CHECK(r.by_clean_path.value() > 0.7);
  CHECK(r.clean.right >= r.blind.right);
  CHECK(r.blind.right >= r.adaptive.right);
  CHECK(r.adaptive.right < r.clean.right);
  CHECK(r.knowing.right <= std::min(r.confident.right, r.under_threshold.right));
  CHECK(!r.suspicious());
  MESSAGE("clean " << r.clean.right << ", blind " << r.blind.right << ", confident "
                   << r.confident.right << ", under " << r.under_threshold.right << ", adaptive "
                   << r.adaptive.right << " of " << r.clean.n);

  // a switch that never takes the clean path is the robust one, under the same attack, too
  const attack::ConfidenceSwitch<float, cpu> never(teacher, {.threshold = 1});
  const attack::Victim<float, cpu>& box = never;
  const eval::Accuracy behind = eval::accuracy(box, test, attack),
                       alone = eval::accuracy(
                           teacher, test, attack::Pgd<>{.eps = px(8), .step = px(2), .steps = 8},
                           {.path = 1});
  for (std::size_t i = 0; i < alone.samples.size(); ++i) {
    CHECK(behind.samples[i].clean == alone.samples[i].clean);
    CHECK(behind.samples[i].attacked == alone.samples[i].attacked);
  }
  const attack::ConfidenceSwitch<float, cpu> always(teacher, {.threshold = 0});
  const attack::Victim<float, cpu>& first_path = always;
  CHECK(eval::accuracy(first_path, test).clean() == eval::accuracy(teacher, test).clean());
}

TEST_CASE("RLNet: the threshold is the largest that leaves enough above it") {
  const std::vector<double> sure{.9, .5, .7, .6, .8};
  CHECK(eval::threshold_below(sure, 0.6) == .6);
  CHECK(eval::threshold_below(sure, 0.61) == .5);
  CHECK(eval::threshold_below(sure, 1) < .5);
  CHECK(eval::threshold_below(sure, 1) > .4999);
  CHECK(error_of<UsageError>([&] { eval::threshold_below(sure, 0); }) ==
        "switch: expected a share of images above 0, up to 1, found 0");
  CHECK(error_of<UsageError>([&] { eval::threshold_below({}, .9); }) ==
        "switch: no held-out image that the clean path classifies rightly");
}

TEST_CASE("RLNet: what cannot be trained or switched is refused") {
  const Net teacher(1);
  Net student(2);
  optim::Sgd<float> sgd;
  const auto refused = [&](const Rlnet& rlnet) {
    return error_of<UsageError>(
        [&] { train::Step<float, cpu>(student, sgd, rlnet.objective(), 8); });
  };
  CHECK(refused(Rlnet::search({}, {1, 1})) ==
        "rlnet: KL, PRAM, masks and an attack by KL need a teacher");
  CHECK(refused(Rlnet::tune(teacher, {})) == "rlnet: PRAM needs pairs of layers");
  CHECK(refused(Rlnet{}) == "rlnet: expected a view with a weight above 0");
  Rlnet bad = Rlnet::teach();
  bad.clean.ce = NAN;
  CHECK(refused(bad) == "rlnet: expected weights that are finite and not negative");
  Rlnet both = Rlnet::tune(teacher, pairs);
  both.budget = linearize::Budget{1, 1};
  CHECK(refused(both) == "rlnet: masks are searched by a clean view without PRAM");
  CHECK(refused(Rlnet::search(teacher, {1})) ==
        "linearize: expected a budget for each of the 2 masked ReLUs, found 1");
  CHECK(refused(Rlnet::search(teacher, {513, 1})) ==
        "linearize: relu1: expected 0 to 512 ReLUs, found 513");
  Rlnet far = Rlnet::teach();
  far.adversarial.path = 2;
  CHECK(refused(far) == "objective: 'adv' asks for batch-norm path 2; its network has 2");
  const auto switched = [&](attack::SwitchRule rule) {
    return error_of<UsageError>([&] { attack::ConfidenceSwitch<float, cpu>(teacher, rule); });
  };
  CHECK(switched({.threshold = 1.5}) == "switch: expected a threshold from 0 to 1, found 1.5");
  CHECK(switched({.threshold = NAN}) == "switch: expected a threshold from 0 to 1, found nan");
  CHECK(switched({.robust = 2}) ==
        "switch: expected batch-norm paths below 2, as the network has, found 2");
}

TEST_CASE("RLNet: sensitivities are the shares of weights that global pruning takes") {
  Net net(3);
  optim::Sgd<float> sgd({.momentum = 0.9});
  const auto fit = [&](double density) {
    train::fit(net, images(64, 7),
               train::objective(linearize::GlobalPruning{density}, train::Forward<"clean">{},
                                train::Ce<"clean">{}),
               sgd,
               {.epochs = 4, .batch = 32, .augment = {}, .schedule = optim::Constant{.lr = 0.05}});
  };
  CHECK(error_of<UsageError>([&] { linearize::sensitivities(net); }) ==
        "linearize: expected weights after pruning, found none that is zero");
  fit(0.25);
  const std::vector<double> eta = linearize::sensitivities(net);
  REQUIRE(eta.size() == 2);
  const double zeros = eta[0] * 8 * 27 + eta[1] * 16 * 72;  // weights of the two convolutions
  CHECK(std::lround(zeros) == std::lround(0.75 * (8 * 27 + 16 * 72)));
  const auto layers = linearize::relu_layers(net.graph());
  CHECK(linearize::total(linearize::water_fill(layers, eta, 100)) == 100);
  const linearize::GlobalPruning pruning{.density = 0.25};
  CHECK(pruning.left_after(0, 4) == 0.25 + 0.75 * 0.125);
  CHECK(pruning.left_after(3, 4) == 0.25);
  CHECK(error_of<UsageError>([&] { fit(1); }) ==
        "pruning: expected a density between 0 and 1, found 1");
  CHECK(error_of<UsageError>([&] { fit(0); }) ==
        "pruning: expected a density between 0 and 1, found 0");
}
