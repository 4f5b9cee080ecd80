// Checks that an evaluation does not fool itself (Carlini et al. 2019, "On evaluating adversarial
// robustness"; Croce et al. 2022; Tramer et al. 2020): each says what it found in how many images,
// and fires only where its whole interval lies above the threshold.
#pragma once

#include "rnx/eval/check_findings.hpp"

namespace rnx::inline RNX_ISA::eval {

namespace detail {

/// What a check asks, in words. Its finding: finding_of.
struct CheckKind {
  const char *name, *quantity;
  double threshold;
  const char* advice;
  bool by_design = false;  ///< of networks with surrogate gradients
};

inline constexpr CheckKind check_kinds[] = {
    {"probability-outputs", "share of images whose logits are probabilities", 0.5,
     "Attack the logits before the softmax: losses that take another one see vanishing gradients."},
    {"randomness", "share of images whose logits change with the random draw", 0,
     "Attack the mean of several gradients: aa-rand, or eot= of an attack."},
    {"zero-gradients-start", "share of images whose gradient is zero or not finite", 0.1,
     "Attack another loss (apgd-t, cw), a smooth surrogate of the network, and square.", true},
    {"zero-gradients-path", "share of images whose gradient vanishes on the attack's way", 0.1,
     "Attack another loss (apgd-t, cw), a smooth surrogate of the network, and square.", true},
    {"finite-differences", "share of images whose gradient is not the slope", 0.25,
     "The gradient is not the network's: attack a differentiable form of it, and square.", true},
    {"eps-zero", "share of images that an attack without a radius changes", 0,
     "Clean and attacked predictions are made differently: compare the two passes."},
    {"monotone-in-eps", "excess of robust accuracy at eps over that at half of eps", 0,
     "The attack is lost in larger balls: smaller steps, more steps, restarts."},
    {"eps-one-above-chance", "robust accuracy in a ball that holds every image", 0,
     "Every image can become any other one there: gradients are masked, see the other checks."},
    {"more-steps", "excess of robust accuracy over that under a longer attack", 0.02,
     "The attack has not converged: more steps and restarts until the number stands still."},
    {"black-box", "excess of robust accuracy over that under square", 0,
     "Gradients are masked: count the worst of all attacks, square among them."},
    {"transfer", "excess of robust accuracy over that under images of another model", 0,
     "Gradients are masked: count the worst of all attacks, transferred ones among them."},
    {"another-surrogate", "excess of robust accuracy over that under another surrogate's images", 0,
     "The declared gradients are weak: count the worst of all surrogates'."},
    {"batch-size", "share of images whose logits depend on the batch", 0,
     "Predictions couple the images of a batch: run the network in eval mode."},
    {"eight-bits", "excess of robust accuracy on images of 8 bits over that on floats", 0.02,
     "The attack's images do not survive a file: report --lattice project."},
    {"worst-path", "excess of robust accuracy over that on the worst batch-norm path", 0,
     "Report the worst path: an attacker chooses what the network takes the image for."}};

template <class Norm, class T, class Device>
Finding finding_of(std::string_view name, Bench<Norm, T, Device>& b) {
  if (name == "probability-outputs") return probability_outputs(b);
  if (name == "randomness") return randomness(b);
  if (name == "zero-gradients-start") return zero_gradients_start(b);
  if (name == "zero-gradients-path") return zero_gradients_path(b);
  if (name == "finite-differences") return finite_differences(b);
  if (name == "eps-zero") return eps_zero(b);
  if (name == "monotone-in-eps") return monotone_in_eps(b);
  if (name == "eps-one-above-chance") return eps_one<Norm>(b);
  if (name == "more-steps") return more_steps(b);
  if (name == "black-box") return black_box<Norm>(b);
  if (name == "transfer") return transfer(b);
  if (name == "another-surrogate") return another_surrogate(b);
  if (name == "batch-size") return batch_size(b);
  if (name == "eight-bits") return eight_bits<Norm>(b);
  return worst_path(b);
}

}  // namespace detail

/// In the order in which they are run.
inline std::vector<std::string> check_names() {
  std::vector<std::string> names;
  for (const detail::CheckKind& kind : detail::check_kinds) names.emplace_back(kind.name);
  return names;
}

/// The checks of a victim on the first images of a set, in a ball of Norm.
///   for (const eval::Check& c : eval::run_checks<norm::Linf>(net, set, {.eps = 8. / 255})) ...
/// Errors: UsageError (a name that is none, options out of range, samples without labels),
/// NumericError, Stopped.
template <class Norm = norm::Linf, class T = float, class Device = default_device>
std::vector<Check> run_checks(const std::type_identity_t<attack::WhiteBoxRef<T, Device>>& victim,
                              const data::Source& set,
                              const std::type_identity_t<CheckOptions<T, Device>>& o = {}) {
  const auto known = check_names();
  for (const std::string& name : o.names)
    require<UsageError>(std::find(known.begin(), known.end(), name) != known.end(),
                        [&] { return "eval: '" + name + "' is the name of no check"; });
  require<UsageError>(o.images > 0 && o.steps > 0 && o.queries > 0 && set.size() > 0,
                      "eval: checks need images, steps and queries");
  attack::check_radius<Norm>(o.eps, 0);
  data::require_labels(set, "eval: a check");
  detail::Bench<Norm, T, Device> bench(victim, set, o);
  std::vector<Check> checks;
  for (const detail::CheckKind& kind : detail::check_kinds) {
    if (!o.names.empty() && std::find(o.names.begin(), o.names.end(), kind.name) == o.names.end())
      continue;
    if (o.progress) o.progress(kind.name);
    const detail::Finding f = detail::finding_of(kind.name, bench);
    const bool chance = std::string_view(kind.name) == "eps-one-above-chance";
    Check c{.name = kind.name,
            .value = f.value,
            .interval = f.interval,
            .threshold = chance ? 1. / victim.classes() : kind.threshold,
            .quantity = kind.quantity,
            .advice = kind.advice};
    if (!f.found)
      c.advice = c.name == "transfer"            ? "no other model was given"
                 : c.name == "another-surrogate" ? "no network with another surrogate was given"
                                                 : "the model has one path";
    else if (f.interval.low <= c.threshold)
      c.verdict = Verdict::passed;
    else
      c.verdict = kind.by_design && o.surrogate_gradients ? Verdict::informative : Verdict::fired;
    checks.push_back(std::move(c));
  }
  return checks;
}

}  // namespace rnx::inline RNX_ISA::eval
