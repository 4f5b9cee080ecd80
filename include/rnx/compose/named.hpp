// Names: the path of every site of a network comes from one walk over its specs, in site order.
#pragma once

#include "rnx/compose/composite.hpp"

namespace rnx::inline RNX_ISA {

/// Spec under another name. An empty name adds nothing to the path.
template <fixed_string Name, class Spec> struct Named {
  static constexpr auto name = Name;
  using children = types<Spec>;
  template <class C> using with = Named<Name, C>;
  static constexpr int sites = layer::sites<Spec>();
  static constexpr Dims out_dims(Dims in) { return layer::out_dims<Spec>(in); }
  static constexpr Fault fault(Dims in) { return layer::fault<Spec>(in); }
  static constexpr Culprit culprit(Dims in) { return {0, in}; }
};
/// No name of its own: children keep the parent's path.
template <class Spec> using Transparent = Named<"", Spec>;

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

/// Whether a spec brings its own name; a tap is called as what it holds.
template <class Spec> constexpr bool has_name() {
  if constexpr (NamedSpec<Spec>)
    return true;
  else if constexpr (TappedSpec<Spec>)
    return has_name<only_child_t<Spec>>();
  else
    return false;
}

template <class Spec> [[gnu::cold]] void walk_names(Namer& n, const std::string& path);

/// Children without a name are called by their position: "0", "1", ...
template <class Spec, class... Cs>
[[gnu::cold]] void walk_children(Namer& n, const std::string& path, types<Cs...>) {
  [[maybe_unused]] int child = 0, position = 0;
  [[maybe_unused]] const auto walk = [&]<class C>(types<C>) {
    int count = 1;
    if constexpr (requires { Spec::count(0); }) count = Spec::count(child);
    for (int k = 0; k < count; ++k, ++position)
      walk_names<C>(n, has_name<C>() ? path : Namer::join(path, std::to_string(position)));
    ++child;
  };
  (walk(types<Cs>{}), ...);
}

/// The sites of a spec that stands at `path`.
template <class Spec> void walk_names(Namer& n, const std::string& path) {
  if constexpr (NamedSpec<Spec>) {
    walk_names<only_child_t<Spec>>(n, Namer::join(path, Spec::name.c_str()));
  } else if constexpr (TappedSpec<Spec>) {
    walk_names<only_child_t<Spec>>(n, path);
    n.tags.push_back({int(n.paths.size()) - 1, &tag_id<typename Spec::tag>});
  } else if constexpr (Composite<Spec>) {
    const auto push = [&](const char* name) {
      if (name) n.paths.push_back(Namer::join(path, name));
    };
    if constexpr (requires { Spec::site_before; }) push(Spec::site_before);
    walk_children<Spec>(n, path, typename Spec::children{});
    if constexpr (requires { Spec::site_after; }) push(Spec::site_after);
  } else {
    for (int k = 0; k < Spec::sites; ++k) n.paths.push_back(path);
  }
}

/// Tap<Tag, Spec> names the output of Spec for typed access: network.tap<Tag>(trace). The model
/// computes the same.
template <class Tag, class Spec> struct Tap {
  static_assert(layer::sites<Spec>() > 0, "rnx: a Tap must wrap a layer that computes something");
  using tag = Tag;
  using children = types<Spec>;
  template <class C> using with = Tap<Tag, C>;
  static constexpr int sites = layer::sites<Spec>();
  static constexpr Dims out_dims(Dims in) { return layer::out_dims<Spec>(in); }
  static constexpr Fault fault(Dims in) { return layer::fault<Spec>(in); }
  static constexpr Culprit culprit(Dims in) { return {0, in}; }
};
/// The features before the classifier.
struct Penultimate {};

/// What stands in for a bound Identity.
template <class In, class Device, class T> struct BoundIdentity {
  static constexpr bool leaf = false;
};
/// In the place of what is no bound layer. It has all functions, so that the sentence is the only
/// error.
template <class Spec, class Device, class T> struct NotBound {
  static constexpr bool leaf = false;
  static int describe(GraphBuilder&, int input) {
    static_assert(sizeof(Spec) == 0,
                  "rnx: what this spec binds is no bound layer: it has leaf, describe, prepare, "
                  "forward and backward; see layers/contract.hpp");
    return input;
  }
  template <class P> static int prepare(int c, P&, int) { return c; }
  template <class P> static void forward(View<const T, Device>, View<T, Device>&, P&, int) {}
  template <class P, class Sink>
  static void backward(View<const T, Device>, View<T, Device>, Sink, P&, int) {}
};
template <class Spec, class In, class Device, class T>
concept Binds = requires {
  typename Spec::template bind<In, Device, T>;
}
&&BoundLayer<typename Spec::template bind<In, Device, T>, Device, T>;

template <class Spec, class In, class Device, class T> struct bound {
  using type = NotBound<Spec, Device, T>;
};
template <class Spec, class In, class Device, class T>
  requires Binds<Spec, In, Device, T>
struct bound<Spec, In, Device, T> {
  using type = typename Spec::template bind<In, Device, T>;
};
template <class In, class Device, class T> struct bound<Identity, In, Device, T> {
  using type = BoundIdentity<In, Device, T>;
};
/// The bound layer of a stripped spec.
template <class Spec, class In, class Device, class T>
using bound_t = typename bound<Spec, In, Device, T>::type;

}  // namespace rnx::inline RNX_ISA
