// Terms that couple a batch in an objective: relations among samples, a contrastive term whose
// memory is part of checkpoints and grows once a step.
#include "support/batch.hpp"
#include "support/error_of.hpp"

#include <doctest/doctest.h>

#include <rnx/train.hpp>
#include <rnx/train/checkpoint.hpp>
#include <rnx/train/distill_terms.hpp>

using namespace rnx;
using namespace rnx::train;
namespace {

template <int Width, class Norm = BatchNorm<>>
using Spec = Sequential<Named<"conv", Conv<Width, 3>>, Named<"bn", Norm>, Named<"relu", act::Relu>,
                        Named<"pool", Tap<Penultimate, GlobalAveragePool>>, Named<"fc", Linear<5>>>;
using Net = Network<Spec<6>, Shape<3, 8, 8>>;
constexpr int n = 8;

data::Images images(int count) {
  data::Images set{
      .n = count, .dims = {3, 8, 8}, .classes = 5, .labels = support::labels(count, 5)};
  const rng::Stream random(5, Purpose::test);
  for (int i = 0; i < count * 192; ++i) set.pixels.push_back(std::uint8_t(random.bits(i)));
  return set;
}
void fill(Step<>& step) {
  step.images() = support::images<float>(n, {3, 8, 8});
  step.labels().upload(support::labels(n, 5));
}
/// Relations to a teacher of another width, and a contrast with one of the same.
auto terms(const NetworkBase<float>& wide, const NetworkBase<float>& same) {
  return objective(Teacher<"wide">{.net = wide}, Teacher<"same">{.net = same}, Forward<"clean">{},
                   Ce<"clean">{}, Match<distill::Similarity, Penultimate, "clean", "wide">{},
                   Match<distill::RelationalDistance, Penultimate, "clean", "wide">{.weight = 2},
                   Match<distill::RelationalAngle, Penultimate, "clean", "wide">{.weight = 3},
                   Contrast<Penultimate, "clean", "same">{.weight = 0.5, .memory = 20});
}
std::vector<float> state(Step<>& step, const std::string& name) {
  for (const auto& s : step.state())
    if (s.name == "objective." + name) return {s.data, s.data + s.count};
  return {};
}

}  // namespace

TEST_CASE(
    "terms that couple a batch: a memory of features resumes with the bits of the whole run") {
  const Network<Spec<10>, Shape<3, 8, 8>> wide(2);
  const Net same(3);
  const data::Images set = images(28);
  const auto folder =
      std::filesystem::temp_directory_path() / ("rnx_batch_terms_" + std::to_string(::getpid()));
  std::filesystem::remove_all(folder);
  Checkpoints checkpoints(folder);
  const auto trained = [&](bool stored, int batches) {
    Net net(1);
    optim::Sgd<float> sgd({.momentum = 0.9});
    std::atomic<bool> stop{false};
    std::optional<CheckpointStore<>> store;
    if (stored) store.emplace(checkpoints);
    std::vector<NamedValue> values;
    const Outcome o = fit(net, set, terms(wide, same), sgd,
                          {.epochs = 2,
                           .batch = n,
                           .augment = {},
                           .schedule = optim::Constant{.lr = 0.05},
                           .saving = {.store = store ? &*store : nullptr},
                           .stop = &stop},
                          [&](const Progress& p) {
                            values = p.values;
                            if (--batches == 0) stop = true;
                          });
    return std::tuple{o.finished, support::parameters<float, cpu>(net), values};
  };
  const auto [finished, whole, values] = trained(false, -1);
  REQUIRE(finished);
  std::vector<std::string> names;
  for (const NamedValue& v : values) {
    names.push_back(v.name);
    CHECK(v.value > 0);
  }
  CHECK(names == std::vector<std::string>{"ce.clean", "match.clean", "match.clean#2",
                                          "match.clean#3", "contrast.clean"});
  for (int runs = 1;; ++runs) {
    const auto [done, net, last] = trained(true, 3);
    REQUIRE(runs < 9);
    if (!done) continue;
    CHECK(runs >= 3);  // eight batches, three a run
    CHECK(net == whole);
    for (std::size_t k = 0; k < values.size(); ++k) CHECK(last[k].value == values[k].value);
    break;
  }
  std::filesystem::remove_all(folder);
}

TEST_CASE("a memory of features grows once a step, for however many subnets the term runs") {
  const Net teacher(3);
  Net net(1);
  optim::Sgd<float> sgd;
  const auto draw = [](std::uint64_t) { return Subnet{}; };
  Step<> step(net, sgd,
              objective(Teacher<"t">{.net = teacher}, Subnets{.count = 2, .draw = draw},
                        Forward<"clean">{.mode = Mode::eval},
                        Contrast<Penultimate, "clean", "t">{.memory = 10}),
              n);
  fill(step);
  step.set({});
  step(n);
  const double alone = step.stage().value("contrast.clean");
  CHECK(state(step, "contrast.clean.at") == std::vector<float>{8, 8, 0});
  step(5);
  CHECK(state(step, "contrast.clean.at") == std::vector<float>{13, 13, 0});
  step(n);
  CHECK(state(step, "contrast.clean.at") == std::vector<float>{(13 + 8) % 18, 18, 0});
  CHECK(step.stage().value("contrast.clean") > alone);  // more to tell it from
  const auto rows = state(step, "contrast.clean.memory");
  REQUIRE(rows.size() == 18 * 6);
  for (int i = 0; i < 18; ++i) {
    double square = 0;
    for (int k = 0; k < 6; ++k) square += rows[i * 6 + k] * rows[i * 6 + k];
    CHECK(square == doctest::Approx(1).epsilon(1e-6));
  }
}

TEST_CASE("terms that couple a batch: what does not fit is refused with one sentence") {
  const Network<Spec<10>, Shape<3, 8, 8>> wide(2);
  const Net same(3);
  Net net(1);
  optim::Sgd<float> sgd;
  const auto refused = [&](AnyObjective<> list) {
    return support::error_of<Error>([&] { Step<>(net, sgd, std::move(list), n); });
  };
  using Contrasting = Contrast<Penultimate, "clean", "t">;
  const auto with = [&](const NetworkBase<float>& teacher, Contrasting c) {
    return refused(objective(Teacher<"t">{.net = teacher}, Forward<"clean">{}, c));
  };
  CHECK(with(same, {}) == "no error");
  CHECK(with(wide, {}) ==
        "objective: contrast.clean compares (6, 1, 1) of 'clean' with (10, 1, 1) of 't'");
  CHECK(with(same, {.memory = -3}) ==
        "contrastive loss: expected a memory of 0 to 16777216 rows, found -3");
  CHECK(refused(objective(Teacher<"t">{.net = same}, Forward<"clean">{}, Contrasting{},
                          Contrasting{})) ==
        "objective: the state 'contrast.clean.memory' is given twice");
}
