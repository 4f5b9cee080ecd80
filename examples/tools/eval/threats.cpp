#include "evaluate.hpp"

namespace evaluation {

using namespace rnx;

std::vector<std::string> threat_grid(const std::string& eps) {
  const Rational radius = Rational::parse(eps, "--eps");
  std::vector<std::string> grid;
  for (const double share : {0.05, 0.25, 0.5})
    for (const int steps : {10, 20, 50, 100})
      for (const int restarts : {1, 5}) {
        const std::string numerator = fmt::format("{:.6g}", share * radius.numerator);
        const std::string step = radius.denominator == 1
                                     ? numerator
                                     : fmt::format("{}/{:.6g}", numerator, radius.denominator);
        grid.push_back(fmt::format("pgd:steps={},step={},restarts={}", steps, step, restarts));
      }
  return grid;
}

Json worst_threat(const report::ModelReport& m) {
  const report::AttackRow* worst = nullptr;
  long least = 0;
  for (const report::AttackRow& row : m.attacks) {
    const eval::Proportion robust = eval::robust_proportion(row.accuracy);
    if (row.is_clean() || (worst && robust.right >= least)) continue;
    worst = &row;
    least = robust.right;
  }
  if (!worst) return nullptr;
  return {{"attack", worst->name}, {"eps", worst->eps}, {"right", least}};
}

}  // namespace evaluation
