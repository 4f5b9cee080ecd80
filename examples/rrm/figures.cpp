#include <cmath>

#include <fmt/format.h>

#include <rnx/report.hpp>

#include "../tools/outputs.hpp"
#include "printed.hpp"
#include "tables.hpp"

namespace rrm {

using namespace rnx;
namespace fs = std::filesystem;

namespace {

report::Curve curve(const Plan& plan, const fs::path& out, const std::string& name,
                    const std::vector<std::pair<double, std::string>>& points,
                    const report::TableColumn& y) {
  report::Curve c{.name = name, .x = {}, .y = {}};
  for (const auto& [x, row] : points) {
    const auto value = mean_of(plan, out, row, y);
    if (!value || !std::isfinite(x)) continue;
    c.x.push_back(x);
    c.y.push_back(*value / 100);
  }
  return c;
}

report::Figure figure2(const Plan& plan, const fs::path& out) {
  report::Figure f{.title = "Accuracy over the time of training",
                   .x_label = "total time [min]",
                   .y_label = "accuracy",
                   .curves = {},
                   .percent = true};
  const std::vector<std::pair<std::string, std::vector<std::string>>> methods{
      {"RRM", {"rrm-epochs12", "rrm-epochs24", "rrm-epochs36", "rrm-resnet18"}},
      {"Free AT", {"free24-resnet50", "free48-resnet50", "free72-resnet50", "free-resnet50"}}};
  for (const auto& [name, rows] : methods) {
    std::vector<std::pair<double, std::string>> points;
    for (const std::string& row : rows)
      points.emplace_back(mean_of(plan, out, row, timed("", "total_minutes")).value_or(NAN), row);
    f.curves.push_back(curve(plan, out, name + " natural", points, natural()));
    f.curves.push_back(curve(plan, out, name + " attacked", points, art()));
  }
  return f;
}
report::Figure figure3(const Plan& plan, const fs::path& out) {
  const std::vector<std::string> rows{"sat-resnet50", "fast-resnet50", "free-resnet50", "rrm-vgg11",
                                      "rrm-resnet18"};
  report::Figure f{.title = "Total time of training",
                   .x_label = "1 SAT, 2 Fast AT, 3 Free AT, 4 RRM (VGG11), 5 RRM (ResNet18)",
                   .y_label = "minutes",
                   .curves = {}};
  for (const auto& [name, key] :
       {std::pair{"without teacher", "total_minutes"}, {"with teacher", "with_teacher_minutes"}}) {
    report::Curve c{.name = name, .x = {}, .y = {}};
    for (std::size_t k = 0; k < rows.size(); ++k)
      if (const auto v = mean_of(plan, out, rows[k], timed("", key))) {
        c.x.push_back(double(k + 1));
        c.y.push_back(*v);
      }
    f.curves.push_back(std::move(c));
  }
  return f;
}
report::Figure figure4(const Plan& plan, const fs::path& out) {
  report::Figure f{.title = "RRM over lambda",
                   .x_label = "log10 lambda",
                   .y_label = "accuracy",
                   .curves = {},
                   .percent = true};
  for (const std::string from : {"vgg11", "resnet18"}) {
    std::vector<std::pair<double, std::string>> points;
    for (const Row& row : plan.rows)
      if (row.name.starts_with("lambda") && row.name.ends_with("-" + from))
        points.emplace_back(std::log10(row.settings.at("lambda").get<double>()), row.name);
    f.curves.push_back(curve(plan, out, from + " natural", points, natural()));
    f.curves.push_back(curve(plan, out, from + " attacked", points, short_art()));
  }
  return f;
}
std::string figure5(const Plan& plan, const fs::path& out) {
  std::vector<report::svg::BarGroup> groups;
  for (const std::string student : {"resnet50", "resnet18", "vgg19", "vgg11", "dnn"}) {
    report::svg::BarGroup g{.label = student, .bars = {}};
    for (const auto& [label, row] : {std::pair<std::string, std::string>{"RRM", "limit-" + student},
                                     {"SAT", "sat-l2-" + student}}) {
      eval::Proportion sum{0, 0};
      for (const fs::path& run : runs_of(plan, out, row)) {
        const auto at = [&](const char* key) {
          report::TableColumn c = short_art();
          c.path = std::string("/models/0/attacks/4/") + key;
          return report::detail::find_value(run, c).value.value_or(0);
        };
        sum.right += long(at("right"));
        sum.n += long(at("n"));
      }
      if (sum.n) g.bars.push_back({.label = label, .share = sum, .colour = label == "RRM" ? 0 : 1});
    }
    if (!g.bars.empty()) groups.push_back(std::move(g));
  }
  return report::svg::bar_chart("Students of one ResNet-50 under AutoPGD, L2 1.0", groups);
}
/// curve.json of some rows, summed over seeds.
report::Figure figure_eps(const Plan& plan, const fs::path& out) {
  report::Figure f{.title = "Under AutoPGD of growing radius",
                   .x_label = "eps over the trained one",
                   .y_label = "accuracy",
                   .curves = {},
                   .percent = true};
  for (const std::string& row : rows_over_radii()) {
    report::Curve c{.name = row, .x = {0, 0.25, 0.5, 0.75, 1, 1.5, 2}, .y = {}};
    c.y.resize(c.x.size());
    double n = 0;
    for (const fs::path& run : runs_of(plan, out, row)) {
      if (!report::detail::is_there(run / "curve.json")) continue;
      const auto json = report::detail::read_object(run / "curve.json");
      n += json.at("n").get<double>();
      for (std::size_t k = 0; k < c.y.size(); ++k) c.y[k] += json.at("right").at(k).get<double>();
    }
    if (n == 0) continue;
    for (double& y : c.y) y /= n;
    f.curves.push_back(std::move(c));
  }
  return f;
}

}  // namespace

void write_figures(const Plan& plan, const fs::path& out) {
  tools::make_writable("--out", out / "figures");
  const auto write = [&](const char* name, const std::string& svg) {
    io::write_file(out / "figures" / fmt::format("figure-{}.svg", name), svg);
  };
  write("2", report::svg::line_chart(figure2(plan, out)));
  write("3", report::svg::line_chart(figure3(plan, out)));
  write("4", report::svg::line_chart(figure4(plan, out)));
  write("5", figure5(plan, out));
  write("eps", report::svg::line_chart(figure_eps(plan, out)));
}

}  // namespace rrm
