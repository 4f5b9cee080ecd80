// The loopback device: what a GPU asks of host code, without one.
//   memory     addresses carry a tag that makes them non-canonical: a host dereference faults at
//              once
//   kernels    declared here and in kernels/, defined by one translation unit that includes
//              rnx/kernels/loopback/definitions.hpp
//   recording  launches on a recording stream are kept with their arguments and run at each replay
//              (a CUDA graph, in small)
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "rnx/device/cpu.hpp"

namespace rnx::inline RNX_ABI {

/// A recorded sequence of launches.
class Recording {
 public:
  void add(std::function<void()> launch) { launches_.push_back(std::move(launch)); }
  void replay() const {
    for (const auto& launch : launches_) launch();
  }
  std::size_t size() const { return launches_.size(); }
  /// While this stream is used, launches are kept instead of run.
  Stream stream() { return {this}; }

 private:
  std::vector<std::function<void()>> launches_;
};

template <> struct memory<loopback> {
  static constexpr std::uintptr_t tag = std::uintptr_t(0x5A5) << 48;
  template <class P> static P* tagged(P* p) {
    return p ? reinterpret_cast<P*>(reinterpret_cast<std::uintptr_t>(p) ^ tag) : nullptr;
  }

  static void* allocate(std::size_t bytes) { return tagged(memory<cpu>::allocate(bytes)); }
  static void release(void* p) noexcept { memory<cpu>::release(tagged(p)); }
  static void upload(void* device, const void* host, std::size_t bytes, Stream s = {}) {
    idle(s), memory<cpu>::upload(tagged(device), host, bytes);
  }
  static void download(void* host, const void* device, std::size_t bytes, Stream s = {}) {
    idle(s), memory<cpu>::download(host, tagged(device), bytes);
  }
  static void copy(void* to, const void* from, std::size_t bytes, Stream s = {}) {
    run(s, [=] { memory<cpu>::copy(tagged(to), tagged(from), bytes); });
  }
  static void zero(void* p, std::size_t bytes, Stream s = {}) {
    run(s, [=] { memory<cpu>::zero(tagged(p), bytes); });
  }

 private:
  static void idle(Stream s) {
    require<StateError>(s.handle == nullptr,
                        "loopback: host memory cannot be read or written inside a recording");
  }
  template <class F> static void run(Stream s, F f) {
    if (s.handle)
      static_cast<Recording*>(s.handle)->add(f);
    else
      f();
  }
};

}  // namespace rnx::inline RNX_ABI
