// expect: rnx: this operation has no kernel for this device; include the device's header
#include <rnx/network.hpp>
using namespace rnx;
struct npu {};
int main() { run<npu>({}, op::fill<float>{1, 0.f, nullptr}); }
