// What an objective, its steppers, schedules and checkpoints refuse before the first step, with one
// sentence each.
#include "support/batch.hpp"
#include "support/error_of.hpp"

#include <doctest/doctest.h>

#include <rnx/train.hpp>
#include <rnx/train/checkpoint.hpp>
#include <rnx/train/distill_terms.hpp>

using namespace rnx;
using namespace rnx::train;

namespace {

template <int Classes, class Norm = BatchNorm<>>
using Spec =
    Sequential<Named<"conv", Conv<4, 3>>, Named<"bn", Norm>,
               Named<"pool", Tap<Penultimate, GlobalAveragePool>>, Named<"fc", Linear<Classes>>>;
using Net = Network<Spec<5>, Shape<3, 8, 8>>;
struct Nowhere {};  ///< a tag of no layer

/// Names that types do not say are looked up when the objective is planned.
struct Unsaid {
  void plan(auto&) {}
};
struct Reads {
  std::string view{}, layer{};
  void plan(auto& p) {
    if (!view.empty()) p.reads_view(view);
    if (!layer.empty()) p.keep("clean", Keep::at(layer));
  }
};

/// The sentence of the E with which the list is refused.
template <class E, class... Items> std::string refused(Items... items) {
  const Net net(1);
  AnyObjective<> list{objective(Unsaid{}, std::move(items)...)};
  return support::error_of<E>([&] {
    Planner<float, cpu> planner(net, 8);
    list.plan(planner);
    planner.take();
  });
}

const Rows first_half{0, .5}, second_half{.5, 1};

data::Images images(int n) {
  return {.n = n,
          .dims = {3, 8, 8},
          .classes = 5,
          .pixels = std::vector<std::uint8_t>(std::size_t(n) * 192, 100),
          .labels = support::labels(n, 5),
          .class_names = {}};
}

}  // namespace

TEST_CASE("a name of a view, a pass, a path, a tap or a layer that is not there is refused") {
  CHECK(refused<NameError>(Reads{.view = "adv"}) ==
        "objective: no item before this one provides the view 'adv'");
  CHECK(refused<NameError>(Forward<"adv">{}) ==
        "objective: no item before this one provides the view 'adv'");
  CHECK(refused<NameError>(Forward<"clean">{}, Kl<"clean", "teacher">{}) ==
        "objective: no item before this one provides the pass 'teacher'");
  CHECK(refused<NameError>(Adversary<"adv", ByKl<"teacher">>{}) ==
        "objective: no item before this one provides the pass 'teacher'");
  CHECK(refused<UsageError>(Forward<"clean">{.path = 1}) ==
        "objective: 'clean' asks for batch-norm path 1; its network has 1");
  CHECK(refused<UsageError>(Adversary<"adv">{.path = 1}) ==
        "objective: 'adv' asks for batch-norm path 1; its network has 1");
  CHECK(refused<NameError>(Teacher<"t">{}, Forward<"clean">{},
                           Match<loss::Cosine, Nowhere, "clean", "t">{}) ==
        "objective: the network of pass 'clean' has no layer of this tag or kind to keep");
  CHECK(refused<NameError>(Forward<"clean">{}, Reads{.layer = "layer9"}) ==
        "objective: the network of pass 'clean' has no layer 'layer9' to keep");
}

TEST_CASE("a view, a path or a layer of an attack or a teacher that is not there is refused") {
  CHECK(refused<NameError>(Adversary<"adv", ByCe, attack::Pgd<>, "blurred">{}) ==
        "objective: no item before this one provides the view 'blurred'");
  CHECK(refused<NameError>(Teacher<"t", "blurred">{}) ==
        "objective: no item before this one provides the view 'blurred'");
  CHECK(refused<UsageError>(Teacher<"t">{.path = 1}) ==
        "objective: 't' asks for batch-norm path 1; its network has 1");
  CHECK(refused<NameError>(Forward<"clean">{}, Match<loss::L2, Penultimate, "clean", "t">{}) ==
        "objective: no item before this one provides the pass 't'");
  const Network<Sequential<Conv<4, 3>, GlobalAveragePool, Linear<5>>, Shape<3, 8, 8>> untapped(1);
  CHECK(refused<NameError>(Teacher<"t">{.net = untapped}, Forward<"clean">{},
                           Match<loss::L2, Penultimate, "clean", "t">{}) ==
        "objective: the network of pass 't' has no layer of this tag or kind to keep");
  const auto pair = [](const std::string& student, const std::string& teacher) {
    return refused<NameError>(Teacher<"t">{}, Forward<"clean">{},
                              Attention<"clean", "t">{.pairs = {{student, teacher}}});
  };
  CHECK(pair("conv", "conv") == "no error");
  CHECK(pair("conv9", "conv") ==
        "objective: the network of pass 'clean' has no layer 'conv9' to keep");
  CHECK(pair("conv", "conv9") == "objective: the network of pass 't' has no layer 'conv9' to keep");
  CHECK(refused<UsageError>(Teacher<"t">{}, Forward<"clean">{},
                            Tutor<"clean", "t">{.options = {.teacher = {Keep::at("conv9")}}}) ==
        "tutor loss: no layer to compare; see TutorOptions::student and ::teacher");
}

TEST_CASE("a teacher of another input, class count or precision is refused") {
  const Network<Spec<5>, Shape<3, 4, 4>> small(1);
  const Network<Spec<7>, Shape<3, 8, 8>> seven(1);
  const Network<Spec<5>, Shape<3, 8, 8>, cpu, precision::Double> exact(1);
  CHECK(refused<ShapeError>(Teacher<"t">{.net = small}) ==
        "objective: the network of pass 't' takes (3, 4, 4), the student (3, 8, 8)");
  CHECK(refused<ShapeError>(Teacher<"t">{.net = seven}, Forward<"clean">{}, Kl<"clean", "t">{}) ==
        "objective: the pass 't' has 7 classes, 'clean' has 5");
  CHECK(refused<ShapeError>(Teacher<"t">{.net = seven}, Adversary<"adv", ByKl<"t">>{}) ==
        "objective: the pass 't' has 7 classes, the student has 5");
  CHECK(
      refused<UsageError>(Teacher<"t">{.net = exact}) ==
      "objective: the network of pass 't' computes in another precision or on another device than "
      "the student");
  const Network<Sequential<Conv<9, 3>, Tap<Penultimate, GlobalAveragePool>, Linear<5>>,
                Shape<3, 8, 8>>
      wide(1);
  CHECK(refused<ShapeError>(Teacher<"t">{.net = wide}, Forward<"clean">{},
                            Match<loss::Cosine, Penultimate, "clean", "t">{}) ==
        "objective: match.clean compares (4, 1, 1) of 'clean' with (9, 1, 1) of 't'");
  CHECK(refused<UsageError>(Forward<"a", "clean">{}, Forward<"clean">{},
                            Kl<"a", "clean">{.floor = 1e-6}) ==
        "objective: kl.a: with a floor it holds its target");
}

TEST_CASE("rows outside the batch, or that a view or a target lacks, are refused") {
  CHECK(refused<UsageError>(Forward<"clean">{.rows = {.5, 1.5}}) ==
        "objective: the rows of 'clean' must be a part of the batch, found 0.5 to 1.5");
  CHECK(refused<UsageError>(Forward<"clean">{.rows = {.5, .5}}) ==
        "objective: the rows of 'clean' must be a part of the batch, found 0.5 to 0.5");
  CHECK(refused<UsageError>(Adversary<"adv">{.rows = second_half}, Forward<"adv">{}) ==
        "objective: the view 'adv' has not all of the rows that are read of it");
  const Teacher<"t"> half{.rows = first_half};
  const std::string fewer = "objective: the pass 't' has not all of the rows that are read of it";
  CHECK(refused<UsageError>(half, Forward<"clean">{}, Kl<"clean", "t">{}) == fewer);
  CHECK(refused<UsageError>(half, Forward<"clean">{},
                            Match<loss::Cosine, Penultimate, "clean", "t">{}) == fewer);
  CHECK(refused<UsageError>(half, Adversary<"adv", ByKl<"t">>{.rows = second_half}) == fewer);
  CHECK(refused<UsageError>(Forward<"a", "clean">{.rows = first_half}, Forward<"clean">{},
                            Kl<"a", "clean">{}) ==
        "objective: kl.a: the passes 'a' and 'clean' are both trained and must have the same rows");
}

TEST_CASE("running statistics do not change between a pass in eval mode and its backward") {
  const Forward<"still", "clean"> reading{.mode = Mode::eval};
  const Ce<"still"> still{};
  const Ce<"clean"> clean{};
  CHECK(refused<UsageError>(reading, Forward<"clean">{}, clean, still) ==
        "objective: pass 'clean' changes the running statistics that pass 'still' still reads");
  const Adversary<"adv"> changing{.mode = Mode::train, .commits = 1};
  CHECK(refused<UsageError>(reading, changing, still) ==
        "objective: attack 'adv' changes the running statistics that pass 'still' still reads");
  CHECK(refused<UsageError>(reading, still, Forward<"clean">{}, clean, changing) == "no error");
  CHECK(refused<UsageError>(reading, Forward<"clean">{.commits = 0}, clean, still) == "no error");
}

TEST_CASE("steppers without different names, and a pass for one that is not there, are refused") {
  Net net(1);
  optim::Sgd<float> a, b;
  const auto step = [&](Step<>::Steppers steppers, const std::string& into = {}) {
    Step<>(net, std::move(steppers), objective(Forward<"clean">{.into = into}, Ce<"clean">{}), 8);
  };
  CHECK(support::error_of<NameError>([&] {
          step({{.name = "w", .optimizer = a}, {.name = "w", .optimizer = b}});
        }) == "step: two steppers are called 'w'");
  CHECK(support::error_of<UsageError>([&] {
          step({{.name = "w", .optimizer = a}, {.name = "", .optimizer = b}});
        }) == "step: several steppers need names");
  CHECK(support::error_of<UsageError>([&] { step({}); }) == "step: it needs an optimizer");
  CHECK(support::error_of<NameError>([&] { step({{.name = "w", .optimizer = a}}, "theta"); }) ==
        "objective: pass 'clean' is for the stepper 'theta', which is not there");
}

TEST_CASE("a schedule of a value that is not there, a second one and a missing one are refused") {
  Net net(1);
  optim::Sgd<float> a, b;
  Step<> step(net, {{.name = "w", .optimizer = a}, {.name = "theta", .optimizer = b}}, Natural{},
              8);
  const optim::Constant rate{.lr = .1};
  const auto values = [&](std::vector<Schedule> schedules) {
    const FitOptions options{.schedules = std::move(schedules)};
    return support::error_of<UsageError>([&] { ScheduledValues<cpu>(step, options); });
  };
  CHECK(values({{"w.lr", rate}, {"theta.lr", rate}}) == "no error");
  CHECK(values({{"w.lr", rate}, {"kl.clean.weight", rate}}) ==
        "fit: there is no value 'kl.clean.weight' for a schedule; there are temperature, w.lr, "
        "w.momentum, theta.lr, theta.momentum, ce.clean.weight, ce.clean.temperature");
  CHECK(values({{"w.lr", rate}, {"w.lr", rate}}) == "fit: 'w.lr' has two schedules");
  CHECK(values({{"w.lr", rate}}) == "fit: the stepper 'theta' has no schedule");
}

TEST_CASE("a pass whose part of the last batch has one value per channel is refused") {
  Network<Sequential<GlobalAveragePool, Named<"bn", BatchNorm<>>, Linear<5>>, Shape<3, 8, 8>> net(
      1);
  optim::Sgd<float> sgd;
  const auto run = [&](int n, Rows rows) {
    return support::error_of<UsageError>([&] {
      fit(net, images(n), objective(Forward<"clean">{.rows = rows}, Ce<"clean">{}), sgd,
          {.epochs = 1, .batch = 8, .augment = {}, .schedule = optim::Constant{.lr = .1}});
    });
  };
  const std::string refusal =
      "fit: the last batch of an epoch: batch statistics of 'bn' need more than one value per "
      "channel, found 1: a batch of 1 sample and a map of 1 x 1";
  CHECK(run(11, first_half) == refusal);
  CHECK(run(11, second_half) == "no error");  // two of three samples
  CHECK(run(9, second_half) == refusal);
  CHECK(run(9, first_half) == "no error");  // none of one
}

TEST_CASE("a checkpoint of other steppers or of another objective is refused") {
  namespace fs = std::filesystem;
  const fs::path folder =
      fs::temp_directory_path() / ("rnx_mechanism_test_" + std::to_string(::getpid()));
  Checkpoints checkpoints(folder);
  const data::Images set = images(8);
  optim::Sgd<float> a, b;
  const auto run = [&](std::vector<Stepper<float, cpu>> steppers, AnyObjective<> objective) {
    Net net(1);
    CheckpointStore<> store(checkpoints);
    return support::error_of<UsageError>([&] {
      fit(net, set, std::move(objective), std::move(steppers),
          {.epochs = 1,
           .batch = 8,
           .augment = {},
           .schedule = optim::Constant{.lr = .1},
           .saving = {.store = &store}});
    });
  };
  const auto named = [&](const std::string& first, double end) {
    return std::vector<Stepper<float, cpu>>{{.name = first, .optimizer = a, .during = {0, end}},
                                            {.name = "theta", .optimizer = b}};
  };
  const std::string refusal = (folder / "000001").string() + " is a checkpoint of another run: ";
  const auto begins = [](const std::string& sentence, const std::string& with) {
    CAPTURE(sentence);
    CHECK(sentence.starts_with(with));
  };
  const Net teacher(2);
  const Rrm<loss::Cosine> cosine{.teacher = teacher};
  CHECK(run(named("w", 1), cosine) == "no error");
  CHECK(run(named("w", 1), cosine) == "no error");
  begins(run(named("weights", 1), cosine), refusal + "optimizer was ");
  begins(run(named("w", .5), cosine), refusal + "optimizer was ");
  begins(run({{.name = "w", .optimizer = a}}, cosine), refusal + "optimizer was ");
  begins(run(named("w", 1), Natural{}), refusal + "objective was ");
  begins(run(named("w", 1), Rrm<loss::RelativeL2>{.teacher = teacher}), refusal + "objective was ");
  fs::remove_all(folder);
}
