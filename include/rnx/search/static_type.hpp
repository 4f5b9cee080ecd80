// static_type(): the static type of what a subnet makes of a network, as a header that compiles.
// Chosen widths, kernels and depths become numbers; identities that add nothing under the subnet
// are left out; masks become Identity. Parameter names stay, so transfer() fills the static
// network.
#pragma once

#include "rnx/search/spelling.hpp"

namespace rnx::inline RNX_ISA::search {

template <fixed_string Name, class Spec> struct spelling<Named<Name, Spec>> {
  static std::string of(const Emission& e, int site) {
    const std::string name = Name.c_str();
    return name.empty() ? "Transparent<" + spell<Spec>(e, site) + ">"
                        : "Named<\"" + name + "\", " + spell<Spec>(e, site) + ">";
  }
};
/// A tag that has no spelling is left out: the model computes the same.
template <class Tag, class Spec> struct spelling<Tap<Tag, Spec>> {
  static std::string of(const Emission& e, int site) {
    if constexpr (std::is_same_v<Tag, Penultimate>)
      return "Tap<Penultimate, " + spell<Spec>(e, site) + ">";
    else
      return spell<Spec>(e, site);
  }
};
template <class... Ss> struct spelling<Sequential<Ss...>> {
  static std::string of(const Emission& e, int site) {
    std::vector<std::string> parts;
    ((parts.push_back(spell<Ss>(e, site)), site += Ss::sites), ...);
    return detail::list("Sequential", parts);
  }
};
/// The blocks that run, one after another.
template <int N, class First, class Rest, int Min> struct spelling<Repeat<N, First, Rest, Min>> {
  static std::string of(const Emission& e, int site) {
    const int depth = Min < N ? e.choice(site, N) : N;
    site += Min < N;
    std::vector<std::string> parts;
    for (int i = 0; i < depth; ++i) {
      parts.push_back(i ? spell<Rest>(e, site) : spell<First>(e, site));
      site += i ? Rest::sites : First::sites;
    }
    return detail::list("Sequential", parts);
  }
};
template <class Side> struct spelling<Fork<Side>> {
  static std::string of(const Emission& e, int site) {
    return detail::list("Fork", {spell<Side>(e, site)});
  }
};
template <> struct spelling<join::Concat> {
  static std::string text() { return "join::Concat"; }
};
template <> struct spelling<join::Gate> {
  static std::string text() { return "join::Gate"; }
};
/// A sum keeps the branches whose active channels are the first one's. One branch alone stays
/// a sequence, so that its names stay too.
template <class Join, class... Bs> struct spelling<Parallel<Join, Bs...>> {
  static std::string of(const Emission& e, int site) {
    const int join = site + (0 + ... + Bs::sites), c = e.out(join);
    int kept = 0, at = site;
    const auto count = [&]<class B>(std::type_identity<B>) {
      kept += channels<B>(e, at, join) == c;
      at += B::sites;
    };
    (count(std::type_identity<Bs>{}), ...);
    Emission inner = e;
    inner.zero_gamma = !Join::adds || kept > 1;
    std::vector<std::string> parts;
    const auto visit = [&]<class B>(std::type_identity<B>) {
      if (!Join::adds || channels<B>(e, site, join) == c) parts.push_back(spell<B>(inner, site));
      site += B::sites;
    };
    (visit(std::type_identity<Bs>{}), ...);
    if (Join::adds && kept == 1) return detail::list("Sequential", parts);
    if constexpr (Join::adds)
      parts.insert(parts.begin(), "join::Add");
    else
      parts.insert(parts.begin(), spelling<Join>::text());
    return detail::list("Parallel", parts);
  }

 private:
  template <class B> static int channels(const Emission& e, int site, int join) {
    return B::sites ? e.out(site + B::sites - 1) : e.active.in[join].c;
  }
};

/// A header with  namespace found { using NAME = <spec>; using NAMEInput = Shape<...>; }  for `net`
///                under `subnet`.
/// Throws what forward throws for such a subnet; UsageError when `name` is no identifier.
template <class Spec, class In, class Device, class Precision>
std::string static_type(const Network<Spec, In, Device, Precision>& net, const Subnet& subnet,
                        const std::string& name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  bool identifier = !name.empty() && letter(name[0]);
  for (char c : name) identifier = identifier && (letter(c) || (c >= '0' && c <= '9'));
  require(identifier, [&] { return "static_type: '" + name + "' is not a name for a type"; });
  const Emission e{net.graph(), subnet, active(net, subnet)};
  const Dims in = In::dims;
  return "// Written by rnx::search::static_type: the static type of a found architecture.\n"
         "// Its input is " +
         in.text() +
         ".\n#pragma once\n\n#include \"rnx/network.hpp\"\n\nnamespace found {\nusing namespace "
         "rnx;\n\nusing " +
         name + "Input = Shape<" + std::to_string(in.c) + ", " + std::to_string(in.h) + ", " +
         std::to_string(in.w) + ">;\nusing " + name + " = " + spell<Spec>(e, 0) +
         ";\n\n}  // namespace found\n";
}

}  // namespace rnx::inline RNX_ISA::search
