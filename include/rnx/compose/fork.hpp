// Fork<Side>: y = x, with Side computed beside it. Its output (an auxiliary head, a regressor) is
// read and seeded through the trace.
#pragma once

#include "rnx/compose/parallel.hpp"

namespace rnx::inline RNX_ISA {

template <class In, class Device, class T, class Side> struct BoundFork {
  static constexpr bool leaf = false, fusible = true;
  static constexpr int fork_site = layer::sites<Side>();  // after the side branch's
  using side = bound_t<Side, In, Device, T>;
  using Src = View<const T, Device>;
  using Dst = View<T, Device>;

  [[gnu::cold]] static int describe(GraphBuilder& g, int input) {
    Node node;
    node.kind = Kind::side;
    node.operation = "fork";
    node.in = node.out = In::dims;
    node.aliasing.block_first = int(g.nodes.size());
    node.scratch.branch = In::dims.count();
    const int end = side::describe(g, input);
    node.inputs = {input, end};
    return g.add(std::move(node));
  }
  template <class P> static int prepare(int c, P& pass, int site) {
    return side::prepare(c, pass, site), c;
  }
  template <class P> static void forward(Src x, Dst& y, P& pass, int site) {
    Dst inner = pass.output(site + fork_site - 1);
    layer::forward<side>(x, inner, pass, site);
    y.dims.c = x.dims.c;
    pass.run(op::copy<T>{.from = x, .to = y});
    pass.record(site + fork_site, x, y);
  }
  template <class P, class Sink>
  static void backward(Src dy, Dst dx, Sink sink, P& pass, int site) {
    dy = pass.seeded(site + fork_site, dy);
    const Src x = pass.records[site + fork_site].x;
    const Dst dside = pass.gradient(site + fork_site - 1);
    pass.run(op::fill<T>{std::size_t(dside.n) * dside.sample_stride(), T(0),
                         dside.data});  // a loss adds its seed there
    const Dst share = dx ? pass.branch(site + fork_site, x.dims, In::dims.c) : Dst{};
    layer::backward<side>(Src(dside), share, sink, pass, site);
    if (dx) pass.run(op::add<T>{.a = dy, .b = share, .y = dx});
  }
  template <class P>
  static void commit(P& pass, int site, T* buffers, const StatisticsUpdate& update) {
    if constexpr (requires { side::commit(pass, site, buffers, update); })
      side::commit(pass, site, buffers, update);
  }
};

template <class Side> struct Fork {
  static_assert(layer::sites<Side>() > 0,
                "rnx: a Fork needs a side branch that computes something");
  using children = types<Transparent<Side>>;
  template <class C> using with = Fork<C>;
  static constexpr const char* site_after = "fork";
  static constexpr int sites = layer::sites<Side>() + 1;
  static constexpr Dims out_dims(Dims in) { return in; }
  static constexpr Fault fault(Dims in) { return layer::fault<Side>(in); }
  static constexpr Culprit culprit(Dims in) { return {0, in}; }
  template <class In, class Device, class T> using bind = BoundFork<In, Device, T, strip_t<Side>>;
};

}  // namespace rnx::inline RNX_ISA
