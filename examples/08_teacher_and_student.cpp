// 08: a student learns from a teacher, on two views of each sample. An objective is a list of
// items: views, passes and weighted terms; names tie them together.
#include <rnx/rnx.hpp>

#include <cstdio>

using namespace rnx;
using namespace rnx::train;

template <int Width>
using Net = Network<Sequential<Normalize, Named<"conv1", Conv<Width, 3>>, BatchNorm<>, act::Relu,
                               Named<"conv2", Conv<Width, 3, Stride<2>>>, BatchNorm<>, act::Relu,
                               Tap<Penultimate, GlobalAveragePool>, Named<"fc", Linear<10>>>,
                    Shape<3, 32, 32>>;

double accuracy_after(NetworkBase<float>& net, const data::Images& images, AnyObjective<> objective,
                      int epochs) {
  optim::Sgd<float> sgd({.momentum = 0.9, .weight_decay = 5e-4});
  fit(net, images, std::move(objective), sgd,
      {.epochs = epochs, .batch = 32, .seed = 1, .schedule = optim::Cosine{.base = 0.1}},
      [](const Progress& p) {
        if (p.epoch_end && p.epoch + 1 == p.epochs) std::printf("  %s\n", progress_line(p).c_str());
      });
  const data::Images test = data::synthetic(data::Split::test, 500);
  return eval::accuracy(net, test).clean();
}

int main() {
  const data::Images images = data::synthetic(data::Split::train, 512);
  Net<16> teacher(1);
  std::printf("teacher\n");
  const double wide = accuracy_after(teacher, images, Natural{}, 12);

  // crops with squares cut out, beside the usual view; the teacher sees the usual one
  const data::Augment cut{data::RandomCrop{.pad = 4}, data::Cutout{.size = 8}};
  const auto distilled =
      objective(Augmented<"cut">{cut}, Teacher<"teacher">{.net = teacher}, Forward<"clean">{},
                Ce<"clean">{.weight = 0.5}, Kl<"clean", "teacher">{.weight = 0.5, .temperature = 4},
                Forward<"cut">{}, Kl<"cut", "clean">{.weight = 0.1, .hold = true});
  std::printf("student, alone and taught\n");
  Net<8> alone(2), taught(2);
  const double without = accuracy_after(alone, images, Natural{}, 8),
               with = accuracy_after(taught, images, std::move(distilled), 8);
  std::printf("teacher %.1f %%, student alone %.1f %%, taught %.1f %%\n", 100 * wide, 100 * without,
              100 * with);
  return wide > 0.2 && with > 0.15 ? 0 : 1;
}
