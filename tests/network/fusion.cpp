// Fused and unfused execution agree: the same network inside a layer that fuses nothing runs every
// operation by itself.
#include "support/batch.hpp"

#include <doctest/doctest.h>

#include <rnx/net.hpp>

using namespace rnx;
namespace {

/// Runs Spec as it is, but is not fusible: a user's own composite.
template <class In, class Device, class T, class Spec> struct BoundSingly {
  static constexpr bool leaf = false;
  using child = bound_t<Spec, In, Device, T>;
  static int describe(GraphBuilder& g, int input) { return child::describe(g, input); }
  template <class P> static int prepare(int c, P& pass, int site) {
    return child::prepare(c, pass, site);
  }
  template <class X, class Y, class P> static void forward(X x, Y& y, P& pass, int site) {
    layer::forward<child>(x, y, pass, site);
  }
  template <class Dy, class Dx, class Sink, class P>
  static void backward(Dy dy, Dx dx, Sink sink, P& pass, int site) {
    layer::backward<child>(dy, dx, sink, pass, site);
  }
  template <class P> static void commit(P& pass, int site, T* buffers, const StatisticsUpdate& u) {
    child::commit(pass, site, buffers, u);
  }
};
template <class Spec> struct Singly {
  static constexpr int sites = Spec::sites;
  static constexpr Dims out_dims(Dims in) { return Spec::out_dims(in); }
  static constexpr Fault fault(Dims in) { return Spec::fault(in); }
  template <class In, class Device, class T> using bind = BoundSingly<In, Device, T, strip_t<Spec>>;
};

struct Results {
  std::vector<float> logits, dx, grads, buffers;
  std::size_t bytes;
};

Results run(NetworkBase<float>& net, Mode mode, bool grads, std::vector<Keep> keep) {
  const int n = 6;
  auto trace = net.make_trace({.use = grads ? Use::train : Use::input_gradient,
                               .capacity = n,
                               .keep = std::move(keep),
                               .eval_only = mode == Mode::eval && !grads});
  const auto x = support::images<float>(n, net.input_dims());
  Tensor<float> dx(n, net.input_dims());
  auto g = net.make_grads();
  g.zero({});
  Results r;
  r.logits = to_host(net.forward(trace, x.view(), {.mode = mode}));
  auto dz = trace.logits_gradient();
  for (std::size_t i = 0; i < std::size_t(n) * dz.dims.c; ++i)
    dz.data[i] = float(int(i * 7 % 11) - 5) / 8;
  for (const auto& a : trace.activations())
    for (std::size_t i = 0; i < (a.seed ? std::size_t(a.seed.n) * a.seed.sample_stride() : 0); ++i)
      a.seed.data[i] = 0.01f * float(int(i % 7) - 3);
  net.backward(trace, dx.view(), grads ? &g : nullptr);
  if (mode == Mode::train) net.commit_statistics(trace);
  r.dx = to_host(dx.view());
  r.grads = g.flat.download();
  std::as_const(net).visit_buffers(
      [&](const auto& b) { r.buffers.insert(r.buffers.end(), b.value, b.value + b.count); });
  r.bytes = trace.bytes();
  return r;
}
double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double d = 0, norm = 1e-30;
  for (std::size_t i = 0; i < a.size(); ++i) {
    d += double(a[i] - b[i]) * (a[i] - b[i]);
    norm += double(b[i]) * b[i];
  }
  return a.size() == b.size() ? std::sqrt(d / norm) : 1;
}

template <class Spec, class In> void check() {
  for (const Mode mode : {Mode::eval, Mode::train})
    for (const bool grads : {false, true})
      for (const int kept : {0, 1, 2, 3}) {
        CAPTURE(mode == Mode::eval);
        CAPTURE(grads);
        CAPTURE(kept);
        std::vector<Keep> keep;
        for (const Kind kind : {Kind::convolution, Kind::batch_norm, Kind::join, Kind::activation})
          if (kept == 1)
            keep.push_back(Keep::every(kind));
          else if (kept == 2)
            keep.push_back(Keep::every(kind).seeded());
          else if (kept == 3)
            keep.push_back(Keep::every(kind).seeded().maps());
        Network<Spec, In> whole(5);
        Network<Singly<Spec>, In> single(5);
        const Results a = run(whole, mode, grads, keep), b = run(single, mode, grads, keep);
        if (mode == Mode::eval)
          CHECK(a.logits == b.logits);  // batch statistics are summed in another order
        CHECK(distance(a.logits, b.logits) < 1e-5);
        CHECK(distance(a.dx, b.dx) < 1e-4);
        CHECK(distance(a.grads, b.grads) < 1e-4);
        CHECK(distance(a.buffers, b.buffers) < 1e-6);
        if (kept == 1) {  // keeping changes no bit
          Network<Spec, In> again(5);
          const Results plain = run(again, mode, grads, {});
          CHECK(plain.logits == a.logits);
          CHECK(plain.dx == a.dx);
          CHECK(plain.grads == a.grads);
          CHECK(plain.bytes < a.bytes);
        }
      }
}

template <int W, class Norm, class Act>
using Residuals = Sequential<
    Named<"normalize", Normalize>, Conv<W, 3>, Norm, Act,
    models::BasicBlock<W, 1, Identity, models::Convolutions<>, Norm, Act>,
    models::BasicBlock<2 * W, 2, models::ProjectionShortcut<2 * W, 2, models::Convolutions<>, Norm>,
                       models::Convolutions<>, Norm, Act>,
    models::BasicBlock<2 * W + 1, 2, PadShortcut<2 * W + 1, 2>, models::Convolutions<>, Norm, Act>,
    GlobalAveragePool, Linear<10>>;

}  // namespace

TEST_CASE("fusion: residual blocks of 16 and of 5 channels, ReLU") {
  check<Residuals<16, BatchNorm<>, act::Relu>, Shape<3, 12, 12>>();
  check<Residuals<5, BatchNorm<>, act::Relu>, Shape<3, 9, 7>>();
}
TEST_CASE("fusion: other activations, and norms before convolutions") {
  check<Residuals<8, BatchNorm<>, act::HardSwish>, Shape<3, 8, 8>>();
  check<Sequential<BatchNorm<>, act::Relu, Conv<8, 3, Groups<1>, Bias<true>>, act::Relu,
                   Conv<8, 3, Groups<2>>, BatchNorm<>, act::MaskedRelu, Depthwise<3>, BatchNorm<>,
                   act::Relu6, GlobalAveragePool, Linear<10>>,
        Shape<6, 8, 8>>();
}
TEST_CASE("fusion: a join whose first branch is the identity, and two norms in a row") {
  check<Sequential<Conv<8, 3>,
                   Parallel<join::Add, Identity, Sequential<Conv<8, 3>, BatchNorm<>, BatchNorm<>>,
                            Conv<8, 1>>,
                   act::Relu, GlobalAveragePool, Linear<10>>,
        Shape<3, 8, 8>>();
}
TEST_CASE("fusion: a convolution whose output a norm reads first, then a shortcut") {
  check<Sequential<Named<"normalize", Normalize>, Conv<8, 3>,
                   Parallel<join::Add, Sequential<BatchNorm<>, Conv<8, 3>, BatchNorm<>, Conv<8, 3>>,
                            Identity>,
                   BatchNorm<>, act::Relu, GlobalAveragePool, Linear<10>>,
        Shape<3, 8, 8>>();
}
