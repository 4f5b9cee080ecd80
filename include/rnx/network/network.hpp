// Network<Spec, Shape, Device, Precision>: an image classifier is a type.
#pragma once

#include "rnx/network/base.hpp"

namespace rnx::inline RNX_ABI::precision {
/// What activations and parameters are stored and computed in.
struct Float {
  using store = float;
};
struct Double {
  using store = double;
};
}  // namespace rnx::inline RNX_ABI::precision

namespace rnx::inline RNX_ISA {

template <bool Fits, class Spec, class In, class Device, class T> struct bound_or_rejected {
  using type = bound_t<strip_t<Spec>, In, Device, T>;
};
template <class Spec, class In, class Device, class T>
struct bound_or_rejected<false, Spec, In, Device,
                         T> {  // binds nothing: the sentence is the only error
  using type = std::conditional_t<sizeof(typename diagnose<0, Spec, In>::type) == 0, void,
                                  BoundIdentity<In, Device, T>>;
};

namespace detail {

inline GraphBuilder told(int classes, quant::Bits bits) {
  GraphBuilder builder;
  builder.classes = classes;
  builder.bits = bits;
  return builder;
}
/// Errors: UsageError (the layers that described themselves know a number that they were told).
[[gnu::cold]] inline void require_told(const GraphBuilder& builder) {
  const int classes = builder.classes, found = builder.nodes.back().out.c;
  require<UsageError>(classes == 0 || classes == found, [&] {
    return "network: its type has " + std::to_string(found) + " classes, found " +
           std::to_string(classes);
  });
  const auto untold = [](const char* what, bool tells, int told) {
    require<UsageError>(tells || told == 0, [&] {
      return "network: its type knows the bits of its " + std::string(what) + ", it was told " +
             std::to_string(told);
    });
  };
  untold("weights", builder.tells_weights, builder.bits.weights);
  untold("activations", builder.tells_activations, builder.bits.activations);
}

}  // namespace detail

/// Spec: a composition of layers. In: Shape of one sample. Precision: Float, or Double for gradient
/// checks.
///   Net net(seed);  auto trace = net.make_trace({.use = Use::train, .capacity = 128});
///                   net.forward(trace, x, ctx);
template <class Spec, class In, class Device = default_device, class Precision = precision::Float>
class Network final : public NetworkBase<typename Precision::store, Device> {
 public:
  using T = typename Precision::store;
  using Base = NetworkBase<T, Device>;
  using PassType = typename Base::PassType;
  using spec = Spec;
  static constexpr Fault fault = layer::fault<Spec>(In::dims);
  using layer_type = typename bound_or_rejected<fault == Fault::none, Spec, In, Device, T>::type;
  static constexpr bool usable = fault == Fault::none;

  /// seed: of the initial values. classes: of a network whose classifier is told them at run time
  /// (Linear<at_run_time>). bits: of one whose maps are told them (quant::MultiBit<at_run_time>).
  /// Errors: UsageError when such a network is told none, or another one a number that is not its
  /// own.
  explicit Network(std::uint64_t seed = 0, int classes = 0, quant::Bits bits = {}) {
    if constexpr (usable) {
      GraphBuilder builder = detail::told(classes, bits);
      layer_type::describe(builder, -1);
      detail::require_told(builder);
      Namer namer;
      walk_names<Spec>(namer, "");
      this->build(std::move(builder), namer, In::dims, seed);
    }
  }
  /// Throws what the constructor would: nothing is allocated.
  static void check(int classes, quant::Bits bits = {}) {
    if constexpr (usable) {
      GraphBuilder builder = detail::told(classes, bits);
      layer_type::describe(builder, -1);
      detail::require_told(builder);
    }
  }
  std::unique_ptr<Base> clone() const override { return std::make_unique<Network>(*this); }

  /// The kept output of Tap<Tag, ...>.
  template <class Tag> const Kept<T, Device>& tap(const Trace<T, Device>& trace) const {
    static_assert(has_tap<Tag, Spec>::value, "rnx: the network has no Tap with this tag");
    return trace.tagged(&tag_id<Tag>);
  }

 protected:
  int do_prepare(PassType& p) const override {
    if constexpr (usable)
      return layer_type::prepare(In::dims.c, p, 0);
    else
      return 0;
  }
  void do_forward(View<const T, Device> x, View<T, Device>& y, PassType& p) const override {
    if constexpr (usable) layer::forward<layer_type>(x, y, p, 0);
  }
  void do_backward(View<const T, Device> dy, View<T, Device> dx, T* grads,
                   PassType& p) const override {
    if constexpr (usable) {
      if (grads)
        layer::backward<layer_type>(dy, dx, GradSink<T>{grads}, p, 0);
      else
        layer::backward<layer_type>(dy, dx, NoGrads{}, p, 0);
    }
  }
  void do_commit(PassType& p, T* buffers, const StatisticsUpdate& update) const override {
    if constexpr (usable)
      if constexpr (requires { layer_type::commit(p, 0, buffers, update); })
        layer_type::commit(p, 0, buffers, update);
  }
};

}  // namespace rnx::inline RNX_ISA
