// How an attack's call begins, where it starts, and the step that most of them make.
#pragma once

#include "rnx/attack/cpu.hpp"
#include "rnx/attack/input_gradient.hpp"

namespace rnx::inline RNX_ISA::attack {

/// clean: begin at the image. random: Linf uniform in the ball, L2 on the sphere. gaussian: 0.001 n
/// away, n standard normal, which moves a divergence from its stationary point (Zhang et al. 2019).
/// All are clipped to [0, 1].
enum class Start { clean, random, gaussian };

inline std::string text_of(Start start) {
  return start == Start::clean ? "clean" : start == Start::random ? "random" : "gaussian";
}

namespace detail {

/// Context and seed of an attack's call.
struct Begun {
  Context ctx;
  std::uint64_t seed;  ///< to be added to the values' own
};

/// Checks images and options and sees to it that ctx.values holds the radius. Throws as Pgd's call
/// does.
template <class Norm, class Attack, class T, class Device>
Begun begin(const Attack& attack, Workspace<T, Device>& work, View<const T, Device> x,
            View<T, Device> adversarial, Context ctx, std::uint64_t draw) {
  StepValues own{.seed = attack.seed};
  attack.set(own);
  check_radius<Norm>(own.eps, own.step);
  require<ShapeError>(
      x.dense() && adversarial.dense() && adversarial.n == x.n && adversarial.dims == x.dims,
      "attack: the adversarial images must be dense and of the shape of the clean ones");
  require<UsageError>(!overlap(x, adversarial),
                      "attack: the adversarial images must not share memory with the clean ones");
  require<ShapeError>(x.n <= work.gradient.n(),
                      "attack: the workspace holds fewer samples than the batch");
  check_samples(ctx, x.n);
  ctx.draw += draw;
  if (!ctx.values) {
    ctx.values = work.set(own);
    return {ctx, 0};
  }
  if constexpr (std::is_same_v<Device, cpu>)
    require<UsageError>(ctx.values->eps >= 0,
                        "attack: the step's values hold no radius; an objective's set() must call "
                        "the attack's set()");
  return {ctx, attack.seed};
}

/// A view as operations take it.
template <class T, class Device> op::Map<T> map(const View<T, Device>& v) { return v; }

/// adversarial = a start, or x.
template <class Norm, class T, class Device>
void start_at(Start start, View<const T, Device> x, View<T, Device> adversarial, const Context& ctx,
              std::uint64_t seed) {
  const Stream stream{ctx.stream};
  if (start == Start::clean)
    return run<Device>(stream, op::copy<T>{.from = x, .to = map(adversarial)});
  run<Device>(stream, op::attack_start<T>{.clean = x,
                                          .adversarial = map(adversarial),
                                          .values = ctx.values,
                                          .norm = Norm::kind,
                                          .draw = ctx.draw,
                                          .first_sample = ctx.first_sample,
                                          .noise = start == Start::gaussian ? 1e-3 : 0.0,
                                          .seed = seed,
                                          .samples = ctx.samples.data});
}
/// A step of the values' size along the gradient, projected.
template <class Norm, class T, class Device>
void step_along(View<const T, Device> gradient, View<const T, Device> x,
                View<T, Device> adversarial, const Context& ctx) {
  static_assert(Norm::kind != op::Norm::l1,
                "rnx: steps are in Linf and L2; in L1 AutoPgd has some");
  run<Device>({ctx.stream}, op::attack_step<T>{.clean = x,
                                               .gradient = gradient,
                                               .adversarial = map(adversarial),
                                               .values = ctx.values,
                                               .norm = Norm::kind,
                                               .fgsm = false});
}

}  // namespace detail

}  // namespace rnx::inline RNX_ISA::attack
