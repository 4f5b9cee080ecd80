// 07: ship a classifier: load weights, decode a picture, print its class.
//   07_ship MODEL.safetensors PICTURE.jpg      (without arguments: untrained weights and the
//   picture beside this file)
#include <rnx/net.hpp>
#include <rnx/data/image.hpp>
#include <rnx/io.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>

using namespace rnx;

using Net = Network<models::ResNet20<10>, Shape<3, 32, 32>>;

int classify(const char* weights, const char* picture) {
  Net net;
  io::load_model(weights, net);  // a file of another network is refused: names, a self-test
  const data::Picture decoded =
      data::decode_image(io::read_file<std::vector<std::byte>>(picture), picture);
  const data::Picture image = data::resize(decoded, 32, 32);
  std::vector<float> pixels(image.pixels.begin(), image.pixels.end());  // (h, w, c)
  for (float& p : pixels) p /= 255;  // normalisation is inside the model
  auto trace = net.make_trace({.use = Use::infer, .capacity = 1});
  const auto logits =
      to_host(net.forward(trace, View<const float>{pixels.data(), 1, net.input_dims(), 3}, {}));
  const int best = int(std::max_element(logits.begin(), logits.end()) - logits.begin());
  const char* names[] = {"airplane", "automobile", "bird",  "cat",  "deer",
                         "dog",      "frog",       "horse", "ship", "truck"};
  std::printf("%s: %s\n", picture, names[best]);
  return 0;
}

int main(int argc, char** argv) try {
  if (argc == 3) return classify(argv[1], argv[2]);
  io::save_model("untrained.safetensors", Net(1));
  return classify("untrained.safetensors",
                  (std::filesystem::path(__FILE__).parent_path() / "07_picture.jpg").c_str());
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return e.exit_code();
}
