#include "printed.hpp"

#include <fmt/format.h>

#include "tables.hpp"

namespace rrm {

using namespace rnx;
namespace fs = std::filesystem;

namespace {

/// The attack number k of evaluate().
report::TableColumn attacked(const std::string& name, int k) {
  report::TableColumn c = report::clean_column(name);
  c.file = attacks_file;
  const std::string at = fmt::format("/models/0/attacks/{}", k);
  c.path = at + "/acc";
  for (const char* fact : {"/name", "/norm"}) c.compares.push_back(at + fact);
  return c;
}
report::TableColumn strongest() {
  report::TableColumn c = report::robust_column("AutoAttack [%]");
  c.file = "autoattack/report.json";
  return c;
}
report::TableColumn setting(const std::string& name, const std::string& key, int digits) {
  return {.name = name, .path = "/configuration/" + key, .file = "run.json", .digits = digits};
}

}  // namespace

report::TableColumn natural() {
  report::TableColumn c = report::clean_column("natural [%]");
  c.file = attacks_file;
  c.path = "/models/0/attacks/0/acc";
  return c;
}
report::TableColumn art() { return attacked("AutoPGD (ART) [%]", 3); }
report::TableColumn short_art() {
  report::TableColumn c = attacked("AutoPGD (ART) [%]", 4);
  c.compares.pop_back();  // table 8 has both norms
  return c;
}
report::TableColumn art_at_temperature() { return attacked("AutoPGD (ART), t = 30 [%]", 5); }
report::TableColumn timed(const std::string& name, const std::string& key, double scale) {
  return {.name = name, .path = "/" + key, .file = "time.json", .scale = scale};
}

namespace {

constexpr std::nullopt_t none = std::nullopt;

PaperTable table1() {
  return {1,
          "ResNet-50 on CIFAR-10, Linf 8/255",
          {setting("epochs", "epochs", 0), timed("epoch [s]", "epoch_seconds"),
           timed("total [min]", "total_minutes"), natural(), art(), attacked("AutoPGD [%]", 2),
           attacked("PGD-20 [%]", 1), strongest()},
          {{"SAT", "sat-resnet50", {150, 723.03, 1807.58, 85.50, 48.38}},
           {"Fast AT", "fast-resnet50", {40, 289.16, 192.77, 83.73, 50.47}},
           {"FGSM-RS", "fgsm-rs-resnet50", {}},
           {"Free AT, 96", "free-resnet50", {96, 36.58, 58.44, 77.74, 45.20}},
           {"Free AT, 48", "free48-resnet50", {48, 36.58, 29.22, 71.28, 41.53}},
           {"RRM (VGG11)", "rrm-vgg11", {48, 37.78, 30.22, 76.17, 49.30}},
           {"RRM (ResNet18)", "rrm-resnet18", {48, 39.78, 31.82, 80.32, 48.67}},
           {"RRM (VGG11), l2 form", "rrm-vgg11-distance", {}}}};
}
PaperTable table2() {
  return {2,
          "Transfer to ResNet-50 on CIFAR-10, L2 1.0; KD beside it through logits over 30",
          {natural(), art(), art_at_temperature(), attacked("AutoPGD [%]", 2),
           attacked("PGD-20 [%]", 1), strongest()},
          {{"SAT", "sat-l2-resnet50", {82.97, 48.49}},
           {"RDT (VGG11)", "rdt-vgg11", {74.61, 1.10}},
           {"RDT (ResNet18)", "rdt-resnet18", {80.47, 1.22}},
           {"KD (VGG11)", "kd-vgg11", {80.12, none, 20.89}},
           {"KD (ResNet18)", "kd-resnet18", {83.72, none, 2.83}},
           {"RRM (VGG11)", "rrm-l2-vgg11", {78.53, 47.24}},
           {"RRM (ResNet18)", "rrm-l2-resnet18", {80.80, 46.18}}}};
}
PaperTable table3() {
  return {3,
          "Restricted ImageNet, L2 3.0, teacher AlexNet",
          {setting("epochs", "epochs", 0), timed("epoch [min]", "epoch_seconds", 1. / 60),
           timed("total [h]", "total_minutes", 1. / 60), natural(), short_art()},
          {{"SAT", "imagenet-sat-resnet50", {150, 101.49, 253.71, 95.47, 84.36}, "ResNet50"},
           {"RRM", "imagenet-rrm-resnet50", {60, 13.66, 13.66, 88.19, 67.90}, "ResNet50"},
           {"SAT", "imagenet-sat-vgg16", {150, 160.01, 400.01, 92.40, 80.91}, "VGG16"},
           {"RRM", "imagenet-rrm-vgg16", {60, 33.30, 33.30, 87.86, 73.30}, "VGG16"}}};
}
/// Tables 4, 5 and 6.
PaperTable settings_table(int number, const std::string& title, std::vector<Line> lines) {
  return {number,
          title,
          {setting("learning rate", "lr", 2), setting("batch", "batch", 0),
           setting("epochs", "epochs", 0)},
          std::move(lines)};
}
PaperTable table7() {
  const report::TableColumn features{
      .name = "penultimate features", .path = "/features", .file = "run.json", .digits = 0};
  return {7,
          "Penultimate features, after the added layer",
          {features},
          {{"VGG11", "fast-vgg11", {512}, "CIFAR-10"},
           {"VGG19", "sat-l2-vgg19", {512}, "CIFAR-10"},
           {"ResNet18", "limit-resnet18", {512}, "CIFAR-10"},
           {"ResNet50", "sat-l2-resnet50", {512}, "CIFAR-10"},
           {"AlexNet", "imagenet-sat-alexnet", {2048}, "Restricted ImageNet"},
           {"VGG16", "imagenet-sat-vgg16", {2048}, "Restricted ImageNet"},
           {"ResNet50", "imagenet-sat-resnet50", {2048}, "Restricted ImageNet"}}};
}
/// Printed per ball; AutoPGD of the two norms is one column.
std::vector<PaperTable> table8() {
  PaperTable cifar{8,
                   "Adversarially trained networks on CIFAR-10",
                   {natural(), short_art(), attacked("AutoPGD [%]", 2), attacked("PGD-20 [%]", 1)},
                   {{"DNN, SAT", "sat-l2-dnn", {59.95, 34.15}, "L2 1.0"},
                    {"VGG11, SAT", "sat-l2-vgg11", {78.81, 46.08}, "L2 1.0"},
                    {"VGG19, SAT", "sat-l2-vgg19", {74.64, 45.52}, "L2 1.0"},
                    {"ResNet18, SAT", "sat-l2-resnet18", {82.81, 48.99}, "L2 1.0"},
                    {"ResNet50, SAT", "sat-l2-resnet50", {82.97, 48.65}, "L2 1.0"},
                    {"VGG11, Fast AT", "fast-vgg11", {76.94, 44.11}, "Linf 8/255"},
                    {"ResNet18, Fast AT", "fast-resnet18", {82.60, 51.30}, "Linf 8/255"},
                    {"ResNet50, SAT", "sat-resnet50", {85.50, 49.60}, "Linf 8/255"},
                    {"ResNet50, Fast AT", "fast-resnet50", {83.73, 50.65}, "Linf 8/255"},
                    {"ResNet50, Free AT", "free-resnet50", {77.74, 45.41}, "Linf 8/255"}}};
  for (std::size_t c = 2; c < 4; ++c) cifar.columns[c].compares.resize(2);  // of both norms
  PaperTable imagenet{8,
                      "Adversarially trained networks on Restricted ImageNet, L2 3.0",
                      {natural(), short_art()},
                      {{"AlexNet, SAT", "imagenet-sat-alexnet", {87.67, 75.24}},
                       {"VGG16, SAT", "imagenet-sat-vgg16", {92.40, 80.91}},
                       {"ResNet50, SAT", "imagenet-sat-resnet50", {95.47, 84.36}}}};
  return {cifar, imagenet};
}
PaperTable times_table(int number, const std::string& title, const std::string& unit, double scale,
                       std::vector<Line> lines) {
  return {number,
          title,
          {timed("without teacher [" + unit + "]", "total_minutes", scale),
           timed("with teacher [" + unit + "]", "with_teacher_minutes", scale)},
          std::move(lines)};
}

}  // namespace

std::vector<PaperTable> paper_tables() {
  std::vector<PaperTable> list{table1(), table2(), table3()};
  list.push_back(
      settings_table(4, "Hyper-parameters of SAT",
                     {{"CIFAR-10", "sat-resnet50", {0.1, 128, 150}},
                      {"Restricted ImageNet", "imagenet-sat-resnet50", {0.01, 128, 150}}}));
  list.push_back(settings_table(5, "Hyper-parameters of RRM",
                                {{"CIFAR-10", "rrm-vgg11", {0.1, 128, 48}},
                                 {"Restricted ImageNet", "imagenet-rrm-vgg16", {0.1, 128, 60}}}));
  list.push_back(settings_table(6, "Hyper-parameters of prior works (of Free AT: epochs / 8)",
                                {{"RDT", "rdt-vgg11", {0.1, 128, 100}},
                                 {"KD", "kd-vgg11", {0.1, 128, 100}},
                                 {"Fast AT", "fast-vgg11", {0.2, 128, 40}},
                                 {"Free AT", "free-resnet50", {0.04, 128, 12}}}));
  list.push_back(table7());
  for (PaperTable& t : table8()) list.push_back(std::move(t));
  list.push_back(times_table(9, "Total time of ResNet-50 on CIFAR-10", "min", 1,
                             {{"SAT", "sat-resnet50", {1807.58}},
                              {"Fast AT", "fast-resnet50", {192.77}},
                              {"Free AT", "free-resnet50", {58.44}},
                              {"RRM (VGG11)", "rrm-vgg11", {30.22, 57.91}},
                              {"RRM (ResNet18)", "rrm-resnet18", {31.82, 91.77}}}));
  list.push_back(times_table(10, "Total time on Restricted ImageNet", "h", 1. / 60,
                             {{"SAT", "imagenet-sat-resnet50", {253.71}, "ResNet50"},
                              {"RRM", "imagenet-rrm-resnet50", {13.66, 46.69}, "ResNet50"},
                              {"SAT", "imagenet-sat-vgg16", {400.01}, "VGG16"},
                              {"RRM", "imagenet-rrm-vgg16", {33.30, 66.33}, "VGG16"}}));
  return list;
}

fs::path folder_of(const fs::path& out, const std::string& row, int seed) {
  return paper::folder_of(out, row, seed);
}

std::vector<fs::path> runs_of(const Plan& plan, const fs::path& out, const std::string& row) {
  return paper::runs_of(plan.seeds, out, row);
}
std::optional<double> mean_of(const Plan& plan, const fs::path& out, const std::string& row,
                              const report::TableColumn& column) {
  return paper::mean_of(runs_of(plan, out, row), column);
}

}  // namespace rrm
