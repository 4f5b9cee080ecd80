// rnx-train as a part of another program: a command line, and the run that it asks for.
#pragma once

#include "../sweep.hpp"
#include "phases.hpp"

namespace training {

/// A command line of rnx-train, and what it says.
struct Program {
  tools::App app{
      "rnx-train",
      "Trains a small robust image classifier into a run directory that can be resumed."};
  Arguments a{};
  Program() { add_options(a, app); }
  Program(const Program&) = delete;

  /// The four phases; the exit code. Errors: UsageError, FileError.
  int train();
};

/// Reads a run's options and refuses what can be refused before work. Errors: UsageError,
/// FileError.
tools::SweepRow read_row(const tools::App::Arguments& arguments, const tools::Settings& settings);

}  // namespace training
