#include <fmt/format.h>

#include <rnx/report.hpp>

#include "../tools/outputs.hpp"
#include "printed.hpp"

namespace rlnet {

using namespace rnx;
namespace fs = std::filesystem;

namespace {

struct Measure {
  const char *name, *path;
};
constexpr Measure three[] = {
    {"CA", "/clean/acc"}, {"NPA", "/corrupted/npa"}, {"AdvA", "/attacks/pgd7/own/acc"}};

std::optional<double> value(const Plan& plan, const fs::path& out, const std::string& row,
                            const char* path) {
  return paper::mean_of(paper::runs_of(plan.seeds, out, row), of_eval("", path, 1));
}
/// Over budgets: the rows PREFIX-kindBUDGET, and the whole network where there is one.
report::Curve over_budgets(const Plan& plan, const fs::path& out, const std::string& name,
                           const std::string& kind, const std::string& whole, const char* path) {
  report::Curve c{.name = name, .x = {}, .y = {}};
  const auto add = [&](double x, const std::string& row) {
    if (const auto v = value(plan, out, row, path)) {
      c.x.push_back(x);
      c.y.push_back(*v);
    }
  };
  for (const int budget : plan.budgets) {
    const std::string row = fmt::format("{}-{}{}", plan.figures, kind, budget);
    add(value(plan, out, row, "/relus").value_or(0) / 1000, row);
  }
  if (!whole.empty()) add(value(plan, out, whole, "/relus").value_or(0) / 1000, whole);
  return c;
}
report::Figure budgets_figure(const std::string& title, std::vector<report::Curve> curves) {
  return {.title = title,
          .x_label = "thousands of ReLUs",
          .y_label = "accuracy",
          .curves = std::move(curves),
          .percent = true};
}
/// Left: SENet; right: RLNet.
report::Figure figure1(const Plan& plan, const fs::path& out) {
  std::vector<report::Curve> curves;
  for (const Measure& m : three) {
    curves.push_back(
        over_budgets(plan, out, std::string("RLNet ") + m.name, "", plan.figures + "-ar", m.path));
    curves.push_back(over_budgets(plan, out, std::string("SENet ") + m.name, "senet-",
                                  plan.figures + "-natural", m.path));
  }
  return budgets_figure("RLNet and SENet over the budget", std::move(curves));
}
/// One group for each measure, one bar for each row.
std::string bars(const Plan& plan, const fs::path& out, const std::string& title,
                 const std::vector<std::pair<std::string, std::string>>& rows) {
  std::vector<report::svg::BarGroup> groups;
  for (const Measure& m : three) {
    report::svg::BarGroup g{.label = m.name, .bars = {}};
    int colour = 0;
    for (const auto& [label, row] : rows) {
      const auto v = value(plan, out, row, m.path);
      const auto n =
          value(plan, out, row, m.path == three[2].path ? "/attacks/pgd7/own/n" : "/clean/n");
      if (v && n)
        g.bars.push_back(
            {.label = label, .share = {std::lround(*v * *n), std::lround(*n)}, .colour = colour++});
    }
    if (!g.bars.empty()) groups.push_back(std::move(g));
  }
  return report::svg::bar_chart(title, groups);
}
/// Running statistics of the last batch norm: of the first run that is there.
std::string figure2(const Plan& plan, const fs::path& out) {
  report::svg::Scatter chart{.title = "Statistics of the last batch norm, " + plan.figures + "-ar",
                             .x_label = "running mean",
                             .y_label = "running variance"};
  for (const fs::path& run : paper::runs_of(plan.seeds, out, plan.figures + "-ar")) {
    if (!paper::is_there(run / "eval.json")) continue;
    const Json json = paper::read_json(run / "eval.json");
    const char* names[] = {"clean and augmented", "adversarial", "augmented"};
    int k = 0;
    for (const Json& path : json.at("last_batch_norm"))
      chart.sets.push_back({.name = names[k++],
                            .x = path.at("mean").get<std::vector<double>>(),
                            .y = path.at("var").get<std::vector<double>>()});
    break;
  }
  return report::svg::scatter_chart(chart);
}
/// What each path leaves under attacks on it, on the other, and carried over.
std::string paths_figure(const Plan& plan, const fs::path& out) {
  std::vector<report::svg::BarGroup> groups;
  for (const int budget : plan.budgets) {
    const std::string row = fmt::format("{}-{}", plan.figures, budget);
    report::svg::BarGroup g{.label = row, .bars = {}};
    for (const auto& [label, key] : {std::pair{"robust path", "own"},
                                     {"clean path", "clean_path"},
                                     {"worse of both", "worse"},
                                     {"robust to clean", "carried_to_clean"},
                                     {"clean to robust", "carried_to_robust"}}) {
      const std::string at = std::string("/attacks/pgd20/") + key;
      const auto right = value(plan, out, row, (at + "/acc").c_str()),
                 n = value(plan, out, row, (at + "/n").c_str());
      if (right && n)
        g.bars.push_back({.label = label, .share = {std::lround(*right * *n), std::lround(*n)}});
    }
    if (!g.bars.empty()) groups.push_back(std::move(g));
  }
  return report::svg::bar_chart("PGD-20 on each path", groups);
}
std::string figure5(const Plan& plan, const fs::path& out) {
  const std::string p = plan.figures;
  const auto separate = [&](const char* kind) {
    return fmt::format("{}-separate-{}-{}", p, kind, plan.separate);
  };
  return bars(plan, out, "Dual and triple batch norm; one network and three",
              {{"dual", p + "-ar"},
               {"triple", p + "-triple"},
               {"RLNet, one network", fmt::format("{}-{}", p, plan.separate)},
               {"separate: natural", separate("natural")},
               {"separate: AugMix", separate("augmix")},
               {"separate: PGD", separate("pgd")}});
}
report::Figure figure6(const Plan& plan, const fs::path& out) {
  std::vector<report::Curve> curves;
  for (const auto& [name, path] : {std::pair{"FGSM", "/attacks/fgsm/own/acc"},
                                   {"PGD-20", "/attacks/pgd20/own/acc"},
                                   {"AutoPGD", "/attacks/apgd/own/acc"}}) {
    curves.push_back(over_budgets(plan, out, std::string("RLNet ") + name, "", "", path));
    curves.push_back(
        over_budgets(plan, out, std::string("RSLAD of PGD ") + name, "rslad-", "", path));
  }
  return budgets_figure("Under other attacks", std::move(curves));
}

}  // namespace

void write_figures(const Plan& plan, const fs::path& out) {
  tools::make_writable("--out", out / "figures");
  const auto write = [&](const char* name, const std::string& svg) {
    io::write_file(out / "figures" / fmt::format("figure-{}.svg", name), svg);
  };
  const std::string p = plan.figures;
  write("1", report::svg::line_chart(figure1(plan, out)));
  write("2", figure2(plan, out));
  write("paths", paths_figure(plan, out));
  write("4", bars(plan, out, "Networks with all ReLUs",
                  {{"natural", p + "-natural"},
                   {"AugMix", p + "-augmix"},
                   {"PGD", p + "-pgd"},
                   {"TRADES", p + "-trades"},
                   {"RLNet", p + "-ar"}}));
  write("5", figure5(plan, out));
  write("6", report::svg::line_chart(figure6(plan, out)));
}

}  // namespace rlnet
