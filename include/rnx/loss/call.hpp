// What a per-sample loss is, and the few lines that every loss shares.
//
// A per-sample loss L is any type with   void operator()(Trace<T, Device>&, const loss::Call<T>&)
//                                        const   (a std::function is one).
// Called after a forward of samples [call.first, call.first + trace.n()) of a batch, it writes, on
// the trace's stream,
//   gradients   call.weight dL(i)/dz(i) to trace.logits_gradient(), and to the seeds of kept
//               activations that it reads
//   values      call.scale L(i), one per sample
// The per-sample targets (labels, probabilities, features) cover the whole batch; the loss takes
// its rows from `first` on, or those that call.samples lists.
#pragma once

#include <concepts>

#include "rnx/kernels/op/memory.hpp"
#include "rnx/network/trace.hpp"

namespace rnx::inline RNX_ISA::loss {

template <class T = float> struct Call {
  int first = 0;  ///< position in the batch of the trace's first sample
  /// where the trace holds chosen samples of the batch: its row i is sample first +
  /// samples.data[i], see gathers
  SampleList samples{};
  double weight = 1;  ///< of every gradient: 1 for a sum over samples, 1/n for a mean
  /// false: logits_gradient and values are assigned. true: added to. Seeds are always added to:
  /// forward zeroed them.
  bool add = false;
  T* values = nullptr;  ///< device memory, one T per sample of the trace; null: no values wanted
  double scale = 1;     ///< of the values: the coefficient of this loss in a sum
  /// device memory like `values`, needed where values are scaled or added (Values provides
  /// both)
  T* scratch = nullptr;

  /// The sample of the batch that row i of the trace holds, where targets lie in host memory.
  int sample(int i) const { return first + int(geometry::sample_of(samples.data, std::size_t(i))); }
};

/// Losses that say `static constexpr bool coupled = true` couple the samples of a batch.
template <class L> constexpr bool couples = requires { requires L::coupled; };

/// Requires   loss(trace, call)    const, for every trace that has run a forward.
/// Ensures that it writes what the top of this file states, and reads of the batch no samples but
/// the trace's: attacks call it for a few samples at a time.
template <class L, class T, class Device>
concept PerSample =
    !couples<L> && requires(const L& loss, Trace<T, Device>& trace, const Call<T>& call) {
  loss(trace, call);
};

/// Requires the same of a loss that couples the samples of a batch, and says so.
/// Ensures that it writes what the top of this file states, where L(i) are shares of one number:
/// their mean is the loss of the batch, and gradients are those of the sum of all shares. The
/// trace's samples are what it couples: it is called once for each pass, never for tiles.
template <class L, class T, class Device>
concept PerBatch = couples<L> &&
    requires(const L& loss, Trace<T, Device>& trace, const Call<T>& call) {
  loss(trace, call);
};

/// Losses that say `static constexpr bool gathers = true` find the targets of the samples that
/// Call::samples lists, or have none: attacks may call them for chosen samples of a batch.
template <class L> constexpr bool gathers = requires { requires L::gathers; };

/// Calls a loss of either kind; where the type is none, one sentence says so.
/// Throws UsageError for a list of samples where the loss does not gather.
template <class L, class T, class Device>
void evaluate(const L& loss, Trace<T, Device>& trace, const Call<T>& call) {
  constexpr bool fits = PerSample<L, T, Device> || PerBatch<L, T, Device>;
  static_assert(fits,
                "rnx: a per-sample loss has `void operator()(Trace<T, Device>&, const "
                "loss::Call<T>&) const`; see loss/call.hpp");
  require<UsageError>(gathers<L> || !call.samples,
                      "loss: it takes the targets of consecutive samples; one that reads "
                      "Call::samples says `static constexpr bool gathers = true`");
  if constexpr (fits) loss(trace, call);
}

/// Losses that say `static constexpr bool concurrent = true` may be called by several threads at
/// once, each with its own trace.
template <class L> constexpr bool concurrent = requires { requires L::concurrent; };

/// A per-sample loss of any type, not owned, for what is compiled once for all losses.
template <class T, class Device> class LossRef {
 public:
  static constexpr bool gathers = true;  // if not, evaluate() of the loss itself says so

  template <class L>
    requires(!std::same_as<L, LossRef>)
  explicit LossRef(const L& loss)
      : loss_(&loss),
        call_([](const void* l, Trace<T, Device>& trace, const Call<T>& call) {
          evaluate(*static_cast<const L*>(l), trace, call);
        }),
        concurrent_(loss::concurrent<L>) {}
  void operator()(Trace<T, Device>& trace, const Call<T>& call) const { call_(loss_, trace, call); }
  /// Whether several threads may call it.
  bool by_threads() const { return concurrent_; }

 private:
  const void* loss_;
  void (*call_)(const void*, Trace<T, Device>&, const Call<T>&);
  bool concurrent_;
};

/// Weights: `batchmean` divides the sum over a batch by n, `elementmean` by n classes
/// (KLDivLoss(reduction="mean") in PyTorch, the reduction of the published RSLAD, ARD and ProARD
/// codes: `classes` times smaller gradients).
constexpr double batchmean(int n) { return 1.0 / n; }
constexpr double elementmean(int n, int classes) { return 1.0 / (double(n) * classes); }

/// Throws UsageError "loss <rule>, found <number>" unless `condition`.
inline void expect(bool condition, const char* rule, double found) {
  require<UsageError>(
      condition, [&] { return "loss " + std::string(rule) + ", found " + std::to_string(found); });
}

/// The gradient of the logits (n, classes), or an empty view in a trace for inference: there a loss
/// writes values only.
template <class T, class Device> View<T, Device> logits_gradient(const Trace<T, Device>& trace) {
  require<StateError>(trace.n() > 0, "loss: the trace has run no forward");
  require<ShapeError>(trace.logits().dense(), "loss: every class must be active");
  return trace.use() == Use::infer ? View<T, Device>{} : trace.logits_gradient();
}

/// For losses without a part on the logits: assigns zeros to their gradient unless the call adds.
template <class T, class Device>
void no_logits_part(const Trace<T, Device>& trace, const Call<T>& call) {
  const auto dz = logits_gradient(trace);
  if (dz && !call.add)
    run<Device>({trace.context().stream}, op::fill<T>{dz.count(), T(0), dz.data});
}

/// launch(value): runs an operation that assigns per-sample values to `value` (null: computes
/// none). They end in call.values, scaled and added as the call says. Throws UsageError when that
/// needs scratch and there is none.
template <class T, class Device, class Launch>
void with_values(const Trace<T, Device>& trace, const Call<T>& call, Launch&& launch) {
  if (!call.values || (!call.add && call.scale == 1)) return launch(call.values);
  require<UsageError>(call.scratch != nullptr,
                      "loss: values of a sum need Call::scratch; loss::Values provides it");
  launch(call.scratch);
  const Stream stream{trace.context().stream};
  const std::size_t n = std::size_t(trace.n());
  if (!call.add) run<Device>(stream, op::fill<T>{n, T(0), call.values});
  run<Device>(stream,
              op::axpy<T>{.count = n, .alpha = T(call.scale), .x = call.scratch, .y = call.values});
}

/// The rows of a target for the whole batch from call.first on: those that belong to this trace, or
/// all where call.samples lists them. Throws ShapeError when it has too few or others than `dims`.
template <class T, class Device>
View<const T, Device> rows_of(const View<const T, Device>& target, const Trace<T, Device>& trace,
                              const Call<T>& call, Dims dims, const std::string& name) {
  require<ShapeError>(bool(target) && target.dims == dims, [&] {
    return "loss " + name + ": expected a target of " + dims.text() + " per sample, found " +
           (target ? target.dims.text() : "none");
  });
  const int n = call.samples ? call.samples.batch : trace.n();
  require<ShapeError>(call.first >= 0 && call.first + n <= target.n, [&] {
    return "loss " + name + ": the target has " + std::to_string(target.n) + " samples, the " +
           (call.samples ? "batch" : "trace") + " holds samples " + std::to_string(call.first) +
           " to " + std::to_string(call.first + n - 1);
  });
  return target.samples(call.first, n);
}

}  // namespace rnx::inline RNX_ISA::loss
