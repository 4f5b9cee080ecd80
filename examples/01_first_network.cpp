// 01: a network is a type. What a ResNet-20 costs, and a training loop on one small batch, written
// out.
#include <rnx/rnx.hpp>

#include <cstdio>

using namespace rnx;

using Net = Network<models::ResNet20<10>, Shape<3, 32, 32>>;

int main() {
  Net net(1);  // every random number follows from the seed

  // cost: read from the graph, without running anything
  const cost::Table table = cost::table(net.graph());
  for (const cost::Row& r : table.rows)
    if (r.macs > 0)
      std::printf("%-16s %-8s %-12s %9lld parameters %10lld MACs\n", r.path.c_str(),
                  r.operation.c_str(), r.out.text().c_str(), r.parameters, r.macs);
  const cost::Row total = table.total();
  std::printf("ResNet-20: %lld parameters, %.1f M MACs, %lld ReLUs\n\n", total.parameters,
              double(total.macs) / 1e6, total.relus);

  // a batch: noise in [0, 1], with one bright column per class
  constexpr int n = 16;
  std::vector<float> images(n * 3 * 32 * 32);  // (n, c, h, w)
  std::vector<std::int32_t> classes(n);
  const rng::Stream noise(1, Purpose::data);
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = 0.5f * float(noise.uniform(i));
  for (int i = 0; i < n; ++i) {
    classes[i] = i % 10;
    for (int row = 0; row < 3 * 32; ++row)
      images[(std::size_t(i) * 3 * 32 + row) * 32 + 3 * classes[i]] = 1;
  }
  const auto x = Tensor<>::from_nchw(n, net.input_dims(), images);

  // what a step needs, allocated once: activations, gradients, labels, loss values, the optimizer
  // and its rates
  auto trace = net.make_trace({.use = Use::train, .capacity = n});
  auto grads = net.make_grads();
  const loss::Labels<> labels(classes, net.classes());
  const loss::CrossEntropy cross_entropy{.labels = labels.data()};
  loss::Values<> values(n);
  optim::Sgd sgd({.momentum = 0.9, .weight_decay = 5e-4});
  sgd.add(net, grads);
  optim::StepState<> rates({.lr = 0.05, .momentum = 0.9});

  double first = 0, last = 0;
  for (int step = 0; step < 12; ++step) {
    grads.zero();
    net.forward(trace, x.view(), {.mode = Mode::train});
    last = loss::mean(cross_entropy, trace, values);  // the value, and the gradient of the logits
    net.backward(trace, {}, &grads);  // {}: the gradient of the images is not wanted
    net.commit_statistics(trace);     // forward changes nothing: running statistics move here
    sgd.step(rates.get());
    if (step == 0) first = last;
    std::printf("step %2d loss %.4f\n", step, last);
  }
  std::printf("the trace takes %.1f MB\n", double(trace.bytes()) / 1e6);
  return last < 0.5 * first ? 0 : 1;
}
