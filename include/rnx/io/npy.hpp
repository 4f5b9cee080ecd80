// .npy (NumPy enhancement proposal 1, versions 1 to 3): one array, little-endian, row-major. Magic
// and version, the header's length, the header, the elements. The reader allocates for the elements
// only after the header was checked against the file's size.
#pragma once

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include "rnx/core/text.hpp"
#include "rnx/io/bytes.hpp"
#include "rnx/io/npy_header.hpp"

namespace rnx::inline RNX_ABI::io {

static_assert(std::endian::native == std::endian::little,
              "rnx: the .npy files it reads are little-endian, and so must be the machine");

/// A .npy file in memory.
class NpyFile {
 public:
  /// Reads a whole file. Errors: FileError, one sentence that names file, expected and found.
  static NpyFile read(const std::filesystem::path& path) {
    InputFile file(path);
    return NpyFile(file);
  }

  /// Type and shape alone: nothing is read behind the header, and there are no elements.
  static NpyFile header(const std::filesystem::path& path) {
    InputFile file(path);
    return NpyFile(file, false);
  }

  /// Reads bytes in memory; `what` names them in errors.
  static NpyFile parse(std::span<const std::byte> bytes, std::string what) {
    InputBytes input(bytes, std::move(what));
    return NpyFile(input);
  }

  const std::string& what() const { return what_; }
  NpyType type() const { return type_; }
  const std::vector<std::size_t>& shape() const { return shape_; }  ///< empty for a single number
  std::size_t count() const { return data_.size() / size_of(type_); }
  std::span<const std::uint8_t> bytes() const { return data_; }
  /// The bytes themselves, without a copy.
  std::vector<std::uint8_t> take_bytes() && { return std::move(data_); }

  /// The elements as T, row-major (b1 is 0 or 1). Floating point rounds to T. Errors: FileError, if
  /// T cannot hold a value: a finite one beyond the range, or floating point where T is an integer.
  template <class T> std::vector<T> values() const {
    static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>,
                  "rnx: values<T> gives floating-point numbers or integers");
    switch (type_) {
      case NpyType::f4: return values_from<T, float>();
      case NpyType::f8: return values_from<T, double>();
      case NpyType::i2: return values_from<T, std::int16_t>();
      case NpyType::i4: return values_from<T, std::int32_t>();
      case NpyType::i8: return values_from<T, std::int64_t>();
      case NpyType::u4: return values_from<T, std::uint32_t>();
      case NpyType::i1: return values_from<T, std::int8_t>();
      case NpyType::u2: return values_from<T, std::uint16_t>();
      case NpyType::u8: return values_from<T, std::uint64_t>();
      case NpyType::u1:
      case NpyType::b1: break;
    }
    return values_from<T, std::uint8_t>();
  }

 private:
  template <class Input>
  explicit NpyFile(Input& input, bool with_elements = true) : what_(input.what()) {
    const std::uint64_t size = input.size();
    const auto expect = [&](bool condition, const auto& sentence) {
      require<FileError>(condition, [&] { return what_ + ": expected " + sentence(); });
    };
    unsigned char prefix[12] = {};
    expect(size >= 10,
           [&] { return "a .npy file of at least 10 bytes, found " + std::to_string(size); });
    input.read(prefix, 10);
    expect(std::memcmp(prefix, "\x93NUMPY", 6) == 0,
           [] { return "a .npy file, found other bytes at its begin"; });
    const int version = prefix[6];
    expect(version >= 1 && version <= 3 && prefix[7] == 0, [&] {
      return "version 1.0, 2.0 or 3.0 of .npy, found " + std::to_string(version) + "." +
             std::to_string(prefix[7]);
    });
    std::size_t length = prefix[8] + 256 * std::size_t(prefix[9]), before = 10;
    if (version > 1) {
      before = 12;
      expect(size >= before,
             [&] { return "a .npy file of at least 12 bytes, found " + std::to_string(size); });
      input.read(prefix + 10, 2);
      length += (std::size_t(prefix[10]) << 16) + (std::size_t(prefix[11]) << 24);
    }
    expect(length <= detail::npy_max_header, [&] {
      return "a header of at most " + std::to_string(detail::npy_max_header) +
             " bytes, found the length " + std::to_string(length);
    });
    expect(length <= size - before, [&] {
      return "a header of " + std::to_string(length) + " bytes, found " +
             std::to_string(size - before) + " bytes after its length";
    });
    std::string text(length, '\0');
    input.read(text.data(), length);
    detail::NpyHeader header(text, what_);
    const std::uint64_t found = size - before - length;
    expect(header.bytes == found, [&] {
      return std::to_string(header.bytes) + " bytes for the shape " + npy_shape_text(header.shape) +
             " of " + std::string(name_of(header.type)) + ", found " + std::to_string(found);
    });
    type_ = header.type;
    shape_ = std::move(header.shape);
    if (!with_elements) return;
    try {
      data_.resize(found);
    } catch (const std::bad_alloc&) {
      throw FileError(what_ + ": expected memory for " + std::to_string(found) +
                      " bytes, found less");
    }
    input.read(data_.data(), data_.size());
  }

  template <class T, class V> std::vector<T> values_from() const {
    std::vector<T> out(count());
    if constexpr (std::is_integral_v<T> && std::is_floating_point_v<V>) {
      throw FileError(what_ + ": expected integers, found " + std::string(name_of(type_)));
    } else {
      V value{};
      for (std::size_t i = 0; i < out.size(); ++i) {
        std::memcpy(&value, data_.data() + i * sizeof value, sizeof value);
        if (type_ == NpyType::b1) value = value != V(0);
        bool fits = true;
        if constexpr (std::is_integral_v<T>)
          fits = std::in_range<T>(value);
        else if constexpr (sizeof(V) > sizeof(T) && std::is_floating_point_v<V>)
          fits = !std::isfinite(value) || std::abs(value) <= V(std::numeric_limits<T>::max());
        require<FileError>(fits, [&] {
          const std::string type = (std::is_floating_point_v<T> ? "float"
                                    : std::is_signed_v<T>       ? "int"
                                                                : "uint") +
                                   std::to_string(8 * sizeof(T));
          std::string text;
          if constexpr (std::is_floating_point_v<V>)
            text = number_text(double(value));
          else
            text = std::to_string(value);
          return what_ + ": expected values that fit into " + type + ", found " + text +
                 " at element " + std::to_string(i);
        });
        out[i] = static_cast<T>(value);
      }
    }
    return out;
  }

  std::string what_;
  NpyType type_ = NpyType::f4;
  std::vector<std::size_t> shape_;
  std::vector<std::uint8_t> data_;
};

/// What stands before the elements: version 1.0, padded to a multiple of 64 bytes as NumPy does.
/// Errors: UsageError (more than 64 dimensions, 2^64 bytes).
inline std::string npy_header(NpyType type, std::span<const std::size_t> shape) {
  require(shape.size() <= detail::npy_max_dimensions, [&] {
    return "npy_header: expected at most 64 dimensions, found " + std::to_string(shape.size());
  });
  std::size_t bytes = size_of(type);
  for (const std::size_t d : shape) {
    require(d == 0 || bytes <= SIZE_MAX / d, [&] {
      return "npy_header: expected a size below 2^64 bytes, found the shape " +
             npy_shape_text(shape);
    });
    bytes *= d;
  }
  std::string text = "{'descr': '" + std::string(name_of(type)) +
                     "', 'fortran_order': False, 'shape': " + npy_shape_text(shape) + ", }";
  text.append(63 - (10 + text.size()) % 64, ' ') += '\n';
  const char length[] = {static_cast<char>(text.size() & 255), static_cast<char>(text.size() >> 8)};
  return "\x93NUMPY" + std::string("\1\0", 2) + std::string(length, 2) + text;
}

/// A whole .npy file in memory: the product of `shape` elements at `values`, row-major. Errors:
/// UsageError, as npy_header.
template <class T> std::string npy_bytes(const std::vector<std::size_t>& shape, const T* values) {
  std::string text = npy_header(detail::npy_type_of<T>(), shape);
  std::size_t count = 1;
  for (const std::size_t d : shape) count *= d;
  if (count) text.append(reinterpret_cast<const char*>(values), count * sizeof(T));
  return text;
}

/// Writes a file as a whole: whatever fails, the old file stays as it was. Errors: FileError;
/// UsageError, as npy_header.
template <class T>
void write_npy(const std::filesystem::path& path, const std::vector<std::size_t>& shape,
               const T* values) {
  const std::string header = npy_header(detail::npy_type_of<T>(), shape);
  std::size_t count = 1;
  for (const std::size_t d : shape) count *= d;
  AtomicFile file(path);
  file.write(header.data(), header.size());
  file.write(values, count * sizeof(T));
  file.commit();
}

}  // namespace rnx::inline RNX_ABI::io
