// A program with a copy for each instruction set (cmake/RnxInstructionSets.cmake): says which copy
// runs, the logits' checksum of a network, and catches an error that the library throws.
#include <rnx/models.hpp>

#include <cstdio>
#include <map>

namespace {

// runs before main only where this copy was chosen
const std::string before_main = std::string("initialised for ") + rnx::instruction_set();

}  // namespace

int main(int argc, char**) {
  using namespace rnx;
  std::map<std::string, int> words{{before_main, argc}};  // code that every copy has
  std::printf("%s\n", words.begin()->first.c_str());
  Network<models::Dnn<10>, Shape<1, 28, 28>> net(1);
  Tensor<float> x(3, net.input_dims());
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = float(i % 17) / 17;
  auto trace = net.make_trace({.use = Use::infer, .capacity = 3, .eval_only = true});
  double sum = 0;
  for (float z : to_host(net.forward(trace, x.view(), {}))) sum += z;
  std::printf("logits %.4f\n", sum);
  try {
    models::Registry<>::instance().make("nothing");
  } catch (const UsageError&) {
    std::printf("refused\n");
    return 0;
  }
  return 1;
}
