#include "plan.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <rnx/core/error.hpp>

namespace rlnet {

using paper::with;

int Row::robust_path() const {
  if (!objective().starts_with("rlnet-")) return 0;
  for (const char* views : {"ce-views", "kl-views"}) {
    const auto list = settings.value(views, std::vector<std::string>{"clean", "aug", "adv"});
    if (std::find(list.begin(), list.end(), "adv") != list.end()) return 1;
  }
  return 0;
}

namespace {

/// Epochs of the stages.
struct Epochs {
  int teacher = 240, mask = 150, finetune = 240, ablation = 240;
  int slopes = 150, slopes_tuned = 100;  ///< of SNL, whose code searches until the budget is met
};
/// Rows of one network on one data set.
struct Family {
  std::string prefix, model, images = "cifar10";
  Epochs epochs{};
  std::vector<int> budgets{};  ///< in units of `unit` ReLUs
  int unit = 1000;
  std::string shares = "published";  ///< or "sensitivity"
  double slope_penalty = 1e-5;       ///< SNL's at first
};

/// Stochastic gradient descent of the published code; rates fall at 62.5, 75 and 87.5 %.
Json sgd(const std::string& model, const std::string& objective, int epochs, double lr) {
  return {{"model", model},
          {"objective", objective},
          {"schedule", "multistep"},
          {"milestones", {0.625, 0.75, 0.875}},
          {"gamma", 0.1},
          {"lr", lr},
          {"weight-decay", 5e-4},
          {"batch", 128},
          {"epochs", epochs},
          {"eval-n", 0},
          {"eval-pgd-n", 0},
          {"final-pgd-n", 0}};
}
const Json clean_alone{{"ce-views", {"clean"}}, {"kl-views", {"clean"}}, {"batch-split", "whole"}};

class Builder {
 public:
  explicit Builder(std::vector<Row>& rows) : rows_(rows) {}

  /// Table 1: teacher, masks and students of RLNet and of SENet, which sees clean images alone.
  void family(const Family& f) {
    using enum Phase;
    const std::string model = f.model + "_rlnet";
    add({.name = f.prefix + "-ar",
         .phase = teacher,
         .settings = sgd(model, "rlnet-teacher", f.epochs.teacher, 0.05)},
        f);
    add({.name = f.prefix + "-natural",
         .phase = teacher,
         .settings = sgd(model, "natural", f.epochs.teacher, 0.05)},
        f);
    const bool found = f.shares == "sensitivity";
    if (found)
      add({.name = f.prefix + "-pruned",
           .phase = sensitivity,
           .settings = with(sgd(model, "natural", f.epochs.mask, 0.05), {{"density", 0.1}})},
          f);
    for (const int budget : f.budgets)
      for (const std::string kind : {"", "senet-"}) students(f, model, kind, budget, found);
  }
  /// Slopes in place of masks, trained under a penalty (Cho et al. 2022), as its code does: Adam at
  /// 1e-3, then stochastic gradient descent from 1e-3.
  void snl(const Family& f) {
    for (const int budget : f.budgets) {
      const std::string mask = fmt::format("{}-snl-mask-{}", f.prefix, budget),
                        natural = f.prefix + "-natural";
      Json search = sgd(f.model + "_snl", "snl", f.epochs.slopes, 1e-3);
      search.update({{"optimizer", "adam"},
                     {"weight-decay", 0},
                     {"schedule", "constant"},
                     {"slope-penalty", f.slope_penalty},
                     {"budget", long(budget) * f.unit}});
      add({.name = mask,
           .phase = Phase::mask,
           .teacher = natural,
           .init = natural,
           .settings = search},
          f);
      Json tune =
          with(sgd(f.model + "_rlnet", "rlnet-finetune", f.epochs.slopes_tuned, 1e-3), clean_alone);
      tune.update(
          {{"schedule", "cosine"}, {"ce-weight", 1}, {"kl-weight", 1}, {"pram-views", {"none"}}});
      add({.name = fmt::format("{}-snl-{}", f.prefix, budget),
           .phase = Phase::finetune,
           .teacher = natural,
           .init = mask,
           .settings = tune},
          f);
    }
  }
  /// Figure 4: what one aim alone gives; figure 5 (a): a path for each kind of image.
  void single(const Family& f) {
    const std::string model = f.model + "_rlnet";
    for (const auto& [name, objective] :
         {std::pair{"augmix", "natural"}, {"pgd", "pgd"}, {"trades", "trades"}}) {
      Json s = sgd(model, objective, f.epochs.teacher, 0.05);
      if (name == std::string("augmix")) s["augmix"] = true;
      add({.name = f.prefix + "-" + name, .phase = Phase::baseline, .settings = s}, f);
    }
    add({.name = f.prefix + "-triple",
         .phase = Phase::baseline,
         .settings = with(sgd(f.model + "_triple", "rlnet-teacher", f.epochs.teacher, 0.05),
                          {{"augmented-path", 2}})},
        f);
  }
  /// Figure 5 (b): three networks with the masks of one.
  void separate(const Family& f, int budget) {
    for (const auto& [name, objective] :
         {std::pair{"natural", "natural"}, {"augmix", "natural"}, {"pgd", "pgd"}}) {
      Json s = sgd(f.model + "_rlnet", objective, f.epochs.finetune, 0.01);
      if (name == std::string("augmix")) s["augmix"] = true;
      add({.name = fmt::format("{}-separate-{}-{}", f.prefix, name, budget),
           .phase = Phase::baseline,
           .init = fmt::format("{}-mask-{}", f.prefix, budget),
           .settings = s},
          f);
    }
  }
  /// Figure 6: students of a teacher that learnt from attacked images alone.
  void rslad(const Family& f) {
    for (const int budget : f.budgets)
      add({.name = fmt::format("{}-rslad-{}", f.prefix, budget),
           .phase = Phase::baseline,
           .teacher = f.prefix + "-pgd",
           .init = fmt::format("{}-mask-{}", f.prefix, budget),
           .settings = sgd(f.model + "_rlnet", "rslad", f.epochs.finetune, 0.01)},
          f);
  }
  /// Tables 2 to 6.
  void ablations(const Family& f, int budget, const std::vector<std::string>& wanted) {
    const std::vector<std::string> none{"none"}, two{"clean", "aug"};
    const Json kl{{"ce-views", none}, {"kl-weight", 1}, {"pram-views", none}},
        kl_two = with(kl, {{"pram-views", two}}), three{{"pram-views", {"clean", "aug", "adv"}}},
        warm{{"temperature", 1}};
    const std::vector<std::pair<std::string, Json>> all{
        {"ce", {{"ce-weight", 1}, {"kl-views", none}, {"pram-views", none}}},
        {"cekl",
         {{"ce-views", two},
          {"ce-weight", 2. / 3},
          {"kl-views", {"adv"}},
          {"kl-weight", 1. / 3},
          {"pram-views", none}}},
        {"kl", kl},
        {"kl-t1", with(kl, warm)},
        {"kl-pram", kl_two},
        {"kl-pram-t1", with(kl_two, warm)},
        {"kl-pram-clean", with(kl, {{"pram-views", {"clean"}}})},
        {"kl-pram-all", with(kl, three)},
        {"all-pram-all", three}};
    for (const auto& [name, settings] : all) {
      if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), name) == wanted.end())
        continue;
      add({.name = fmt::format("{}-{}", f.prefix, name),
           .phase = Phase::baseline,
           .teacher = f.prefix + "-ar",
           .init = fmt::format("{}-mask-{}", f.prefix, budget),
           .settings =
               with(sgd(f.model + "_rlnet", "rlnet-finetune", f.epochs.ablation, 0.01), settings)},
          f);
    }
  }

 private:
  void add(Row row, const Family& f) {
    row.images = f.images;
    rows_.push_back(std::move(row));
  }
  void students(const Family& f, const std::string& model, const std::string& kind, int budget,
                bool found) {
    const std::string teacher = f.prefix + (kind.empty() ? "-ar" : "-natural"),
                      mask = fmt::format("{}-{}mask-{}", f.prefix, kind, budget);
    const Json views = kind.empty() ? Json::object() : clean_alone;
    Json search = with(sgd(model, "rlnet-mask", f.epochs.mask, 0.05), views);
    search.update({{"schedule", "constant"}, {"budget", long(budget) * f.unit}});
    if (!found) search["shares"] = f.shares;
    add({.name = mask,
         .phase = Phase::mask,
         .teacher = teacher,
         .shares = found ? f.prefix + "-pruned" : "",
         .settings = search},
        f);
    Json tune = with(sgd(model, "rlnet-finetune", f.epochs.finetune, 0.01), views);
    if (!kind.empty()) tune["pram-views"] = {"clean"};
    add({.name = fmt::format("{}-{}{}", f.prefix, kind, budget),
         .phase = Phase::finetune,
         .teacher = teacher,
         .init = mask,
         .settings = tune},
        f);
  }

  std::vector<Row>& rows_;
};

void in_order(std::vector<Row>& rows) {
  const auto later = [](const Row& a, const Row& b) { return a.phase < b.phase; };
  std::stable_sort(rows.begin(), rows.end(), later);
}

Plan published() {
  Plan plan{{.preset = "paper", .data = {{"n-train", 0}}}};
  plan.ablations = "c100-r18";
  plan.figures = "c10-r18";
  plan.budgets = {50, 82, 120, 150};
  plan.separate = 82;
  plan.measures.held_out = 1000;
  Builder build(plan.rows);
  const Family c10{.prefix = "c10-r18", .model = "resnet18", .budgets = plan.budgets},
      c100{.prefix = "c100-r18", .model = "resnet18", .images = "cifar100", .budgets = {50, 100}},
      r34{.prefix = "c100-r34", .model = "resnet34", .images = "cifar100", .budgets = {80, 200}},
      wrn{.prefix = "c100-wrn", .model = "wrn_22_8", .images = "cifar100", .budgets = {240, 300}},
      tiny{.prefix = "tiny-r18",
           .model = "resnet18",
           .images = "tiny",
           .epochs = {120, 100, 120, 120},
           .budgets = {150, 300}};
  for (const Family& f : {c10, c100, r34, wrn, tiny}) build.family(f);
  build.snl(c10);
  build.single(c10);
  build.separate(c10, 82);
  build.rslad(c10);
  build.ablations(c100, 50, {});
  build.ablations(c10, 50, {"kl-pram"});
  build.ablations(r34, 80, {"kl-pram"});
  in_order(plan.rows);
  return plan;
}

Family resnet20() {
  return {.prefix = "r20",
          .model = "resnet20",
          .epochs = {10, 5, 8, 4, 5, 8},
          .budgets = {20, 50},
          .shares = "sensitivity",
          .slope_penalty = 1e-3};  // which few epochs need
}
Plan small() {
  Plan plan{
      {.preset = "small", .seeds = {0, 1, 2}, .data = {{"n-train", 21000}, {"holdout", 1000}}}};
  plan.figures = "r20";
  plan.budgets = {20, 50};
  plan.measures = {.images = 500, .corrupted = 500, .apgd_steps = 50, .switch_images = 100};
  Builder build(plan.rows);
  build.family(resnet20());
  build.snl(resnet20());
  in_order(plan.rows);
  return plan;
}
/// Four epochs each, from what `small` has trained in the same folder.
Plan small_ablation() {
  Plan plan = small();
  plan.preset = "small-ablation";
  plan.ablations = "r20";
  plan.separate = 20;
  Family f = resnet20();
  Builder build(plan.rows);
  build.ablations(f, 20, {});
  f.epochs = {4, 4, 4, 4};
  build.single(f);
  build.separate(f, 20);
  build.rslad(f);
  in_order(plan.rows);
  return plan;
}
Plan smoke() {
  Plan plan{{.preset = "smoke",
             .data = {{"dataset", "synthetic"}, {"n-train", 40}, {"n-test", 12}, {"holdout", 16}}}};
  plan.ablations = "tiny";
  plan.figures = "tiny";
  plan.budgets = {3, 6};
  plan.separate = 3;
  plan.measures = {.images = 8,
                   .corrupted = 4,
                   .pgd_steps = 3,
                   .apgd_steps = 3,
                   .switch_images = 4,
                   .switch_steps = 2,
                   .held_out = 16,
                   .kept_share = 0.9};
  const Family f{.prefix = "tiny",
                 .model = "tiny",
                 .epochs = {2, 2, 2, 1, 2, 1},
                 .budgets = {3, 6},
                 .unit = 100,
                 .shares = "sensitivity"};
  Builder build(plan.rows);
  build.family(f);
  build.snl(f);
  build.single(f);
  build.separate(f, 3);
  build.rslad(f);
  build.ablations(f, 3, {});
  for (Row& row : plan.rows) row.settings.update({{"batch", 8}, {"attack-steps", 2}});
  in_order(plan.rows);
  return plan;
}

}  // namespace

Plan plan_of(const std::string& preset) {
  if (preset == "smoke") return smoke();
  if (preset == "small") return small();
  if (preset == "small-ablation") return small_ablation();
  rnx::require(preset == "paper", [&] {
    return "--preset: '" + preset + "' is unknown; known are smoke, small, small-ablation, paper";
  });
  return published();
}

}  // namespace rlnet
