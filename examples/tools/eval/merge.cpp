#include <map>

#include <rnx/data/selection.hpp>

#include "../run_json.hpp"
#include "evaluate.hpp"

namespace evaluation {

using namespace rnx;
namespace fs = std::filesystem;

namespace {

/// A member of a state, of the type that is expected. Errors: FileError.
template <class T> T member(const Json& object, const char* key, const std::string& where) {
  try {
    return object.at(key).get<T>();
  } catch (const Json::exception&) {
    throw FileError(where + ": expected the state of an evaluation, found something else as " +
                    key);
  }
}

/// Shards of one evaluation.
struct Shards {
  std::vector<std::string> folders{};
  Json identity{}, facts{};

  /// Errors: UsageError (of different evaluations), FileError.
  explicit Shards(std::vector<std::string> of) : folders(std::move(of)) {
    for (const std::string& folder : folders) {
      const Json state = read_state(folder);
      if (identity.is_null()) {
        identity = state["identity"];
        facts = state["facts"];
      }
      const std::string difference = tools::first_difference(identity, state["identity"]);
      require(difference.empty(), [&] {
        return folders[0] + " and " + folder +
               " are shards of different evaluations: " + difference;
      });
    }
  }

  /// An attack's result on all samples. Errors: UsageError (samples that no shard has), FileError.
  tools::RowResult result(std::size_t model, std::size_t row, const std::string& name) const {
    const std::string begin = piece_name(model, row, 0);
    const std::string prefix = begin.substr(0, begin.rfind('-') + 1);
    std::map<std::size_t, eval::Piece> pieces;
    for (const std::string& folder : folders) {
      std::error_code error;
      for (const auto& entry : fs::directory_iterator(state_folder(folder), error)) {
        if (!entry.path().filename().string().starts_with(prefix)) continue;
        eval::Piece piece = eval::read_piece(io::SafetensorsFile::read(entry.path()));
        if (piece.key == key_of(identity)) pieces.try_emplace(piece.first, std::move(piece));
      }
    }
    const auto n = member<std::size_t>(identity, "n", folders[0]);
    tools::RowResult all;
    std::size_t done = 0;
    for (auto& [first, piece] : pieces) {
      if (first != done) break;
      done += piece.accuracy.samples.size();
      all.seconds += piece.seconds;
      all.accuracy.append(std::move(piece.accuracy));
    }
    require(done == n, [&] {
      return fmt::format("samples from {} on are in none of the shards, or not all of them, for {}",
                         done, name);
    });
    all.accuracy.examples.resize(std::min<std::size_t>(all.accuracy.examples.size(), 10));
    return all;
  }
};

/// The network that costs are counted of.
AnyNetwork<float> network_of(const Json& identity, const std::string& where) {
  const auto dims = member<std::vector<int>>(identity, "dims", where);
  require<FileError>(dims.size() == 3, [&] { return where + ": expected three dims"; });
  models::ModelOptions options;
  options.classes = member<int>(identity, "classes", where);
  options.in = {dims[0], dims[1], dims[2]};
  const auto model = member<std::string>(identity, "model", where);
  tools::require_model_name(model);
  return models::Registry<>::instance().make(model, options);
}

std::vector<tools::AttackText> rows_of(const Json& identity, const std::string& where) {
  std::vector<tools::AttackText> rows;
  for (const Json& row : member<Json>(identity, "attacks", where)) {
    const auto name = member<std::string>(row, "name", where);
    rows.push_back({.text = name,
                    .clean = name == "clean",
                    .norm = member<std::string>(row, "norm", where),
                    .eps_text = member<std::string>(row, "eps", where),
                    .surrogate = row.contains("surrogate")
                                     ? member<std::string>(row, "surrogate", where)
                                     : ""});
  }
  return rows;
}

/// Errors: UsageError (the folder holds another evaluation).
void require_place(const std::string& out, const Json& options, const std::string& program) {
  tools::require_can_hold("--out", out);
  const tools::Json before = tools::read_run_json("--out", out, program);
  if (before.is_null()) return;
  const std::string difference =
      tools::first_difference(before.value("options", Json::object()), options);
  require(difference.empty(), [&] {
    return "--out: " + out + " holds another evaluation: " + difference + "; choose another folder";
  });
}

int merge(const std::vector<std::string>& folders, const std::string& out,
          const std::string& adversarials, const tools::App& app) {
  require(!folders.empty() && !out.empty(), "expected folders of shards, and --out DIR");
  const Shards shards(folders);
  const std::string& where = folders[0];
  Json options = member<Json>(shards.facts, "options", where);
  options["shard"] = "1/1";
  require_place(out, options, "rnx-eval");
  if (!adversarials.empty()) tools::require_writable_file("--save-adversarials", adversarials);
  const auto rows = rows_of(shards.identity, where);
  const AnyNetwork<float> net = network_of(shards.identity, where);
  Json settings = member<Json>(shards.facts, "settings", where);
  settings["n"] = member<std::size_t>(shards.identity, "n", where);
  settings["command"] = "rnx-eval merge " + fmt::format("{}", fmt::join(app.arguments(), " "));
  settings.erase("shard");
  const auto model = member<std::string>(shards.identity, "model", where);
  report::Report report{
      .title = "Robustness of " + model + " on " + member<std::string>(settings, "dataset", where),
      .settings = settings,
      .class_names = member<std::vector<std::string>>(shards.facts, "class_names", where),
      .models = {}};
  tools::Display quiet("off");
  WorstImages worst;
  const auto labels = member<std::vector<std::string>>(shards.facts, "labels", where),
             weights = member<std::vector<std::string>>(shards.facts, "weights", where);
  require<FileError>(labels.size() == weights.size(),
                     [&] { return where + ": expected as many labels as weights"; });
  for (std::size_t k = 0; k < weights.size(); ++k)
    report.models.push_back(tools::model_report(
        *net, labels[k], model, weights[k], rows, {.lattice = eval::Lattice::off}, quiet,
        [&](std::size_t row, const tools::AttackText& attack, const eval::Options&) {
          tools::RowResult result = shards.result(k, row, labels[k] + " under " + attack.text);
          worst.add(result.accuracy);
          return result;
        }));
  const auto lattice = member<std::string>(shards.identity, "lattice", where);
  for (auto& m : report.models)
    for (auto& row : m.attacks)
      if (!row.is_clean()) row.lattice = lattice;
  tools::make_writable("--out", out);
  const tools::FolderLock lock("--out", out, "rnx-eval");
  tools::Json run = tools::begin_run_json("rnx-eval", options);
  run.update(settings);
  run["merged"] = folders;
  io::write_file(fs::path(out) / "run.json", tools::text_of(run));
  if (!adversarials.empty())
    worst.write(adversarials, net->input_dims(), report.models[0].attacks[0].accuracy);
  write_report(out, report);
  tools::print_line(stdout, fmt::format("{} shards in {}", folders.size(), out));
  return 0;
}

}  // namespace

void add_merge_verb(tools::App& app) {
  app.verb("merge", "puts the shards of an evaluation together",
           [](const tools::App::Arguments& arguments) {
             tools::App verb("rnx-eval merge", "Makes one report of the shards of an evaluation.");
             std::vector<std::string> shards;
             std::string out, adversarials;
             verb.cli.add_option("shards", shards, "folders that rnx-eval --shard I/N wrote")
                 ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
             verb.cli.add_option("--out", out, "folder of the report");
             verb.cli.add_option("--save-adversarials", adversarials,
                                 "npy file, where the shards had the option, too");
             return verb.run(arguments, [&] { return merge(shards, out, adversarials, verb); });
           });
}

}  // namespace evaluation
