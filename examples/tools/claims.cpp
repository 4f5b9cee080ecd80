#include "claims.hpp"

#include <limits>
#include <map>

#include <fmt/format.h>

#include <rnx/eval/mean.hpp>

#include "paper.hpp"

namespace paper {

using namespace rnx;

Seeds::Seeds(std::vector<int> seeds, std::filesystem::path out, Own own)
    : seeds_(std::move(seeds)),
      out_(std::move(out)),
      own_(std::move(own)) {}

Seeds::Values Seeds::of(const std::vector<Cell>& cells,
                        const std::function<double(const Values&)>& f) const {
  require_comparable(cells);
  Values list;
  for (const int seed : seeds_) {
    Values values;
    for (const Cell& cell : cells)
      if (const auto v =
              report::detail::find_value(folder_of(out_, cell.row, seed), cell.column).value)
        values.push_back(cell.column.scale * *v);
    if (values.size() == cells.size()) list.push_back(f(values));
  }
  return list;
}
Seeds::Values Seeds::difference(const Cell& a, const Cell& b) const {
  return of({a, b}, [](const Values& v) { return v[0] - v[1]; });
}
Seeds::Values Seeds::ratio(const Cell& a, const Cell& b) const {
  return of({a, b}, [](const Values& v) {
    return v[1] == 0 ? std::numeric_limits<double>::quiet_NaN() : v[0] / v[1];
  });
}

/// A table refuses what does not belong together.
void Seeds::require_comparable(const std::vector<Cell>& cells) const {
  std::map<std::string, std::pair<report::TableColumn, std::vector<report::TableRow>>> columns;
  for (const Cell& cell : cells) {
    auto& [column, rows] = columns[cell.column.path];
    column = cell.column;
    report::TableRow row{.label = cell.row, .runs = runs_of(seeds_, out_, cell.row)};
    if (own_) row.own = own_(cell.row);
    rows.push_back(std::move(row));
  }
  for (auto& [path, column] : columns)
    report::Table("claims", {column.first}, std::move(column.second));
}

bool Claim::holds(double mean) const {
  if (relation == Relation::at_most) return mean <= bound;
  return relation == Relation::above ? mean > bound : mean >= bound;
}

std::string claims_text(const std::vector<Claim>& claims) {
  constexpr const char* relations[] = {"at least", "above", "at most"};
  std::string text;
  for (const Claim& c : claims) {
    if (c.values.empty()) {
      text += fmt::format("- {}: not measured\n", c.text);
      continue;
    }
    const eval::Mean m = eval::mean(c.values);
    text += fmt::format("- {}: {:.3f}{}, of {} ({} {}: {})\n", c.text, m.value,
                        m.n > 1 ? fmt::format(" \u00b1 {:.3f}", m.half) : "",
                        m.n == 1 ? "one seed" : fmt::format("{} seeds", m.n),
                        relations[int(c.relation)], c.bound,
                        c.holds(m.value) ? "holds" : "**does not hold**");
  }
  return text;
}

}  // namespace paper
