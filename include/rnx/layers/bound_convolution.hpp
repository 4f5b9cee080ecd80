// What convolution and linear layers compute: y = sum over bases m, n of alpha_m beta_n (A_n(x) *
// B_m(theta)) + b, in that order of m, then n; full precision is the case of one base. theta keeps
// the field's order (O, I / groups, KH, KW); prepared weights hold what kernels read.
#pragma once

#include "rnx/layers/convolution_shape.hpp"
#include "rnx/layers/options.hpp"

namespace rnx::inline RNX_ISA {

/// S: sizes. W: weight map. A: activation map. Width, Kernel: what a subnet may choose.
template <ConvShape S, class W, class A, class Width, class Kernel, class T, class Device>
struct BoundConv {
  static constexpr bool leaf = true, chains = true;
  static constexpr bool depthwise = S.depthwise(),
                        plain_weights = W::identity && Kernel::slot_count == 0,
                        plain_input = A::identity;
  static constexpr int M = W::bases, N = A::bases;
  static constexpr bool derived = Kernel::slot_count > 0;
  using In = View<const T, Device>;
  using Out = View<T, Device>;

  // parameters: weight | bias | extra of the kernel rule | activation map
  static constexpr std::size_t bias_at = S.weights(), extra_at = bias_at + (S.bias ? S.out.c : 0),
                               activation_at = extra_at + Kernel::extra(S.kh);

  // prepared: M forward packs | backward pack (of the sum) | bases | scales | sum | products
  static constexpr int out_group = S.out.c / S.groups;
  static constexpr long kernel_size = long(S.kh) * S.kw;
  static constexpr geometry::Weights maxima{.groups = depthwise ? S.in.c : S.groups,
                                            .o = out_group,
                                            .i = S.in_group(),
                                            .kh = S.kh,
                                            .kw = S.kw,
                                            .so = S.in_group() * kernel_size,
                                            .si = kernel_size,
                                            .sh = S.kw,
                                            .sw = 1,
                                            .sg = out_group * S.in_group() * kernel_size};
  static constexpr std::size_t dense_size = S.weights();
  static constexpr bool winograd_shape = RNX_WINOGRAD && has_chains<Device> && !S.linear &&
                                         S.kh == 3 && S.kw == 3 && S.stride == 1 && S.groups == 1 &&
                                         Kernel::slot_count == 0;
  static constexpr bool winograd_forward =
      winograd_shape && geometry::winograd_wins(S.in.c, S.out.c, S.out.h, S.out.w);
  static constexpr bool winograd_backward =
      winograd_shape && geometry::winograd_wins(S.out.c, S.in.c, S.in.h, S.in.w);
  static constexpr std::size_t pack_size =
      round_up(depthwise          ? dense_size
               : winograd_forward ? maxima.packed_winograd(S.in.c, S.out.c)
                                  : maxima.packed_forward(),
               16);
  static constexpr std::size_t backward_at = M * pack_size;
  static constexpr std::size_t bases_at =
      backward_at + round_up(depthwise           ? (plain_weights ? 0 : dense_size)
                             : winograd_backward ? maxima.packed_winograd(S.out.c, S.in.c)
                                                 : maxima.packed_backward(),
                             16);
  static constexpr std::size_t scales_at = bases_at + (plain_weights ? 0 : M * dense_size);
  static constexpr std::size_t sum_at = scales_at + (W::scaled ? M * S.out.c : 0);
  static constexpr std::size_t products_at = sum_at + (plain_weights ? 0 : dense_size);
  static constexpr bool scaled = W::scaled || A::scaled;
  static constexpr std::size_t prepared_size =
      round_up(products_at + (scaled || M * N > 1 ? M * N * S.out.c : 0), 16);

  /// What a bound convolution asks of its policies, in describe's own body: clang's output is then
  /// one error.
  [[gnu::cold]] static int describe(GraphBuilder& g, int input) {
    static_assert(!W::identity || (M == 1 && !W::scaled),
                  "rnx: a weight map that is the identity has one base and no scales");
    static_assert(
        !requires { W::extra(1); },
        "rnx: a weight map has no parameters of its own; leave out `extra`");
    static_assert(!A::identity || (N == 1 && !A::scaled),
                  "rnx: an activation map that is the identity has one base and no scales");
    static_assert(A::parameters == (A::scaled ? 2 * N : 0),
                  "rnx: an activation map has N betas and N shifts, or no parameters");
    static_assert(S.groups == 1 || Width::slot_count == 0,
                  "rnx: a convolution in groups has no width to choose");
    static_assert(!derived || W::identity,
                  "rnx: a learned kernel transform takes full-precision weights");
    Node node;
    node.kind = S.linear ? Kind::linear : Kind::convolution;
    node.operation = S.linear ? "linear" : depthwise ? "depthwise" : "conv2d";
    node.inputs = {input};
    node.in = S.in;
    node.out = S.out;
    node.kernel_h = S.kh;
    node.kernel_w = S.kw;
    node.stride = S.stride;
    node.pad = S.pad;
    node.groups = S.groups;
    node.bias = S.bias;
    node.weight_bits = W::bits;
    node.activation_bits = A::bits;
    describe_parameters(node);
    node.slot_count = Width::slot_count + Kernel::slot_count;
    if (Width::slot_count) node.slot_names.push_back(Width::slot_name);
    if (Kernel::slot_count) node.slot_names.push_back("kernel");
    node.reads.input =
        reads::parameter_gradient | (plain_input ? reads::none : reads::input_gradient);
    node.packed = prepared_size;
    node.chains = true;
    if (!plain_input) {
      const std::size_t padded = std::size_t(S.in.h + 2 * S.pad) * (S.in.w + 2 * S.pad) * S.in.c;
      node.scratch.forward = N * padded;
      node.scratch.backward = 2 * padded;
    }
    node.scratch.backward_fixed = dense_size * (plain_weights ? 1 : 2);
    return g.add(std::move(node));
  }

  [[gnu::cold]] static void describe_parameters(Node& node) {
    const int fan_in = S.in_group() * S.kh * S.kw;
    if (S.linear)
      node.parameters.push_back(
          {"weight", {S.out.c, int(S.in.count())}, ParameterKind::weight, Init::uniform_fan_in});
    else
      node.parameters.push_back({"weight",
                                 {S.out.c, S.in_group(), S.kh, S.kw},
                                 ParameterKind::weight,
                                 Init::kaiming_normal});
    if (S.bias)
      node.parameters.push_back(
          {"bias", {S.out.c}, ParameterKind::bias, Init::uniform_fan_in, double(fan_in)});
    if constexpr (Kernel::slot_count > 0) Kernel::describe(node);
    if constexpr (A::scaled) {
      node.parameters.push_back(
          {"activation.beta", {N}, ParameterKind::scale, Init::constant, A::initial_beta()});
      node.parameters.push_back({"activation.shift", {N}, ParameterKind::scale, Init::spread});
    }
  }

  /// What is active in one pass, given the active input channels.
  struct Active {
    geometry::Weights w;
    int out, kernel, pad, depth_groups;
  };
  template <class P> static Active active(int c_in, const P& pass, int site) {
    Active a{};
    a.kernel = S.kh;
    if constexpr (Kernel::slot_count > 0)
      a.kernel = Kernel::active(
          pass.choice(site, Width::slot_count, S.kh));  // throws on a size it does not have
    a.pad = Kernel::slot_count ? a.kernel / 2 : S.pad;
    a.out = depthwise ? c_in : Width::active(c_in, S.out.c, choice(pass, site));
    a.w = maxima;
    a.w.kh = Kernel::slot_count ? a.kernel : S.kh;
    a.w.kw = Kernel::slot_count ? a.kernel : S.kw;
    if (depthwise)
      a.w.groups = c_in;
    else if (S.groups == 1) {
      a.w.i = c_in;
      a.w.o = a.out;
    } else
      require<UsageError>(c_in == S.in.c && a.out == S.out.c, [&] {
        return "grouped convolution: it takes all of its " + std::to_string(S.in.c) +
               " channels, the subnet left " + std::to_string(c_in);
      });
    return a;
  }
  template <class P> static int choice(const P& pass, int site) {
    if constexpr (requires { Width::gated; })
      return pass.gated;
    else if constexpr (requires { Width::maximum_choice; })
      return std::min(pass.choice(site, 0, Width::maximum_choice), Width::maximum_choice);
    else
      return Width::slot_count ? pass.choice(site, 0, S.out.c) : 0;
  }
  static geometry::Weights packed_dense(
      const Active& a) {  // the active corner as a dense tensor of its own
    geometry::Weights d = a.w;
    d.sw = 1;
    d.sh = d.kw;
    d.si = long(d.kh) * d.kw;
    d.so = d.si * d.i;
    d.sg = d.so * d.o;
    return d;
  }

  /// Computes the weight map and packs its bases: once per version of the parameters.
  template <class P> static int prepare(int c_in, P& pass, int site) {
    const Active a = active(c_in, pass, site);
    const T* theta = pass.parameter(site);
    T* p = pass.prepared(site);
    if constexpr (plain_weights) {
      pack(pass, a.w, theta, p, p + backward_at);
    } else {
      const geometry::Weights dense = packed_dense(a);
      const int rows = dense.groups * dense.o;
      if constexpr (derived)
        pass.run(op::derived_kernel<Kernel, T>{.g = a.w,
                                               .theta = theta,
                                               .extra = pass.parameter(site, extra_at),
                                               .weights = p + bases_at});
      else
        pass.run(op::weight_bases<W, T>{
            .g = a.w, .theta = theta, .bases = p + bases_at, .scales = map_scales(p)});
      for (int m = 0; m < M; ++m)
        pack(pass, dense, p + bases_at + m * dense.count(), p + m * pack_size, nullptr);
      pass.run(op::sum_bases<T>{.bases = M,
                                .rows = rows,
                                .row = dense.count() / rows,
                                .base = p + bases_at,
                                .scale = scales(p),
                                .y = p + sum_at});
      pack(pass, dense, p + sum_at, nullptr, p + backward_at);
    }
    if constexpr (scaled || M * N > 1) {
      const T* betas = A::scaled ? pass.parameter(site, activation_at) : nullptr;
      pass.run(op::base_products<T>{.k = M,
                                    .n = N,
                                    .o = a.out,
                                    .scales = scales(p),
                                    .betas = betas,
                                    .products = p + products_at});
    }
    return a.out;
  }

  template <class P> static void forward(In x, Out& y, P& pass, int site) {
    const Active a = active(x.dims.c, pass, site);
    y.dims.c = a.out;
    const T* bias = S.bias ? pass.parameter(site, bias_at) : nullptr;
    const T* p = pass.prepared(site);
    if constexpr (plain_input && M == 1 && !scaled) {
      convolve(pass, conv(geometry::map(x), geometry::map(y), a, a.pad), x.data, p, bias, nullptr,
               y.data, false);
    } else {
      geometry::Map from = geometry::map(x);
      const T* base = x.data;
      int pad = a.pad;
      if constexpr (!plain_input) {
        pass.run(op::activation_bases<A, T>{.x = {from, x.data},
                                            .parameters = activation_parameters(pass, site),
                                            .bases = pass.work_forward(site),
                                            .sum = nullptr,
                                            .pad = a.pad});
        from = geometry::padded(from, a.pad);
        base = pass.work_forward(site);
        pad = 0;
      }
      for (int m = 0; m < M; ++m)
        for (int n = 0; n < N; ++n)
          convolve(pass, conv(from, geometry::map(y), a, pad), base + n * from.n * from.sample(),
                   p + m * pack_size, m + 1 == M && n + 1 == N ? bias : nullptr,
                   scaled || M * N > 1 ? p + products_at + (m * N + n) * a.out : nullptr, y.data,
                   m + n > 0);
    }
  }

  template <class P, class Sink> static void backward(In dy, Out dx, Sink sink, P& pass, int site) {
    const In x = pass.records[site].x;
    const Active a = active(x.dims.c, pass, site);
    const T* p = pass.prepared(site);
    const geometry::Map mx = geometry::map(x), my = geometry::map(dy);
    if constexpr (plain_input) {
      // the input gradient last: what follows it can be chained to it
      if constexpr (wants_grads<Sink>)
        parameter_gradients(sink, pass, site, a, conv(mx, my, a, a.pad), x.data, dy);
      if (dx) back_input(pass, conv(geometry::map(dx), my, a, a.pad), dy.data, p, dx.data);
    } else {
      const geometry::Map wide = geometry::padded(mx, a.pad);
      T* sum = pass.work_backward(site);
      T* dsum = sum + wide.n * wide.sample();
      if constexpr (wants_grads<Sink>) {
        pass.run(op::activation_bases<A, T>{.x = {mx, x.data},
                                            .parameters = activation_parameters(pass, site),
                                            .bases = nullptr,
                                            .sum = sum,
                                            .pad = a.pad});
        parameter_gradients(sink, pass, site, a, conv(wide, my, a, 0), sum, dy);
      }
      if (dx || (A::scaled && wants_grads<Sink>)) {
        T* dparameters = nullptr;
        if constexpr (wants_grads<Sink> && A::scaled)
          dparameters = sink.base + pass.sites[site].parameters + activation_at;
        back_input(pass, conv(wide, my, a, 0), dy.data, p, dsum);
        pass.run(
            op::activation_bases_backward<A, T>{.x = {mx, x.data},
                                                .dx = dx,
                                                .parameters = activation_parameters(pass, site),
                                                .dsum = dsum,
                                                .dparameters = dparameters,
                                                .pad = a.pad});
      }
    }
  }

 private:
  /// What the weight map takes: a pointer, or nothing where it has no scales.
  template <class U> static op::scales_of<W, U*> map_scales(U* prepared) {
    if constexpr (W::scaled)
      return prepared + scales_at;
    else
      return {};
  }
  /// Of prepared weights; null: 1.
  static const T* scales(const T* prepared) { return W::scaled ? prepared + scales_at : nullptr; }
  template <class P> static const T* activation_parameters(const P& pass, int site) {
    return A::parameters ? pass.parameter(site, activation_at) : nullptr;
  }
  static geometry::Conv2d conv(geometry::Map x, geometry::Map y, const Active& a, int pad) {
    return {x,
            y,
            a.w.kh,
            a.w.kw,
            S.stride,
            S.linear ? 0 : pad,
            S.linear ? 0 : pad,
            depthwise ? x.c : S.groups};
  }
  template <class P>
  static void pack(P& pass, const geometry::Weights& g, const T* theta, T* forward, T* backward) {
    if constexpr (depthwise) {
      if (forward) pass.run(op::pack_depthwise<T>{g, theta, forward});
      if (backward && !plain_weights) pass.run(op::pack_depthwise<T>{g, theta, backward});
    } else {
      pass.run(op::pack_weights<T>{.g = g,
                                   .theta = theta,
                                   .forward = forward,
                                   .backward = backward,
                                   .winograd_forward = winograd_forward,
                                   .winograd_backward = winograd_backward});
    }
  }
  template <class P>
  static void convolve(P& pass, const geometry::Conv2d& g, const T* x, const T* w, const T* bias,
                       const T* scale, T* y, bool accumulate) {
    if constexpr (depthwise)
      pass.run(op::depthwise_forward<T>{
          .g = g, .x = x, .w = w, .bias = bias, .scale = scale, .y = y, .accumulate = accumulate});
    else
      pass.run(op::conv2d_forward<T>{.g = with(g, winograd_forward),
                                     .x = x,
                                     .w = w,
                                     .bias = bias,
                                     .scale = scale,
                                     .y = y,
                                     .accumulate = accumulate});
  }
  static geometry::Conv2d with(geometry::Conv2d g, bool winograd) {
    g.winograd = winograd;
    return g;
  }
  template <class P>
  static void back_input(P& pass, const geometry::Conv2d& g, const T* dy, const T* p, T* dx) {
    if constexpr (depthwise)
      pass.run(op::depthwise_backward_input<T>{
          .g = g, .dy = dy, .w = plain_weights ? p : p + backward_at, .dx = dx});
    else
      pass.run(op::conv2d_backward_input<T>{
          .g = with(g, winograd_backward), .dy = dy, .w = p + backward_at, .dx = dx});
  }
  template <class P>
  static void parameter_gradients(GradSink<T> sink, P& pass, int site, const Active& a,
                                  const geometry::Conv2d& g, const T* x, In dy) {
    T* grad = sink.base + pass.sites[site].parameters;
    T* dw = pass.work_backward(site) + (plain_input ? 0
                                                    : pass.n * 2 * std::size_t(S.in.h + 2 * S.pad) *
                                                          (S.in.w + 2 * S.pad) * S.in.c);
    if constexpr (depthwise)
      pass.run(op::depthwise_backward_weight<T>{.g = g, .x = x, .dy = dy.data, .dw = dw});
    else
      pass.run(op::conv2d_backward_weight<T>{.g = g, .x = x, .dy = dy.data, .dw = dw});
    const auto unpack = [&](const geometry::Weights& w, T* to) {
      if constexpr (depthwise)
        pass.run(op::unpack_depthwise_gradient<T>{w, dw, to});
      else
        pass.run(op::unpack_gradient<T>{w, dw, to});
    };
    if constexpr (plain_weights) {
      unpack(a.w, grad);
    } else {
      const geometry::Weights dense = packed_dense(a);
      T* dsum = dw + dense_size;
      pass.run(op::fill<T>{dense.count(), T(0), dsum});
      unpack(dense, dsum);
      [[maybe_unused]] const T* p = pass.prepared(site);
      const T* theta = pass.parameter(site);
      if constexpr (derived)
        pass.run(op::derived_kernel_backward<Kernel, T>{.g = a.w,
                                                        .theta = theta,
                                                        .extra = pass.parameter(site, extra_at),
                                                        .dweights = dsum,
                                                        .dtheta = grad,
                                                        .dextra = grad + extra_at});
      else
        pass.run(op::weight_bases_backward<W, T>{.g = a.w,
                                                 .theta = theta,
                                                 .bases = p + bases_at,
                                                 .scales = map_scales(p),
                                                 .dsum = dsum,
                                                 .dtheta = grad});
    }
    if constexpr (S.bias) pass.run(op::bias_backward<T>{.dy = dy, .db = grad + bias_at});
  }
};

}  // namespace rnx::inline RNX_ISA
