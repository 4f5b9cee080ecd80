// The loopback device: tagged addresses, kernels behind a declaration, recorded launches.
#include "support.hpp"

#include "rnx/kernels/loopback/definitions.hpp"
#include "rnx/tensor.hpp"

namespace test {
struct Twice {
  template <class T> static T forward(T x) { return 2 * x; }
  template <class T> static T derivative(T) { return 2; }
};
}  // namespace test

RNX_LOOPBACK_1_(axpy)
RNX_LOOPBACK_POINTWISE(test::Twice)

TEST_CASE("loopback kernels run, and wait when recorded") {
  using namespace rnx;
  Buffer<float, loopback> x(3), y(3);
  CHECK((reinterpret_cast<std::uintptr_t>(x.data()) >> 48) != 0);
  x.upload(std::vector<float>{1, 2, 3});
  run<loopback>({}, op::axpy<float>{.count = 3, .alpha = 10, .x = x.data(), .y = y.data()});
  CHECK(y.download() == std::vector<float>{10, 20, 30});
  Recording recording;
  run<loopback>(recording.stream(),
                op::pointwise_forward<test::Twice, float>{.x = {{1, 1, 1, 3, 3}, y.data()},
                                                          .y = {{1, 1, 1, 3, 3}, y.data()}});
  CHECK(y.download() == std::vector<float>{10, 20, 30});
  recording.replay();
  recording.replay();
  CHECK(y.download() == std::vector<float>{40, 80, 120});
}
