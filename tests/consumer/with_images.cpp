#include <cstdio>

#include <rnx/data/image.hpp>
#include <rnx/io/file.hpp>

int main() {
  const auto bytes = rnx::io::read_file<std::vector<std::byte>>(RNX_PICTURE);
  const rnx::data::Picture picture = rnx::data::decode_image(bytes, RNX_PICTURE);
  std::printf("%zu pixels\n", picture.pixels.size());
  return picture.pixels.empty() ? 1 : 0;
}
