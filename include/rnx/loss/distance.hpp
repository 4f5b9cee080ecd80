// Distances between a feature s of the trace (or its logits) and a target t: one row of c h w
// values per sample.
#pragma once

#include "rnx/loss/call.hpp"
#include "rnx/loss/cpu.hpp"

namespace rnx::inline RNX_ISA::loss {

/// What a distance reads: the logits, or a kept activation by path or tag. A kept one needs a seed
/// where gradients are wanted.
struct Feature {
  std::string path{};
  const void* tag = nullptr;

  bool is_logits() const { return path.empty() && !tag; }
  std::string text() const {
    return is_logits() ? "logits" : tag ? "the tapped activation" : "'" + path + "'";
  }
  template <class T, class Device> const Kept<T, Device>& of(const Trace<T, Device>& trace) const {
    return tag ? trace.tagged(tag) : trace.activation(path);
  }
};
inline Feature logits() { return {}; }
inline Feature at(std::string path) { return {std::move(path)}; }
template <class Tag> Feature tapped() { return {{}, &tag_id<Tag>}; }

/// A feature of a trace that has run, and where a loss writes its gradient (empty in a trace for
/// inference).
template <class T, class Device> struct FeatureRows {
  View<const T, Device> value;
  View<T, Device> gradient;
  bool add;  ///< the gradient is added to: false for logits whose call assigns
};
/// Throws NameError when the feature is not kept, UsageError when it has no seed but the trace runs
/// backward, StateError when its layer did not run; `name` begins the sentences.
template <class T, class Device>
FeatureRows<T, Device> feature_rows(const Feature& feature, const Trace<T, Device>& trace,
                                    const Call<T>& call, const std::string& name) {
  if (feature.is_logits()) return {trace.logits(), logits_gradient(trace), call.add};
  const auto& kept = feature.of(trace);
  require<StateError>(kept.active, [&] {
    return "loss " + name + ": " + feature.text() + " did not run in this pass";
  });
  require<UsageError>(kept.seed || trace.use() == Use::infer, [&] {
    return "loss " + name + ": " + feature.text() +
           " is kept without a seed; keep it with Keep::seeded()";
  });
  no_logits_part(trace, call);
  return {kept.value, kept.seed, true};
}
/// A sample as one row of c h w values. Throws ShapeError for a map of several pixels with inactive
/// channels.
template <class U, class Device>
geometry::Map row_map(const View<U, Device>& v, const std::string& name) {
  require<ShapeError>(v.dense() || v.dims.pixels() == 1, [&] {
    return "loss " + name + ": a map of several pixels must have every channel active";
  });
  return {v.n, 1, 1, int(v.dims.count()), int(v.sample_stride())};
}

/// target: (n, c, h, w) of the whole batch, channels innermost as
/// in the trace.
/// Throws NameError when the feature is not kept, UsageError when it has no seed but the trace runs
/// backward, StateError when its layer did not run, ShapeError when the target does not fit or a
/// map of several pixels has inactive channels.
template <class T, class Device, op::Distance Kind> class Distance {
 public:
  static constexpr bool concurrent = true, gathers = true;
  static constexpr const char* name = Kind == op::Distance::mean_square ? "mean square"
                                      : Kind == op::Distance::cosine    ? "cosine"
                                      : Kind == op::Distance::l2        ? "l2"
                                                                        : "relative l2";
  explicit Distance(View<const T, Device> target, Feature feature = {})
      : target_(target),
        feature_(std::move(feature)) {}

  void operator()(Trace<T, Device>& trace, const Call<T>& call) const {
    const auto own = feature_rows(feature_, trace, call, "distance");
    const auto t = rows_of(target_, trace, call, own.value.dims, "distance");
    const geometry::Map s_map = row_map(own.value, "distance"), t_map = row_map(t, "distance"),
                        ds_map = row_map(own.gradient, "distance");
    with_values(trace, call, [&](T* value) {
      run<Device>({trace.context().stream}, op::row_distance<T>{.s = {s_map, own.value.data},
                                                                .t = {t_map, t.data},
                                                                .ds = {ds_map, own.gradient.data},
                                                                .value = value,
                                                                .kind = Kind,
                                                                .weight = call.weight,
                                                                .add = own.add,
                                                                .samples = call.samples.data});
    });
  }

 private:
  View<const T, Device> target_;
  Feature feature_;
};

/// L = mean over the row of (s - t)^2
template <class T, class Device = default_device>
struct Mse : Distance<T, Device, op::Distance::mean_square> {
  using Distance<T, Device, op::Distance::mean_square>::Distance;
};
/// L = -<s, t> / max(|s| |t|, 1e-6): representation matching on unit spheres (robust representation
/// matching, l-inf)
template <class T, class Device = default_device>
struct Cosine : Distance<T, Device, op::Distance::cosine> {
  using Distance<T, Device, op::Distance::cosine>::Distance;
};
/// L = |s - t|
template <class T, class Device = default_device>
struct L2 : Distance<T, Device, op::Distance::l2> {
  using Distance<T, Device, op::Distance::l2>::Distance;
};
/// L = |s - t| / |t| (robust representation matching, l2); a target of zeros has no value
template <class T, class Device = default_device>
struct RelativeL2 : Distance<T, Device, op::Distance::relative_l2> {
  using Distance<T, Device, op::Distance::relative_l2>::Distance;
};

template <class T, class Device, class... Rest>
Mse(View<T, Device>, Rest...) -> Mse<std::remove_const_t<T>, Device>;
template <class T, class Device, class... Rest>
Cosine(View<T, Device>, Rest...) -> Cosine<std::remove_const_t<T>, Device>;
template <class T, class Device, class... Rest>
L2(View<T, Device>, Rest...) -> L2<std::remove_const_t<T>, Device>;
template <class T, class Device, class... Rest>
RelativeL2(View<T, Device>, Rest...) -> RelativeL2<std::remove_const_t<T>, Device>;

}  // namespace rnx::inline RNX_ISA::loss
