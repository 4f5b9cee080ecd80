// What every executable shares: options with presets, errors as one sentence and an exit code,
// names that are nearly right.
//   0 done, 1 internal, 2 usage, 3 a file was rejected, 75 stopped cleanly on a signal
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <fmt/format.h>

#include <rnx/core.hpp>

#include "numbers.hpp"
#include "outputs.hpp"
#include "signals.hpp"

namespace tools {

/// The known word that `word` is a slip of, or "" where none is near.
std::string nearest(const std::string& word, const std::vector<std::string>& known);
/// "; did you mean X?" or "".
std::string suggestion(const std::string& word, const std::vector<std::string>& known);
/// Throws UsageError "<option>: 'word' is unknown; known are a, b, c" (and what was probably meant)
/// unless it is known.
void require_known(const std::string& option, const std::string& word,
                   const std::vector<std::string>& known);

class App {
 public:
  App(const char* name, const char* description);

  CLI::App cli;
  /// Values that --preset NAME stands for; the options given beside it win.
  void preset(const std::string& name, std::vector<std::pair<std::string, std::string>> values) {
    presets_[name] = std::move(values);
  }
  /// What users of other programs call an option of this one.
  void synonym(const std::string& theirs, const std::string& ours) { synonyms_[theirs] = ours; }
  /// Parses and runs `body`; every error becomes one sentence on stderr and an exit code.
  int run(int argc, char** argv, const std::function<int()>& body);
  /// The command line as it was given.
  const std::vector<std::string>& arguments() const { return arguments_; }

 private:
  std::vector<std::string> expand() const;
  /// What is wrong with the first argument that no option took.
  std::string unexpected() const;
  void say(std::string sentence) const;
  std::map<std::string, std::string> synonyms_;
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> presets_;
  std::vector<std::string> arguments_;
  std::string preset_name_;
};

}  // namespace tools
