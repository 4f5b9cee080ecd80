// Chosen samples and victims that are no network, on a device whose memory the host cannot read:
// the CPU's bits.
#include "support/batch.hpp"

#include <doctest/doctest.h>

#include <cstring>

#include <rnx/attack.hpp>
#include <rnx/kernels/loopback.hpp>

const char* loopback_instruction_set();

using namespace rnx;

namespace {

constexpr int n = 6;
template <class Device>
using Net = Network<support::SmallResNet<BatchNorm<paths::Dual>>, Shape<3, 8, 8>, Device>;

/// PGD by cross-entropy and a divergence on three chosen samples of the batch.
template <class Device, class V> std::vector<float> moved(const V& victim) {
  const std::vector<std::int32_t> labels = support::labels(n, 10), chosen{4, 0, 5};
  const loss::Labels<Device> y(labels, 10);
  const Selection<Device> some(chosen, n);
  Tensor<float, Device> all(n, {3, 8, 8}), x(3, {3, 8, 8}), a(3, {3, 8, 8});
  Tensor<float, Device> teacher(n, {10, 1, 1});
  all.upload(support::images<float>(n, {3, 8, 8}).download());
  teacher.upload(support::images<float>(n, {10, 1, 1}, 8).download());
  run<Device>({},
              op::gather_rows<float>{.from = all.view(), .to = x.view(), .rows = some.list().data});
  const auto loss =
      loss::sum(loss::term(1, loss::CrossEntropy{.labels = y.data()}),
                loss::term(0.5, loss::Kl<float, Device>{std::as_const(teacher).view()}));
  attack::Workspace<float, Device> work(victim, 3, 2);
  attack::Pgd<>{.steps = 3}(victim, work, x.view(), a.view(), loss, {.samples = some.list()});
  run<Device>(
      {}, op::scatter_rows<float>{.from = a.view(), .to = all.view(), .rows = some.list().data});
  return all.download();
}
template <class Device> std::vector<std::vector<float>> all() {
  const Net<Device> net(4), other(5);
  using Members = std::vector<attack::Member<float, Device>>;
  const Members members{{.net = &net}, {.net = &other, .path = 1}};
  std::vector<std::vector<float>> found{moved<Device>(net),
                                        moved<Device>(attack::Worst<float, Device>(members))};
  for (const auto how :
       {op::Combine::mean_logits, op::Combine::mean_probabilities, op::Combine::most_confident})
    found.push_back(moved<Device>(attack::Ensemble<float, Device>(members, how)));
  return found;
}

}  // namespace

TEST_CASE("loopback: attacks on chosen samples of networks, ensembles and the worst of two") {
  const auto host = all<cpu>(), device = all<loopback>();
  const bool same_bits = !std::strcmp(loopback_instruction_set(), instruction_set());
  for (std::size_t v = 0; v < host.size(); ++v) {
    CAPTURE(v);
    if (same_bits) {
      CHECK(host[v] == device[v]);
      continue;
    }
    int differ = 0;  // a gradient near zero may have the other sign
    for (std::size_t i = 0; i < host[v].size(); ++i)
      differ += std::abs(host[v][i] - device[v][i]) > 1e-5f;
    CHECK(differ < int(host[v].size()) / 50);
  }
  CHECK(host[0] != host[1]);
  CHECK(host[2] != host[3]);
}
