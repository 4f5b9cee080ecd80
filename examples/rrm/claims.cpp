#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>

#include <rnx/report.hpp>

#include "printed.hpp"
#include "tables.hpp"

namespace rrm {

using namespace rnx;
namespace fs = std::filesystem;

namespace {

using Values = std::vector<double>;
/// Values that a claim is made of: a column of a row.
using Cells = std::vector<std::pair<std::string, report::TableColumn>>;

/// Reads one value for each seed of which all rows are there.
class Seeds {
 public:
  Seeds(const Plan& plan, const fs::path& out) : plan_(plan), out_(out) {}

  /// f(values of the cells), of each seed. Errors: UsageError (of other images, or other attacks).
  template <class F> Values of(const Cells& cells, F f) const {
    require_comparable(cells);
    Values list;
    for (const int seed : plan_.seeds) {
      Values values;
      for (const auto& [row, column] : cells)
        if (const auto v =
                report::detail::find_value(paper::folder_of(out_, row, seed), column).value)
          values.push_back(column.scale * *v);
      if (values.size() == cells.size()) list.push_back(f(values));
    }
    return list;
  }

 private:
  /// A table refuses what does not belong together.
  void require_comparable(const Cells& cells) const {
    std::map<std::string, std::pair<report::TableColumn, std::vector<report::TableRow>>> columns;
    for (const auto& [row, column] : cells) {
      auto& [of, rows] = columns[column.path];
      of = column;
      rows.push_back({.label = row, .runs = runs_of(plan_, out_, row)});
    }
    for (auto& [path, column] : columns)
      report::Table("claims", {column.first}, std::move(column.second));
  }

  const Plan& plan_;
  const fs::path& out_;
};

enum class Relation { at_least, above, at_most };
/// What is claimed of the mean over seeds.
struct Claim {
  std::string text;
  Values values;
  Relation relation;
  double bound;

  bool holds(double mean) const {
    if (relation == Relation::at_most) return mean <= bound;
    return relation == Relation::above ? mean > bound : mean >= bound;
  }
};
std::string line(const Claim& c) {
  if (c.values.empty()) return fmt::format("- {}: not measured\n", c.text);
  const eval::Mean m = eval::mean(c.values);
  constexpr const char* relations[] = {"at least", "above", "at most"};
  return fmt::format("- {}: {:.3f}{}, of {} ({} {}: {})\n", c.text, m.value,
                     m.n > 1 ? fmt::format(" \u00b1 {:.3f}", m.half) : "",
                     m.n == 1 ? "one seed" : fmt::format("{} seeds", m.n),
                     relations[int(c.relation)], c.bound,
                     c.holds(m.value) ? "holds" : "**does not hold**");
}

/// Of a teacher that is never right there is no ratio: NaN, for which nothing holds.
double ratio(const Values& v) {
  return v[1] == 0 ? std::numeric_limits<double>::quiet_NaN() : v[0] / v[1];
}
double difference(const Values& v) { return v[0] - v[1]; }

/// The ranges of accuracies under attack over those lambdas, the largest ten times the smallest or
/// more, whose mean range is the least.
Claim range_over_a_decade(const Plan& plan, const Seeds& seeds) {
  std::vector<std::pair<double, std::string>> rows;
  for (const Row& row : plan.rows)
    if (row.name.starts_with("lambda") && row.name.ends_with("-vgg11"))
      rows.emplace_back(row.settings.at("lambda").get<double>(), row.name);
  std::sort(rows.begin(), rows.end());
  Claim least{"range over a decade of lambda, points", {}, Relation::at_most, 3};
  for (auto a = rows.begin(); a != rows.end(); ++a)
    for (auto b = a; b != rows.end(); ++b) {
      if (b->first < 10 * a->first * (1 - 1e-9)) continue;
      Cells cells;
      for (auto row = a; row <= b; ++row) cells.emplace_back(row->second, art());
      const Values ranges = seeds.of(cells, [](const Values& values) {
        const auto [low, high] = std::minmax_element(values.begin(), values.end());
        return *high - *low;
      });
      if (ranges.empty()) continue;
      if (!least.values.empty() && eval::mean(ranges).value >= eval::mean(least.values).value)
        continue;
      least.values = ranges;
      least.text = fmt::format("range over lambda from {} to {}, points", a->first, b->first);
    }
  return least;
}

/// A step of `row` over one of `base`, as measured, and against what counted passes predict.
void add_times(std::vector<Claim>& claims, const Seeds& seeds, const std::string& row,
               const std::string& base) {
  const report::TableColumn seconds = timed("", "step_seconds"), macs = timed("", "predicted_macs");
  const std::string text = row + " over " + base + ", ";
  const Values predicted = seeds.of({{row, macs}, {base, macs}}, ratio);
  claims.push_back({text + "time of an epoch", seeds.of({{row, seconds}, {base, seconds}}, ratio),
                    Relation::at_most, 0.35});
  claims.push_back(
      {text + "that time's distance from counted passes" +
           (predicted.empty() ? "" : fmt::format(", {:.3f}", eval::mean(predicted).value)),
       seeds.of({{row, seconds}, {base, seconds}, {row, macs}, {base, macs}},
                [](const Values& v) { return std::abs(v[0] / v[1] / (v[2] / v[3]) - 1); }),
       Relation::at_most, 0.15});
}

}  // namespace

std::string claims_text(const Plan& plan, const fs::path& out) {
  const Seeds seeds(plan, out);
  const auto over_teacher = [&](const char* text, const char* row, const char* teacher) {
    return Claim{text, seeds.of({{row, art()}, {teacher, art()}}, ratio), Relation::at_least, 0.85};
  };
  const auto less_kd = [](const Values& v) { return v[0] - std::min(v[1], v[2]); };
  std::vector<Claim> claims{
      over_teacher("RRM over its teacher, Linf", "rrm-vgg11", "fast-vgg11"),
      over_teacher("RRM over its teacher, L2", "rrm-l2-vgg11", "sat-l2-vgg11"),
      {"RRM less KD, points",
       seeds.of({{"rrm-l2-vgg11", art()}, {"kd-vgg11", art()}, {"kd-vgg11", art_at_temperature()}},
                less_kd),
       Relation::at_least, 15},
      {"RRM less RDT, points",
       seeds.of({{"rrm-l2-vgg11", art()}, {"rdt-vgg11", art()}}, difference), Relation::above, 0},
      range_over_a_decade(plan, seeds)};
  for (const auto& [row, base] : {std::pair{"rrm-vgg11", "sat-resnet50"},
                                  {"rrm-resnet18", "sat-resnet50"},
                                  {"rrm-vgg11", "fast-resnet50"},
                                  {"rrm-l2-vgg11", "sat-l2-resnet50"}})
    add_times(claims, seeds, row, base);
  std::string text;
  for (const Claim& claim : claims) text += line(claim);
  return text;
}

}  // namespace rrm
