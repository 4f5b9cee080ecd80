// Attacks on another model than the victim, and one without a bound.
#include "small.hpp"
#include "support/error_of.hpp"

#include <doctest/doctest.h>

using namespace rnx;
using small::Case;
using small::n;
using support::error_of;

namespace {

/// Gives logits alone.
class Alone final : public attack::Victim<> {
 public:
  explicit Alone(const NetworkBase<float>& net) : net_(&net) {}
  Dims input_dims() const override { return net_->input_dims(); }
  int classes() const override { return net_->classes(); }
  std::unique_ptr<Memory> make_memory(Use, int capacity, int tile) const override {
    return std::make_unique<Own>(*this, capacity, tile ? tile : capacity);
  }
  View<const float> logits(Memory& memory, View<const float> x, const Context& ctx,
                           int) const override {
    return net_->forward(static_cast<Own&>(memory).pass, x, ctx);
  }

 private:
  struct Own : Memory {
    Own(const Alone& victim, int capacity, int tile)
        : Memory(victim, tile),
          pass(victim.net_->make_trace({.capacity = capacity, .eval_only = true})) {}
    Trace<float> pass;
  };
  const NetworkBase<float>* net_;
};

}  // namespace

TEST_CASE("a transferred attack is that on the surrogate, whatever the victim") {
  Case c;
  const small::Net other(5);
  const attack::Transfer transfer{attack::Pgd<>{.eps = px(16), .steps = 4}, other};
  static_assert(attack::Attack<decltype(transfer), float, cpu>);
  const auto moved = c.moved(transfer);
  attack::Workspace<> of_other(other, n);
  Tensor<> a(n, c.x.dims());
  const loss::CrossEntropy ce{.labels = c.y.data()};
  attack::Pgd<>{.eps = px(16), .steps = 4}(other, of_other, std::as_const(c.x).view(), a.view(),
                                           ce);
  CHECK(moved == a.download());
  CHECK(moved != c.moved(attack::Pgd<>{.eps = px(16), .steps = 4}));
  // on the surrogate, and in the comparison
  CHECK(c.work.passes() == Passes{.forwards = 2 * 4 * n, .backwards = 2 * 4 * n});
  CHECK(transfer.describe() == "transfer of " + transfer.Pgd<>::describe());
  // through what is no network, onto what gives logits alone
  const attack::Ensemble<> both({{.net = &other}, {.net = &c.net}});
  const Alone alone(c.net);
  attack::Workspace<> of_alone(alone, n);
  const attack::Transfer of_both{attack::Pgd<>{.steps = 2}, both};
  of_both(alone, of_alone, std::as_const(c.x).view(), a.view(), ce);
  attack::verify<norm::Linf>(c.x.download(), a.download(), n, px(8));
  const Network<Linear<3>, Shape<3, 8, 8>> three(1);
  CHECK(error_of<UsageError>([&] {
          c.moved(attack::Transfer{attack::Pgd<>{}, three});
        }) == "attack: the surrogate must take the victim's images and have its classes");
}

TEST_CASE("without a bound an attack leaves nothing right") {
  Case c;
  const auto fooled = c.fooled(c.moved(attack::BestPgd<>{.eps = 1, .steps = 40}));
  for (int i = 0; i < n; ++i) CHECK(fooled[i]);
}
