// Models that were compiled beforehand, for programs that link rnx::compiled: they compile in
// seconds, and one binary runs with the vectors of each processor. For networks of one's own types
// include <rnx/rnx.hpp> instead.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rnx/core.hpp"

namespace rnx::inline RNX_ABI::compiled {

/// What a model is made with.
struct ModelOptions {
  int classes = 10;
  std::uint64_t seed = 0;  ///< of the first weights
  Dims in{3, 32, 32};      ///< shape of one image
};

/// PGD (Madry et al. 2018) in Linf on the cross-entropy, from a random start in the ball.
struct PgdOptions {
  double eps = 8.0 / 255;
  double step = 2.0 / 255;
  int steps = 20;
  std::uint64_t seed = 0;
  int path = 0;  ///< batch-norm path
};

/// One network. Images: n of them, (n, h, w, c) in [0, 1]. const members may be called by several
/// threads at once. Errors are those of the library.
class Model {
 public:
  Model() = default;
  Model(const Model&) = delete;
  virtual ~Model() = default;

  virtual const std::string& name() const = 0;
  virtual Dims input_dims() const = 0;
  virtual int classes() const = 0;
  virtual std::size_t parameter_count() const = 0;

  /// (n, classes), in eval mode. Throws ShapeError where the images are not a whole number of them.
  virtual std::vector<float> logits(std::span<const float> images, int path = 0) const = 0;
  /// Gradient of each sample's cross-entropy in its image, of the shape of the images.
  virtual std::vector<float> input_gradient(std::span<const float> images,
                                            std::span<const std::int32_t> labels,
                                            int path = 0) const = 0;
  /// Adversarial images, of the shape of the images.
  virtual std::vector<float> pgd(std::span<const float> images,
                                 std::span<const std::int32_t> labels,
                                 const PgdOptions& options = {}) const = 0;

  /// Weights and statistics from a safetensors file; after an error they are what they were.
  virtual void load(const std::filesystem::path& file) = 0;
  virtual void save(const std::filesystem::path& file) const = 0;
};

/// The instruction set in use: "plain", "avx2" or "avx512"; the environment variable
/// RNX_INSTRUCTION_SET overrides what the processor has. Throws UsageError where it cannot.
std::string instruction_set();
/// Of the models that were compiled (RNX_MODELS).
std::vector<std::string> names();
/// A model of one of these names. Throws UsageError, listing what there is, when the name, the
/// shape or the number of classes is unknown.
std::unique_ptr<Model> make(const std::string& name, const ModelOptions& options = {});

}  // namespace rnx::inline RNX_ABI::compiled
