#include "numbers.hpp"

#include <cmath>

#include <fmt/format.h>

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
      ->type_name(real_type)
      ->default_str(fmt::format("{}", value));
}

CLI::Option* add_switch(CLI::App& cli, const std::string& name, bool& value, std::string help) {
  return cli.add_flag("--" + name + ",!--no-" + name, value, std::move(help))
      ->default_str(value ? "true" : "false");
}

CLI::Option* add_reals(CLI::App& cli, const std::string& option, std::vector<double>& values,
                       const RealRange& range, std::string help) {
  const auto read = [option, &values, range](const std::vector<std::string>& texts) {
    values.clear();
    for (const std::string& text : texts) values.push_back(real(option, text, range));
  };
  return cli.add_option_function<std::vector<std::string>>(option, read, std::move(help))
      ->delimiter(',')
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name(std::string(real_type) + " ...")
      ->default_str(fmt::format("{}", fmt::join(values, ",")));
}

CLI::Option* add_texts(CLI::App& cli, const std::string& option, std::vector<std::string>& values,
                       std::string help) {
  return cli.add_option(option, values, std::move(help))
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("TEXT ...")
      ->default_str(fmt::format("{}", fmt::join(values, " ")));
}

char default_separator(const CLI::Option& list) {
  return list.get_type_name().starts_with(real_type) ? ',' : ' ';
}

}  // namespace tools
