// Built with -mavx2 -mfma where the compiler has them. See link_b.cpp.
#include <rnx/net.hpp>
#include <rnx/rnx.hpp>

namespace avx2 {
#include "link_network.inc"
}

const char* instruction_set_of_a() { return rnx::instruction_set(); }
std::vector<float> logits_of_a() { return avx2::trained_logits(); }
void throw_from_a() { throw rnx::ShapeError("thrown by another translation unit"); }
