#include "app.hpp"

#include <algorithm>

namespace tools {

using namespace rnx;

App::App(const std::string& name, const std::string& description) : cli(description, name) {
  cli.option_defaults()->always_capture_default()->multi_option_policy(
      CLI::MultiOptionPolicy::TakeLast);
  cli.set_version_flag("--version",
                       fmt::format("{} {}.{}.{}, kernels for {}", name, RNX_VERSION_MAJOR,
                                   RNX_VERSION_MINOR, RNX_VERSION_PATCH, instruction_set()));
  // for --help alone: expand() reads them
  cli.add_option_function<std::string>(
         "--set", [](const std::string&) {}, "key=value: the same as --key value")
      ->configurable(false);
}

void App::add_frame() {
  cli.add_option(
         "--config", config_,
         "options out of a file: TOML, JSON, or the run.json of a run; the command line wins")
      ->configurable(false);
  cli.add_flag("--print-config{toml}", print_,
               "writes all options, as toml or as json (--print-config=json), for --config")
      ->configurable(false);
  add_whole(cli, "--requeue-exit", requeue_, {.least = 1, .most = 255},
            "exit code after a signal, as a batch system wants it for a job that goes on")
      ->group(of_call);
}

void App::preset(const std::string& name, std::vector<std::pair<std::string, std::string>> values) {
  presets_[name] = std::move(values);
  std::vector<std::string> names;
  for (const auto& [k, v] : presets_) names.push_back(k);
  if (!cli.get_option_no_throw("--preset"))
    cli.add_option("--preset", preset_name_)->configurable(false);
  cli.get_option("--preset")
      ->description(fmt::format("a set of options: {}; options given beside it win",
                                fmt::join(names, " | ")));
}

void App::verb(const std::string& name, const std::string& help,
               std::function<int(const Arguments&)> run) {
  if (verbs_.empty()) cli.footer("Verbs, each with a --help:");
  verbs_[name] = std::move(run);
  cli.footer(fmt::format("{}\n  {} {:<22}{}", cli.get_footer(), cli.get_name(), name, help));
}

App::Arguments App::expand(std::string& preset) const {
  Arguments given;
  for (std::size_t i = 0; i < arguments_.size(); ++i) {
    const std::string& a = arguments_[i];
    const auto value_of = [&](const std::string& option) {
      if (a.starts_with(option + "=")) return a.substr(option.size() + 1);
      require(i + 1 < arguments_.size(), [&] { return option + " needs a value"; });
      return arguments_[++i];
    };
    if (a == "--set" || a.starts_with("--set=")) {
      const std::string pair = value_of("--set");
      const std::string key = pair.substr(0, pair.find('='));
      require(key.size() < pair.size() && !key.empty() && key != "set" && key != "preset",
              [&] { return "--set: expected key=value of an option, found '" + pair + "'"; });
      given.push_back("--" + pair);
    } else if (!presets_.empty() && (a == "--preset" || a.starts_with("--preset="))) {
      preset = value_of("--preset");
    } else {
      given.push_back(a);
    }
  }
  return given;
}

std::set<const CLI::Option*> App::named(const Arguments& arguments) const {
  std::set<const CLI::Option*> options;
  for (const std::string& a : arguments)
    if (a.starts_with("--"))
      if (const CLI::Option* o = cli.get_option_no_throw(a.substr(0, a.find('='))))
        options.insert(o);
  return options;
}

const CLI::Option* App::option_of(const Settings& settings, const std::string& key) const {
  const CLI::Option* o = cli.get_option_no_throw("--" + key);
  require(o != nullptr, [&] {
    return settings.where + ": the option " + key + " is unknown" + meant("--" + key);
  });
  require(o->get_configurable() && o->get_single_name() == key, [&] {
    return settings.where + ": " + key + " is for the command line" +
           (o->get_configurable() ? "; a file says " + o->get_single_name() + " = true or false"
                                  : "");
  });
  return o;
}

void App::add(Arguments& all, const Settings& settings, const std::set<const CLI::Option*>& won) {
  for (const auto& [key, value] : settings.values.items()) {
    const CLI::Option* o = option_of(settings, key);
    const std::vector<std::string> texts = texts_of(*o, value, settings.where);
    if (won.contains(o)) continue;
    from_file_["--" + key] = settings.where;
    for (const std::string& text : texts)
      if (text.empty())  // CLI11 takes what follows "--key=" for the value
        all.insert(all.end(), {"--" + key, ""});
      else
        all.push_back("--" + key + "=" + text);
  }
}

void App::parse(const Arguments& arguments, Settings settings) {
  arguments_ = arguments;
  std::string preset;
  const Arguments given = expand(preset);
  std::set<const CLI::Option*> won = named(given);
  for (std::size_t i = 0; i < given.size() && cli.get_option_no_throw("--config"); ++i)
    if (given[i].starts_with("--config="))
      settings = read_settings(given[i].substr(9), name());
    else if (given[i] == "--config" && i + 1 < given.size())
      settings = read_settings(given[i + 1], name());
  if (const auto named_there = settings.values.find("preset");
      named_there != settings.values.end()) {
    require(named_there->is_string(), [&] {
      return settings.where + ": preset: expected a text, found " + named_there->dump();
    });
    if (preset.empty()) preset = named_there->get<std::string>();
    settings.values.erase("preset");
  }
  Arguments of_settings, all;
  add(of_settings, settings, won);
  won.merge(named(of_settings));
  if (!preset.empty()) {
    std::vector<std::string> known;
    for (const auto& [k, v] : presets_) known.push_back(k);
    require_known("--preset", preset, known);
    for (const auto& [key, value] : presets_.at(preset))
      if (!won.contains(cli.get_option("--" + key))) all.push_back("--" + key + "=" + value);
  }
  all.insert(all.end(), of_settings.begin(), of_settings.end());
  all.insert(all.end(), given.begin(), given.end());
  std::reverse(all.begin(), all.end());  // CLI11 takes them from the back
  try {
    cli.parse(std::move(all));
  } catch (const CLI::ExtrasError&) {
    throw UsageError(unexpected());
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) throw;
    throw UsageError(e.what());
  }
  if (requeue_ != stopped) set_stopped_status(requeue_);
}

std::string App::meant(const std::string& name) const {
  std::vector<std::string> known;
  for (const CLI::Option* o : cli.get_options())
    for (const std::string& n : o->get_lnames()) known.push_back("--" + n);
  const auto ours = synonyms_.find(name);
  return ours == synonyms_.end() ? suggestion(name, known) : "; did you mean " + ours->second + "?";
}

std::string App::unexpected() const {
  const std::string first = cli.remaining().front(), name = first.substr(0, first.find('='));
  if (name.starts_with("-")) return "the option " + name + " is unknown" + meant(name);
  std::vector<std::string> verbs;
  for (const auto& [verb, run] : verbs_) verbs.push_back(verb);
  return "unexpected argument '" + first + "'" + suggestion(first, verbs);
}

std::string App::located(const std::string& sentence) const {
  const auto file = from_file_.find(sentence.substr(0, sentence.find(':')));
  return file == from_file_.end() ? sentence : file->second + ": " + sentence;
}

void App::say(std::string sentence) const {
  sentence = located(sentence);
  std::replace(sentence.begin(), sentence.end(), '\n',
               ' ');  // of an argument or a name of a file: a sentence is one line
  complain(cli.get_name() + ": " + sentence);
}

int App::run(const Arguments& arguments, const std::function<int()>& body) {
  tame_system();
  if (!arguments.empty())
    if (const auto verb = verbs_.find(arguments[0]); verb != verbs_.end())
      return verb->second({arguments.begin() + 1, arguments.end()});
  return guarded([&] {
    parse(arguments);
    if (print_.empty()) return body();
    require_known("--print-config", print_, {"toml", "json"});
    const Json all = options(true);
    write_out(print_ == "toml" ? to_toml(all)
                               : all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    return 0;
  });
}

int App::guarded(const std::function<int()>& body) const {
  try {
    return body();
  } catch (const CLI::Success& e) {
    return cli.exit(e);
  } catch (const Stopped&) {
    say("stopped by a signal");
    return stopped_status();
  } catch (const Error& e) {
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
