#include <rnx/deploy.hpp>
#include <rnx/io/file_checksum.hpp>

#include "measure.hpp"

namespace mbn {

using namespace rnx;
namespace fs = std::filesystem;

namespace {

/// What the weights' file says of its model, without what is of these numbers.
io::Metadata facts_of(const io::SafetensorsFile& weights) {
  io::Metadata facts;
  for (const auto& [key, value] : weights.metadata())
    if (key.find("self_test") == key.npos && key != "format") facts.emplace(key, value);
  return facts;
}
/// Whether the packed network of these weights is there.
bool is_packed(const fs::path& file, const std::string& checksum) {
  if (!paper::is_there(file)) return false;
  const auto packed = io::SafetensorsFile::read(file);
  const auto of = packed.metadata().find("rnx.weights");
  return of != packed.metadata().end() && of->second == checksum;
}

}  // namespace

models::ModelOptions options_of(const Run& run) {
  const fs::path file = run.folder / "model.safetensors";
  const auto weights = io::SafetensorsFile::read(file);
  const io::Entry* const logits = weights.find("fc.bias");
  require<FileError>(logits && logits->shape.size() == 1,
                     [&] { return file.string() + ": expected a classifier fc, found none"; });
  models::ModelOptions options = options_of(run.row.block.network);
  options.classes = int(logits->shape[0]);
  return options;
}

void pack(const Run& run, tools::Display& display) {
  const fs::path file = run.folder / "packed.safetensors", from = run.folder / "model.safetensors";
  const std::string checksum = io::file_checksum(from);
  if (is_packed(file, checksum)) return;
  const models::ModelOptions options = options_of(run);
  const std::string& model = run.program.a.model;
  AnyNetwork<float> net = models::Registry<>::instance().make(model, options);
  io::load_model(from, *net);
  io::Metadata facts = facts_of(io::SafetensorsFile::read(from));
  facts["rnx.model"] = model;
  facts["rnx.weights"] = checksum;
  deploy::save(file, *deploy::Registry::instance().find(model, options.in).pack(*net), facts);
  const auto size = fs::file_size(file);
  display.say(fmt::format("{}: {} bytes, 1/{:.1f} of the floats", file.string(), size,
                          double(fs::file_size(from)) / double(size)));
}

}  // namespace mbn
