// What a ReLU is worth: how far teacher and student are apart behind it (paper 000, section 2.4.2).
#pragma once

#include "rnx/linearize/masks.hpp"

namespace rnx::inline RNX_ISA::linearize {

/// Sums of |teacher - student| over samples, behind every masked ReLU, in (c, h, w). The traces
/// keep the maps: Keep::every(Kind::activation).
class MaskScores {
 public:
  explicit MaskScores(std::vector<ReluLayer> layers) : layers_(std::move(layers)) { clear(); }

  void clear() {
    sums_.clear();
    for (const ReluLayer& l : layers_) sums_.emplace_back(std::size_t(l.count));
  }
  /// Of one batch, by both traces' last forward. Sample by sample, so that neither threads nor
  /// batches change a bit. Errors: ShapeError (maps that are not there or of other shapes).
  template <class T, class U> void add(const Trace<T>& teacher, const Trace<U>& student) {
    const auto theirs = teacher.activations(), ours = student.activations();
    require<ShapeError>(theirs.size() == layers_.size() && ours.size() == layers_.size(), [&] {
      return "linearize: expected the maps behind " + std::to_string(layers_.size()) +
             " ReLUs, found " + std::to_string(theirs.size()) + " of the teacher and " +
             std::to_string(ours.size()) + " of the student";
    });
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      const auto a = theirs[l].value;
      const auto b = ours[l].value;
      require<ShapeError>(a.n == b.n && a.dims == layers_[l].dims && b.dims == a.dims, [&] {
        return "linearize: " + layers_[l].path + ": expected maps of " + layers_[l].dims.text() +
               ", found " + a.dims.text() + " of the teacher and " + b.dims.text() +
               " of the student";
      });
      add_layer(a, b, sums_[l]);
    }
  }
  const std::vector<std::vector<double>>& sums() const { return sums_; }

 private:
  template <class A, class B>
  static void add_layer(const A& a, const B& b, std::vector<double>& to) {
    const int pixels = a.dims.pixels(), channels = a.dims.c;
    for (int i = 0; i < a.n; ++i)
      for (int p = 0; p < pixels; ++p)
        for (int c = 0; c < channels; ++c) {
          const std::size_t at = std::size_t(i) * pixels + p;
          to[std::size_t(c) * pixels + p] +=
              std::abs(double(a.data[at * a.stride + c]) - double(b.data[at * b.stride + c]));
        }
  }
  std::vector<ReluLayer> layers_;
  std::vector<std::vector<double>> sums_;
};

}  // namespace rnx::inline RNX_ISA::linearize
