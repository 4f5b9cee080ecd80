// 06: a model chosen at run time. Families are registered by name; AnyNetwork holds whichever was
// asked for, and everything takes it.
//   06_model_at_run_time [NAME]
#include <rnx/rnx.hpp>

#include <cstdio>

using namespace rnx;

// a family is a template over the number of classes; a larger program gives each a file of its own
template <int Classes>
using Small =
    models::Classifier<models::Convolutions<>, Classes, Named<"conv1", Conv<16, 3, Stride<2>>>,
                       Named<"bn1", BatchNorm<>>, Named<"relu", act::Relu>>;
RNX_REGISTER_MODEL("small", Small, (3, 32, 32));
RNX_REGISTER_MODEL("resnet20", models::ResNet20, (3, 32, 32));

int main(int argc, char** argv) try {
  const auto& registry = models::Registry<>::instance();
  const std::vector<std::string> names =
      argc > 1 ? std::vector<std::string>{argv[1]} : registry.names();
  const data::Images images = data::synthetic(data::Split::test, 64);
  const attack::Fgsm<> fgsm{.eps = px(8)};

  for (const std::string& name : names) {
    AnyNetwork<> net = registry.make(name, {.classes = 10, .seed = 1});
    const cost::Row total = cost::table(net->graph()).total();
    const eval::Accuracy a = eval::accuracy(*net, images, fgsm);
    std::printf("%-10s %8lld parameters %10lld MACs   untrained: clean %.1f %%, FGSM %.1f %%\n",
                name.c_str(), total.parameters, total.macs, 100 * a.clean(), 100 * a.robust());
    AnyNetwork<> copy = net;  // a value: copies are independent
    copy->set("fc.bias", std::vector<float>(10, 1));
  }
  return 0;
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());  // an unknown name: the sentence lists what there is
  return e.exit_code();
}
