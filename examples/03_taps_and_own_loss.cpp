// 03: looking inside. A trace keeps what it is asked for, losses read it and write its gradient;
// the model is not edited.
#include <rnx/net.hpp>

#include <cstdio>

using namespace rnx;

using Block = models::BasicBlock<8, 1, Identity, models::Convolutions<>, BatchNorm<>, act::Relu>;
using Spec = models::Classifier<
    models::Convolutions<>, 3, Named<"conv1", Conv<8, 3>>, Named<"bn1", BatchNorm<>>,
    Named<"relu", act::Relu>,
    Named<"layer1",
          Repeat<2, Block>>>;  // ends in Tap<Penultimate, GlobalAveragePool> and Linear<3>
using Net = Network<Spec, Shape<3, 12, 12>>;

/// L(i) = |features(i)|^2 / 2. A loss is a callable; it may read any kept activation and add to its
/// seed.
struct FeatureNorm {
  void operator()(Trace<>& trace, const loss::Call<>& call) const {
    const Kept<>& features = loss::tapped<Penultimate>().of(trace);
    loss::no_logits_part(trace, call);
    const std::size_t c = features.value.dims.count();
    for (std::size_t k = 0; k < features.value.count(); ++k)
      features.seed.data[k] += float(call.weight) * features.value.data[k];
    loss::with_values(trace, call, [&](float* values) {
      for (int i = 0; values && i < trace.n(); ++i) {
        values[i] = 0;
        for (std::size_t k = 0; k < c; ++k)
          values[i] += features.value.data[i * c + k] * features.value.data[i * c + k] / 2;
      }
    });
  }
};

/// A loss on the logits of three classes: L(i) = max(0, 1 + largest other logit - logit of the
/// class).
struct Margin {
  const std::vector<std::int32_t>& classes;

  void operator()(Trace<>& t, const loss::Call<>& call) const {
    const auto z = t.logits();  // (n, 3)
    const auto dz = t.logits_gradient();
    if (!call.add) std::fill_n(dz.data, dz.count(), 0.0f);
    loss::with_values(t, call, [&](float* values) {
      for (int i = 0; i < t.n(); ++i) {
        const float* row = z.data + 3 * i;
        const int y = classes[call.sample(i)], a = (y + 1) % 3, b = (y + 2) % 3,
                  other = row[a] > row[b] ? a : b;
        const float l = std::max(0.0f, 1 + row[other] - row[y]);
        if (l > 0) {
          dz.data[3 * i + other] += float(call.weight);
          dz.data[3 * i + y] -= float(call.weight);
        }
        if (values) values[i] = l;
      }
    });
  }
};

int main() {
  Net net(2);
  constexpr int n = 6;
  const std::vector<std::int32_t> classes{0, 1, 2, 0, 1, 2};
  Tensor x(n, net.input_dims());
  for (std::size_t k = 0; k < x.size(); ++k)
    x.data()[k] = float(rng::Stream(1, Purpose::data).uniform(k));

  // by kind, by path, by tag; seeded() for a loss's gradient. An attention map is sum over channels
  // of x^2: only the map is stored.
  auto trace =
      net.make_trace({.use = Use::train,
                      .capacity = n,
                      .keep = {Keep::every(Kind::convolution), Keep::at("layer1.*.relu2").maps(),
                               Keep::tap<Penultimate>().seeded()}});
  net.forward(trace, x.view(), {});
  for (const auto& a : trace.activations())
    std::printf("%-16s %-12s%s\n", a.path.c_str(), a.value.dims.text().c_str(),
                a.seed ? " with a seed" : "");
  const auto& map = trace.activation("layer1.1.relu2").value;  // (n, 1, h, w)
  std::printf("attention at the centre of the first image: %.3f; kept: %zu of %zu bytes\n\n",
              map.data[6 * 12 + 6], trace.kept_bytes(), trace.bytes());

  const auto loss = loss::sum(loss::term(1, Margin{classes}), loss::term(0.1, FeatureNorm{}));
  auto grads = net.make_grads();
  loss::Values<> values(n);
  optim::Adam adam;
  adam.add(net, grads);
  const optim::StepState<> rates({.lr = 0.01});
  double first = 0, last = 0;
  for (int step = 0; step < 20; ++step) {
    grads.zero();
    net.forward(trace, x.view(), {.mode = Mode::train});
    last = loss::mean(loss, trace, values);
    first = step ? first : last;
    net.backward(trace, {}, &grads);
    net.commit_statistics(trace);
    adam.step(rates.get());
  }
  std::printf("margin + 0.1 |features|^2 / 2: %.4f, after 20 steps %.4f\n", first, last);
  return last < 0.5 * first ? 0 : 1;
}
