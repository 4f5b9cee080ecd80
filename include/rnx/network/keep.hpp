// What a trace keeps for losses to read, and what it lets them seed.
#pragma once

#include "rnx/network/graph.hpp"

namespace rnx::inline RNX_ABI {

/// A rule that keeps activations: by kind, by path ("layer3.*"), by tag. Keeping changes no bit of
/// the results.
struct Keep {
  enum class By { kind, path, tag } by = By::path;
  Kind kind{};
  std::string path{};
  const void* tag = nullptr;
  bool seed = false;       ///< a loss may write the gradient of this activation
  bool attention = false;  ///< keep only the map F(h, w) = sum over channels of x^2

  static Keep every(Kind kind) { return {.by = By::kind, .kind = kind}; }
  static Keep at(std::string path) { return {.by = By::path, .path = std::move(path)}; }
  template <class Tag> static Keep tap() { return {.by = By::tag, .tag = &tag_id<Tag>}; }
  /// The same with a seed: a loss may write the gradient of what is kept.
  Keep seeded(bool wanted = true) const {
    Keep k = *this;
    k.seed = wanted;
    return k;
  }
  /// The same, but of each activation only the attention map.
  Keep maps() const {
    Keep k = *this;
    k.attention = true;
    return k;
  }
  bool applies(const Node& n) const {
    if (n.kind == Kind::choice) return false;
    switch (by) {
      case By::kind: return n.kind == kind;
      case By::path: return matches(path, n.path);
      default: return std::find(n.tags.begin(), n.tags.end(), tag) != n.tags.end();
    }
  }
};

/// What a trace is for, how many samples it holds, and what it keeps.
struct TraceOptions {
  Use use = Use::infer;
  int capacity = 1;
  std::vector<Keep> keep{};
  /// never run in train mode: batch norm's inputs need not be kept for an input gradient
  bool eval_only = false;
  /// inference in eval mode: a few samples at a time, each thread on its own; only the logits and
  /// what is kept stay
  bool tiled = true;
  /// several backwards may follow one forward, each from logits_gradient() as a loss has left it:
  /// what they read stays. Without seeds, which losses add to
  bool repeat_backward = false;

  /// The last rule that applies to a node, or null.
  /// Throws UsageError where it wants a seed in a trace that runs no backward, or several of one
  /// forward.
  const Keep* rule_of(const Node& node) const {
    const Keep* last = nullptr;
    for (const Keep& rule : keep)
      if (rule.applies(node)) last = &rule;
    require<UsageError>(!last || !last->seed || use != Use::infer,
                        "trace: seeds need a trace that runs backward");
    require<UsageError>(!last || !last->seed || !repeat_backward,
                        "trace: where several backwards follow one forward there are no seeds");
    return last;
  }
};

/// One kept activation of the last forward.
template <class T = float, class Device = default_device> struct Kept {
  std::string path;
  Kind kind{};
  int node = 0;
  /// (n, c, h, w) in channels-innermost memory; an attention map has c = 1
  View<const T, Device> value{};
  /// empty unless the keep rule asked for it; zero after forward, written by losses
  View<T, Device> seed{};
  bool active = false;  ///< false: the layer did not run (elastic depth)
};

}  // namespace rnx::inline RNX_ABI
