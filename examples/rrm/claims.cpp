#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <rnx/eval/mean.hpp>
#include <rnx/report.hpp>

#include "printed.hpp"
#include "tables.hpp"

namespace rrm {

using namespace rnx;
namespace fs = std::filesystem;

namespace {

/// One value for each seed of which all rows are there.
class Seeds {
 public:
  Seeds(const Plan& plan, const fs::path& out) : plan_(plan), out_(out) {}

  /// f(values of the columns in their rows), of each seed.
  template <class F>
  std::vector<double> of(const std::vector<std::pair<std::string, report::TableColumn>>& cells,
                         F f) const {
    std::vector<double> list;
    for (const int seed : plan_.seeds) {
      std::vector<double> values;
      for (const auto& [row, column] : cells)
        if (const auto v =
                report::detail::find_value(paper::folder_of(out_, row, seed), column).value)
          values.push_back(column.scale * *v);
      if (values.size() == cells.size()) list.push_back(f(values));
    }
    return list;
  }

 private:
  const Plan& plan_;
  const fs::path& out_;
};

/// What is claimed: the mean over seeds is at least, or at most, a bound.
struct Claim {
  std::string text;
  std::vector<double> values;
  double bound;
  bool at_least = true;
};
std::string line(const Claim& c) {
  if (c.values.empty()) return fmt::format("- {}: not measured\n", c.text);
  const eval::Mean m = eval::mean(c.values);
  const bool holds = c.at_least ? m.value >= c.bound : m.value <= c.bound;
  return fmt::format("- {}: {:.3f}{}, of {} ({} {}: {})\n", c.text, m.value,
                     m.n > 1 ? fmt::format(" \u00b1 {:.3f}", m.half) : "",
                     m.n == 1 ? "one seed" : fmt::format("{} seeds", m.n),
                     c.at_least ? "at least" : "at most", c.bound,
                     holds ? "holds" : "**does not hold**");
}

using Values = std::vector<double>;
double ratio(const Values& v) { return v[0] / v[1]; }
double difference(const Values& v) { return v[0] - v[1]; }

/// The least range of accuracies under attack over lambdas of which the largest is ten times the
/// smallest, or more.
std::vector<double> range_over_a_decade(const Plan& plan, const Seeds& seeds) {
  std::vector<std::pair<double, std::string>> rows;
  for (const Row& row : plan.rows)
    if (row.name.starts_with("lambda") && row.name.ends_with("-vgg11"))
      rows.emplace_back(row.settings.at("lambda").get<double>(), row.name);
  std::sort(rows.begin(), rows.end());
  std::vector<std::pair<std::string, report::TableColumn>> cells;
  for (const auto& [lambda, row] : rows) cells.emplace_back(row, art());
  return seeds.of(cells, [&](const Values& values) {
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t a = 0; a < rows.size(); ++a)
      for (std::size_t b = a + 1; b < rows.size(); ++b) {
        if (rows[b].first < 9.99 * rows[a].first) continue;
        const auto [low, high] = std::minmax_element(values.begin() + std::ptrdiff_t(a),
                                                     values.begin() + std::ptrdiff_t(b) + 1);
        least = std::min(least, *high - *low);
      }
    return least;
  });
}

}  // namespace

std::string claims_text(const Plan& plan, const fs::path& out) {
  const Seeds seeds(plan, out);
  const auto over = [&](const char* row, const char* base) {
    return seeds.of({{row, art()}, {base, art()}}, ratio);
  };
  const report::TableColumn warm = art_at_temperature(), seconds = timed("", "step_seconds"),
                            macs = timed("", "predicted_macs");
  const auto beside_kd = [&](const Values& v) { return v[0] - std::min(v[1], v[2]); };
  const auto of_time = [&](const char* row, const char* base) {
    return seeds.of({{row, seconds}, {base, seconds}}, ratio);
  };
  const auto of_passes = [&](const char* row, const char* base) {
    return seeds.of({{row, seconds}, {base, seconds}, {row, macs}, {base, macs}},
                    [](const Values& v) { return std::abs(v[0] / v[1] / (v[2] / v[3]) - 1); });
  };
  std::string text;
  for (const Claim& c :
       {Claim{"RRM over its teacher, Linf", over("rrm-vgg11", "fast-vgg11"), 0.85},
        Claim{"RRM over its teacher, L2", over("rrm-l2-vgg11", "sat-l2-vgg11"), 0.85},
        Claim{
            "RRM less KD, points",
            seeds.of({{"rrm-l2-vgg11", art()}, {"kd-vgg11", art()}, {"kd-vgg11", warm}}, beside_kd),
            15},
        Claim{"RRM less RDT, points",
              seeds.of({{"rrm-l2-vgg11", art()}, {"rdt-vgg11", art()}}, difference), 0},
        Claim{"range over a decade of lambda, points", range_over_a_decade(plan, seeds), 3, false},
        Claim{"time of an epoch over PGD-7's, Linf", of_time("rrm-vgg11", "fast-resnet50"), 0.35,
              false},
        Claim{"time of an epoch over PGD-7's, L2", of_time("rrm-l2-vgg11", "sat-l2-resnet50"), 0.35,
              false},
        Claim{"that ratio against counted passes, Linf", of_passes("rrm-vgg11", "fast-resnet50"),
              0.15, false},
        Claim{"that ratio against counted passes, L2", of_passes("rrm-l2-vgg11", "sat-l2-resnet50"),
              0.15, false}})
    text += line(c);
  return text;
}

}  // namespace rrm
