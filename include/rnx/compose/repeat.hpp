// Repeat<N, First, Rest, MinDepth>: First, then Rest N - 1 times. With MinDepth < N the active
// depth is a subnet's choice ("depth"): the first blocks run, the last active one writes the
// stage's output.
#pragma once

#include "rnx/compose/fork.hpp"

namespace rnx::inline RNX_ISA {

template <int N, class In, class Device, class T, class First, class Rest, int MinDepth>
struct BoundRepeat {
  static constexpr bool leaf = false, fusible = true;
  static constexpr bool elastic = MinDepth < N;
  static constexpr Dims inner = layer::out_dims<First>(In::dims);
  using first = bound_t<First, In, Device, T>;
  using rest = bound_t<Rest, shape_of<inner>, Device, T>;
  using Src = View<const T, Device>;
  using Dst = View<T, Device>;
  static constexpr int site_of(int i) {
    return elastic + (i == 0 ? 0 : layer::sites<First>() + (i - 1) * layer::sites<Rest>());
  }

  [[gnu::cold]] static int describe(GraphBuilder& g, int input) {
    if (elastic) {
      Node node;
      node.kind = Kind::choice;
      node.operation = "depth";
      node.slot_count = 1;
      node.slot_names = {"depth"};
      g.add(std::move(node));
    }
    int end = input, early = 0;
    std::vector<int> ends;
    for (int i = 0; i < N; ++i) {
      if (i == MinDepth - 1)
        early = int(g.nodes.size());  // the first block that may write the stage's output
      end = i ? rest::describe(g, end) : first::describe(g, end);
      ends.push_back(end);
    }
    if (elastic) {
      g.nodes[end].aliasing.early = early;
      for (std::size_t i = MinDepth; i < ends.size(); ++i)
        g.nodes[ends[i - 1]].aliasing.output_in = end;
    }
    return end;
  }
  template <class P> static int depth(const P& pass, int site) {
    if constexpr (!elastic)
      return N;
    else {
      const int d =
          std::min(pass.choice(site, 0, N), N);  // the default subnet asks for every maximum
      require<UsageError>(d >= MinDepth, [&] {
        return "Repeat: depth " + std::to_string(d) + " is outside " + std::to_string(MinDepth) +
               " .. " + std::to_string(N);
      });
      return d;
    }
  }
  template <class P> static int prepare(int c, P& pass, int site) {
    for (int i = 0, d = depth(pass, site); i < d; ++i)
      c = i ? rest::prepare(c, pass, site + site_of(i))
            : first::prepare(c, pass, site + site_of(0));
    return c;
  }
  template <class P> static void forward(Src x, Dst& y, P& pass, int site) {
    const int d = depth(pass, site);
    for (int i = 0; i < d; ++i) {
      Dst out = i + 1 == d ? y : pass.output(site + site_of(i + 1) - 1);
      if (i)
        layer::forward<rest>(x, out, pass, site + site_of(i));
      else
        layer::forward<first>(x, out, pass, site + site_of(0));
      x = out;
      if (i + 1 == d) y = out;
    }
    // consumers, keep rules and seeds find the stage's output under the last block's site,
    // whichever block wrote it
    if (d == N) return;
    pass.flush();  // the graph has other neighbours
    pass.record(site + site_of(N) - 1, {}, y);
  }
  template <class P, class Sink>
  static void backward(Src dy, Dst dx, Sink sink, P& pass, int site) {
    const int d = depth(pass, site);
    if (d < N) {
      pass.flush();
      dy = pass.seeded(site + site_of(N) - 1, dy);
    }
    for (int i = d; i-- > 0;) {
      if (site + site_of(i + 1) <= pass.first_trained) return;
      const Dst in = i ? pass.gradient(site + site_of(i) - 1) : dx;
      if (i)
        layer::backward<rest>(dy, in, sink, pass, site + site_of(i));
      else
        layer::backward<first>(dy, in, sink, pass, site + site_of(0));
      dy = in;
    }
  }
  template <class P>
  static void commit(P& pass, int site, T* buffers, const StatisticsUpdate& update) {
    for (int i = 0, d = depth(pass, site); i < d; ++i) {
      if (i) {
        if constexpr (requires { rest::commit(pass, site, buffers, update); })
          rest::commit(pass, site + site_of(i), buffers, update);
      } else if constexpr (requires { first::commit(pass, site, buffers, update); })
        first::commit(pass, site + site_of(0), buffers, update);
    }
  }
};

template <int N, class First, class Rest = First, int MinDepth = N> struct Repeat {
  static_assert(N >= 1 && MinDepth >= 1 && MinDepth <= N, "rnx: a Repeat needs 1 <= MinDepth <= N");
  static_assert(layer::sites<First>() > 0 && layer::sites<Rest>() > 0,
                "rnx: a Repeat needs blocks that compute something");
  using children = types<First, Rest>;
  template <class F, class R> using with = Repeat<N, F, R, MinDepth>;
  static constexpr int count(int child) { return child == 0 ? 1 : N - 1; }
  static constexpr const char* site_before = MinDepth < N ? "" : nullptr;
  static constexpr int sites =
      (MinDepth < N) + layer::sites<First>() + (N - 1) * layer::sites<Rest>();
  static constexpr Dims out_dims(Dims in) { return layer::out_dims<First>(in); }
  static constexpr Fault fault(Dims in) {
    if (const Fault f = layer::fault<First>(in); f != Fault::none) return f;
    if (N == 1) return Fault::none;
    const Dims d = layer::out_dims<First>(in);
    if (const Fault f = layer::fault<Rest>(d); f != Fault::none) return f;
    return layer::out_dims<Rest>(d) == d ? Fault::none : Fault::repeat;
  }
  static constexpr Culprit culprit(Dims in) {
    if (layer::fault<First>(in) != Fault::none) return {0, in};
    const Dims d = layer::out_dims<First>(in);
    if (N > 1 && layer::fault<Rest>(d) != Fault::none) return {1, d};
    return {};
  }
  template <class In, class Device, class T>
  using bind = BoundRepeat<N, In, Device, T, strip_t<First>, strip_t<Rest>, MinDepth>;
};

}  // namespace rnx::inline RNX_ISA
