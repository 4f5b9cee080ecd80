// Losses on differences of logits, which attacks climb: the margin of Carlini and Wagner 2017 and
// the difference of logits ratio of Croce and Hein 2020. Above 0 where a sample is misclassified.
#pragma once

#include <cmath>
#include <limits>
#include <string>

#include "rnx/kernels/cpu/row.hpp"
#include "rnx/loss/call.hpp"
#include "rnx/loss/margin_row.hpp"

namespace rnx::inline RNX_ISA::loss {

namespace detail {

/// Runs op::logit_margin for a loss. Throws UsageError for missing labels and fewer than `classes`
/// classes.
template <class T, class Device>
void margin(Trace<T, Device>& trace, const Call<T>& call, op::logit_margin<T> a, int classes,
            const char* name) {
  require<UsageError>(a.labels != nullptr,
                      [&] { return std::string("loss ") + name + ": no labels were given"; });
  const auto dz = logits_gradient(trace);
  const auto z = trace.logits();
  require<UsageError>(z.dims.c >= classes, [&] {
    return std::string("loss ") + name + ": it needs at least " + std::to_string(classes) +
           " classes, found " + std::to_string(z.dims.c);
  });
  a.logits = z;
  a.dz = {geometry::map(z), dz.data};
  a.labels += call.first;
  a.targets = a.targets ? a.targets + call.first : nullptr;
  a.samples = call.samples.data;
  a.weight = call.weight;
  a.add = call.add;
  with_values(trace, call, [&](T* value) {
    a.value = value;
    run<Device>({trace.context().stream}, a);
  });
}

}  // namespace detail

/// L = min(max over k != label of z(k) - z(label), confidence)   (Carlini & Wagner 2017, eq. for
/// f6; under PGD the "CW-inf" of Madry et al. 2018). With targets z(target) - z(label).
/// Throws UsageError for missing labels, fewer than 2 classes and a confidence that is NaN. A label
/// or target outside the classes gives NaN: see Labels.
struct Margin {
  static constexpr bool concurrent = true, gathers = true;
  const std::int32_t* labels = nullptr;   ///< device memory, of the whole batch (Labels::data)
  const std::int32_t* targets = nullptr;  ///< likewise; null: whichever other class is largest
  double confidence = std::numeric_limits<double>::infinity();

  template <class T, class Device>
  void operator()(Trace<T, Device>& trace, const Call<T>& call) const {
    require<UsageError>(!std::isnan(confidence), "loss margin: the confidence must not be NaN");
    detail::margin(trace, call,
                   op::logit_margin<T>{.labels = labels, .targets = targets, .most = confidence}, 2,
                   "margin");
  }
};

/// The difference of logits ratio (Croce & Hein 2020, eq. 6), pi the order of falling logits:
///   L = -(z(label) - max over k != label of z(k)) / (z(pi1) - z(pi3))
/// Throws UsageError for missing labels and fewer than 3 classes. A label outside the classes gives
/// NaN: see Labels.
struct Dlr {
  static constexpr bool concurrent = true, gathers = true;
  const std::int32_t* labels = nullptr;  ///< device memory, of the whole batch (Labels::data)

  template <class T, class Device>
  void operator()(Trace<T, Device>& trace, const Call<T>& call) const {
    detail::margin(trace, call,
                   op::logit_margin<T>{.labels = labels, .scale = op::MarginScale::dlr}, 3, "DLR");
  }
};

/// The targeted one (Croce & Hein 2020, eq. 7):
///   L = -(z(label) - z(target)) / (z(pi1) - (z(pi3) + z(pi4)) / 2)
/// Throws UsageError for missing labels or targets and fewer than 4 classes. A label or target
/// outside the classes gives NaN: see Labels.
struct TargetedDlr {
  static constexpr bool concurrent = true, gathers = true;
  const std::int32_t* labels = nullptr;   ///< device memory, of the whole batch (Labels::data)
  const std::int32_t* targets = nullptr;  ///< likewise

  template <class T, class Device>
  void operator()(Trace<T, Device>& trace, const Call<T>& call) const {
    require<UsageError>(targets != nullptr, "loss targeted DLR: no targets were given");
    detail::margin(
        trace, call,
        op::logit_margin<T>{.labels = labels, .targets = targets, .scale = op::MarginScale::dlr}, 4,
        "targeted DLR");
  }
};

}  // namespace rnx::inline RNX_ISA::loss
