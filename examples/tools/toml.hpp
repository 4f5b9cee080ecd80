// TOML as settings need it: key = value, [[lists of tables]], strings on one line, whole numbers,
// numbers, booleans, arrays of them, comments. What else TOML has is refused, never read otherwise.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace tools {

using Json = nlohmann::ordered_json;

/// `where` begins the sentences: "FILE, line 3: ...". Errors: FileError.
Json parse_toml(const std::string& text, const std::string& where);
/// Values without tables, in their order; parse_toml() gives the same values.
std::string to_toml(const Json& values);

}  // namespace tools
