// rnx-train: trains a model of the registry on CIFAR-10, naturally or adversarially, and reports clean and PGD-20 accuracy.
#include <chrono>
#include <fstream>

#include "common.hpp"

namespace {

struct Arguments {
  std::string model = "resnet20", data, out = "run", objective = "natural", dataset = "cifar10", attack_mode = "eval", eps = "8/255", step = "2/255";
  int epochs = 4, batch = 128, n_train = 0, n_test = 0, n_attack = 1000, steps = 7;
  double lr = 0.2, weight_decay = 5e-4;
  std::uint64_t seed = 0;
};

void run(const Arguments& a) {
  using namespace rnx;
  require(a.dataset == "cifar10", [&] { return "--dataset: '" + a.dataset + "' is unknown; known is cifar10"; });
  require(a.objective == "natural" || a.objective == "adversarial", "--objective: expected natural or adversarial");
  require(a.attack_mode == "eval" || a.attack_mode == "train", "--attack-mode: expected eval or train");
  require(a.epochs > 0 && a.batch > 0 && a.lr >= 0, "--epochs and --batch must be positive, --lr must not be negative");
  const attack::Pgd<> pgd{.eps = Rational::parse(a.eps, "--eps"), .step = Rational::parse(a.step, "--step"), .steps = a.steps, .seed = a.seed};
  attack::check_radius<norm::Linf>(pgd.eps, pgd.step);
  AnyNetwork<float> net = models::Registry<>::instance().make(a.model, {.classes = 10, .seed = a.seed});
  tools::set_cifar10_normalisation(net);
  const data::Images train_set = data::load_cifar10(a.data, data::Split::train, a.n_train), test_set = data::load_cifar10(a.data, data::Split::test, a.n_test);
  std::error_code error;
  std::filesystem::create_directories(a.out, error);
  require<FileError>(std::filesystem::is_directory(a.out), [&] { return "--out: the folder " + a.out + " cannot be made"; });
  std::ofstream log(a.out + "/log.jsonl", std::ios::app);
  require<FileError>(bool(log), [&] { return "--out: " + a.out + "/log.jsonl cannot be written"; });

  optim::Sgd<float> sgd({.momentum = 0.9, .weight_decay = a.weight_decay});
  const train::FitOptions options{.epochs = a.epochs, .batch = a.batch, .seed = a.seed, .schedule = [&](long step, long total) {
    if (total < 5) return optim::Constant{a.lr}(step);  // no room for the two phases of a cycle
    return optim::OneCycle{.max = a.lr, .total = total, .warm = 0.4, .linear = true}(step);
  }};
  using clock = std::chrono::steady_clock;
  const auto seconds = [start = clock::now()] { return std::chrono::duration<double>(clock::now() - start).count(); };
  const std::string weights = a.out + "/model.safetensors";
  double shown = 0, epoch_start = 0;
  const auto progress = [&](const train::Progress& p) {
    const bool last = p.step == p.steps_in_epoch;
    if (!last && seconds() - shown < 10) return;
    shown = seconds();
    const double rate = p.samples / (shown - epoch_start);
    const std::string line = fmt::format("epoch {}/{} step {}/{} loss {:.4f} accuracy {:.4f} lr {:.4f} images/s {:.0f}", p.epoch + 1, a.epochs, p.step, p.steps_in_epoch, p.loss, p.accuracy, p.lr, rate);
    fmt::print("{}\n", line);
    std::fflush(stdout);
    log << fmt::format(R"({{"epoch":{},"step":{},"loss":{:.6f},"train_acc":{:.6f},"lr":{:.6f},"images_per_s":{:.1f},"seconds":{:.1f}}})", p.epoch + 1, p.step, p.loss, p.accuracy, p.lr, rate, shown) << std::endl;
    if (last) epoch_start = shown, io::save_model(weights, *net, {{"rnx.model", a.model}});
  };
  fmt::print("{}: {} parameters, {} training images, {} objective, {}\n", a.model, net->parameter_count(), train_set.n, a.objective, instruction_set());
  if (a.objective == "natural") train::fit(*net, train_set, train::Natural{}, sgd, options, progress);
  else train::fit(*net, train_set, train::Adversarial<>{pgd, a.attack_mode == "eval" ? Mode::eval : Mode::train}, sgd, options, progress);

  const eval::Accuracy clean = eval::accuracy(*net, test_set, eval::Options{.seed = a.seed});
  data::Images some = test_set;
  some.n = std::min(a.n_attack, some.n), some.pixels.resize(some.n * some.dims.count()), some.labels.resize(some.n);
  const eval::Accuracy robust = tools::evaluate(*net, some, {.seed = a.seed}, "linf", pgd.eps, {});
  const std::string line = fmt::format(R"({{"clean_acc":{:.4f},"clean_n":{},"pgd20_acc":{:.4f},"pgd20_n":{},"eps":"{}","seed":{},"seconds":{:.1f},"instruction_set":"{}"}})", clean.clean(), test_set.n,
                                       robust.robust(), some.n, a.eps, a.seed, seconds(), instruction_set());
  log << line << std::endl;
  fmt::print("clean {:.2f} % of {}, PGD-20 {:.2f} % of {}\nweights: {}\n", 100 * clean.clean(), test_set.n, 100 * robust.robust(), some.n, weights);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains a small robust image classifier.", "rnx-train");
  Arguments a;
  app.option_defaults()->always_capture_default();
  app.add_option("--model", a.model, "model of the registry");
  app.add_option("--dataset", a.dataset, "cifar10");
  app.add_option("--data", a.data, "folder with data_batch_1.bin .. test_batch.bin")->required();
  app.add_option("--objective", a.objective, "natural | adversarial (PGD)");
  app.add_option("--epochs", a.epochs);
  app.add_option("--batch", a.batch);
  app.add_option("--lr", a.lr, "maximum of the one-cycle schedule");
  app.add_option("--weight-decay", a.weight_decay);
  app.add_option("--eps", a.eps, "radius in Linf, like 8/255");
  app.add_option("--step", a.step, "step of the training attack");
  app.add_option("--steps", a.steps, "steps of the training attack");
  app.add_option("--attack-mode", a.attack_mode, "mode of the model under the training attack: eval | train");
  app.add_option("--seed", a.seed);
  app.add_option("--out", a.out, "folder for model.safetensors and log.jsonl");
  app.add_option("--n-train", a.n_train, "first N training images (0: all)");
  app.add_option("--n-test", a.n_test, "first N test images (0: all)");
  app.add_option("--n-attack", a.n_attack, "test images attacked with PGD-20 at the end");
  return tools::guarded(app, argc, argv, [&] { run(a); });
}
