// Objectives of the field against PyTorch: recipes, and the forwards that published codes run
// beside.
#include "golden/objectives.hpp"

using namespace rnx;
using namespace rnx::train;

namespace {

/// The attack of Trades, from the view Of.
template <fixed_string Of> auto climbing() {
  attack::Pgd<> pgd = golden::pgd;
  pgd.step = px(2);  // never at the edge of the ball, which lies around the start
  return Adversary<"adv", ByKl<"still">, attack::Pgd<>, Of>{.attack = pgd};
}
/// `first`, then the list that Trades stands for.
template <fixed_string Of, class... First> auto trades(First... first) {
  return objective(first..., Still<"still">{}, climbing<Of>(), Forward<"clean">{}, Forward<"adv">{},
                   Ce<"clean">{}, Kl<"adv", "clean">{.weight = 6});
}
static_assert(std::is_same_v<decltype(Trades<>{}.items()), decltype(trades<"clean">())>);

/// Fills the view of starts: at the clean image the gradient of the divergence is zero.
auto near_the_images(const golden::ObjectiveCheck& check) {
  return [&check](auto& step) {
    const auto clean = check.images(0), noise = check.images(1);
    for (std::size_t i = 0; i < noise.size(); ++i)
      step.images(1).data()[i] =
          std::clamp(clean.data()[i] + 0.001 * (2 * noise.data()[i] - 1), 0.0, 1.0);
  };
}

}  // namespace

TEST_CASE("one step of RSLAD, ARD, KD and RRM is PyTorch's") {
  const golden::ObjectiveCheck check;
  const auto teacher = golden::teacher();
  check("rslad", Rslad{.teacher = teacher, .attack = golden::pgd});
  check("rslad_batchmean",
        Rslad{.teacher = teacher, .attack = golden::pgd, .reduction = Reduction::batchmean});
  check("ard", Ard{.teacher = teacher, .attack = golden::pgd, .alpha = 0.9});
  check("ard_published",
        Ard{.teacher = teacher, .attack = golden::pgd, .alpha = 0.9, .commits = 1});
  check("kd", Kd{.teacher = teacher, .alpha = 0.7});
  check("rrm_cosine", Rrm<loss::Cosine>{.teacher = teacher});
  check("rrm_relative_l2", Rrm<loss::RelativeL2>{.teacher = teacher});
}

TEST_CASE("one step of TRADES is PyTorch's, from a given start; so is the published code's") {
  const golden::ObjectiveCheck check;
  check("trades", trades<"start">(Augmented<"start">{}), near_the_images(check));
  // which runs the clean images again for the divergence
  check("trades_published",
        objective(Augmented<"start">{}, Still<"still">{}, climbing<"start">(), Forward<"clean">{},
                  Forward<"adv">{}, Forward<"again", "clean">{}, Ce<"clean">{},
                  Kl<"adv", "again">{.weight = 6}),
        near_the_images(check));
}
