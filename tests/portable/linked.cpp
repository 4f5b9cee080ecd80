// A program of plain code that links rnx::compiled: models, attacks, files and errors cross over.
#include <rnx/compiled.hpp>

#include <cstdio>
#include <cstdlib>

namespace {

int failed = 0;
void check(bool right, const char* what) {
  if (right) return;
  ++failed;
  std::printf("FAIL %s\n", what);
}

}  // namespace

int main() {
  using namespace rnx;
  std::printf("%s\n", compiled::instruction_set().c_str());
  const std::vector<std::string> names = compiled::names();
  check(!names.empty(), "there are models");
  const auto net = compiled::make("dnn", {.classes = 5, .seed = 1, .in = {1, 28, 28}});
  check(net->name() == "dnn" && net->classes() == 5 && net->input_dims() == Dims{1, 28, 28},
        "a model is what was asked for");
  const std::size_t n = 7, each = 28 * 28;
  std::vector<float> images(n * each);
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = float(i * 7 % 31) / 31;
  const std::vector<std::int32_t> labels{0, 1, 2, 3, 4, 0, 1};
  const std::vector<float> z = net->logits(images);
  check(z.size() == n * 5, "logits of every image");

  const auto dx = net->input_gradient(images, labels);
  bool moves = false;
  for (float g : dx) moves = moves || g != 0;
  check(dx.size() == images.size() && moves, "an input gradient");
  const auto adversarial = net->pgd(images, labels, {.steps = 5, .seed = 3});
  float largest = 0;
  for (std::size_t i = 0; i < images.size(); ++i)
    largest = std::max(largest, std::abs(adversarial[i] - images[i]));
  check(largest > 7.9f / 255 && largest <= 8.01f / 255, "an attack fills its ball");

  net->save("linked.safetensors");
  const auto other = compiled::make("dnn", {.classes = 5, .seed = 2, .in = {1, 28, 28}});
  check(other->logits(images) != z, "other weights, other logits");
  other->load("linked.safetensors");
  check(other->logits(images) == z, "a file brings the logits back");

  const auto refused = [&](auto call, const char* what) {
    try {
      call();
      check(false, what);
    } catch (const UsageError&) {
    } catch (const ShapeError&) {
    } catch (const FileError&) {}
  };
  refused([&] { compiled::make("dnm"); }, "an unknown name");
  refused([&] { net->logits({images.data(), 10}); }, "a piece of an image");
  refused([&] { net->pgd(images, {labels.data(), 3}); }, "labels that are missing");
  refused([&] { other->load("nowhere.safetensors"); }, "a file that is not there");
  return failed;
}
