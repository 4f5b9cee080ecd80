// What a ReLU is worth: how far teacher and student are apart behind it (paper 000, section 2.4.2).
#pragma once

#include "rnx/linearize/cpu.hpp"
#include "rnx/linearize/masks.hpp"

namespace rnx::inline RNX_ISA::linearize {

/// Adds |teacher - student| of each of the student's samples, behind every masked ReLU in (c, h,
/// w), to sums in double, layer by layer: `sums` is device memory, a number for each ReLU and
/// behind all of them as many again, what the first leave of a sum. By both traces' last forward,
/// which keep the maps (Keep::every(Kind::activation)); `first`: the student's first sample in the
/// teacher's trace. Sample by sample, so that neither threads nor batches change a bit. Errors:
/// ShapeError (maps that are not there or of other shapes).
template <class T, class Device>
void add_distances(std::span<const ReluLayer> layers, const Trace<T, Device>& teacher, int first,
                   const Trace<T, Device>& student, T* sums) {
  const auto theirs = teacher.activations(), ours = student.activations();
  require<ShapeError>(theirs.size() == layers.size() && ours.size() == layers.size(), [&] {
    return "linearize: expected the maps behind " + std::to_string(layers.size()) +
           " ReLUs, found " + std::to_string(theirs.size()) + " of the teacher and " +
           std::to_string(ours.size()) + " of the student";
  });
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const auto a = theirs[l].value, b = ours[l].value;
    require<ShapeError>(first >= 0 && a.n >= first + b.n && a.dims == layers[l].dims &&
                            b.dims == a.dims && a.dense() && b.dense(),
                        [&] {
                          return "linearize: " + layers[l].path + ": expected maps of " +
                                 layers[l].dims.text() + ", found " + std::to_string(a.n) + " of " +
                                 a.dims.text() + " of the teacher and " + std::to_string(b.n) +
                                 " of " + b.dims.text() + " of the student from sample " +
                                 std::to_string(first) + " on";
                        });
    run<Device>(
        {student.context().stream},
        op::distance_sums<T>{
            .t = a.samples(first, b.n), .s = b, .sums = sums, .rest = sums + total(layers)});
    sums += layers[l].count;
  }
}

}  // namespace rnx::inline RNX_ISA::linearize
