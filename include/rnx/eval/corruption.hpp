// Accuracy under the common corruptions (Hendrycks & Dietterich 2019), and paired intervals for the
// difference of two networks.
#pragma once

#include <array>
#include <numeric>
#include <span>
#include <vector>

#include "rnx/core/rng.hpp"
#include "rnx/data/corruption/constants.hpp"
#include "rnx/data/draws.hpp"
#include "rnx/eval/accuracy.hpp"
#include "rnx/eval/interval.hpp"

namespace rnx::inline RNX_ISA::eval {

/// Errors of ResNet-18 on Tiny-ImageNet-C by which paper 000's code divides, in data::Corruption's
/// order.
inline constexpr std::array<double, data::corruption::benchmark_count> tiny_imagenet_reference{
    .8037, .7597, .7758, .8426, .8274, .7907, .8212, .7497,
    .7381, .7433, .6800, .8939, .7308, .6121, .6452};

/// Which images a network gets right under each corruption and severity. The image is the unit:
/// all its versions are of one sample.
class CorruptionScores {
 public:
  /// One corrupted version of all images, whether each is right. Errors: UsageError (a severity
  /// out of range, another number of images than before, a version that is there).
  void add(data::Corruption kind, int severity, std::span<const std::uint8_t> right) {
    require(severity >= 1 && severity <= 5, [&] {
      return "corruptions: expected a severity from 1 to 5, found " + std::to_string(severity);
    });
    require(!right.empty() && (images_ == 0 || right.size() == images_), [&] {
      return "corruptions: expected " + std::to_string(images_) + " images, found " +
             std::to_string(right.size());
    });
    std::vector<std::uint8_t>& version = versions_[std::size_t(kind)][std::size_t(severity - 1)];
    require(version.empty(), [&] {
      return "corruptions: " + std::string(data::corruption::names[std::size_t(kind)]) +
             " of severity " + std::to_string(severity) + " is there already";
    });
    images_ = right.size();
    version.assign(right.begin(), right.end());
  }
  void add(data::Corruption kind, int severity, const Accuracy& accuracy) {
    std::vector<std::uint8_t> right;
    for (const Sample& s : accuracy.samples) right.push_back(s.label == s.clean);
    add(kind, severity, right);
  }

  /// The mean over severities. Errors: UsageError (one of the five is missing).
  double accuracy(data::Corruption kind) const {
    double sum = 0;
    for (int severity = 1; severity <= 5; ++severity) {
      const std::vector<std::uint8_t>& version = of(kind, severity);
      sum += std::accumulate(version.begin(), version.end(), 0.0) / double(images_);
    }
    return sum / 5;
  }
  /// Natural perturbation accuracy: the mean over the benchmark's 15 corruptions, in [0, 1].
  double npa() const {
    double sum = 0;
    for (int k = 0; k < data::corruption::benchmark_count; ++k)
      sum += accuracy(data::Corruption(k));
    return sum / data::corruption::benchmark_count;
  }
  /// Mean corruption error as it is used with CIFAR: 1 - npa().
  double mce() const { return 1 - npa(); }
  /// Errors over those of a reference, corruption by corruption: the mean of the quotients.
  double mce(std::span<const double, data::corruption::benchmark_count> reference) const {
    double sum = 0;
    for (std::size_t k = 0; k < reference.size(); ++k)
      sum += (1 - accuracy(data::Corruption(k))) / reference[k];
    return sum / double(reference.size());
  }
  /// The share of an image's 75 versions that is right: npa() is the mean.
  std::vector<double> per_image() const {
    std::vector<double> shares(images_);
    for (int k = 0; k < data::corruption::benchmark_count; ++k)
      for (int severity = 1; severity <= 5; ++severity) {
        const std::vector<std::uint8_t>& version = of(data::Corruption(k), severity);
        for (std::size_t i = 0; i < images_; ++i) shares[i] += version[i];
      }
    for (double& s : shares) s /= 5 * data::corruption::benchmark_count;
    return shares;
  }

 private:
  const std::vector<std::uint8_t>& of(data::Corruption kind, int severity) const {
    const std::vector<std::uint8_t>& version =
        versions_[std::size_t(kind)][std::size_t(severity - 1)];
    require(!version.empty(), [&] {
      return "corruptions: " + std::string(data::corruption::names[std::size_t(kind)]) +
             " of severity " + std::to_string(severity) + " is missing";
    });
    return version;
  }
  std::size_t images_ = 0;
  std::array<std::array<std::vector<std::uint8_t>, 5>, data::corruption::names.size()> versions_{};
};

/// A difference of two means over the same images, with limits.
struct Difference {
  double value = 0, low = 0, high = 0;
};

/// mean(a) - mean(b) with its 95 % percentile interval of a bootstrap over images (Efron &
/// Tibshirani 1993, section 13.3). Errors: UsageError (lists of other lengths, none).
inline Difference paired_bootstrap(std::span<const double> a, std::span<const double> b,
                                   int resamples = 10000, std::uint64_t seed = 0) {
  require(a.size() == b.size() && !a.empty() && resamples >= 100, [&] {
    return "paired_bootstrap: expected two lists of one length and 100 resamples or more, found " +
           std::to_string(a.size()) + " and " + std::to_string(b.size()) + " numbers, " +
           std::to_string(resamples) + " resamples";
  });
  const std::size_t n = a.size();
  std::vector<double> difference(n), means;
  for (std::size_t i = 0; i < n; ++i) difference[i] = a[i] - b[i];
  for (int r = 0; r < resamples; ++r) {
    data::Draws draws(rng::Stream(seed, Purpose::test, std::uint64_t(r)));
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += difference[draws.below(std::uint32_t(n))];
    means.push_back(sum / double(n));
  }
  std::sort(means.begin(), means.end());
  const auto at = [&](double share) {
    return means[std::size_t(std::lround(share * double(resamples - 1)))];
  };
  return {.value = std::accumulate(difference.begin(), difference.end(), 0.0) / double(n),
          .low = at(0.025),
          .high = at(0.975)};
}

}  // namespace rnx::inline RNX_ISA::eval
