// Options that are numbers, switches or lists. Whatever is not in an option's range gets one
// sentence with the range, and exit code 2. Each states its type and its default, so that it can be
// written to a file and read back.
#pragma once

#include <charconv>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include <CLI/CLI.hpp>

#include <rnx/core.hpp>

namespace tools {

/// What types of options are called: lists of numbers begin likewise.
inline constexpr const char *whole_type = "WHOLE NUMBER", *real_type = "NUMBER";

template <class T> struct WholeRange { T least = 0, most = std::numeric_limits<T>::max(); };
struct RealRange {
  double least = 0, most = std::numeric_limits<double>::max();
  bool with_least = true, with_most = true;  ///< whether the ends belong to it
  std::string text() const;
};

/// Errors: UsageError "--epochs: expected a whole number from 1 to 1000000, found '1.5'".
template <class T>
T whole(const std::string& option, const std::string& text,
        std::type_identity_t<WholeRange<T>> range) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  const bool fine =
      error == std::errc{} && at == end && value >= range.least && value <= range.most;
  rnx::require(fine, [&] {
    return option + ": expected a whole number from " + std::to_string(range.least) + " to " +
           std::to_string(range.most) + ", found '" + text + "'";
  });
  return value;
}

/// Errors: UsageError "--lr: expected a number of at least 0, found 'nan'".
double real(const std::string& option, const std::string& text, const RealRange& range);

/// Adds `option` to the command line: a whole number into `value`, which holds the default.
template <class T>
CLI::Option* add_whole(CLI::App& cli, const std::string& option, T& value,
                       std::type_identity_t<WholeRange<T>> range, std::string help = "") {
  const auto read = [option, &value, range](const std::string& text) {
    value = whole<T>(option, text, range);
  };
  return cli.add_option_function<std::string>(option, read, std::move(help))
      ->type_name(whole_type)
      ->default_str(std::to_string(value));
}
/// The same for any finite number.
CLI::Option* add_real(CLI::App& cli, const std::string& option, double& value,
                      const RealRange& range, std::string help = "");

/// Adds --NAME and --no-NAME.
CLI::Option* add_switch(CLI::App& cli, const std::string& name, bool& value, std::string help);
/// Adds an option that takes several numbers, "0.5,0.75" or one after the other.
CLI::Option* add_reals(CLI::App& cli, const std::string& option, std::vector<double>& values,
                       const RealRange& range, std::string help);
/// Adds an option that takes several texts, one after the other.
CLI::Option* add_texts(CLI::App& cli, const std::string& option, std::vector<std::string>& values,
                       std::string help);
/// What stands between the values in the default's text of an option that takes several.
char default_separator(const CLI::Option& list);

}  // namespace tools
