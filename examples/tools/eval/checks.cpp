#include <rnx/eval/checks.hpp>

#include "evaluate.hpp"

namespace evaluation {

using namespace rnx;

namespace {

/// Whether gradients are declared ones: parameters or layers of quantizers.
bool has_surrogates(const NetworkBase<float>& net) {
  for (const auto& node : net.graph().nodes)
    if (node.weight_bits < 32 || node.activation_bits < 32) return true;
  return false;
}

std::optional<attack::WhiteBoxRef<float, cpu>> surrogate_of(const Subject& s, std::size_t k) {
  if (s.surrogates.empty()) return {};
  return *s.surrogates[k];
}

template <class Norm>
std::vector<eval::Check> run(const Subject& s, std::size_t k, const eval::CheckOptions<>& o) {
  return eval::run_checks<Norm>(*s.nets[k], *s.data.test, o);
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
  const NetworkBase<float>& net = *s.nets[k];
  const eval::CheckOptions<> o{.eps = Rational::parse(eps, "--eps").value(),
                               .names = names,
                               .images = a.check_images,
                               .path = paths.predict,
                               .attack_path = paths.attack,
                               .paths = batch_norm_paths(net),
                               .seed = a.seed,
                               .surrogate_gradients = has_surrogates(net),
                               .other = s.nets.size() > 1 ? &*s.nets[k == 0 ? 1 : 0] : nullptr,
                               .surrogate = surrogate_of(s, k),
                               .progress =
                                   [&](std::string_view name) {
                                     display.phase(s.labels[k] + ", check " + std::string(name));
                                   },
                               .stop = &tools::stop_on_signals()};
  auto checks = a.norm == norm::L2::name   ? run<norm::L2>(s, k, o)
                : a.norm == norm::L1::name ? run<norm::L1>(s, k, o)
                                           : run<norm::Linf>(s, k, o);
  display.done();
  return checks;
}

}  // namespace evaluation
