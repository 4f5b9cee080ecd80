// What the attacks of many steps share: who is misclassified on the way, expected gradients.
#pragma once

#include <concepts>

#include "rnx/attack/auto_pgd_row.hpp"
#include "rnx/attack/begin.hpp"
#include "rnx/kernels/cpu/row.hpp"

namespace rnx::inline RNX_ISA::attack {

/// A loss that knows the labels of the batch, in device memory: an attack can tell which samples
/// are misclassified.
template <class L>
concept Labelled = requires(const L& loss) {
  { loss.labels } -> std::convertible_to<const std::int32_t*>;
};
template <class L> const std::int32_t* labels_of(const L& loss) {
  if constexpr (Labelled<L>)
    return loss.labels;
  else
    return nullptr;
}

/// An attack may run several times within a call (restarts, targets): each run has draws of its
/// own.
inline constexpr int draw_bits_of_run = 20;

namespace detail {

/// The first n samples of a workspace's memory of that name.
template <class T, class Device>
View<T, Device> rows(Workspace<T, Device>& work, const char* name, int n,
                     std::optional<Dims> dims = {}) {
  return work.state(name, dims).view().samples(0, n);
}
/// A loss that also says which samples are misclassified. values: where those of the batch's first
/// sample go, which every call has.
template <class Loss, class T, class Device> struct Judged {
  static constexpr bool concurrent = loss::concurrent<Loss>, gathers = loss::gathers<Loss>;
  const Loss& loss;
  const std::int32_t* labels;
  const T* values;
  T* flags;

  void operator()(Trace<T, Device>& trace, const loss::Call<T>& call) const {
    loss::evaluate(loss, trace, call);
    run<Device>({trace.context().stream},
                op::misclassified<T>{.logits = trace.logits(),
                                     .labels = labels + call.first,
                                     .flags = flags + (call.values - values),
                                     .samples = call.samples.data});
  }
};

/// flags[i] = 1 where one of the victim's outputs misclassifies x(i), else 0; in eval mode.
template <class T, class Device>
void judge(const VictimRef<T, Device>& victim, Workspace<T, Device>& work, View<const T, Device> x,
           const Context& ctx, const std::int32_t* labels, T* flags) {
  for (int k = 0; k < victim.outputs(); ++k)
    run<Device>({ctx.stream}, op::misclassified<T>{.logits = work.predictor(victim)(x, ctx, k),
                                                   .labels = labels,
                                                   .flags = flags,
                                                   .also = k > 0,
                                                   .samples = ctx.samples.data});
}

/// The input gradient, the values and, where there are labels, who is misclassified: from one
/// forward of a network, by a further one of another victim.
template <class T, class Device, class Loss>
void judged_gradient(const WhiteBoxRef<T, Device>& victim, Workspace<T, Device>& work,
                     View<const T, Device> x, const Loss& loss, const Context& ctx,
                     View<T, Device> dx, T* values, T* flags) {
  const std::int32_t* labels = labels_of(loss);
  if (!labels || !victim.network())
    input_gradient<T, Device>(victim, work, x, loss, ctx, dx, values);
  else
    input_gradient<T, Device>(victim, work, x, Judged<Loss, T, Device>{loss, labels, values, flags},
                              ctx, dx, values);
  if (labels && !victim.network()) judge<T, Device>(victim, work, x, ctx, labels, flags);
}

/// The mean of `times` gradients, each of another draw (Athalye et al. 2018, EoT); values and flags
/// are those of the last draw.
template <class T, class Device, class Loss>
void expected_gradient(const WhiteBoxRef<T, Device>& victim, Workspace<T, Device>& work,
                       View<const T, Device> x, const Loss& loss, Context& ctx, int times,
                       View<T, Device> dx, T* values, T* flags) {
  ++ctx.draw;
  judged_gradient(victim, work, x, loss, ctx, dx, values, flags);
  if (times == 1) return;
  const Stream stream{ctx.stream};
  const View<T, Device> sum = rows(work, "eot", x.n);
  run<Device>(stream, op::fill<T>{.count = sum.count(), .value = T(0), .y = sum.data});
  for (int k = 0; k < times; ++k) {
    if (k > 0) {
      ++ctx.draw;
      judged_gradient(victim, work, x, loss, ctx, dx, values, flags);
    }
    run<Device>(
        stream,
        op::axpy<T>{.count = sum.count(), .alpha = T(1.0 / times), .x = dx.data, .y = sum.data});
  }
  run<Device>(stream, op::copy<T>{.from = map(sum), .to = map(dx)});
}

}  // namespace detail

}  // namespace rnx::inline RNX_ISA::attack
