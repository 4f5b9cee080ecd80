// safetensors: every rule of the format has a file that breaks it; a round trip; every dtype;
// failed writes leave the old file alone.
#include "support/error_of.hpp"
#include "rnx/io/safetensors.hpp"

#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <new>

#include <sys/resource.h>

// Every allocation of this executable is seen here. Not inlined: g++ would warn of a free() that
// does not belong to a new.
namespace {
std::size_t largest_request = 0;
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  largest_request = std::max(largest_request, size);
  return std::malloc(size ? size : 1);
}
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (void* p = operator new(size, std::nothrow)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }

namespace {

using namespace rnx;
using namespace rnx::io;
namespace fs = std::filesystem;

/// A folder of its own, removed at the end.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("rnx_io_" + std::to_string(::getpid()));
  Folder() {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  std::size_t files() const { return std::size_t(std::distance(fs::directory_iterator(path), {})); }
};

std::string with_length(const std::string& header, std::uint64_t length) {
  return std::string(reinterpret_cast<const char*>(&length), 8) + header;
}
std::string with_header(const std::string& header, std::size_t data = 0) {
  return with_length(header, header.size()) + std::string(data, 'x');
}
bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
SafetensorsFile parse(const std::string& bytes) {
  return SafetensorsFile::parse(std::as_bytes(std::span(bytes)), "f.safetensors");
}

using support::error_of;

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void spit(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// The entry of a tensor, its values as they stand in the JSON.
std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":" + dtype + ",\"shape\":" + shape +
         ",\"data_offsets\":" + offsets + "}";
}
/// A tensor named a, with everything in one place for a row of the table.
std::string a(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return entry("a", dtype, shape, offsets);
}
std::string u8(const std::string& name, int begin, int end) {
  return entry(name, "\"U8\"", "[" + std::to_string(end - begin) + "]",
               "[" + std::to_string(begin) + "," + std::to_string(end) + "]");
}

struct Malformed {
  const char* rule;
  std::string bytes;
  std::string sentence;
};

/// Each file gives its sentence, in memory and on disk.
void check_sentences(const std::vector<Malformed>& files) {
  const Folder folder;
  const fs::path path = folder.path / "f.safetensors";
  for (const Malformed& m : files) {
    CAPTURE(m.rule);
    const std::string in_memory = error_of<FileError>([&] { parse(m.bytes); });
    CHECK_MESSAGE(contains(in_memory, m.sentence), in_memory);
    CHECK(in_memory.starts_with("f.safetensors: "));
    CHECK(in_memory.find('\n') == std::string::npos);
    spit(path, m.bytes);
    CHECK(error_of<FileError>([&] { SafetensorsFile::read(path); }) ==
          folder.path.string() + "/" + in_memory);
  }
}

}  // namespace

TEST_CASE("safetensors: a malformed length or first byte gives its sentence") {
  check_sentences({
      {"no bytes", "", "expected at least 8 bytes, found 0"},
      {"shorter than its length", std::string(7, '\0'), "expected at least 8 bytes, found 7"},
      {"header above the limit", with_length("{}", 100'000'001),
       "at most 100000000 bytes, found the length 100000001"},
      {"header of 2^60 bytes", with_length("{}", std::uint64_t(1) << 60),
       "found the length 1152921504606846976"},
      {"header of 2^64-1 bytes", with_length("{}", ~std::uint64_t(0)),
       "found the length 18446744073709551615"},
      {"header longer than the file", with_length("{}", 3),
       "expected a header of 3 bytes, found 2 bytes after its length"},
      {"empty header", with_header(""), "starts with {, found an empty one"},
      {"leading space", with_header(" {}"), "starts with {, found byte 32"},
      {"an array at the top", with_header("[]"), "starts with {, found byte 91"},
      {"byte order mark", with_header("\xEF\xBB\xBF{}"), "starts with {, found byte 239"},
  });
}

TEST_CASE("safetensors: a header that is not UTF-8 gives its sentence") {
  check_sentences({
      {"not UTF-8: lone byte", with_header("{\"\xFF\":1}"),
       "expected UTF-8 in the header, found something else at its byte 2"},
      {"not UTF-8: overlong", with_header("{\"\xC0\xAF\":1}"), "expected UTF-8 in the header"},
      {"not UTF-8: overlong, 3 bytes", with_header("{\"\xE0\x80\x80\":1}"),
       "expected UTF-8 in the header"},
      {"not UTF-8: overlong, 4 bytes", with_header("{\"\xF0\x80\x80\x80\":1}"),
       "expected UTF-8 in the header"},
      {"not UTF-8: surrogate", with_header("{\"\xED\xA0\x80\":1}"), "expected UTF-8 in the header"},
      {"not UTF-8: above U+10FFFF", with_header("{\"\xF4\x90\x80\x80\":1}"),
       "expected UTF-8 in the header"},
      {"not UTF-8: cut", with_header("{\"\xE4\xB8"),
       "expected UTF-8 in the header, found something else at its byte 2"},
  });
}

TEST_CASE("safetensors: a header that is not JSON gives its sentence") {
  check_sentences({
      {"not JSON", with_header("{\"a\":}"),
       "expected JSON in the header, found an error at its byte 6"},
      {"not JSON: single quotes", with_header("{'a':1}"), "expected JSON in the header"},
      {"not JSON: trailing comma", with_header("{" + u8("a", 0, 1) + ",}", 1),
       "expected JSON in the header"},
      {"not JSON: cut", with_header("{"), "expected JSON in the header"},
      {"not JSON: text after it", with_header("{} x"), "expected JSON in the header"},
      {"not JSON: a comment", with_header("{}/**/"), "expected JSON in the header"},
      {"not JSON: NaN", with_header("{\"a\":NaN}"), "expected JSON in the header"},
      {"not JSON: lone surrogate", with_header("{\"\\ud800\":1}"), "expected JSON in the header"},
      {"not JSON: padded with zeros", with_header(std::string("{}\0\0", 4)),
       "found a zero byte at its byte 2"},
      {"not JSON: zero byte hides text", with_header(std::string("{}\0{", 4)),
       "found a zero byte at its byte 2"},
  });
}

TEST_CASE("safetensors: a name that stands twice gives its sentence") {
  check_sentences({
      {"the same tensor twice", with_header("{" + u8("a", 0, 1) + "," + u8("a", 0, 1) + "}", 1),
       "expected each tensor once, found \"a\" twice"},
      {"the same name, escaped",
       with_header("{" + u8("a", 0, 1) + "," + u8("\\u0061", 1, 2) + "}", 2), "found \"a\" twice"},
      {"metadata twice", with_header(R"({"__metadata__":{},"__metadata__":{}})"),
       "expected __metadata__ once, found it twice"},
      {"a metadata key twice", with_header(R"({"__metadata__":{"k":"1","k":"2"}})"),
       "each key of __metadata__ once, found \"k\" twice"},
      {"dtype twice", with_header(R"({"a":{"dtype":"U8","dtype":"U8"}})"),
       "tensor \"a\": expected dtype once, found it twice"},
  });
}

TEST_CASE("safetensors: metadata of another type gives its sentence") {
  check_sentences({
      {"metadata no object", with_header(R"({"__metadata__":"k"})"),
       "__metadata__: expected an object of strings, found the string \"k\""},
      {"metadata null", with_header(R"({"__metadata__":null})"),
       "__metadata__: expected an object of strings, found null"},
      {"metadata number", with_header(R"({"__metadata__":{"k":1}})"),
       "__metadata__: expected a string for \"k\", found 1"},
      {"metadata nested", with_header(R"({"__metadata__":{"k":{}}})"),
       "__metadata__: expected a string for \"k\", found an object"},
      {"metadata array", with_header(R"({"__metadata__":{"k":[]}})"),
       "__metadata__: expected a string for \"k\", found an array"},
  });
}

TEST_CASE("safetensors: a tensor that is no object of exactly its three keys gives its sentence") {
  check_sentences({
      {"tensor no object", with_header(R"({"a":[]})"),
       "tensor \"a\": expected an object, found an array"},
      {"tensor true", with_header(R"({"a":true})"), "tensor \"a\": expected an object, found true"},
      {"no dtype", with_header(R"({"a":{"shape":[1],"data_offsets":[0,1]}})", 1),
       "expected dtype, shape and data_offsets, found no dtype"},
      {"no shape", with_header(R"({"a":{"dtype":"U8","data_offsets":[0,1]}})", 1),
       "found no shape"},
      {"no offsets", with_header(R"({"a":{"dtype":"U8","shape":[1]}})", 1),
       "found no data_offsets"},
      {"nothing", with_header(R"({"a":{}})"), "found no dtype"},
      {"another key", with_header(R"({"a":{"codec":"zip"}})"),
       "expected dtype, shape and data_offsets, found the key \"codec\""},
  });
}

TEST_CASE("safetensors: a malformed dtype gives its sentence") {
  check_sentences({
      {"unknown dtype", with_header("{" + a("\"Q4\"", "[1]", "[0,1]") + "}", 1),
       "as dtype, found \"Q4\""},
      {"dtype in small letters", with_header("{" + a("\"f32\"", "[1]", "[0,4]") + "}", 4),
       "expected one of F64 F32 F16 BF16 I64"},
      {"dtype no string", with_header("{" + a("32", "[1]", "[0,4]") + "}", 4),
       "as dtype, found 32"},
      {"dtype an array", with_header("{" + a("[\"F32\"]", "[1]", "[0,4]") + "}", 4),
       "as dtype, found an array"},
  });
}

TEST_CASE("safetensors: a malformed shape gives its sentence") {
  const std::string u = "\"U8\"";
  const std::string range = "expected integers from 0 to 2^63 in shape, found ";
  check_sentences({
      {"shape no array", with_header("{" + a(u, "1", "[0,1]") + "}", 1),
       "expected an array of integers as shape, found 1"},
      {"shape a string", with_header("{" + a(u, "\"1\"", "[0,1]") + "}", 1),
       "expected an array of integers as shape, found the string"},
      {"shape negative", with_header("{" + a(u, "[-1]", "[0,1]") + "}", 1), range + "-1"},
      {"shape minus zero", with_header("{" + a(u, "[-0]", "[0,0]") + "}"), range + "-0"},
      {"shape fractional", with_header("{" + a(u, "[1.5]", "[0,1]") + "}", 1), range + "1.5"},
      {"shape 1.0", with_header("{" + a(u, "[1.0]", "[0,1]") + "}", 1), range + "1.0"},
      {"shape 1e400", with_header("{" + a(u, "[1e400]", "[0,1]") + "}", 1), range + "1e400"},
      {"shape above 2^63", with_header("{" + a(u, "[9223372036854775809]", "[0,1]") + "}", 1),
       range + "9223372036854775809"},
      {"shape above 2^64", with_header("{" + a(u, "[18446744073709551616]", "[0,1]") + "}", 1),
       range + "18446744073709551616"},
      {"shape with a string", with_header("{" + a(u, "[\"1\"]", "[0,1]") + "}", 1),
       range + "the string \"1\""},
      {"shape nested", with_header("{" + a(u, "[[1]]", "[0,1]") + "}", 1), range + "an array"},
      {"shape with null", with_header("{" + a(u, "[null]", "[0,1]") + "}", 1), range + "null"},
  });
}

TEST_CASE("safetensors: each fault of data_offsets gives its sentence") {
  const std::string u = "\"U8\"";
  const std::string pair =
      "tensor \"a\": expected two integers from 0 to 2^63 as data_offsets, found ";
  check_sentences({
      {"offsets no array", with_header("{" + a(u, "[1]", "{}") + "}", 1), pair + "an object"},
      {"one offset", with_header("{" + a(u, "[1]", "[0]") + "}", 1), pair + "1 of them"},
      {"three offsets", with_header("{" + a(u, "[1]", "[0,1,1]") + "}", 1),
       pair + "a third number"},
      {"offset negative", with_header("{" + a(u, "[1]", "[-1,0]") + "}", 1), pair + "-1"},
      {"offset fractional", with_header("{" + a(u, "[1]", "[0,0.5]") + "}", 1), pair + "0.5"},
      {"offset above 2^63", with_header("{" + a(u, "[1]", "[0,9223372036854775809]") + "}", 1),
       pair + "9223372036854775809"},
      {"begin after end", with_header("{" + a(u, "[1]", "[1,0]") + "}", 1),
       "expected an end not before the begin, found data_offsets [1, 0]"},
      {"end beyond the data", with_header("{" + a(u, "[2]", "[0,2]") + "}", 1),
       "within the 1 bytes of data, found data_offsets [0, 2]"},
      {"end of 2^63",
       with_header("{" + a(u, "[9223372036854775808]", "[0,9223372036854775808]") + "}", 1),
       "within the 1 bytes of data"},
  });
}

TEST_CASE("safetensors: a size that does not fit the shape and the dtype gives its sentence") {
  const std::string u = "\"U8\"";
  check_sentences({
      {"product of the shape overflows",
       with_header("{" + a(u, "[4294967296,4294967296]", "[0,0]") + "}"),
       "expected a size below 2^64 bytes"},
      {"product wraps to the right size",
       with_header("{" + a(u, "[9223372036854775808,2,1]", "[0,0]") + "}"),
       "size below 2^64 bytes"},
      {"bytes overflow", with_header("{" + a("\"F32\"", "[4611686018427387904]", "[0,0]") + "}"),
       "expected a size below 2^64 bytes"},
      {"size too small", with_header("{" + a("\"F32\"", "[2]", "[0,4]") + "}", 4),
       "expected 8 bytes for its shape and dtype, found data_offsets [0, 4]"},
      {"size too large", with_header("{" + a(u, "[]", "[0,2]") + "}", 2),
       "expected 1 bytes for its shape and dtype"},
      {"empty tensor with bytes", with_header("{" + a(u, "[3,0]", "[0,1]") + "}", 1),
       "expected 0 bytes for its shape and dtype"},
  });
}

TEST_CASE("safetensors: tensors with holes, overlaps or bytes left over give their sentence") {
  check_sentences({
      {"hole at the start", with_header("{" + u8("a", 1, 2) + "}", 2),
       "its begin at byte 0, found data_offsets [1, 2], which leaves a hole"},
      {"hole between", with_header("{" + u8("a", 0, 1) + "," + u8("b", 2, 3) + "}", 3),
       "tensor \"b\": expected its begin at byte 1"},
      {"overlap", with_header("{" + u8("b", 1, 3) + "," + u8("a", 0, 2) + "}", 3),
       "tensor \"b\": expected its begin at byte 2, found data_offsets [1, 3], which overlaps"},
      {"the same bytes twice", with_header("{" + u8("a", 0, 2) + "," + u8("b", 0, 2) + "}", 2),
       "which overlaps the tensor before it"},
      {"an empty tensor inside another",
       with_header("{" + u8("a", 0, 2) + "," + u8("b", 1, 1) + "}", 2),
       "which overlaps the tensor before it"},
      {"bytes after the last tensor", with_header("{" + u8("a", 0, 1) + "}", 2),
       "expected 1 bytes of tensors after the header, found 2"},
      {"bytes and no tensor", with_header("{}", 1),
       "expected 0 bytes of tensors after the header, found 1"},
  });
}

TEST_CASE("safetensors: hostile names and depth stay short in the sentence") {
  std::string name(1000, 'n');
  std::string sentence = error_of<FileError>([&] { parse(with_header("{\"" + name + "\":1}")); });
  CHECK(sentence ==
        "f.safetensors: tensor \"" + std::string(80, 'n') + "...\": expected an object, found 1");
  CHECK(error_of<FileError>([] { parse(with_header("{\"\\n\\u0000\":1}")); }) ==
        "f.safetensors: tensor \"\\x0a\\x00\": expected an object, found 1");
  CHECK(in_quotes(std::string(79, 'n') + "\u00e9\u00e9") == "\"" + std::string(79, 'n') + "...\"");
  const std::string deep = "{\"a\":" + std::string(1'000'000, '[');
  CHECK(error_of<FileError>([&] { parse(with_header(deep)); }) ==
        "f.safetensors: tensor \"a\": expected an object, found an array");
}

TEST_CASE("safetensors: sizes that a file only claims are not allocated") {
  const Folder folder;
  const fs::path path = folder.path / "f.safetensors";
  const std::string claims[] = {
      with_length("{}", std::uint64_t(1) << 60), with_length("{}", 99'999'999),
      with_header("{" + a("\"U8\"", "[1000000000]", "[0,1000000000]") + "}"),
      with_header("{" + a("\"F64\"", "[1152921504606846976]", "[0,9223372036854775808]") + "}")};
  for (const std::string& bytes : claims) {
    spit(path, bytes);
    largest_request = 0;
    CHECK_THROWS_AS(parse(bytes), FileError);
    CHECK_THROWS_AS(SafetensorsFile::read(path), FileError);
    CHECK(largest_request < 4096);
  }
  // a sparse file of 1 TiB, whose header is at fault: rejected before its data are allocated
  spit(path, with_header("{}"));
  std::error_code unsupported;
  fs::resize_file(path, std::uintmax_t(1) << 40, unsupported);
  if (unsupported) {
    MESSAGE("skipped: no sparse files here");
    return;
  }
  largest_request = 0;
  CHECK_THROWS_AS(SafetensorsFile::read(path), FileError);
  CHECK(largest_request < 4096);
}

TEST_CASE("safetensors: what is written is read") {
  const Folder folder;
  const fs::path path = folder.path / "model.safetensors";
  const std::array<float, 6> weight{1, -2, 0.5f, 3e38f, -0.0f, 1e-45f};
  const std::array<double, 2> bias{1.0 / 3, -1e300};
  const std::vector<OutTensor> tensors{{"layer1.0.conv1.weight", Dtype::F32, {2, 3}, weight.data()},
                                       {"empty", Dtype::F64, {4, 0}, nullptr},
                                       {"scale \"\u00e9\"\n", Dtype::F64, {2, 1}, bias.data()},
                                       {"", Dtype::F32, {}, weight.data()}};
  const Metadata metadata{{"format", "pt"}, {"architecture", "{\"a\": \"\u4e2d\"}"}, {"", ""}};
  write_safetensors(path, tensors, metadata);
  CHECK(folder.files() == 1);

  const SafetensorsFile file = SafetensorsFile::read(path);
  CHECK(file.metadata() == metadata);
  REQUIRE(file.entries().size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(file.entries()[i].name == tensors[i].name);
    CHECK(file.entries()[i].shape == tensors[i].shape);
    CHECK(file.find(tensors[i].name) == &file.entries()[i]);
  }
  CHECK(file.find("layer1") == nullptr);
  CHECK(file.values<float>(file.entries()[0]) == std::vector<float>(weight.begin(), weight.end()));
  CHECK(std::signbit(file.values<double>(file.entries()[0])[4]));
  CHECK(file.values<double>(file.entries()[1]).empty());
  CHECK(file.values<double>(file.entries()[2]) == std::vector<double>{1.0 / 3, -1e300});
  CHECK(file.values<float>(file.entries()[3]) == std::vector<float>{1});

  // as the reference pads it
  const std::string bytes = slurp(path);
  CHECK(static_cast<unsigned char>(bytes[0]) % 8 == 0);
  CHECK(bytes.size() == 8 + std::size_t(static_cast<unsigned char>(bytes[0])) +
                            256 * static_cast<unsigned char>(bytes[1]) + 24 + 16 + 4);
  CHECK(
      safetensors_header(std::vector<OutTensor>{{"w", Dtype::F32, {1}, weight.data()}}).substr(8) ==
      "{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}  ");
  CHECK(safetensors_header({}).substr(8) == "{}      ");
  CHECK(safetensors_header({}, {{"k", "v"}}).substr(8) == "{\"__metadata__\":{\"k\":\"v\"}}      ");

  write_safetensors(path, {}, {});
  CHECK(SafetensorsFile::read(path).entries().empty());
}

TEST_CASE("safetensors: a file of the reference, and its order") {
  // the example in the documentation of the reference implementation
  const std::string example = R"({"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}})";
  const SafetensorsFile file = parse(with_header(example) + std::string(16, '\0'));
  CHECK(file.values<std::int32_t>(file.entries().at(0)) == std::vector<std::int32_t>(4, 0));
  const std::string out_of_order =
      u8("z", 2, 3) + "," + u8("e2", 2, 2) + "," + u8("y", 0, 2) + "," + u8("e1", 0, 0);
  const SafetensorsFile mixed = parse(with_header("{" + out_of_order + "}", 3));
  std::string order;
  for (const Entry& e : mixed.entries()) order += e.name + " ";
  CHECK(order == "e1 y e2 z ");
}

TEST_CASE("safetensors: every dtype is read") {
  const auto one = [](const std::string& dtype, auto values) {
    const std::size_t n = values.size(), bytes = n * sizeof values[0];
    const std::string header =
        "{" +
        a("\"" + dtype + "\"", "[" + std::to_string(n) + "]", "[0," + std::to_string(bytes) + "]") +
        "}";
    return parse(with_header(header) +
                 std::string(reinterpret_cast<const char*>(values.data()), bytes));
  };
  const auto as = [](const SafetensorsFile& file, auto type) {
    return file.values<decltype(type)>(file.entries().at(0));
  };
  using Floats = std::vector<float>;
  const float infinity = std::numeric_limits<float>::infinity();

  using Bits = std::vector<std::uint16_t>;
  const auto half = one("F16", Bits{0x0000, 0x8000, 0x0001, 0x83FF, 0x0400, 0x3C00, 0xC000, 0x3555,
                                    0x7BFF, 0x7C00, 0xFC00});
  CHECK(as(half, 0.0f) == Floats{0, 0, 0x1p-24f, -0x3FFp-24f, 0x1p-14f, 1, -2, 0.333251953125f,
                                 65504, infinity, -infinity});
  CHECK(std::signbit(as(half, 0.0)[1]));
  CHECK(std::isnan(as(one("F16", Bits{0x7E01}), 0.0f)[0]));
  const auto brain = one("BF16", Bits{0x3F80, 0xC049, 0x0001, 0x7F80, 0x8000});
  CHECK(as(brain, 0.0f) == Floats{1, -3.140625f, 0x1p-133f, infinity, 0});
  CHECK(std::isnan(as(one("BF16", Bits{0x7FC0}), 0.0)[0]));
  const auto wide = one("F64", std::vector<double>{0.1, -1e-60, 3.4028234663852886e38,
                                                   std::numeric_limits<double>::infinity()});
  CHECK(as(wide, 0.0f) == Floats{0.1f, -0.0f, std::numeric_limits<float>::max(), infinity});
  CHECK(as(wide, 0.0)[1] == -1e-60);
  const auto longs = one("I64", std::vector<std::int64_t>{0, -1, 16777217, INT64_MAX, INT64_MIN});
  CHECK(as(longs, 0.0f) == Floats{0, -1, 16777216, 0x1p63f, -0x1p63f});
  CHECK(as(longs, std::int64_t{}) ==
        std::vector<std::int64_t>{0, -1, 16777217, INT64_MAX, INT64_MIN});
  CHECK(as(one("I32", std::vector<std::int32_t>{-5, 7}), 0.0) == std::vector<double>{-5, 7});
  CHECK(as(one("I16", std::vector<std::int16_t>{-5, 7}), std::int64_t{}) ==
        std::vector<std::int64_t>{-5, 7});
  CHECK(as(one("I8", std::vector<std::int8_t>{-128, 7}), 0.0f) == Floats{-128, 7});
  CHECK(as(one("U8", std::vector<std::uint8_t>{255, 7}), 0) == std::vector<int>{255, 7});
  CHECK(as(one("BOOL", std::vector<std::uint8_t>{0, 1, 2}), 0.0f) == Floats{0, 1, 1});

  // what T cannot hold
  const auto fails = [&](const SafetensorsFile& file, auto type) {
    return error_of<FileError>([&] { as(file, type); });
  };
  CHECK(contains(fails(one("F64", std::vector<double>{1, 1e39}), 0.0f),
                 "tensor \"a\": expected values that fit into float32, found 1e+39 at element 1"));
  CHECK(contains(fails(longs, std::int32_t{}),
                 "fit into int32, found 9223372036854775807 at element 3"));
  CHECK(contains(fails(longs, std::uint64_t{}), "fit into uint64, found -1 at element 1"));
  CHECK(contains(fails(one("F32", std::vector<float>{0.5f}), int{}), "fit into int32, found 0.5"));
  CHECK(contains(fails(one("F32", std::vector<float>{0x1p31f}), int{}), "fit into int32"));
  CHECK(contains(fails(one("F32", std::vector<float>{NAN}), int{}), "fit into int32, found nan"));
  CHECK(as(one("F32", std::vector<float>{-0x1p31f}), int{}) == std::vector<int>{INT32_MIN});

  // an entry of another file
  const SafetensorsFile other = parse(with_header("{}"));
  CHECK(error_of<UsageError>([&] { other.values<float>(longs.entries()[0]); }) ==
        "f.safetensors: tensor \"a\" does not belong to this file");
}

TEST_CASE("safetensors: what cannot be written is refused") {
  const float x = 1;
  const auto refused = [&](std::vector<OutTensor> tensors, Metadata metadata = {}) {
    return error_of<UsageError>([&] { write_safetensors("never.safetensors", tensors, metadata); });
  };
  CHECK(contains(refused({{"a", Dtype::F32, {1}, &x}, {"a", Dtype::F32, {1}, &x}}),
                 "expected each tensor once"));
  CHECK(contains(refused({{"__metadata__", Dtype::F32, {1}, &x}}), "none named __metadata__"));
  CHECK(contains(refused({{"\xFF", Dtype::F32, {1}, &x}}), "expected UTF-8"));
  CHECK(contains(refused({}, {{"k", "\xC0\xAF"}}), "expected UTF-8"));
  CHECK(contains(refused({{"a", Dtype::F32, {1}, nullptr}}), "expected a pointer to its data"));
  CHECK(contains(refused({{"a", Dtype::F32, {SIZE_MAX, 2}, &x}}),
                 "expected a size below 2^64 bytes"));
  CHECK(contains(
      refused({{"a", Dtype::U8, {SIZE_MAX / 4}, &x}, {"b", Dtype::U8, {SIZE_MAX / 2}, &x}}),
      "below 2^63"));
  CHECK_FALSE(fs::exists("never.safetensors"));
}

TEST_CASE("files that cannot be read give one sentence") {
  const Folder folder;
  const auto reading = [](const fs::path& path) {
    return error_of<FileError>([&] { SafetensorsFile::read(path); });
  };
  CHECK(
      contains(reading(folder.path / "none"), "none: cannot be opened: No such file or directory"));
  CHECK(contains(reading(folder.path), "expected a file, found a folder"));
  CHECK(contains(reading("/dev/null"), "expected a regular file"));
  const fs::path pipe = folder.path / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(contains(reading(pipe), "expected a regular file"));  // and does not wait
  spit(folder.path / "shrinks", "12345678");
  InputFile file(folder.path / "shrinks");
  fs::resize_file(folder.path / "shrinks", 3);
  char bytes[8];
  CHECK(contains(error_of<FileError>([&] { file.read(bytes, 8); }),
                 "expected 8 bytes, found its end at byte 3"));
}

TEST_CASE("a failed write leaves the old file and nothing else") {
  const Folder folder;
  const fs::path path = folder.path / "model.safetensors";
  const std::vector<float> values(100'000, 1.5f);
  const std::vector<OutTensor> tensors{{"w", Dtype::F32, {values.size()}, values.data()}};
  spit(path, "old");
  const auto writing = [&](const fs::path& to) {
    return error_of<FileError>([&] { write_safetensors(to, tensors); });
  };

  SUBCASE("no folder") {
    CHECK(contains(writing(folder.path / "none" / "model.safetensors"),
                   "its folder cannot be opened: No such file or directory"));
    CHECK(contains(writing(path / "model.safetensors"),
                   "its folder cannot be opened: Not a directory"));
    CHECK(contains(writing(folder.path / ""), "expected the name of a file"));
  }
  SUBCASE("disk full") {
    // a limit on the size of files fails a write in the same place as a full disk
    struct ::rlimit before {
    }, small{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    small = before;
    small.rlim_cur = 65536;
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    const std::string sentence = writing(path);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    std::signal(SIGXFSZ, handler);
    CHECK_MESSAGE(sentence == path.string() + ": cannot be written: File too large", sentence);
  }
  SUBCASE("the name is a folder's") {
    fs::create_directories(folder.path / "taken" / "inside");
    CHECK(contains(writing(folder.path / "taken"), "taken: cannot be replaced: "));
    CHECK(fs::is_directory(folder.path / "taken" / "inside"));
    fs::remove_all(folder.path / "taken");
  }
  SUBCASE("given up before the end") {
    AtomicFile file(path);
    file.write("new", 3);
    CHECK(folder.files() == 2);
  }
  SUBCASE("a name as long as a name can be") {
    write_safetensors(folder.path / std::string(255, 'n'), tensors);
    fs::remove(folder.path / std::string(255, 'n'));
  }
  SUBCASE("left over from a crash") {
    const fs::path left = folder.path / (".rnx-" + std::to_string(::getpid()) + "-0.tmp");
    spit(left, "left");
    write_safetensors(folder.path / "other", tensors);
    CHECK(slurp(left) == "left");
    fs::remove(left);
    fs::remove(folder.path / "other");
  }
  CHECK(slurp(path) == "old");
  CHECK(folder.files() == 1);
  write_safetensors(path, tensors);
  CHECK(SafetensorsFile::read(path).values<float>(SafetensorsFile::read(path).entries()[0]) ==
        values);
}
