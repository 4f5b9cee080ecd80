// Batch normalisation with several paths: each has its own weight, bias and running statistics; the
// context picks one. Forward writes no running statistics: batch statistics stay in the trace until
// commit_statistics folds them in.
#pragma once

#include "rnx/layers/options.hpp"

namespace rnx::inline RNX_ABI {

template <class R> struct Epsilon {
  using option = option::epsilon;
  static constexpr double value = R::value;
};
template <class R> struct Momentum {
  using option = option::momentum;
  static constexpr double value = R::value;
};
/// The weight starts at zero: the last norm of a residual branch (Goyal et al. 2017).
struct ZeroGamma {
  using option = option::gamma;
  static constexpr bool value = true;
};
struct OneGamma {
  using option = option::gamma;
  static constexpr bool value = false;
};

/// How batch statistics are folded into running ones.
struct StatisticsUpdate {
  double weight = -1;    ///< of the batch; negative: the layer's momentum
  bool unbiased = true;  ///< variance times m / (m - 1), as PyTorch stores it
};

namespace paths {
/// The usual single path; clean and adversarial; clean, augmented and adversarial.
constexpr int Single = 1, Dual = 2, Triple = 3;
}  // namespace paths

}  // namespace rnx::inline RNX_ABI

namespace rnx::inline RNX_ISA {

template <Dims D, int Paths, class Eps, class Mom, bool ZeroGamma_, class T, class Device>
struct BoundBatchNorm : BoundSameShape<D, T, Device> {
  static constexpr bool fusible = true;
  using Same = BoundSameShape<D, T, Device>;
  using typename Same::In, typename Same::Out;

  [[gnu::cold]] static int describe(GraphBuilder& g, int input) {
    Node node = Same::node(Kind::batch_norm, "batch_norm", input);
    for (int p = 0; p < Paths; ++p) {
      const std::string prefix = p ? "paths." + std::to_string(p) + "." : "";
      node.parameters.push_back({prefix + "weight",
                                 {D.c},
                                 ParameterKind::norm_weight,
                                 ZeroGamma_ ? Init::zeros : Init::ones});
      node.parameters.push_back({prefix + "bias", {D.c}, ParameterKind::norm_bias, Init::zeros});
      node.buffers.push_back(
          {prefix + "running_mean", {D.c}, ParameterKind::norm_bias, Init::zeros});
      node.buffers.push_back(
          {prefix + "running_var", {D.c}, ParameterKind::norm_weight, Init::ones});
    }
    node.reads.input = reads::input_gradient_train | reads::parameter_gradient;
    node.scratch.saved_fixed = 2 * D.c;
    node.scratch.backward_fixed = 2 * D.c;
    node.statistics = 1;
    node.aliasing.overwrites = 0;
    node.aliasing.gradient_in_place = node.fusible = true;
    return g.add(std::move(node));
  }

  template <class P> static void forward(In x, Out& y, P& pass, int site) {
    y.dims.c = x.dims.c;
    const auto [mean, var] = statistics(pass, site);
    if (uses_batch(pass, site))
      pass.run(op::batch_norm_statistics<T>{
          .x = x, .mean = pass.saved(site), .var = pass.saved(site) + D.c});
    pass.run(op::batch_norm_normalize<T>{.x = x,
                                         .y = y,
                                         .mean = mean,
                                         .var = var,
                                         .gamma = gamma(pass, site),
                                         .beta = gamma(pass, site) + D.c,
                                         .eps = T(Eps::value)});
  }

  template <class P, class Sink> static void backward(In dy, Out dx, Sink sink, P& pass, int site) {
    const In x = pass.records[site].x;
    const auto [mean, var] = statistics(pass, site);
    T* sums = pass.work_backward(site);
    const bool batch = uses_batch(pass, site);
    if (batch || wants_grads<Sink>)
      pass.run(op::batch_norm_reduce<T>{
          .x = x, .dy = dy, .mean = mean, .var = var, .sums = sums, .eps = T(Eps::value)});
    if (dx)
      pass.run(op::batch_norm_backward<T>{.x = x,
                                          .dy = dy,
                                          .dx = dx,
                                          .mean = mean,
                                          .var = var,
                                          .gamma = gamma(pass, site),
                                          .sums = batch ? sums : nullptr,
                                          .eps = T(Eps::value)});
    if constexpr (wants_grads<Sink>) {
      T* grad = sink.base + pass.sites[site].parameters + path(pass) * 2 * D.c;
      pass.run(op::axpy<T>{.count = std::size_t(x.dims.c),
                           .alpha = T(1),
                           .x = sums,
                           .y = grad + D.c});  // bias: sum of dy
      pass.run(op::axpy<T>{.count = std::size_t(x.dims.c),
                           .alpha = T(1),
                           .x = sums + x.dims.c,
                           .y = grad});  // weight: sum of dy xhat
    }
  }

  /// Folds the batch statistics of a pass into the running ones of its path. Inactive channels and
  /// frozen paths are untouched. m > 1: a forward in train mode refuses one value per channel
  /// (NetworkBase::check_batch_statistics).
  template <class P>
  static void commit(P& pass, int site, T* buffers, const StatisticsUpdate& update) {
    const auto& record = pass.records[site];
    if (record.y.n == 0 || !uses_batch(pass, site)) return;
    const double m = double(record.x.n) * record.x.dims.pixels();
    T* running = buffers + pass.sites[site].buffers + path(pass) * 2 * D.c;
    pass.run(op::batch_norm_update<T>{.c = record.x.dims.c,
                                      .weight = T(update.weight < 0 ? Mom::value : update.weight),
                                      .correction = T(update.unbiased ? m / (m - 1) : 1),
                                      .mean = pass.saved(site),
                                      .var = pass.saved(site) + D.c,
                                      .running_mean = running,
                                      .running_var = running + D.c});
  }

 private:
  template <class P> static int path(const P& pass) {
    require<UsageError>(pass.ctx.path >= 0 && pass.ctx.path < Paths, [&] {
      return "batch norm: path " + std::to_string(pass.ctx.path) +
             " was asked for, but the network has " + std::to_string(Paths);
    });
    return pass.ctx.path;
  }
  /// Batch statistics: in train mode, unless the path is frozen (Context::frozen).
  template <class P> static bool uses_batch(const P& pass, int site) {
    return pass.train() && !(pass.ctx.frozen && (pass.ctx.frozen[site] >> path(pass) & 1));
  }
  template <class P> static const T* gamma(const P& pass, int site) {
    return pass.parameter(site, path(pass) * 2 * D.c);
  }
  struct Pair {
    const T* mean;
    const T* var;
  };
  template <class P> static Pair statistics(const P& pass, int site) {
    if (uses_batch(pass, site)) return {pass.saved(site), pass.saved(site) + D.c};
    const T* running = pass.buffer(site, path(pass) * 2 * D.c);
    return {running, running + D.c};
  }
};

/// Batch norm over samples and pixels; eps 1e-5 and momentum 0.1 unless Epsilon<> or Momentum<> say
/// otherwise. State names: weight, bias, running_mean, running_var for path 0, paths.k.weight ...
/// for the others.
template <int Paths = 1, class... Os> struct BatchNorm {
  static constexpr int sites = 1;
  static constexpr Dims out_dims(Dims in) { return in; }
  static constexpr Fault fault(Dims in) {
    return Paths < 1 ? Fault::paths : in.valid() ? Fault::none : Fault::empty_input;
  }
  template <class In, class Device, class T>
  using bind = BoundBatchNorm<In::dims, Paths,
                              option::find_t<option::epsilon, Epsilon<Ratio<1, 100000>>, Os...>,
                              option::find_t<option::momentum, Momentum<Ratio<1, 10>>, Os...>,
                              option::find_t<option::gamma, OneGamma, Os...>::value, T, Device>;
};

}  // namespace rnx::inline RNX_ISA
