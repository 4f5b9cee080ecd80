// Probe: the loopback device. ResNet-20 trains on it with the CPU's bits; a recorded PGD-7 training
// step is replayed with another seed, learning rate and batch and gives the bits of a direct run.
// Built natively, kernels of another instruction set link and agree to 1e-5.
#include "support/batch.hpp"

#include <doctest/doctest.h>

#include <cstring>

#include <rnx/kernels/loopback.hpp>
#include <rnx/train.hpp>

const char* loopback_instruction_set();
void loopback_throws();

using namespace rnx;
namespace {
template <class Device> using Net = Network<models::ResNet20<>, Shape<3, 32, 32>, Device>;
constexpr int n = 4;

struct Batch {
  std::vector<float> images;
  std::vector<std::int32_t> labels;
  StepValues values;
};
Batch batch(int k) {
  return {support::images<float>(n, {3, 32, 32}, 20 + k).download(),
          support::labels(n, 10, k),
          {.seed = 100u + k,
           .draw = std::uint64_t(k) << 16,
           .lr = 0.05 / (k + 1),
           .momentum = 0.9,
           .eps = 8.0 / 255,
           .step = 2.0 / 255}};
}

template <class Device, class Objective> struct Session {
  Net<Device> net{3};
  optim::Sgd<float, Device> sgd{{.momentum = 0.9, .weight_decay = 5e-4}};
  train::Step<float, Device> step;
  explicit Session(Objective o) : step(net, sgd, o, n) {}
  void load(const Batch& b) {
    step.images().upload(b.images);
    step.labels().upload(b.labels);
    step.set(b.values);
  }
  void direct(const Batch& b) {
    load(b);
    step(n);
  }
  std::vector<float> all() const {
    std::vector<float> v = support::parameters<float, Device>(net), w(net.buffer_storage());
    memory<Device>::download(w.data(), std::as_const(net).buffers(), w.size() * sizeof(float));
    v.insert(v.end(), w.begin(), w.end());
    return v;
  }
};

/// Equal bits for one instruction set, 1e-5 of the norm between two (after one step: differences
/// grow from there).
void same(const std::vector<float>& a, const std::vector<float>& b, bool first) {
  if (!std::strcmp(loopback_instruction_set(), instruction_set()))
    CHECK(a == b);
  else if (first) {
    double difference = 0, norm = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      difference += double(a[i] - b[i]) * (a[i] - b[i]);
      norm += double(b[i]) * b[i];
    }
    CHECK(std::sqrt(difference / norm) < 1e-5);
  }
}
const train::Adversarial<> pgd7{attack::Pgd<>{.step = px(2), .steps = 7}};
}  // namespace

TEST_CASE("loopback: addresses cannot be dereferenced, host copies cross the border") {
  Buffer<float, loopback> b(3);
  CHECK((reinterpret_cast<std::uintptr_t>(b.data()) >> 48) != 0);
  const std::vector<float> v{1, 2, 3};
  b.upload(v);
  CHECK(Buffer<float, loopback>(b).download() == v);
  Recording recording;
  CHECK_THROWS_AS(memory<loopback>::upload(b.data(), v.data(), 4, recording.stream()), StateError);
}

TEST_CASE("loopback: ResNet-20 trains with the CPU's bits") {
  Session<cpu, train::Natural> host({});
  Session<loopback, train::Natural> device({});
  for (int k = 0; k < 3; ++k) {
    host.direct(batch(k));
    device.direct(batch(k));
    same(device.all(), host.all(), k == 0);
  }
}

TEST_CASE(
    "loopback: a recorded PGD-7 training step replays with another seed, learning rate and batch") {
  Session<cpu, train::Adversarial<>> host(pgd7);
  Session<loopback, train::Adversarial<>> device(pgd7);
  const auto before = device.all();
  Recording recording;
  device.load(batch(0));
  device.step(n, recording.stream());
  CHECK(device.all() == before);  // recording runs nothing
  CHECK(recording.size() > 500);
  for (int k = 0; k < 3; ++k) {
    host.direct(batch(k));
    device.load(batch(k));
    recording.replay();
    same(device.all(), host.all(), k == 0);
  }
}

TEST_CASE("loopback: a recorded step replayed with another seed is the step of that seed") {
  Batch other = batch(0);
  other.values.seed = 777;
  Session<cpu, train::Adversarial<>> host(pgd7), recorded_seed(pgd7);
  Session<loopback, train::Adversarial<>> device(pgd7);
  Recording recording;
  device.load(batch(0));
  device.step(n, recording.stream());
  device.load(other);
  recording.replay();
  host.direct(other);
  same(device.all(), host.all(), true);
  recorded_seed.direct(batch(0));
  CHECK(recorded_seed.all() != host.all());  // or a replay that kept its seed would pass
}

TEST_CASE("an rnx::Error crosses instruction sets") {
  CHECK_THROWS_WITH_AS(loopback_throws(), "loopback: thrown by code of another instruction set",
                       ShapeError);
  CHECK_THROWS_AS(loopback_throws(), Error);
}
