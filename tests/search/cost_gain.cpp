// The objective of a search: terms whose weight is alpha beta ln(cost), on networks whose widths
// are drawn. Gradients of weights, width logits and tutor logits against central differences, in
// double.
#include <rnx/distill.hpp>
#include <rnx/search/cost_gain.hpp>
#include <rnx/train.hpp>
#include <rnx/train/distill_terms.hpp>

#include "search/support.hpp"
#include "support/batch.hpp"
#include "support/error_of.hpp"

using namespace test;
using namespace rnx::search;
using namespace rnx::train;

namespace {

using Searched = Network<Sequential<Named<"stage", MaskedStage<2, 6, 2, 2, 8, 6, 4>>,
                                    Named<"pool", GlobalAveragePool>, Named<"fc", Linear<5>>>,
                         Shape<6, 8, 8>, cpu, precision::Double>;
using Tutoring = Network<Sequential<Named<"conv", Conv<4, 3>>, Named<"relu", act::Relu>,
                                    Named<"pool", GlobalAveragePool>, Named<"fc", Linear<5>>>,
                         Shape<6, 8, 8>, cpu, precision::Double>;
constexpr int n = 4;

/// A step of the objective over a batch of noise; it moves nothing.
struct Search {
  Searched net{1};
  optim::Sgd<double> sgd;
  Step<double, cpu> step;
  explicit Search(AnyObjective<double, cpu> objective) : step(net, sgd, std::move(objective), n) {
    for (const auto& p : net.graph().parameters)
      if (p.kind == ParameterKind::architecture || p.kind == ParameterKind::norm_weight)
        net.set(p.name, golden::u_values("theta." + p.name, p.count));
    step.images() = support::images<double>(n, net.input_dims());
    step.labels().upload(support::labels(n, 5));
    step.set({.seed = 3, .temperature = 1.3});
  }
  double value() {
    net.mutable_parameters();  // the values were changed in place
    step(n);
    return step.value();
  }
  double named(const std::string& name) const {
    for (const auto& v : step.stage().values())
      if (v.name == name) return v.value;
    throw NameError(name);
  }
  /// Every parameter of the network and of the objective's part.
  void check_gradients() {
    value();
    const std::vector<double> of_net = step.grads().flat.download();
    for (const auto& p : net.graph().parameters) {
      CAPTURE(p.name);
      CHECK(directional_error({net.mutable_parameters() + p.offset, p.count},
                              {of_net.data() + p.offset, p.count}, p.offset + 1,
                              [&] { return value(); }) < 1e-6);
    }
    for (std::size_t k = 0; k < step.stage().plan().parts.size(); ++k) {
      auto& part = step.stage().part(k);
      const std::vector<double> of_part = step.stage().part_grads(k).flat.download();
      CHECK(directional_error({part.mutable_parameters(), of_part.size()}, of_part, 7, [&] {
              part.mutable_parameters();
              return value();
            }) < 1e-6);
    }
  }
};

}  // namespace

TEST_CASE("cost gain: what is behind it is multiplied by alpha beta ln(cost), with its gradients") {
  const Tutoring teacher(2);
  const distill::TutorOptions released{
      .student = {Keep::at("stage.*.act1")}, .size = 5, .per_batch = true, .joint = true};
  Search search(objective(
      Teacher<"t">{.net = teacher}, Forward<"clean">{}, Ce<"clean">{.weight = 0.5},
      CostGain<"clean">{.factor = {.alpha = 0.3, .beta = 0.6}}, Ce<"clean">{},
      Kl<"clean", "t">{.weight = 2}, Tutor<"clean", "t">{.weight = 0.4, .options = released}));
  const double value = search.value(), cost = search.named("cost.clean");
  auto& stage = search.step.stage();
  auto trace = search.net.make_trace({.use = Use::train, .capacity = n});
  search.net.forward(trace, std::as_const(stage).view("clean"), stage.context(Mode::train, 0, 0));
  CHECK(MaskCost<double>(search.net.graph()).value(trace) == cost);
  CHECK(cost > 1000);
  auto tiled = search.net.make_trace({.capacity = n, .eval_only = true});
  search.net.forward(tiled, std::as_const(stage).view("clean"), {});
  CHECK_THROWS_AS(MaskCost<double>(search.net.graph()).value(tiled), StateError);
  const double ce = search.named("ce.clean"), gain = 0.18 * std::log(cost);
  CHECK(search.named("ce.clean#2") == ce);
  CHECK(value == doctest::Approx(0.5 * ce + gain * (ce + 2 * search.named("kl.clean") +
                                                    0.4 * search.named("tutor.clean")))
                     .epsilon(1e-12));
  search.check_gradients();
}

TEST_CASE("cost gain: terms of other passes keep their weight, also where they reach this pass") {
  Search search(objective(Forward<"clean">{}, Forward<"again", "clean">{.rows = {0, 1}},
                          CostGain<"clean">{}, Ce<"clean">{}, Ce<"again">{.weight = 0.3},
                          Kl<"again", "clean">{.weight = 3, .temperature = 2}));
  const double value = search.value(), gain = 0.1 * std::log(search.named("cost.clean"));
  CHECK(value == doctest::Approx(gain * search.named("ce.clean") + 0.3 * search.named("ce.again") +
                                 3 * search.named("kl.again"))
                     .epsilon(1e-12));
  search.check_gradients();
}

TEST_CASE("cost gain: a network without widths, or a pass that is not trained, is refused") {
  Tutoring net(1);
  optim::Sgd<double> sgd;
  const auto refused = [&](AnyObjective<double, cpu> list) {
    return support::error_of<Error>([&] { Step<double, cpu>(net, sgd, std::move(list), n); });
  };
  CHECK(refused(objective(Forward<"clean">{}, CostGain<"clean">{}, Ce<"clean">{})) ==
        "MaskCost: the network has no ChannelMask");
  CHECK(refused(
            objective(Still<"still">{}, CostGain<"still">{}, Forward<"clean">{}, Ce<"clean">{})) ==
        "objective: cost gain of still: the pass must be trained");
}
