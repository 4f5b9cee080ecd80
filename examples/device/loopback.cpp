// The loopback device's kernels, for executables that stand in for those of a device.
#include <rnx/loopback.hpp>

RNX_LOOPBACK_ALL
