// Models by name. Each family is one translation unit of the program that wants it: RNX_REGISTER_MODEL there, registry::make here.
#pragma once

#include <functional>
#include <map>

#include "rnx/network.hpp"

namespace rnx::inline RNX_ISA::models {

/// What a factory is told.
struct ModelOptions {
  int classes = 10;
  std::uint64_t seed = 0;
};

/// Factories by name, for one scalar and device.
template <class T = float, class Device = cpu>
class Registry {
 public:
  using Factory = std::function<AnyNetwork<T, Device>(const ModelOptions&)>;
  static Registry& instance() {
    static Registry r;
    return r;
  }
  bool add(std::string name, Factory factory) { return factories_.emplace(std::move(name), std::move(factory)).second; }
  std::vector<std::string> names() const {
    std::vector<std::string> n;
    for (const auto& [name, factory] : factories_) n.push_back(name);
    return n;
  }
  /// Throws UsageError, listing what there is, when the name is unknown.
  AnyNetwork<T, Device> make(const std::string& name, const ModelOptions& options = {}) const {
    const auto it = factories_.find(name);
    if (it == factories_.end()) {
      std::string known;
      for (const auto& [n, f] : factories_) known += (known.empty() ? "" : ", ") + n;
      throw UsageError("model '" + name + "' is unknown; this program knows: " + known);
    }
    return it->second(options);
  }

 private:
  std::map<std::string, Factory> factories_;
};

/// A factory for a family over the number of classes: 10, 100 and 200 are compiled when asked for.
template <template <int> class Family, class In, int... Classes>
AnyNetwork<float, cpu> make_family(const char* name, const ModelOptions& o) {
  AnyNetwork<float, cpu> net;
  ((o.classes == Classes ? void(net = AnyNetwork<float, cpu>(std::make_unique<Network<Family<Classes>, In>>(o.seed))) : void()), ...);
  require<UsageError>(bool(net), [&] { return std::string("model '") + name + "' was compiled for other numbers of classes than " + std::to_string(o.classes); });
  return net;
}

}  // namespace rnx::inline RNX_ISA::models

/// At namespace scope of the family's translation unit: RNX_REGISTER_MODEL("resnet20", Family, rnx::Shape<3, 32, 32>, 10, 100)
#define RNX_REGISTER_MODEL(NAME, FAMILY, IN, ...) \
  static const bool registered_##FAMILY = ::rnx::models::Registry<>::instance().add(NAME, [](const ::rnx::models::ModelOptions& o) { return ::rnx::models::make_family<FAMILY, IN, __VA_ARGS__>(NAME, o); })
