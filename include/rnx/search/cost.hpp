// The differentiable cost of a searched network: multiply-accumulates at the effective widths sum_i
// g_i width_i of a trace's draws.
//
//   cost = sum over blocks of mid (P_in c_in + P_out k^2 + P_out c_out),  mid = e c_in
// P_in, P_out: pixels of the block's input, where it expands, and of its output; a stride lies
// between them. c_in is the effective width of the mask before, c_out of the block's own. Where
// every width is one of a mask's, this is what cost::table counts. (Paper 001's code takes P_out
// for P_in, squares the expanded output width in the depthwise term and expands c_out; this is what
// its blocks compute.)
#pragma once

#include "rnx/search/gumbel.hpp"

namespace rnx::inline RNX_ISA::search {

/// alpha L beta ln(cost): a loss scaled by the logarithm of a cost (paper 001's code: alpha 0.2,
/// beta 0.5).
struct CostFactor {
  double alpha = 0.2, beta = 0.5;
  struct Result {
    double value, d_loss, d_cost;
  };
  /// Value and derivatives with respect to the loss and the cost. Throws NumericError when the cost
  /// is not positive.
  Result operator()(double loss, double cost) const {
    require<NumericError>(cost > 0, [&] {
      return "CostFactor: the cost must be positive, found " + std::to_string(cost);
    });
    const double log = alpha * beta * std::log(cost);
    return {log * loss, log, alpha * beta * loss / cost};
  }
};

/// The cost of every block that ends in a ChannelMask, in graph order. Its convolutions stand
/// between its mask and the mask before: one that expands, a depthwise one, one that projects. What
/// stands before the first block has no width to choose and is not counted.
template <class T = float, class Device = default_device> class MaskCost {
 public:
  /// Factors of the cost mid (expand c_in + filter + project c_out): pixels times taps of the
  /// block's three convolutions.
  struct Block {
    int node;
    op::Widths widths;
    double expansion, expand, filter, project;
  };

  /// Throws UsageError when the network has no mask or a block has other convolutions.
  explicit MaskCost(const Graph& graph) {
    std::vector<const Node*> layers;  // with multiply-accumulates, since the mask before
    for (int i = 0; i < int(graph.nodes.size()); ++i) {
      const Node& n = graph.nodes[i];
      if (n.kind == Kind::convolution || n.kind == Kind::linear) layers.push_back(&n);
      if (n.kind != Kind::mask) continue;
      blocks_.push_back(block(i, n, layers));
      layers.clear();
    }
    require(!blocks_.empty(), "MaskCost: the network has no ChannelMask");
    std::vector<double> terms;
    for (const Block& b : blocks_)
      terms.insert(terms.end(), {b.expansion, b.expand, b.filter, b.project});
    terms_ = Buffer<double, Device>(terms.size()), terms_.upload(terms);
    numbers_ = Buffer<double, Device>(2 * blocks_.size() + 1);
  }

  const std::vector<Block>& blocks() const { return blocks_; }
  /// Launches the computation from the draws of the trace's last forward; nothing is copied to the
  /// host. Throws StateError where that ran in tiles.
  void compute(const Trace<T, Device>& trace) {
    const Stream stream{trace.context().stream};
    double* numbers = numbers_.data();
    require<StateError>(trace.saved(blocks_[0].node) != nullptr,
                        "MaskCost: the trace runs in tiles and has no draws; make it with "
                        "TraceOptions::tiled = false");
    for (std::size_t b = 0; b < blocks_.size(); ++b)
      run<Device>(stream, op::effective_width<T>{blocks_[b].widths, trace.saved(blocks_[b].node),
                                                 numbers + b});
    run<Device>(stream, op::effective_cost<T>{.blocks = int(blocks_.size()),
                                              .start = start_,
                                              .terms = terms_.data(),
                                              .width = numbers,
                                              .cost = numbers + 2 * blocks_.size(),
                                              .dwidth = numbers + blocks_.size()});
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
      require<StateError>(seed != nullptr,
                          "MaskCost: the trace was built for inference, it has no seeds");
      run<Device>(
          {trace.context().stream},
          op::effective_width_backward<T>{
              .widths = blocks_[b].widths, .weight = weight, .dwidth = dwidth + b, .seed = seed});
    }
  }

 private:
  Block block(int node, const Node& mask, const std::vector<const Node*>& layers) {
    const std::size_t n = layers.size();
    const auto dense = [](const Node& l) { return l.operation == "conv2d" && l.groups == 1; };
    const bool three = blocks_.empty() ? n >= 3 : n == 3;
    require(three && dense(*layers[n - 3]) && layers[n - 2]->operation == "depthwise" &&
                dense(*layers[n - 1]),
            [&] {
              std::string found;
              for (const Node* l : layers) found += (found.empty() ? "" : ", ") + l->operation;
              return "MaskCost: between '" + mask.path +
                     "' and the mask before it expected conv2d, depthwise, conv2d, found " +
                     (found.empty() ? "no convolution" : found);
            });
    const Node &first = *layers[n - 3], &middle = *layers[n - 2], &last = *layers[n - 1];
    if (blocks_.empty()) start_ = first.in.c;
    const auto factor = [](const Node& l) {
      return double(l.out.pixels()) * l.kernel_h * l.kernel_w;
    };
    Block b{
        .node = node,
        .widths = {.n = int(mask.widths.size())},
        .expansion = double(middle.out.c) / first.in.c,
        .expand = factor(first),
        .filter = factor(middle),
        .project = factor(last),
    };
    std::copy(mask.widths.begin(), mask.widths.end(), b.widths.width);
    return b;
  }

  std::vector<Block> blocks_;
  double start_ = 0;
  Buffer<double, Device> terms_, numbers_;  // (blocks, 4); widths | their derivatives | cost
};

}  // namespace rnx::inline RNX_ISA::search
