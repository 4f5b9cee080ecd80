// The rules that the headers keep: order of the rooms, length, umbrellas, what may be included at
// all.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;

// A header includes only rooms that stand before its own.
constexpr std::array<std::string_view, 22> rooms{
    "core", "device", "tensor", "kernels",   "quant",  "layers", "compose", "network",
    "cost", "models", "loss",   "optim",     "io",     "data",   "attack",  "distill",
    "eval", "train",  "report", "linearize", "search", "deploy"};
// may include every room, no room includes them
constexpr std::array<std::string_view, 6> tops{"net.hpp",  "rnx.hpp",  "compiled.hpp",
                                               "cuda.hpp", "cuda.cuh", "loopback.hpp"};
constexpr std::array<std::string_view, 2> bases{
    "config.hpp", "fwd.hpp"};  // include no room, every room may include it
constexpr int max_lines = 400;
constexpr int unknown = -2, base = -1, top = static_cast<int>(rooms.size());

struct Header {
  int lines = 0;
  bool pragma_once = false;
  std::vector<std::string> includes;  // "rnx/..." for our own, else as written
};

// "rnx/core/dims.hpp" and the umbrella "rnx/core.hpp" are in the room core.
int rank(const std::string& path) {
  const std::string inside = path.substr(path.find('/') + 1);
  const std::size_t slash = inside.find('/');
  if (slash == std::string::npos) {
    if (std::ranges::find(tops, inside) != tops.end()) return top;
    if (std::ranges::find(bases, inside) != bases.end()) return base;
  }
  const auto room =
      std::ranges::find(rooms, inside.substr(0, std::min(slash, inside.rfind(".hpp"))));
  return room == rooms.end() ? unknown : static_cast<int>(room - rooms.begin());
}

std::map<std::string, Header> read_headers(const fs::path& root) {
  std::map<std::string, Header> headers;
  for (const auto& entry : fs::recursive_directory_iterator(root / "rnx")) {
    const fs::path extension = entry.path().extension();
    if (extension != ".hpp" && extension != ".cuh") continue;
    Header& header = headers[entry.path().lexically_relative(root).generic_string()];
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);) {
      ++header.lines;
      line.erase(
          std::remove_if(line.begin(), line.end(), [](char c) { return c == ' ' || c == '\t'; }),
          line.end());
      if (line.starts_with("#pragmaonce")) header.pragma_once = true;
      if (!line.starts_with("#include") || line.size() < 10) continue;
      const bool quoted = line[8] == '"';
      const std::string name = line.substr(9, line.find_first_of(">\"", 9) - 9);
      const fs::path beside = entry.path().parent_path() / name;
      header.includes.push_back(
          quoted && fs::exists(beside)
              ? beside.lexically_normal().lexically_relative(root).generic_string()
              : name);
    }
  }
  return headers;
}

std::vector<std::string> breaches(const fs::path& root) {
  std::vector<std::string> found;
  const auto headers = read_headers(root);
  for (const auto& entry : headers) {
    const std::string& path = entry.first;
    const Header& header = entry.second;
    const int own = rank(path);
    const auto breach = [&](const std::string& what) { found.push_back(path + ": " + what); };
    if (own == unknown) breach("belongs to no room");
    if (header.lines > max_lines) breach(std::to_string(header.lines) + " lines, at most 400");
    if (!header.pragma_once) breach("no #pragma once");
    for (const std::string& include : header.includes) {
      const auto within = [&](std::string_view folder) { return include.starts_with(folder); };
      if (include == "iostream" || include == "regex") breach("includes <" + include + ">");
      if ((within("Eigen/") || within("unsupported/Eigen/")) && path != "rnx/tensor/eigen.hpp")
        breach("includes " + include + ": rnx/tensor/eigen.hpp is the only bridge to Eigen");
      if ((within("xtensor") || within("xtl/")) && path != "rnx/tensor/xtensor.hpp")
        breach("includes " + include + ": rnx/tensor/xtensor.hpp is the only bridge to xtensor");
      if (!within("rnx/")) continue;
      if (!headers.contains(include)) breach("includes " + include + ", which is not there");
      if (include.ends_with(".cuh") && !path.ends_with(".cuh"))
        breach("includes the CUDA header " + include);
      const int theirs = rank(include);
      if (own != top && (theirs > own || theirs == unknown))
        breach("includes the later room of " + include);
    }
  }
  for (const auto& entry : fs::directory_iterator(root / "rnx")) {
    const std::string folder = "rnx/" + entry.path().filename().string();
    const auto inside = headers.lower_bound(folder + "/");
    if (entry.is_directory() && inside != headers.end() &&
        inside->first.starts_with(folder + "/") && !headers.contains(folder + ".hpp"))
      found.push_back(folder + "/: no umbrella " + folder + ".hpp");
  }

  // net.hpp is the lean part, through everything that it includes.
  std::vector<std::string> open{"rnx/net.hpp"};
  for (std::set<std::string> seen; !open.empty();) {
    const std::string path = open.back();
    open.pop_back();
    const auto header = headers.find(path);
    if (!seen.insert(path).second || header == headers.end()) continue;
    for (const std::string& include : header->second.includes) {
      if (include.starts_with("xtensor") || include.starts_with("xtl/") ||
          include.starts_with("nlohmann/") || include == "xxhash.h")
        found.push_back("rnx/net.hpp: reaches " + include + " through " + path);
      open.push_back(include);
    }
  }
  return found;
}

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

}  // namespace

TEST_CASE("headers keep the structure") {
  for (const std::string& breach : breaches(RNX_INCLUDE_DIR)) FAIL_CHECK(breach);

  std::vector<int> lengths;
  for (const auto& [path, header] : read_headers(RNX_INCLUDE_DIR)) lengths.push_back(header.lines);
  REQUIRE_FALSE(lengths.empty());
  std::ranges::sort(lengths);
  MESSAGE(lengths.size() << " headers; lines: median " << lengths[lengths.size() / 2]
                         << ", 90th percentile " << lengths[lengths.size() * 9 / 10] << ", longest "
                         << lengths.back());
}

TEST_CASE("each breach of the structure is found") {
  const fs::path root =
      fs::temp_directory_path() /
      ("rnx_structure_" + std::to_string(reinterpret_cast<std::uintptr_t>(&rooms)));
  fs::remove_all(root);
  const std::string once = "#pragma once\n";
  write(root / "rnx/net.hpp", once + "#include <rnx/core.hpp>\n#include \"deploy.hpp\"\n");
  write(root / "rnx/fwd.hpp", once);
  write(root / "rnx/core.hpp", once + "#include \"core/dims.hpp\"\n#include <rnx/fwd.hpp>\n");
  write(root / "rnx/core/dims.hpp", once + "#include <vector>\n");
  write(root / "rnx/deploy.hpp", once + "#include <rnx/core.hpp>\n");
  CHECK(breaches(root).empty());

  const auto only_breach = [&](const fs::path& file, const std::string& text,
                               const std::string& expected) {
    write(root / file, text);
    const auto found = breaches(root);
    fs::remove(root / file);
    REQUIRE_MESSAGE(found.size() == 1, expected);
    CHECK_MESSAGE(found[0].find(expected) != std::string::npos, found[0]);
  };
  only_breach("rnx/core/a.hpp", once + "  #  include <rnx/deploy.hpp>\n",
              "later room of rnx/deploy.hpp");
  only_breach("rnx/core/a.hpp", once + "#include \"../deploy.hpp\"\n",
              "later room of rnx/deploy.hpp");
  only_breach("rnx/core/a.hpp", once + "#include <rnx/net.hpp>\n", "later room of rnx/net.hpp");
  only_breach("rnx/core/a.hpp", once + "#include <rnx/core/b.hpp>\n", "not there");
  only_breach("rnx/core/a.hpp", once + "#include <iostream>\n", "<iostream>");
  only_breach("rnx/core/a.hpp", once + "#include <regex>\n", "<regex>");
  only_breach("rnx/core/a.hpp", once + "#include <Eigen/Core>\n", "bridge to Eigen");
  only_breach("rnx/core/a.hpp", once + "#include <xtensor/xarray.hpp>\n", "bridge to xtensor");
  only_breach("rnx/core/a.hpp", "", "#pragma once");
  only_breach("rnx/core/a.hpp", once + std::string(400, '\n'), "401 lines");
  only_breach("rnx/other.hpp", once, "no room");
  only_breach("rnx/core/dims.hpp", once + "#include <nlohmann/json.hpp>\n",
              "through rnx/core/dims.hpp");
  only_breach("rnx/core/dims.hpp", once + "#include <xxhash.h>\n", "reaches xxhash.h");
  write(root / "rnx/core/dims.hpp", once);
  only_breach("rnx/quant/sign.hpp", once, "no umbrella");
  fs::remove_all(root);
}
