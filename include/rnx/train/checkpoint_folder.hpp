// Checkpoints that survive a crash at any moment: a folder is written beside, its tensors are read
// back, it is synced and renamed; only then LATEST follows, then the other marks, and only then
// older ones go. One that is found damaged later is passed over for the one before it.
//   ckpt/000123/{model.safetensors, optim.safetensors, state.json}    ckpt/LATEST, ckpt/BEST-clean,
//   ckpt/BEST-pgd: the name of a folder
#pragma once

#include <functional>

#include "rnx/train/checkpoint_state.hpp"

namespace rnx::inline RNX_ISA::train {

/// The checkpoints of one run. Errors: FileError.
class Checkpoints {
 public:
  using Json = nlohmann::ordered_json;

  /// `folder` is made when the first checkpoint is. `keep`: how many of the newest stay, beside
  /// those that a mark names.
  explicit Checkpoints(std::filesystem::path folder, int keep = 2)
      : folder_(std::move(folder)),
        keep_(keep) {
    require<UsageError>(keep > 0, "checkpoints: at least one must be kept");
  }

  std::filesystem::path path(const std::string& name) const { return folder_ / name; }
  /// "000123"
  static std::string name_of(long number) {
    const std::string digits = std::to_string(number);
    return std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits;
  }
  /// The folder that a mark (LATEST, BEST-clean, ...) names, or "" where there is no such mark.
  /// Errors: FileError (a mark that names nothing).
  std::string marked(const std::string& mark) const {
    std::error_code error;
    const std::string name = text_of_mark(mark);
    if (name.empty()) return "";
    require<FileError>(std::filesystem::is_directory(path(name), error), [&] {
      return path(mark).string() + ": it names the checkpoint " + name + ", which is not there";
    });
    return name;
  }

  /// A checkpoint to go on from, and what was found damaged on the way to it.
  struct Newest {
    struct Damaged {
      std::string name, sentence;
    };
    std::string name;  ///< "" where there is none
    std::vector<Damaged> damaged;
  };
  /// The newest checkpoint that is whole: the one that LATEST names, or the next one before it.
  /// Nothing is changed.
  /// Errors: FileError (no whole one is left, or LATEST holds no name).
  Newest newest() const {
    const std::string latest = text_of_mark("LATEST");
    Newest found;
    if (latest.empty()) return found;
    std::vector<std::string> candidates{latest};
    for (const std::string& name : names())
      if (before(name, latest)) candidates.push_back(name);
    for (const std::string& name : candidates) {
      try {
        check(name);
        found.name = name;
        return found;
      } catch (const FileError& e) {
        found.damaged.push_back({name, e.what()});
      }
    }
    throw FileError(found.damaged.front().sentence);
  }
  /// newest(), with the folder put in order where it is not the one that LATEST named: LATEST and
  /// BEST-* name whole checkpoints that are not after it (a mark without one goes), damaged ones
  /// are renamed to NAME.damaged. `told` hears a sentence for each.
  std::string recover(const std::function<void(const std::string&)>& told = {}) const {
    const Newest found = newest();
    if (found.damaged.empty()) return found.name;
    for (const std::string& mark : best_marks()) set_back(mark, found.name);
    io::write_file(path("LATEST"), found.name + "\n");
    for (const auto& [name, sentence] : found.damaged) {
      std::error_code error;
      remove_tree(path(name + ".damaged"));
      std::filesystem::rename(path(name), path(name + ".damaged"), error);  // it may not be there
      if (told) told(sentence + "; the run goes on from the checkpoint before it, " + found.name);
    }
    return found.name;
  }
  /// Errors: FileError (a checkpoint that is not there, not one, or damaged).
  void check(const std::string& name) const {
    const Json json = state(name);
    for (const char* file : detail::files) {
      const std::string found = io::file_checksum(path(name) / file),
                        stored = json.value("checksums", Json::object()).value(file, "");
      require<FileError>(found == stored, [&] {
        return (path(name) / file).string() + ": it is damaged: its checksum is " + found +
               ", written was " + stored;
      });
    }
  }
  /// state.json of a checkpoint.
  Json state(const std::string& name) const {
    const auto file = path(name) / "state.json";
    Json json = Json::parse(io::read_file(file, 16 << 20), nullptr, false);
    const Json found = json.is_object() ? json.value("format", Json()) : Json();
    require<FileError>(found != "rnx checkpoint 1", [&] {
      return file.string() +
             ": it was written by an earlier version of rnx, with other checksums: the run cannot "
             "be resumed, but its model.safetensors can be loaded";
    });
    require<FileError>(found == format, [&] {
      return file.string() + ": expected the state of a checkpoint, found something else";
    });
    const Json stored = std::exchange(json["checksum"], nullptr);
    json.erase("checksum");
    require<FileError>(stored == detail::checksum_of(json), [&] {
      return file.string() + ": it is damaged: its checksum is another one";
    });
    return json;
  }

  /// Writes checkpoint `number` and lets LATEST and `marks` name it. `state`: anything else a
  /// resume needs. Nothing older is touched unless the new one has been read back.
  template <class T, class Device>
  void save(long number, const NetworkBase<T, Device>& net,
            const std::vector<optim::State<T>>& states, Json state,
            const std::vector<std::string>& marks = {}) {
    namespace fs = std::filesystem;
    make_folder(folder_);
    const std::string name = name_of(number);
    const fs::path beside = path(".writing-" + name);
    const Remover remover{beside};  // whatever happens
    remove_tree(beside);
    make_folder(beside);
    io::save_model(beside / "model.safetensors", net);
    detail::write_states<T, Device>(beside / "optim.safetensors", states);
    detail::verify<T, Device>(beside, net, states);
    state["format"] = format;
    state["number"] = number;
    state["marks"] = marks;
    state["numbers"] = Json::object();
    for (const optim::State<T>& s : states)
      if (s.number) state["numbers"][s.name] = *s.number;
    for (const char* file : detail::files)
      state["checksums"][file] = io::file_checksum(beside / file);
    state["checksum"] = detail::checksum_of(state);
    const std::string text = state.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
    io::write_file(beside / "state.json", text);
    // there is one of this number where an epoch was saved before it was scored
    if (marked("LATEST") != name || io::read_file(path(name) / "state.json", 16 << 20) != text) {
      put_in_place(beside, name);
      sync_folder(folder_);
    }
    io::write_file(path("LATEST"), name + "\n");
    set_marks(name, marks);
    clean_up();
  }

  /// Reads a checkpoint into network and states; returns its state.json. Errors: FileError (damage,
  /// another network or optimizer); the network is unchanged then.
  template <class T, class Device>
  Json restore(const std::string& name, NetworkBase<T, Device>& net,
               const std::vector<optim::State<T>>& states) const {
    check(name);
    const Json json = state(name);
    const auto values = detail::tensors_of<T>(path(name), states);
    const Json numbers = detail::numbers_of(json, path(name), states);
    io::load_model(path(name) / "model.safetensors", net);
    set_marks(
        name,
        json.value(
            "marks",
            std::vector<std::string>{}));  // a crash may have come between LATEST and the others
    for (std::size_t i = 0; i < states.size(); ++i)
      if (states[i].number)
        *states[i].number = numbers[states[i].name].template get<std::int64_t>();
      else
        memory<Device>::upload(states[i].data, values[i].data(), states[i].count * sizeof(T));
    return json;
  }

 private:
  static constexpr const char* format = "rnx checkpoint 2";  // 1 had FNV-1a checksums
  struct Remover {
    std::filesystem::path folder;
    ~Remover() { remove_tree(folder); }
  };

  /// What a mark's file says, or "" where there is none. Errors: FileError (it cannot be read, or
  /// holds no name).
  std::string text_of_mark(const std::string& mark) const {
    std::error_code error;
    const auto status = std::filesystem::status(path(mark), error);
    if (status.type() == std::filesystem::file_type::not_found) return "";
    require<FileError>(std::filesystem::exists(status), [&] {
      return path(mark).string() + ": cannot be read: " + error.message();
    });
    const std::string text = io::read_file(path(mark), 4096),
                      name = text.substr(0, text.find('\n'));
    require<FileError>(is_name(name), [&] {
      return path(mark).string() + ": expected the name of a checkpoint, found " +
             io::in_quotes(name);
    });
    return name;
  }
  /// Names are numbers, so that longer ones are later.
  static bool before(const std::string& a, const std::string& b) {
    return std::pair(a.size(), a) < std::pair(b.size(), b);
  }
  /// Every checkpoint's folder, the newest first.
  std::vector<std::string> names() const {
    std::error_code error;
    std::vector<std::string> found;
    for (std::filesystem::directory_iterator entry(folder_, error), end; !error && entry != end;
         entry.increment(error))
      if (const std::string name = entry->path().filename().string(); is_name(name))
        found.push_back(name);
    std::sort(found.begin(), found.end(),
              [](const auto& a, const auto& b) { return before(b, a); });
    return found;
  }
  std::vector<std::string> best_marks() const {
    std::error_code error;
    std::vector<std::string> found;
    for (std::filesystem::directory_iterator entry(folder_, error), end; !error && entry != end;
         entry.increment(error))
      if (const std::string name = entry->path().filename().string(); name.starts_with("BEST-"))
        found.push_back(name);
    return found;
  }
  bool whole(const std::string& name) const {
    try {
      return check(name), true;
    } catch (const FileError&) {
      return false;
    }
  }
  /// Lets a mark name what it named when `last` was written, or nothing.
  void set_back(const std::string& mark, const std::string& last) const {
    try {
      if (const std::string name = text_of_mark(mark); !before(last, name) && whole(name)) return;
    } catch (const FileError&) {}  // it holds no name
    for (const std::string& name : names()) {
      if (before(last, name) || !whole(name)) continue;
      const auto marks = state(name).value("marks", std::vector<std::string>{});
      if (std::find(marks.begin(), marks.end(), mark) != marks.end())
        return io::write_file(path(mark), name + "\n");
    }
    remove_tree(path(mark));
  }
  static bool is_name(const std::string& s) {
    return s.size() >= 6 && s.size() < 20 && s.find_first_not_of("0123456789") == s.npos;
  }
  static void remove_tree(const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::remove_all(folder, error);
  }
  static void require_system(bool fine, const std::filesystem::path& path, const char* what) {
    const int code = errno;
    require<FileError>(
        fine, [&] { return path.string() + ": " + what + ": " + io::detail::reason(code); });
  }
  static void make_folder(const std::filesystem::path& folder) {
    std::error_code made, seen;
    std::filesystem::create_directories(folder, made);
    require<FileError>(std::filesystem::is_directory(folder, seen), [&] {
      return folder.string() + ": the folder cannot be made: " + (made ? made : seen).message();
    });
  }
  /// What a crash between rename and LATEST left under this name goes only when the new folder
  /// stands there.
  void put_in_place(const std::filesystem::path& beside, const std::string& name) const {
    const std::filesystem::path old = path(".writing-old-" + name);
    remove_tree(old);
    const bool moved = ::rename(path(name).c_str(), old.c_str()) == 0;
    if (::rename(beside.c_str(), path(name).c_str()) == 0) return remove_tree(old);
    const int code = errno;
    if (moved) [[maybe_unused]]
      const int back = ::rename(old.c_str(), path(name).c_str());
    errno = code;
    require_system(false, path(name), "cannot be put in its place");
  }
  void set_marks(const std::string& name, const std::vector<std::string>& marks) const {
    for (const std::string& mark : marks) {
      require<FileError>(mark.starts_with("BEST-") && mark.find('/') == mark.npos, [&] {
        return path(name).string() + ": expected marks BEST-..., found " + io::in_quotes(mark);
      });
      io::write_file(path(mark), name + "\n");
    }
  }
  static void sync_folder(const std::filesystem::path& folder) {
    const io::detail::Descriptor d(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    require_system(d.get() >= 0 && (::fsync(d.get()) == 0 || errno == EINVAL), folder,
                   "cannot be synced");
  }
  /// Removes checkpoints that no mark names, but the newest, and what a crash left behind. Files of
  /// the user's are not ours to judge.
  void clean_up() const {
    namespace fs = std::filesystem;
    std::error_code error;
    std::vector<std::string> names, named;
    for (fs::directory_iterator entry(folder_, error), end; !error && entry != end;
         entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      if (is_name(name))
        names.push_back(name);
      else if (name.starts_with(".writing-") ||
               (name.starts_with(".rnx-") && name.ends_with(".tmp")))
        remove_tree(entry->path());
      else if (name == "LATEST" || name.starts_with("BEST-")) {
        try {
          named.push_back(marked(name));
        } catch (const FileError&) {}  // it names nothing that could be removed
      }
    }
    if (error) return;  // an incomplete list must remove nothing
    std::sort(names.begin(), names.end(),
              [](const auto& a, const auto& b) { return before(b, a); });
    for (std::size_t i = keep_; i < names.size(); ++i)
      if (std::find(named.begin(), named.end(), names[i]) == named.end())
        remove_tree(path(names[i]));
  }

  std::filesystem::path folder_;
  int keep_;
};

}  // namespace rnx::inline RNX_ISA::train
