// Packed networks by name, which may have places for bits, as those of models/registry.hpp. One
// translation unit of a program that wants a family has
//   RNX_REGISTER_PACKED("resnet20_1x1", Family, (3, 32, 32));
// where RNX_REGISTER_MODEL of the same name, family and shape stands.
#pragma once

#include "rnx/deploy/file.hpp"
#include "rnx/models.hpp"

namespace rnx::inline RNX_ISA::deploy {

/// What is known under a name and a shape of images. Packed networks run on the CPU.
struct Family {
  std::string name;
  Dims in{};
  quant::Bits bits{};  ///< that the name says
  /// Of a packed network. Errors: UsageError (a network takes no such bits).
  std::function<AnyNetwork<float, cpu>(int classes, quant::Bits bits)> maker{};
  std::function<void(int classes, quant::Bits bits)> check{};
  /// Of a network of this family. Errors: as deploy::pack; UsageError (a network of another one).
  std::function<AnyNetwork<float, cpu>(const NetworkBase<float, cpu>&)> packer{};

  AnyNetwork<float, cpu> make(int classes) const { return maker(classes, bits); }
  /// Errors: as deploy::pack; UsageError (a network of another family, or with other bits).
  AnyNetwork<float, cpu> pack(const NetworkBase<float, cpu>& net) const {
    require(net.graph().bits == bits, [&] {
      const auto text = [](const quant::Bits& b) {
        return std::to_string(b.weights) + " x " + std::to_string(b.activations);
      };
      return "pack: expected a network that was told " + text(bits) + " bits, as " + name +
             " is, found one that was told " + text(net.graph().bits);
    });
    return packer(net);
  }
};

class Registry {
 public:
  static Registry& instance() {
    static Registry r;
    return r;
  }
  /// The first of a name and shape stays.
  bool add(Family family) {
    families_.push_back(std::move(family));
    return true;
  }
  /// Errors: UsageError, with the names that there are, or what such a network would say of its
  /// bits.
  Family find(const std::string& name, Dims in) const {
    std::string known;
    for (const Family& f : families_) {
      known += (known.empty() ? "" : ", ") + f.name + " for " + f.in.text();
      const auto bits = models::told_by(name, f.name);
      if (!bits || f.in != in) continue;
      Family found = f;
      found.name = name;
      found.bits = *bits;
      found.check(1, *bits);
      return found;
    }
    throw UsageError("model '" + name + "' has no packed form for images of " + in.text() +
                     " in this program; packed are " + (known.empty() ? "none" : known));
  }

 private:
  std::vector<Family> families_;
};

/// Of Family::type<at_run_time> on images of shape In. A program whose networks live on another
/// device has none.
template <class F, class In> bool register_packed(const std::string& name) {
  if constexpr (!std::is_same_v<default_device, cpu>) {
    return false;
  } else {
    using Spec = typename F::template type<at_run_time>;
    using Net = Network<Spec, In, cpu>;
    using Packed = Network<packed_t<Spec>, In, cpu>;
    return Registry::instance().add(
        {.name = name,
         .in = In::dims,
         .maker =
             [](int classes, quant::Bits bits) {
               return AnyNetwork<float, cpu>(std::make_unique<Packed>(0, classes, bits));
             },
         .check = &Packed::check,
         .packer =
             [name](const NetworkBase<float, cpu>& net) {
               const Net* const known = dynamic_cast<const Net*>(&net);
               require(known != nullptr, [&] {
                 return "pack: expected a network of the family " + name + ", found another one";
               });
               return AnyNetwork<float, cpu>(std::make_unique<Packed>(deploy::pack(*known)));
             }});
  }
}

}  // namespace rnx::inline RNX_ISA::deploy

/// At namespace scope; see above.
#define RNX_REGISTER_PACKED(NAME, FAMILY, IN) RNX_REGISTER_PACKED_AS_(__COUNTER__, NAME, FAMILY, IN)
#define RNX_REGISTER_PACKED_AS_(NUMBER, NAME, FAMILY, IN) \
  RNX_REGISTER_PACKED_IN_(NUMBER, NAME, FAMILY, IN)
#define RNX_REGISTER_PACKED_IN_(NUMBER, NAME, FAMILY, IN)                                        \
  namespace {                                                                                    \
  struct rnx_packed_family_##NUMBER {                                                            \
    template <int Classes> using type = FAMILY<Classes>;                                         \
  };                                                                                             \
  }                                                                                              \
  [[maybe_unused]] static const bool rnx_packed_##NUMBER =                                       \
      ::rnx::deploy::register_packed<rnx_packed_family_##NUMBER, ::rnx::Shape<RNX_SHAPE_OF IN>>( \
          NAME)
