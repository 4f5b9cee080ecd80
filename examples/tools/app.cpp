#include "app.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include <unistd.h>

namespace tools {

std::string nearest(const std::string& word, const std::vector<std::string>& known) {
  const auto distance = [](const std::string& a, const std::string& b) {  // insertions, deletions, substitutions (Levenshtein)
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
      std::size_t diagonal = std::exchange(row[0], i);
      for (std::size_t j = 1; j <= b.size(); ++j) diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])}));
    }
    return row.back();
  };
  std::string best;
  std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& k : known)
    if (const std::size_t d = distance(word, k); d < least) least = d, best = k;
  return best;
}

std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
  const std::string near = nearest(word, known);
  return near.empty() ? "" : "; did you mean " + near + "?";
}

void require_known(const std::string& option, const std::string& word, const std::vector<std::string>& known) {
  rnx::require(std::find(known.begin(), known.end(), word) != known.end(), [&] {
    return fmt::format("{}: '{}' is unknown; known are {}{}", option, word, fmt::join(known, ", "), suggestion(word, known));
  });
}

namespace {
std::atomic<bool> stop_flag{false};
static_assert(std::atomic<bool>::is_always_lock_free);
}  // namespace

const std::atomic<bool>& stop_on_signals() {
  static const bool once = [] {
    struct sigaction action {};
    action.sa_handler = [](int) { stop_flag.store(true); };
    action.sa_flags = SA_RESETHAND | SA_RESTART;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);  // whoever reads our output may go before we do
    return true;
  }();
  (void)once;
  return stop_flag;
}

void check_stop() {
  if (stop_on_signals().load()) throw Stopped{};
}

void print_line(std::FILE* file, const std::string& line) noexcept {
  std::fwrite(line.data(), 1, line.size(), file);
  std::fputc('\n', file);
  std::fflush(file);
}
void complain(const std::string& line) noexcept { print_line(stderr, line); }

void make_writable(const std::string& option, const std::string& folder) {
  std::error_code made, seen;
  std::filesystem::create_directories(folder, made);
  rnx::require<rnx::FileError>(std::filesystem::is_directory(folder, seen), [&] { return option + ": the folder " + folder + " cannot be made: " + (made ? made : seen).message(); });
  rnx::require<rnx::FileError>(::access(folder.c_str(), W_OK | X_OK) == 0, [&] { return option + ": the folder " + folder + " cannot be written"; });
}

App::App(const char* name, const char* description) : cli(description, name) {
  cli.option_defaults()->always_capture_default()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

std::vector<std::string> App::expand() const {
  std::vector<std::string> given, before;
  for (std::size_t i = 0; i < arguments_.size(); ++i) {
    std::string a = arguments_[i];
    const auto value_of = [&](const std::string& option) {
      if (a.starts_with(option + "=")) return a.substr(option.size() + 1);
      rnx::require(i + 1 < arguments_.size(), [&] { return option + " needs a value"; });
      return arguments_[++i];
    };
    if (a == "--set" || a.starts_with("--set=")) {
      const std::string pair = value_of("--set");
      const std::string key = pair.substr(0, pair.find('='));
      rnx::require(key.size() < pair.size() && !key.empty() && key != "set" && key != "preset", [&] { return "--set: expected key=value of an option, found '" + pair + "'"; });
      given.push_back("--" + pair);
    } else if (!presets_.empty() && (a == "--preset" || a.starts_with("--preset="))) {
      const std::string name = value_of("--preset");
      std::vector<std::string> known;
      for (const auto& [k, v] : presets_) known.push_back(k);
      require_known("--preset", name, known);
      for (const auto& [key, value] : presets_.at(name)) before.push_back("--" + key + "=" + value);
    } else {
      given.push_back(a);
    }
  }
  before.insert(before.end(), given.begin(), given.end());
  return before;
}

int App::run(int argc, char** argv, const std::function<int()>& body) {
  const auto say = [&](const std::string& sentence) { complain(cli.get_name() + ": " + sentence); };
  arguments_.assign(argv + 1, argv + argc);
  // for --help alone: expand() reads them
  cli.add_option_function<std::string>("--set", [](const std::string&) {}, "key=value: the same as --key value");
  if (!presets_.empty()) {
    std::vector<std::string> names;
    for (const auto& [k, v] : presets_) names.push_back(k);
    cli.add_option("--preset", preset_name_, fmt::format("a set of options: {}; options given beside it win", fmt::join(names, " | ")));
  }
  try {
    std::vector<std::string> arguments = expand();
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    cli.parse(std::move(arguments));
  } catch (const CLI::ExtrasError&) {
    const std::string first = cli.remaining().front(), name = first.substr(0, first.find('='));
    std::vector<std::string> known;
    for (const CLI::Option* o : cli.get_options())
      for (const std::string& n : o->get_lnames()) known.push_back("--" + n);
    if (name.starts_with("-")) say(fmt::format("the option {} is unknown{}", name, suggestion(name, known)));
    else say(fmt::format("unexpected argument '{}'", first));
    return 2;
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return cli.exit(e);
    say(e.what());
    return 2;
  } catch (const rnx::Error& e) {
    say(e.what());
    return e.exit_code();
  }
  try {
    return body();
  } catch (const Stopped&) {
    say("stopped by a signal");
    return stopped;
  } catch (const rnx::Error& e) {
    say(e.what());
    return e.exit_code();
  } catch (const std::bad_alloc&) {
    say("there is not enough memory");
    return 1;
  } catch (const std::exception& e) {
    say(e.what());
    return 1;
  }
}

}  // namespace tools
