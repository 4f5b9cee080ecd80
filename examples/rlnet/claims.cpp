#include "../tools/claims.hpp"

#include <fmt/format.h>

#include "printed.hpp"

namespace rlnet {

using namespace rnx;
using paper::Cell, paper::Claim, paper::Relation, paper::Seeds;

namespace {

report::TableColumn clean() { return of_eval("CA [%]", "/clean/acc"); }
report::TableColumn corrupted() { return of_eval("NPA [%]", "/corrupted/npa"); }
/// Attacked on the robust path and predicted there.
report::TableColumn attacked() { return of_eval("AdvA, PGD-20 [%]", "/attacks/pgd20/own/acc"); }

class Claims {
 public:
  Claims(const Plan& plan, const std::filesystem::path& out)
      : plan_(plan),
        seeds_(plan.seeds, out) {}

  /// A row's value less another's, where the plan has one of them: small-ablation's rows are
  /// compared with those of small, which are in the same folder.
  void less(const std::string& text, const std::string& row, const std::string& base,
            const report::TableColumn& column, double bound, Relation relation) {
    if (!plan_.find(row) && !plan_.find(base)) return;
    list.push_back(
        {text + ", points", seeds_.difference({row, column}, {base, column}), relation, bound});
  }
  std::vector<Claim> list{};

 private:
  const Plan& plan_;
  Seeds seeds_;
};

std::vector<Claim> must_hold(const Plan& plan, const std::filesystem::path& out) {
  Claims claims(plan, out);
  const std::string p = plan.figures;
  const auto student = [&](const char* kind, int budget) {
    return fmt::format("{}-{}{}", p, kind, budget);
  };
  for (const int budget : plan.budgets)
    claims.less(fmt::format("AdvA of RLNet less SENet's at {}k", budget), student("", budget),
                student("senet-", budget), attacked(), 12, Relation::at_least);
  for (std::size_t k = 1; k < plan.budgets.size(); ++k)
    claims.less(fmt::format("AdvA at {}k less at {}k", plan.budgets[k], plan.budgets[k - 1]),
                student("", plan.budgets[k]), student("", plan.budgets[k - 1]), attacked(), -1.5,
                Relation::at_least);
  claims.less("CA of the teacher less PGD training's", p + "-ar", p + "-pgd", clean(), 8,
              Relation::at_least);
  claims.less("CA of the teacher less TRADES'", p + "-ar", p + "-trades", clean(), 8,
              Relation::at_least);
  return claims.list;
}

/// What the paper lets expect; its numbers are of larger networks.
std::vector<Claim> expected(const Plan& plan, const std::filesystem::path& out) {
  Claims claims(plan, out);
  const std::string p = plan.figures, a = plan.ablations;
  for (const int budget : plan.budgets)
    claims.less(fmt::format("NPA of RLNet less SENet's at {}k", budget),
                fmt::format("{}-{}", p, budget), fmt::format("{}-senet-{}", p, budget), corrupted(),
                0, Relation::above);
  std::string above = p + "-ar";
  for (auto budget = plan.budgets.rbegin(); budget != plan.budgets.rend(); ++budget) {
    const std::string below = fmt::format("{}-{}", p, *budget);
    claims.less("AdvA of " + above + " less " + below, above, below, attacked(), 0,
                Relation::above);
    above = below;
  }
  claims.less("AdvA of the teacher less PGD training's", p + "-ar", p + "-pgd", attacked(), 0,
              Relation::above);
  for (const auto& [name, column] :
       {std::pair{"CA", clean()}, {"NPA", corrupted()}, {"AdvA", attacked()}}) {
    claims.less(fmt::format("{} of two batch norms less of three", name), p + "-ar", p + "-triple",
                column, 2, Relation::at_most);
  }
  claims.less("CA of Train_KL less Train_CE", a + "-kl", a + "-ce", clean(), 0, Relation::above);
  claims.less("NPA of Train_KL less Train_CE", a + "-kl", a + "-ce", corrupted(), 0,
              Relation::above);
  claims.less("AdvA at T = 1 less at T = 4, KL", a + "-kl-t1", a + "-kl", attacked(), 0,
              Relation::above);
  claims.less("AdvA at T = 1 less at T = 4, KL and PRAM", a + "-kl-pram-t1", a + "-kl-pram",
              attacked(), 0, Relation::above);
  return claims.list;
}

}  // namespace

std::string claims_text(const Plan& plan, const std::filesystem::path& out) {
  return paper::claims_text(must_hold(plan, out)) + "\nExpected:\n\n" +
         paper::claims_text(expected(plan, out));
}

}  // namespace rlnet
