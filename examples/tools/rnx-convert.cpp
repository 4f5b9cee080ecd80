// rnx-convert: safetensors files to folders of npy files and back, what is in a file, and whether a
// model takes it.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include <rnx/io/npy.hpp>
#include <rnx/models.hpp>
#include <rnx/io.hpp>

#include "app.hpp"
#include "evaluation.hpp"

namespace {

using namespace rnx;
namespace fs = std::filesystem;

std::string shape_text(const std::vector<std::size_t>& shape) {
  return fmt::format("({})", fmt::join(shape, ", "));
}
bool is_float(io::Dtype d) {
  return d == io::Dtype::F64 || d == io::Dtype::F32 || d == io::Dtype::F16 || d == io::Dtype::BF16;
}

std::string summary(const std::string& input) {
  const auto file = io::SafetensorsFile::read(input);
  std::string out;
  const auto print = [&]<class... Ts>(fmt::format_string<Ts...> format, Ts&&... values) {
    out += fmt::format(format, std::forward<Ts>(values)...);
  };
  for (const auto& [key, value] : file.metadata())
    print("{}: {}\n", key,
          value.size() > 100 && key != "rnx.classes" ? value.substr(0, 97) + "..." : value);
  print("{:<40} {:<5} {:>20} {:>12} {:>12} {:>12} {:>12}\n", "tensor", "dtype", "shape", "elements",
        "min", "mean", "max");
  std::size_t elements = 0, bytes = 0, not_finite = 0;
  for (const io::Entry& e : file.entries()) {
    const std::vector<double> v = file.values<double>(e);
    double least = INFINITY, most = -INFINITY, sum = 0;
    std::size_t finite = 0;
    for (const double x : v)
      if (std::isfinite(x)) {
        least = std::min(least, x);
        most = std::max(most, x);
        sum += x;
        ++finite;
      }
    not_finite += v.size() - finite;
    elements += v.size();
    bytes += e.end - e.begin;
    const auto number = [&](double x) {
      return finite ? fmt::format("{:.5g}", x) : std::string("-");
    };
    print("{:<40} {:<5} {:>20} {:>12} {:>12} {:>12} {:>12}\n", e.name, io::name_of(e.dtype),
          shape_text(e.shape), v.size(), number(least), number(finite ? sum / double(finite) : 0),
          number(most));
  }
  print("{} tensors, {} elements, {} bytes, {} values that are not finite\n", file.entries().size(),
        elements, bytes, not_finite);
  return out;
}

/// A tensor's name as a file name: names with separators would leave the folder.
fs::path file_of(const fs::path& folder, const std::string& name) {
  require<FileError>(
      !name.empty() && name.find('/') == name.npos && name.find('\0') == name.npos &&
          name.size() < 250,
      [&] { return "tensor " + io::in_quotes(name) + " cannot be the name of a file"; });
  return folder / (name + ".npy");
}

void to_npy(const std::string& input, const std::string& output) {
  const auto file = io::SafetensorsFile::read(input);
  require(!output.empty(), "to-npy: the folder for the npy files is needed");
  for (const io::Entry& e : file.entries())
    file_of(output, e.name);  // all names are fine before anything is written
  tools::make_writable("to-npy", output);
  for (const io::Entry& e : file.entries()) {
    const fs::path path = file_of(output, e.name);
    const auto write = [&]<class T>(T) { io::write_npy(path, e.shape, file.values<T>(e).data()); };
    switch (e.dtype) {
      case io::Dtype::F64: write(double{}); break;
      case io::Dtype::I64: write(std::int64_t{}); break;
      case io::Dtype::I32: write(std::int32_t{}); break;
      case io::Dtype::I16: write(std::int16_t{}); break;
      case io::Dtype::I8: write(std::int8_t{}); break;
      case io::Dtype::U8:
      case io::Dtype::BOOL: write(std::uint8_t{}); break;
      default: write(float{});  // F32; F16 and BF16 fit into it
    }
  }
  tools::write_out(fmt::format("{} arrays in {}\n", file.entries().size(), output));
}

void from_npy(const std::string& input, const std::string& output) {
  require(!output.empty(), "from-npy: the name of the safetensors file is needed");
  tools::require_writable_file("from-npy", output);
  std::error_code error;
  require<FileError>(fs::is_directory(input, error),
                     [&] { return input + ": expected a folder with npy files, found none"; });
  std::vector<fs::path> paths;
  for (fs::directory_iterator entry(input, error), end; !error && entry != end;
       entry.increment(error))
    if (entry->path().extension() == ".npy") paths.push_back(entry->path());
  require<FileError>(!error, [&] { return input + ": cannot be listed: " + error.message(); });
  require<FileError>(!paths.empty(), [&] { return input + ": there is no .npy file in it"; });
  std::sort(paths.begin(), paths.end());
  std::vector<io::NpyFile> files;
  for (const fs::path& p : paths) files.push_back(io::NpyFile::read(p));
  std::vector<io::OutTensor> tensors;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto type = [&] {
      switch (files[i].type()) {
        case io::NpyType::f4: return io::Dtype::F32;
        case io::NpyType::f8: return io::Dtype::F64;
        case io::NpyType::i2: return io::Dtype::I16;
        case io::NpyType::i4: return io::Dtype::I32;
        case io::NpyType::i8: return io::Dtype::I64;
        case io::NpyType::i1: return io::Dtype::I8;
        case io::NpyType::u1: return io::Dtype::U8;
        case io::NpyType::b1: return io::Dtype::BOOL;
        default:
          throw FileError(files[i].what() + ": safetensors files hold no tensors of " +
                          std::string(io::name_of(files[i].type())));
      }
    };
    tensors.push_back(
        {paths[i].stem().string(), type(), files[i].shape(), files[i].bytes().data()});
  }
  if (fs::path(output).has_parent_path())
    tools::make_writable("from-npy", fs::path(output).parent_path());
  io::write_safetensors(output, tensors, {{"format", "pt"}});
  tools::write_out(fmt::format("{} tensors in {}\n", tensors.size(), output));
}

/// What a network is made of.
struct Model {
  std::string name = "resnet20";
  int classes = 10, size = 32, channels = 3;
  AnyNetwork<float> make() const {
    models::ModelOptions options;
    options.classes = classes;
    options.in = {channels, size, size};
    tools::require_model_name(name);
    return models::Registry<>::instance().make(name, options);
  }
};

/// Names of a state dict that are others in the model, and the mean and deviation that it has not.
struct Names {
  std::string table{};
  std::vector<std::string> renamings{}, drop{};
  std::vector<double> mean{}, std{};

  io::LoadOptions options() const {
    io::LoadOptions o{.except = {}, .keep_normalization = !mean.empty(), .renamings = {}};
    o.except.globs = drop;
    for (const std::string& text : renamings) {
      const std::size_t at = text.find('=');
      require(at != text.npos && at > 0 && at + 1 < text.size(),
              [&] { return "--rename: expected FROM=TO, found '" + text + "'"; });
      o.renamings.push_back({text.substr(0, at), text.substr(at + 1)});
    }
    require(table.empty() || table == "robustbench",
            [&] { return "--names: known is robustbench, found '" + table + "'"; });
    if (table == "robustbench")
      for (const io::Renaming& r : io::robustbench_names()) o.renamings.push_back(r);
    return o;
  }
};

void set_normalization(NetworkBase<float>& net, const Names& names) {
  require(names.mean.empty() == names.std.empty(), "--mean and --std: both or neither");
  if (names.mean.empty()) return;
  const auto set = [&](const char* name, const std::vector<double>& values) {
    net.set(name, std::vector<float>(values.begin(), values.end()));
  };
  set("normalize.mean", names.mean);
  set("normalize.std", names.std);
}

/// Weights of a model out of a state dict with other names. The file is written when it loads.
void rename(const std::string& input, const std::string& output, const Model& model,
            const Names& names) {
  require(!output.empty(), "rename: the name of the safetensors file is needed");
  io::LoadOptions options = names.options();
  tools::require_writable_file("rename", output);
  AnyNetwork<float> net = model.make();
  set_normalization(*net, names);
  if (names.table == "robustbench") {
    const auto unused = [](const io::Entry& e) {
      return e.name.find("sub_block1.") != e.name.npos;
    };
    const auto file = io::SafetensorsFile::read(input);
    if (std::any_of(file.entries().begin(), file.entries().end(), unused))
      options.except.globs.push_back("sub_block1.*");
  }
  const io::Loaded loaded = io::load_model(input, *net, options);
  require<FileError>(!options.keep_normalization || loaded.kept_normalization, [&] {
    return input +
           ": it has a mean and a deviation of its own; --mean and --std are for those "
           "without";
  });
  if (fs::path(output).has_parent_path())
    tools::make_writable("rename", fs::path(output).parent_path());
  io::save_model(output, *net, {{"rnx.model", model.name}});
  tools::write_out(fmt::format(
      "{}: {} parameters, as {} wants them; left out: {}\n", output, net->parameter_count(),
      model.name,
      loaded.skipped.empty() ? "nothing" : fmt::format("{}", fmt::join(loaded.skipped, ", "))));
}

int verify(const std::string& input, const Model& model) {
  AnyNetwork<float> net = model.make();
  const auto file = io::SafetensorsFile::read(input);
  const io::Loaded loaded = io::load_model(input, *net);
  if (!loaded.prefix.empty())
    tools::write_out(fmt::format("all names begin with {}, which is taken off\n", loaded.prefix));
  std::size_t not_finite = 0;
  for (const io::Entry& e : file.entries())
    if (is_float(e.dtype))
      for (const double v : file.values<double>(e)) not_finite += !std::isfinite(v);
  const bool tested = file.metadata().contains("rnx.self_test.seed") &&
                      file.metadata().contains("rnx.self_test.logits");
  tools::write_out(fmt::format(
      "{}: {} parameters, as {} wants them; {} values that are not finite; self-test: {}\n", input,
      net->parameter_count(), model.name, not_finite, tested ? "passed" : "none in the file"));
  return not_finite ? 3 : 0;
}

void add_options(CLI::App& cli, Model& model, Names& names) {
  cli.add_option("--model", model.name,
                 fmt::format("one of {}", fmt::join(models::Registry<>::instance().names(), ", ")));
  tools::add_whole(cli, "--classes", model.classes, {.least = 1, .most = maximum_classes},
                   "of the model");
  tools::add_whole(cli, "--image-size", model.size, {.least = 1},
                   "height and width of the model's images");
  tools::add_whole(cli, "--channels", model.channels, {.least = 1}, "of the model's images");
  cli.add_option("--names", names.table, "rename: robustbench, the names of that model zoo");
  tools::add_texts(cli, "--rename", names.renamings,
                   "rename: FROM=TO, parts of names that the model calls otherwise");
  tools::add_texts(cli, "--drop", names.drop, "rename: names that are left out, like aux.*");
  tools::add_reals(cli, "--mean", names.mean, {.most = 1},
                   "rename: of the channels, where the file has none");
  tools::add_reals(cli, "--std", names.std, {.most = 1},
                   "rename: deviation of the channels, like --mean");
}

}  // namespace

int main(int argc, char** argv) {
  tools::App app("rnx-convert",
                 "Weights: safetensors <-> npy, what is in a file, whether a model takes it.");
  std::string action, input, output;
  Model model;
  Names names;
  app.cli.add_option("action", action,
                     "summary FILE | to-npy FILE FOLDER (bytes for BOOL, float32 for F16 and BF16) "
                     "| from-npy FOLDER FILE | verify FILE --model NAME | rename FILE FILE --model "
                     "NAME");
  app.cli.add_option("input", input, "a safetensors file, or a folder with npy files");
  app.cli.add_option("output", output, "what is written");
  add_options(app.cli, model, names);
  return app.run(argc, argv, [&]() -> int {
    require(!action.empty() && !input.empty(), "an action and its input are needed; see --help");
    tools::require_known("action", action, {"summary", "to-npy", "from-npy", "verify", "rename"});
    require(output.empty() || action == "to-npy" || action == "from-npy" || action == "rename",
            [&] { return action + " writes nothing; '" + output + "' is one argument too many"; });
    if (action == "summary") return tools::write_out(summary(input)), 0;
    if (action == "to-npy") return to_npy(input, output), 0;
    if (action == "from-npy") return from_npy(input, output), 0;
    if (action == "rename") return rename(input, output, model, names), 0;
    return verify(input, model);
  });
}
