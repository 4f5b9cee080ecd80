// What a layer says of itself when a network is built: one Node per site. Planning, cost, names,
// pruning and export read it.
#pragma once

#include <string>
#include <vector>

#include "rnx/quant.hpp"

namespace rnx::inline RNX_ABI {

/// What a node computes; traces keep activations by it.
enum class Kind {
  convolution,
  linear,
  batch_norm,
  activation,
  pooling,
  normalisation,
  dropout,
  join,
  mask,
  choice,
  side,
  other
};

/// Which channels the axes of a parameter or buffer run over: whoever permutes, prunes or narrows
/// channels moves it along. PyTorch's order.
///   of_kind    by its kind and shape: weights (output, input, ...), biases and norms (output), the
///              others (none)
///   none, output, input    axis 0 is the output's channels, or the input's
enum class ChannelAxes { of_kind, none, output, input };

/// One parameter or buffer: its name below the layer, its shape in PyTorch's order, where it lies
/// in the flat storage.
struct ParameterInfo {
  std::string name;
  std::vector<int> shape;
  ParameterKind kind = ParameterKind::weight;
  Init init = Init::zeros;
  double value = 0;        ///< of Init::constant; of uniform_fan_in: the fan when not shape-derived
  std::size_t offset = 0;  ///< elements from the start of the flat storage
  ChannelAxes channels = ChannelAxes::of_kind;
  std::size_t count() const {
    std::size_t k = 1;
    for (int s : shape) k *= std::size_t(s);
    return k;
  }
};

/// What backward reads, so that a trace keeps no more.
namespace reads {
constexpr unsigned none = 0, input_gradient_eval = 1, input_gradient_train = 2,
                   parameter_gradient = 4;
constexpr unsigned input_gradient = input_gradient_eval | input_gradient_train,
                   always = input_gradient | parameter_gradient;
}  // namespace reads

/// When backward reads a node's input and its output, in terms of `reads::`.
struct BackwardReads {
  unsigned input = reads::none, output = reads::none;
};

/// Memory of a node beside its output and its gradient: elements for each sample, and, where
/// `fixed` stands in the name, for a whole pass.
struct Scratch {
  std::size_t saved = 0, saved_fixed = 0;        ///< kept from forward to backward
  std::size_t forward = 0;                       ///< while forward runs
  std::size_t backward = 0, backward_fixed = 0;  ///< while backward runs
  std::size_t branch = 0;                        ///< joins: one branch's input gradient
};

/// Whose memory a node's output and its gradient may take.
struct Aliasing {
  int overwrites = -1;  ///< index into inputs: elementwise in it, so the output may take its memory
  bool gradient_in_place = false;  ///< elementwise in dy, so dx may take its memory
  bool own_output = true;          ///< false: the output lies in that of `output_in`
  int output_in = -1;              ///< node whose output memory holds, or may hold, this one's
  bool own_gradient = true;        ///< false: the gradient of this output is the join's
  int early = -1;  ///< concatenation, elastic depth: the output may be written from this node on
  /// joins: first node of the block; buffers of the join live until its backward
  int block_first = -1;
};

/// One operation of the graph. Sizes are the static maxima, per sample.
struct Node {
  std::string path;  ///< "layer1.0.conv1"
  Kind kind = Kind::join;
  std::string operation;    ///< "conv2d", "batch_norm", ...
  std::vector<int> inputs;  ///< producing nodes; -1 is the network's input
  Dims in{}, out{};
  int kernel_h = 1, kernel_w = 1, stride = 1, pad = 0, groups = 1;
  int weight_bits = 32, activation_bits = 32;  ///< bases count as bits
  int weight_bases = 1;                        ///< of its weight map
  int weight_scales = 0;                       ///< numbers that stand beside weights of few bits
  bool bias = false, relu = false;  ///< relu: a non-linearity that counts in ReLU budgets
  std::vector<ParameterInfo> parameters, buffers;
  std::vector<const void*> tags;  ///< of Tap<Tag, ...>
  int slot_count = 0, slot = -1;  ///< run-time choices this node takes, and the first one's number
  std::vector<std::string> slot_names;  ///< "width", "expansion", "kernel", "depth"
  std::vector<int> widths;              ///< masks: the widths to choose from, the largest first

  BackwardReads reads{};
  Scratch scratch{};
  Aliasing aliasing{};
  std::size_t prepared = 0;    ///< elements of prepared weights
  std::size_t statistics = 0;  ///< 1 when the node has batch statistics to commit
  /// may be held back until the layers behind it have been called (layers/fusion.hpp)
  bool fusible = false;
  bool binarizes = false;  ///< its input's signs may be made where its input is (op::Signs)

  quant::Bits bits() const { return {weight_bits, activation_bits}; }
};

/// Collects nodes while bound layers describe themselves. A node's number is its site number.
struct GraphBuilder {
  std::vector<Node> nodes;
  int next_slot = 0;
  int classes = 0;     ///< for a classifier that is told them at run time; 0: nobody said
  quant::Bits bits{};  ///< for maps that are told them
  bool tells_weights = false, tells_activations = false;  ///< there is such a map
  int add(Node node) {
    if (node.slot_count) {
      node.slot = next_slot;
      next_slot += node.slot_count;
    }
    nodes.push_back(std::move(node));
    return int(nodes.size()) - 1;
  }
};

}  // namespace rnx::inline RNX_ABI
