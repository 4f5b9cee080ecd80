// Checkpoints that survive a crash at any moment: a folder is written beside, its tensors are read back, it is synced and renamed; only then
// LATEST follows, then the other marks, and only then older ones go.
//   ckpt/000123/{model.safetensors, optim.safetensors, state.json}    ckpt/LATEST, ckpt/BEST-clean, ckpt/BEST-pgd: the name of a folder
#pragma once

#include <cstring>

#include <nlohmann/json.hpp>

#include "rnx/io.hpp"
#include "rnx/train/store.hpp"

namespace rnx::inline RNX_ISA::train {

/// "batch was 128 and is 64", or "" where two configurations are equal.
inline std::string first_difference(const nlohmann::ordered_json& stored, const nlohmann::ordered_json& now) {
  if (stored == now) return "";
  if (stored.is_object() && now.is_object()) {
    for (const auto& [key, value] : now.items()) {
      const auto it = stored.find(key);
      if (it == stored.end()) return key + " was not set and is " + value.dump();
      if (*it != value) return key + " was " + it->dump() + " and is " + value.dump();
    }
    for (const auto& [key, value] : stored.items())
      if (!now.contains(key)) return key + " was " + value.dump() + " and is not set";
  }
  return "it was " + stored.dump() + " and is " + now.dump();
}

/// The checkpoints of one run. Errors: FileError.
class Checkpoints {
 public:
  using Json = nlohmann::ordered_json;

  /// `folder` is made when the first checkpoint is. `keep`: how many of the newest stay, beside those that a mark names.
  explicit Checkpoints(std::filesystem::path folder, int keep = 2) : folder_(std::move(folder)), keep_(keep) {
    require<UsageError>(keep > 0, "checkpoints: at least one must be kept");
  }

  std::filesystem::path path(const std::string& name) const { return folder_ / name; }
  /// "000123"
  static std::string name_of(long number) {
    const std::string digits = std::to_string(number);
    return std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits;
  }
  /// The folder that a mark (LATEST, BEST-clean, ...) names, or "" where there is no such mark. Errors: FileError (a mark that names nothing).
  std::string marked(const std::string& mark) const {
    std::error_code error;
    const auto status = std::filesystem::status(path(mark), error);
    if (status.type() == std::filesystem::file_type::not_found) return "";
    require<FileError>(std::filesystem::exists(status), [&] { return path(mark).string() + ": cannot be read: " + error.message(); });
    const std::string text = io::read_file(path(mark), 4096), name = text.substr(0, text.find('\n'));
    require<FileError>(is_name(name), [&] { return path(mark).string() + ": expected the name of a checkpoint, found " + io::in_quotes(name); });
    require<FileError>(std::filesystem::is_directory(path(name), error), [&] { return path(mark).string() + ": it names the checkpoint " + name + ", which is not there"; });
    return name;
  }
  /// state.json of a checkpoint.
  Json state(const std::string& name) const {
    const auto file = path(name) / "state.json";
    Json json = Json::parse(io::read_file(file, 16 << 20), nullptr, false);
    require<FileError>(json.is_object() && json.contains("format") && json["format"] == format, [&] { return file.string() + ": expected the state of a checkpoint, found something else"; });
    const Json stored = std::exchange(json["checksum"], nullptr);
    json.erase("checksum");
    require<FileError>(stored == checksum_of(json), [&] { return file.string() + ": it is damaged: its checksum is another one"; });
    return json;
  }

  /// Writes checkpoint `number` and lets LATEST and `marks` name it. `state`: anything else a resume needs. Nothing older is touched
  /// unless the new one has been read back.
  template <class T, class Device>
  void save(long number, const NetworkBase<T, Device>& net, const std::vector<optim::State<T>>& states, Json state, const std::vector<std::string>& marks = {}) {
    namespace fs = std::filesystem;
    make_folder(folder_);
    const std::string name = name_of(number);
    const fs::path beside = path(".writing-" + name);
    const Remover remover{beside};  // whatever happens
    remove_tree(beside);
    make_folder(beside);
    io::save_model(beside / "model.safetensors", net);
    write_states<T, Device>(beside / "optim.safetensors", states);
    verify<T, Device>(beside, net, states);
    state["format"] = format, state["number"] = number, state["marks"] = marks;
    for (const char* file : files) state["checksums"][file] = checksum_of(beside / file);
    state["checksum"] = checksum_of(state);
    io::write_file(beside / "state.json", state.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    if (marked("LATEST") != name) {
      put_in_place(beside, name);
      sync_folder(folder_);
    }
    io::write_file(path("LATEST"), name + "\n");
    set_marks(name, marks);
    clean_up();
  }

  /// Reads a checkpoint into network and states; returns its state.json. Errors: FileError (damage, another network or optimizer); the
  /// network is unchanged then.
  template <class T, class Device>
  Json restore(const std::string& name, NetworkBase<T, Device>& net, const std::vector<optim::State<T>>& states) const {
    const Json json = state(name);
    for (const char* file : files) {
      const std::string found = checksum_of(path(name) / file), stored = json.value("checksums", Json::object()).value(file, "");
      require<FileError>(found == stored, [&] { return (path(name) / file).string() + ": it is damaged: its checksum is " + found + ", written was " + stored; });
    }
    const auto file = io::SafetensorsFile::read(path(name) / "optim.safetensors");
    const auto other = [&](const std::string& what) { return (path(name) / "optim.safetensors").string() + ": it belongs to another optimizer or objective: " + what; };
    require<FileError>(file.entries().size() == states.size(), [&] { return other(std::to_string(file.entries().size()) + " tensors where " + std::to_string(states.size()) + " are expected"); });
    std::vector<std::vector<T>> values;
    for (const optim::State<T>& s : states) {
      const io::Entry* e = file.find(s.name);
      require<FileError>(e != nullptr, [&] { return other(s.name + " is missing"); });
      values.push_back(file.template values<T>(*e));
      require<FileError>(values.back().size() == s.count, [&] { return other(s.name + " has another size"); });
    }
    io::load_model(path(name) / "model.safetensors", net);
    set_marks(name, json.value("marks", std::vector<std::string>{}));  // a crash may have come between LATEST and the others
    for (std::size_t i = 0; i < states.size(); ++i) memory<Device>::upload(states[i].data, values[i].data(), states[i].count * sizeof(T));
    return json;
  }

 private:
  static constexpr const char* format = "rnx checkpoint 1";
  static constexpr const char* files[] = {"model.safetensors", "optim.safetensors"};
  struct Remover {
    std::filesystem::path folder;
    ~Remover() { remove_tree(folder); }
  };

  static bool is_name(const std::string& s) { return s.size() >= 6 && s.size() < 20 && s.find_first_not_of("0123456789") == s.npos; }
  static void remove_tree(const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::remove_all(folder, error);
  }
  static void require_system(bool fine, const std::filesystem::path& path, const char* what) {
    const int code = errno;
    require<FileError>(fine, [&] { return path.string() + ": " + what + ": " + io::detail::reason(code); });
  }
  static void make_folder(const std::filesystem::path& folder) {
    std::error_code made, seen;
    std::filesystem::create_directories(folder, made);
    require<FileError>(std::filesystem::is_directory(folder, seen), [&] { return folder.string() + ": the folder cannot be made: " + (made ? made : seen).message(); });
  }
  /// What a crash between rename and LATEST left under this name goes only when the new folder stands there.
  void put_in_place(const std::filesystem::path& beside, const std::string& name) const {
    const std::filesystem::path old = path(".writing-old-" + name);
    remove_tree(old);
    const bool moved = ::rename(path(name).c_str(), old.c_str()) == 0;
    if (::rename(beside.c_str(), path(name).c_str()) == 0) return remove_tree(old);
    const int code = errno;
    if (moved) [[maybe_unused]] const int back = ::rename(old.c_str(), path(name).c_str());
    errno = code;
    require_system(false, path(name), "cannot be put in its place");
  }
  void set_marks(const std::string& name, const std::vector<std::string>& marks) const {
    for (const std::string& mark : marks) {
      require<FileError>(mark.starts_with("BEST-") && mark.find('/') == mark.npos, [&] { return path(name).string() + ": expected marks BEST-..., found " + io::in_quotes(mark); });
      io::write_file(path(mark), name + "\n");
    }
  }
  static void sync_folder(const std::filesystem::path& folder) {
    const io::detail::Descriptor d(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    require_system(d.get() >= 0 && (::fsync(d.get()) == 0 || errno == EINVAL), folder, "cannot be synced");
  }
  static std::string checksum_of(const std::filesystem::path& path) {
    const std::string bytes = io::read_file(path, UINT64_MAX);
    return io::hexadecimal(io::checksum(bytes.data(), bytes.size()));
  }
  static std::string checksum_of(const Json& state) {
    const std::string text = state.dump(-1, ' ', false, Json::error_handler_t::replace);
    return io::hexadecimal(io::checksum(text.data(), text.size()));
  }
  template <class T, class Device>
  static std::vector<T> on_host(const T* from, std::size_t count) {
    std::vector<T> v(count);
    memory<Device>::download(v.data(), from, count * sizeof(T));
    return v;
  }
  template <class T, class Device>
  static void write_states(const std::filesystem::path& path, const std::vector<optim::State<T>>& states) {
    std::vector<std::vector<T>> values;
    std::vector<io::OutTensor> out;
    for (const optim::State<T>& s : states) {
      values.push_back(on_host<T, Device>(s.data, s.count));
      out.push_back({s.name, sizeof(T) == 8 ? io::Dtype::F64 : io::Dtype::F32, std::vector<std::size_t>(s.shape.begin(), s.shape.end()), values.back().data()});
    }
    io::write_safetensors(path, out, {});
  }
  /// What was written is what memory holds, bit for bit.
  template <class T, class Device>
  static void verify(const std::filesystem::path& folder, const NetworkBase<T, Device>& net, const std::vector<optim::State<T>>& states) {
    const auto compare = [&](const io::SafetensorsFile& file, const char* name, const std::string& tensor, const T* from, std::size_t count) {
      const std::vector<T> held = on_host<T, Device>(from, count);
      const io::Entry* e = file.find(tensor);
      const bool equal = e && file.bytes(*e).size() == count * sizeof(T) && (count == 0 || std::memcmp(file.bytes(*e).data(), held.data(), count * sizeof(T)) == 0);
      require<FileError>(equal, [&] { return (folder / name).string() + ": read back, it does not hold what was written (" + tensor + ")"; });
    };
    const auto model = io::SafetensorsFile::read(folder / files[0]), optimizer = io::SafetensorsFile::read(folder / files[1]);
    const auto each = [&](const auto& p) { compare(model, files[0], p.name, p.value, p.count); };
    net.visit(each);
    net.visit_buffers(each);
    for (const optim::State<T>& s : states) compare(optimizer, files[1], s.name, s.data, s.count);
  }
  /// Removes checkpoints that no mark names, but the newest, and what a crash left behind. Files of the user's are not ours to judge.
  void clean_up() const {
    namespace fs = std::filesystem;
    std::error_code error;
    std::vector<std::string> names, named;
    for (fs::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      if (is_name(name)) names.push_back(name);
      else if (name.starts_with(".writing-") || (name.starts_with(".rnx-") && name.ends_with(".tmp"))) remove_tree(entry->path());
      else if (name == "LATEST" || name.starts_with("BEST-")) {
        try {
          named.push_back(marked(name));
        } catch (const FileError&) {}  // it names nothing that could be removed
      }
    }
    if (error) return;  // an incomplete list must remove nothing
    std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) { return std::pair(a.size(), a) > std::pair(b.size(), b); });
    for (std::size_t i = keep_; i < names.size(); ++i)
      if (std::find(named.begin(), named.end(), names[i]) == named.end()) remove_tree(path(names[i]));
  }

  std::filesystem::path folder_;
  int keep_;
};

/// Checkpoints as the store of fit. `configuration`: what the run is; it is kept with each checkpoint, and a resume with another one is refused.
template <class Device = cpu>
class CheckpointStore final : public Store<Device> {
 public:
  using typename Store<Device>::Net, typename Store<Device>::States;
  using Json = Checkpoints::Json;

  explicit CheckpointStore(Checkpoints& checkpoints, Json configuration = nullptr) : checkpoints_(checkpoints), configuration_(std::move(configuration)) {}

  std::optional<Position> restore(Net& net, const States& states) override {
    const std::string name = checkpoints_.marked("LATEST");
    if (name.empty()) return {};
    const std::string where = checkpoints_.path(name).string();
    try {
      const Json state = checkpoints_.state(name);
      const std::string difference = first_difference(state.value("configuration", Json()), configuration_);
      require<UsageError>(difference.empty(), [&] { return where + " is a checkpoint of another configuration: " + difference; });
      Position p{.done = state.at("done"), .epoch = state.at("epoch"), .step = state.at("step"), .samples = state.at("samples"), .right = state.at("right"), .loss_sum = state.at("loss_sum"), .best = {}};
      if (state.contains("best_clean")) p.best.clean = state["best_clean"].template get<double>();
      if (state.contains("best_pgd")) p.best.pgd = state["best_pgd"].template get<double>();
      checkpoints_.restore(name, net, states);
      return p;
    } catch (const Json::exception& e) {
      throw FileError(where + ": it is damaged: " + e.what());
    }
  }
  void save(const Position& p, const Net& net, const States& states, const std::vector<std::string>& marks) override {
    Json state{{"done", p.done}, {"epoch", p.epoch}, {"step", p.step}, {"samples", p.samples}, {"right", p.right}, {"loss_sum", p.loss_sum}, {"configuration", configuration_}};
    if (p.best.clean) state["best_clean"] = *p.best.clean;
    if (p.best.pgd) state["best_pgd"] = *p.best.pgd;
    checkpoints_.save(p.done, net, states, std::move(state), marks);
  }

 private:
  Checkpoints& checkpoints_;
  Json configuration_;
};

}  // namespace rnx::inline RNX_ISA::train
