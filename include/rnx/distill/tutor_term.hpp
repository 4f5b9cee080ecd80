// The tutor loss as a term of a sum.
#pragma once

#include "rnx/distill/tutor.hpp"

namespace rnx::inline RNX_ISA::distill {

/// loss::sum(loss::term(1, CrossEntropy{...}), loss::term(1, TutorTerm{&tutor, &teacher_trace,
/// &tutor_grads})): forward and backward at once, values of each sample included; with per_batch
/// each is the batch's. The teacher's trace holds the same samples as the student's, so it takes
/// whole batches (loss::PerBatch). Loss, trace and gradients must outlive it; gradients may be
/// null. Throws UsageError where the call is a part of a larger batch; and what TutorLoss throws.
template <class T, class Device = default_device> struct TutorTerm {
  static constexpr bool coupled = true;
  TutorLoss<T, Device>* tutor;
  const Trace<T, Device>* teacher;
  Grads<T, Device>* grads = nullptr;

  void operator()(Trace<T, Device>& student, const loss::Call<T>& call) const {
    require<UsageError>(call.first == 0, "tutor loss: it takes whole batches, not tiles");
    loss::no_logits_part(student, call);
    tutor->forward(student, *teacher);
    if (student.use() != Use::infer) tutor->backward(student, call.weight * student.n(), grads);
    loss::with_values(student, call, [&](T* value) {
      const geometry::Map row{1, 1, 1, student.n(), student.n()};
      if (value)
        run<Device>({student.context().stream},
                    op::copy<T>{.from = {row, tutor->values()}, .to = {row, value}});
    });
  }
};
template <class T, class Device, class... Rest>
TutorTerm(TutorLoss<T, Device>*, Rest...) -> TutorTerm<T, Device>;

}  // namespace rnx::inline RNX_ISA::distill
