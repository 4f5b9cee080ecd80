// One objective of everything: a multi-bit network with two batch-norm paths and masked ReLUs
// learns from a float teacher on a clean and an augmented view on path 0 and an attacked one on
// path 1, with attention and feature terms, a part with parameters and an optimizer of its own, and
// a temperature that moves. Stopped at ten moments, it ends with the bits of the unbroken run.
#include "support/batch.hpp"
#include "support/sanitizers.hpp"

#include <doctest/doctest.h>

#include <rnx/train.hpp>
#include <rnx/train/checkpoint.hpp>
#include <rnx/train/distill_terms.hpp>

using namespace rnx;
using namespace rnx::train;
namespace {

using Bits = models::Convolutions<quant::MultiBit<3>, quant::MultiBitActivation<2>>;
using Student =
    Network<models::ResNet20<10, Bits, BatchNorm<paths::Dual>, act::MaskedRelu>, Shape<3, 8, 8>>;
using TeacherNet = Network<models::ResNet20<>, Shape<3, 8, 8>>;

auto everything(const TeacherNet& teacher) {
  const Rows first{0, .5}, second{.5, 1};
  const std::vector<distill::AttentionPair> stages{{"layer1.2.relu2", "layer1.2.relu2"}};
  return objective(Augmented<"aug">{{data::RandomCrop{.pad = 2}, data::Cutout{.size = 3}}},
                   Teacher<"t">{.net = teacher},
                   Teacher<"t2", "aug">{.net = teacher, .rows = first},
                   Forward<"clean">{.rows = first}, Ce<"clean">{.weight = .3},
                   Kl<"clean", "t">{.weight = .3, .temperature = 4},
                   Attention<"clean", "t">{.weight = 100, .pairs = stages},
                   Match<loss::Cosine, Penultimate, "clean", "t">{.weight = .1},
                   Forward<"aug">{.rows = first}, Kl<"aug", "t2">{.weight = .3, .temperature = 4},
                   Tutor<"aug", "t2">{.options = {.student = {Keep::at("layer*.2.relu2")},
                                                  .teacher = {Keep::at("layer*.2.relu2")},
                                                  .size = 4}},
                   Adversary<"adv", ByKl<"t">>{.attack = {.steps = 2}, .path = 1, .rows = second},
                   Forward<"adv">{.path = 1, .rows = second}, Kl<"adv", "t">{.weight = .3});
}

struct Ended {
  std::vector<float> net;
  std::vector<NamedValue> values;
  Outcome outcome;
};
/// Trains from where the checkpoints stand, at most `batches` more of them.
Ended trained(Checkpoints* checkpoints, int batches, std::uint64_t seed) {
  const TeacherNet teacher(5);
  Student net(seed);
  optim::Sgd<float> sgd({.momentum = 0.9, .weight_decay = 1e-4});
  optim::Adam<float> adam;
  data::Images set{.n = 24, .dims = {3, 8, 8}, .classes = 10, .labels = support::labels(24, 10)};
  const rng::Stream random(5, Purpose::test);
  for (int i = 0; i < 24 * 192; ++i) set.pixels.push_back(std::uint8_t(random.bits(i)));
  std::atomic<bool> stop{false};
  std::optional<CheckpointStore<>> store;
  if (checkpoints) store.emplace(*checkpoints);
  Ended ended;
  ended.outcome = fit(
      net, set, everything(teacher),
      {{"weights", sgd, Takes::weights()},
       {"theta", adam, Takes::architecture(), During{.begin = .5}}},
      {.epochs = 4,
       .batch = 8,
       .seed = 3,
       .schedules = {{"weights.lr", optim::Cosine{.base = .05}},
                     {"theta.lr", optim::Constant{.lr = .1}},
                     {"adv.eps", optim::Cosine{.base = 8. / 255}},
                     {"temperature",
                      [](const Moment& m) { return optim::Rates{5 * std::exp(-.045 * m.epoch)}; }}},
       .saving = {.store = store ? &*store : nullptr},
       .stop = &stop},
      [&](const Progress& p) {
        ended.values = p.values;
        if (--batches == 0) stop = true;
      });
  const Student& read = net;
  ended.net = support::parameters<float, cpu>(read);
  ended.net.insert(ended.net.end(), read.buffers(), read.buffers() + read.buffer_storage());
  return ended;
}

}  // namespace

TEST_CASE("everything at once, stopped at ten moments, ends with the bits of the unbroken run" *
          doctest::skip(support::sanitized)) {
  const Ended whole = trained(nullptr, -1, 1);
  CHECK(whole.outcome.finished);
  REQUIRE(whole.values.size() == 7);
  const auto folder =
      std::filesystem::temp_directory_path() / ("rnx_everything_" + std::to_string(::getpid()));
  std::filesystem::remove_all(folder);
  Checkpoints checkpoints(folder);
  Ended pieces;
  int runs = 0;
  while (!pieces.outcome.finished || runs == 0) {
    pieces = trained(&checkpoints, 1, ++runs == 1 ? 1 : 40 + runs);
    REQUIRE(runs < 20);
  }
  CHECK(runs >= 11);  // 12 batches, one a run
  CHECK(pieces.net == whole.net);
  for (std::size_t k = 0; k < whole.values.size(); ++k) {
    CHECK(pieces.values[k].name == whole.values[k].name);
    CHECK(pieces.values[k].value == whole.values[k].value);
  }
  std::filesystem::remove_all(folder);
}
