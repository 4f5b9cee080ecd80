// What the executables share: the exit codes, attacks as text, progress lines.
#pragma once

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <rnx/rnx.hpp>

namespace tools {

/// Runs `body` and turns every error into one sentence on stderr and its exit code: 2 usage, 3 file rejected, 1 otherwise.
template <class Body>
int guarded(CLI::App& app, int argc, char** argv, Body body) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  try {
    body();
    return 0;
  } catch (const rnx::Error& e) {
    fmt::print(stderr, "{}: {}\n", app.get_name(), e.what());
    return e.exit_code();
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}: {}\n", app.get_name(), e.what());
    return 1;
  }
}

/// "clean", "fgsm" or "pgd:steps=20,step=2/255,restarts=1,start=none|random". Errors: UsageError that names the part.
struct AttackText {
  bool clean = false;
  int steps = 20, restarts = 1;
  rnx::Rational step = rnx::px(2);
  rnx::attack::Start start = rnx::attack::Start::random;

  static AttackText parse(const std::string& text, rnx::Rational eps) {
    AttackText a;
    const auto colon = text.find(':');
    const std::string kind = text.substr(0, colon);
    if (kind == "clean") return a.clean = true, a;
    if (kind == "fgsm") return a.steps = 1, a.step = eps, a.start = rnx::attack::Start::clean, a;
    rnx::require(kind == "pgd", [&] { return "--attack: '" + kind + "' is unknown; known are clean, fgsm, pgd"; });
    std::string rest = colon == text.npos ? "" : text.substr(colon + 1);
    const auto count = [](const std::string& key, const std::string& value) {
      const double v = rnx::Rational::parse(value, "--attack " + key);
      rnx::require(v >= 1 && v == int(v), [&] { return "--attack: " + key + " must be a positive whole number, found '" + value + "'"; });
      return int(v);
    };
    while (!rest.empty()) {
      const auto comma = rest.find(',');
      const std::string part = rest.substr(0, comma), key = part.substr(0, part.find('=')), value = part.find('=') == part.npos ? "" : part.substr(part.find('=') + 1);
      rest = comma == rest.npos ? "" : rest.substr(comma + 1);
      if (key == "steps") a.steps = count(key, value);
      else if (key == "restarts") a.restarts = count(key, value);
      else if (key == "step") a.step = rnx::Rational::parse(value, "--attack step");
      else if (key == "start" && (value == "none" || value == "random")) a.start = value == "none" ? rnx::attack::Start::clean : rnx::attack::Start::random;
      else throw rnx::UsageError("--attack: '" + part + "' is not understood; keys are steps, step, restarts and start=none|random");
    }
    return a;
  }
};

/// Clean and attacked accuracy in the norm of that name. Errors: UsageError (an unknown norm).
inline rnx::eval::Accuracy evaluate(const rnx::NetworkBase<float>& net, const rnx::data::Images& images, const rnx::eval::Options& options, const std::string& norm,
                                    rnx::Rational eps, const AttackText& a) {
  const auto with = [&]<class N>(N) {
    const rnx::attack::Pgd<N> pgd{.eps = eps, .step = a.step, .steps = a.steps, .start = a.start, .seed = options.seed};
    return rnx::eval::accuracy(net, images, options, a.clean ? nullptr : &pgd);
  };
  if (norm == "linf") return with(rnx::norm::Linf{});
  if (norm == "l2") return with(rnx::norm::L2{});
  throw rnx::UsageError("--norm: '" + norm + "' is unknown; known are linf and l2");
}

/// Sets normalize.mean and normalize.std to CIFAR-10's statistics, where the model has them.
inline void set_cifar10_normalisation(rnx::NetworkBase<float>& net) {
  for (const auto& b : net.graph().buffers) {
    if (b.name == "normalize.mean") net.set(b.name, std::vector<float>{.4914f, .4822f, .4465f});
    if (b.name == "normalize.std") net.set(b.name, std::vector<float>{.2471f, .2435f, .2616f});
  }
}

}  // namespace tools
