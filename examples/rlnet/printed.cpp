#include "printed.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace rlnet {

using namespace rnx;
using paper::Line, paper::PaperTable, paper::Printed;

report::TableColumn of_eval(const std::string& name, const std::string& path, double scale) {
  return {.name = name, .path = path, .file = "eval.json", .scale = scale, .digits = 2};
}
report::TableColumn of_switch(const std::string& name, const std::string& path) {
  return {.name = name, .path = path, .file = "switch.json", .scale = 100, .digits = 2};
}
std::vector<report::TableColumn> usual_columns() {
  return {of_eval("CA [%]", "/clean/acc"),
          of_eval("NPA [%]", "/corrupted/npa"),
          of_eval("mCE", "/corrupted/mce", 1),
          of_eval("AdvA, PGD-7 [%]", "/attacks/pgd7/own/acc"),
          of_eval("ReLUs [k]", "/relus", 1e-3),
          of_eval("saving", "/saving", 1),
          of_eval("AdvA, PGD-20 [%]", "/attacks/pgd20/own/acc"),
          of_eval("worse path, PGD-20 [%]", "/attacks/pgd20/worse/acc")};
}

namespace {

constexpr std::nullopt_t none = std::nullopt;

/// Table 1 as the text's numbers say which network a row is: "200k" is ResNet-34's, the rows of
/// 1393, 240 and 300 thousand are WRN-22-8 on CIFAR-100.
PaperTable table1(const Plan& plan) {
  PaperTable t{1, "RLNet and SENet", usual_columns(), {}};
  const auto pair = [&](const std::string& group, const std::string& label, const std::string& row,
                        const std::string& other, const Printed& ours, const Printed& theirs) {
    t.lines.push_back({label + ", RLNet", row, ours, group});
    t.lines.push_back({label + ", SENet", other, theirs, group});
  };
  const std::string c10 = "CIFAR-10, ResNet-18", c100 = "CIFAR-100, ResNet-18",
                    r34 = "CIFAR-100, ResNet-34", wrn = "CIFAR-100, WRN-22-8",
                    tiny = "Tiny-ImageNet, ResNet-18";
  pair(c10, "AR", "c10-r18-ar", "c10-r18-natural", {95.88, 88.15, .12, 51.18, 557, 1},
       {95.23, 74.98, .25, .01, 557, 1});
  const auto student = [&](const std::string& group, const std::string& prefix, int budget,
                           const Printed& ours, const Printed& theirs) {
    pair(group, fmt::format("PR {}k", budget), fmt::format("{}-{}", prefix, budget),
         fmt::format("{}-senet-{}", prefix, budget), ours, theirs);
  };
  student(c10, "c10-r18", 50, {93.71, 85.62, .14, 44.95, 50, 11.14}, {93.41, 73.78, .26, .58, 50});
  student(c10, "c10-r18", 82, {94.43, 84.83, .15, 45.75, 82, 6.79}, {94.24, 72.99, .27, .28, 82});
  student(c10, "c10-r18", 120, {95.36, 88.35, .12, 46.52, 120, 4.64},
          {95.12, 74.53, .25, .13, 120});
  student(c10, "c10-r18", 150, {95.67, 89.04, .11, 47.04, 150, 3.71}, {95.0, 75.17, .25, .12, 150});
  pair(c100, "AR", "c100-r18-ar", "c100-r18-natural", {78.68, 63.31, .37, 26.99, 557, 1},
       {77.59, 48.67, .51, .04, 557, 1});
  student(c100, "c100-r18", 50, {74.87, 60.72, .39, 22.07, 50, 11.14},
          {74.51, 48.71, .51, .07, 50});
  student(c100, "c100-r18", 100, {77.00, 64.45, .36, 22.99, 100, 5.57},
          {76.67, 49.90, .50, .09, 100});
  pair(r34, "AR", "c100-r34-ar", "c100-r34-natural", {79.71, 65.25, .35, 26.57, 967, 1},
       {78.25, 49.63, .50, .29, 967, 1});
  student(r34, "c100-r34", 80, {73.72, 61.27, .39, 22.03, 80, 12}, {72.84, 51.67, .48, .30, 80});
  student(r34, "c100-r34", 200, {75.76, 63.90, .36, 23.17, 200, 4.8},
          {76.07, 51.59, .48, .26, 200});
  pair(wrn, "AR", "c100-wrn-ar", "c100-wrn-natural", {80.96, 66.38, .34, 29.69, 1393, 1},
       {79.77, 49.62, .50, .03, 1393, 1});
  student(wrn, "c100-wrn", 240, {80.53, 66.58, .33, 25.85, 240, 5.8},
          {79.75, 50.73, .49, .04, 240});
  student(wrn, "c100-wrn", 300, {80.66, 67.49, .33, 25.61, 300, 4.64},
          {79.95, 51.11, .49, .05, 300});
  pair(tiny, "AR", "tiny-r18-ar", "tiny-r18-natural", {67.22, 37.99, .81, 20.52, 2228, 1},
       {66.1, 26.91, .96, .08, 2228, 1});
  student(tiny, "tiny-r18", 150, {58.72, 31.31, .90, 12.85, 150, 14.85},
          {59.31, 24.01, .99, .15, 150});
  student(tiny, "tiny-r18", 300, {66.57, 39.45, .79, 15.99, 300, 7.43},
          {66.18, 27.54, .95, .19, 300});
  std::vector<Line> own;  // of a smaller plan
  for (const Row& row : plan.rows) {
    const auto has = [&](const Line& line) { return line.row == row.name; };
    const bool shown = row.phase == Phase::finetune || row.phase == Phase::teacher;
    if (shown && std::none_of(t.lines.begin(), t.lines.end(), has))
      own.push_back({row.name, row.name, {}, "this plan"});
  }
  t.lines.insert(t.lines.begin(), own.begin(), own.end());
  return t;
}
/// CA, NPA and AdvA as columns 1, 2 and 4 of the usual ones.
Printed row_of(double ca, double npa, double adv, std::optional<double> relus = none) {
  return {ca, npa, none, adv, relus};
}
PaperTable table2(const std::string& p, int budget) {
  const double k = budget;
  return {2,
          "Robust distillation losses, CIFAR-100, ResNet-18 (paper)",
          usual_columns(),
          {{"AR", p + "-ar", row_of(78.68, 63.31, 26.99, 557)},
           {"PR, Train_CE", p + "-ce", row_of(70.21, 58.08, 23.91, k)},
           {"PR, Train_CEKL", p + "-cekl", row_of(70.53, 58.75, 22.21, k)},
           {"PR, Train_KL", p + "-kl", row_of(73.47, 61.13, 21.82, k)}}};
}
/// Of table 3, which prints formulas: what the rows of table 2 were trained with.
PaperTable table3(const std::string& p) {
  const auto weight = [](const std::string& name, const std::string& key) {
    return report::TableColumn{
        .name = name, .path = "/configuration/rlnet/" + key, .file = "run.json", .digits = 4};
  };
  return {3,
          "Weights of the means in table 2",
          {weight("CE", "ce_weight"), weight("KL", "kl_weight")},
          {{"Train_CE", p + "-ce", {1, none}},
           {"Train_CEKL", p + "-cekl", {2. / 3, 1. / 3}},
           {"Train_KL", p + "-kl", {none, 1}}}};
}
PaperTable table4(const std::string& p) {
  return {4,
          "Temperature",
          usual_columns(),
          {{"L_kl, T = 4", p + "-kl", row_of(73.47, 61.13, 21.82)},
           {"L_kl, T = 1", p + "-kl-t1", row_of(71.08, 58.6, 23.32)},
           {"L_kl + L_PRAM, T = 4", p + "-kl-pram", row_of(74.16, 61.19, 21.81)},
           {"L_kl + L_PRAM, T = 1", p + "-kl-pram-t1", row_of(73.5, 59.11, 24.55)}}};
}
PaperTable table5(const std::string& p, const std::string& whole) {
  return {5,
          "PRAM",
          usual_columns(),
          {{"KL", p + "-kl", row_of(73.47, 61.13, 21.82)},
           {"KL, PRAM(x)", p + "-kl-pram-clean", row_of(73.85, 60.48, 21.73)},
           {"KL, PRAM(x), PRAM(aug)", p + "-kl-pram", row_of(74.16, 61.19, 21.81)},
           {"KL, PRAM of all", p + "-kl-pram-all", row_of(74.20, 61.53, 22.19)},
           {"KL, CE, PRAM(x), PRAM(aug)", whole, row_of(74.87, 60.72, 22.07)},
           {"KL, CE, PRAM of all", p + "-all-pram-all", row_of(74.28, 61.12, 21.95)}}};
}
PaperTable table6(const Plan& plan, const std::string& p, const std::string& whole) {
  PaperTable t{
      6,
      "With and without cross-entropy",
      usual_columns(),
      {{"AR", "c10-r18-ar", row_of(95.88, 88.15, 51.18, 557), "CIFAR-10, ResNet-18"},
       {"PR, without", "c10-r18-kl-pram", row_of(93.71, 85.62, 44.95, 50), "CIFAR-10, ResNet-18"},
       {"PR, with", "c10-r18-50", row_of(93.70, 85.13, 43.57, 50), "CIFAR-10, ResNet-18"},
       {"AR", "c100-r18-ar", row_of(78.68, 63.31, 26.99, 557), "CIFAR-100, ResNet-18"},
       {"PR, without", "c100-r18-kl-pram", row_of(74.16, 61.19, 21.81, 50), "CIFAR-100, ResNet-18"},
       {"PR, with", "c100-r18-50", row_of(74.87, 60.72, 22.07, 50), "CIFAR-100, ResNet-18"},
       {"AR", "c100-r34-ar", row_of(79.71, 65.25, 26.57, 967), "CIFAR-100, ResNet-34"},
       {"PR, without", "c100-r34-kl-pram", row_of(73.30, 61.23, 21.69, 80), "CIFAR-100, ResNet-34"},
       {"PR, with", "c100-r34-80", row_of(73.72, 61.27, 22.03, 80), "CIFAR-100, ResNet-34"}}};
  if (plan.preset != "paper")
    for (const auto& [label, row] :
         {std::pair{"AR", p + "-ar"}, {"PR, without", p + "-kl-pram"}, {"PR, with", whole}})
      t.lines.push_back({label, row, {}, "this plan"});
  return t;
}

}  // namespace

std::vector<PaperTable> paper_tables(const Plan& plan) {
  const bool published = plan.preset == "paper";
  const std::string p = plan.ablations.empty() ? "c100-r18" : plan.ablations;
  const int budget = published || plan.ablations.empty() ? 50 : plan.separate;
  const std::string whole = fmt::format("{}-{}", p, budget);
  return {table1(plan), table2(p, 50),    table3(p),
          table4(p),    table5(p, whole), table6(plan, p, whole)};
}

}  // namespace rlnet
