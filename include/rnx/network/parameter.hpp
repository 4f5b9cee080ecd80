// Anything with parameters is visited alike: networks, losses with logits of their own, predictors.
#pragma once

#include "rnx/network/trace.hpp"

namespace rnx::inline RNX_ISA {

/// One parameter (or buffer) as a visitor reads it: PyTorch's name and shape, device memory.
template <class T, class Device> struct ParameterRef {
  const std::string& name;
  const std::vector<int>& shape;
  ParameterKind kind;
  const T* value;     ///< device memory, `count` elements
  const T* gradient;  ///< null when visited without gradients
  std::size_t count;
};

/// A copy of a parameter or buffer on the host, in the field's order: weights (O, I, KH, KW).
template <class T = float> struct HostTensor {
  std::vector<int> shape;
  std::vector<T> values;
};

/// Flat gradients with the parameters' offsets. Backward adds; zero() starts a step.
template <class T = float, class Device = default_device> struct Grads {
  Buffer<T, Device> flat;
  void zero(Stream s = {}) { flat.zero(s); }
};

/// Owns flat parameters and their names; base of everything that optimizers, checkpoints and
/// averages take. Reading (visit, parameters) changes nothing. What can write raises the version:
/// caches of weight maps are computed again, a pending backward throws.
template <class T = float, class Device = default_device> class Parametrised {
 public:
  using scalar = T;
  using device = Device;
  virtual ~Parametrised() = default;

  std::size_t parameter_count() const {
    std::size_t k = 0;
    for (const auto& p : parameter_list()) k += p.count;
    return k;
  }
  Grads<T, Device> make_grads() const { return {Buffer<T, Device>(parameters_.size())}; }
  std::uint64_t parameter_version() const { return parameter_version_; }

  /// f(ParameterRef) for every parameter in graph order.
  template <class F> void visit(F&& f) const {
    for (const auto& p : parameter_list())
      f(ParameterRef<T, Device>{p.name, p.shape, p.kind, parameters_.data() + p.offset, nullptr,
                                p.count});
  }
  template <class F> void visit(const Grads<T, Device>& grads, F&& f) const {
    for (const auto& p : parameter_list())
      f(ParameterRef<T, Device>{p.name, p.shape, p.kind, parameters_.data() + p.offset,
                                grads.flat.data() + p.offset, p.count});
  }
  /// Names, shapes and offsets.
  virtual const std::vector<NamedParameter>& parameter_list() const = 0;

  /// The flat storage, device memory at the offsets of parameter_list().
  [[nodiscard]] const T* parameters() const { return parameters_.data(); }
  /// The same for writing: raises the version. Whoever keeps the pointer asks again before the
  /// object is used.
  T* mutable_parameters() { return ++parameter_version_, parameters_.data(); }
  std::size_t parameter_storage() const { return parameters_.size(); }

 protected:
  Buffer<T, Device> parameters_;
  std::uint64_t parameter_version_ = 1;
};

/// Values of a parameter or buffer at its start, in PyTorch's order. Keyed by (seed, position in
/// the storage): independent of everything else.
template <class T> std::vector<T> initial_values(const NamedParameter& p, std::uint64_t seed) {
  std::vector<T> v(p.count);
  const rng::Stream random(seed, Purpose::init, 0, p.offset);
  const auto fan = [&](int axis) {
    double f = p.shape[axis];
    for (std::size_t i = 2; i < p.shape.size(); ++i) f *= p.shape[i];
    return f;
  };
  for (std::size_t i = 0; i < v.size(); ++i) switch (p.init) {
      case Init::zeros: break;
      case Init::ones: v[i] = T(1); break;
      case Init::constant: v[i] = T(p.value); break;
      case Init::kaiming_normal: v[i] = T(std::sqrt(2 / fan(0)) * random.normal(i)); break;
      case Init::uniform_fan_in:
        v[i] = T((2 * random.uniform(i) - 1) / std::sqrt(p.value > 0 ? p.value : fan(1)));
        break;
      case Init::identity_matrix: v[i] = T(i % (p.shape[1] + 1) == 0); break;
      case Init::spread: v[i] = T((i + 0.5) / p.count - 0.5); break;
    }
  return v;
}

}  // namespace rnx::inline RNX_ISA
