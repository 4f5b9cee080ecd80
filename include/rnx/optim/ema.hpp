// Exponential moving averages of parameters, and of buffers where wanted.
#pragma once

#include "rnx/optim/optimizer.hpp"

namespace rnx::inline RNX_ISA::optim {

/// average = decay average + (1 - decay) value, from the values at construction on. Object: a
/// network or anything Parametrised.
/// Throws UsageError for a decay outside [0, 1), or buffers of an object that has none; ShapeError
/// for another object than the first.
template <class T = float, class Device = default_device> class Ema {
 public:
  template <class Object>
  Ema(const Object& object, double decay, bool with_buffers = false)
      : decay_(decay),
        parameters_(object.parameter_storage()) {
    expect(decay >= 0 && decay < 1, "the decay of an average must be in [0, 1)", decay);
    if constexpr (has_buffers<Object>) {
      if (with_buffers) buffers_ = Buffer<T, Device>(object.buffer_storage());
      if (with_buffers) names_of_buffers_ = object.graph().buffers;
    } else
      require<UsageError>(!with_buffers, "optim: this object has no buffers to average");
    names_ = object.parameter_list();
    memory<Device>::copy(parameters_.data(), object.parameters(), parameters_.size() * sizeof(T));
    if constexpr (has_buffers<Object>)
      memory<Device>::copy(buffers_.data(), object.buffers(), buffers_.size() * sizeof(T));
  }

  /// After each step (and commit of statistics).
  template <class Object> void update(const Object& object, Stream stream = {}) {
    check(object);
    run<Device>(stream, op::ema_step<T>{.count = parameters_.size(),
                                        .decay = decay_,
                                        .parameter = object.parameters(),
                                        .average = parameters_.data()});
    if constexpr (has_buffers<Object>)
      if (buffers_.size())
        run<Device>(stream, op::ema_step<T>{.count = buffers_.size(),
                                            .decay = decay_,
                                            .parameter = object.buffers(),
                                            .average = buffers_.data()});
  }
  /// Overwrites the object's parameters (and buffers, if averaged) with the averages; raises its
  /// versions.
  template <class Object> void copy_to(Object& object, Stream stream = {}) const {
    check(object);
    memory<Device>::copy(object.mutable_parameters(), parameters_.data(),
                         parameters_.size() * sizeof(T), stream);
    if constexpr (has_buffers<Object>)
      if (buffers_.size())
        memory<Device>::copy(object.mutable_buffers(), buffers_.data(), buffers_.size() * sizeof(T),
                             stream);
  }
  /// "ema.conv1.weight": the averages, for checkpoints.
  std::vector<State<T>> state() {
    std::vector<State<T>> list;
    for (const NamedParameter& p : names_)
      list.push_back({"ema." + p.name, p.shape, parameters_.data() + p.offset, p.count});
    for (const NamedParameter& p : names_of_buffers_)
      list.push_back({"ema." + p.name, p.shape, buffers_.data() + p.offset, p.count});
    return list;
  }

 private:
  template <class Object> static constexpr bool has_buffers = requires(const Object& o) {
    o.buffers();
    o.buffer_storage();
    o.graph();
  };
  template <class Object> void check(const Object& object) const {
    bool same = object.parameter_storage() == parameters_.size();
    if constexpr (has_buffers<Object>)
      same = same && (!buffers_.size() || buffers_.size() == object.buffer_storage());
    else
      same = same && !buffers_.size();
    require<ShapeError>(same, "optim: this average belongs to another object");
  }
  double decay_;
  Buffer<T, Device> parameters_, buffers_;
  std::vector<NamedParameter> names_, names_of_buffers_;
};
template <class Object>
Ema(const Object&, double) -> Ema<typename Object::scalar, typename Object::device>;
template <class Object>
Ema(const Object&, double, bool) -> Ema<typename Object::scalar, typename Object::device>;

}  // namespace rnx::inline RNX_ISA::optim
