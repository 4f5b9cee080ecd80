// rnx-eval: clean and attacked accuracy of a model with given weights. Writes report.json and per_sample.csv.
#include "common.hpp"

namespace {

struct Arguments {
  std::string model = "resnet20", weights, data, out = "eval", dataset = "cifar10", norm = "linf", eps = "8/255", attack = "pgd:steps=20,step=2/255,restarts=1,start=random";
  int n_ex = 1000, batch = 250;
  std::uint64_t seed = 0;
};

void run(const Arguments& a) {
  using namespace rnx;
  require(a.dataset == "cifar10", [&] { return "--dataset: '" + a.dataset + "' is unknown; known is cifar10"; });
  require(a.n_ex >= 0 && a.batch > 0, "--n-ex must not be negative and --batch must be positive");
  const Rational eps = Rational::parse(a.eps, "--eps");
  const tools::AttackText attack = tools::AttackText::parse(a.attack, eps);
  AnyNetwork<float> net = models::Registry<>::instance().make(a.model, {.classes = 10});
  io::load_model(a.weights, *net);
  const data::Images images = data::load_cifar10(a.data, data::Split::test, a.n_ex);
  std::error_code error;
  std::filesystem::create_directories(a.out, error);
  require<FileError>(std::filesystem::is_directory(a.out), [&] { return "--out: the folder " + a.out + " cannot be made"; });
  const eval::Accuracy r = tools::evaluate(*net, images, {.batch = a.batch, .restarts = attack.restarts, .seed = a.seed}, a.norm, eps, attack);

  std::string csv = "index,label,clean_pred,attacked_pred,robust\n";
  for (std::size_t i = 0; i < r.samples.size(); ++i) {
    const auto& s = r.samples[i];
    csv += fmt::format("{},{},{},{},{}\n", i, s.label, s.clean, s.attacked, int(s.robust));
  }
  const nlohmann::ordered_json report{{"model", a.model}, {"weights", a.weights}, {"dataset", a.dataset}, {"n", r.samples.size()}, {"clean_acc", r.clean()}, {"robust_acc", r.robust()},
                                      {"attack", a.attack}, {"norm", a.norm}, {"eps", a.eps}, {"seed", a.seed}, {"instruction_set", instruction_set()}};
  const auto write = [&](const char* name, const std::string& text) {
    io::AtomicFile file(std::filesystem::path(a.out) / name);
    file.write(text.data(), text.size());
    file.commit();
  };
  write("per_sample.csv", csv);
  write("report.json", report.dump(2) + "\n");
  fmt::print("clean {:.2f} %, {} {:.2f} % of {} images\nreport: {}/report.json\n", 100 * r.clean(), a.attack, 100 * r.robust(), r.samples.size(), a.out);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Clean and attacked accuracy of a model.", "rnx-eval");
  Arguments a;
  app.option_defaults()->always_capture_default();
  app.add_option("--model", a.model, "model of the registry");
  app.add_option("--weights", a.weights, "safetensors file with PyTorch's names")->required();
  app.add_option("--dataset", a.dataset, "cifar10");
  app.add_option("--data", a.data, "folder with test_batch.bin")->required();
  app.add_option("--n-ex", a.n_ex, "first N test images (0: all)");
  app.add_option("--norm", a.norm, "linf | l2");
  app.add_option("--eps", a.eps, "radius, like 8/255");
  app.add_option("--attack", a.attack, "clean | fgsm | pgd:steps=20,step=2/255,restarts=1,start=none|random");
  app.add_option("--batch", a.batch);
  app.add_option("--seed", a.seed);
  app.add_option("--out", a.out, "folder for report.json and per_sample.csv");
  return tools::guarded(app, argc, argv, [&] { run(a); });
}
