// Networks as safetensors files with PyTorch's names, both ways: a torch state dict loads, ours
// loads in torch with strict=True. The metadata carries the model's name and a self-test: the
// logits of one stated input, computed again on load.
#pragma once

#include <cmath>
#include <set>

#include "rnx/core/text.hpp"
#include "rnx/io/safetensors.hpp"
#include "rnx/network.hpp"

namespace rnx::inline RNX_ABI::io {

/// Eval-mode logits of one sample of uniform noise with this seed.
template <class T, class Device>
std::vector<T> self_test_logits(const NetworkBase<T, Device>& net, std::uint64_t seed) {
  std::vector<T> noise(net.input_dims().count());
  const rng::Stream random(seed, Purpose::test);
  for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = T(random.uniform(i));
  const auto x = Tensor<T, Device>::from_nchw(1, net.input_dims(), noise);
  auto trace = net.make_trace({.use = Use::infer, .capacity = 1});
  return to_host(net.forward(trace, x.view(), {}));
}

/// The logits of the self-test as metadata have them.
template <class T, class Device> std::string self_test_text(const NetworkBase<T, Device>& net) {
  std::string logits;
  for (const T v : self_test_logits(net, 1))
    logits += (logits.empty() ? "" : " ") + number_text(double(v));
  return logits;
}

namespace detail {
/// Errors: UsageError (a packed network).
inline void require_numbers(const Graph& graph, const char* who) {
  require(!holds_bits(graph), [&] {
    return std::string(who) +
           ": a packed network has its own files: deploy::save and deploy::load (rnx/deploy.hpp)";
  });
}
/// "3 1": what a network was told, as metadata have it.
inline std::string bits_text(const quant::Bits& bits) {
  return std::to_string(bits.weights) + " " + std::to_string(bits.activations);
}
/// Errors: FileError (weights of a network that was told other bits).
inline void require_bits(const SafetensorsFile& file, const quant::Bits& bits) {
  const auto said = file.metadata().find("rnx.bits");
  const bool same =
      bits == quant::Bits{} || said == file.metadata().end() || said->second == bits_text(bits);
  require<FileError>(same, [&] {
    return file.what() +
           ": expected the weights of a network that was told its bits (weights, activations) " +
           bits_text(bits) + ", found " + said->second;
  });
}
}  // namespace detail

/// Writes parameters, then buffers, atomically: an existing file is replaced only by a whole new
/// one.
/// Errors: FileError (the disk), NumericError (a parameter that is not finite), UsageError (a
/// packed network).
template <class T, class Device>
void save_model(const std::filesystem::path& path, const NetworkBase<T, Device>& net,
                Metadata metadata = {}) {
  detail::require_numbers(net.graph(), "save_model");
  std::vector<std::vector<T>> values;
  std::vector<OutTensor> out;
  const auto add = [&](const auto& p) {
    values.emplace_back(p.count);
    memory<Device>::download(values.back().data(), p.value, p.count * sizeof(T));
    for (const T v : values.back())
      require<NumericError>(std::isfinite(v), [&] {
        return "save: " + in_quotes(p.name) +
               " holds a value that is not finite; nothing was written";
      });
    out.push_back({p.name, sizeof(T) == 8 ? Dtype::F64 : Dtype::F32,
                   std::vector<std::size_t>(p.shape.begin(), p.shape.end()), nullptr});
  };
  net.visit(add);
  net.visit_buffers(add);
  for (std::size_t i = 0; i < out.size(); ++i) out[i].data = values[i].data();
  if (net.graph().bits != quant::Bits{})
    metadata.emplace("rnx.bits", detail::bits_text(net.graph().bits));
  metadata.emplace("format", "pt");
  metadata.emplace("rnx.self_test.seed", "1");
  metadata.emplace("rnx.self_test.logits", self_test_text(net));
  write_safetensors(path, out, metadata);
}

/// Parts of a file's names, between dots, that the network calls otherwise: {"linear", "fc"} takes
/// "module.linear.weight" as "module.fc.weight".
struct Renaming {
  std::string from, to;
};

/// Names in the model zoo of RobustBench that are others here: its ResNets', and the normalisation
/// of networks that have one.
inline std::vector<Renaming> robustbench_names() {
  return {{"mu", "normalize.mean"},
          {"sigma", "normalize.std"},
          {"shortcut", "downsample"},
          {"linear", "fc"}};
}

/// What a file need not have.
struct LoadOptions {
  /// names, behind the file's prefix, that are not loaded: the network keeps its own, and whether
  /// the file has them, and in which shape, does not matter ("fc.*": another number of classes)
  Patterns except{};
  /// a file without normalize.mean and normalize.std leaves the network's own as they are
  bool keep_normalization = false;
  /// of names that the network has not
  std::vector<Renaming> renamings{};
};

/// What a file had and had not.
struct Loaded {
  std::string prefix{};  ///< that every name began with and that was taken off, like "module."
  bool kept_normalization = false;  ///< there was none in the file: the network's own stayed
  bool self_tested = false;         ///< the file's self-test was there and passed
  /// names of the network, then of the file alone, that LoadOptions::except left out
  std::vector<std::string> skipped{};
  Metadata metadata{};
};

namespace detail {

/// Counters of PyTorch's that no forward reads.
inline bool is_counter(std::string_view name) {
  return name.ends_with("num_batches_tracked") || name == "n_averaged";
}
inline bool is_normalization(std::string_view name) {
  return name == "normalize.mean" || name == "normalize.std";
}

/// What all names of a file begin with, up to a dot, and behind which each is one of the network's:
/// DataParallel's "module.", torch.compile's "_orig_mod.", the attribute of a wrapper, or several
/// of them. "" where there is nothing of the kind.
inline std::string common_prefix(const SafetensorsFile& file,
                                 const std::set<std::string_view>& known, const Patterns& except) {
  std::string prefix;
  for (bool first = true; const Entry& e : file.entries()) {
    if (e.name == "n_averaged") continue;
    if (std::exchange(first, false)) prefix = e.name;
    const auto end =
        std::mismatch(prefix.begin(), prefix.end(), e.name.begin(), e.name.end()).first;
    prefix.resize(std::size_t(end - prefix.begin()));
  }
  const auto is_name = [&](std::string_view name) {
    return is_counter(name) || known.contains(name) || except.match(name);
  };
  const auto plain = [&](const Entry& e) { return is_name(e.name); };
  if (std::all_of(file.entries().begin(), file.entries().end(), plain)) return {};
  for (std::size_t dot = prefix.find('.'); dot != prefix.npos; dot = prefix.find('.', dot + 1)) {
    const auto fits = [&](const Entry& e) {
      return is_counter(e.name) || is_name(std::string_view(e.name).substr(dot + 1));
    };
    if (std::all_of(file.entries().begin(), file.entries().end(), fits))
      return prefix.substr(0, dot + 1);
  }
  return {};
}

/// A name with parts renamed, one renaming after the other; one that the network has, behind
/// whatever prefix, stays.
inline std::string renamed(const std::string& name, const std::set<std::string_view>& known,
                           const std::vector<Renaming>& renamings) {
  for (std::size_t at = 0; at != std::string::npos; at = name.find('.', at + 1))
    if (known.contains(std::string_view(name).substr(at ? at + 1 : 0))) return name;
  std::string dotted = "." + name + ".";
  for (const Renaming& r : renamings) {
    const std::string from = "." + r.from + ".", to = "." + r.to + ".";
    for (std::size_t at = 0; (at = dotted.find(from, at)) != std::string::npos; at += to.size() - 1)
      dotted.replace(at, from.size(), to);
  }
  return dotted.substr(1, dotted.size() - 2);
}

/// Whether a tensor of the file has the network's shape; those of a normalisation also with dims of
/// 1, as (1, 3, 1, 1).
template <class Shape> bool has_shape(const Entry& e, const Shape& shape, std::string_view name) {
  std::vector<std::size_t> found = e.shape, wanted(shape.begin(), shape.end());
  if (is_normalization(name))
    for (auto* dims : {&found, &wanted}) std::erase(*dims, std::size_t(1));
  return found == wanted;
}

/// Names that do not fit, of which a sentence shows the first four.
struct Listed {
  std::string names;
  int count = 0;
  void add(const std::string& name) {
    if (++count <= 4)
      names += (names.empty() ? "" : ", ") + name;
    else if (count == 5)
      names += ", ...";
  }
  std::string text(const char* what) const {
    return count ? std::string(" ") + what + " " + std::to_string(count) + " (" + names + ");" : "";
  }
};

/// Values that a network can compute with. Errors: FileError.
template <class T>
void require_sound(const SafetensorsFile& file, const Entry& e, const std::vector<T>& values) {
  const bool variance = e.name.ends_with("running_var"),
             deviation = e.name.ends_with("normalize.std");
  for (std::size_t i = 0; i < values.size(); ++i) {
    const T v = values[i];
    const bool sound = std::isfinite(v) && !(variance && v < 0) && !(deviation && v <= 0);
    require<FileError>(sound, [&] {
      const char* expected = !std::isfinite(v) ? "finite values"
                             : variance        ? "variances, which are not negative"
                                               : "deviations above 0";
      return file.what() + ": tensor " + in_quotes(e.name) + ": expected " + expected + ", found " +
             number_text(double(v)) + " at element " + std::to_string(i);
    });
  }
}

/// How far logits may be from those of the weights before they were rounded to the file's types, as
/// a part of their norm. Each layer's rounding adds up along the network; another network's logits
/// are as far as their norm.
inline double self_test_tolerance(const SafetensorsFile& file) {
  double unit = 0;  // of the last place of a number near 1, halved
  for (const Entry& e : file.entries()) {
    if (e.dtype == Dtype::F16) unit = std::max(unit, 0x1p-11);
    if (e.dtype == Dtype::BF16) unit = std::max(unit, 0x1p-8);
  }
  return std::max(1e-3, 32 * unit);
}

/// Whether the file has a self-test. Errors: FileError, if it fails.
template <class T, class Device>
bool self_test(const SafetensorsFile& file, const NetworkBase<T, Device>& net) {
  const auto seed_text = file.metadata().find("rnx.self_test.seed"),
             stored = file.metadata().find("rnx.self_test.logits");
  if (seed_text == file.metadata().end() || stored == file.metadata().end()) return false;
  std::uint64_t seed = 0;
  std::string_view seed_rest = seed_text->second, rest = stored->second;
  require<FileError>(stored->second.find(',') == stored->second.npos, [&] {
    return file.what() +
           ": the logits of the self-test have decimal commas, as old versions wrote them under "
           "some locales: expected points, found " +
           in_quotes(rest.substr(0, 24)) +
           "; save the file again under LC_ALL=C with the version that wrote it";
  });
  bool passed = take_number(seed_rest, seed);
  double worst = 0, norm = 0;
  for (const T v : self_test_logits(net, seed)) {
    double expected = 0;
    passed = passed && take_number(rest, expected) && std::isfinite(v);
    worst = std::max(worst, std::abs(expected - double(v)));
    norm += expected * expected;
  }
  require<FileError>(passed && worst <= self_test_tolerance(file) * std::sqrt(norm) + 1e-6, [&] {
    return file.what() +
           ": the self-test failed: the logits of its stated input differ from those stored, so "
           "this network computes something else";
  });
  return true;
}

template <class Shape> std::string shape_text(const Shape& shape) {
  std::string s = "(";
  for (const auto d : shape) s += (s.size() > 1 ? ", " : "") + std::to_string(d);
  return s + ")";
}

template <class T, class Device>
std::set<std::string_view> known_names(const NetworkBase<T, Device>& net) {
  std::set<std::string_view> known;
  for (const auto* list : {&net.graph().parameters, &net.graph().buffers})
    for (const auto& p : *list) known.insert(p.name);
  return known;
}

/// What the exceptions leave out: names of the network, then of the file alone. Errors: NameError,
/// where one matches neither.
template <class T, class Device>
std::vector<std::string> skipped(const SafetensorsFile& file, const NetworkBase<T, Device>& net,
                                 const std::set<std::string_view>& known, const Patterns& except,
                                 const std::string& prefix) {
  std::vector<std::string> names;
  for (const auto* list : {&net.graph().parameters, &net.graph().buffers})
    for (const auto& p : *list)
      if (except.match(p.name)) names.push_back(p.name);
  for (const Entry& e : file.entries()) {
    if (is_counter(e.name)) continue;
    const std::string name = e.name.substr(prefix.size());
    if (!known.contains(name) && except.match(name)) names.push_back(name);
  }
  for (const std::string& glob : except.globs) {
    const auto matched = [&](const std::string& name) { return matches(glob, name); };
    require<NameError>(std::any_of(names.begin(), names.end(), matched), [&] {
      return file.what() +
             ": neither the network nor the file has a name that matches the exception " +
             in_quotes(glob);
    });
  }
  return names;
}

/// The entries of those of the network's names that fit, and what the file had and had not; what is
/// skipped may be among them. Errors: FileError, NameError.
template <class T, class Device>
std::map<std::string, const Entry*> matched(const SafetensorsFile& file,
                                            const NetworkBase<T, Device>& net,
                                            const LoadOptions& options, Loaded& loaded) {
  const std::set<std::string_view> known = known_names(net);
  loaded.prefix = common_prefix(file, known, options.except);
  loaded.skipped = skipped(file, net, known, options.except, loaded.prefix);
  Listed missing, unexpected, misshaped;
  int normalization = 0;
  std::map<std::string, const Entry*> fitting;
  for (const auto* list : {&net.graph().parameters, &net.graph().buffers})
    for (const auto& p : *list) {
      const Entry* e = file.find(loaded.prefix + p.name);
      if (!e) {
        if (options.except.match(p.name)) continue;
        missing.add(p.name);
        normalization += is_normalization(p.name);
      } else if (has_shape(*e, p.shape, p.name))
        fitting[p.name] = e;
      else if (!options.except.match(p.name))
        misshaped.add(p.name + " is " + shape_text(e->shape) + " where " + shape_text(p.shape) +
                      " is expected");
    }
  for (const Entry& e : file.entries()) {
    if (is_counter(e.name)) continue;
    const std::string_view name = std::string_view(e.name).substr(loaded.prefix.size());
    if (!known.contains(name) && !options.except.match(name)) unexpected.add(e.name);
  }
  if (normalization == 2 && missing.count == 2 && unexpected.count + misshaped.count == 0) {
    require<FileError>(options.keep_normalization, [&] {
      return file.what() +
             ": expected normalize.mean and normalize.std, the mean and deviation of the images' "
             "channels that the network applies itself, found " +
             "neither, as in most weights from PyTorch: set them in the network and load with "
             "LoadOptions::keep_normalization (rnx-eval: --mean and --std)";
    });
    loaded.kept_normalization = true;
    return fitting;
  }
  require<FileError>(missing.count + unexpected.count + misshaped.count == 0, [&] {
    std::string s = file.what() + ": these weights belong to another network;" +
                    missing.text("missing") + unexpected.text("unexpected") +
                    misshaped.text("of another shape");
    s.back() = '.';
    return s;
  });
  return fitting;
}

}  // namespace detail

/// Reads every parameter and buffer of the network, into a copy that is tested and then taken over
/// as a whole. Names are strict, but for a prefix that all have (Loaded::prefix) and for what
/// LoadOptions::except leaves out (Loaded::skipped); `num_batches_tracked` and `n_averaged` are
/// ignored. The self-test is made where the file has all that the network computes with, before
/// anything is left out; its tolerance is wider for half precisions.
///   const io::Loaded loaded = io::load_model("resnet.safetensors", net, {.except = "fc.*"});
/// Published weights of RobustBench, whose unused sub_block1 some wide ResNets have:
///   io::load_model("wrn.safetensors", net,
///                  {.except = "sub_block1.*", .renamings = io::robustbench_names()});
/// Errors: NameError (an exception that matches no name), FileError (missing, unexpected and
/// mis-shaped names, values that are not finite, a negative variance, a self-test that fails, other
/// bits than the network was told, a file of another format); the network is unchanged then.
template <class T, class Device>
Loaded load_model(const std::filesystem::path& path, NetworkBase<T, Device>& net,
                  const LoadOptions& options = {}) {
  detail::require_numbers(std::as_const(net).graph(), "load_model");
  SafetensorsFile file = SafetensorsFile::read(path);
  if (!options.renamings.empty()) {
    const auto known = detail::known_names(std::as_const(net));
    file.rename(
        [&](const std::string& name) { return detail::renamed(name, known, options.renamings); });
  }
  Loaded loaded{.metadata = file.metadata()};
  const auto entries = detail::matched(file, std::as_const(net), options, loaded);
  detail::require_bits(file, net.graph().bits);
  const auto is_whole = [&] {  // and so computes what was tested
    return entries.size() == net.graph().parameters.size() + net.graph().buffers.size();
  };
  const auto copy = net.clone();
  for (const auto& [name, entry] : entries) {
    const std::vector<T> values = file.template values<T>(*entry);
    detail::require_sound(file, *entry, values);
    copy->set(name, values);
  }
  if (is_whole()) loaded.self_tested = detail::self_test(file, std::as_const(*copy));
  for (const auto& [name, entry] : entries)
    if (options.except.match(name)) copy->set(name, net.get(name).values);
  net.assign_values(*copy);
  return loaded;
}

}  // namespace rnx::inline RNX_ABI::io
