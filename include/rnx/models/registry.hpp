// Models by name. Each family is one translation unit of the program that wants it: RNX_REGISTER_MODEL there, Registry<>::instance().make here.
// A family is compiled for some input shapes and numbers of classes; the registry says which.
#pragma once

#include <functional>
#include <map>

#include "rnx/network.hpp"

namespace rnx::inline RNX_ISA::models {

/// What a factory is told. A data set gives `classes` and `in`.
struct ModelOptions {
  int classes = 10;
  std::uint64_t seed = 0;
  Dims in{3, 32, 32};  ///< shape of one image
};

/// Factories by name, shape and number of classes, for one scalar and device.
template <class T = float, class Device = cpu>
class Registry {
 public:
  using Factory = std::function<AnyNetwork<T, Device>(std::uint64_t seed)>;
  struct Entry {
    Dims in{};
    int classes = 0;
    Factory factory{};
  };
  static Registry& instance() {
    static Registry r;
    return r;
  }
  /// False, and the first one stays, where there is one of this name, shape and number of classes.
  bool add(const std::string& name, Dims in, int classes, Factory factory) {
    std::vector<Entry>& entries = entries_[name];
    for (const Entry& e : entries)
      if (e.in == in && e.classes == classes) return false;
    entries.push_back({in, classes, std::move(factory)});
    return true;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> n;
    for (const auto& [name, entries] : entries_) n.push_back(name);
    return n;
  }
  /// What is compiled under a name. Throws UsageError, listing the names there are, when it is unknown.
  const std::vector<Entry>& entries(const std::string& name) const {
    const auto it = entries_.find(name);
    if (it == entries_.end()) {
      std::string known;
      for (const auto& [n, e] : entries_) known += (known.empty() ? "" : ", ") + n;
      if (known.empty()) known = std::string("none that was compiled for ") + instruction_set();  // each instruction set has a registry of its own
      throw UsageError("model '" + name + "' is unknown; this program knows: " + known);
    }
    return it->second;
  }
  /// Throws UsageError when the name is unknown, or not compiled for this shape and number of classes; the sentence lists what there is.
  AnyNetwork<T, Device> make(const std::string& name, const ModelOptions& options = {}) const {
    const std::vector<Entry>& known = entries(name);
    for (const Entry& e : known)
      if (e.in == options.in && e.classes == options.classes) return e.factory(options.seed);
    std::string list;
    for (std::size_t i = 0; i < known.size(); ++i) {
      const bool new_shape = i == 0 || known[i].in != known[i - 1].in;
      list += (new_shape ? (i ? "; for " : "for ") + known[i].in.text() + ": " : ", ") + std::to_string(known[i].classes);
    }
    throw UsageError("model '" + name + "' was not compiled for images of " + options.in.text() + " and " + std::to_string(options.classes) + " classes; this program has it " + list + " classes");
  }

 private:
  std::map<std::string, std::vector<Entry>> entries_;
};

/// Registers Family::type<Classes> on images of shape In for each number of classes. False where one was there already: the first stays.
template <class Family, class In, int... Classes>
bool register_family(const char* name) {
  bool all = true;
  const auto add = [&]<int N> {
    all &= Registry<>::instance().add(name, In::dims, N, [](std::uint64_t seed) { return AnyNetwork<float>(std::make_unique<Network<typename Family::template type<N>, In>>(seed)); });
  };
  (add.template operator()<Classes>(), ...);
  return all;
}

}  // namespace rnx::inline RNX_ISA::models

#define RNX_SHAPE_OF(...) __VA_ARGS__
#define RNX_JOIN_TOKENS(A, B) A##B
// A class without linkage for each line: were the family itself the argument, files that register on the same line could share one factory.
#define RNX_REGISTER_MODEL_AT(LINE, NAME, FAMILY, IN, ...)                    \
  namespace {                                                                 \
  struct RNX_JOIN_TOKENS(rnx_family_, LINE) {                                 \
    template <int Classes> using type = FAMILY<Classes>;                      \
  };                                                                          \
  }                                                                           \
  [[maybe_unused]] static const bool RNX_JOIN_TOKENS(rnx_registered_, LINE) = \
      ::rnx::models::register_family<RNX_JOIN_TOKENS(rnx_family_, LINE), ::rnx::Shape<RNX_SHAPE_OF IN>, __VA_ARGS__>(NAME)

/// At namespace scope of a translation unit, as often as there are shapes; each line instantiates the family for each number of classes:
///   RNX_REGISTER_MODEL("resnet20", rnx::models::ResNet20, (3, 32, 32), 10, 100);
#define RNX_REGISTER_MODEL(NAME, FAMILY, IN, ...) RNX_REGISTER_MODEL_AT(__LINE__, NAME, FAMILY, IN, __VA_ARGS__)
