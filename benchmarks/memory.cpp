// Peak resident memory of a process that trains one network on random images: bench_memory NAME
// BATCH STEPS Prints two numbers in MB (10^6 bytes): the peak at the start of main, and the peak at
// the end.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "models.hpp"

#include <rnx/train.hpp>

using namespace rnx;

static double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return 1.024e-3 * double(usage.ru_maxrss);
}

static void train_steps(NetworkBase<float>& net, int batch, int steps) {
  Tensor<float> x(batch, net.input_dims());
  const rng::Stream random(1, Purpose::data);
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = float(random.uniform(i));
  const std::vector<std::int32_t> labels(std::size_t(batch), 1);
  optim::Sgd<float> sgd({.momentum = 0.9, .weight_decay = 5e-4});
  train::Step<float, cpu> step(net, sgd, train::Natural{}, batch);
  step.images().upload(std::span<const float>(x.data(), x.size()));
  step.labels().upload(labels);
  const optim::Rates rates{.lr = 0.01};
  step.set({}, {&rates, 1});
  for (int i = 0; i < steps; ++i) step(batch);
}

int main(int argc, char** argv) {
  const double start = peak_megabytes();
  const int batch = argc == 4 ? std::atoi(argv[2]) : 0, steps = argc == 4 ? std::atoi(argv[3]) : 0;
  for (const MeasuredModel& model : measured_models) {
    if (batch < 1 || steps < 1 || std::strcmp(argv[1], model.name)) continue;
    train_steps(*model.make(), batch, steps);
    std::printf("%.1f %.1f\n", start, peak_megabytes());
    return 0;
  }
  std::fprintf(
      stderr,
      "usage: bench_memory NAME BATCH STEPS, NAME one of resnet20, resnet18, wrn22x8, vgg11\n");
  return 2;
}
