#include "plan.hpp"

#include "../tools/paper.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include <rnx/core/error.hpp>

namespace rrm {
namespace {

using paper::with;

Json ball(bool l2, bool imagenet) {
  if (!l2) return {{"norm", "linf"}, {"eps", "8/255"}, {"attack-step", "2/255"}};
  return {{"norm", "l2"}, {"eps", imagenet ? "3" : "1"}, {"attack-step", imagenet ? "0.6" : "0.2"}};
}

/// Table 4; decay of weights and steps of the attack as in the published code.
Json sat(const char* model, bool l2, bool imagenet = false) {
  const Json common{{"model", model},        {"objective", "pgd"},      {"attack-steps", 7},
                    {"attack-mode", "eval"}, {"schedule", "multistep"}, {"epochs", 150},
                    {"gamma", 0.1}};
  const Json own =
      imagenet ? Json{{"lr", 0.01}, {"milestones", {125. / 150}}, {"weight-decay", 1e-4}}
               : Json{{"lr", 0.1}, {"milestones", {50. / 150, 100. / 150}}, {"weight-decay", 5e-4}};
  return with(with(common, own), ball(l2, imagenet));
}
/// Table 6: what the paper calls fast adversarial training is PGD-7 with the network in train mode.
Json fast(const char* model) {
  return with({{"model", model},
               {"objective", "pgd"},
               {"attack-steps", 7},
               {"attack-mode", "train"},
               {"attack-commits", 1},
               {"schedule", "triangular"},
               {"warm", 0.5},
               {"lr", 0.2},
               {"epochs", 40},
               {"weight-decay", 5e-4}},
              ball(false, false));
}
/// Wong et al. 2020.
Json fgsm_rs(const char* model) {
  return {{"model", model}, {"objective", "fgsm-rs"}, {"schedule", "triangular"}, {"warm", 0.5},
          {"lr", 0.2},      {"epochs", 15},           {"weight-decay", 5e-4}};
}
/// Table 6; the printed epochs count each replay of a batch.
Json free(const char* model, int printed) {
  return {{"model", model},           {"objective", "free"}, {"replays", 8},
          {"schedule", "triangular"}, {"warm", 0.5},         {"lr", 0.04},
          {"epochs", printed / 8},    {"weight-decay", 5e-4}};
}
/// Table 5. With an L2 ball the published code decays weights less.
Json rrm(const char* model, bool l2) {
  return {{"model", model},
          {"objective", "rrm"},
          {"match", "cosine"},
          {"lambda", l2 ? 5e-5 : 5e-3},
          {"schedule", "cosine"},
          {"lr", 0.1},
          {"lr-end", 1e-6},
          {"epochs", 48},
          {"weight-decay", l2 ? 5e-5 : 5e-4}};
}
Json rrm_imagenet(const char* model) {
  return {{"model", model},
          {"objective", "rrm"},
          {"match", "l2"},
          {"lambda", 1e-3},
          {"schedule", "multistep"},
          {"milestones", {35. / 60, 50. / 60}},
          {"gamma", 0.1},
          {"lr", 0.1},
          {"epochs", 60},
          {"weight-decay", 5e-5}};
}
/// Table 6's rows of RDT and KD.
Json stepped(const char* model, const char* objective) {
  return {{"model", model},
          {"objective", objective},
          {"schedule", "multistep"},
          {"milestones", {0.65, 0.9}},
          {"gamma", 0.1},
          {"lr", 0.1},
          {"epochs", 100},
          {"weight-decay", 5e-4}};
}

constexpr const char *vgg11 = "vgg11_bn", *vgg19 = "vgg19_bn", *r18 = "resnet18",
                     *r50 = "resnet50_rrm", *dnn = "dnn", *alexnet = "alexnet_rrm",
                     *vgg16 = "vgg16_rrm", *r50_imagenet = "resnet50_imagenet";
constexpr bool linf = false, l2 = true;

/// Tables 1, 2 and 8 on CIFAR-10.
void add_cifar(std::vector<Row>& rows) {
  using enum Phase;
  rows.push_back({.name = "fast-vgg11", .phase = teacher, .settings = fast(vgg11)});
  rows.push_back({.name = "fast-resnet18", .phase = teacher, .settings = fast(r18)});
  for (const auto& [name, model] : {std::pair{"sat-l2-vgg11", vgg11},
                                    {"sat-l2-resnet18", r18},
                                    {"sat-l2-resnet50", r50},
                                    {"sat-l2-vgg19", vgg19},
                                    {"sat-l2-dnn", dnn}})
    rows.push_back({.name = name, .phase = teacher, .settings = sat(model, l2)});
  for (const std::string from : {"vgg11", "resnet18"})
    rows.push_back({.name = "robust-" + from,
                    .phase = robustify,
                    .teacher = "sat-l2-" + from,
                    .settings = {{"images", 0}, {"steps", 1000}}});
  rows.push_back({.name = "sat-resnet50", .phase = baseline, .settings = sat(r50, linf)});
  rows.push_back({.name = "fast-resnet50", .phase = baseline, .settings = fast(r50)});
  rows.push_back({.name = "fgsm-rs-resnet50", .phase = baseline, .settings = fgsm_rs(r50)});
  rows.push_back({.name = "free-resnet50", .phase = baseline, .settings = free(r50, 96)});
  rows.push_back({.name = "free48-resnet50", .phase = baseline, .settings = free(r50, 48)});
  rows.push_back(
      {.name = "natural-resnet50", .phase = baseline, .settings = stepped(r50, "natural")});
  for (const std::string from : {"vgg11", "resnet18"}) {
    rows.push_back({.name = "rdt-" + from,
                    .phase = baseline,
                    .images = "robust-" + from,
                    .settings = stepped(r50, "natural")});
    rows.push_back({.name = "kd-" + from,
                    .phase = baseline,
                    .teacher = "sat-l2-" + from,
                    .settings = with(stepped(r50, "kd"), {{"alpha", 1}, {"temperature", 30}})});
  }
  for (const std::string from : {"vgg11", "resnet18"}) {
    rows.push_back({.name = "rrm-" + from,
                    .phase = transfer,
                    .teacher = "fast-" + from,
                    .settings = rrm(r50, linf)});
    rows.push_back({.name = "rrm-l2-" + from,
                    .phase = transfer,
                    .teacher = "sat-l2-" + from,
                    .settings = rrm(r50, l2)});
  }
  rows.push_back(
      {.name = "rrm-vgg11-distance",
       .phase = transfer,
       .teacher = "fast-vgg11",
       .settings = with(rrm(r50, linf), {{"match", "l2"}})});  // the other loss, in the same place
}
/// Table 3 and section 7.2's AlexNet.
void add_imagenet(std::vector<Row>& rows) {
  using enum Phase;
  for (const auto& [name, model] :
       {std::pair{"alexnet", alexnet}, {"vgg16", vgg16}, {"resnet50", r50_imagenet}})
    rows.push_back({.name = std::string("imagenet-sat-") + name,
                    .phase = teacher,
                    .imagenet = true,
                    .settings = sat(model, l2, true)});
  rows.push_back({.name = "imagenet-rrm-resnet50",
                  .phase = transfer,
                  .teacher = "imagenet-sat-alexnet",
                  .imagenet = true,
                  .settings = rrm_imagenet(r50_imagenet)});
  rows.push_back({.name = "imagenet-rrm-vgg16",
                  .phase = transfer,
                  .teacher = "imagenet-sat-alexnet",
                  .imagenet = true,
                  .settings = rrm_imagenet(vgg16)});
  rows.push_back({.name = "imagenet-rrm-alexnet",
                  .phase = limit,
                  .teacher = "imagenet-sat-resnet50",
                  .imagenet = true,
                  .settings = rrm_imagenet(alexnet)});
}
/// Figures 2 (epochs), 4 (lambda) and 5 (students of one teacher).
void add_figures(std::vector<Row>& rows) {
  using enum Phase;
  for (const int epochs : {12, 24, 36}) {
    rows.push_back({.name = fmt::format("rrm-epochs{}", epochs),
                    .phase = sweep,
                    .teacher = "fast-resnet18",
                    .settings = with(rrm(r50, linf), {{"epochs", epochs}})});
    rows.push_back({.name = fmt::format("free{}-resnet50", 2 * epochs),
                    .phase = sweep,
                    .settings = free(r50, 2 * epochs)});
  }
  for (const char* lambda : {"1e-6", "1e-5", "5e-5", "5e-4", "5e-3", "1e-2", "1e-1"})
    for (const std::string from : {"vgg11", "resnet18"})
      rows.push_back({.name = "lambda" + std::string(lambda) + "-" + from,
                      .phase = sweep,
                      .teacher = "sat-l2-" + from,
                      .settings = with(rrm(r50, l2), {{"lambda", std::stod(lambda)}})});
  for (const auto& [name, model] : {std::pair{"resnet50", r50},
                                    {"resnet18", r18},
                                    {"vgg19", vgg19},
                                    {"vgg11", vgg11},
                                    {"dnn", dnn}})
    rows.push_back({.name = std::string("limit-") + name,
                    .phase = limit,
                    .teacher = "sat-l2-resnet50",
                    .settings = rrm(model, l2)});
}

/// What a smaller plan has in the place of the paper's.
struct Scale {
  std::map<std::string, std::string> models{};
  std::map<std::string, int> epochs{};  ///< by objective
  Json settings{};                      ///< of all rows
  Json robust{};                        ///< of robustify rows
  std::vector<std::string> without{};   ///< rows whose names begin so
  bool imagenet = true;
};

void scale(Plan& plan, const Scale& s) {
  std::erase_if(plan.rows, [&](const Row& row) {
    const auto begins = [&](const std::string& name) { return row.name.starts_with(name); };
    return (row.imagenet && !s.imagenet) || std::any_of(s.without.begin(), s.without.end(), begins);
  });
  for (Row& row : plan.rows) {
    row.imagenet = false;
    if (row.phase == Phase::robustify) {
      row.settings.update(s.robust);
      continue;
    }
    const std::string model = row.settings["model"], objective = row.settings["objective"];
    if (const auto other = s.models.find(model); other != s.models.end())
      row.settings["model"] = other->second;
    const int paper = row.settings["epochs"], whole = objective == "free" ? 12 : 48,
              own = s.epochs.at(objective);
    row.settings["epochs"] = row.phase == Phase::sweep ? std::max(1, own * paper / whole) : own;
    if (row.name == "free48-resnet50") row.settings["epochs"] = std::max(1, own / 2);
    row.settings.update(s.settings);
  }
}

/// The ball of each row's attacks: that of its training, or of the teacher that its robustness
/// comes from.
void find_balls(std::vector<Row>& rows) {
  const auto row_named = [&](const std::string& name) {
    return std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.name == name; });
  };
  for (Row& row : rows) {
    const std::string& from = row.images.empty() ? row.teacher : row.images;
    if (row.settings.contains("norm")) {
      row.norm = row.settings["norm"];
      row.eps = row.settings["eps"];
    } else if (!from.empty()) {
      row.norm = row_named(from)->norm;
      row.eps = row_named(from)->eps;
    }
  }
}

Plan smoke() {
  Plan plan = plan_of("paper");
  plan.preset = "smoke";
  plan.data = {{"dataset", "synthetic"}, {"n-train", 16}, {"n-test", 8}};
  plan.attacks = {.images = 8,
                  .pgd_steps = 2,
                  .steps = 3,
                  .restarts = 1,
                  .short_steps = 2,
                  .short_restarts = 1,
                  .auto_attack = 0,
                  .curve_steps = 2,
                  .check_images = 2,
                  .check_steps = 2,
                  .check_queries = 4};
  plan.seconds = 0;
  Scale s{.models = {{r50, "resnet20_rrm"},
                     {r18, "dnn"},
                     {vgg11, "dnn"},
                     {vgg19, "dnn"},
                     {alexnet, "dnn"},
                     {vgg16, "dnn"},
                     {r50_imagenet, "resnet20_rrm"}},
          .settings = {{"batch", 8}, {"eval-n", 0}, {"eval-pgd-n", 0}, {"final-pgd-n", 0}},
          .robust = {{"images", 16}, {"steps", 3}},
          .without = {"lambda1e-6", "lambda1e-5", "lambda1e-2", "lambda1e-1", "rrm-epochs36",
                      "free72"}};
  for (const char* objective : {"pgd", "fgsm-rs", "free", "rrm", "natural", "kd"})
    s.epochs[objective] = 1;
  scale(plan, s);
  return plan;
}

/// In the place of the paper's lambdas larger ones, for an eighth of its steps, and students that
/// train in a quarter of the time.
void add_lambdas(std::vector<Row>& rows) {
  std::erase_if(rows, [](const Row& row) { return row.name.starts_with("lambda"); });
  for (const char* lambda : {"1e-4", "5e-4", "1e-3", "5e-3", "1e-2"})
    rows.push_back({.name = "lambda" + std::string(lambda) + "-vgg11",
                    .phase = Phase::sweep,
                    .teacher = "sat-l2-vgg11",
                    .settings = with(rrm(vgg11, l2), {{"lambda", std::stod(lambda)}}),
                    .norm = "l2",
                    .eps = "1"});
}

/// By measured steps about 70 minutes of training a seed on two cores with AVX-512, and 30 of
/// attacks. RDT's student takes as many steps as the other students. RRM's few steps want ten
/// times the rate, for a cosine's gradients are small (a distance's are not, and at that rate one
/// seed of three learnt nothing), and in L2, too, the decay and the lambda of Linf: without decay
/// the weights behind batch norms grow, and what a step turns shrinks.
Plan small() {
  Plan plan = plan_of("paper");
  plan.preset = "small";
  plan.seeds = {0, 1, 2};
  plan.data = {{"dataset", "cifar10"}, {"n-train", 0}};
  plan.seconds = 10;
  plan.attacks = {.images = 500,
                  .steps = 50,
                  .restarts = 2,
                  .short_steps = 20,
                  .short_restarts = 1,
                  .auto_attack = 50,
                  .curve_steps = 20,
                  .check_images = 50};
  add_lambdas(plan.rows);
  for (Row& row : plan.rows)  // within whose one epoch SAT's rates would fall twice
    if (row.name == "sat-l2-resnet50") row.settings = with(fast(r50), ball(true, false));
  plan.rows.push_back({.name = "rrm-vgg11-cosine",  // the l2 form's counterpart
                       .phase = Phase::transfer,
                       .teacher = "fast-vgg11",
                       .settings = rrm(vgg11, linf)});
  Scale s{
      .models = {{r50, "resnet20_rrm"}, {vgg11, "vgg11_narrow"}},
      .epochs = {{"pgd", 4}, {"fgsm-rs", 1}, {"free", 1}, {"rrm", 6}, {"natural", 3}, {"kd", 6}},
      .settings = {{"eval-n", 0}, {"eval-pgd-n", 0}, {"final-pgd-n", 0}},
      .robust = {{"images", 2000}, {"steps", 200}},
      .without = {"fast-resnet18", "sat-l2-resnet18", "sat-l2-vgg19", "sat-l2-dnn",
                  "robust-resnet18", "sat-resnet50", "rdt-resnet18", "kd-resnet18", "rrm-resnet18",
                  "rrm-l2-resnet18", "rrm-epochs", "free24", "free48", "free72", "limit-vgg19",
                  "limit-dnn"},
      .imagenet = false};
  scale(plan, s);
  for (Row& row : plan.rows) {
    Json& own = row.settings;
    if (own.value("objective", "") == "rrm") own.update({{"lr", 1}, {"weight-decay", 5e-4}});
    if (row.phase == Phase::transfer || row.phase == Phase::limit) own["lambda"] = 0.005;
    if (row.phase == Phase::limit) own["epochs"] = 2;
    if (row.name == "rrm-vgg11-distance") own.update({{"model", "vgg11_narrow"}, {"lr", 0.1}});
    if (row.name == "rdt-vgg11") own["epochs"] = 150;
    if (row.name == "free-resnet50") own["n-train"] = 25000;
    if (row.name == "fast-resnet50" || row.name == "sat-l2-resnet50") own["epochs"] = 1;
    if (row.name == "limit-resnet18") {
      own.update({{"epochs", 1}, {"n-train", 10000}});
      row.few = 10;
    }
  }
  return plan;
}

}  // namespace

Attacks Plan::attacks_of(const Row& row) const {
  Attacks own = attacks;
  if (row.few) {
    own.auto_attack = std::min(own.auto_attack, row.few);
    own.check_images = std::min(own.check_images, row.few);
    own.images = std::min(own.images, 10 * row.few);
  }
  return own;
}

const std::vector<std::string>& rows_over_radii() {
  static const std::vector<std::string> list{"fast-vgg11", "fast-resnet50",   "rrm-vgg11",
                                             "rdt-vgg11",  "sat-l2-resnet50", "rrm-l2-vgg11",
                                             "kd-vgg11"};
  return list;
}

Plan plan_of(const std::string& preset) {
  if (preset == "smoke") return smoke();
  if (preset == "small") return small();
  rnx::require(preset == "paper", [&] {
    return "--preset: '" + preset + "' is unknown; known are smoke, small, paper";
  });
  Plan plan{{.preset = "paper"}};
  plan.data = {{"dataset", "cifar10"}};
  plan.attacks.auto_attack = 10000;
  add_cifar(plan.rows);
  add_imagenet(plan.rows);
  add_figures(plan.rows);
  const auto later = [](const Row& a, const Row& b) { return a.phase < b.phase; };
  std::stable_sort(plan.rows.begin(), plan.rows.end(), later);
  find_balls(plan.rows);
  return plan;
}

}  // namespace rrm
