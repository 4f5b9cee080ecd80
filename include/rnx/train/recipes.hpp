// Objectives of the field, as options that stand for a list of items: train::fit(net, set,
// Trades{.beta = 6}, ...). Attacks see the model in eval mode unless said.
#pragma once

#include "rnx/train/terms.hpp"

namespace rnx::inline RNX_ISA::train {

/// Cross-entropy on clean images.
struct Natural {
  double smoothing = 0;
  auto items() const { return objective(Forward<"clean">{}, Ce<"clean">{.smoothing = smoothing}); }
};

/// Cross-entropy on adversarial images alone (Madry et al. 2018; with Fgsm, Start::random and
/// Mode::train: Wong et al. 2020; with PGD-7, Mode::train and commits 1 what paper 002 calls fast
/// adversarial training).
template <class Attack = attack::Pgd<>> struct Adversarial {
  Attack attack{};
  Mode mode = Mode::eval;  ///< of the model under attack
  int commits = 0;
  double smoothing = 0;
  auto items() const {
    return objective(
        Adversary<"adv", ByCe, Attack>{
            .attack = attack, .loss = {.smoothing = smoothing}, .mode = mode, .commits = commits},
        Forward<"adv">{}, Ce<"adv">{.smoothing = smoothing});
  }
};

template <class Attack> Adversarial(Attack) -> Adversarial<Attack>;
template <class Attack> Adversarial(Attack, Mode) -> Adversarial<Attack>;

/// Zhang et al. 2019, eq. 5: CE(f(x), y) + beta KL(f(x) || f(x')), x' from a PGD on the divergence.
/// Gradients flow through both forwards. Running statistics take the clean batch, then the
/// adversarial one, once each (the published code runs the clean forward twice and folds it in
/// twice).
template <class Norm = norm::Linf> struct Trades {
  attack::Pgd<Norm> attack{.eps = px(8), .steps = 10, .start = attack::Start::gaussian};
  double beta = 6;
  double smoothing = 0;
  auto items() const {
    loss::expect(beta >= 0 && std::isfinite(beta), "TRADES: beta must not be negative", beta);
    return objective(Still<"still">{},
                     Adversary<"adv", ByKl<"still">, attack::Pgd<Norm>>{.attack = attack},
                     Forward<"clean">{}, Forward<"adv">{}, Ce<"clean">{.smoothing = smoothing},
                     Kl<"adv", "clean">{.weight = beta});
  }
};

template <class Norm> Trades(attack::Pgd<Norm>) -> Trades<Norm>;
template <class Norm> Trades(attack::Pgd<Norm>, double) -> Trades<Norm>;

/// Knowledge distillation (Hinton et al. 2015): alpha T^2 KL(teacher || student) at temperature T,
/// reduced as PyTorch's "mean", and (1 - alpha) CE(z / T, y) (paper 002: T 30, alpha 1).
struct Kd {
  NetRef teacher;
  double alpha = 1, temperature = 30;
  auto items() const {
    return objective(
        Teacher<"teacher">{.net = teacher}, Forward<"clean">{},
        Kl<"clean", "teacher">{
            .weight = alpha, .temperature = temperature, .reduction = Reduction::elementmean},
        Ce<"clean">{.weight = 1 - alpha, .temperature = temperature});
  }
};

/// Adversarially robust distillation (Goldblum et al. 2020): alpha T^2 KL(teacher(x) ||
/// student(x')), reduced as PyTorch's "mean", and (1 - alpha) CE(student(x), y). The attack climbs
/// the cross-entropy in train mode.
struct Ard {
  NetRef teacher;
  attack::Pgd<> attack{};
  double alpha = 1, temperature = 30;
  int commits = 0;  ///< how often the attack's forwards are folded in (the published code: 1)
  auto items() const {
    return objective(
        Teacher<"teacher">{.net = teacher},
        Adversary<"adv">{.attack = attack, .mode = Mode::train, .commits = commits},
        Forward<"adv">{},
        Kl<"adv", "teacher">{
            .weight = alpha, .temperature = temperature, .reduction = Reduction::elementmean},
        Forward<"clean">{}, Ce<"clean">{.weight = 1 - alpha});
  }
};

/// Robust soft label adversarial distillation (Zi et al. 2021): 5/6 KL(teacher(x) || student(x')) +
/// 1/6 KL(teacher(x) || student(x)), x' from a PGD on KL(teacher(x) || student(x')). The published
/// code reduces as PyTorch's "mean".
struct Rslad {
  NetRef teacher;
  attack::Pgd<> attack{.start = attack::Start::gaussian};
  double adversarial = 5. / 6;  ///< share of the adversarial term
  Reduction reduction = Reduction::elementmean;
  auto items() const {
    return objective(Teacher<"teacher">{.net = teacher},
                     Adversary<"adv", ByKl<"teacher">>{.attack = attack}, Forward<"adv">{},
                     Kl<"adv", "teacher">{.weight = adversarial, .reduction = reduction},
                     Forward<"clean">{},
                     Kl<"clean", "teacher">{.weight = 1 - adversarial, .reduction = reduction});
  }
};

/// Robust representation matching (paper 002, section 3): lambda CE + a distance between the
/// penultimate features of student and teacher on clean images. Distance: loss::Cosine (Linf; the
/// paper's lambda is 5e-3) or loss::RelativeL2 (L2).
template <template <class, class> class Distance = loss::Cosine, class Tag = Penultimate>
struct Rrm {
  NetRef teacher;
  double lambda = 5e-3;
  auto items() const {
    loss::expect(lambda >= 0 && std::isfinite(lambda), "RRM: lambda must not be negative", lambda);
    return objective(Teacher<"teacher">{.net = teacher}, Forward<"clean">{},
                     Ce<"clean">{.weight = lambda}, Match<Distance, Tag, "clean", "teacher">{});
  }
};

}  // namespace rnx::inline RNX_ISA::train
