// Paper 000 (RLNet) in double against PyTorch: one step of each stage on a masked network with two
// batch-norm paths, both forms of PRAM, the statistics after each commit, scores and masks.
#include <doctest/doctest.h>

#include <rnx/linearize/rlnet.hpp>
#include <rnx/models.hpp>

#include "golden/families.hpp"

using namespace rnx;
using linearize::Rlnet;

namespace {

using Dual = BatchNorm<paths::Dual>;
using Net =
    Network<Sequential<Named<"conv1", Conv<6, 3>>, Named<"bn1", Dual>,
                       Named<"relu1", act::MaskedRelu>, Named<"conv2", Conv<8, 3, Stride<2>>>,
                       Named<"bn2", Dual>, Named<"relu2", act::MaskedRelu>,
                       Named<"pool", GlobalAveragePool>, Named<"fc", Linear<5>>>,
            Shape<3, 8, 8>, cpu, precision::Double>;
using Objective = train::AnyObjective<double, cpu>;

constexpr double tolerance = 1e-9;

void fill(Net& net, const std::string& prefix) {
  for (const auto* list : {&net.graph().parameters, &net.graph().buffers})
    for (const auto& p : *list)
      if (!p.name.ends_with(".mask"))
        net.set(p.name, golden::rule_values<double>(prefix + p.name, p.shape));
}
std::vector<double> scores_of(const std::string& relu, long count) {
  return golden::u_values("mask." + relu, std::size_t(count));
}
bool near(double found, const golden::json& wanted) {
  return std::abs(found - wanted.get<double>()) <= tolerance * std::abs(wanted.get<double>());
}

/// Compares the running statistics when a view's pass is about to run backward.
struct Watch {
  const golden::json* expected;
  int* seen;
  void step(auto&) {}
  void close(auto& stage, std::string_view pass) const {
    CAPTURE(pass);
    ++*seen;
    stage.net.visit_buffers([&](const auto& b) {
      if (b.name.ends_with(".mask")) return;
      CAPTURE(b.name);
      CHECK(golden::projection_error(expected->at(std::string(pass)).at(b.name), b.name, b.value,
                                     b.count) < tolerance);
    });
  }
};

struct Stages {
  const golden::json values = golden::load("rlnet");
  const int n = values.at("n");
  const linearize::Budget budget = values.at("budget");
  const std::vector<distill::AttentionPair> pairs{{"relu1", "relu1"}, {"relu2", "relu2"}};
  Net teacher{};
  Stages() { fill(teacher, "teacher."); }

  Net student() const {
    Net net;
    fill(net, "");
    linearize::set_masks(net, linearize::top_masks({scores_of("relu1", 384),  //
                                                    scores_of("relu2", 128)},
                                                   budget));
    return net;
  }
  Tensor<double> images(int k) const {
    return Tensor<double>::from_nchw(n, {3, 8, 8}, golden::batch(k, n, 192));
  }
  void check(const std::string& name, Rlnet rlnet) const {
    CAPTURE(name);
    const golden::json& expected = values.at("steps").at(name);
    rlnet.attack = {.eps = px(8), .step = px(4), .steps = 3, .start = attack::Start::clean};
    Net net = student();
    int seen = 0;
    optim::Sgd<double> sgd;
    std::vector<Objective> items;
    items.push_back(rlnet.objective<double, cpu>());
    items.push_back(Watch{&expected.at("running"), &seen});
    train::Step<double, cpu> step(net, sgd, train::ObjectiveList(std::move(items)), n);
    step.images() = images(0);
    if (rlnet.augmented.used()) step.images(1) = images(1);
    step.labels().upload(golden::labels(0, n, net.classes()));
    step.set({});
    step(n);
    CHECK(seen == int(expected.at("running").size()));
    check_values(expected, net, step);
    if (rlnet.budget) check_masks(expected, net, step);
  }

 private:
  template <class Step>
  static void check_values(const golden::json& expected, const Net& net, Step& step) {
    CHECK(near(step.value(), expected.at("loss")));
    const auto terms = step.stage().values();
    CHECK(terms.size() == expected.at("terms").size());
    for (const auto& term : terms) {
      CAPTURE(term.name);
      CHECK(near(term.value, expected.at("terms").at(term.name)));
    }
    CHECK(net.parameter_list().size() == expected.at("grads").size());
    for (const auto& p : net.parameter_list()) {
      CAPTURE(p.name);
      CHECK(golden::projection_error(expected.at("grads").at(p.name), p.name,
                                     step.grads().flat.data() + p.offset, p.count) < tolerance);
    }
  }
  /// What the step added to the scores, and the masks at the end of the epoch.
  template <class Step>
  static void check_masks(const golden::json& expected, const Net& net, Step& step) {
    const double* sums = step.stage().state("masks.scores");
    step.end_epoch({});
    const linearize::Masks masks = linearize::masks_of(net);
    for (std::size_t l = 0; l < masks.size(); ++l) {
      CAPTURE(l);
      std::string digits;
      for (const std::uint8_t v : masks[l]) digits += char('0' + v);
      CHECK(digits == expected.at("masks").at(l));
    }
    CHECK(std::all_of(sums, sums + 2 * (384 + 128), [](double v) { return v == 0; }));
  }
};

}  // namespace

TEST_CASE("RLNet: one step of each stage is PyTorch's, its statistics after each commit, masks") {
  const Stages f;
  using enum Rlnet::Split;
  f.check("teach", Rlnet::teach());
  f.check("teach whole", Rlnet::teach(whole));
  f.check("search", Rlnet::search(f.teacher, f.budget));
  f.check("search printed", Rlnet::search(f.teacher, f.budget, 1, 1, whole));
  f.check("tune", Rlnet::tune(f.teacher, f.pairs));
  Rlnet printed = Rlnet::tune(f.teacher, f.pairs, 1, 1, 2);
  printed.compared = distill::Compared::activations;
  printed.adversarial.pram = 1;
  f.check("tune eq. 4", printed);
  Rlnet alone = Rlnet::search(f.teacher, f.budget, .5, .5, whole);
  alone.augmented = alone.adversarial = {};
  f.check("clean alone", alone);
}

TEST_CASE("RLNet: scores of a step are PyTorch's to 1e-10") {
  const Stages f;
  const Net net = f.student();
  const golden::json& expected = f.values.at("steps").at("search").at("scores");
  const auto layers = linearize::relu_layers(net.graph());
  std::vector<double> sums(2 * (384 + 128));
  const auto keep = [&](Use use) {
    return TraceOptions{
        .use = use, .capacity = f.n, .keep = {Keep::every(Kind::activation)}, .tiled = false};
  };
  auto a = f.teacher.make_trace(keep(Use::infer)), b = net.make_trace(keep(Use::train));
  const Tensor<double> x = f.images(0);
  f.teacher.forward(a, x.view(), {});
  net.forward(b, x.view().samples(0, f.n / 2), {.mode = Mode::train});
  linearize::add_distances<double, cpu>(layers, a, 0, b, sums.data());
  CHECK(golden::projection_error(expected.at(0), "scores.relu1", sums.data(), 384) < 1e-10);
  CHECK(golden::projection_error(expected.at(1), "scores.relu2", sums.data() + 384, 128) < 1e-10);
}
