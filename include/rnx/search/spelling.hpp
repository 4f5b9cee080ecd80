// How a spec is written in C++, with the sizes that a subnet made active: what static_type()
// prints. A layer or policy of your own is spelled by a specialisation of spelling<> (layers: of(e,
// site); policies: text()).
#pragma once

#include "rnx/search/active.hpp"
#include "rnx/search/elastic_kernel.hpp"
#include "rnx/search/gumbel.hpp"

namespace rnx::inline RNX_ISA::search {

/// Active sizes by site, and the depth that a subnet chose.
struct Emission {
  const Graph& graph;
  const Subnet& subnet;
  Active active;
  /// false in a branch whose identity is left out: with norms at zero a row of blocks would never
  /// start to learn
  bool zero_gamma = true;
  int out(int site) const { return active.out[site].c; }
  int choice(int site, int maximum) const {
    return std::min(subnet.choice[graph.nodes[site].slot], maximum);
  }
};

template <class Spec> struct spelling {
  static_assert(sizeof(Spec) == 0,
                "rnx: static_type does not know how this type is written; specialise "
                "rnx::search::spelling for it");
};
/// The text of a spec whose first site is `site`.
template <class Spec> std::string spell(const Emission& e, int site) {
  return spelling<Spec>::of(e, site);
}

namespace detail {
/// name<a, b>, with lines of their own when one part has them or all are long together
inline std::string list(const std::string& name, const std::vector<std::string>& parts) {
  if (name == "Sequential" && parts.size() == 1 && parts[0].starts_with("Transparent<Sequential<"))
    return parts[0].substr(12, parts[0].size() - 13);  // the same names
  std::string flat = name + "<", tall = name + "<\n";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    flat += (i ? ", " : "") + parts[i];
    tall += "  ";
    for (char c : parts[i]) {
      tall += c;
      tall += c == '\n' ? "  " : "";
    }
    tall += i + 1 < parts.size() ? ",\n" : "";
  }
  const bool one_line = flat.find('\n') == std::string::npos && flat.size() <= 100;
  return (one_line ? flat : tall) + ">";
}
template <class O> void option(std::vector<std::string>& parts) {
  parts.push_back(spelling<O>::text());
}
inline std::string number(const char* name, long long value) {
  return std::string(name) + "<" + std::to_string(value) + ">";
}
/// The same of a map: one that is told its bits is the one that knows them.
template <class Map> void map(std::vector<std::string>& parts, int bits) {
  if constexpr (quant::told<Map> == quant::Told::nothing)
    parts.push_back(spelling<Map>::text());
  else
    parts.push_back(spelling<Map>::text(bits));
}
}  // namespace detail

// policies
template <> struct spelling<Penultimate> {
  static std::string text() { return "Penultimate"; }
};
template <> struct spelling<ZeroGamma> {
  static std::string text() { return "ZeroGamma"; }
};
template <> struct spelling<quant::FullPrecision> {
  static std::string text() { return "quant::FullPrecision"; }
};
template <> struct spelling<quant::surrogate::Identity> {
  static std::string text() { return "quant::surrogate::Identity"; }
};
template <> struct spelling<quant::surrogate::HardTanh> {
  static std::string text() { return "quant::surrogate::HardTanh"; }
};
template <> struct spelling<quant::surrogate::ApproxSign> {
  static std::string text() { return "quant::surrogate::ApproxSign"; }
};
template <class S> struct spelling<quant::BinaryWeights<S>> {
  static std::string text() {
    if (std::is_same_v<S, quant::surrogate::HardTanh>) return "quant::Sign";
    return detail::list("quant::BinaryWeights", {spelling<S>::text()});
  }
};
template <class S> struct spelling<quant::BinaryActivation<S>> {
  static std::string text() {
    if (std::is_same_v<S, quant::surrogate::HardTanh>) return "quant::SignActivation";
    return detail::list("quant::BinaryActivation", {spelling<S>::text()});
  }
};
template <int B> struct spelling<quant::DoReFaWeights<B>> {
  static std::string text(int b = B) { return detail::number("quant::DoReFaWeights", b); }
};
template <> struct spelling<quant::XnorWeights> {
  static std::string text() { return "quant::XnorWeights"; }
};
template <> struct spelling<quant::Int8Weights> {
  static std::string text() { return "quant::Int8Weights"; }
};
template <> struct spelling<quant::Int8Activation> {
  static std::string text() { return "quant::Int8Activation"; }
};
template <> struct spelling<quant::BiRealWeights> {
  static std::string text() { return "quant::BiRealWeights"; }
};
namespace detail {
inline std::string per(const char* name, quant::Per p) {
  return list(name, {p == quant::Per::layer ? "quant::Per::layer" : "quant::Per::channel"});
}
}  // namespace detail
template <quant::Per P> struct spelling<quant::TernaryWeights<P>> {
  static std::string text() { return detail::per("quant::TernaryWeights", P); }
};
template <quant::Per P> struct spelling<quant::LeastSquares<P>> {
  static std::string text() { return detail::per("quant::LeastSquares", P); }
};
template <quant::Per P> struct spelling<quant::Learned<P>> {
  static std::string text() { return detail::per("quant::Learned", P); }
};
template <int B, int Clip> struct spelling<quant::PactActivation<B, Clip>> {
  static std::string text(int b = B) {
    return detail::list("quant::PactActivation", {std::to_string(b), std::to_string(Clip)});
  }
};
template <int B> struct spelling<quant::Round<B>> {
  static std::string text() { return detail::number("quant::Round", B); }
};
template <int B> struct spelling<quant::RoundActivation<B>> {
  static std::string text(int b = B) { return detail::number("quant::RoundActivation", b); }
};
template <int M, class Scales> struct spelling<quant::MultiBit<M, Scales>> {
  static std::string text(int m = M) {
    if (std::is_same_v<Scales, quant::LeastSquares<>>) return detail::number("quant::MultiBit", m);
    return detail::list("quant::MultiBit", {std::to_string(m), spelling<Scales>::text()});
  }
};
template <int N> struct spelling<quant::MultiBitActivation<N>> {
  static std::string text(int n = N) { return detail::number("quant::MultiBitActivation", n); }
};
template <long long N, long long D> struct spelling<Ratio<N, D>> {
  static std::string text() {
    return "Ratio<" + std::to_string(N) + ", " + std::to_string(D) + ">";
  }
};
template <class R> struct spelling<Epsilon<R>> {
  static std::string text() { return "Epsilon<" + spelling<R>::text() + ">"; }
};
template <class R> struct spelling<Momentum<R>> {
  static std::string text() { return "Momentum<" + spelling<R>::text() + ">"; }
};

// layers
template <> struct spelling<Identity> {
  static std::string of(const Emission&, int) { return "Identity"; }
};
template <> struct spelling<Normalize> {
  static std::string of(const Emission&, int) { return "Normalize"; }
};
template <> struct spelling<GlobalAveragePool> {
  static std::string of(const Emission&, int) { return "GlobalAveragePool"; }
};
template <> struct spelling<act::MaskedRelu> {
  static std::string of(const Emission&, int) { return "act::MaskedRelu"; }
};
template <> struct spelling<act::Relu> {
  static std::string of(const Emission&, int) { return "act::Relu"; }
};
template <> struct spelling<act::Relu6> {
  static std::string of(const Emission&, int) { return "act::Relu6"; }
};
template <> struct spelling<act::HardSwish> {
  static std::string of(const Emission&, int) { return "act::HardSwish"; }
};
template <> struct spelling<act::HardSigmoid> {
  static std::string of(const Emission&, int) { return "act::HardSigmoid"; }
};
/// A found width is static: nothing is masked.
template <int... Ws> struct spelling<ChannelMask<Ws...>> {
  static std::string of(const Emission&, int) { return "Identity"; }
};
template <class R> struct spelling<Dropout<R>> {
  static std::string of(const Emission&, int) { return "Dropout<" + spelling<R>::text() + ">"; }
};
template <int Out, int S> struct spelling<PadShortcut<Out, S>> {
  static std::string of(const Emission&, int) {
    return "PadShortcut<" + std::to_string(Out) + ", " + std::to_string(S) + ">";
  }
};
template <PoolKind Which, int K, int S, int P> struct spelling<Pooling<Which, K, S, P>> {
  static std::string of(const Emission&, int) {
    return std::string(Which == PoolKind::max ? "MaxPool<" : "AveragePool<") + std::to_string(K) +
           ", " + std::to_string(S) + ", " + std::to_string(P) + ">";
  }
};
template <int Paths, class... Os> struct spelling<BatchNorm<Paths, Os...>> {
  static std::string of(const Emission& e, int) {
    std::vector<std::string> parts;
    [[maybe_unused]] const auto visit = [&]<class O>(std::type_identity<O>) {
      if constexpr (!std::is_same_v<O, OneGamma>)
        if (e.zero_gamma || !std::is_same_v<O, ZeroGamma>) detail::option<O>(parts);
    };
    (visit(std::type_identity<Os>{}), ...);
    if (Paths != 1 || !parts.empty()) parts.insert(parts.begin(), std::to_string(Paths));
    return detail::list("BatchNorm", parts);
  }
};
template <int Out, bool B, class W, int In, class A> struct spelling<Linear<Out, B, W, In, A>> {
  static std::string of(const Emission& e, int site) {
    std::vector<std::string> parts{std::to_string(Out == at_run_time ? e.out(site) : Out)};
    constexpr bool mapped = !std::is_same_v<A, quant::FullActivation>,
                   quantised = mapped || !std::is_same_v<W, quant::FullPrecision>;
    if (!B || quantised) parts.push_back(B ? "true" : "false");
    [[maybe_unused]] const Node& node = e.graph.nodes[site];
    if constexpr (quantised) detail::map<W>(parts, node.weight_bits);
    if constexpr (mapped) {
      parts.push_back("0");
      detail::map<A>(parts, node.activation_bits);
    }
    return detail::list("Linear", parts);
  }
};
template <int Out, int K, int S, int P, int G, bool B, class W, class A, class Width, class Kernel>
struct spelling<Convolution<Out, K, S, P, G, B, W, A, Width, Kernel>> {
  static std::string of(const Emission& e, int site) {
    constexpr bool depthwise = Out == 0 && G == 0;
    const int k = e.active.kernel[site], pad = Kernel::slot_count ? k / 2 : P;
    std::vector<std::string> parts;
    if (!depthwise) parts.push_back(std::to_string(e.out(site)));
    parts.push_back(std::to_string(k));
    if (S != 1) parts.push_back(detail::number("Stride", S));
    if (pad != k / 2) parts.push_back(detail::number("Pad", pad));
    const Node& node = e.graph.nodes[site];
    if (!depthwise && G != 1) parts.push_back(detail::number("Groups", node.groups));
    if (B) parts.push_back("Bias<true>");
    if constexpr (!std::is_same_v<W, quant::FullPrecision>) detail::map<W>(parts, node.weight_bits);
    if constexpr (!std::is_same_v<A, quant::FullActivation>)
      detail::map<A>(parts, node.activation_bits);
    return detail::list(depthwise ? "Depthwise" : "Conv", parts);
  }
};

}  // namespace rnx::inline RNX_ISA::search
