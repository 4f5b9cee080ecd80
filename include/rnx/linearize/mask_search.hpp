// An item of an objective that searches masks while a student trains (paper 000, section 2.4.2).
#pragma once

#include "rnx/linearize/scores.hpp"
#include "rnx/train.hpp"

namespace rnx::inline RNX_ISA::linearize {

/// Behind every masked ReLU adds |teacher - student| over the samples of pass Of, from the pass
/// Target; at the end of an epoch the student's masks become the largest sums, `budget` of each
/// layer, and the sums begin anew. Before the epoch's evaluation and checkpoint; the sums of an
/// epoch that was interrupted are part of checkpoints. Set the first masks (random_masks) before
/// the run. Errors: UsageError (a budget that does not fit, networks of other masked ReLUs).
template <fixed_string Of, fixed_string Target> struct MaskSearch {
  Budget budget{};
  Ties ties = Ties::by_index;
  static constexpr std::array<train::NameOf, 2> reads{train::pass_named(Of.text),
                                                      train::pass_named(Target.text)};

  template <class T, class Device> void plan(train::Planner<T, Device>& p) {
    p.reads_pass(Of.c_str());
    p.reads_pass(Target.c_str(), p.options(Of.c_str()).rows);
    const std::vector<ReluLayer> layers = relu_layers(p.network(Of.c_str()).graph()),
                                 theirs = relu_layers(p.network(Target.c_str()).graph());
    require<UsageError>(std::ranges::equal(layers, theirs,
                                           [](const auto& a, const auto& b) {
                                             return a.path == b.path && a.dims == b.dims;
                                           }),
                        "linearize: the teacher must have the student's masked ReLUs");
    detail::check_budget(layers.size(), budget);
    for (std::size_t l = 0; l < layers.size(); ++l)
      detail::check_count(layers[l].path, budget[l], layers[l].count);
    const Keep rule = Keep::every(Kind::activation);
    p.keep(Of.c_str(), rule);
    p.keep(Target.c_str(), rule);
    p.state(state_name, {2, int(total(layers))});
    std::string text = "masks of " + std::string(Of.c_str()) + " by " + Target.c_str() +
                       (ties == Ties::strict ? " strict" : "");
    for (const long r : budget) text += " " + std::to_string(r);
    p.fact(std::move(text));
  }
  template <class T, class Device> void step(train::Stage<T, Device>& s) {
    const int n = s.count(Of.c_str());
    if (n == 0) return;
    const std::vector<ReluLayer> layers = relu_layers(s.net.graph());
    const int first = s.first(Of.c_str()) - s.first(Target.c_str());
    add_distances<T, Device>(layers, s.trace(Target.c_str()), first, s.trace(Of.c_str()),
                             s.state(state_name));
  }
  template <class T, class Device> void end_epoch(train::Epoch<T, Device>& e) {
    const std::vector<ReluLayer> layers = relu_layers(e.net.graph());
    const std::size_t count = std::size_t(total(layers));
    std::vector<T> sums(2 * count);  // and what they leave, which the state holds behind them
    T* state = e.stage.state(state_name);
    memory<Device>::download(sums.data(), state, sums.size() * sizeof(T), e.stage.stream());
    std::vector<std::vector<double>> scores;
    std::size_t at = 0;
    for (const ReluLayer& l : layers) {
      std::vector<double>& own = scores.emplace_back();
      for (const std::size_t end = at + std::size_t(l.count); at < end; ++at)
        own.push_back(double(sums[at]) + double(sums[count + at]));
    }
    set_masks(e.net, top_masks(scores, budget, ties));
    memory<Device>::zero(state, sums.size() * sizeof(T), e.stage.stream());
  }

 private:
  static constexpr const char* state_name = "masks.scores";
};

}  // namespace rnx::inline RNX_ISA::linearize
