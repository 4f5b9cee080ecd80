// Where a run is kept: fit saves to a store and continues what it holds. Checkpoints on disk are
// one (checkpoint.hpp); programs that save nothing compile none of it.
#pragma once

#include <utility>

#include "rnx/optim.hpp"
#include "rnx/train/means.hpp"

namespace rnx::inline RNX_ISA::train {

/// Where a run stands: what a resume needs beside parameters, statistics and the states of
/// optimizer and objective.
struct Position {
  long done = 0;  ///< batches of the run
  int epoch = 0;  ///< of the last batch
  long step = 0;  ///< of the last batch, from 1
  EpochMeans means{};
  Scores best{};       ///< of all evaluations
  bool scored = true;  ///< false: stopped before the scores of its epoch were there
  std::uint64_t rates =
      0;  ///< checksum of the values that schedules gave the steps so far; 0: not known
};

/// What the bits of a run depend on beside its state, by name: batch, seed, augmentation,
/// objective, optimizer, data. A resume with others is refused.
using Facts = std::vector<std::pair<std::string, std::string>>;

/// Options name a store without its device.
struct AnyStore {
  virtual ~AnyStore() = default;
};

template <class Device = default_device> class Store : public AnyStore {
 public:
  using Net = NetworkBase<float, Device>;
  using States = std::vector<optim::State<float>>;

  /// Where the newest stands; empty where there is none. Nothing is read into anything yet. Errors:
  /// UsageError (a run of another configuration or with other facts), FileError.
  virtual std::optional<Position> position(const Facts& facts) = 0;
  /// Reads the one that position() found into network and states. Errors: FileError; nothing is
  /// changed then.
  virtual void restore(Net& net, const States& states) = 0;
  /// `marks`: what this one is the best of so far ("BEST-clean"). Errors: FileError; the one before
  /// is still there then.
  virtual void save(const Position& position, const Net& net, const States& states,
                    const Facts& facts, const std::vector<std::string>& marks) = 0;
};

}  // namespace rnx::inline RNX_ISA::train
