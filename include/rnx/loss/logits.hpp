// Losses on the logits z (n, classes).
#pragma once

#include <cmath>

#include "rnx/loss/call.hpp"
#include "rnx/loss/cpu.hpp"

namespace rnx::inline RNX_ISA::loss {

/// L = -sum over k of q(k) log softmax(z / T)(k), q = (1 - smoothing) onehot(label) + smoothing /
/// classes    (Szegedy et al. 2016, section 7)
/// Throws UsageError when there are no labels, smoothing is outside [0, 1) or T <= 0. A label
/// outside the classes gives NaN: see Labels.
struct CrossEntropy {
  static constexpr bool concurrent = true, gathers = true;
  const std::int32_t* labels = nullptr;  ///< device memory, of the whole batch (Labels::data)
  double smoothing = 0;
  double temperature = 1;

  template <class T, class Device>
  void operator()(Trace<T, Device>& trace, const Call<T>& call) const {
    require<UsageError>(labels != nullptr, "loss cross-entropy: no labels were given");
    expect(smoothing >= 0 && smoothing < 1, "cross-entropy: smoothing must be in [0, 1)",
           smoothing);
    expect(temperature > 0 && std::isfinite(temperature),
           "cross-entropy: the temperature must be positive", temperature);
    const auto dz = logits_gradient(trace);
    const auto z = trace.logits();
    with_values(trace, call, [&](T* value) {
      run<Device>({trace.context().stream}, op::cross_entropy<T>{.logits = z,
                                                                 .dz = {geometry::map(z), dz.data},
                                                                 .labels = labels + call.first,
                                                                 .value = value,
                                                                 .smoothing = smoothing,
                                                                 .temperature = temperature,
                                                                 .weight = call.weight,
                                                                 .add = call.add,
                                                                 .samples = call.samples.data});
    });
  }
};

/// Which distribution the expectation is taken over.
enum class Direction { teacher_to_student, student_to_teacher };

/// T^2 KL(p_t || p_s), or T^2 KL(p_s || p_t); p = softmax(logits / T), t: logits of a teacher or of
/// another pass, held constant (Hinton et al. 2015). The gradient of KL(p_a || p_b) with respect to
/// a, on a's trace, is that of student_to_teacher.
/// floor > 0: T^2 sum of p_t log(floor + p_t / (p_s + floor)), of teacher_to_student alone: the
/// released code of RNAS-CL, 1e-6.
/// Throws UsageError for T <= 0 or a floor that cannot be, ShapeError when the teacher's logits do
/// not cover the trace's samples.
template <class T, class Device = default_device> struct Kl {
  static constexpr bool concurrent = true, gathers = true;
  View<const T, Device> teacher_logits{};  ///< (n, classes) of the whole batch
  double temperature = 1;
  Direction direction = Direction::teacher_to_student;
  double floor = 0;

  void operator()(Trace<T, Device>& trace, const Call<T>& call) const {
    expect(temperature > 0 && std::isfinite(temperature), "KL: the temperature must be positive",
           temperature);
    expect(floor == 0 || (floor > 0 && floor < 1 && direction == Direction::teacher_to_student),
           "KL: a floor is in [0, 1), and of teacher_to_student alone", floor);
    const auto dz = logits_gradient(trace);
    const auto z = trace.logits();
    const auto t = rows_of(teacher_logits, trace, call, z.dims, "KL");
    const bool reverse = direction == Direction::student_to_teacher;
    with_values(trace, call, [&](T* value) {
      run<Device>({trace.context().stream}, op::kl_divergence<T>{.logits = z,
                                                                 .teacher = t,
                                                                 .dz = {geometry::map(z), dz.data},
                                                                 .value = value,
                                                                 .temperature = temperature,
                                                                 .floor = floor,
                                                                 .weight = call.weight,
                                                                 .reverse = reverse,
                                                                 .add = call.add,
                                                                 .samples = call.samples.data});
    });
  }
};
template <class T, class Device, class... Rest>
Kl(View<T, Device>, Rest...) -> Kl<std::remove_const_t<T>, Device>;

}  // namespace rnx::inline RNX_ISA::loss
