// A loss: the margin of Carlini & Wagner (2017, f6) on the logits, with which an attack climbs.
#include <rnx/rnx.hpp>

#include <cstdio>

using namespace rnx;

/// L(i) = max(largest other logit - logit of the class, -confidence)
struct Margin {
  static constexpr bool concurrent = true;  // threads may call it, each with a trace of its own
  static constexpr bool gathers = true;     // it finds the targets of chosen samples
  const std::int32_t* labels = nullptr;     ///< of the whole batch
  double confidence = 1e9;

  template <class T> void operator()(Trace<T>& trace, const loss::Call<T>& call) const {
    const auto z = trace.logits();                 // (n, classes)
    const auto dz = loss::logits_gradient(trace);  // empty in a trace for inference
    const int classes = z.dims.c;
    if (dz && !call.add) std::fill_n(dz.data, dz.count(), T(0));
    loss::with_values(trace, call, [&](T* values) {  // null: no values wanted
      for (int i = 0; i < z.n; ++i) {
        const T* row = z.data + i * classes;
        const int y = labels[call.sample(i)];  // the trace may hold a part of the batch
        int other = y == 0 ? 1 : 0;
        for (int k = 0; k < classes; ++k)
          if (k != y && !(row[k] <= row[other])) other = k;  // a NaN is taken
        const T margin = row[other] - row[y];
        const bool flat = margin < T(-confidence);
        if (values) values[i] = flat ? T(-confidence) : margin;
        if (!dz || flat) continue;
        dz.data[i * classes + other] += T(call.weight);
        dz.data[i * classes + y] -= T(call.weight);
      }
    });
  }
};

using Spec = Sequential<Named<"conv", Conv<8, 3, Stride<2>>>, Named<"bn", BatchNorm<>>,
                        Named<"relu", act::Relu>, GlobalAveragePool, Named<"fc", Linear<10>>>;

/// The largest difference between the gradient of the mean loss and central differences.
double gradient_error() {
  Network<Spec, Shape<3, 6, 6>, cpu, precision::Double> net(2);
  Tensor<double> x(3, net.input_dims()), dx(3, net.input_dims());
  for (std::size_t k = 0; k < x.size(); ++k) x.data()[k] = rng::Stream(1, Purpose::test).uniform(k);
  const std::vector<std::int32_t> labels{0, 4, 9};
  auto trace = net.make_trace({.use = Use::input_gradient, .capacity = 3});
  loss::Values<double> values(3);
  const auto value = [&] {
    net.forward(trace, x.view(), {});
    return loss::mean(Margin{.labels = labels.data()}, trace, values);
  };
  value();
  net.backward(trace, dx.view(), nullptr);
  double worst = 0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const auto at = [&](double d) { return x.data()[k] += d, value(); };
    const double up = at(1e-6), down = at(-2e-6);
    at(1e-6);
    worst = std::max(worst, std::abs((up - down) / 2e-6 - dx.data()[k]));
  }
  return worst;
}

int main() {
  Network<Spec, Shape<3, 32, 32>> net(1);
  const data::Images images = data::synthetic(data::Split::test, 64);
  const Tensor<> x = data::batch_tensor(images, 0, 64);
  Tensor<> moved(64, x.dims());
  attack::Workspace<> work(net, 64);
  const Margin margin{.labels = images.labels.data()};
  attack::Pgd<>{}(net, work, x.view(), moved.view(), margin);
  loss::Values<> values(64);
  auto trace = net.make_trace({.capacity = 64});
  const auto mean = [&](const Tensor<>& at) {
    return net.forward(trace, at.view(), {}), loss::mean(margin, trace, values);
  };
  const double clean = mean(x), attacked = mean(moved), error = gradient_error();
  std::printf("margin %.4f, attacked %.4f, gradient error %.1e\n", clean, attacked, error);
  return attacked > clean && error < 1e-6 ? 0 : 1;
}
