// Feature inversion (Ilyas et al. 2019, eq. 5; paper 002, eq. 4): an image whose features are those
// of another one, from which data sets for natural training are "robustified". It is an L2 attack
// that climbs the negative distance of features.
#pragma once

#include "rnx/attack/momentum.hpp"
#include "rnx/loss/distance.hpp"
#include "rnx/loss/sum.hpp"

namespace rnx::inline RNX_ISA::attack {

/// x_r minimises |g(x_r) - g(x)|, g: the features with this tag, of a network in eval mode.
/// `steps` steps of length `step` against the gradient over its own length, each within `eps` (L2)
/// of the start and in [0, 1]; of start, iterates and end the nearest. The defaults are the
/// published codes': a ball that is no limit.
template <class Tag = Penultimate> struct Inversion {
  Rational eps = 1000.0, step = 0.1;
  int steps = 1000;

  /// What its workspace must keep.
  static std::vector<Keep> keep() { return {Keep::tap<Tag>().seeded()}; }
  /// Forwards, and as many backwards, of one call for each sample, beside the forward of x.
  int passes() const { return attack().passes(); }
  /// All that its bits depend on, as one line.
  std::string describe() const { return "inversion, " + attack().describe(); }

  /// work: of the network, with keep(). x: the images whose features are wanted; start: as many;
  /// result: apart from both, assigned. A sample's result depends on its own two images alone.
  /// Errors: UsageError (options, memory that overlaps), ShapeError, Stopped.
  template <class T, class Device>
  void operator()(const NetworkBase<T, Device>& net, Workspace<T, Device>& work,
                  std::type_identity_t<View<const T, Device>> x,
                  std::type_identity_t<View<const T, Device>> start,
                  std::type_identity_t<View<T, Device>> result, const Context& ctx = {}) const {
    require<ShapeError>(x.n == start.n && x.dims == start.dims,
                        "inversion: expected as many starts as images, of one shape");
    Trace<T, Device> trace = net.make_trace(
        {.use = Use::infer, .capacity = x.n, .keep = {Keep::tap<Tag>()}, .eval_only = true});
    net.forward(trace, x, ctx);
    const loss::L2<T, Device> distance(trace.template tap<Tag>().value, loss::tapped<Tag>());
    attack()(net, work, start, result, loss::sum(loss::term(-1, distance)), ctx);
  }

 private:
  BestPgd<norm::L2> attack() const {
    return {.eps = eps, .step = step, .steps = steps, .start = Start::clean};
  }
};

}  // namespace rnx::inline RNX_ISA::attack
