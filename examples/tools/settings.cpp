#include "settings.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include <rnx/io/file.hpp>

#include "numbers.hpp"

namespace tools {

using namespace rnx;

namespace {

enum class Kind : unsigned char { flag, whole, real, text };

bool is_list(const CLI::Option& o) {
  return o.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
}
Kind kind_of(const CLI::Option& o) {
  const std::string type = o.get_type_name();
  if (o.get_expected_min() == 0) return Kind::flag;
  if (type.starts_with(whole_type)) return Kind::whole;
  return type.starts_with(real_type) ? Kind::real : Kind::text;
}
const char* expected(Kind kind) {
  return kind == Kind::flag    ? "true or false"
         : kind == Kind::whole ? "a whole number"
         : kind == Kind::real  ? "a number"
                               : "a text";
}
bool fits(Kind kind, const Json& value) {
  if (kind == Kind::flag) return value.is_boolean();
  if (kind == Kind::whole) return value.is_number_integer();
  return value.is_number() || (kind == Kind::text && value.is_string());
}

/// Of a text that the option has taken.
Json value_of(Kind kind, const std::string& text) {
  if (kind == Kind::flag) return CLI::detail::to_flag_value(text) > 0;
  if (kind == Kind::text) return text;
  const auto read = [&](auto value) -> Json {
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  return kind == Kind::whole ? read(std::uint64_t()) : read(double());
}

/// What the defaults' text says: lists stand in it with commas or spaces.
std::vector<std::string> default_of(const CLI::Option& o) {
  const std::string text = o.get_default_str();
  if (text.empty()) return {};
  return is_list(o) ? CLI::detail::split(text, default_separator(o)) : std::vector{text};
}

}  // namespace

Settings read_settings_file(const std::string& file) {
  const std::string text = io::read_file(file, 16 << 20);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos || text[first] != '{') return {parse_toml(text, file), file};
  try {
    Json values = Json::parse(text);
    return {std::move(values), file};
  } catch (const Json::parse_error& e) {
    const auto line =
        1 + std::count(text.begin(), text.begin() + long(std::min(e.byte, text.size())), '\n');
    throw FileError(fmt::format("{}, line {}: expected JSON, found a mistake in it", file, line));
  }
}

Settings read_settings(const std::string& file, const std::string& program) {
  Settings s = read_settings_file(file);
  if (!s.values.contains("program")) return s;
  const std::string theirs =
      s.values["program"].is_string() ? s.values["program"].get<std::string>() : "";
  require(theirs == program, [&] {
    return file + ": this is a run.json of " + (theirs.empty() ? "another program" : theirs) +
           ", not of " + program;
  });
  const auto options = s.values.find("options");
  require(options != s.values.end() && options->is_object(), [&] {
    return file + ": this run.json holds no options: an earlier version of " + program +
           " wrote it";
  });
  return {Json(*options), file};
}

std::vector<std::string> texts_of(const CLI::Option& option, const Json& value,
                                  const std::string& where) {
  const Kind kind = kind_of(option);
  const Json list = value.is_array() && is_list(option) ? value : Json::array({value});
  std::vector<std::string> texts;
  for (const Json& item : list) {
    require(fits(kind, item), [&] {
      return fmt::format("{}: {}: expected {}, found {}", where, option.get_single_name(),
                         expected(kind), item.dump(-1, ' ', false, Json::error_handler_t::replace));
    });
    texts.push_back(item.is_string() ? item.get<std::string>() : item.dump());
  }
  require(!texts.empty(), [&] {
    return fmt::format("{}: {}: expected at least one value, found none", where,
                       option.get_single_name());
  });
  return texts;
}

Json effective_options(const CLI::App& cli, bool with_call) {
  Json values = Json::object();
  for (const CLI::Option* o : cli.get_options()) {
    if (!o->get_configurable() || o->get_positional() || (!with_call && o->get_group() == of_call))
      continue;
    const std::vector<std::string> texts = o->empty() ? default_of(*o) : o->reduced_results();
    Json list = Json::array();
    for (const std::string& text : texts) list.push_back(value_of(kind_of(*o), text));
    if (list.empty() || list == Json::array({""})) continue;  // as it is where nobody names it
    values[o->get_single_name()] = is_list(*o) ? list : list.back();
  }
  return values;
}

}  // namespace tools
