// What one pass is told at run time: mode, batch-norm path, subnet, and where the values lie that
// change between steps.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "rnx/core/error.hpp"

namespace rnx::inline RNX_ABI {

/// train: batch statistics and active dropout. eval: running statistics. Never inferred from
/// anything else.
enum class Mode : std::uint8_t { eval, train };

/// What a trace is for; the planner keeps only what that backward reads.
enum class Use : std::uint8_t { infer, input_gradient, train };

/// Values that change from step to step. Kernels read them from device memory, so that a recorded
/// step can be replayed with new ones.
struct StepValues {
  std::uint64_t seed = 0;  ///< key of every random number of the step
  std::uint64_t draw = 0;  ///< counts forwards, steps, restarts and replays
  double lr = 0;           ///< learning rate
  double momentum = 0;     ///< momentum of this step (one-cycle schedules move it)
  double eps = 0;          ///< attack radius, in units of [0, 1]
  double step = 0;         ///< attack step size
  double temperature = 1;  ///< of Gumbel-softmax draws
};

/// Draws are laid out so that none meets another: a training step has 2^16 of them, each of its
/// attacks 2^12, a restart of an attack 2^32.
inline constexpr int draw_bits_of_step = 16, draw_bits_of_attack = 12, draw_bits_of_restart = 32;

/// A choice beyond every slot's: its maximum.
inline constexpr int every_maximum = 1 << 30;

/// Run-time choices of an elastic network, one integer per slot (channels, expansion, kernel size
/// or depth). `id` names the choice in caches: equal ids mean equal choices.
struct Subnet {
  std::vector<int> choice;
  std::uint64_t id = 0;
};

/// The rows of a part of a batch: row i is the batch's sample data[i]. Without data rows and
/// samples are the same. Selection owns one.
struct SampleList {
  const std::int32_t* data = nullptr;  ///< device memory
  int n = 0;                           ///< rows
  int batch = 0;  ///< samples of the batch: each number lies in [0, batch), none comes twice

  explicit operator bool() const { return data != nullptr; }
  SampleList part(int first, int count) const {
    return data ? SampleList{data + first, count, batch} : SampleList{};
  }
};

/// Given to forward and recorded by the trace, so that backward needs none. Changing it
/// instantiates nothing.
struct Context {
  Mode mode = Mode::eval;
  int path = 0;                        ///< batch-norm path
  const Subnet* subnet = nullptr;      ///< null: every maximum. Must outlive the pass.
  const StepValues* values = nullptr;  ///< device memory; null: all defaults
  std::uint64_t draw = 0;  ///< added to values->draw: tells several forwards of one step apart
  std::uint64_t first_sample = 0;  ///< id of the batch's first sample, for tiles of a larger batch
  /// where the rows are chosen from a batch: row i has the id first_sample + samples.data[i], and
  /// random numbers (starts of attacks, dropout) and the targets of losses of that sample
  SampleList samples{};
  void* stream = nullptr;  ///< the device's stream (Stream::handle)
  /// when it becomes true (a signal), work in tiles throws Stopped before the next tile
  const std::atomic<bool>* stop = nullptr;
  /// Host memory, one number for each site, or null: bit p says that path p of a batch norm there
  /// is frozen. It then runs as in eval mode and keeps its running statistics.
  const std::uint32_t* frozen = nullptr;
  /// No parameter of a site before this one is trained: a backward that need not reach the images
  /// ends there, and adds nothing to those parameters' gradients.
  int first_trained = 0;

  /// The id of a row: what its random numbers are keyed by. For host code, where it can read the
  /// device's memory.
  std::uint64_t sample(int row) const {
    return first_sample + std::uint64_t(samples ? samples.data[row] : row);
  }
  /// For a pass over the rows [first, first + n) alone.
  Context part(int first, int n) const {
    Context c = *this;
    c.samples = samples.part(first, n);
    if (!samples) c.first_sample += std::uint64_t(first);
    return c;
  }
};

/// Throws Stopped when the context's flag is set. Called before each tile of a pass and of an
/// attack's step.
inline void check_stop(const Context& ctx) {
  if (ctx.stop && ctx.stop->load(std::memory_order_relaxed))
    throw Stopped("stopped before the computation was complete");
}

/// Throws ShapeError when the context lists the samples of another number of rows.
inline void check_samples(const Context& ctx, int rows) {
  require<ShapeError>(!ctx.samples || ctx.samples.n == rows, [&] {
    return "context: it lists " + std::to_string(ctx.samples.n) + " samples, the batch has " +
           std::to_string(rows);
  });
}

}  // namespace rnx::inline RNX_ABI
