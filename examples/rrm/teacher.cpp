// Teachers that were trained elsewhere.
#include <rnx/io.hpp>
#include <rnx/io/file_checksum.hpp>

#include "../tools/run_json.hpp"
#include "measure.hpp"

namespace rrm {

using namespace rnx;

bool is_taken(const Run& run, const std::string& file) {
  return paper::is_measured(run.folder / "taken.json", {{"checksum", io::file_checksum(file)}}) &&
         is_there(run.folder / "model.safetensors");
}

void take_teacher(const Run& run, const std::string& file, Images& images) {
  if (is_taken(run, file)) return;
  require(!is_there(run.folder / "run.json"), [&] {
    return "--teacher: " + run.folder.string() + " holds a run of " + run.row.name +
           "; another --out, or without it";
  });
  const training::Arguments& a = run.program.a;
  const tools::DataSet& set = images.of(a.data, true);
  AnyNetwork<float> net = tools::make_model(a.model, *set.train, a.seed, set.statistics);
  const io::Loaded loaded = io::load_model(
      file, *net, {.keep_normalization = true, .renamings = io::robustbench_names()});
  tools::make_writable("--out", run.folder);
  io::save_model(run.folder / "model.safetensors", *net, {{"rnx.model", a.model}});
  io::write_file(run.folder / "taken.json",
                 tools::text_of({{"file", file},
                                 {"checksum", io::file_checksum(file)},
                                 {"normalisation",
                                  loaded.kept_normalization ? "of the data set" : "of the file"}}));
}

}  // namespace rrm
