// expect: rnx: the kernel or pooling window is larger than its padded input
#include <rnx/network.hpp>
using namespace rnx;
int main() { Network<Sequential<MaxPool<4>, MaxPool<4>>, Shape<3, 8, 8>> net(0); }
