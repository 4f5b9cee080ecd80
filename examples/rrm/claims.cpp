#include "../tools/claims.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <rnx/eval/mean.hpp>

#include "printed.hpp"
#include "tables.hpp"

namespace rrm {

using namespace rnx;
using paper::Cell, paper::Claim, paper::Relation, paper::Seeds;

namespace {

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
      std::vector<Cell> cells;
      for (auto row = a; row <= b; ++row) cells.push_back({row->second, art()});
      const Seeds::Values ranges = seeds.of(cells, [](const Seeds::Values& values) {
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
  const Seeds::Values predicted = seeds.ratio({row, macs}, {base, macs});
  claims.push_back({text + "time of an epoch", seeds.ratio({row, seconds}, {base, seconds}),
                    Relation::at_most, 0.35});
  claims.push_back(
      {text + "that time's distance from counted passes" +
           (predicted.empty() ? "" : fmt::format(", {:.3f}", eval::mean(predicted).value)),
       seeds.of({{row, seconds}, {base, seconds}, {row, macs}, {base, macs}},
                [](const Seeds::Values& v) { return std::abs(v[0] / v[1] / (v[2] / v[3]) - 1); }),
       Relation::at_most, 0.15});
}

std::vector<Claim> must_hold(const Plan& plan, const Seeds& seeds) {
  const auto over_teacher = [&](const char* text, const char* row, const char* teacher) {
    return Claim{text, seeds.ratio({row, art()}, {teacher, art()}), Relation::at_least, 0.85};
  };
  const auto less_kd = [](const Seeds::Values& v) { return v[0] - std::min(v[1], v[2]); };
  std::vector<Claim> claims{
      over_teacher("RRM over its teacher, Linf", "rrm-vgg11", "fast-vgg11"),
      over_teacher("RRM over its teacher, L2", "rrm-l2-vgg11", "sat-l2-vgg11"),
      {"RRM less KD, points",
       seeds.of({{"rrm-l2-vgg11", art()}, {"kd-vgg11", art()}, {"kd-vgg11", art_at_temperature()}},
                less_kd),
       Relation::at_least, 15},
      {"RRM less RDT, points", seeds.difference({"rrm-l2-vgg11", art()}, {"rdt-vgg11", art()}),
       Relation::above, 0},
      range_over_a_decade(plan, seeds)};
  for (const auto& [row, base] : {std::pair{"rrm-vgg11", "sat-resnet50"},
                                  {"rrm-resnet18", "sat-resnet50"},
                                  {"rrm-vgg11", "fast-resnet50"},
                                  {"rrm-l2-vgg11", "sat-l2-resnet50"}})
    if (plan.find(row) && plan.find(base)) add_times(claims, seeds, row, base);
  return claims;
}

/// What the paper lets expect; `small` says it of other networks and fewer steps.
std::vector<Claim> expected(const Plan& plan, const Seeds& seeds) {
  std::vector<Claim> claims;
  const auto less = [&](const std::string& text, const char* row, const char* base) {
    if (plan.find(row) && plan.find(base))
      claims.push_back(
          {text + ", points", seeds.difference({row, art()}, {base, art()}), Relation::above, 0});
  };
  less("RRM less PGD-7 on its own network, Linf", "rrm-vgg11", "fast-resnet50");
  less("RRM less PGD-7 on its own network, L2", "rrm-l2-vgg11", "sat-l2-resnet50");
  less("RRM less Free AT", "rrm-vgg11", "free-resnet50");
  less("the cosine less the l2 form, the same student", "rrm-vgg11-cosine", "rrm-vgg11-distance");
  return claims;
}

}  // namespace

std::string claims_text(const Plan& plan, const std::filesystem::path& out) {
  const Seeds seeds(plan.seeds, out, [&](const std::string& name) {
    const Row* row = plan.find(name);
    return row ? row->own() : std::vector<std::string>();
  });
  std::string text = paper::claims_text(must_hold(plan, seeds));
  const std::string more = paper::claims_text(expected(plan, seeds));
  return more.empty() ? text : text + "\nExpected:\n\n" + more;
}

}  // namespace rrm
