#include "progress.hpp"

#include <unistd.h>

#include <rnx/train/log.hpp>

namespace tools {

using namespace rnx;

Display::Display(const std::string& how)
    : how_(how == "auto" ? (::isatty(1) ? "bar" : "plain") : how) {}

void Display::operator()(const train::Progress& p) {
  if (how_ == "off" || (!p.epoch_end && p.seconds - shown_ < (how_ == "bar" ? 0.2 : 10))) return;
  shown_ = p.seconds;
  if (how_ == "json")
    print_line(stdout, train::progress_json(p).dump());
  else if (how_ == "plain")
    print_line(stdout, train::progress_line(p));
  else if (std::fputs(
               ("\r\033[K" + train::progress_line(p, 24) + (p.epoch_end ? "\n" : "")).c_str(),
               stdout) >= 0)
    std::fflush(stdout);
}

}  // namespace tools
