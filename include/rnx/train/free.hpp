// Free adversarial training (Shafahi et al. 2019): one backward gives input and weight gradients;
// each batch is replayed m times, and the perturbation is one buffer of batch shape that starts at
// zero and persists across batches (paper 002 says "reset": its code does not).
#pragma once

#include "rnx/train/cpu.hpp"
#include "rnx/train/terms.hpp"

namespace rnx::inline RNX_ISA::train {

/// Gradients at clip(x + delta), then a step of length eps of the perturbation, in Linf or L2 (the
/// paper has Linf; in L2 step and projection are PGD's). An objective of one item.
struct Free {
  op::Norm norm = op::Norm::linf;
  Rational eps = px(8);
  int m = 8;  ///< replays of a batch; rates are stepped per replay
  double smoothing = 0;
  static constexpr std::array<NameOf, 2> provides{view_named("moved"), pass_named("moved")};

  template <class T, class Device> void plan(Planner<T, Device>& p) {
    require<UsageError>(norm != op::Norm::l1, [] { return "Free: in Linf or L2, not in L1"; });
    if (norm == op::Norm::linf)
      attack::check_radius<rnx::norm::Linf>(eps, eps);
    else
      attack::check_radius<rnx::norm::L2>(eps, eps);
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
    p.fact((norm == op::Norm::l2 ? "free l2 smoothing " : "free smoothing ") +
           exact_text(smoothing));
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
    run<Device>(s.stream(), op::perturbation_step<T>{.rows = std::size_t(gradient.n),
                                                     .features = gradient.count() / gradient.n,
                                                     .norm = norm,
                                                     .values = s.attacker("free").values,
                                                     .gradient = gradient.data,
                                                     .delta = s.state("delta")});
  }
};

}  // namespace rnx::inline RNX_ISA::train
