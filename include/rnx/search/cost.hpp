// The differentiable cost of a searched network: multiply-accumulates at the effective widths sum_i g_i width_i of a trace's draws.
//
//   cost = sum over blocks of H W (c_in mid + k^2 mid + mid c_out),  mid = e c_in,  H, W: the block's output
// c_in is the effective width of the mask before, c_out of the block's own. (Paper 001's code squares the expanded output width in the
// depthwise term and expands c_out; this is what its blocks compute.)
#pragma once

#include "rnx/search/gumbel.hpp"

namespace rnx::inline RNX_ISA::search {

/// alpha L beta ln(cost): a loss scaled by the logarithm of a cost (paper 001's code: alpha 0.2, beta 0.5).
struct CostFactor {
  double alpha = 0.2, beta = 0.5;
  struct Result { double value, d_loss, d_cost; };
  /// Value and derivatives with respect to the loss and the cost. Throws NumericError when the cost is not positive.
  Result operator()(double loss, double cost) const {
    require<NumericError>(cost > 0, [&] { return "CostFactor: the cost must be positive, found " + std::to_string(cost); });
    const double log = alpha * beta * std::log(cost);
    return {log * loss, log, alpha * beta * loss / cost};
  }
};

/// The cost of every block that ends in a ChannelMask, in graph order. What stands before a mask, back to the mask before it, is its
/// block: pointwise, depthwise, pointwise.
template <class T, class Device = cpu>
class MaskCost {
 public:
  struct Block { int node; op::Widths widths; double pixels, expansion, taps; };

  /// Throws UsageError when the network has no mask or a block has no depthwise convolution.
  explicit MaskCost(const Graph& graph) {
    int first = -1, depthwise = -1;  // the block's first convolution, and its depthwise one
    for (int i = 0; i < int(graph.nodes.size()); ++i) {
      const Node& n = graph.nodes[i];
      if (n.operation == "depthwise") {
        depthwise = i;
        for (first = i - 1; first > 0 && graph.nodes[first].kind != Kind::convolution;) --first;  // the one that expands
      }
      if (n.kind != Kind::mask) continue;
      require(depthwise >= 0 && first >= 0,
              [&] { return "MaskCost: no depthwise convolution between '" + n.path + "' and the mask before it"; });
      const Node& d = graph.nodes[depthwise];
      if (blocks_.empty()) start_ = graph.nodes[first].in.c;
      Block b{i,
              {int(n.widths.size()), {}},
              double(n.out.pixels()),
              double(d.out.c) / graph.nodes[first].in.c,
              double(d.kernel_h) * d.kernel_w};
      std::copy(n.widths.begin(), n.widths.end(), b.widths.width);
      blocks_.push_back(b);
      first = depthwise = -1;
    }
    require(!blocks_.empty(), "MaskCost: the network has no ChannelMask");
    std::vector<double> terms;
    for (const Block& b : blocks_) terms.insert(terms.end(), {b.pixels, b.expansion, b.taps});
    terms_ = Buffer<double, Device>(terms.size()), terms_.upload(terms);
    numbers_ = Buffer<double, Device>(2 * blocks_.size() + 1);
  }

  const std::vector<Block>& blocks() const { return blocks_; }
  /// Launches the computation from the draws of the trace's last forward; nothing is copied to the host.
  void compute(const Trace<T, Device>& trace) {
    const Stream stream{trace.context().stream};
    double* numbers = numbers_.data();
    for (std::size_t b = 0; b < blocks_.size(); ++b)
      run<op::effective_width, Device, T>(stream, {blocks_[b].widths, trace.saved(blocks_[b].node), numbers + b});
    run<op::effective_cost, Device, T>(
        stream, {int(blocks_.size()), start_, terms_.data(), numbers, numbers + 2 * blocks_.size(), numbers + blocks_.size()});
  }
  /// The cost of the trace's last forward.
  double value(const Trace<T, Device>& trace) {
    compute(trace);
    return numbers_.download().back();
  }
  /// Effective widths of the last compute or value.
  std::vector<double> widths() const {
    std::vector<double> w = numbers_.download();
    w.resize(blocks_.size());
    return w;
  }
  /// Adds weight d cost / d g to the seeds of the masks: before backward, after compute or value.
  /// Throws StateError in a trace for inference.
  void add_gradient(Trace<T, Device>& trace, double weight) const {
    const double* dwidth = numbers_.data() + blocks_.size();
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      T* seed = trace.saved_seed(blocks_[b].node);
      require<StateError>(seed != nullptr, "MaskCost: the trace was built for inference, it has no seeds");
      run<op::effective_width_backward, Device, T>({trace.context().stream}, {blocks_[b].widths, weight, dwidth + b, seed});
    }
  }

 private:
  std::vector<Block> blocks_;
  double start_ = 0;
  Buffer<double, Device> terms_, numbers_;  // (blocks, 3); widths | their derivatives | cost
};

}  // namespace rnx::inline RNX_ISA::search
