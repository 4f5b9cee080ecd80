// A contrastive loss with a memory of features: it couples the batch (loss::PerBatch).
#pragma once

#include "rnx/distill/cpu_batch.hpp"
#include "rnx/loss/distance.hpp"

namespace rnx::inline RNX_ISA::distill {

/// Where a memory of features lies: device memory of somebody else's, zeros at the start. What it
/// holds is part of a run: it belongs into checkpoints.
template <class T> struct FeatureMemory {
  int newest = 0;     ///< rows that a loss reads: the last ones remembered
  int batch = 0;      ///< the most samples of one call
  int width = 0;      ///< values of a row
  T* rows = nullptr;  ///< capacity() rows
  T* at = nullptr;    ///< three values: the next slot, the rows remembered, those put since

  /// The rows of a batch lie beside those that are read.
  int capacity() const { return newest + batch; }
  op::ring_of_rows<T> ring() const {
    return {.capacity = capacity(), .length = width, .rows = rows, .at = at};
  }
  /// Throws UsageError where positions would not be exact numbers.
  void check() const {
    constexpr int most = 1 << 24;  // of a float
    require<UsageError>(newest >= 0 && batch > 0 && width > 0 && newest < most - batch, [&] {
      return "contrastive loss: expected a memory of 0 to " + std::to_string(most) +
             " rows, found " + std::to_string(newest);
    });
  }
};

/// L(i) = -log(exp(<s(i), t(i)> / temperature) / sum over v of exp(<s(i), v> / temperature)), rows
/// divided by their norms (InfoNCE: van den Oord et al. 2018, eq. 4). v: the targets t of all n
/// samples, and the targets that the memory holds of batches before, a queue (He et al. 2020). s: a
/// feature of the trace (or its logits); t: (n, c, h, w) of the whole batch, as wide as s, held
/// constant: a teacher's features.
/// A call puts its targets beside what is remembered, in place of those of the call before, until
/// remember() takes them in, once per step: several calls before it read the same memory.
/// Throws what distances throw (loss/distance.hpp), UsageError for a temperature that is not
/// positive, ShapeError where rows do not fit into the memory.
template <class T, class Device = default_device> class InfoNce {
 public:
  static constexpr bool coupled = true;
  InfoNce(View<const T, Device> target, FeatureMemory<T> memory, double temperature,
          loss::Feature feature = {})
      : target_(target),
        memory_(memory),
        temperature_(temperature),
        feature_(std::move(feature)) {
    memory_.check();
    loss::expect(temperature > 0 && std::isfinite(temperature),
                 "contrastive: the temperature must be positive", temperature);
  }

  void operator()(Trace<T, Device>& trace, const loss::Call<T>& call) const {
    const auto own = loss::feature_rows(feature_, trace, call, "contrastive");
    const auto t = loss::rows_of(target_, trace, call, own.value.dims, "contrastive");
    const geometry::Map s_map = loss::row_map(own.value, "contrastive"),
                        t_map = loss::row_map(t, "contrastive"),
                        ds_map = loss::row_map(own.gradient, "contrastive");
    require<ShapeError>(s_map.c == memory_.width && s_map.n <= memory_.batch, [&] {
      return "loss contrastive: the memory is for batches of " + std::to_string(memory_.batch) +
             " rows of " + std::to_string(memory_.width) + " values, found " +
             std::to_string(s_map.n) + " of " + std::to_string(s_map.c);
    });
    const Stream stream{trace.context().stream};
    run<Device>(stream, op::put_rows<T>{.x = {t_map, t.data}, .ring = memory_.ring()});
    loss::with_values(trace, call, [&](T* value) {
      run<Device>(stream, op::row_contrast<T>{.s = {s_map, own.value.data},
                                              .ds = {ds_map, own.gradient.data},
                                              .ring = memory_.ring(),
                                              .newest = memory_.newest,
                                              .value = value,
                                              .temperature = temperature_,
                                              .weight = call.weight,
                                              .add = own.add});
    });
  }

 private:
  View<const T, Device> target_;
  FeatureMemory<T> memory_;
  double temperature_;
  loss::Feature feature_;
};

/// The targets of the last call are remembered from now on.
template <class T, class Device = default_device>
void remember(const FeatureMemory<T>& memory, Stream stream = {}) {
  run<Device>(stream, op::remember_rows<T>{.ring = memory.ring()});
}

}  // namespace rnx::inline RNX_ISA::distill
