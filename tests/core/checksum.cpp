// XXH3-64 with seed 0: the values of xxHash's own test (its buffer of bytes from a multiplicative
// generator), of texts as xxhsum prints them, and bytes in pieces.
#include <doctest/doctest.h>

#include <utility>

#include <rnx/core/checksum.hpp>

using namespace rnx;

namespace {

/// The first bytes of the buffer of xxHash's test.
std::string published_bytes(std::size_t count) {
  std::string bytes;
  for (std::uint64_t g = 2654435761u; bytes.size() < count; g *= 11400714785074694797u)
    bytes += char(g >> 56);
  return bytes;
}
std::string text_of(std::string_view bytes) { return Checksum().add(bytes).text(); }

}  // namespace

TEST_CASE("checksums are XXH3-64: published values") {
  CHECK(Checksum().value() == 0x2D06800538D394C2u);
  const std::pair<std::size_t, std::uint64_t> published[] = {
      {1, 0xC44BDFF4074EECDBu},    {6, 0x27B56A84CD2D7325u},    {12, 0xA713DAF0DFBB77E7u},
      {24, 0xA3FE70BF9D3510EBu},   {48, 0x397DA259ECBA1F11u},   {80, 0xBCDEFBBB2C47C90Au},
      {195, 0xCD94217EE362EC3Au},  {403, 0xCDEB804D65C6DEA4u},  {512, 0x617E49599013CB6Bu},
      {2048, 0xDD59E2C3A5F038E0u}, {2240, 0x6E73A90539CF2948u}, {2367, 0xCB37AEB9E5D361EDu}};
  for (const auto& known : published)
    CHECK_MESSAGE(Checksum().add(published_bytes(known.first)).value() == known.second,
                  known.first);
}

TEST_CASE("checksums as text: what xxhsum -H3 prints") {
  CHECK(text_of("") == "2d06800538d394c2");
  CHECK(text_of("abc\n") == "079364cbfdf9f4cb");
}

TEST_CASE("checksums of pieces are those of the whole; an empty piece changes nothing") {
  const std::string bytes = published_bytes(2367), whole = text_of(bytes);
  for (const std::size_t size : {1, 7, 64, 255, 256, 257, 1024}) {
    Checksum pieces;
    for (std::size_t at = 0; at < bytes.size(); at += size)
      pieces.add(std::string_view(bytes).substr(at, size)).add(nullptr, 0);
    CHECK_MESSAGE(pieces.text() == whole, size);
  }
  Checksum first;
  first.add(std::string_view(bytes).substr(0, 1000));
  Checksum copy = first;  // goes on by itself
  CHECK(copy.add(std::string_view(bytes).substr(1000)).text() == whole);
  CHECK(first.text() == text_of(bytes.substr(0, 1000)));
}
