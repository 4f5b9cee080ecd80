// Free adversarial training (Shafahi et al. 2019): one backward gives input and weight gradients;
// each batch is replayed m times, and the perturbation is one buffer of batch shape that starts at
// zero and persists across batches (paper 002 says "reset": its code does not).
#pragma once

#include "rnx/train/cpu.hpp"
#include "rnx/train/terms.hpp"

namespace rnx::inline RNX_ISA::train {

/// Gradients at clip(x + delta), then a step of length eps of the perturbation. An objective of one
/// item.
struct Free {
  Rational eps = px(8);
  int m = 8;  ///< replays of a batch; rates are stepped per replay
  double smoothing = 0;
  static constexpr std::array<NameOf, 2> provides{view_named("moved"), pass_named("moved")};

  template <class T, class Device> void plan(Planner<T, Device>& p) {
    attack::check_radius<norm::Linf>(eps, eps);
    p.replays(m);
    p.labels();
    p.view("moved");
    p.pass("moved", {.view = "moved", .input_gradient = true});
    const Dims d = p.student().input_dims();
    p.state("delta", {p.batch(), d.h, d.w, d.c});
    p.attack("free", {.memory = false, .set = [this](StepValues& v) {
                        v.eps = eps;
                        v.step = eps;
                      }});
    p.value("free.eps", eps, [this](double v) { eps = v; });
    p.fact("free smoothing " + exact_text(smoothing));
  }
  template <class T, class Device> void step(Stage<T, Device>& s) {
    const auto moved = s.writable("moved");
    run<Device>(s.stream(), op::perturb<T>{.count = moved.count(),
                                           .x = s.view("clean").data,
                                           .delta = s.state("delta"),
                                           .y = moved.data});
    s.forward("moved");
    s.descend({.pass = "moved", .name = "ce.moved"},
              loss::CrossEntropy{.labels = s.labels.data(), .smoothing = smoothing});
  }
  template <class T, class Device> void finish(Stage<T, Device>& s) {
    const auto gradient = s.input_gradient("moved");
    run<Device>(s.stream(), op::perturbation_step<T>{.count = gradient.count(),
                                                     .values = s.attacker("free").values,
                                                     .gradient = gradient.data,
                                                     .delta = s.state("delta")});
  }
};

}  // namespace rnx::inline RNX_ISA::train
