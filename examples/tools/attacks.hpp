// Attacks as text: NAME or NAME:key=value,key=value.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <rnx/eval.hpp>

namespace tools {

/// The names, as --help lists them, with their keys.
std::string attack_names();
/// Whether the attack of that name climbs a loss that can be chosen.
bool takes_loss(const std::string& name);
/// Losses that attacks climb.
const std::vector<std::string>& loss_names();

/// The step of an attack where none was given: 2/255 in linf, a fifth of the radius in l2. Errors:
/// UsageError.
std::string default_step(const std::string& norm, const std::string& eps);

/// An attack in a norm and with a radius.
struct AttackText {
  std::string text{};  ///< with every parameter spelled out
  bool clean = false;
  std::string norm{}, eps_text{};
  std::string surrogate{};  ///< checksum of the weights' file that it reads; empty: none
  /// Clean and attacked predictions.
  std::function<rnx::eval::Accuracy(const rnx::NetworkBase<float>&, const rnx::data::Source&,
                                    const rnx::eval::Options&)>
      run{};

  /// loss: of attacks that climb one and whose text names none. Errors: UsageError that names the
  /// part; a radius or step out of range. FileError (the weights of a surrogate).
  static AttackText parse(const std::string& text, const std::string& norm, const std::string& eps,
                          const std::string& loss = "ce");
};

}  // namespace tools
