// What lists of items do beside single terms: gradients for a stepper of their own, several subnets
// a step, hooks at the ends of an epoch, values that move, and what a resume must know of a
// teacher.
#include "support/batch.hpp"
#include "support/error_of.hpp"

#include <doctest/doctest.h>

#include <rnx/search.hpp>
#include <rnx/train.hpp>
#include <rnx/train/checkpoint.hpp>
#include <rnx/train/distill_terms.hpp>

using namespace rnx;
using namespace rnx::train;
namespace {

using Net = Network<support::SmallResNet<>, Shape<3, 8, 8>>;
constexpr int n = 8;

void fill(Step<>& step) {
  step.images() = support::images<float>(n, {3, 8, 8});
  step.labels().upload(support::labels(n, 10));
}
std::vector<float> parameters(const Parametrised<float>& net) {
  return support::parameters<float, cpu>(net);
}
data::Images images(int count) {
  data::Images set{
      .n = count, .dims = {3, 8, 8}, .classes = 10, .labels = support::labels(count, 10)};
  const rng::Stream random(5, Purpose::test);
  for (int i = 0; i < count * 192; ++i) set.pixels.push_back(std::uint8_t(random.bits(i)));
  return set;
}

/// The student's parameters after one step over some rows.
std::vector<float> after(Rows rows) {
  Net net(1);
  optim::Sgd sgd;
  Step<> step(net, sgd, objective(Forward<"clean">{.rows = rows}, Ce<"clean">{}), n);
  fill(step);
  step.set({.lr = 0.1});
  step(n);
  return parameters(net);
}

/// Notes in which order its hooks are called.
struct Hooks {
  std::vector<std::string>* calls;
  void begin_epoch(auto& e) { calls->push_back("begin " + std::to_string(e.now.epoch)); }
  void step(auto& s) {
    CHECK(int(s.now.ids.size()) == s.now.n);
    calls->push_back("step " + std::to_string(s.now.step));
  }
  void close(auto&, std::string_view pass) { calls->push_back("close " + std::string(pass)); }
  void finish(auto&) { calls->push_back("finish"); }
  void end_epoch(auto& e) { calls->push_back("end " + std::to_string(e.now.epoch)); }
};

}  // namespace

TEST_CASE("passes whose gradients are for one stepper leave those of the others alone") {
  const Rows first{0, .5}, second{.5, 1};
  const Takes classifier{.names = "fc.*"}, others{.names = "fc.*", .others = true};
  Net net(1);
  optim::Sgd a, b;
  Step<> step(net,
              {{.name = "a", .optimizer = a, .takes = others},
               {.name = "b", .optimizer = b, .takes = classifier}},
              objective(Forward<"one", "clean">{.rows = first, .into = "a"}, Ce<"one">{},
                        Forward<"two", "clean">{.rows = second, .into = "b"}, Ce<"two">{}),
              n);
  fill(step);
  step.set({.lr = 0.1});
  step(n);
  const std::vector<float> ended = parameters(net), of_first = after(first),
                           of_second = after(second);
  for (const NamedParameter& p : net.parameter_list())
    for (std::size_t i = p.offset; i < p.offset + p.count; ++i)
      REQUIRE(ended[i] == (p.name.starts_with("fc.") ? of_second : of_first)[i]);
}

TEST_CASE("subnets: gradients of one step add up, and a teacher before them is there each time") {
  using search::ElasticStage;
  using Elastic = Network<Sequential<Named<"stage", ElasticStage<2, 3, 8, 4, 1>>, GlobalAveragePool,
                                     Named<"fc", Linear<10>>>,
                          Shape<3, 8, 8>>;
  const auto gradients = [](int count, std::uint64_t from) {
    Elastic net(1);
    optim::Sgd sgd;
    const auto draw = [&net, from](std::uint64_t key) {
      return net.make_subnet({{"stage*", "depth", (key + from) % 2 ? 1 : 2}});
    };
    Step<> step(net, sgd,
                objective(Teacher<"largest">{}, Subnets{.count = count, .draw = draw},
                          Forward<"clean">{.mode = Mode::eval}, Kl<"clean", "largest">{},
                          Ce<"clean">{}, Still<"again">{}),
                n);
    fill(step);
    step.set({});
    step(n);
    return step.grads().flat.download();
  };
  const auto both = gradients(2, 0), even = gradients(1, 0), odd = gradients(1, 1);
  double largest = 0;
  for (std::size_t i = 0; i < both.size(); ++i) {
    CHECK(both[i] == doctest::Approx(even[i] + odd[i]).epsilon(1e-4).scale(1e-3));
    largest = std::max(largest, double(std::abs(odd[i] - even[i])));
  }
  CHECK(largest > 1e-3);
  Elastic net(1);
  optim::Sgd sgd;
  const auto call = [&] {
    Step<>(net, sgd,
           objective(Forward<"clean">{}, Subnets{.draw = [](std::uint64_t) { return Subnet{}; }},
                     Ce<"clean">{}),
           n);
  };
  CHECK(support::error_of<UsageError>(call) ==
        "objective: pass 'clean' is trained before Subnets and read behind it");
}

TEST_CASE("hooks: in their order, the end of an epoch before its evaluation") {
  std::vector<std::string> calls;
  Net net(1);
  optim::Sgd sgd;
  fit(net, images(10), objective(Natural{}, Hooks{&calls}), sgd,
      {.epochs = 2,
       .batch = 8,
       .augment = {},
       .schedule = optim::Constant{.lr = 0},
       .evaluate = [&] {
         calls.push_back("evaluate");
         return Scores{};
       }});
  const std::vector<std::string> expected{
      "begin 0", "close clean", "step 0",   "finish",  "close clean", "step 1",
      "finish",  "end 0",       "evaluate", "begin 1", "close clean", "step 0",
      "finish",  "close clean", "step 1",   "finish",  "end 1",       "evaluate"};
  CHECK(calls == expected);
}

TEST_CASE("a momentum is a value of its stepper, and moves as its schedule says") {
  const auto ended = [](std::vector<Schedule> schedules, double momentum) {
    Net net(1);
    optim::Sgd sgd({.momentum = momentum});
    fit(net, images(16), Natural{}, sgd,
        {.batch = 8,
         .augment = {},
         .schedule = optim::Constant{.lr = 0.05},
         .schedules = std::move(schedules)});
    return parameters(net);
  };
  const std::vector<float> plain = ended({}, 0.9);
  CHECK(ended({{"momentum", optim::Constant{.lr = 0.9}}}, 0.5) == plain);
  CHECK(ended({}, 0.5) != plain);
}

TEST_CASE("two attention terms on one pass have pairs of their own") {
  const Net teacher(2);
  const auto values = [&](std::vector<const char*> layers) {
    Net net(1);
    optim::Sgd sgd;
    const auto term = [](const char* layer) {
      return Attention<"clean", "t">{.pairs = {{layer, layer}}};
    };
    AnyObjective<> list =
        layers.size() == 2
            ? AnyObjective<>(objective(Teacher<"t">{.net = teacher}, Forward<"clean">{},
                                       term(layers[0]), term(layers[1])))
            : AnyObjective<>(
                  objective(Teacher<"t">{.net = teacher}, Forward<"clean">{}, term(layers[0])));
    Step<> step(net, sgd, std::move(list), n);
    fill(step);
    step.set({});
    step(n);
    return step.stage().values();
  };
  const auto both = values({"layer1.0.relu1", "layer2.0.relu1"});
  REQUIRE(both.size() == 2);
  CHECK(both[1].name == "attention.clean#2");
  CHECK(both[0].value == values({"layer1.0.relu1"})[0].value);
  CHECK(both[1].value == values({"layer2.0.relu1"})[0].value);
}

TEST_CASE("a resume with another teacher is refused") {
  const auto folder =
      std::filesystem::temp_directory_path() / ("rnx_teacher_" + std::to_string(::getpid()));
  std::filesystem::remove_all(folder);
  Checkpoints checkpoints(folder);
  const auto run = [&](const Net& teacher, int epochs) {
    Net net(1);
    optim::Sgd sgd;
    CheckpointStore<> store(checkpoints);
    fit(net, images(8), Rslad{.teacher = teacher, .attack = {.steps = 1}}, sgd,
        {.epochs = epochs,
         .batch = 8,
         .schedule = optim::Constant{.lr = 0.05},
         .saving = {.store = &store}});
  };
  run(Net(2), 1);
  run(Net(2), 2);
  CHECK(support::error_of<UsageError>([&] { run(Net(3), 2); }).find("network of teacher") !=
        std::string::npos);
  std::filesystem::remove_all(folder);
}
