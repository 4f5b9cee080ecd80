// Names: Named<"conv1", Spec> is stripped before binding, so that equal layers with other names are
// one instantiation. The names of a network come from one walk over the specs, in site order.
#pragma once

#include <array>
#include <tuple>

#include "rnx/layers.hpp"

namespace rnx::inline RNX_ISA {

/// Spec under another name. An empty name adds nothing to the path.
template <fixed_string Name, class Spec> struct Named {
  static constexpr int sites = Spec::sites;
  static constexpr Dims out_dims(Dims in) { return Spec::out_dims(in); }
  static constexpr Fault fault(Dims in) { return Spec::fault(in); }
};
/// No name of its own: children keep the parent's path.
template <class Spec> using Transparent = Named<"", Spec>;

/// The spec without names and taps: what is bound.
template <class Spec> struct strip { using type = Spec; };
template <class Spec> using strip_t = typename strip<Spec>::type;
template <fixed_string Name, class Spec> struct strip<Named<Name, Spec>> {
  using type = strip_t<Spec>;
};
template <class Tag, class Spec> struct strip<Tap<Tag, Spec>> { using type = strip_t<Spec>; };

/// The address of tag_id<Tag> identifies a tag.
template <class Tag> inline constexpr char tag_id = 0;

/// Collects a path for every site.
struct Namer {
  struct Tagged {
    int site;
    const void* tag;
  };
  std::vector<std::string> paths;
  std::vector<Tagged> tags;
  static std::string join(const std::string& prefix, const std::string& name) {
    return prefix.empty() ? name : name.empty() ? prefix : prefix + "." + name;
  }
};

/// Walks the names of a spec; composites specialise it. `index` is the name of an unnamed child of
/// a Sequential.
template <class Spec> struct names {
  static constexpr bool named = false;
  [[gnu::cold]] static void walk(Namer& n, const std::string& path) {
    for (int k = 0; k < Spec::sites; ++k) n.paths.push_back(path);
  }
};
template <fixed_string Name, class Spec> struct names<Named<Name, Spec>> {
  static constexpr bool named = true;
  [[gnu::cold]] static void walk(Namer& n, const std::string& path) {
    names<Spec>::walk(n, Namer::join(path, Name.c_str()));
  }
};
template <class Tag, class Spec> struct names<Tap<Tag, Spec>> {
  static constexpr bool named = names<Spec>::named;
  [[gnu::cold]] static void walk(Namer& n, const std::string& path) {
    names<Spec>::walk(n, path);
    n.tags.push_back({int(n.paths.size()) - 1, &tag_id<Tag>});
  }
};
/// Names a child: its own name, or its position.
template <class Spec> [[gnu::cold]] void name_child(Namer& n, const std::string& path, int index) {
  names<Spec>::walk(n, names<Spec>::named ? path : Namer::join(path, std::to_string(index)));
}

/// Whether a spec holds a Tap of this tag.
template <class Tag, class Spec> struct has_tap : std::false_type {};
template <class Tag, fixed_string Name, class Spec>
struct has_tap<Tag, Named<Name, Spec>> : has_tap<Tag, Spec> {};
template <class Tag, class Other, class Spec>
struct has_tap<Tag, Tap<Other, Spec>>
    : std::bool_constant<std::is_same_v<Tag, Other> || has_tap<Tag, Spec>::value> {};

/// Finds the innermost layer that rejects its input: specialised by composites. The type is named,
/// not instantiated: that would list every step of the search in a compiler's message.
template <int Index, class Spec, class In> struct diagnose {
  using type = rejected<Spec::fault(In::dims), Index, Spec, In>;
};
template <int Index, fixed_string Name, class Spec, class In>
struct diagnose<Index, Named<Name, Spec>, In> : diagnose<Index, Spec, In> {};
template <int Index, class Tag, class Spec, class In>
struct diagnose<Index, Tap<Tag, Spec>, In> : diagnose<Index, Spec, In> {};

template <class... Ts> struct types {};
template <int I, class... Ts> using type_at = std::tuple_element_t<I, std::tuple<Ts...>>;

/// What stands in for a bound Identity.
template <class In, class Device, class T> struct BoundIdentity {
  static constexpr bool leaf = false;
};
template <class Spec, class In, class Device, class T> struct bound {
  using type = typename Spec::template bind<In, Device, T>;
};
template <class In, class Device, class T> struct bound<Identity, In, Device, T> {
  using type = BoundIdentity<In, Device, T>;
};
/// The bound layer of a stripped spec.
template <class Spec, class In, class Device, class T>
using bound_t = typename bound<Spec, In, Device, T>::type;

}  // namespace rnx::inline RNX_ISA
