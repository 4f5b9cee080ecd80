#include "../checks.hpp"
#include "evaluate.hpp"

namespace evaluation {

using namespace rnx;

namespace {

std::optional<attack::WhiteBoxRef<float>> surrogate_of(const Subject& s, std::size_t k) {
  if (s.surrogates.empty()) return {};
  return *s.surrogates[k];
}

}  // namespace

std::vector<eval::Check> checks_of(const Arguments& a, const Subject& s, std::size_t k,
                                   tools::Display& display) {
  const std::vector<std::string> names = a.check_names();
  if (names.empty()) return {};
  const auto attacked = [](const tools::AttackText& row) { return !row.clean; };
  const auto last = std::find_if(s.rows.rbegin(), s.rows.rend(), attacked);
  const std::string eps = last == s.rows.rend() ? a.eps.back() : last->eps_text;
  const Arguments::Paths paths = a.paths();
  return tools::run_checks(a.norm, *s.nets[k], *s.data.test,
                           {.eps = Rational::parse(eps, "--eps").value(),
                            .names = names,
                            .images = a.check_images,
                            .path = paths.predict,
                            .attack_path = paths.attack,
                            .seed = a.seed,
                            .other = s.nets.size() > 1 ? &*s.nets[k == 0 ? 1 : 0] : nullptr,
                            .surrogate = surrogate_of(s, k)},
                           s.labels[k], display);
}

}  // namespace evaluation
