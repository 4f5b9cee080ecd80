#include "state.hpp"

#include <chrono>

#include <rnx/data/selection.hpp>

#include "../run_json.hpp"
#include "../sweep_file.hpp"

namespace evaluation {

using namespace rnx;
namespace fs = std::filesystem;

Range range_of_shard(const std::string& shard, std::size_t n) {
  const tools::Shard s = tools::Shard::parse(shard, SIZE_MAX);
  const std::size_t first = n * (s.index - 1) / s.count, end = n * s.index / s.count;
  require(end > first || s.count == 1,
          [&] { return fmt::format("--shard: {} gets none of the {} images", shard, n); });
  return {first, end - first};
}

std::string key_of(const Json& identity) { return Checksum().add(identity.dump()).text(); }

std::string piece_name(std::size_t model, std::size_t row, std::size_t first) {
  return fmt::format("model{}-attack{}-{:06}.safetensors", model, row, first);
}

Json read_state(const fs::path& out) {
  const fs::path file = state_folder(out) / "state.json";
  std::error_code error;
  require(fs::exists(file, error), [&] {
    return out.string() +
           " holds no state of an evaluation: a shard's, or that of one that was stopped";
  });
  Json state = Json::parse(io::read_file(file, 64 << 20), nullptr, false);
  require<FileError>(
      state.is_object() && state.contains("identity") && state["identity"].is_object() &&
          state.contains("facts") && state["facts"].is_object(),
      [&] {
        return file.string() + ": expected the state of an evaluation, found something else";
      });
  return state;
}

State::State(const fs::path& out, const Json& identity, const Json& facts,
             const std::string& resume)
    : folder_(state_folder(out)),
      key_(key_of(identity)) {
  std::error_code error;
  if (resume == "never") remove();
  if (fs::exists(folder_ / "state.json", error)) {
    const std::string difference = tools::first_difference(read_state(out)["identity"], identity);
    require(difference.empty(), [&] {
      return "--out: " + out.string() + " holds the state of another evaluation: " + difference +
             "; choose another folder, or --resume never";
    });
  }
  tools::make_writable("--out", folder_);
  io::write_file(folder_ / "state.json",
                 tools::text_of({{"identity", identity}, {"facts", facts}}));
}

void State::remove() const {
  std::error_code error;
  fs::remove_all(folder_, error);
}

tools::RowResult State::run(std::size_t model, std::size_t row, const NetworkBase<float>& net,
                            const data::Source& source, const tools::AttackText& attack,
                            eval::Options options, Range range) const {
  const auto progress = options.progress;
  const int examples = options.examples;
  tools::RowResult result;
  std::size_t known = 0;  // samples of pieces that were there
  for (std::size_t at = 0; at < range.count; at += std::size_t(options.batch)) {
    const std::size_t count = std::min(range.count - at, std::size_t(options.batch));
    const fs::path file = folder_ / piece_name(model, row, range.first + at);
    std::error_code error;
    eval::Piece piece;
    if (fs::exists(file, error)) try {
        piece = eval::read_piece(io::SafetensorsFile::read(file));
      } catch (const FileError& e) {
        tools::complain(std::string("rnx-eval: ") + e.what() + "; it is made again");
      }
    if (piece.key == key_ && piece.first == range.first + at &&
        piece.accuracy.samples.size() == count) {
      known += count;
    } else {
      const data::Part part(source, range.first + at, count);
      options.first_sample = range.first + at;
      options.examples = std::max(0, examples - int(range.first + at));
      options.progress = [&](std::size_t done, std::size_t) {
        if (progress) progress(at - known + done, range.count - known);
      };
      tools::RowResult made = tools::run_whole(net, part)(row, attack, options);
      piece = {.key = key_,
               .first = range.first + at,
               .seconds = made.seconds,
               .accuracy = std::move(made.accuracy)};
      eval::write_piece(file, piece);
    }
    result.seconds += piece.seconds;
    result.accuracy.append(std::move(piece.accuracy));
  }
  return result;
}

}  // namespace evaluation
