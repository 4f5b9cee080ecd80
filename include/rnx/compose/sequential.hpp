// Sequential<A, B, ...>: one layer after another. Shape inference is one constexpr loop over the
// children.
#pragma once

#include <array>

#include "rnx/compose/named.hpp"

namespace rnx::inline RNX_ISA {

/// Shapes and sites of specs one after another.
template <class... Ss> struct Stack {
  static constexpr int size = sizeof...(Ss);
  static constexpr int sites = (0 + ... + layer::sites<Ss>());
  using Infer = Dims (*)(Dims);
  using Check = Fault (*)(Dims);

  /// Input shape of child i; [size] is the output. Stops at the first fault with invalid shapes.
  static constexpr std::array<Dims, size + 1> shapes(Dims in) {
    constexpr std::array<Infer, size + 1> infer{&layer::out_dims<Ss>..., nullptr};
    constexpr std::array<Check, size + 1> check{&layer::fault<Ss>..., nullptr};
    std::array<Dims, size + 1> d{in};
    for (int i = 0; i < size; ++i) {
      if (check[i](d[i]) != Fault::none) {
        for (int k = i + 1; k <= size; ++k) d[k] = Dims{0, 0, 0};
        break;
      }
      d[i + 1] = infer[i](d[i]);
    }
    return d;
  }
  static constexpr Culprit culprit(Dims in) {
    constexpr std::array<Check, size + 1> check{&layer::fault<Ss>..., nullptr};
    const auto d = shapes(in);
    for (int i = 0; i < size; ++i)
      if (check[i](d[i]) != Fault::none) return {i, d[i]};
    return {};
  }
  static constexpr Fault fault(Dims in) {
    constexpr std::array<Check, size + 1> check{&layer::fault<Ss>..., nullptr};
    const Culprit found = culprit(in);
    return found.child < 0 ? Fault::none : check[found.child](found.in);
  }
  /// First site of child i, relative to the stack's.
  static constexpr std::array<int, size + 1> first_sites() {
    constexpr std::array<int, size + 1> count{layer::sites<Ss>()..., 0};
    std::array<int, size + 1> first{};
    for (int i = 0; i < size; ++i) first[i + 1] = first[i] + count[i];
    return first;
  }
  /// Whether child i is the last that computes something.
  static constexpr bool last(int i) { return first_sites()[i + 1] == sites; }
};

template <class In, class Device, class T, class... Ss> struct BoundSequential {
  static constexpr bool leaf = false, fusible = true;
  using stack = Stack<Ss...>;
  static constexpr auto shapes = stack::shapes(In::dims);
  static constexpr auto first = stack::first_sites();
  template <int I> using child = bound_t<type_at<I, Ss...>, shape_of<shapes[I]>, Device, T>;
  template <int I> static constexpr bool runs = first[I + 1] > first[I];
  using Src = View<const T, Device>;
  using Dst = View<T, Device>;

  /// f.operator()<i>() for i in order.
  template <class F> static void each(F f) {
    [&]<int... I>(std::integer_sequence<int, I...>) { (f.template operator()<I>(), ...); }
    (std::make_integer_sequence<int, stack::size>{});
  }
  template <class F> static void each_reversed(F f) {
    [&]<int... I>(std::integer_sequence<int, I...>) {
      (f.template operator()<stack::size - 1 - I>(), ...);
    }
    (std::make_integer_sequence<int, stack::size>{});
  }

  [[gnu::cold]] static int describe(GraphBuilder& g, int input) {
    each([&]<int I> {
      if constexpr (runs<I>) input = child<I>::describe(g, input);
    });
    return input;
  }
  template <class P> static int prepare(int c, P& pass, int site) {
    each([&]<int I> {
      if constexpr (runs<I>) c = child<I>::prepare(c, pass, site + first[I]);
    });
    return c;
  }
  template <class P> static void forward(Src x, Dst& y, P& pass, int site) {
    each([&]<int I> {
      if constexpr (!runs<I>)
        return;
      else if constexpr (stack::last(I))
        layer::forward<child<I>>(x, y, pass, site + first[I]);
      else {
        Dst inner = pass.output(site + first[I + 1] - 1);
        layer::forward<child<I>>(x, inner, pass, site + first[I]);
        x = inner;
      }
    });
  }
  template <class P, class Sink>
  static void backward(Src dy, Dst dx, Sink sink, P& pass, int site) {
    each_reversed([&]<int I> {
      if constexpr (!runs<I>)
        return;
      else if (site + first[I + 1] <= pass.first_trained)
        return;
      else if constexpr (first[I] == 0)
        layer::backward<child<I>>(dy, dx, sink, pass, site);
      else {
        const Dst inner = pass.gradient(site + first[I] - 1);
        layer::backward<child<I>>(dy, inner, sink, pass, site + first[I]);
        dy = inner;
      }
    });
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

/// One layer after another. Unnamed children are called by their position: "0", "1", ...
template <class... Ss> struct Sequential {
  using children = types<Ss...>;
  template <class... Cs> using with = Sequential<Cs...>;
  static constexpr int sites = Stack<Ss...>::sites;
  static constexpr Dims out_dims(Dims in) { return Stack<Ss...>::shapes(in).back(); }
  static constexpr Fault fault(Dims in) { return Stack<Ss...>::fault(in); }
  static constexpr Culprit culprit(Dims in) { return Stack<Ss...>::culprit(in); }
  template <class In, class Device, class T>
  using bind = BoundSequential<In, Device, T, strip_t<Ss>...>;
};

}  // namespace rnx::inline RNX_ISA
