// What every executable shares: options with presets and settings out of files, verbs, errors as
// one sentence and an exit code.
//   0 done, 1 internal, 2 usage, 3 a file was rejected, 75 stopped cleanly on a signal
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <fmt/format.h>

#include <rnx/core.hpp>

#include "numbers.hpp"
#include "outputs.hpp"
#include "settings.hpp"
#include "signals.hpp"
#include "words.hpp"

namespace tools {

/// One command line: a program's, a verb's, or that of a row of a sweep.
class App {
 public:
  using Arguments = std::vector<std::string>;

  App(const std::string& name, const std::string& description);

  CLI::App cli;
  /// Adds --config, --print-config and --requeue-exit: of programs that work for long.
  void add_frame();
  /// Values that --preset NAME stands for; settings out of files and options given beside it win.
  void preset(const std::string& name, std::vector<std::pair<std::string, std::string>> values);
  /// What users of other programs call an option of this one.
  void synonym(const std::string& theirs, const std::string& ours) { synonyms_[theirs] = ours; }
  /// `NAME ...` instead of options: `run` is given what stands behind the name, and returns the
  /// exit code.
  void verb(const std::string& name, const std::string& help,
            std::function<int(const Arguments&)> run);

  /// Reads a command line: it wins over `settings` (or over those of its own --config), and they
  /// over a preset. Errors: UsageError, FileError; CLI::Success for --help and --version.
  void parse(const Arguments& arguments, Settings settings = {});
  /// Parses and runs `body`, or a verb; every error becomes one sentence on stderr and an exit
  /// code.
  int run(const Arguments& arguments, const std::function<int()>& body);
  int run(int argc, char** argv, const std::function<int()>& body) {
    return run(Arguments(argv + 1, argv + argc), body);
  }
  /// The command line as it was given.
  const Arguments& arguments() const { return arguments_; }
  std::string name() const { return cli.get_name(); }
  /// The effective values that a --config takes; without those of this call, the ones that a
  /// run.json holds.
  Json options(bool with_call = false) const { return effective_options(cli, with_call); }

 private:
  /// The arguments without --set and --preset, which are taken apart.
  Arguments expand(std::string& preset) const;
  /// The options that arguments name.
  std::set<const CLI::Option*> named(const Arguments& arguments) const;
  const CLI::Option* option_of(const Settings& settings, const std::string& key) const;
  void add(Arguments& all, const Settings& settings, const std::set<const CLI::Option*>& won);
  std::string meant(const std::string& name) const;
  /// What is wrong with the first argument that no option took.
  std::string unexpected() const;
  /// Sentences about a value out of a file begin with the file.
  std::string located(const std::string& sentence) const;
  void say(std::string sentence) const;
  int guarded(const std::function<int()>& body) const;

  std::map<std::string, std::string> synonyms_;
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> presets_;
  std::map<std::string, std::function<int(const Arguments&)>> verbs_;
  std::map<std::string, std::string> from_file_;  ///< "--epochs": the file that says its value
  Arguments arguments_;
  std::string preset_name_, config_, print_;
  int requeue_ = stopped;
};

}  // namespace tools
