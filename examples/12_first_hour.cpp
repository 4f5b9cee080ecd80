// 12: the steps of docs/first_hour.md as one program.
#include <rnx/rnx.hpp>

#include <cstdio>

using namespace rnx;

// [network] a type: input normalisation, layers, mean over pixels, classifier "fc"
template <int Classes>
using Small = models::Classifier<models::Convolutions<>, Classes,
                                 Named<"conv1", Conv<16, 3, Stride<2>>>, Named<"bn1", BatchNorm<>>,
                                 Named<"relu1", act::Relu>, Named<"conv2", Conv<32, 3, Stride<2>>>,
                                 Named<"bn2", BatchNorm<>>, Named<"relu2", act::Relu>>;
using Net = Network<Small<10>, Shape<3, 32, 32>>;

// [options] what every training below shares
train::FitOptions options(int epochs) {
  return {.epochs = epochs,
          .batch = 50,
          .seed = 1,
          .augment = {},  // synthetic images are used as they are
          .schedule = optim::OneCycle{.max = 0.2}};
}

int main() {
  // [look]
  Net net(1);
  std::printf("%zu parameters, %lld MACs\n", net.parameter_count(),
              cost::table(net.graph()).total().macs);

  // [train]
  const data::Images train_set = data::synthetic(data::Split::train, 1000),
                     test_set = data::synthetic(data::Split::test, 200);
  optim::Sgd sgd({.momentum = 0.9, .weight_decay = 5e-4});
  train::fit(net, train_set, train::Natural{}, sgd, options(6), [](const train::Progress& p) {
    if (p.epoch_end) std::printf("%s\n", train::progress_line(p).c_str());
  });

  // [attack]
  const attack::Pgd<> pgd{.eps = px(4), .steps = 10};  // 4/255, in steps of 2.5 eps / 10
  const eval::Accuracy natural = eval::accuracy(net, test_set, pgd);
  const eval::Interval i = eval::robust_proportion(natural).interval();
  std::printf("clean %.3f, PGD-10 %.3f (95 %%: %.3f to %.3f)\n", natural.clean(), natural.robust(),
              i.low, i.high);

  // [save]
  io::save_model("first_hour.safetensors", net);
  Net again;
  io::load_model("first_hour.safetensors", again);
  const bool same = eval::accuracy(again, test_set).clean() == natural.clean();

  // [freeze] the first group that matches a name wins: fc trains, the rest stays as it is
  optim::Sgd head({.momentum = 0.9, .groups = {{.names = "fc.*"}, optim::freeze("*")}});
  const attack::Pgd<> weak{.eps = px(4), .steps = 3};
  train::fit(again, train_set, train::Adversarial{weak}, head, options(2));
  const bool frozen = again.get("conv1.weight").values == net.get("conv1.weight").values;

  // [teacher] a student imitates the trained network: a list of items, run in order
  Net student(2);
  const auto imitate =
      train::objective(train::Teacher<"teacher">{.net = net}, train::Forward<"clean">{},
                       train::Kl<"clean", "teacher">{.weight = 0.9, .temperature = 2},
                       train::Ce<"clean">{.weight = 0.1});
  optim::Sgd own({.momentum = 0.9});
  train::fit(student, train_set, imitate, own, options(6), [](const train::Progress& p) {
    if (p.epoch_end) std::printf("%s\n", train::progress_line(p).c_str());
  });
  const double imitated = eval::accuracy(student, test_set).clean();
  std::printf("reloaded %s, frozen %s, student %.3f\n", same ? "same" : "other",
              frozen ? "kept" : "moved", imitated);
  return same && frozen && natural.clean() > 0.5 && natural.robust() < natural.clean() &&
                 imitated > 0.5
             ? 0
             : 1;
}
