#include "progress.hpp"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include <rnx/train/log.hpp>

#include "outputs.hpp"
#include "words.hpp"

namespace tools {

using namespace rnx;

Display::Display(const std::string& how) : how_(how) {
  require_known("--progress", how, {"auto", "bar", "plain", "json", "off"});
  if (how == "auto") how_ = ::isatty(1) ? "bar" : "plain";
}

Display::~Display() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
    if (on_line_) print("", false);
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Display::operator()(const train::Progress& p) {
  if (how_ == "off" || (!p.epoch_end && p.seconds - shown_ < interval() / 4)) return;
  shown_ = p.seconds;
  const std::string line =
      json() ? train::progress_json(p).dump() : train::progress_line(p, how_ == "bar" ? 24 : 0);
  if (!p.epoch_end) return show({.line = line});
  const std::lock_guard lock(mutex_);
  state_ = {};
  print(line, true);
}

std::function<void(std::size_t, std::size_t)> Display::counting(const std::string& what) {
  show({.what = what});
  return [this](std::size_t done, std::size_t of) {
    const std::lock_guard lock(mutex_);
    state_.done = done;
    state_.of = of;
  };
}

void Display::say(const std::string& line) {
  if (quiet()) return;
  const std::lock_guard lock(mutex_);
  print(line, true);
}

void Display::show(State state) {
  if (how_ == "off") return;
  const std::lock_guard lock(mutex_);
  state_ = std::move(state);
  if (!thread_.joinable()) thread_ = std::thread([this] { keep_printing(); });
}

/// The lock is held. end: the line stays.
void Display::print(const std::string& line, bool end) {
  printed_ = Clock::now();
  if (how_ != "bar") return print_line(stdout, line);
  const std::string all = (on_line_ ? "\r\033[K" : "") + line + (end ? "\n" : "");
  on_line_ = !end && !line.empty();
  if (std::fputs(all.c_str(), stdout) >= 0) std::fflush(stdout);
}

/// "natural, PGD-20: 250/1000 images, 31 img/s, eta 0:24"; empty: nothing is going on.
std::string Display::text() const {
  if (!state_.line.empty() || state_.what.empty()) return state_.line;
  const double seconds = std::chrono::duration<double>(Clock::now() - state_.began).count();
  if (json())
    return nlohmann::ordered_json{
        {"phase", state_.what}, {"done", state_.done}, {"of", state_.of}, {"seconds", seconds}}
        .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  std::string line = state_.what + ": ";
  if (state_.of)
    line += std::to_string(state_.done) + "/" + std::to_string(state_.of) + " images, ";
  if (state_.done) {
    const double rate = double(state_.done) / seconds;
    line += fixed_text(rate, rate < 10 ? 1 : 0) + " img/s, eta " +
            train::clock_text(double(state_.of - state_.done) / rate) + ", ";
  }
  return line + "for " + train::clock_text(seconds);
}

void Display::keep_printing() {
  std::unique_lock lock(mutex_);
  const auto every =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(interval()));
  while (!ends_) {
    if (wake_.wait_until(lock, printed_ + every, [this] { return ends_; })) return;
    if (Clock::now() - printed_ < every) continue;  // somebody else has printed
    const std::string line = text();
    if (line.empty() && !on_line_)
      printed_ = Clock::now();
    else
      print(line, false);
  }
}

}  // namespace tools
