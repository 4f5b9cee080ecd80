// Models by name. Each family is one translation unit of the program that wants it:
// RNX_REGISTER_MODEL there, Registry<>::instance().make here. A family is compiled for some input
// shapes; the registry says which. The number of classes is told when a model is made, unless a
// registration lists the numbers. Its bits are told by its name where that of the family has places
// for them: "resnet20_3x1" is one of "resnet20_{M}x{N}" (told_name.hpp).
#pragma once

#include <functional>
#include <map>

#include "rnx/models/told_name.hpp"
#include "rnx/network.hpp"

namespace rnx::inline RNX_ISA::models {

/// What a factory is told. A data set gives `classes` and `in`.
struct ModelOptions {
  int classes = 10;
  std::uint64_t seed = 0;
  Dims in{3, 32, 32};  ///< shape of one image
};

/// Factories by name, shape and number of classes, for one scalar and device.
template <class T = float, class Device = default_device> class Registry {
 public:
  using Factory =
      std::function<AnyNetwork<T, Device>(std::uint64_t seed, int classes, quant::Bits bits)>;
  /// Throws what the factory would.
  using Check = std::function<void(int classes, quant::Bits bits)>;
  struct Entry {
    Dims in{};
    int classes = at_run_time;  ///< at_run_time: any number
    Factory factory{};
    Check check{};

    bool takes(const ModelOptions& o) const {
      return in == o.in && (classes == at_run_time || classes == o.classes);
    }
  };
  static Registry& instance() {
    static Registry r;
    return r;
  }
  /// False, and the first one stays, where there is one of this name, shape and number of classes.
  bool add(const std::string& name, Dims in, int classes, Factory factory, Check check = {}) {
    std::vector<Entry>& entries = entries_[name];
    for (const Entry& e : entries)
      if (e.in == in && e.classes == classes) return false;
    entries.push_back({in, classes, std::move(factory), std::move(check)});
    return true;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> n;
    for (const auto& [name, entries] : entries_) n.push_back(name);
    return n;
  }
  /// Whether it is a name, or one of a family's whose name has places for numbers.
  bool knows(const std::string& name) const { return search(name).entries != nullptr; }
  /// What is compiled under a name. Throws UsageError, listing the names there are, when it is
  /// unknown.
  const std::vector<Entry>& entries(const std::string& name) const { return *known(name).entries; }
  /// Throws UsageError when `make` would: before images are decoded, say.
  const Entry& find(const std::string& name, const ModelOptions& options = {}) const {
    require<UsageError>(options.classes >= 1 && options.classes <= maximum_classes, [&] {
      return "model '" + name + "' takes 1 to " + std::to_string(maximum_classes) +
             " classes, found " + std::to_string(options.classes);
    });
    const auto [entries, bits] = known(name);
    for (const Entry& e : *entries) {
      if (!e.takes(options)) continue;
      if (e.check) e.check(options.classes, bits);
      return e;
    }
    throw UsageError("model '" + name + "' was not compiled for images of " + options.in.text() +
                     " and " + std::to_string(options.classes) + " classes; this program has it " +
                     list(*entries));
  }
  /// Throws UsageError when the name is unknown, or not compiled for this shape and number of
  /// classes; the sentence lists what there is.
  AnyNetwork<T, Device> make(const std::string& name, const ModelOptions& options = {}) const {
    return find(name, options).factory(options.seed, options.classes, known(name).bits);
  }

 private:
  struct Found {
    const std::vector<Entry>* entries = nullptr;
    quant::Bits bits{};
  };
  Found search(const std::string& name) const {
    if (const auto it = entries_.find(name); it != entries_.end()) return {&it->second, {}};
    for (const auto& [family, entries] : entries_)
      if (const auto bits = told_by(name, family)) return {&entries, *bits};
    return {};
  }
  /// Throws UsageError.
  Found known(const std::string& name) const {
    const Found found = search(name);
    if (found.entries) return found;
    std::string names;
    for (const auto& [n, e] : entries_) names += (names.empty() ? "" : ", ") + n;
    // each instruction set has a registry of its own
    if (names.empty()) names = std::string("none that was compiled for ") + instruction_set();
    throw UsageError("model '" + name + "' is unknown; this program knows: " + names);
  }
  /// "for (3, 32, 32): any number of classes; for (1, 28, 28): 2, 3 classes"
  static std::string list(const std::vector<Entry>& known) {
    std::map<std::string, std::vector<std::string>> numbers;
    std::vector<std::string> shapes;
    for (const Entry& e : known) {
      std::vector<std::string>& of_shape = numbers[e.in.text()];
      if (of_shape.empty()) shapes.push_back(e.in.text());
      of_shape.push_back(e.classes == at_run_time ? "any number of" : std::to_string(e.classes));
    }
    std::string text;
    for (const std::string& shape : shapes) {
      text += (text.empty() ? "for " : "; for ") + shape + ":";
      for (std::size_t i = 0; i < numbers[shape].size(); ++i)
        text += (i ? ", " : " ") + numbers[shape][i];
      text += " classes";
    }
    return text;
  }
  std::map<std::string, std::vector<Entry>> entries_;
};

/// Family::type<Classes> on images of shape In, under a name. False where one was there already:
/// the first stays.
template <class Family, class In, int Classes = at_run_time>
bool register_model(const std::string& name) {
  using Net = Network<typename Family::template type<Classes>, In>;
  return Registry<>::instance().add(
      name, In::dims, Classes,
      [](std::uint64_t seed, int classes, quant::Bits bits) {
        return AnyNetwork<float>(std::make_unique<Net>(seed, classes, bits));
      },
      &Net::check);
}
/// One for each of the numbers of classes, or one for any number where none is listed.
template <class Family, class In, int... Classes> bool register_family(const std::string& name) {
  if constexpr (sizeof...(Classes) == 0)
    return register_model<Family, In>(name);
  else
    return (int(register_model<Family, In, Classes>(name)) & ...);
}
/// Nothing where the family rejects images of that shape: RNX_IMAGE_SHAPES adds a shape to many
/// families.
template <class Family, class In> bool register_where_it_fits(const std::string& name) {
  if constexpr (Family::template type<at_run_time>::fault(In::dims) != Fault::none)
    return false;
  else
    return register_model<Family, In>(name);
}

}  // namespace rnx::inline RNX_ISA::models

#define RNX_SHAPE_OF(...) __VA_ARGS__
#define RNX_JOIN_TOKENS(A, B) A##B
// A class without linkage for each line: were the family itself the argument, files that register
// on the same line could share one factory.
#define RNX_REGISTER_MODEL_AS(NUMBER, REGISTER, NAME, FAMILY, IN, ...)          \
  namespace {                                                                   \
  struct RNX_JOIN_TOKENS(rnx_family_, NUMBER) {                                 \
    template <int Classes> using type = FAMILY<Classes>;                        \
  };                                                                            \
  }                                                                             \
  [[maybe_unused]] static const bool RNX_JOIN_TOKENS(rnx_registered_, NUMBER) = \
      ::rnx::models::REGISTER<RNX_JOIN_TOKENS(rnx_family_, NUMBER),             \
                              ::rnx::Shape<RNX_SHAPE_OF IN> __VA_OPT__(, ) __VA_ARGS__>(NAME)

/// At namespace scope of a translation unit, as often as there are shapes. The family is a template
/// over the number of classes, whose last layer is Linear<Classes>; it is instantiated once and
/// takes any number:
///   RNX_REGISTER_MODEL("resnet20", rnx::models::ResNet20, (3, 32, 32));
/// A family that needs its number at compile time lists those that are wanted:
///   RNX_REGISTER_MODEL("pairs", Pairs, (3, 32, 32), 10, 100);
/// One whose maps are told their bits has places for them in its name:
///   RNX_REGISTER_MODEL("resnet20_{M}x{N}", MultiBit20, (3, 32, 32));
#define RNX_REGISTER_MODEL(NAME, FAMILY, IN, ...) \
  RNX_REGISTER_MODEL_AS(__COUNTER__, register_family, NAME, FAMILY, IN __VA_OPT__(, ) __VA_ARGS__)
/// The same for any number of classes, and nothing where the family rejects the shape.
#define RNX_REGISTER_MODEL_WHERE_IT_FITS(NAME, FAMILY, IN) \
  RNX_REGISTER_MODEL_AS(__COUNTER__, register_where_it_fits, NAME, FAMILY, IN)
