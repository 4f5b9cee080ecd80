#include "tables.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <rnx/report.hpp>
#include <rnx/report/table_text.hpp>

#include "../tools/outputs.hpp"
#include "printed.hpp"

namespace mbn {

using namespace rnx;
namespace fs = std::filesystem;

namespace {

using paper::PaperTable;

report::TableColumn column(const std::string& name, const std::string& path, double scale) {
  return {.name = name, .path = path, .file = "attacks.json", .scale = scale};
}
/// 1e8 BOPs, Top-1 and PGD of the plan's first numbers of steps.
std::vector<report::TableColumn> columns(const Plan& plan, std::size_t attacks) {
  std::vector<report::TableColumn> list{column("BOPs [1e8]", "/bops", 1e-8),
                                        column("Top-1 [%]", "/clean", 100)};
  list[1].compares = {"/fingerprint", "/n"};
  for (std::size_t k = 0; k < attacks; ++k) {
    list.push_back(column(fmt::format("PGD-{} [%]", plan.attacks.steps.at(k)),
                          fmt::format("/pgd/{}/mean", k), 100));
    list.back().compares = {"/fingerprint", "/n", "/eps", "/step", "/repeats"};
  }
  return list;
}

struct Table : PaperTable {
  std::string file;
};
/// With the lines of rows that the plan has; a block of which it has none is left out.
std::vector<Table> paper_tables(const Plan& plan) {
  std::vector<Table> tables;
  for (const PrintedBlock& p : printed_blocks()) {
    Table t{{p.number, p.title, columns(plan, p.number == 2 ? 2 : 1), {}}, p.file};
    for (const auto& [method, values] : p.lines)
      if (plan.find(p.prefix + method))
        t.lines.push_back({method_of(method).label, p.prefix + method, values});
    if (!t.lines.empty()) tables.push_back(std::move(t));
  }
  return tables;
}

/// What a table's rows have otherwise than the paper's.
std::string differences(const Plan& plan, const Plan& printed, const PaperTable& t) {
  std::string text;
  for (const paper::Line& line : t.lines) {
    const std::string other =
        paper::difference(printed.find(line.row)->settings, plan.find(line.row)->settings);
    if (!other.empty()) text += fmt::format("- {}: {}\n", line.row, other);
  }
  return text.empty() ? "" : "What differs from the paper's plan:\n\n" + text;
}

/// "MBN 3x1"; of another block than ResNet-20's on CIFAR-10 the row's name.
std::string label_of(const Row& row) {
  return row.block.prefix.empty() ? method_of(row.method).label : row.name;
}
/// A row of flow.json: means over layers.
std::string flow_line(const Row& row, const fs::path& file) {
  const auto json = report::detail::read_object(file);
  const auto* layers = report::detail::value_at(json, "/layers");
  if (!layers || layers->empty()) return "";
  std::string text = "| " + label_of(row) + " |";
  for (const char* key : {"blocked", "partial", "passed", "zero_weight_gradients"}) {
    double sum = 0;
    for (const auto& layer : *layers) sum += layer.at(key).get<double>();
    text += fmt::format(" {:.1f} |", 100 * sum / double(layers->size()));
  }
  return text + "\n";
}
/// line(row, file) of each row whose run of the first seed has the file.
template <class Line>
std::string lines_of(const Plan& plan, const fs::path& out, const char* name, const Line& line) {
  std::string lines;
  for (const Row& row : plan.rows) {
    const fs::path file = paper::folder_of(out, row.name, plan.seeds[0]) / name;
    if (report::detail::is_there(file)) lines += line(row, file);
  }
  return lines;
}
std::string flow_table(const Plan& plan, const fs::path& out) {
  const std::string lines = lines_of(plan, out, "flow.json", flow_line);
  if (lines.empty()) return "No flow was measured.\n";
  return "Share of the inputs of convolutions to which the surrogate lets no gradient through, "
         "that of\nsome bases, all of it; and of weights whose gradient is 0: means over layers, "
         "%.\n\n"
         "| | blocked | partial | passed | zero gradients of weights "
         "|\n|---|---:|---:|---:|---:|\n" +
         lines;
}

/// A row of speed.json.
std::string speed_line(const Row& row, const fs::path& file) {
  const auto json = report::detail::read_object(file);
  const auto most = [&](const char* key) {
    const auto values = json.at(key).get<std::vector<double>>();
    return *std::max_element(values.begin(), values.end());
  };
  return fmt::format("| {} | {:.0f} | {:.0f} | {:.2f} | 1/{:.1f} |\n", label_of(row),
                     most("packed_images_per_second"), most("float_images_per_second"),
                     json.at("least_ratio").get<double>(),
                     json.at("float_bytes").get<double>() / json.at("packed_bytes").get<double>());
}
std::string speed_table(const Plan& plan, const fs::path& out) {
  const std::string lines = lines_of(plan, out, "speed.json", speed_line);
  if (lines.empty()) return "No packed network was timed.\n";
  return fmt::format(
             "Inference, images a second: the packed network and full precision in its place, "
             "batches of {},\nin turns; the best of {} rounds, the least of their ratios, and the "
             "size of the file.\n\n",
             plan.speed.images, plan.speed.rounds) +
         "| | packed | full precision | ratio | file |\n|---|---:|---:|---:|---:|\n" + lines;
}

/// Of attacks.json of all runs.
std::string checks_text(const Plan& plan, const fs::path& out) {
  std::string text;
  for (const Row& row : plan.rows)
    for (const fs::path& run : paper::runs_of(plan.seeds, out, row.name)) {
      if (!report::detail::is_there(run / "attacks.json")) continue;
      const auto json = report::detail::read_object(run / "attacks.json");
      if (const auto* list = report::detail::value_at(json, "/checks"))
        text += paper::fired_checks(*list, run.filename().string());
    }
  return text.empty() ? "No row raised a check.\n" : text;
}

}  // namespace

void write_tables(const Plan& plan, const fs::path& out) {
  const Plan printed = plan_of("paper");
  tools::make_writable("--out", out / "tables");
  const Attacks& k = plan.attacks;
  std::string page = fmt::format(
      "# Paper 003 (MBN), preset {}\n\nAttacks on {} test images, means over {} runs with starts "
      "of their own. Training: {}.\n\n",
      plan.preset, k.images ? fmt::format("the first {}", k.images) : "all", k.runs,
      plan.data.dump());
  for (const Table& t : paper_tables(plan))
    page += paper::write_table(paper::gather(t, plan.seeds, out), out / "tables", t.file,
                               differences(plan, printed, t));
  page += "## Checks\n\n" + checks_text(plan, out) + "\n## Flow of gradients\n\n" +
          flow_table(plan, out) + "\n## Packed networks\n\n" + speed_table(plan, out) +
          "\n## Figures\n\n";
  for (const std::string of : {"", "-resnet56"})
    for (const int figure : {2, 3, 4})
      if (of.empty() || plan.find("r56-fp"))
        page += fmt::format("![Figure {0}](figures/figure-{0}{1}.svg)\n", figure, of);
  io::write_file(out / "report.md", page);
}

namespace {

/// threat.json of the first seed's runs: a curve for each size of the steps.
report::Figure threat_figure(const Plan& plan, const fs::path& out, const std::string& title,
                             const std::vector<std::string>& rows) {
  report::Figure f{.title = title,
                   .x_label = "log10 iterations of PGD",
                   .y_label = "accuracy",
                   .curves = {},
                   .percent = true};
  for (const std::string& row : rows) {
    const Row* own = plan.find(row);
    const fs::path file = paper::folder_of(out, row, plan.seeds[0]) / "threat.json";
    if (!own || !report::detail::is_there(file)) continue;
    const auto json = report::detail::read_object(file);
    for (const auto& [size, values] : json.at("sizes").items()) {
      report::Curve c{
          .name = fmt::format("{}, step {}", method_of(own->method).label, size), .x = {}, .y = {}};
      for (std::size_t i = 0; i < values.size(); ++i) {
        c.x.push_back(std::log10(json.at("iterations").at(i).get<double>()));
        c.y.push_back(values.at(i).get<double>());
      }
      f.curves.push_back(std::move(c));
    }
  }
  return f;
}

}  // namespace

void write_figures(const Plan& plan, const fs::path& out) {
  tools::make_writable("--out", out / "figures");
  for (const std::string prefix : {"", "r56-"}) {
    if (!plan.find(prefix + "fp")) continue;
    const std::string of = prefix.empty() ? "" : "-resnet56";
    const auto write = [&](int number, const std::string& title, std::vector<std::string> rows) {
      for (std::string& row : rows) row = prefix + row;
      io::write_file(out / "figures" / fmt::format("figure-{}{}.svg", number, of),
                     report::svg::line_chart(threat_figure(plan, out, title, rows)));
    };
    write(2, "Threat models within 2/255: floating point", {"fp"});
    write(3, "Threat models within 2/255: fixed point", {"pact2", "pact4"});
    write(4, "Threat models within 2/255: multi-bit", {"1x3", "3x1", "3x3"});
  }
}

}  // namespace mbn
