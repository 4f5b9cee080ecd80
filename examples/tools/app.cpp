#include "app.hpp"

#include <algorithm>

namespace tools {

std::string nearest(const std::string& word, const std::vector<std::string>& known) {
  const auto distance =
      [](const std::string& a,
         const std::string& b) {  // insertions, deletions, substitutions (Levenshtein)
        std::vector<std::size_t> row(b.size() + 1);
        for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
        for (std::size_t i = 1; i <= a.size(); ++i) {
          std::size_t diagonal = std::exchange(row[0], i);
          for (std::size_t j = 1; j <= b.size(); ++j)
            diagonal = std::exchange(
                row[j], std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])}));
        }
        return row.back();
      };
  std::string best;
  std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& k : known)
    if (const std::size_t d = distance(word, k); d < least) {
      least = d;
      best = k;
    }
  return best;
}

std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
  const std::string near = nearest(word, known);
  return near.empty() ? "" : "; did you mean " + near + "?";
}

void require_known(const std::string& option, const std::string& word,
                   const std::vector<std::string>& known) {
  rnx::require(std::find(known.begin(), known.end(), word) != known.end(), [&] {
    return fmt::format("{}: '{}' is unknown; known are {}{}", option, word, fmt::join(known, ", "),
                       suggestion(word, known));
  });
}

App::App(const char* name, const char* description) : cli(description, name) {
  cli.option_defaults()->always_capture_default()->multi_option_policy(
      CLI::MultiOptionPolicy::TakeLast);
  cli.set_version_flag("--version",
                       fmt::format("{} {}.{}.{}, kernels for {}", name, RNX_VERSION_MAJOR,
                                   RNX_VERSION_MINOR, RNX_VERSION_PATCH, rnx::instruction_set()));
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
      rnx::require(key.size() < pair.size() && !key.empty() && key != "set" && key != "preset",
                   [&] { return "--set: expected key=value of an option, found '" + pair + "'"; });
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

std::string App::unexpected() const {
  const std::string first = cli.remaining().front(), name = first.substr(0, first.find('='));
  if (!name.starts_with("-")) return fmt::format("unexpected argument '{}'", first);
  std::vector<std::string> known;
  for (const CLI::Option* o : cli.get_options())
    for (const std::string& n : o->get_lnames()) known.push_back("--" + n);
  const auto ours = synonyms_.find(name);
  const std::string meant =
      ours == synonyms_.end() ? suggestion(name, known) : "; did you mean " + ours->second + "?";
  return fmt::format("the option {} is unknown{}", name, meant);
}

void App::say(std::string sentence) const {
  std::replace(sentence.begin(), sentence.end(), '\n',
               ' ');  // of an argument or a name of a file: a sentence is one line
  complain(cli.get_name() + ": " + sentence);
}

int App::run(int argc, char** argv, const std::function<int()>& body) {
  tame_system();
  arguments_.assign(argv + 1, argv + argc);
  // for --help alone: expand() reads them
  cli.add_option_function<std::string>(
      "--set", [](const std::string&) {}, "key=value: the same as --key value");
  if (!presets_.empty()) {
    std::vector<std::string> names;
    for (const auto& [k, v] : presets_) names.push_back(k);
    cli.add_option(
        "--preset", preset_name_,
        fmt::format("a set of options: {}; options given beside it win", fmt::join(names, " | ")));
  }
  try {
    std::vector<std::string> arguments = expand();
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    cli.parse(std::move(arguments));
    return body();
  } catch (const CLI::ExtrasError&) {
    say(unexpected());
    return 2;
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return cli.exit(e);
    say(e.what());
    return 2;
  } catch (const rnx::Stopped&) {
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
