// FGSM (Goodfellow et al. 2015), FGSM with random start (Wong et al. 2020) and PGD (Madry et al. 2018), in Linf and L2.
// Images in [0, 1]; every step is projected onto the ball around the clean image and onto [0, 1] (FACTS of the reference codes: Linf steps
// by sign(g), L2 by g / |g|; L2 clips after projecting). The last iterate is returned.
#pragma once

#include "rnx/attack/input_gradient.hpp"

namespace rnx::inline RNX_ISA::attack {

/// clean: begin at the image. random: Linf uniform in the ball, L2 on the sphere. gaussian: 0.001 n away, n standard normal, which moves a
/// divergence from its stationary point (Zhang et al. 2019). All are clipped to [0, 1].
enum class Start { clean, random, gaussian };

/// x' = project(x' + step direction(gradient of the loss)), `steps` times.
template <class Norm = norm::Linf>
struct Pgd {
  using norm = Norm;
  Rational eps = px(8), step = px(2);
  int steps = 10;
  Start start = Start::random;
  std::uint64_t seed = 0;

  /// Forwards, and as many backwards, that one call takes for each sample.
  int passes() const { return steps; }

  /// adversarial: (n, c, h, w), assigned. ctx: mode and path of the model; where ctx.values is set, eps, step, seed and draw are read there
  /// (training steps that are recorded), otherwise from this policy. `draw` tells restarts apart.
  /// Throws UsageError for an eps or step outside its range and for adversarial images that share memory with the clean
  /// ones, Stopped when ctx.stop is set: it is looked at in each tile of each step.
  template <class T, class Device, class Loss>
  void operator()(const NetworkBase<T, Device>& net, Workspace<T, Device>& work, View<const std::type_identity_t<T>, Device> x,
                  View<std::type_identity_t<T>, Device> adversarial, const Loss& loss, Context ctx = {}, std::uint64_t draw = 0) const {
    check_radius<Norm>(eps, step);
    require<UsageError>(steps >= 0, "attack: the number of steps must not be negative");
    require<ShapeError>(x.dense() && adversarial.dense() && adversarial.n == x.n && adversarial.dims == x.dims, "attack: the adversarial images must be dense and of the shape of the clean ones");
    require<UsageError>(!overlap(x, adversarial),
                        "attack: the adversarial images must not share memory with the clean ones");
    require<ShapeError>(x.n <= work.gradient.n(), "attack: the workspace holds fewer samples than the batch");
    if (!ctx.values) ctx.values = work.set({.seed = seed, .draw = draw, .eps = eps, .step = step});
    const Stream stream{ctx.stream};
    const geometry::Map rows = geometry::map(x);
    if (start == Start::clean) run<op::copy, Device, T>(stream, {rows, rows, x.data, adversarial.data});
    else run<op::attack_start, Device, T>(stream, {rows, Norm::number, ctx.draw, ctx.first_sample, ctx.values, x.data, adversarial.data, start == Start::gaussian ? 1e-3 : 0.0});
    const View<T, Device> dx = work.gradient.view().samples(0, x.n);
    for (int k = 0; k < steps; ++k) {
      ++ctx.draw;  // dropout of a model attacked in train mode differs from step to step
      input_gradient(net, work.trace, View<const T, Device>(adversarial), loss, ctx, dx);
      run<op::attack_step, Device, T>(stream, {rows, Norm::number, false, ctx.values, x.data, dx.data, adversarial.data});
    }
  }
};

/// One step. Start::clean: length eps (FGSM). Otherwise FGSM-RS with its own step, 1.25 eps in Wong et al.
template <class Norm = norm::Linf>
struct Fgsm {
  using norm = Norm;
  Rational eps = px(8);
  Start start = Start::clean;
  Rational step = px(10);  ///< where the start is not clean
  std::uint64_t seed = 0;

  int passes() const { return 1; }

  template <class T, class Device, class Loss>
  void operator()(const NetworkBase<T, Device>& net, Workspace<T, Device>& work, View<const std::type_identity_t<T>, Device> x,
                  View<std::type_identity_t<T>, Device> adversarial, const Loss& loss, Context ctx = {}, std::uint64_t draw = 0) const {
    Pgd<Norm>{.eps = eps, .step = start == Start::clean ? eps : step, .steps = 1, .start = start, .seed = seed}(net, work, x, adversarial, loss, ctx, draw);
  }
};

}  // namespace rnx::inline RNX_ISA::attack
