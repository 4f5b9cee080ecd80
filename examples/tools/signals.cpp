#include "signals.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <unistd.h>

#include <rnx/core/error.hpp>

namespace tools {
namespace {

std::atomic<bool> stop_flag{false};
std::atomic<const char*> finished_first{nullptr};
std::atomic<int> status{stopped};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free &&
              std::atomic<const char*>::is_always_lock_free);

void say(const char* text) {
  [[maybe_unused]] const ::ssize_t put = ::write(2, text, std::strlen(text));
}

void answer(int signal) {
  const int before = errno;
  const char* until = finished_first.load();
  if (!until) {
    say("stopped by a signal\n");
    ::_exit(status.load());
  }
  if (!stop_flag.exchange(true)) {
    say("stopping after ");
    say(until);
    say("; a second signal ends at once\n");
  }
  // somebody who presses again means it; a hangup or a warning comes twice by itself, from a shell
  // and from the system
  if (signal == SIGINT || signal == SIGTERM) std::signal(signal, SIG_DFL);
  errno = before;
}

void take(int signal) {
  struct sigaction old {};
  if (::sigaction(signal, nullptr, &old) == 0 && old.sa_handler == SIG_IGN) return;
  struct sigaction action {};
  action.sa_handler = answer;
  action.sa_flags = SA_RESTART;
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

int stopped_status() { return status.load(); }
void set_stopped_status(int code) { status.store(code); }

const std::atomic<bool>& stop_on_signals() {
  static const bool once = [] {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) take(signal);
    return true;
  }();
  (void)once;
  return stop_flag;
}

void work_begins(const char* until) { finished_first.store(until); }

void check_stop() {
  if (stop_flag.load()) throw rnx::Stopped("stopped by a signal");
}

}  // namespace tools
