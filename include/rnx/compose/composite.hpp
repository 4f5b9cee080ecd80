// Composites: specs that hold specs. Each says once what its children are; everything that walks or
// rewrites compositions is written here, for all of them.
//
//   children          types<Specs...>
//   with<Cs...>       the composite with other children, as many
//   culprit(in)       the child that rejects its input, and that input; child -1: none does, a
//                     fault is the composite's own
// and where it says so
//   count(i)          how often child i stands, one after another (1)
//   site_before, site_after     the names of operations of its own, before and after those of its
//                     children ("": the composite's)
//   name, tag         of a wrapper: Named and Tap hold one child and no operation
#pragma once

#include <tuple>

#include "rnx/layers.hpp"

namespace rnx::inline RNX_ISA {

template <class... Ts> struct types {};
template <int I, class... Ts> using type_at = std::tuple_element_t<I, std::tuple<Ts...>>;

/// Which child of a composite is at fault, and what it was given.
struct Culprit {
  int child = -1;
  Dims in;
};

template <class Spec>
concept Composite = requires {
  typename Spec::children;
};
template <class Spec>
concept NamedSpec = Composite<Spec> && requires {
  Spec::name;
};
template <class Spec>
concept TappedSpec = Composite<Spec> && requires {
  typename Spec::tag;
};
template <class Spec>
concept Wrapper = NamedSpec<Spec> || TappedSpec<Spec>;

/// F<Spec>::type, from the leaves up: a composite is given to F with its children rewritten.
template <template <class> class F, class Spec> struct transform {
  using type = typename F<Spec>::type;
};
template <template <class> class F, class Spec>
using transform_t = typename transform<F, Spec>::type;
template <template <class> class F, class Spec, class Children> struct transform_children;
template <template <class> class F, class Spec, class... Cs>
struct transform_children<F, Spec, types<Cs...>> {
  using type = typename F<typename Spec::template with<transform_t<F, Cs>...>>::type;
};
template <template <class> class F, Composite Spec>
struct transform<F, Spec> : transform_children<F, Spec, typename Spec::children> {};

template <class Children> struct only_child;
template <class C> struct only_child<types<C>> { using type = C; };
template <class Spec> using only_child_t = typename only_child<typename Spec::children>::type;

/// What a wrapper holds; any other spec is itself.
template <class Spec> struct unwrapped { using type = Spec; };
template <Wrapper Spec> struct unwrapped<Spec> : only_child<typename Spec::children> {};
/// The spec without names and taps: what is bound. Equal layers with other names are one
/// instantiation.
template <class Spec> using strip_t = transform_t<unwrapped, Spec>;

/// Whether a spec holds a Tap of this tag.
template <class Tag, class Spec> struct has_tap : std::false_type {};
template <class Tag, class Children> struct any_has_tap;
template <class Tag, class... Cs>
struct any_has_tap<Tag, types<Cs...>> : std::bool_constant<(has_tap<Tag, Cs>::value || ...)> {};
template <class Tag, Composite Spec>
struct has_tap<Tag, Spec> : any_has_tap<Tag, typename Spec::children> {};
template <class Tag, TappedSpec Spec>
struct has_tap<Tag, Spec> : std::bool_constant<std::is_same_v<Tag, typename Spec::tag> ||
                                               has_tap<Tag, only_child_t<Spec>>::value> {};

/// f.template operator()<Spec>(site) for every layer, in the order of sites.
template <class Spec, class F> void each_layer(F& f, int& site);
template <class Spec, class F, class... Cs> void each_layer_of(F& f, int& site, types<Cs...>) {
  [[maybe_unused]] int child = 0;
  [[maybe_unused]] const auto walk = [&]<class C>(types<C>) {
    int count = 1;
    if constexpr (requires { Spec::count(0); }) count = Spec::count(child);
    for (int k = 0; k < count; ++k) each_layer<C>(f, site);
    ++child;
  };
  (walk(types<Cs>{}), ...);
}
template <class Spec, class F> void each_layer(F& f, int& site) {
  if constexpr (Composite<Spec>) {
    if constexpr (requires { Spec::site_before; })
      if (Spec::site_before) ++site;
    each_layer_of<Spec>(f, site, typename Spec::children{});
    if constexpr (requires { Spec::site_after; })
      if (Spec::site_after) ++site;
  } else {
    f.template operator()<Spec>(site);
    site += Spec::sites;
  }
}

/// Finds the innermost layer that rejects its input; an only child keeps its parent's index. The
/// type is named, not instantiated: that would list every step of the search in a compiler's
/// message.
template <int Index, class Spec, class In> struct diagnose {
  using type = rejected<layer::fault<Spec>(In::dims), Index, Spec, In>;
};
template <int Index, Culprit found, class Children> struct diagnose_child;
template <int Index, Culprit found, class... Cs>
struct diagnose_child<Index, found, types<Cs...>>
    : diagnose<(sizeof...(Cs) == 1 ? Index : found.child), type_at<found.child, Cs...>,
               shape_of<found.in>> {};
template <int Index, Composite Spec, class In>
  requires(Spec::culprit(In::dims).child >= 0)
struct diagnose<Index, Spec, In>
    : diagnose_child<Index, Spec::culprit(In::dims), typename Spec::children> {};

}  // namespace rnx::inline RNX_ISA
