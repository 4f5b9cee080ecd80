#include <algorithm>

#include <fmt/format.h>

#include <rnx/eval/corruption.hpp>
#include <rnx/report.hpp>

#include "../tools/outputs.hpp"
#include "printed.hpp"

namespace rlnet {

using namespace rnx;
namespace fs = std::filesystem;

namespace {

/// What the rows of a table have otherwise than the paper's, and those that the plan has not.
std::string differences(const Plan& plan, const Plan& printed, const paper::PaperTable& t) {
  std::string text, missing;
  for (const paper::Line& line : t.lines) {
    const Row* own = plan.find(line.row);
    const Row* theirs = printed.find(line.row);
    if (!own) missing += (missing.empty() ? "" : ", ") + line.row;
    if (!own || !theirs) continue;
    const std::string other = paper::difference(theirs->settings, own->settings);
    if (!other.empty()) text += fmt::format("- {}: {}\n", line.row, other);
  }
  if (!missing.empty()) text += "- not in this plan: " + missing + "\n";
  return text.empty() ? "" : "What differs from the paper:\n\n" + text;
}

/// The folders of a row's runs that hold a file.
std::vector<fs::path> with_file(const Plan& plan, const fs::path& out, const std::string& row,
                                const char* file) {
  std::vector<fs::path> runs = paper::runs_of(plan.seeds, out, row);
  std::erase_if(runs, [&](const fs::path& run) { return !paper::is_there(run / file); });
  return runs;
}

/// Where the corrupted images of the table's numbers come from.
std::string origin_text(const Plan& plan, const fs::path& out) {
  for (const Row& row : plan.rows)
    for (const fs::path& run : with_file(plan, out, row.name, "eval.json")) {
      const Json json = paper::read_json(run / "eval.json");
      return fmt::format(
          "NPA on {} images, corruptions: {}{}. Attacks on {}.\n",
          json["/corrupted/images"_json_pointer].dump(),
          json["/corrupted/origin"_json_pointer].get<std::string>(),
          json["/corrupted/origin"_json_pointer] == "computed frost"
              ? " (not the benchmark's: its numbers do not compare with printed ones)"
              : "",
          json["attacked_images"].dump());
    }
  return "Nothing has been evaluated.\n";
}

/// RLNet's NPA less SENet's, over the same images.
std::string npa_text(const Plan& plan, const fs::path& out) {
  std::string text;
  for (const Row& row : plan.rows) {
    const auto is_of = [&](const char* kind) { return row.name.find(kind) != row.name.npos; };
    if (row.phase != Phase::finetune || is_of("-senet-") || is_of("-snl-")) continue;
    std::string other = row.name;
    other.insert(other.rfind('-'), "-senet");
    for (const int seed : plan.seeds) {
      const fs::path a = paper::folder_of(out, row.name, seed) / "eval.json",
                     b = paper::folder_of(out, other, seed) / "eval.json";
      if (!paper::is_there(a) || !paper::is_there(b)) continue;
      const auto shares = [](const fs::path& file) {
        return paper::read_json(file)["/corrupted/per_image"_json_pointer]
            .get<std::vector<double>>();
      };
      const eval::Difference d = eval::paired_bootstrap(shares(a), shares(b));
      text += fmt::format(
          "- {} over {}, seed {}: {:+.2f} points of NPA, 95 % from {:+.2f} to {:+.2f}\n", row.name,
          other, seed, 100 * d.value, 100 * d.low, 100 * d.high);
    }
  }
  return text.empty() ? "No pair has been evaluated.\n" : text;
}

std::string switch_text(const Plan& plan, const fs::path& out) {
  paper::PaperTable t{0,
                      "",
                      {of_switch("clean [%]", "/clean/acc"), of_switch("NPA [%]", "/corrupted/npa"),
                       of_switch("by the clean path [%]", "/by_clean_path/acc"),
                       of_switch("blind [%]", "/blind/acc"),
                       of_switch("confident errors [%]", "/confident_error/acc"),
                       of_switch("under the threshold [%]", "/under_threshold/acc"),
                       of_switch("adaptive [%]", "/adaptive/acc")},
                      {}};
  std::string notes;
  for (const Row& row : plan.rows) {
    const auto runs = with_file(plan, out, row.name, "switch.json");
    if (runs.empty()) continue;
    t.lines.push_back({row.name, row.name, {}});
    for (const fs::path& run : runs) {
      const Json json = paper::read_json(run / "switch.json");
      if (json.value("suspicious", false))
        notes += fmt::format(
            "- {}: attacks that know the switch leave more than those that do not: "
            "they have failed\n",
            run.filename().string());
      if (json.value("held_out_was_trained_on", false))
        notes += fmt::format("- {}: the threshold was chosen on images that were trained on\n",
                             run.filename().string());
    }
  }
  if (t.lines.empty()) return "No switch has been evaluated.\n";
  const report::Table table("The confidence switch", t.columns, [&] {
    std::vector<report::TableRow> rows;
    for (const paper::Line& line : t.lines)
      rows.push_back({.label = line.label, .runs = paper::runs_of(plan.seeds, out, line.row)});
    return rows;
  }());
  return paper::write_table(table, out / "tables", "switch", notes);
}

}  // namespace

void write_tables(const Plan& plan, const fs::path& out) {
  const Plan printed = plan_of("paper");
  tools::make_writable("--out", out / "tables");
  std::string page =
      fmt::format("# Paper 000 (RLNet), preset {}\n\n{}\n", plan.preset, origin_text(plan, out));
  for (const paper::PaperTable& t : paper_tables(plan))
    page += paper::write_table(paper::gather(t, plan.seeds, out), out / "tables",
                               fmt::format("table-{}", t.number), differences(plan, printed, t));
  page += "## Claims\n\n" + claims_text(plan, out) + "\n";
  page += "## The confidence switch\n\n" + switch_text(plan, out) + "\n## NPA, image by image\n\n" +
          npa_text(plan, out) + "\n## Figures\n\n";
  for (const char* figure : {"1", "2", "4", "5", "6", "paths"})
    page += fmt::format("![Figure {0}](figures/figure-{0}.svg)\n", figure);
  io::write_file(out / "report.md", page);
}

}  // namespace rlnet
