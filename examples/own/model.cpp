// A model: a family over policies, under a name. The executables and everything that takes an
// AnyNetwork find it there.
#include <rnx/rnx.hpp>

#include <cstdio>

using namespace rnx;

namespace zoo {

/// conv - norm - activation, halving the image. Convs says which convolutions a network is made of.
template <int Out, class Convs, class Norm, class Act>
using Stage = Sequential<Named<"conv", typename Convs::template conv<Out, 3, 2>>, Named<"bn", Norm>,
                         Named<"act", Act>>;

/// Three stages of 16, 32 and 64 channels. `Classes` may be at_run_time: then a network is told its
/// number when it is made, and one instantiation serves all.
template <int Classes, class Convs = models::Convolutions<>, class Norm = BatchNorm<>,
          class Act = act::Relu>
using Small = models::Classifier<
    Convs, Classes, Named<"conv1", typename Convs::template stem<16, 3>>, Named<"bn1", Norm>,
    Named<"relu", Act>, Named<"layer1", Stage<16, Convs, Norm, Act>>,
    Named<"layer2", Stage<32, Convs, Norm, Act>>, Named<"layer3", Stage<64, Convs, Norm, Act>>>;

/// The same with 1-bit weights between its first and its last layer.
template <int Classes> using SmallBinary = Small<Classes, models::Convolutions<quant::Sign>>;

}  // namespace zoo

RNX_REGISTER_MODEL("small", zoo::Small, (3, 32, 32));
RNX_REGISTER_MODEL("small", zoo::Small, (1, 28, 28));  // the same name, another shape
RNX_REGISTER_MODEL("small-binary", zoo::SmallBinary, (3, 32, 32));

int main() {
  const auto& registry = models::Registry<>::instance();
  for (const std::string& name : registry.names()) {
    const AnyNetwork<> net = registry.make(name, {.classes = 7, .seed = 1});
    const cost::Row total = cost::table(net->graph()).total();
    std::printf("%-13s %d classes, %lld parameters, %lld MACs\n", name.c_str(), net->classes(),
                total.parameters, total.macs);
  }
  // by hand: 3 16 9 + 16 16 9 + 16 32 9 + 32 64 9 weights, 2 (16 + 16 + 32 + 64) of the norms,
  // 64 7 + 7 of the classifier
  constexpr long long weights = 432 + 2304 + 4608 + 18432, norms = 256, classifier = 455;
  AnyNetwork<> net = registry.make("small", {.classes = 7, .seed = 1});
  const bool counted =
      cost::table(net->graph()).total().parameters == weights + norms + classifier &&
      (long long)(net->parameter_count()) == weights + norms + classifier;

  // files carry PyTorch's names: those of the specs above
  const HostTensor<> w = net->get("layer2.conv.weight");
  const bool named = w.shape == std::vector<int>{32, 16, 3, 3};
  bool refused = false;
  try {
    registry.make("small", {.classes = 7, .seed = 1, .in = {3, 64, 64}});
  } catch (const UsageError& e) {
    std::printf("%s\n", e.what());  // lists what there is
    refused = true;
  }
  return counted && named && refused ? 0 : 1;
}
