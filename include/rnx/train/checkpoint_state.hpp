// What a checkpoint's folder holds beside the model: the tensors and numbers of optimizer,
// objective and callbacks, and the checksums that find damage.
#pragma once

#include <cstring>
#include <set>

#include <nlohmann/json.hpp>

#include "rnx/core/checksum.hpp"
#include "rnx/io.hpp"
#include "rnx/io/file_checksum.hpp"
#include "rnx/train/state.hpp"
#include "rnx/train/store.hpp"

namespace rnx::inline RNX_ISA::train {

/// "batch was 128 and is 64", or "" where two configurations are equal.
inline std::string first_difference(const nlohmann::ordered_json& stored,
                                    const nlohmann::ordered_json& now) {
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

namespace detail {

/// The files of a checkpoint whose checksums state.json holds.
inline constexpr const char* files[] = {"model.safetensors", "optim.safetensors"};

/// The tensors of a checkpoint that belong to `states`, one list for each. Errors: FileError
/// (another optimizer, objective or callback).
template <class T>
std::vector<std::vector<T>> tensors_of(const std::filesystem::path& folder,
                                       const std::vector<optim::State<T>>& states) {
  const auto file = io::SafetensorsFile::read(folder / files[1]);
  const auto fits = [&](bool fine, const std::string& tensor, const char* how) {
    require<FileError>(fine, [&] {
      return (folder / files[1]).string() +
             ": it belongs to another optimizer, objective or callback: " + tensor + how;
    });
  };
  std::set<std::string> expected;
  std::vector<std::vector<T>> values;
  for (const optim::State<T>& s : states) {
    values.emplace_back();
    if (s.number) continue;
    expected.insert(s.name);
    const io::Entry* e = file.find(s.name);
    fits(e != nullptr, s.name, " is missing");
    values.back() = file.template values<T>(*e);
    fits(values.back().size() == s.count, s.name, " has another size");
  }
  for (const io::Entry& e : file.entries())
    fits(expected.contains(e.name), e.name, " is not expected");
  return values;
}
/// The same for the numbers in state.json.
template <class T>
nlohmann::ordered_json numbers_of(const nlohmann::ordered_json& json,
                                  const std::filesystem::path& folder,
                                  const std::vector<optim::State<T>>& states) {
  const auto fits = [&](bool fine, const std::string& number, const char* how) {
    require<FileError>(fine, [&] {
      return (folder / "state.json").string() +
             ": it belongs to another optimizer, objective or callback: the number " + number + how;
    });
  };
  const nlohmann::ordered_json numbers = json.value("numbers", nlohmann::ordered_json::object());
  std::set<std::string> expected;
  for (const optim::State<T>& s : states) {
    if (!s.number) continue;
    expected.insert(s.name);
    fits(numbers.contains(s.name) && numbers[s.name].is_number_integer(), s.name, " is missing");
  }
  for (const auto& [number, value] : numbers.items())
    fits(expected.contains(number), number, " is not expected");
  return numbers;
}

inline std::string checksum_of(const nlohmann::ordered_json& state) {
  return Checksum()
      .add(state.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace))
      .text();
}
template <class T, class Device>
void write_states(const std::filesystem::path& path, const std::vector<optim::State<T>>& states) {
  std::vector<std::vector<T>> values;
  std::vector<io::OutTensor> out;
  for (const optim::State<T>& s : states) {
    if (s.number) continue;
    values.push_back(on_host<T, Device>(s.data, s.count));
    out.push_back({s.name, sizeof(T) == 8 ? io::Dtype::F64 : io::Dtype::F32,
                   std::vector<std::size_t>(s.shape.begin(), s.shape.end()), values.back().data()});
  }
  io::write_safetensors(path, out, {});
}
/// What was written is what memory holds, bit for bit.
template <class T, class Device>
void verify(const std::filesystem::path& folder, const NetworkBase<T, Device>& net,
            const std::vector<optim::State<T>>& states) {
  const auto compare = [&](const io::SafetensorsFile& file, const char* name,
                           const std::string& tensor, const T* from, std::size_t count) {
    const std::vector<T> held = on_host<T, Device>(from, count);
    const io::Entry* e = file.find(tensor);
    const bool equal =
        e && file.bytes(*e).size() == count * sizeof(T) &&
        (count == 0 || std::memcmp(file.bytes(*e).data(), held.data(), count * sizeof(T)) == 0);
    require<FileError>(equal, [&] {
      return (folder / name).string() + ": read back, it does not hold what was written (" +
             tensor + ")";
    });
  };
  const auto model = io::SafetensorsFile::read(folder / files[0]),
             optimizer = io::SafetensorsFile::read(folder / files[1]);
  const auto each = [&](const auto& p) { compare(model, files[0], p.name, p.value, p.count); };
  net.visit(each);
  net.visit_buffers(each);
  for (const optim::State<T>& s : states)
    if (!s.number) compare(optimizer, files[1], s.name, s.data, s.count);
}

}  // namespace detail

}  // namespace rnx::inline RNX_ISA::train
