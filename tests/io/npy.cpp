// .npy: arrays there and back, the bytes that NumPy writes, and one sentence for each thing that is
// not as it should be.
#include "rnx/io/npy.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "support/error_of.hpp"

namespace {

using namespace rnx;
using io::NpyFile;
using io::NpyType;
using Sizes = std::vector<std::size_t>;

NpyFile parse(const std::string& bytes) {
  return NpyFile::parse(std::as_bytes(std::span(bytes)), "a.npy");
}

/// A file of this header and data, without padding.
std::string file_of(const std::string& header, const std::string& data, int version = 1) {
  std::string length{char(header.size() & 255), char(header.size() >> 8 & 255)};
  if (version > 1)
    length += std::string{char(header.size() >> 16 & 255), char(header.size() >> 24)};
  return "\x93NUMPY" + std::string{char(version), 0} + length + header + data;
}

std::string dictionary(const std::string& shape, const std::string& descr = "<f4") {
  return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
}

/// The sentence without the name of the file.
std::string refused(const std::string& bytes) {
  const std::string text = support::error_of<FileError>([&] { parse(bytes); });
  return text.starts_with("a.npy: ") ? text.substr(7) : text;
}
std::string refused_header(const std::string& header) { return refused(file_of(header, "")); }

template <class T> void there_and_back(NpyType type, const std::vector<T>& values) {
  const Sizes shape{2, values.size() / 2};
  const std::string bytes = io::npy_bytes(shape, values.data());
  CHECK(bytes.size() == 128 + values.size() * sizeof(T));  // 10 + 118
  const NpyFile file = parse(bytes);
  CHECK(file.type() == type);
  CHECK(file.shape() == shape);
  CHECK(file.count() == values.size());
  CHECK(file.values<T>() == values);
  CHECK(file.bytes().size() == values.size() * sizeof(T));
}

}  // namespace

TEST_CASE("npy: each type there and back") {
  there_and_back<float>(NpyType::f4, {1.5f, -2, 3e38f, 1e-45f});
  there_and_back<double>(NpyType::f8, {1.5, -2, 1e308, 5e-324});
  there_and_back<std::int16_t>(NpyType::i2, {1, -32768, 32767, 0});
  there_and_back<std::int32_t>(NpyType::i4, {1, INT32_MIN, INT32_MAX, 0});
  there_and_back<std::int64_t>(NpyType::i8, {1, INT64_MIN, INT64_MAX, 0});
  there_and_back<std::uint8_t>(NpyType::u1, {1, 255, 0, 7});
  there_and_back<std::int8_t>(NpyType::i1, {1, -128, 127, 0});
  there_and_back<std::uint16_t>(NpyType::u2, {1, UINT16_MAX, 0, 7});
  there_and_back<std::uint64_t>(NpyType::u8, {1, UINT64_MAX, 0, 7});
  there_and_back<std::uint32_t>(NpyType::u4, {1, UINT32_MAX, 0, 7});
  const bool flags[] = {true, false, true};
  CHECK(parse(io::npy_bytes({3}, flags)).values<int>() == std::vector<int>{1, 0, 1});
  CHECK(parse(io::npy_bytes({3}, flags)).type() == NpyType::b1);
}

TEST_CASE("npy: the bytes are NumPy's") {
  const float values[] = {1, 2, 3};
  // numpy.save of numpy.array([1, 2, 3], 'f4')
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }";
  const std::string expected = "\x93NUMPY" + std::string("\1\0\x76\0", 4) + header +
                               std::string(117 - header.size(), ' ') + "\n" +
                               std::string("\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40", 12);
  CHECK(io::npy_bytes({3}, values) == expected);
  CHECK(io::npy_bytes({}, values).find("'shape': (), }") != std::string::npos);
  CHECK(io::npy_bytes({3, 1}, values).find("'shape': (3, 1), }") != std::string::npos);
  CHECK(parse(io::npy_bytes({}, values)).values<float>() == std::vector<float>{1});
  CHECK(parse(io::npy_bytes<float>({0, 5}, nullptr)).count() == 0);
  for (std::size_t digits = 1; digits < 17; ++digits) {
    const std::string text =
        io::npy_header(NpyType::u1, Sizes{std::size_t(std::pow(10.0, digits))});
    CHECK(text.size() % 64 == 0);
    CHECK(text.back() == '\n');
  }
}

TEST_CASE("npy: what else a header may look like") {
  for (const int version : {1, 2, 3})
    CHECK(parse(file_of(dictionary("(2,)", "<i4"), std::string("\1\0\0\0\2\0\0\0", 8), version))
              .values<int>() == std::vector<int>{1, 2});
  for (const char* header :
       {"{\"shape\": (2,), 'fortran_order':False,'descr':'|u1'}",
        "{'descr':'|u1','fortran_order':False,'shape':(2L,1,1L)}",
        "{'descr':'|u1','fortran_order':False,'shape':(1,2,)}",
        " { 'descr' : '<u1' , 'fortran_order' : False , 'shape' : ( 2 , ) , } \n\n"})
    CHECK(parse(file_of(header, "ab")).values<int>() == std::vector<int>{97, 98});
}

TEST_CASE("npy: values as another type") {
  const double wide[] = {0.1, 1e39};
  CHECK(parse(io::npy_bytes({1}, wide)).values<float>() == std::vector<float>{0.1f});
  const auto sentence = [](auto* as, const std::string& bytes) {
    return support::error_of<FileError>(
        [&] { parse(bytes).values<std::remove_pointer_t<decltype(as)>>(); });
  };
  CHECK(sentence((float*)nullptr, io::npy_bytes({2}, wide)) ==
        "a.npy: expected values that fit into float32, found 1e+39 at element 1");
  CHECK(sentence((int*)nullptr, io::npy_bytes({2}, wide)) == "a.npy: expected integers, found <f8");
  const std::int64_t labels[] = {3, -1, 1ll << 40};
  CHECK(parse(io::npy_bytes({2}, labels)).values<std::int32_t>() ==
        std::vector<std::int32_t>{3, -1});
  CHECK(parse(io::npy_bytes({3}, labels)).values<float>() == std::vector<float>{3, -1, 0x1p40f});
  CHECK(sentence((std::int32_t*)nullptr, io::npy_bytes({3}, labels)) ==
        "a.npy: expected values that fit into int32, found 1099511627776 at element 2");
  CHECK(sentence((std::uint8_t*)nullptr, io::npy_bytes({3}, labels)) ==
        "a.npy: expected values that fit into uint8, found -1 at element 1");
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(parse(io::npy_bytes({}, &inf)).values<float>()[0] ==
        std::numeric_limits<float>::infinity());
}

TEST_CASE("npy: each fault gives its sentence") {
  const std::string good = file_of(dictionary("(2,)"), "12345678");
  CHECK(parse(good).count() == 2);
  CHECK(refused("") == "expected a .npy file of at least 10 bytes, found 0");
  CHECK(refused("\x93NUMPY\1") == "expected a .npy file of at least 10 bytes, found 7");
  CHECK(refused("\x93NUMPX\1\0ab") ==
        "expected a .npy file of at least 10 bytes, found 7");  // the text ends at its zero byte
  CHECK(refused(std::string("PK\3\4______")) ==
        "expected a .npy file, found other bytes at its begin");
  CHECK(refused(file_of("", "", 4)) == "expected version 1.0, 2.0 or 3.0 of .npy, found 4.0");
  CHECK(refused(file_of("", "", 2).substr(0, 11)) ==
        "expected a .npy file of at least 12 bytes, found 11");
  CHECK(refused(file_of(std::string(65536, ' '), "", 2)) ==
        "expected a header of at most 65535 bytes, found the length 65536");
  CHECK(refused(std::string("\x93NUMPY\2\0\xff\xff\xff\xff", 12)) ==
        "expected a header of at most 65535 bytes, found the length 4294967295");
  CHECK(refused(std::string("\x93NUMPY\1\0\7\1", 10) + "{}") ==
        "expected a header of 263 bytes, found 2 bytes after its length");
  CHECK(refused(good.substr(0, good.size() - 1)) ==
        "expected 8 bytes for the shape (2,) of <f4, found 7");
  CHECK(refused(good + "x") == "expected 8 bytes for the shape (2,) of <f4, found 9");
}

TEST_CASE("npy: each fault of the header's dictionary gives its sentence") {
  const std::string keys = "expected the keys descr, fortran_order and shape, found ";
  CHECK(refused_header("") == "expected a dictionary as header, found the end of the header");
  CHECK(refused_header("[1]") == "expected a dictionary as header, found \"[1]\"");
  CHECK(refused_header("{'descr\xc3\xa9': 1}") ==
        "expected ASCII in the header, found byte 195 at its byte 7");
  CHECK(refused_header("{1: 2}") == "expected a key in quotes, found \"1: 2}\"");
  CHECK(refused_header("{'descr") == "expected a key in quotes, found \"'descr\"");
  CHECK(refused_header("{'a\\'b': 1}") == "expected a key in quotes, found \"'a\\'b': 1}\"");
  CHECK(refused_header("{'order': 1}") == keys + "\"order\"");
  CHECK(refused_header("{'descr': '<f4', 'descr': '<f4'}") ==
        "expected descr once, found it twice");
  CHECK(refused_header("{'descr' '<f4'}") == "expected a colon after descr, found \"'<f4'}\"");
  CHECK(refused_header("{}") == keys + "no descr");
  CHECK(refused_header("{'descr': '<f4', 'shape': (2,)}") == keys + "no fortran_order");
  CHECK(refused_header("{'descr': '<f4', 'fortran_order': False}") == keys + "no shape");
  CHECK(refused_header("{'descr': '<f4' 'shape'}") ==
        "expected a comma or the end of the dictionary, found \"'shape'}\"");
  CHECK(refused_header("{'descr': '<f4'") ==
        "expected a comma or the end of the dictionary, found the end of the header");
  CHECK(refused_header("{,}") == "expected a key in quotes, found \",}\"");
  CHECK(refused_header(dictionary("(2,)") + "x") ==
        "expected nothing after the dictionary, found \"x\"");
}

TEST_CASE("npy: each fault of the header's descr and fortran_order gives its sentence") {
  CHECK(refused_header(dictionary("(2,)", ">f4")) ==
        "expected one of <f4 <f8 <i2 <i4 <i8 |u1 <u4 |b1 |i1 <u2 <u8 as descr, found \">f4\", "
        "which is big-endian");
  CHECK(refused_header(dictionary("(2,)", "|O")) ==
        "expected one of <f4 <f8 <i2 <i4 <i8 |u1 <u4 |b1 |i1 <u2 <u8 as descr, found \"|O\"");
  CHECK(refused_header("{'descr': [('a', '<f4')]}") ==
        "expected one dtype in quotes as descr, found \"[('a', '<f4')]}\"");
  CHECK(refused_header("{'fortran_order': True}") ==
        "expected C order, found Fortran order (numpy.ascontiguousarray changes it)");
  CHECK(refused_header("{'fortran_order': 0}") ==
        "expected True or False as fortran_order, found \"0}\"");
}

TEST_CASE("npy: each fault of the header's shape gives its sentence") {
  const std::string shape = "expected a tuple of integers from 0 to 2^63 as shape, found ";
  CHECK(refused_header(dictionary("2")) == shape + "\"2, }\\x0a\"");
  CHECK(refused_header(dictionary("(-1,)")) == shape + "\"-1,), }\\x0a\"");
  CHECK(refused_header(dictionary("(2.5,)")) == shape + "\".5,), }\\x0a\"");
  CHECK(refused_header(dictionary("(007,)")) == shape + "\"007,), }\\x0a\"");
  CHECK(refused_header(dictionary("(1 2)")) == shape + "\"2), }\\x0a\"");
  CHECK(refused_header(dictionary("(,)")) == shape + "\",), }\\x0a\"");
  CHECK(refused_header(dictionary("(3)")) ==
        "expected a comma after the only dimension, found \"), }\\x0a\"");
  CHECK(refused_header("{'shape': (1,") == shape + "the end of the header");
  CHECK(refused_header(dictionary("(9223372036854775809,)")) ==
        shape + "\"9223372036854775809,), }\"");
  CHECK(
      refused_header(dictionary("(9223372036854775808, 1)", "|u1")) ==
      "expected 9223372036854775808 bytes for the shape (9223372036854775808, 1) of |u1, found 0");
  CHECK(refused_header(dictionary("(4611686018427387904,)")) ==
        "expected a size below 2^64 bytes, found the shape (4611686018427387904,)");
  CHECK(refused_header(dictionary("(4294967296, 4294967296)", "|u1")) ==
        "expected a size below 2^64 bytes, found the shape (4294967296, 4294967296)");
  CHECK(refused_header(dictionary("(1000000000000,)")) ==
        "expected 4000000000000 bytes for the shape (1000000000000,) of <f4, found 0");
  std::string many = "(";
  for (int k = 0; k < 65; ++k) many += "1,";
  CHECK(refused_header(dictionary(many + ")")) == "expected at most 64 dimensions, found more");
}

TEST_CASE("npy: files") {
  const auto path =
      std::filesystem::temp_directory_path() / ("rnx_npy_" + std::to_string(::getpid()) + ".npy");
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  io::write_npy(path, {3, 2}, values.data());
  {
    std::ifstream in(path, std::ios::binary);
    CHECK(std::string(std::istreambuf_iterator<char>(in), {}) ==
          io::npy_bytes({3, 2}, values.data()));
  }
  CHECK(NpyFile::read(path).values<float>() == values);
  CHECK(NpyFile::read(path).take_bytes().size() == 24);
  std::filesystem::resize_file(path, 140);
  CHECK(support::error_of<FileError>([&] { NpyFile::read(path); }) ==
        path.string() + ": expected 24 bytes for the shape (3, 2) of <f4, found 12");
  std::filesystem::remove(path);
  CHECK(support::error_of<FileError>([&] { NpyFile::read(path); }) ==
        path.string() + ": cannot be opened: No such file or directory");
  const std::string nowhere = "/no_such_folder/a.npy";
  CHECK(support::error_of<FileError>([&] { io::write_npy(nowhere, {6}, values.data()); }) ==
        nowhere + ": its folder cannot be opened: No such file or directory");
  CHECK(support::error_of<UsageError>([] {
          io::npy_header(NpyType::f8, Sizes{1ull << 40, 1ull << 40});
        }) ==
        "npy_header: expected a size below 2^64 bytes, found the shape (1099511627776, "
        "1099511627776)");
  CHECK(support::error_of<UsageError>([] { io::npy_header(NpyType::f8, Sizes(65, 1)); }) ==
        "npy_header: expected at most 64 dimensions, found 65");
}
