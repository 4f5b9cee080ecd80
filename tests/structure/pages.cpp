// What the pages of docs/ quote is there: names in the headers of their room, examples in files
// that are compiled, the compiler's sentences in tests/compile_fail/.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path root = fs::path(RNX_INCLUDE_DIR).parent_path();

std::string trimmed(const std::string& line) {
  const std::size_t begin = line.find_first_not_of(' '), end = line.find_last_not_of(" \r");
  return begin == line.npos ? "" : line.substr(begin, end + 1 - begin);
}

std::vector<std::string> lines_of(const fs::path& file) {
  std::ifstream in(file);
  REQUIRE_MESSAGE(in.good(), file.string());
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// The page's blocks of C++ whose lines do not stand one after another in `source`, whatever their
/// indentation: the first line of each. `count`: how many blocks there are.
std::vector<std::string> foreign_blocks(const std::vector<std::string>& page,
                                        const std::vector<std::string>& source, int& count) {
  std::vector<std::string> code, found;
  for (const std::string& line : source) code.push_back(trimmed(line));
  for (auto at = page.begin(); at != page.end(); ++at) {
    if (trimmed(*at) != "```cpp") continue;
    std::vector<std::string> block;
    for (++at; at != page.end() && trimmed(*at) != "```"; ++at) block.push_back(trimmed(*at));
    ++count;
    if (block.empty() ||
        std::search(code.begin(), code.end(), block.begin(), block.end()) == code.end())
      found.push_back(block.empty() ? "an empty block" : block.front());
    if (at == page.end()) break;
  }
  return found;
}

bool in_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Every identifier of a room's headers.
std::set<std::string> words_of(const std::string& room) {
  std::vector<fs::path> files{root / "include/rnx" / (room + ".hpp")};
  for (const auto& entry : fs::recursive_directory_iterator(root / "include/rnx" / room))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::set<std::string> words;
  for (const fs::path& file : files)
    for (const std::string& line : lines_of(file))
      for (std::size_t i = 0; i < line.size();) {
        std::size_t end = i;
        while (end < line.size() && in_word(line[end])) ++end;
        if (end > i) words.insert(line.substr(i, end - i));
        i = std::max(end, i + 1);
      }
  return words;
}

/// What stands between backticks in the first cell of a table's row, without namespaces and what
/// follows the name: "quant::Round<Bits>" is Round.
std::vector<std::string> names_in(const std::string& line) {
  std::vector<std::string> names;
  if (!line.starts_with("| `")) return names;
  const std::string cell = line.substr(1, line.find(" |", 1) - 1);
  for (std::size_t i = cell.find('`'); i != cell.npos; i = cell.find('`', i + 1)) {
    const std::size_t close = cell.find('`', i + 1);
    if (close == cell.npos) break;
    std::string name;
    for (std::size_t k = i + 1; k < close && (in_word(cell[k]) || cell[k] == ':'); ++k)
      name += cell[k];
    names.push_back(name.substr(name.rfind(':') + 1));  // npos + 1: 0
    i = close;
  }
  return names;
}

std::vector<fs::path> pages_in(const char* folder) {
  std::vector<fs::path> pages;
  for (const auto& entry : fs::directory_iterator(root / folder)) pages.push_back(entry.path());
  std::ranges::sort(pages);
  REQUIRE(pages.size() > 7);
  return pages;
}

}  // namespace

TEST_CASE("every room has a page, and its names and its example are there") {
  const auto examples = lines_of(root / "tests/structure/room_examples.cpp");
  for (const auto& entry : fs::directory_iterator(root / "include/rnx"))
    if (entry.is_directory())
      CHECK_MESSAGE(fs::exists(root / "docs/rooms" / entry.path().filename() += ".md"),
                    entry.path());
  for (const fs::path& page : pages_in("docs/rooms")) {
    const auto lines = lines_of(page);
    const auto words = words_of(page.stem().string());
    int names = 0, blocks = 0;
    for (const std::string& line : lines)
      for (const std::string& name : names_in(line)) {
        ++names;
        CHECK_MESSAGE(words.contains(name), page.filename().string() << ": " << name);
      }
    for (const std::string& first : foreign_blocks(lines, examples, blocks))
      FAIL_CHECK(page.filename().string() << ": not in room_examples.cpp: " << first);
    CHECK_MESSAGE(names > 2, page.filename().string());
    CHECK_MESSAGE(blocks == 1, page.filename().string());
  }
}

TEST_CASE("pages quote examples and sentences that are there") {
  std::set<std::string> sentences;
  for (const auto& entry : fs::directory_iterator(root / "tests/compile_fail"))
    if (entry.path().extension() == ".cpp") {
      const auto lines = lines_of(entry.path());
      std::string sentence = lines.front().substr(std::string("// expect: ").size());
      sentences.insert(sentence);
      // a long one goes on in the next comments
      for (std::size_t k = 1; k < lines.size() && lines[k].starts_with("// "); ++k)
        sentences.insert(sentence += lines[k].substr(2));
    }
  int blocks = 0;
  for (const fs::path& page : pages_in("docs/add")) {
    const auto lines = lines_of(page);
    const auto source = root / "examples/own" / page.stem() += ".cpp";
    for (const std::string& first : foreign_blocks(lines, lines_of(source), blocks))
      FAIL_CHECK(page.filename().string() << ": not in its example: " << first);
    for (const std::string& line : lines)
      if (line.starts_with("    rnx: "))
        CHECK_MESSAGE(sentences.contains(trimmed(line)), page.filename().string() << line);
  }
  CHECK(blocks >= 8);
  int steps = 0;
  const auto tutorial = lines_of(root / "docs/first_hour.md");
  for (const std::string& first :
       foreign_blocks(tutorial, lines_of(root / "examples/12_first_hour.cpp"), steps))
    FAIL_CHECK("first_hour.md: not in its example: " << first);
  CHECK(steps > 4);
}

TEST_CASE("what is not there is found") {
  int blocks = 0;
  const std::vector<std::string> source{"int a;", "  int b;", "int c;"};
  CHECK(foreign_blocks({"```cpp", "int b;", "int c;", "```"}, source, blocks).empty());
  CHECK(foreign_blocks({"```cpp", "int a;", "int c;", "```"}, source, blocks).size() == 1);
  CHECK(blocks == 2);
  CHECK(names_in("| `quant::Round<B>`, `a()` | `no` |") == std::vector<std::string>{"Round", "a"});
}
