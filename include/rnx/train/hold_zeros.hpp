// Fine-tuning of a pruned network: what is pruned stays zero.
#pragma once

#include "rnx/network/pruned.hpp"
#include "rnx/train/objective.hpp"

namespace rnx::inline RNX_ISA::train {

/// An item beside any objective: what pruning had removed when training began (network/pruned.hpp)
/// stays zero. Gradients are masked before the optimizers step, so that momentum and moments stay
/// zero as well, and the decay of zero is zero: weights are right within an epoch, too, and nothing
/// has to be reset. The mask is part of checkpoints.
/// Errors: UsageError (nothing is pruned).
struct HoldZeros {
  static constexpr std::array<NameOf, 0> provides{};

  template <class T, class Device> void plan(Planner<T, Device>& p) const {
    p.state(state_name, {int(p.student().parameter_storage())});
    p.fact("pruned parameters stay zero");
  }
  /// The mask, 1 where a parameter is trained, is made once, before the first step of a run.
  template <class T, class Device> void begin_epoch(Epoch<T, Device>& e) const {
    std::vector<T> mask(e.net.parameter_storage());
    const std::size_t bytes = mask.size() * sizeof(T);
    memory<Device>::download(mask.data(), e.stage.state(state_name), bytes);
    if (std::find(mask.begin(), mask.end(), T(1)) != mask.end()) return;
    const Remains left = remains(e.net);
    std::copy(left.parameters.begin(), left.parameters.end(), mask.begin());
    require<UsageError>(std::find(mask.begin(), mask.end(), T(0)) != mask.end(),
                        "pruning: expected a pruned network, found no weight that is zero");
    memory<Device>::upload(e.stage.state(state_name), mask.data(), bytes, {});
  }
  template <class T, class Device> void finish(Stage<T, Device>& s) const {
    mask(s, "");
    const auto& passes = s.plan().passes;
    for (auto p = passes.begin(); p != passes.end(); ++p) {
      const auto same = [&](const auto& other) { return other.options.into == p->options.into; };
      if (!p->options.into.empty() && std::none_of(passes.begin(), p, same))
        mask(s, p->options.into);
    }
  }

 private:
  static constexpr const char* state_name = "kept";

  template <class T, class Device>
  static void mask(Stage<T, Device>& s, const std::string& stepper) {
    const int n = int(s.net.parameter_storage());
    const geometry::Map row{1, 1, 1, n, n};
    T* const gradients = s.grads(stepper).flat.data();
    run<Device>(s.stream(),
                op::scale_channels<T>{
                    .x = {row, gradients}, .s = {row, s.state(state_name)}, .y = {row, gradients}});
  }
};

}  // namespace rnx::inline RNX_ISA::train
