// The definitions of instantiated.hpp.
#define RNX_DEV_INSTANTIATE template
#include "instantiated.hpp"
