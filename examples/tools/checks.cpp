#include "checks.hpp"

#include <rnx/eval/checks.hpp>

#include "signals.hpp"

namespace tools {

using namespace rnx;

namespace {

/// Whether gradients are declared ones: parameters or layers of quantizers.
bool has_surrogates(const NetworkBase<float>& net) {
  for (const auto& node : net.graph().nodes)
    if (node.weight_bits < 32 || node.activation_bits < 32) return true;
  return false;
}

}  // namespace

std::vector<eval::Check> run_checks(const std::string& norm, const NetworkBase<float>& net,
                                    const data::Source& images, eval::CheckOptions<> options,
                                    const std::string& label, Display& display) {
  options.paths = path_count(net.graph());
  options.surrogate_gradients = has_surrogates(net);
  options.progress = [&](std::string_view name) {
    display.phase(label + ", check " + std::string(name));
  };
  options.stop = &stop_on_signals();
  auto checks = norm == norm::L2::name   ? eval::run_checks<norm::L2>(net, images, options)
                : norm == norm::L1::name ? eval::run_checks<norm::L1>(net, images, options)
                                         : eval::run_checks<norm::Linf>(net, images, options);
  display.done();
  return checks;
}

}  // namespace tools
