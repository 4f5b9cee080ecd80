// The definitions of instantiated.hpp.
#define RNX_TEST_INSTANTIATE template
#include "support/instantiated.hpp"
