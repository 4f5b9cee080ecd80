#include "tables.hpp"

#include <cmath>

#include <fmt/format.h>

#include <rnx/report.hpp>
#include <rnx/report/table_text.hpp>

#include "../tools/outputs.hpp"

namespace rrm {

using namespace rnx;
namespace fs = std::filesystem;

fs::path folder_of(const fs::path& out, const std::string& row, int seed) {
  return out / fmt::format("{}-s{}", row, seed);
}

namespace {

constexpr const char* attacks_file = "attacks/report.json";

report::TableColumn natural() {
  report::TableColumn c = report::clean_column("natural [%]");
  c.file = attacks_file;
  c.path = "/models/0/attacks/0/acc";
  return c;
}
/// The attack number k of evaluate().
report::TableColumn attacked(const std::string& name, int k) {
  report::TableColumn c = report::clean_column(name);
  c.file = attacks_file;
  const std::string at = fmt::format("/models/0/attacks/{}", k);
  c.path = at + "/acc";
  for (const char* fact : {"/name", "/norm"}) c.compares.push_back(at + fact);
  return c;
}
report::TableColumn art() { return attacked("AutoPGD (ART) [%]", 3); }
report::TableColumn short_art() {
  report::TableColumn c = attacked("AutoPGD (ART) [%]", 4);
  c.compares.pop_back();  // table 8 has both norms
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
report::TableColumn timed(const std::string& name, const std::string& key, double scale = 1) {
  return {.name = name, .path = "/" + key, .file = "time.json", .scale = scale};
}

using Printed = std::vector<std::optional<double>>;
constexpr std::nullopt_t none = std::nullopt;

/// A row of a table: how it is called, which run it is, what is printed.
struct Line {
  std::string label, row;
  Printed printed;
  std::string group{};
};
struct PaperTable {
  int number;
  std::string title;
  std::vector<report::TableColumn> columns;
  std::vector<Line> lines;
};

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
          {natural(), art(), attacked("AutoPGD (ART), t = 30 [%]", 5), attacked("AutoPGD [%]", 2),
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

std::vector<PaperTable> all_tables() {
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

/// The runs of a row that are there, of all seeds; all of them where none is.
std::vector<fs::path> runs_of(const Plan& plan, const fs::path& out, const std::string& row) {
  std::vector<fs::path> runs;
  for (const int seed : plan.seeds) runs.push_back(folder_of(out, row, seed));
  return runs;
}
report::Table gather(const Plan& plan, const fs::path& out, const PaperTable& t) {
  std::vector<report::TableRow> rows;
  for (const Line& line : t.lines)
    rows.push_back({.label = line.label,
                    .runs = runs_of(plan, out, line.row),
                    .paper = line.printed,
                    .group = line.group});
  return {fmt::format("Table {}: {}", t.number, t.title), t.columns, std::move(rows)};
}

/// What a table's rows have otherwise than the paper's, and those that the plan has not.
std::string differences(const Plan& plan, const Plan& paper, const PaperTable& t) {
  std::string text, missing;
  for (const Line& line : t.lines) {
    const Row* own = plan.find(line.row);
    if (!own) {
      missing += (missing.empty() ? "" : ", ") + line.row;
      continue;
    }
    const std::string other = difference(*paper.find(line.row), *own);
    if (!other.empty()) text += fmt::format("- {}: {}\n", line.row, other);
  }
  if (!missing.empty()) text += "- not in this plan: " + missing + "\n";
  return text.empty() ? "" : "What differs from the paper:\n\n" + text;
}

/// Sentences of attacks/report.json of the rows, each with its run.
std::string checks(const Plan& plan, const fs::path& out) {
  std::string text;
  for (const Row& row : plan.rows)
    for (const fs::path& run : runs_of(plan, out, row.name)) {
      if (!report::detail::is_there(run / attacks_file)) continue;
      const auto json = report::detail::read_object(run / attacks_file);
      if (const auto* list = report::detail::value_at(json, "/models/0/details/checks"))
        for (const auto& sentence : *list)
          text += fmt::format("- {}: {}\n", run.filename().string(), sentence.get<std::string>());
    }
  return text.empty() ? "No row raised a check.\n" : text;
}

std::optional<double> mean_of(const Plan& plan, const fs::path& out, const std::string& row,
                              const report::TableColumn& column) {
  std::vector<double> values;
  for (const fs::path& run : runs_of(plan, out, row))
    if (const auto v = report::detail::find_value(run, column).value)
      values.push_back(column.scale * *v);
  return values.empty() ? std::optional<double>() : eval::mean(values).value;
}

/// RRM's epochs over SAT's, as measured and as counted passes predict.
std::string time_text(const Plan& plan, const fs::path& out) {
  std::string text;
  const report::TableColumn step = timed("", "step_seconds"), macs = timed("", "predicted_macs");
  for (const auto& [row, base] : {std::pair{"rrm-vgg11", "sat-resnet50"},
                                  {"rrm-resnet18", "sat-resnet50"},
                                  {"rrm-vgg11", "fast-resnet50"},
                                  {"rrm-l2-vgg11", "sat-l2-resnet50"}}) {
    const auto a = mean_of(plan, out, row, step), b = mean_of(plan, out, base, step),
               p = mean_of(plan, out, row, macs), q = mean_of(plan, out, base, macs);
    if (a && b && p && q)
      text += fmt::format("- {} over {}: {:.3f} measured, {:.3f} predicted by counted passes\n",
                          row, base, *a / *b, *p / *q);
  }
  return text.empty() ? "No times were measured.\n" : text;
}

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
  for (const std::string row : {"fast-vgg11", "fast-resnet50", "rrm-vgg11", "sat-l2-resnet50",
                                "rrm-l2-vgg11", "rdt-vgg11", "kd-vgg11"}) {
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

void write_tables(const Plan& plan, const fs::path& out) {
  const Plan paper = plan_of("paper");
  tools::make_writable("--out", out / "tables");
  std::string page = fmt::format("# Paper 002 (RRM), preset {}\n\n", plan.preset);
  int before = 0;
  for (const PaperTable& t : all_tables()) {
    const report::Table table = gather(plan, out, t);
    const std::string file =
        fmt::format("table-{}{}", t.number, t.number == before ? "-imagenet" : "");
    before = t.number;
    const std::string text = report::to_markdown(table) + "\n" + differences(plan, paper, t) + "\n";
    io::write_file(out / "tables" / (file + ".md"), text);
    io::write_file(out / "tables" / (file + ".csv"), report::to_csv(table));
    io::write_file(out / "tables" / (file + ".html"), report::to_html(table));
    page += text;
  }
  page += "## Times\n\n" + time_text(plan, out) + "\n## Checks\n\n" + checks(plan, out) +
          "\n## Figures\n\n";
  for (const char* figure : {"2", "3", "4", "5", "eps"})
    page += fmt::format("![Figure {0}](figures/figure-{0}.svg)\n", figure);
  io::write_file(out / "report.md", page);
}

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
