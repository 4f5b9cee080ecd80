// Losses on how the samples of a batch lie to each other: they couple the batch (loss::PerBatch).
#pragma once

#include "rnx/distill/cpu_batch.hpp"
#include "rnx/loss/distance.hpp"

namespace rnx::inline RNX_ISA::distill {

/// Compares relations among the samples of the trace, in a feature s of it (or its logits), with
/// those in a target t: (n, c, h, w) of the whole batch, of any dims, held constant. The rows of
/// both are flattened. Memory in the CPU's scratch: 3 n^2 doubles.
/// Throws NameError when the feature is not kept, UsageError when it has no seed but the trace runs
/// backward, StateError when its layer did not run, ShapeError when the target has too few samples
/// or a map of several pixels has inactive channels.
template <class T, class Device, op::Relation Kind> class Relations {
 public:
  static constexpr bool coupled = true;
  static constexpr const char* name = Kind == op::Relation::similarity ? "similarity"
                                      : Kind == op::Relation::distance ? "relational distance"
                                                                       : "relational angle";
  explicit Relations(View<const T, Device> target, loss::Feature feature = {})
      : target_(target),
        feature_(std::move(feature)) {}

  void operator()(Trace<T, Device>& trace, const loss::Call<T>& call) const {
    const auto own = loss::feature_rows(feature_, trace, call, "relations");
    const auto t = loss::rows_of(target_, trace, call, target_.dims, "relations");
    const geometry::Map s_map = loss::row_map(own.value, "relations"),
                        t_map = loss::row_map(t, "relations"),
                        ds_map = loss::row_map(own.gradient, "relations");
    loss::with_values(trace, call, [&](T* value) {
      run<Device>({trace.context().stream}, op::row_relations<T>{.s = {s_map, own.value.data},
                                                                 .t = {t_map, t.data},
                                                                 .ds = {ds_map, own.gradient.data},
                                                                 .value = value,
                                                                 .kind = Kind,
                                                                 .weight = call.weight,
                                                                 .add = own.add});
    });
  }

 private:
  View<const T, Device> target_;
  loss::Feature feature_;
};

/// L = 1/n^2 sum over i, j of (G_s - G_t)(i, j)^2, G(i, :) = q(i, :) / |q(i, :)|, q(i, j) = <x(i),
/// x(j)> (similarity-preserving distillation, Tung & Mori 2019, eq. 2 to 4, for one pair of layers)
template <class T, class Device = default_device>
struct Similarity : Relations<T, Device, op::Relation::similarity> {
  using Relations<T, Device, op::Relation::similarity>::Relations;
};
/// L = 1/n^2 sum over i, j of H(psi_s - psi_t), psi = |x(i) - x(j)| / their mean over i != j, H:
/// Huber's function (relational distillation, Park et al. 2019, eq. 6 to 8; the mean over all n^2
/// as in their code). One sample alone has L = 0; a batch of equal rows has no value (NaN).
template <class T, class Device = default_device>
struct RelationalDistance : Relations<T, Device, op::Relation::distance> {
  using Relations<T, Device, op::Relation::distance>::Relations;
};
/// L = 1/n^3 sum over i, j, k of H(psi_s - psi_t), psi = cosine of the angle at x(i) between x(j)
/// and x(k); 0 where two of them are equal (Park et al. 2019, eq. 9 and 10, the mean as above).
template <class T, class Device = default_device>
struct RelationalAngle : Relations<T, Device, op::Relation::angle> {
  using Relations<T, Device, op::Relation::angle>::Relations;
};

template <class T, class Device, class... Rest>
Similarity(View<T, Device>, Rest...) -> Similarity<std::remove_const_t<T>, Device>;
template <class T, class Device, class... Rest>
RelationalDistance(View<T, Device>, Rest...) -> RelationalDistance<std::remove_const_t<T>, Device>;
template <class T, class Device, class... Rest>
RelationalAngle(View<T, Device>, Rest...) -> RelationalAngle<std::remove_const_t<T>, Device>;

}  // namespace rnx::inline RNX_ISA::distill
