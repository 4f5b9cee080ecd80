// Parallel<Join, Branches...>: branches that read the same input, and the joins. Only joins add.
//   join::Add      y = sum of the branches (an elastic branch is left out where its active channels
//                  differ from the first one's)
//   join::AddWhereEqual   the same, for branches whose maxima may differ in channels: the shortcut
//                         of an elastic block
//   join::Concat   channels side by side; branches write their slices directly
//   join::Gate     y = x g(x): the first branch is Identity, the second returns one value per
//                  channel (squeeze-excite)
// Residual<Body, Shortcut, Post> = Parallel<join::Add, Body, Shortcut>, then Post: the form in
// which fusions are found. Fork<Side> passes its input on and computes Side beside it: an auxiliary
// head, read and seeded through the trace.
#pragma once

#include <span>

#include "rnx/compose/sequential.hpp"

namespace rnx::inline RNX_ISA {

namespace join {
struct Add {
  static constexpr const char* name = "add";
  static constexpr bool slices = false, adds = true;
  static constexpr Dims out(std::span<const Dims> b) { return b[0]; }
  static constexpr Fault fault(std::span<const Dims> b) {
    for (const Dims& d : b)
      if (d != b[0]) return Fault::branches;
    return Fault::none;
  }
};
struct AddWhereEqual {
  static constexpr const char* name = "add";
  static constexpr bool slices = false, adds = true;
  static constexpr Dims out(std::span<const Dims> b) { return b[0]; }
  static constexpr Fault fault(std::span<const Dims> b) {
    for (const Dims& d : b)
      if (d.h != b[0].h || d.w != b[0].w) return Fault::branches;
    return Fault::none;
  }
};
struct Concat {
  static constexpr const char* name = "concat";
  static constexpr bool slices = true, adds = false;
  static constexpr Dims out(std::span<const Dims> b) {
    Dims d = b[0];
    for (std::size_t i = 1; i < b.size(); ++i) d.c += b[i].c;
    return d;
  }
  static constexpr Fault fault(std::span<const Dims> b) {
    for (const Dims& d : b)
      if (d.h != b[0].h || d.w != b[0].w) return Fault::branches;
    return Fault::none;
  }
};
struct Gate {
  static constexpr const char* name = "gate";
  static constexpr bool slices = false, adds = false;
  static constexpr Dims out(std::span<const Dims> b) { return b[0]; }
  static constexpr Fault fault(std::span<const Dims> b) {
    return b.size() == 2 && b[1] == Dims{b[0].c, 1, 1} ? Fault::none : Fault::gate;
  }
};
}  // namespace join

template <class Join, class In, class Device, class T, class... Bs> struct BoundParallel {
  static constexpr bool leaf = false, fusible = true;
  static constexpr int size = sizeof...(Bs);
  using stack = Stack<Bs...>;  // sites only: every branch reads the same input
  static constexpr auto first = stack::first_sites();
  static constexpr int join_site = stack::sites;  // after the branches'
  static constexpr std::array<Dims, size> dims{layer::out_dims<Bs>(In::dims)...};
  static constexpr Dims out = Join::out(dims);
  template <int I> using child = bound_t<type_at<I, Bs...>, In, Device, T>;
  template <int I> static constexpr bool runs = first[I + 1] > first[I];
  static constexpr int channel_offset(int i) {
    int c = 0;
    for (int k = 0; k < i; ++k) c += dims[k].c;
    return c;
  }
  using Src = View<const T, Device>;
  using Dst = View<T, Device>;
  template <class F> static void each(F f) {
    [&]<int... I>(std::integer_sequence<int, I...>) { (f.template operator()<I>(), ...); }
    (std::make_integer_sequence<int, size>{});
  }
  template <class F> static void each_reversed(F f) {
    [&]<int... I>(std::integer_sequence<int, I...>) {
      (f.template operator()<size - 1 - I>(), ...);
    }
    (std::make_integer_sequence<int, size>{});
  }

  [[gnu::cold]] static int describe(GraphBuilder& g, int input) {
    Node node;
    node.kind = Kind::join;
    node.operation = Join::name;
    node.in = In::dims;
    node.out = out;
    node.aliasing.block_first = int(g.nodes.size());
    node.scratch.branch = In::dims.count();
    each([&]<int I> {
      int end = input;
      if constexpr (runs<I>) {
        end = child<I>::describe(g, input);
        g.nodes[end].aliasing.own_gradient =
            is_gate;  // otherwise the join's gradient is read in place
      }
      node.inputs.push_back(end);
    });
    if (is_gate) node.reads.input = reads::always;
    if (Join::adds) {
      node.aliasing.overwrites = 0;
      node.fusible = true;
    }
    if (Join::slices) {
      node.aliasing.early = node.aliasing.block_first;
      for (int end : node.inputs)
        if (end != input) {
          g.nodes[end].aliasing.output_in = int(g.nodes.size());
          g.nodes[end].aliasing.own_output = false;
        }
    }
    return g.add(std::move(node));
  }
  static constexpr bool is_gate = std::is_same_v<Join, join::Gate>;
  template <class P> static int prepare(int c, P& pass, int site) {
    int result = 0;
    if (is_gate) pass.gated = c;
    each([&]<int I> {
      int end = c;
      if constexpr (runs<I>) end = child<I>::prepare(c, pass, site + first[I]);
      if (Join::slices)
        result += dims[I].c;
      else if (I == 0)
        result = end;
    });
    return result;
  }

  template <class P> static void forward(Src x, Dst& y, P& pass, int site) {
    std::array<Src, size> b;
    if (is_gate) pass.gated = x.dims.c;
    each([&]<int I> {
      if constexpr (runs<I>) {
        Dst inner = Join::slices ? y.channels(channel_offset(I), dims[I].c)
                                 : pass.output(site + first[I + 1] - 1);
        layer::forward<child<I>>(x, inner, pass, site + first[I]);
        b[I] = inner;
        if (Join::slices)
          require<ShapeError>(
              inner.dims.c == dims[I].c,
              "concat: a branch with inactive channels cannot be joined by concatenation");
      } else {
        b[I] = x;
        if (Join::slices) {
          const Dst slice = y.channels(channel_offset(I), dims[I].c);
          pass.run(op::copy<T>{.from = x, .to = slice});
        }
      }
    });
    y.dims.c = Join::slices ? out.c : b[0].dims.c;
    if constexpr (Join::adds) {
      Src sum = b[0];
      for (int i = 1; i < size; ++i) {
        if (b[i].dims.c != b[0].dims.c)
          continue;  // an elastic branch passes nothing where channels differ
        pass.run(op::add<T>{.a = sum, .b = b[i], .y = y});
        sum = y;
      }
      if (sum.data != y.data) pass.run(op::copy<T>{.from = sum, .to = y});
    } else if constexpr (is_gate) {
      pass.run(op::scale_channels<T>{.x = x, .s = b[1], .y = y});
    }
    pass.record(site + join_site, x, y);
  }

  template <class P, class Sink>
  static void backward(Src dy, Dst dx, Sink sink, P& pass, int site) {
    dy = pass.seeded(site + join_site, dy);
    const Src x = pass.records[site + join_site].x;
    bool assigned = false;
    if (is_gate) pass.gated = x.dims.c;
    const auto into = [&](auto write) {  // the first branch assigns dx, the others are added
      if (!dx) return write(dx);
      if (!assigned) return write(dx), void(assigned = true);
      const Dst share = pass.branch(site + join_site, x.dims, In::dims.c);
      write(share);
      pass.run(op::accumulate<T>{.from = share, .to = dx, .consumed = true});
    };
    if constexpr (is_gate) {
      static_assert(!runs<0> && size == 2, "rnx: the first branch of a Gate must be Identity");
      const Src gate = pass.records[site + first[2] - 1].y;
      const Dst dgate = pass.gradient(site + first[2] - 1);
      pass.run(op::scale_channels_gate<T>{.x = x, .dy = dy, .ds = dgate});
      if (dx) into([&](Dst to) { pass.run(op::scale_channels<T>{.x = dy, .s = gate, .y = to}); });
      into([&](Dst to) { layer::backward<child<1>>(Src(dgate), to, sink, pass, site + first[1]); });
    } else {
      const int active = Join::slices ? 0 : pass.records[site + join_site].y.dims.c;
      const auto part = [&](int i) {
        return Join::slices ? dy.channels(channel_offset(i), dims[i].c) : dy;
      };
      each_reversed([&]<int I> {
        if constexpr (runs<I>) {
          if (Join::adds && pass.records[site + first[I + 1] - 1].y.dims.c != active)
            return;  // left out by forward
          into(
              [&](Dst to) { layer::backward<child<I>>(part(I), to, sink, pass, site + first[I]); });
        }
      });
      each(
          // identities last: the addition is fused with the input gradient of the others
          [&]<int I> {
            if constexpr (!runs<I>) {
              if (!dx || (!Join::slices && x.dims.c != active)) return;
              const Src from = part(I);
              if (!assigned)
                pass.run(op::copy<T>{.from = from, .to = dx}), assigned = true;
              else
                pass.run(op::accumulate<T>{.from = from, .to = dx});
            }
          });
    }
  }
  template <class P>
  static void commit(P& pass, int site, T* buffers, const StatisticsUpdate& update) {
    each([&]<int I> {
      if constexpr (runs<I>)
        if constexpr (requires { child<I>::commit(pass, site, buffers, update); })
          child<I>::commit(pass, site + first[I], buffers, update);
    });
  }
};

template <class Join, class... Bs> struct Parallel {
  static_assert(sizeof...(Bs) >= 2, "rnx: a Parallel needs at least two branches");
  using children = types<Bs...>;
  template <class... Cs> using with = Parallel<Join, Cs...>;
  static constexpr const char* site_after = Join::name;
  static constexpr int sites = (1 + ... + layer::sites<Bs>());
  static constexpr std::array<Dims, sizeof...(Bs)> branch_dims(Dims in) {
    return {layer::out_dims<Bs>(in)...};
  }
  static constexpr Dims out_dims(Dims in) { return Join::out(branch_dims(in)); }
  static constexpr Fault fault(Dims in) {
    for (Fault f : {layer::fault<Bs>(in)...})
      if (f != Fault::none) return f;
    return Join::fault(branch_dims(in));
  }
  static constexpr Culprit culprit(Dims in) {
    int i = 0;
    for (Fault f : {layer::fault<Bs>(in)...}) {
      if (f != Fault::none) return {i, in};
      ++i;
    }
    return {};
  }
  template <class In, class Device, class T>
  using bind = BoundParallel<Join, In, Device, T, strip_t<Bs>...>;
};
/// Shortcut is Identity, PadShortcut or a projection; it is called `downsample` as in torchvision.
/// Post follows the addition.
template <class Body, class Shortcut = Identity, class Post = Identity>
using Residual =
    Sequential<Transparent<Parallel<join::Add, Transparent<Body>, Named<"downsample", Shortcut>>>,
               Post>;

/// A 1x1 convolution and a norm, as branches of a residual: downsample.0, downsample.1.
template <class Convolution_, class Norm> using Projection = Sequential<Convolution_, Norm>;

}  // namespace rnx::inline RNX_ISA
