// State of callbacks: what they change beside the network is part of a run's checkpoints.
#pragma once

#include <tuple>

#include "rnx/optim.hpp"
#include "rnx/train/progress.hpp"

namespace rnx::inline RNX_ISA::train {

template <class Object>
concept HasState = requires(Object& object) {
  object.state();
};

namespace detail {
/// Device memory, copied.
template <class T, class Device> std::vector<T> on_host(const T* from, std::size_t count) {
  std::vector<T> v(count);
  memory<Device>::download(v.data(), from, count * sizeof(T));
  return v;
}
/// Appends object.state() where there is such a member.
template <class T, class Object>
void append_state(std::vector<optim::State<T>>& list, Object& object) {
  if constexpr (HasState<Object>)
    for (optim::State<T> s : object.state()) list.push_back(std::move(s));
}
}  // namespace detail

/// A callback for fit together with the objects that it changes: see with_state().
template <class Callback, class... Objects> class WithState {
 public:
  explicit WithState(Callback callback, Objects&... objects)
      : callback_(std::move(callback)),
        objects_(objects...) {}

  void operator()(const Progress& p) { callback_(p); }
  std::vector<optim::State<float>> state() {
    std::vector<optim::State<float>> list;
    std::apply([&](auto&... objects) { (detail::append_state(list, objects), ...); }, objects_);
    return list;
  }

 private:
  Callback callback_;
  std::tuple<Objects&...> objects_;
};

/// A callback whose objects' state() is saved and resumed with the run; they must outlive it:
///   fit(net, images, objective, sgd, options, with_state([&](const Progress&) { ema.update(net);
///   }, ema));
/// State names must differ, sizes must stay.
template <class Callback, HasState... Objects>
auto with_state(Callback callback, Objects&... objects) {
  return WithState<Callback, Objects...>(std::move(callback), objects...);
}

}  // namespace rnx::inline RNX_ISA::train
