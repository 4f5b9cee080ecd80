#include "toml.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include <rnx/io/file.hpp>

namespace tools {

using namespace rnx;

namespace {

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

/// Reads from the front to the back; knows the line that it is in.
class TomlReader {
 public:
  TomlReader(const std::string& text, const std::string& where) : text_(text), where_(where) {}

  Json read() {
    Json document = Json::object();
    Json* table = &document;
    for (skip_empty(); at_ < text_.size(); skip_empty()) {
      if (take("[[")) {
        Json& list = document[key()];
        if (list.is_null()) list = Json::array();
        check(list.is_array() && take("]]"), "expected a list of tables, [[name]]");
        list.push_back(Json::object());
        table = &list.back();
      } else {
        const std::string name = key();
        check(!table->contains(name), "the key " + io::in_quotes(name) + " is there twice");
        check(take("="), "expected key = value");
        (*table)[name] = value();
      }
      skip_spaces();
      check(at_ == text_.size() || text_[at_] == '\n' || text_[at_] == '#',
            "expected the end of the line");
    }
    return document;
  }

 private:
  void check(bool fine, const std::string& sentence) const {
    require<FileError>(fine, [&] {
      const auto line = 1 + std::count(text_.begin(), text_.begin() + long(at_), '\n');
      return where_ + ", line " + std::to_string(line) + ": " + sentence;
    });
  }
  void skip_spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }
  /// Spaces, comments and ends of lines.
  void skip_empty() {
    for (skip_spaces(); at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '#');
         skip_spaces())
      at_ = text_[at_] == '\n' ? at_ + 1 : std::min(text_.find('\n', at_), text_.size());
  }
  /// Whether this comes next; then it is taken.
  bool take(std::string_view token) {
    skip_spaces();
    const bool found = text_.compare(at_, token.size(), token) == 0;
    if (found) at_ += token.size();
    return found;
  }
  std::string bare() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (is_bare(text_[at_]) || text_[at_] == '.' || text_[at_] == '+'))
      ++at_;
    return text_.substr(begin, at_ - begin);
  }
  std::string key() {
    skip_spaces();
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) return string();
    const std::string name = bare();
    check(!name.empty() && name.find_first_of(".+") == name.npos,
          "expected a key, as in: epochs = 4");
    return name;
  }
  Json value() {
    skip_spaces();
    const char first = at_ < text_.size() ? text_[at_] : '\n';
    if (first == '[') return array();
    if (first == '"' || first == '\'') return string();
    const std::string word = bare();
    if (word == "true" || word == "false") return word == "true";
    return number(word);
  }
  Json array() {
    Json list = Json::array();
    ++at_;
    for (skip_empty(); !take("]"); skip_empty()) {
      list.push_back(value());
      skip_empty();
      if (take(",")) continue;
      check(take("]"), "expected , or ] in an array");
      break;
    }
    return list;
  }
  std::string string() {
    const char quote = text_[at_++];
    std::string out;
    for (; at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n'; ++at_)
      out += quote == '"' && text_[at_] == '\\' ? escaped() : text_[at_];
    check(at_ < text_.size() && text_[at_] == quote, "expected the end of a string in its line");
    ++at_;
    check(at_ == text_.size() || text_[at_] != quote, "strings of several lines are not read here");
    return out;
  }
  char escaped() {
    constexpr std::string_view letters = "\"\\ntr", meant = "\"\\\n\t\r";
    const std::size_t k = ++at_ < text_.size() ? letters.find(text_[at_]) : letters.npos;
    check(k != letters.npos, "expected \\\", \\\\, \\n, \\t or \\r in a string");
    return meant[k];
  }
  Json number(std::string word) {
    check(!word.empty() && (std::isdigit(static_cast<unsigned char>(word.back())) != 0),
          "expected a value: a string in quotes, a number, true, false or [an array], found " +
              io::in_quotes(word));
    std::erase(word, '_');
    if (word[0] == '+') word.erase(0, 1);
    const char *begin = word.data(), *end = begin + word.size();
    std::int64_t whole = 0;
    std::uint64_t natural = 0;
    double real = 0;
    const auto read = [&](auto& v) {
      const auto [stop, error] = std::from_chars(begin, end, v);
      return stop == end && error == std::errc{};
    };
    if (read(whole)) return whole;
    if (read(natural)) return natural;
    check(read(real) && std::isfinite(real), io::in_quotes(word) + " is no number");
    return real;
  }

  const std::string& text_;
  const std::string& where_;
  std::size_t at_ = 0;
};

std::string toml_string(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    constexpr std::string_view letters = "\"\\\n\t\r", written = "\"\\ntr";
    const std::size_t k = letters.find(c);
    out += k == letters.npos ? std::string(1, c) : std::string{'\\', written[k]};
  }
  return out + "\"";
}
std::string toml_value(const Json& value) {
  if (value.is_string()) return toml_string(value.get<std::string>());
  if (!value.is_array()) return value.dump();
  std::string out;
  for (const Json& item : value) out += (out.empty() ? "" : ", ") + toml_value(item);
  return "[" + out + "]";
}

}  // namespace

Json parse_toml(const std::string& text, const std::string& where) {
  return TomlReader(text, where).read();
}

std::string to_toml(const Json& values) {
  std::string out;
  for (const auto& [key, value] : values.items()) out += key + " = " + toml_value(value) + "\n";
  return out;
}

}  // namespace tools
