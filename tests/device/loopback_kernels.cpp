// The loopback device's kernels: one translation unit, built without -march and without OpenMP whatever the others use.
#include <rnx/kernels/loopback/definitions.hpp>
#include <rnx/layers/activation.hpp>

RNX_LOOPBACK_KERNELS
RNX_LOOPBACK_POINTWISE(rnx::functor::Relu)

const char* loopback_instruction_set() { return rnx::instruction_set(); }
void loopback_throws() { throw rnx::ShapeError("loopback: thrown by code of another instruction set"); }
