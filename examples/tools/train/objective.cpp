#include <rnx/linearize/rlnet.hpp>
#include <rnx/linearize/sensitivity.hpp>

#include "phases.hpp"

namespace training {

using namespace rnx;

namespace {

/// A stage of paper 000, or what its options make of it.
train::AnyObjective<float> rlnet_of(const Arguments& a, const tools::DataSet& set,
                                    const Model& model, const attack::Pgd<>& attack) {
  using linearize::Rlnet, linearize::ViewTerms;
  const NetworkBase<float>& net = *model.net;
  Rlnet r{.augment = operations_of(a, set).add(data::AugMix{})};
  r.attack = attack;
  r.temperature = a.softness();
  r.place(a.batch_split == "halves" ? Rlnet::Split::halves : Rlnet::Split::whole);
  r.augmented.path = a.augmented_path;
  const auto spread = [&](const std::vector<std::string>& views, double weight,
                          double ViewTerms::*of) {
    const auto count = views.size() - std::size_t(std::count(views.begin(), views.end(), "none"));
    for (const std::string& view : views) {
      if (view == "none") continue;
      ViewTerms* const terms = view == "clean" ? &r.clean
                               : view == "aug" ? &r.augmented
                                               : &r.adversarial;
      terms->*of = weight / double(count);
    }
  };
  spread(a.ce_views, a.objective == "rlnet-teacher" ? 1 : a.ce_weight, &ViewTerms::ce);
  if (a.taught()) {
    r.network = *model.teacher.net;
    spread(a.kl_views, a.kl_weight, &ViewTerms::kl);
  }
  if (a.tuned()) {
    spread(a.pram_views, a.pram_weight, &ViewTerms::pram);
    r.pairs = linearize::stage_pairs(net.graph());
    r.compared =
        a.pram == "attention" ? distill::Compared::attention : distill::Compared::activations;
  }
  if (a.masked()) r.budget = linearize::budget_of(linearize::masks_of(net));
  r.attack_by_kl = r.adversarial.kl > 0;
  return r.objective();
}

/// Cross-entropy, where --density says so with pruned weights.
train::AnyObjective<float> natural_of(const Arguments& a) {
  const train::Natural natural{.smoothing = a.label_smoothing};
  if (a.density == 0) return natural;
  return train::objective(linearize::GlobalPruning{.density = a.density}, natural);
}

}  // namespace

train::AnyObjective<float> objective_of(const Arguments& a, const tools::DataSet& set,
                                        const Model& model) {
  const Rational eps = Rational::parse(a.eps, "--eps"),
                 step = Rational::parse(a.step(), "--attack-step");
  const double smoothing = a.label_smoothing;
  const auto pgd = [&]<class N>(N) {
    attack::check_radius<N>(eps, step);
    return train::Adversarial<attack::Pgd<N>>{
        .attack = {.eps = eps, .step = step, .steps = a.steps()},
        .mode = a.mode(),
        .commits = a.attack_commits,
        .smoothing = smoothing};
  };
  if (a.objective == "natural") return natural_of(a);
  if (a.objective == "pgd" && a.norm == norm::L2::name) return pgd(norm::L2{});
  if (a.objective == "pgd") return pgd(norm::Linf{});
  if (a.objective == "free")
    return train::Free{.norm = a.norm == norm::L2::name ? op::Norm::l2 : op::Norm::linf,
                       .eps = eps,
                       .m = a.replays,
                       .smoothing = smoothing};
  attack::check_radius<norm::Linf>(eps, step);
  if (a.objective == "fgsm-rs")
    return train::Adversarial<attack::Fgsm<>>{
        .attack = {.eps = eps, .start = attack::Start::random, .step = step},
        .mode = a.mode(),
        .smoothing = smoothing};
  if (a.rlnet()) return rlnet_of(a, set, model, {.eps = eps, .step = step, .steps = a.steps()});
  const attack::Pgd<> nearby{
      .eps = eps, .step = step, .steps = a.steps(), .start = attack::Start::gaussian};
  if (a.objective == "trades")
    return train::Trades<>{.attack = nearby, .beta = a.beta, .smoothing = smoothing};
  const NetworkBase<float>& teacher = *model.teacher.net;
  if (a.sloped()) {
    const linearize::SlopePenalty penalty{.budget = a.budget, .lambda = a.slope_penalty};
    linearize::Rlnet snl = linearize::Rlnet::snl(teacher, penalty);
    snl.temperature = a.softness();
    return snl.objective();
  }
  if (a.objective == "rslad")
    return train::Rslad{.teacher = teacher, .attack = nearby, .adversarial = a.share()};
  if (a.objective == "ard")
    return train::Ard{.teacher = teacher,
                      .attack = {.eps = eps, .step = step, .steps = a.steps()},
                      .alpha = a.share(),
                      .temperature = a.softness()};
  if (a.objective == "rrm" && a.match == "l2")
    return train::Rrm<loss::RelativeL2>{.teacher = teacher, .lambda = a.lambda};
  if (a.objective == "rrm") return train::Rrm<>{.teacher = teacher, .lambda = a.lambda};
  return train::Kd{.teacher = teacher, .alpha = a.share(), .temperature = a.softness()};
}

}  // namespace training
