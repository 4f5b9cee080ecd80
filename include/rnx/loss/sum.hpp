// Weighted sums of losses, themselves losses:   loss::sum(loss::term(0.9, kl), loss::term(0.1,
// cross_entropy))
#pragma once

#include <cmath>

#include "rnx/loss/call.hpp"

namespace rnx::inline RNX_ISA::loss {

template <class L> struct Term {
  double coefficient;
  L loss;
};
/// Throws UsageError when the coefficient is not finite. The loss is copied: targets behind its
/// pointers must outlive it.
template <class L> Term<L> term(double coefficient, L loss) {
  require<UsageError>(std::isfinite(coefficient), "loss: the coefficient of a term must be finite");
  return {coefficient, std::move(loss)};
}

/// L = sum over terms of coefficient L(term), added in their order: gradients, values and seeds.
/// Concurrent, and one that gathers, where every term is; it couples the samples of a batch where
/// one of them does.
template <class... Ls> class WeightedSum {
 public:
  static constexpr bool concurrent = (loss::concurrent<Ls> && ...);
  static constexpr bool gathers = (loss::gathers<Ls> && ...);
  static constexpr bool coupled = (loss::couples<Ls> || ...);
  explicit WeightedSum(Term<Ls>... terms) : terms_(std::move(terms)...) {}

  template <class T, class Device>
  void operator()(Trace<T, Device>& trace, const Call<T>& call) const {
    Call<T> scaled = call;
    const auto add = [&](const auto& t) {
      scaled.weight = call.weight * t.coefficient;
      scaled.scale = call.scale * t.coefficient;
      evaluate(t.loss, trace, scaled);
      scaled.add = true;
    };
    std::apply([&](const auto&... terms) { (add(terms), ...); }, terms_);
  }

 private:
  std::tuple<Term<Ls>...> terms_;
};
template <class... Ls>
  requires(sizeof...(Ls) > 0)
WeightedSum<Ls...> sum(Term<Ls>... terms) { return WeightedSum<Ls...>(std::move(terms)...); }

}  // namespace rnx::inline RNX_ISA::loss
