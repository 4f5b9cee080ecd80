// The graph of a network: nodes, names, parameters, coupled channels. Built once, at run time, from
// the bound layers.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <map>

#include "rnx/compose.hpp"
#include "rnx/tensor.hpp"

namespace rnx::inline RNX_ABI {

/// One parameter or buffer under its full name ("layer1.0.conv1.weight").
struct NamedParameter {
  std::string name;
  std::vector<int> shape;
  ParameterKind kind{};
  Init init{};
  double value = 0;
  std::size_t offset = 0, count = 0;  ///< in the flat storage of parameters or of buffers
  int node = 0;
  ChannelAxes channels = ChannelAxes::of_kind;

  /// Whether axis 0 is the channels of its node's output.
  bool of_outputs() const {
    return channels == ChannelAxes::output || (channels == ChannelAxes::of_kind && !no_channels());
  }
  /// The axis that is the channels of its node's input, or -1.
  int input_axis() const {
    if (channels == ChannelAxes::input) return 0;
    const bool matrix = kind == ParameterKind::weight && shape.size() > 1;
    return channels == ChannelAxes::of_kind && matrix ? 1 : -1;
  }

 private:
  bool no_channels() const {
    return kind == ParameterKind::transform || kind == ParameterKind::scale ||
           kind == ParameterKind::architecture;
  }
};

/// A choice that a subnet makes: "layer1.0.conv1" / "width".
struct Slot {
  std::string path, what;
  int node = 0;
};

struct Graph {
  Dims input{};
  quant::Bits bits{};  ///< that the network was told; 0: the type knows them
  std::vector<Node> nodes;
  std::vector<NamedParameter> parameters, buffers;
  std::vector<Slot> slot_list;

  int find(const std::string& path) const {
    for (std::size_t i = 0; i < nodes.size(); ++i)
      if (nodes[i].path == path && nodes[i].kind != Kind::choice) return int(i);
    throw NameError("graph: no layer is called '" + path + "'");
  }
  /// Groups of nodes whose output channels are tied: whoever permutes or prunes one must treat all
  /// alike. A node is in at most one group.
  std::vector<std::vector<int>> coupled_channels() const {
    std::vector<int> root(nodes.size() + 1);  // 0: the input
    for (std::size_t i = 0; i < root.size(); ++i) root[i] = int(i);
    const auto find_root = [&](int i) {
      while (root[i] != i) i = root[i] = root[root[i]];
      return i;
    };
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const Node& n = nodes[i];
      if (n.kind == Kind::choice) continue;
      const bool own = (n.kind == Kind::convolution && n.operation != "depthwise") ||
                       n.kind == Kind::linear || n.operation == "concat" ||
                       n.operation == "pad_shortcut";
      if (own) continue;
      for (int in : n.kind == Kind::side ? std::vector<int>{n.inputs[0]} : n.inputs)
        root[find_root(in + 1)] = find_root(int(i) + 1);
    }
    std::map<int, std::vector<int>> groups;
    for (std::size_t i = 0; i < nodes.size(); ++i)
      if (nodes[i].kind != Kind::choice) groups[find_root(int(i) + 1)].push_back(int(i));
    const int input_root = find_root(0);
    std::vector<std::vector<int>> result;
    for (auto& [r, members] : groups)
      if (r != input_root) result.push_back(std::move(members));
    return result;
  }
};

/// Whether a layer's weights are words of bits (quant::Packed).
inline bool holds_bits(const Node& n) {
  return std::any_of(n.buffers.begin(), n.buffers.end(),
                     [](const ParameterInfo& p) { return p.kind == ParameterKind::bits; });
}
inline bool holds_bits(const Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                     [](const Node& n) { return holds_bits(n); });
}

/// Glob with '*' (any characters) only: "layer3.*".
inline bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else
      return false;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

/// Some names, as globs: "fc.*", or {"layer4.*", "fc.*"}. None: no name.
struct Patterns {
  std::vector<std::string> globs{};

  Patterns() = default;
  Patterns(const char* glob) : globs{glob} {}
  Patterns(std::string glob) : globs{std::move(glob)} {}
  Patterns(std::initializer_list<std::string> list) : globs(list) {}
  bool match(std::string_view name) const {
    return std::any_of(globs.begin(), globs.end(),
                       [&](const std::string& glob) { return matches(glob, name); });
  }
};

/// Paths of its batch norms (paths::Dual has two); 1 where it has none.
inline int path_count(const Graph& graph) {
  int most = 1;
  for (const Node& n : graph.nodes)
    if (n.kind == Kind::batch_norm) most = std::max(most, int(n.buffers.size()) / 2);
  return most;
}

}  // namespace rnx::inline RNX_ABI
