// Every model of the registry: parameters, MACs, ReLUs and the names of its state dict, against
// PyTorch's (golden/families.json) and the papers'.
#include "models/describe.hpp"

#include <doctest/doctest.h>

#include "golden/golden.hpp"

using namespace rnx;
using namespace rnx::models;
namespace {

using Cifar = Shape<3, 32, 32>;
using Large = Shape<3, 224, 224>;

/// Lines "name d0,d1,...", sorted: what tests/golden/families.py --names prints.
std::vector<std::string> lines(const Graph& graph) {
  std::vector<std::string> list;
  for (const auto* tensors : {&graph.parameters, &graph.buffers})
    for (const auto& t : *tensors) {
      std::string line = t.name + " ";
      for (std::size_t i = 0; i < t.shape.size(); ++i)
        line += (i ? "," : "") + std::to_string(t.shape[i]);
      list.push_back(line);
    }
  std::sort(list.begin(), list.end());
  return list;
}

std::uint32_t fnv1a32(const std::string& text) {
  std::uint32_t h = 0x811C9DC5u;
  for (const char c : text) h = (h ^ std::uint8_t(c)) * 0x01000193u;
  return h;
}

cost::Row check(const std::string& name, const Graph& graph) {
  static const golden::json all = golden::load("families").at("models");
  CAPTURE(name);
  const golden::json& expected = all.at(name);
  const cost::Row total = cost::table(graph).total();
  CHECK(expected.at("in") == golden::json{graph.input.c, graph.input.h, graph.input.w});
  CHECK(expected.at("classes") == graph.nodes.back().out.c);
  CHECK(expected.at("parameters") == total.parameters);
  CHECK(expected.at("macs") == total.macs);
  CHECK(expected.at("relus") == total.relus);
  const auto list = lines(graph);
  CHECK(expected.at("tensors") == list.size());
  std::string text;
  for (const std::string& line : list) text += (text.empty() ? "" : "\n") + line;
  CHECK_MESSAGE(fnv1a32(text) == expected.at("names").get<std::uint32_t>(),
                "names or shapes differ from `golden/families.py --names '", name, "'`:\n", text);
  int taps = 0;
  for (const Node& n : graph.nodes)
    taps += std::count(n.tags.begin(), n.tags.end(), &tag_id<Penultimate>);
  CHECK(taps == 1);
  return total;
}
template <class Spec, class In = Cifar> cost::Row check(const std::string& name) {
  return check(name, support::describe<Spec, In>());
}
void counts(const cost::Row& r, long long parameters, long long macs, long long relus = 0) {
  CHECK(r.parameters == parameters);
  if (macs) CHECK(r.macs == macs);
  if (relus) CHECK(r.relus == relus);
}

}  // namespace

TEST_CASE("residual networks for 32 x 32 images") {
  check<ResNet20<>>("resnet20");
  check<ResNet20<>, Shape<1, 28, 28>>("resnet20 grey");
  check<ResNet32<>>("resnet32");
  check<ResNet44<>>("resnet44");
  check<ResNet56<>>("resnet56");
  check<ResNet110<>>("resnet110");
  check<ResNet18<>>("resnet18");
  counts(check<ResNet34<>>("resnet34"), 21282122, 1159402496, 966656);
  counts(check<ResNet34<100>>("resnet34 100"), 21328292, 0, 966656);
  check<ResNet50<>>("resnet50");
  counts(check<ResNet50Rrm<>>("resnet50_rrm"), 24554570, 1298863104);
}

TEST_CASE("an added linear layer: 512 features of 64, of 128; the whole of paper 002's VGG-16") {
  const auto count = [](const Graph& graph) {
    for (const Node& n : graph.nodes)
      if (Keep::tap<Penultimate>().applies(n)) CHECK(n.out == Dims{512, 1, 1});
    return cost::table(graph).total();
  };
  counts(count(support::describe<ResNet20Rrm<>, Cifar>()), 269722 - 650 + 33280 + 5130,
         40551040 - 640 + 32768 + 5120);
  counts(count(support::describe<AddedLinear<Vgg11<>, 512>, Cifar>()), 9231114 + 512 * 513,
         152769536 + 512 * 512);
  CHECK(count(support::describe<Vgg11Narrow<>, Cifar>()).parameters == 649674);
}

TEST_CASE("residual networks for 224 x 224 images") {
  CHECK(check<ResNet18ImageNet<>, Large>("resnet18_imagenet").relus == 2308096);
  check<ResNet34ImageNet<>, Large>("resnet34_imagenet");
  check<ResNet50ImageNet<>, Large>("resnet50_imagenet");
}

TEST_CASE("pre-activation and wide residual networks") {
  check<PreActResNet18<>>("preact_resnet18");
  counts(check<Wrn22x8<>>("wrn_22_8"), 17158106, 2454115328, 1392640);
  counts(check<Wrn22x8<100>>("wrn_22_8 100"), 17204276, 0, 1392640);
  check<Wrn34x10<>>("wrn_34_10");
}

TEST_CASE("networks without shortcuts") {
  counts(check<Vgg11<>>("vgg11_bn"), 9231114, 152769536);
  check<Vgg16<>>("vgg16_bn");
  counts(check<Vgg19<>>("vgg19_bn"), 20040522, 398136320);
  check<VggImageNet<vgg::D>, Large>("vgg16_bn imagenet");
  check<VggImageNet<vgg::D, 9, 2048, Convolutions<>, Identity>, Large>("vgg16 rrm");
  check<AlexNet<>, Large>("alexnet");
  check<AlexNetRrm<>, Large>("alexnet rrm");
  counts(check<Dnn<>>("dnn"), 1341226, 39687168);
  check<Dnn<>, Shape<1, 28, 28>>("dnn grey");
}

TEST_CASE("networks of few bits: batch norm, quantizer, convolution") {
  using Convs = Convolutions<quant::MultiBit<3>, quant::MultiBitActivation<1>>;
  const auto bops = [](const Graph& graph, bool wide = false) {
    return cost::table(graph, {.shortcuts_as_3x3 = wide}).total().bops;
  };
  const Graph r20 = support::describe<BinaryResNet20<10, Convs>, Cifar>();
  CHECK(bops(r20) == 148676608);
  CHECK(r20.nodes[r20.find("layer1.0.conv1")].inputs[0] == r20.find("layer1.0.bn1"));
  const Graph ends = support::describe<BinaryResNet20<10, Int8Ends<Convs>>, Cifar>();
  CHECK(bops(ends) == 148676608);  // full precision counts as 8 x 8, too
  for (const char* name : {"conv1", "fc"}) {
    const Node& n = ends.nodes[ends.find(name)];
    CHECK((n.weight_bits == 8 && n.activation_bits == 8));
  }
  CHECK(bops(support::describe<BinaryResNet56<10, Convs>, Cifar>()) / 1e8 ==
        doctest::Approx(4.0348).epsilon(1e-4));
  CHECK(bops(support::describe<BinaryResNet18ImageNet<1000, Convs>, Large>(), true) / 1e8 ==
        doctest::Approx(131.347).epsilon(1e-5));
}

TEST_CASE("bit operations of ResNet-18 on ImageNet (paper 003)") {
  using quant::MultiBit, quant::MultiBitActivation, quant::Sign, quant::SignActivation;
  // 1e8 BOPs: with the 1 x 1 shortcuts as they are, and with 3 x 3 as the paper counts them
  const auto check = [](Graph graph, int weights, int activations, double own, double paper) {
    for (Node& n : graph.nodes) {
      if (n.weight_bits != 1) continue;
      n.weight_bits = weights;
      n.activation_bits = activations;
    }
    const double wide = cost::table(graph, {.shortcuts_as_3x3 = true}).total().bops / 1e8;
    CHECK(std::abs(cost::table(graph).total().bops / 1e8 - own) < 0.051);
    CHECK(std::abs(wide - paper) < 0.0006);  // to the printed digits
  };
  const auto graph = [](auto convs) {
    return support::describe<ResNet18ImageNet<1000, decltype(convs)>, Large>();
  };
  check(graph(Convolutions<>{}), 32, 32, 1161.007, 1259.657);
  const Graph binary = graph(Convolutions<Sign, SignActivation>{});
  check(binary, 1, 1, 92.8, 94.354);
  check(binary, 2, 2, 143.7, 149.844);
  check(binary, 3, 1, 126.7, 131.347);
  check(binary, 3, 3, 228.5, 242.329);
}

TEST_CASE("paper 000's networks: ReLUs that have masks, two paths of every batch norm") {
  const auto check = [](const Graph& graph, long long parameters, long long relus) {
    const cost::Row total = cost::table(graph).total();
    CHECK(total.parameters == parameters);
    CHECK(total.relus == relus);
    long masked = 0;
    for (const Node& n : graph.nodes)
      masked += n.operation == "masked_relu" ? long(n.out.count()) : 0;
    CHECK(masked == relus);
    CHECK(path_count(graph) == 2);
  };
  check(support::describe<ResNet18Rlnet<>, Cifar>(), 11183562, 557056);
  check(support::describe<ResNet34Rlnet<100>, Cifar>(), 21345316, 966656);
  check(support::describe<Wrn22x8Rlnet<100>, Cifar>(), 17215060, 1392640);
  check(support::describe<ResNet18Rlnet<200>, Shape<3, 64, 64>>(), 11281032, 2228224);
  check(support::describe<ResNet20Rlnet<>, Cifar>(), 271098, 188416);
}
