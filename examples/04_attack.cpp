// 04: attacks. Two networks are trained on a toy data set, one of them on adversarial images, and
// attacked in two norms.
#include <rnx/rnx.hpp>

#include <cstdio>

using namespace rnx;

using Net = Network<
    Sequential<Named<"conv1", Conv<16, 3>>, Named<"bn1", BatchNorm<>>, Named<"relu1", act::Relu>,
               Named<"conv2", Conv<16, 3, Stride<2>>>, Named<"bn2", BatchNorm<>>,
               Named<"relu2", act::Relu>, Named<"pool", AveragePool<2>>, Named<"fc", Linear<4>>>,
    Shape<1, 8, 8>>;

/// n grey images of noise. Two things tell the class: a brighter quadrant, and stripes that an
/// attack of 16 levels can invert.
data::Images quadrants(int n, std::uint64_t seed) {
  data::Images images{
      .n = n, .dims = {1, 8, 8}, .classes = 4, .pixels = {}, .labels = {}, .class_names = {}};
  const rng::Stream noise(seed, Purpose::data);
  for (int i = 0; i < n; ++i) {
    const int label = i % 4;
    images.labels.push_back(label);
    for (int p = 0; p < 64; ++p) {
      const int row = p / 8, column = p % 8;
      const bool quadrant = row / 4 == label / 2 && column / 4 == label % 2,
                 stripe = ((label & 1) * row + (label & 2) / 2 * column) % 2;
      images.pixels.push_back(std::uint8_t(60 + 60 * noise.uniform(std::uint64_t(i) * 64 + p) +
                                           40 * quadrant + 24 * stripe));
    }
  }
  return images;
}

/// Prints one row of accuracies; returns that under PGD in Linf.
template <class Objective> double train_and_attack(const char* name, const Objective& objective) {
  Net net(1);
  optim::Sgd sgd({.momentum = 0.9, .weight_decay = 5e-4});
  train::fit(net, quadrants(512, 1), objective, sgd,
             {.epochs = 6,
              .batch = 32,
              .seed = 1,
              .augment = {},
              .schedule = optim::Cosine{.base = 0.05}});

  // every adversarial image is checked: inside its ball, inside [0, 1]; a fresh forward decides
  // whether it fools the network
  const data::Images test = quadrants(200, 2);
  const attack::Fgsm<> fgsm{.eps = px(16)};
  const attack::Pgd<> pgd{.eps = px(16), .step = px(4), .steps = 10};
  const attack::Pgd<norm::L2> pgd_l2{.eps = 0.3, .step = 0.1, .steps = 10};
  const double clean = eval::accuracy(net, test).clean(),
               a = eval::accuracy(net, test, fgsm).robust(),
               b = eval::accuracy(net, test, pgd, {.restarts = 2}).robust(),
               c = eval::accuracy(net, test, pgd_l2).robust();
  std::printf("%-12s %6.1f %% %6.1f %% %6.1f %% %6.1f %%\n", name, 100 * clean, 100 * a, 100 * b,
              100 * c);
  return b;
}

int main() {
  std::printf("%-12s %8s %8s %8s %8s\n", "training", "clean", "FGSM", "PGD Linf", "PGD L2");
  const double natural = train_and_attack("natural", train::Natural{});
  const attack::Pgd<> pgd{.eps = px(16), .step = px(5), .steps = 5};
  const double robust = train_and_attack("adversarial", train::Adversarial{pgd});

  // an image outside its ball is never counted
  const std::vector<float> clean(64, 0.5f), far(64, 0.7f);
  try {
    attack::verify<norm::Linf>(clean, far, 1, px(16));
    return 1;
  } catch (const NumericError& e) {
    std::printf("%s\n", e.what());
  }
  return robust >= natural ? 0 : 1;
}
