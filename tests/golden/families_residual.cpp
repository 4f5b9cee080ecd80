#include "golden/families.hpp"

#include <filesystem>

#include <rnx/io.hpp>

#include "support/folder.hpp"

using namespace rnx;
using namespace rnx::models;

namespace {

/// A state dict of RobustBench's names with the rule's values, as robustbench.json lists them.
void write_state_dict(const golden::json& tensors, const std::filesystem::path& path) {
  std::vector<std::vector<double>> values;
  std::vector<io::OutTensor> out;
  for (const auto& t : tensors) {
    const auto name = t.at("name").get<std::string>();
    const auto shape = t.at("shape").get<std::vector<int>>();
    const std::string rule = name == "mu"      ? "normalize.mean"
                             : name == "sigma" ? "normalize.std"
                                               : name;
    values.push_back(golden::rule_values(rule, shape));
    out.push_back({name, io::Dtype::F64, {shape.begin(), shape.end()}, nullptr});
  }
  for (std::size_t i = 0; i < out.size(); ++i) out[i].data = values[i].data();
  io::write_safetensors(path, out);
}
/// Spec loads the state dict of that name by the stated renaming, and has PyTorch's logits.
template <class Spec> void loads_published(const char* name, const io::LoadOptions& options) {
  CAPTURE(name);
  const support::Folder folder("robustbench");
  const golden::json golden = golden::load("robustbench").at(name);
  write_state_dict(golden.at("tensors"), folder.path / "published.safetensors");
  Network<Spec, Shape<3, 32, 32>, cpu, precision::Double> net;
  CHECK_THROWS_AS(io::load_model(folder.path / "published.safetensors", net), FileError);
  io::load_model(folder.path / "published.safetensors", net, options);
  auto trace = net.make_trace({.use = Use::infer, .capacity = 2});
  const auto x = Tensor<double>::from_nchw(2, {3, 32, 32}, golden::batch(0, 2));
  const auto logits = to_host(net.forward(trace, x.view(), {}));
  CHECK(golden::compare_record(golden.at("logits"), logits) < 1e-9);
}
template <class Convs = Convolutions<>>
using SmallPreAct =
    ClassifierNamed<"linear", Convs, 10, Named<"conv1", typename Convs::template stem<8, 3>>,
                    Named<"layer1", PreActStage<1, 8, 8, 1, Convs, BatchNorm<>, act::Relu>>,
                    Named<"layer2", PreActStage<1, 8, 16, 2, Convs, BatchNorm<>, act::Relu>>,
                    Named<"bn", BatchNorm<>>, Named<"relu", act::Relu>>;
template <class Convs = Convolutions<>>
using SmallPlain =
    Classifier<Convs, 10, Named<"conv1", typename Convs::template stem<8, 3>>,
               Named<"bn1", BatchNorm<>>, Named<"relu", act::Relu>,
               Named<"layer1", BasicStage<1, 8, 16, 2, Convs, BatchNorm<>, act::Relu>>>;

}  // namespace

TEST_CASE("pre-activation ResNet-18 agrees with PyTorch") {
  golden::check_family<PreActResNet18<>, Shape<3, 32, 32>>("preact_resnet18");
}
TEST_CASE("a wide ResNet agrees with PyTorch") {
  golden::check_family<WideResNet<10, 2>, Shape<3, 32, 32>>("wrn_10_2");
}
TEST_CASE("ImageNet's stem agrees with PyTorch on an odd size") {
  golden::check_family<
      Classifier<Convolutions<>, 10, ImageNetStem::layers<Convolutions<>, BatchNorm<>, act::Relu>>,
      Shape<3, 37, 37>>("stem");
}
TEST_CASE("published state dicts load by RobustBench's names") {
  const auto names = io::robustbench_names();
  loads_published<WideResNet<10, 2>>("wide", {.except = "sub_block1.*", .renamings = names});
  loads_published<SmallPreAct<>>("preact", {.renamings = names});
  loads_published<SmallPlain<>>("plain", {.renamings = names});
}
