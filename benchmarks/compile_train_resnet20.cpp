// A program that trains a ResNet-20: what compile_time.sh compiles. It runs too, on random images:
// `bench_compile_train_resnet20 [images]`.
#include <cstdio>
#include <cstdlib>

#include <rnx/rnx.hpp>

using namespace rnx;
using Net = Network<models::ResNet20<10>, Shape<3, 32, 32>>;

int main(int argc, char** argv) {
  data::Images images;
  images.n = argc > 1 ? std::atoi(argv[1]) : 256;
  images.dims = {3, 32, 32};
  images.classes = 10;
  const rng::Stream random(1, Purpose::data);
  images.pixels.resize(std::size_t(images.n) * images.dims.count());
  for (std::size_t i = 0; i < images.pixels.size(); ++i)
    images.pixels[i] = std::uint8_t(256 * random.uniform(i));
  for (int i = 0; i < images.n; ++i)
    images.labels.push_back(std::int32_t(10 * random.uniform(images.pixels.size() + i)));

  Net net(1);
  optim::Sgd sgd({.momentum = 0.9, .weight_decay = 5e-4});
  const train::FitOptions options{.epochs = 1, .schedule = optim::Constant{0.1}};
  train::fit(net, images, train::Adversarial<>{{.steps = 7}}, sgd, options,
             [](const train::Progress& p) {
               std::printf("step %ld of %ld: loss %.4f\n", p.step, p.steps_in_epoch, p.loss);
             });
}
