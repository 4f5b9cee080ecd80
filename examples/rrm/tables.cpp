#include "tables.hpp"

#include <fmt/format.h>

#include <rnx/report.hpp>

#include "../tools/outputs.hpp"
#include "printed.hpp"

namespace rrm {

using namespace rnx;
namespace fs = std::filesystem;

namespace {

/// Which images and attacks the numbers are of.
std::string attacks_text(const Plan& plan) {
  const Attacks& a = plan.attacks;
  const auto count = [](int n) { return n ? fmt::format("the first {}", n) : "all"; };
  return fmt::format(
      "Attacks on {} test images: PGD of {} steps; AutoPGD of {} with {} restarts (tables 1 and "
      "2), of {} "
      "with {} (the others). AutoAttack on {}. Training: {}.\n",
      count(a.images), a.pgd_steps, a.steps, a.restarts, a.short_steps, a.short_restarts,
      a.auto_attack ? count(a.auto_attack) : "none", plan.data.dump());
}

/// What a table's rows have otherwise than the paper's, and those that the plan has not.
std::string differences(const Plan& plan, const Plan& printed, const PaperTable& t) {
  std::string text, missing;
  for (const Line& line : t.lines) {
    const Row* own = plan.find(line.row);
    if (!own) {
      missing += (missing.empty() ? "" : ", ") + line.row;
      continue;
    }
    const std::string other = paper::difference(printed.find(line.row)->settings, own->settings);
    if (!other.empty()) text += fmt::format("- {}: {}\n", line.row, other);
  }
  if (!missing.empty()) text += "- not in this plan: " + missing + "\n";
  return text.empty() ? "" : "What differs from the paper:\n\n" + text;
}

/// Of attacks/report.json of the rows, each with its run: checks that fired, and attacks whose
/// numbers contradict their order.
std::string checks(const Plan& plan, const fs::path& out) {
  std::string text;
  for (const Row& row : plan.rows)
    for (const fs::path& run : runs_of(plan, out, row.name)) {
      if (!report::detail::is_there(run / attacks_file)) continue;
      const auto json = report::detail::read_object(run / attacks_file);
      const std::string name = run.filename().string();
      if (const auto* list = report::detail::value_at(json, "/models/0/checks"))
        text += paper::fired_checks(*list, name);
      if (const auto* list = report::detail::value_at(json, "/models/0/details/contradictions"))
        for (const auto& sentence : *list)
          text += fmt::format("- {}: {}\n", name, sentence.get<std::string>());
    }
  return text.empty() ? "No row raised a check.\n" : text;
}

}  // namespace

void write_tables(const Plan& plan, const fs::path& out) {
  const Plan printed = plan_of("paper");
  tools::make_writable("--out", out / "tables");
  std::string page =
      fmt::format("# Paper 002 (RRM), preset {}\n\n{}\n", plan.preset, attacks_text(plan));
  int before = 0;
  for (PaperTable& t : paper_tables()) {
    for (Line& line : t.lines)
      if (const Row* row = plan.find(line.row)) line.own = row->own();
    const std::string file =
        fmt::format("table-{}{}", t.number, t.number == before ? "-imagenet" : "");
    before = t.number;
    page += paper::write_table(paper::gather(t, plan.seeds, out), out / "tables", file,
                               differences(plan, printed, t));
  }
  page += "## Claims\n\nOf accuracies under ART's AutoPGD.\n\n" + claims_text(plan, out) +
          "\n## Checks\n\n" + checks(plan, out) + "\n## Figures\n\n";
  for (const char* figure : {"2", "3", "4", "5", "eps"})
    page += fmt::format("![Figure {0}](figures/figure-{0}.svg)\n", figure);
  io::write_file(out / "report.md", page);
}

}  // namespace rrm
