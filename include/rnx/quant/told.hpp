// Maps whose number of bases or of bits a network is told at run time: Map<at_run_time>, as
// Linear<at_run_time> is told its classes. One compiled family then serves every row of a sweep,
// with the parameters, operations and bits of the types that know the number.
#pragma once

#include <type_traits>

#include "rnx/core/dims.hpp"

namespace rnx::inline RNX_ABI::quant {

/// What a network tells its maps: bases of multi-bit maps, bits of the others. 0: nothing.
///   Network<Spec, In> net(seed, classes, {.weights = 3, .activations = 1});
struct Bits {
  int weights = 0, activations = 0;
  bool operator==(const Bits&) const = default;
};

/// Which number a map is told. One that is told some says so in `told`, and the least and the most
/// that it takes in `least` and `most`.
enum class Told { nothing, bases, bits };
namespace detail {
template <class Map> constexpr Told told_of() {
  if constexpr (requires { Map::told; })
    return Map::told;
  else
    return Told::nothing;
}
}  // namespace detail
template <class Map> constexpr Told told = detail::told_of<Map>();

namespace detail {
/// What multi-bit maps say of their bases: how many they know, or that they are told.
template <int K, int Least = 1, int Most = 8> struct Bases {
  static constexpr int bases = K, bits = K;
  static constexpr bool valid = K >= Least && K <= Most;
};
template <int Least, int Most> struct Bases<at_run_time, Least, Most> {
  static constexpr int bases = Most, bits = Most, least = Least, most = Most;
  static constexpr bool valid = true;
  static constexpr Told told = Told::bases;
};
/// What maps of one base say of their bits.
template <int K, int Least = 1, int Most = 16> struct NumberOfBits {
  static constexpr int bases = 1, bits = K;
  static constexpr bool valid = K >= Least && K <= Most;
};
template <int Least, int Most> struct NumberOfBits<at_run_time, Least, Most> {
  static constexpr int bases = 1, bits = Most, least = Least, most = Most;
  static constexpr bool valid = true;
  static constexpr Told told = Told::bits;
};
}  // namespace detail

/// A map's number of bases: a constant where the type knows it.
template <class Map>
using bases_t =
    std::conditional_t<told<Map> == Told::bases, int, std::integral_constant<int, Map::bases>>;
/// bits: what the network told the map; nothing else may come of 0.
template <class Map> constexpr bases_t<Map> bases_of(int bits) {
  if constexpr (told<Map> == Told::bases)
    return bits;
  else
    return {};
}
/// The same of its bits.
template <class Map>
using bits_t =
    std::conditional_t<told<Map> == Told::nothing, std::integral_constant<int, Map::bits>, int>;
template <class Map> constexpr bits_t<Map> bits_of(int bits) {
  if constexpr (told<Map> == Told::nothing)
    return {};
  else
    return bits;
}

}  // namespace rnx::inline RNX_ABI::quant
