#include "numbers.hpp"

#include <cmath>

#include <fmt/core.h>

namespace tools {

std::string RealRange::text() const {
  if (most == std::numeric_limits<double>::max())
    return fmt::format("a finite number {} {}", with_least ? "of at least" : "above", least);
  return fmt::format("a number {} {} {} {}", with_least ? "from" : "above", least,
                     with_most    ? "to"
                     : with_least ? "to below"
                                  : "and below",
                     most);
}

double real(const std::string& option, const std::string& text, const RealRange& range) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  const bool fine = error == std::errc{} && at == end && std::isfinite(value) &&
                    (value > range.least || (range.with_least && value == range.least)) &&
                    (value < range.most || (range.with_most && value == range.most));
  rnx::require(
      fine, [&] { return fmt::format("{}: expected {}, found '{}'", option, range.text(), text); });
  return value;
}

CLI::Option* add_real(CLI::App& cli, const std::string& option, double& value,
                      const RealRange& range, std::string help) {
  const auto read = [option, &value, range](const std::string& text) {
    value = real(option, text, range);
  };
  return cli.add_option_function<std::string>(option, read, std::move(help))
      ->type_name("NUMBER")
      ->default_str(fmt::format("{}", value));
}

}  // namespace tools
