#include "phases.hpp"

namespace training {

using namespace rnx;

train::AnyObjective<float> objective_of(const Arguments& a, const tools::LoadedTeacher& by) {
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
  if (a.objective == "natural") return train::Natural{.smoothing = smoothing};
  if (a.objective == "pgd" && a.norm == norm::L2::name) return pgd(norm::L2{});
  if (a.objective == "pgd") return pgd(norm::Linf{});
  attack::check_radius<norm::Linf>(eps, step);
  if (a.objective == "fgsm-rs")
    return train::Adversarial<attack::Fgsm<>>{
        .attack = {.eps = eps, .start = attack::Start::random, .step = step},
        .mode = a.mode(),
        .smoothing = smoothing};
  if (a.objective == "free") return train::Free{.eps = eps, .m = a.replays, .smoothing = smoothing};
  const attack::Pgd<> nearby{
      .eps = eps, .step = step, .steps = a.steps(), .start = attack::Start::gaussian};
  if (a.objective == "trades")
    return train::Trades<>{.attack = nearby, .beta = a.beta, .smoothing = smoothing};
  const NetworkBase<float>& teacher = *by.net;
  if (a.objective == "rslad")
    return train::Rslad{.teacher = teacher, .attack = nearby, .adversarial = a.share()};
  if (a.objective == "ard")
    return train::Ard{.teacher = teacher,
                      .attack = {.eps = eps, .step = step, .steps = a.steps()},
                      .alpha = a.share(),
                      .temperature = a.temperature};
  if (a.objective == "rrm" && a.match == "l2")
    return train::Rrm<loss::RelativeL2>{.teacher = teacher, .lambda = a.lambda};
  if (a.objective == "rrm") return train::Rrm<>{.teacher = teacher, .lambda = a.lambda};
  return train::Kd{.teacher = teacher, .alpha = a.share(), .temperature = a.temperature};
}

}  // namespace training
