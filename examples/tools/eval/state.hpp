// The state of an evaluation, in the folder `state` of its report: state.json says what is
// evaluated, and every attack's result on every batch is a file of its own (eval/state.hpp), made
// when it is finished. Whoever kills the program loses a batch of one attack.
#pragma once

#include <filesystem>
#include <vector>

#include <rnx/eval/state.hpp>

#include "arguments.hpp"

namespace evaluation {

/// Samples [first, first + count) of an evaluation's.
struct Range {
  std::size_t first = 0, count = 0;
};

/// "2/8" of n samples: one after the other, as equal as whole numbers are. Errors: UsageError.
Range range_of_shard(const std::string& shard, std::size_t n);

class State {
 public:
  /// identity: all that results depend on; facts: what a merged report says beside. Goes on with
  /// what is there (resume "auto"), or removes it ("never"). Errors: UsageError (the state of
  /// another evaluation), FileError.
  State(const std::filesystem::path& out, const Json& identity, const Json& facts,
        const std::string& resume);

  /// An attack's result on a range, of finished pieces as far as they are there, the others made
  /// and written batch by batch. The folder's own evaluation has one network for each `model`.
  tools::RowResult run(std::size_t model, std::size_t row, const rnx::NetworkBase<float>& net,
                       const rnx::data::Source& source, const tools::AttackText& attack,
                       rnx::eval::Options options, Range range) const;
  /// Everything is in the report.
  void remove() const;

 private:
  std::filesystem::path folder_;
  std::string key_;
};

/// What state.json of a report's folder says: identity, facts. Errors: FileError, UsageError (there
/// is none).
Json read_state(const std::filesystem::path& out);
std::string key_of(const Json& identity);
std::string piece_name(std::size_t model, std::size_t row, std::size_t first);
inline std::filesystem::path state_folder(const std::filesystem::path& out) {
  return out / "state";
}

}  // namespace evaluation
