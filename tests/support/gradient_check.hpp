// Directional central differences against backward, for every parameter tensor and the input, in
// double.
//   L = sum of r z over the logits (and over whatever seeds a caller writes), r random
// Buffers are dirty on purpose: dx and the arena start poisoned, gradients start at one.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <span>

#include <rnx/network.hpp>

namespace support {

/// Error of <gradient, d> against the central difference of f along d, relative to |gradient|, or
/// absolute where that is zero but for rounding (< 1e-7: a bias before a batch norm). d: the
/// gradient's direction and uniform noise, of length 1; f reads `values`, which are put back. A
/// direction is redrawn where the differences at h and h / 2 disagree: a kink lies within the step.
/// The first other one decides; infinite when there is none.
template <class Uniform, class F>
double directional_error(std::span<double> values, std::span<const double> gradient,
                         Uniform&& uniform, F&& f) {
  const std::size_t count = values.size();
  const std::vector<double> before(values.begin(), values.end());
  std::vector<double> d(count);
  double norm = 0;
  for (double g : gradient) norm += g * g;
  norm = std::sqrt(norm);
  for (int attempt = 0; attempt < 12; ++attempt) {
    double length = 0, slope = 0;
    for (std::size_t i = 0; i < count; ++i) {
      d[i] = uniform() / std::sqrt(double(count)) + (norm > 0 ? gradient[i] / norm : 0);
      length += d[i] * d[i];
    }
    for (std::size_t i = 0; i < count; ++i) {
      d[i] /= std::sqrt(length);
      slope += d[i] * gradient[i];
    }
    const auto at_step = [&](double step) {
      for (std::size_t i = 0; i < count; ++i) values[i] = before[i] + step * d[i];
      return f();
    };
    const auto difference = [&](double h) { return (at_step(h) - at_step(-h)) / (2 * h); };
    const double h = 1e-5 / (attempt + 1), wide = difference(h), narrow = difference(h / 2);
    std::copy(before.begin(), before.end(), values.begin());
    if (std::abs(wide - narrow) <= 1e-7 * norm + 1e-9)
      return std::abs(wide - slope) / (norm > 1e-7 ? norm : 1);
  }
  return std::numeric_limits<double>::infinity();
}

using Net = rnx::NetworkBase<double>;

/// Called after each forward: returns what it adds to L and writes the matching seeds (scaled as L
/// is).
using Extra = std::function<double(rnx::Trace<double>&)>;

struct GradientCheck {
  int n = 3;
  rnx::Context ctx{.mode = rnx::Mode::train};
  std::vector<rnx::Keep> keep{};
  Extra extra{};
  double scale = 1;  ///< of the input: x in (-scale, scale)
  double tolerance = 1e-6;
  std::vector<std::string> only{};  ///< globs of the parameters to check; empty: all of them

  /// Worst error over all tensors, relative to the gradient's norm.
  double operator()(Net& net) const {
    using namespace rnx;
    const rng::Stream random(7, Purpose::test);
    std::uint64_t drawn = 0;
    const auto uniform = [&] { return 2 * random.uniform(drawn++) - 1; };
    const Dims in = net.input_dims();
    Tensor<double> x(n, in), dx(n, in);
    for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = scale * uniform();
    auto trace = net.make_trace({.use = Use::train, .capacity = n, .keep = keep});
    std::vector<double> r(n * net.graph().nodes.back().out.count());
    for (double& v : r) v = uniform();
    const auto value = [&](bool seeds) {
      const auto z = net.forward(trace, std::as_const(x).view(), ctx);
      double sum = 0;
      const std::size_t row = z.sample_stride();
      for (std::size_t i = 0; i < n * row; ++i) {
        if (int(i % z.stride) >= z.dims.c) continue;
        sum += r[i] * z.data[i];
        if (seeds) trace.logits_gradient().data[i] = r[i];
      }
      return sum + (extra ? extra(trace) : 0);
    };
    Grads<double> grads = net.make_grads();
    for (std::size_t i = 0; i < grads.flat.size(); ++i) grads.flat.data()[i] = 1;
    for (std::size_t i = 0; i < dx.size(); ++i)
      dx.data()[i] = std::numeric_limits<double>::quiet_NaN();
    value(true);
    net.backward(trace, dx.view(), &grads);

    double worst = 0;
    const auto check = [&](const std::string& name, double* at, const double* g, std::size_t count,
                           double offset) {
      std::vector<double> gradient(g, g + count);
      for (double& v : gradient) v -= offset;
      const double error = directional_error({at, count}, gradient, uniform, [&] {
        net.mutable_parameters();  // a mutable access: weight maps are computed again
        return value(false);
      });
      net.mutable_parameters();
      INFO(name << ": relative error " << error);
      CHECK(error < tolerance);
      worst = std::max(worst, error);
    };
    check("input", x.data(), dx.data(), x.size(), 0);
    double* base = net.mutable_parameters();
    for (const auto& p : net.parameter_list())
      if (only.empty() || std::any_of(only.begin(), only.end(), [&](const std::string& glob) {
            return matches(glob, p.name);
          }))
        check(p.name, base + p.offset, grads.flat.data() + p.offset, p.count, 1);
    return worst;
  }
};

}  // namespace support
