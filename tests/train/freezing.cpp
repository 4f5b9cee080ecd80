// Fine-tuning: layers and batch norms that are frozen by name.
#include "support/batch.hpp"
#include "support/error_of.hpp"

#include <doctest/doctest.h>

#include <rnx/train.hpp>

using namespace rnx;

namespace {

using Net = Network<support::SmallResNet<>, Shape<3, 8, 8>>;

data::Images images(int n) {
  data::Images set{.n = n, .dims = {3, 8, 8}, .classes = 10, .labels = support::labels(n, 10)};
  const rng::Stream random(5, Purpose::test);
  for (int i = 0; i < n * 192; ++i) set.pixels.push_back(std::uint8_t(random.bits(i)));
  return set;
}

Net fitted(const train::Adversarial<>& objective, std::vector<optim::Group> groups) {
  Net net(1);
  optim::Sgd<float> sgd({.momentum = 0.9, .weight_decay = 1e-3, .groups = std::move(groups)});
  train::fit(net, images(24), objective, sgd,
             {.epochs = 2, .batch = 8, .seed = 3, .schedule = optim::Constant{0.05}});
  return net;
}

/// The names of parameters and buffers that training moved.
std::vector<std::string> moved(const Net& net) {
  const Net before(1);
  std::vector<std::string> names;
  const auto compare = [&](const auto& p) {
    if (before.get(p.name).values != net.get(p.name).values) names.push_back(p.name);
  };
  net.visit(compare);
  net.visit_buffers(compare);
  return names;
}

}  // namespace

TEST_CASE("all but the classifier is frozen by two groups") {
  using Names = std::vector<std::string>;
  const train::Adversarial<> pgd{{.steps = 2}};
  CHECK(moved(fitted(pgd, {{.names = "fc.*"}, optim::freeze("*")})) ==
        Names{"fc.weight", "fc.bias"});
  CHECK(moved(fitted(pgd, {optim::freeze("*")})).empty());
  const Names last = moved(
      fitted(pgd, {optim::freeze("conv1.*"), optim::freeze("bn1.*"), optim::freeze("layer1.*")}));
  CHECK(last.front() == "layer2.0.conv1.weight");
  CHECK(last.back() == "layer2.0.bn2.running_var");
  CHECK(last.size() == 12);  // two convolutions, two norms with their statistics, the classifier
  CHECK(support::error_of<NameError>([&] { fitted(pgd, {optim::freeze("layer9.*")}); }) ==
        "optim: no parameter matches the group 'layer9.*'");
}

TEST_CASE("batch norms are frozen by name while the layers around them are trained") {
  const auto names = moved(fitted({{.steps = 2}}, {optim::freeze_batch_norms("layer1.*")}));
  const auto count = [&](const char* glob) {
    return std::count_if(names.begin(), names.end(),
                         [&](const std::string& name) { return matches(glob, name); });
  };
  CHECK(count("layer1.0.conv*.weight") == 2);
  CHECK(count("layer1.0.bn*") == 0);
  CHECK(count("layer2.0.bn*") == 8);
  CHECK(count("*running*") == 6);
  const auto none = moved(fitted({{.steps = 2}}, {optim::freeze_batch_norms()}));
  CHECK(none.size() == 7);  // five convolutions, weights and biases of the classifier
}

TEST_CASE("the step ends its backward at the first layer that is trained") {
  Net net(1);
  Grads<float> grads = net.make_grads();
  const auto first = [&](std::vector<optim::Group> groups) {
    optim::Sgd<float> sgd({.groups = std::move(groups)});
    sgd.add(net, grads);
    const int site = train::first_trained_site(net, sgd.frozen(net));
    return site < int(net.graph().nodes.size()) ? net.graph().nodes[site].path : "nowhere";
  };
  CHECK(first({}) == "conv1");
  CHECK(first({{.names = "fc.*"}, optim::freeze("*")}) == "fc");
  CHECK(first({optim::freeze("conv1.*")}) == "bn1");
  CHECK(first({optim::freeze("layer1.*")}) == "conv1");
  CHECK(first({optim::freeze("*")}) == "nowhere");
}
