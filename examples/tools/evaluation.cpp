#include "evaluation.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include <rnx/io/file_checksum.hpp>

namespace tools {

using namespace rnx;

void require_model_name(const std::string& name) {
  const auto& registry = models::Registry<>::instance();
  if (!registry.knows(name)) require_known("--model", name, registry.names());
}

void require_model(const std::string& name, const SplitFacts& images) {
  const auto& registry = models::Registry<>::instance();
  require_model_name(name);
  models::ModelOptions options;
  options.classes = images.classes;
  options.in = images.dims;
  const auto& entries = registry.entries(name);
  const bool has_shape = std::any_of(entries.begin(), entries.end(),
                                     [&](const auto& e) { return e.in == options.in; });
  try {
    registry.find(name, options);
  } catch (const UsageError& e) {
    if (has_shape) throw;
    throw UsageError(fmt::format("{}; a build with -DRNX_IMAGE_SHAPES={}x{}x{} has these images",
                                 e.what(), options.in.c, options.in.h, options.in.w));
  }
}

AnyNetwork<float> make_model(const std::string& name, const data::Source& source,
                             std::uint64_t seed, const data::Statistics& statistics) {
  const auto& registry = models::Registry<>::instance();
  require_model_name(name);
  models::ModelOptions options;
  options.classes = source.classes();
  options.seed = seed;
  options.in = source.dims();
  AnyNetwork<float> net = registry.make(name, options);
  for (const auto& b : net->graph().buffers) {
    if (b.name == "normalize.mean" && !statistics.mean.empty()) net->set(b.name, statistics.mean);
    if (b.name == "normalize.std" && !statistics.std.empty()) net->set(b.name, statistics.std);
  }
  return net;
}

LoadedTeacher load_teacher(const std::string& file, const std::string& model,
                           const data::Source& source) {
  LoadedTeacher teacher{.model = model, .checksum = io::file_checksum(file)};
  if (model.empty()) {
    const auto weights = io::SafetensorsFile::read(file);
    const auto said = weights.metadata().find("rnx.model");
    require<UsageError>(said != weights.metadata().end(), [&] {
      return "--teacher: " + file + " does not say its model; --teacher-model does";
    });
    teacher.model = said->second;
  }
  teacher.net = make_model(teacher.model, source, 0);
  io::load_model(file, *teacher.net);
  return teacher;
}

std::string start_from(const std::string& file, bool skip_head, const std::string& model,
                       NetworkBase<float>& net) {
  const std::string checksum = io::file_checksum(file);
  const std::string& last = net.graph().parameters.back().name;
  const std::string head = last.substr(0, last.rfind('.') + 1);
  const auto weights = io::SafetensorsFile::read(file);
  const io::Entry* theirs = nullptr;  // its name may have a prefix
  for (const io::Entry& e : weights.entries())
    if (e.name == head + "weight" || e.name.ends_with("." + head + "weight")) theirs = &e;
  const std::size_t classes =
      theirs && !theirs->shape.empty() ? theirs->shape[0] : std::size_t(net.classes());
  require<FileError>(skip_head || classes == std::size_t(net.classes()), [&] {
    return fmt::format(
        "--init: {} has {} classes, the data set {}; --init-skip-head starts the last layer anew",
        file, classes, net.classes());
  });
  const io::LoadOptions loading{.keep_normalization =
                                    true};  // that of the new data, where the file has none
  if (!skip_head) {
    io::load_model(file, net, loading);
    return checksum;
  }
  // a network of their own: strict loading and the file's self-test need all of it
  require<FileError>(classes >= 1 && classes <= std::size_t(maximum_classes), [&] {
    return fmt::format("--init: {}: expected 1 to {} classes, found {}", file, maximum_classes,
                       classes);
  });
  models::ModelOptions options;
  options.classes = int(classes);
  options.in = net.input_dims();
  AnyNetwork<float> donor = models::Registry<>::instance().make(model, options);
  const io::Loaded loaded = io::load_model(file, *donor, loading);
  const auto take = [&](const auto& p) {
    const bool kept = loaded.kept_normalization && p.name.starts_with("normalize.");
    if (!kept && !p.name.starts_with(head))
      net.set(p.name, std::vector<float>(p.value, p.value + p.count));
  };
  const NetworkBase<float>& from = std::as_const(*donor);
  from.visit(take);
  from.visit_buffers(take);
  return checksum;
}

io::Metadata class_metadata(const std::vector<std::string>& names) {
  if (names.empty()) return {};
  try {
    return {{"rnx.classes", nlohmann::json(names).dump()}};
  } catch (const nlohmann::json::exception&) {
    return {};  // names of folders need not be UTF-8, metadata must
  }
}

std::vector<std::string> class_names(const io::Metadata& metadata, const std::string& what) {
  const auto stored = metadata.find("rnx.classes");
  if (stored == metadata.end()) return {};
  const auto json = nlohmann::json::parse(stored->second, nullptr, false);
  const auto is_name = [](const auto& name) { return name.is_string(); };
  require<FileError>(json.is_array() && std::all_of(json.begin(), json.end(), is_name), [&] {
    return what + ": expected a list of names as rnx.classes, found " +
           io::in_quotes(stored->second);
  });
  return json.get<std::vector<std::string>>();
}

void require_same_classes(const std::string& weights, const std::vector<std::string>& names,
                          const std::string& what, const std::vector<std::string>& theirs) {
  if (names.empty() || theirs.empty()) return;
  require<FileError>(names.size() == theirs.size(), [&] {
    return fmt::format("{}: these weights are for {} classes, {} has {}", weights, names.size(),
                       what, theirs.size());
  });
  for (std::size_t k = 0; k < names.size(); ++k)
    require<FileError>(names[k] == theirs[k], [&] {
      return fmt::format("{}: class {} of these weights is {}, that of {} is {}", weights, k,
                         io::in_quotes(names[k]), what, io::in_quotes(theirs[k]));
    });
}

namespace {
std::vector<report::Figure> curves_beside(const std::filesystem::path& weights) {
  const auto metrics = weights.parent_path() / "metrics.csv";
  std::error_code error;
  if (!std::filesystem::exists(metrics, error)) return {};
  try {
    return report::training_figures(io::read_file(metrics, 64 << 20), metrics.string());
  } catch (const Error& e) {
    complain(fmt::format("no training curves are shown: {}", e.what()));
    return {};
  }
}
}  // namespace

RowRunner run_whole(const NetworkBase<float>& net, const data::Source& source) {
  return [&net, &source](std::size_t, const AttackText& attack, const eval::Options& options) {
    using clock = std::chrono::steady_clock;
    const auto begin = clock::now();
    RowResult row{.accuracy = attack.run(net, source, options)};
    row.seconds = std::chrono::duration<double>(clock::now() - begin).count();
    return row;
  };
}

namespace {
std::string lattice_text(eval::Lattice lattice) {
  return lattice == eval::Lattice::off      ? "off"
         : lattice == eval::Lattice::report ? "report"
                                            : "project";
}
}  // namespace

report::ModelReport model_report(const NetworkBase<float>& net, const std::string& label,
                                 const std::string& model, const std::string& weights,
                                 const std::vector<AttackText>& attacks, eval::Options options,
                                 Display& display, const RowRunner& run) {
  report::ModelReport report{.label = label,
                             .model = model,
                             .weights = weights,
                             .details = nlohmann::ordered_json::object(),
                             .attacks = {},
                             .cost = cost::table(net.graph()),
                             .examples = {},
                             .figures = curves_beside(weights)};
  const Dims dims = net.input_dims();
  const bool shown = dims.c == 1 || dims.c == 3;
  for (std::size_t k = 0; k < attacks.size(); ++k) {
    const AttackText& a = attacks[k];
    options.examples = report.examples.empty() && !a.clean && shown ? 10 : 0;
    options.keep_logits = false;
    options.progress = display.counting(label + ", " + (a.clean ? "clean" : a.text));
    RowResult row = run(k, a, options);
    eval::Accuracy& r = row.accuracy;
    display.done();
    for (std::size_t i = 0; i < r.examples.size(); ++i)
      report.examples.push_back({int(r.origin(i)), r.samples[i].label, r.samples[i].clean,
                                 r.samples[i].attacked, dims, std::move(r.examples[i].clean),
                                 std::move(r.examples[i].adversarial)});
    r.examples.clear();
    report.attacks.push_back(
        {.name = a.clean ? "clean" : a.text,
         .norm = a.clean ? "" : a.norm,
         .eps = a.clean ? "" : a.eps_text,
         .forwards = r.forwards(),
         .backwards = r.backwards(),
         .seconds = row.seconds,
         .lattice = lattice_text(a.clean ? eval::Lattice::off : options.lattice),
         .surrogate = a.surrogate});
    report.attacks.back().accuracy = std::move(r);
  }
  return report;
}

}  // namespace tools
