// Networks of convolutions of signs against the same networks of floats, with rnx's own kernels:
// inference of a batch, and a training step of three weight bases; signs in the order batch norm,
// quantizer, convolution. Rounds take turns; ratios are the smallest of five, times the shortest.
//   OMP_NUM_THREADS=2 bench_binary_networks
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>

#include <rnx/models.hpp>
#include <rnx/train.hpp>

namespace {

using namespace rnx;

using Floats = models::Convolutions<>;
template <int M, int N>
using Bases = models::Convolutions<quant::MultiBit<M>, quant::MultiBitActivation<N>>;

/// The shortest of at least three calls of f and half a second of them, in milliseconds.
template <class F> double shortest(F f) {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  double best = 1e9, spent = 0;
  for (int i = 0; i < 3 || spent < 500; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f();
    const double took = Milliseconds(std::chrono::steady_clock::now() - start).count();
    best = std::min(best, took);
    spent += took;
  }
  return best;
}

/// Inference and training steps of one network on random images.
class Problem {
 public:
  Problem(std::unique_ptr<NetworkBase<float>> net, int n)
      : net_(std::move(net)),
        n_(n),
        x_(n, net_->input_dims()),
        trace_(net_->make_trace({.use = Use::infer, .capacity = n, .eval_only = true})) {
    const rng::Stream random(1, Purpose::data);
    for (std::size_t i = 0; i < x_.size(); ++i) x_.data()[i] = float(random.uniform(i));
    for (int i = 0; i < n; ++i) labels_.push_back(i % net_->classes());
    step_.images().upload(std::span<const float>(x_.data(), x_.size()));
    step_.labels().upload(labels_);
    const optim::Rates rates{.lr = 1e-4};
    step_.set({}, {&rates, 1});
  }
  double inference() {
    return shortest([&] { net_->forward(trace_, std::as_const(x_).view(), {}); });
  }
  double training() {
    return shortest([&] { step_(n_); });
  }

 private:
  std::unique_ptr<NetworkBase<float>> net_;
  int n_;
  Tensor<float> x_;
  std::vector<std::int32_t> labels_;
  Trace<float> trace_;
  optim::Sgd<float> sgd_{{.momentum = 0.9}};
  train::Step<float, cpu> step_{*net_, sgd_, train::Natural{}, n_};
};

template <class Spec> std::unique_ptr<NetworkBase<float>> make() {
  return std::make_unique<Network<Spec, Shape<3, 32, 32>>>(1);
}

struct Row {
  const char* what;
  double floats = 1e9, bits = 1e9, least = 1e9, most = 0;
  void add(double f, double b) {
    floats = std::min(floats, f);
    bits = std::min(bits, b);
    least = std::min(least, f / b);
    most = std::max(most, b / f);
  }
  void print(const char* model) const {
    std::printf("| %s, %s | %.1f | %.1f | %.2f | %.2f |\n", model, what, floats, bits, least, most);
    std::fflush(stdout);
  }
};

void measure(const char* model, Problem floats, Problem one, Problem three) {
  Row rows[] = {{"1x1, inference"}, {"3x1, inference"}, {"3x1, training step"}};
  for (int round = 0; round < 5; ++round) {
    const double f = floats.inference();
    rows[0].add(f, one.inference());
    rows[1].add(f, three.inference());
    rows[2].add(floats.training(), three.training());
  }
  for (const Row& row : rows) row.print(model);
}

}  // namespace

int main() {
  std::printf("%s, %d threads, batch 64\n\n", instruction_set(), host::threads());
  std::printf(
      "| network | floats, ms | bits, ms | times as fast | most time of floats' |\n"
      "|---|---|---|---|---|\n");
  measure("resnet20", {make<models::ResNet20<10, Floats>>(), 64},
          {make<models::BinaryResNet20<10, Bases<1, 1>>>(), 64},
          {make<models::BinaryResNet20<10, Bases<3, 1>>>(), 64});
  measure("resnet18", {make<models::ResNet18<10, Floats>>(), 64},
          {make<models::BinaryResNet18<10, Bases<1, 1>>>(), 64},
          {make<models::BinaryResNet18<10, Bases<3, 1>>>(), 64});
}
