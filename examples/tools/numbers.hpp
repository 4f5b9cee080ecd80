// Options that are numbers. Whatever is not in an option's range gets one sentence with the range,
// and exit code 2.
#pragma once

#include <charconv>
#include <limits>
#include <string>
#include <type_traits>

#include <CLI/CLI.hpp>

#include <rnx/core.hpp>

namespace tools {

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
      ->type_name("WHOLE NUMBER")
      ->default_str(std::to_string(value));
}
/// The same for any finite number.
CLI::Option* add_real(CLI::App& cli, const std::string& option, double& value,
                      const RealRange& range, std::string help = "");

}  // namespace tools
