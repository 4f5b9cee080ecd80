// What signals do: SIGINT, SIGTERM, SIGHUP (a terminal that closes) and SIGUSR1 (a batch system's
// warning) end a program with exit code 75. One that was ignored when the program started stays
// ignored.
#pragma once

#include <atomic>

namespace tools {

/// The exit code after a signal, unless set_stopped_status() said another one.
inline constexpr int stopped = 75;
int stopped_status();
void set_stopped_status(int code);

/// Answers the signals from now on; true after the first one. Until work_begins() nothing would be
/// lost, and a signal ends the program at once. After it a signal is answered with one line on
/// stderr; a second SIGINT or SIGTERM ends the program.
const std::atomic<bool>& stop_on_signals();

/// From now on a signal only asks. `until`, a literal: what is finished first, as in "stopping
/// after this step".
void work_begins(const char* until);

/// Throws rnx::Stopped after a signal.
void check_stop();

}  // namespace tools
