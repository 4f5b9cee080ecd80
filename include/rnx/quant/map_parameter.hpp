// What a weight map or an activation map learns, as the map describes it. The layer gives it a
// place and a name ("conv1.activation.clip", "conv1.weight_map.alpha"), optimizers treat it by its
// kind, and what is there for each channel moves with the channel.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>

#include "rnx/core/parameter_kind.hpp"
#include "rnx/quant/told.hpp"

namespace rnx::inline RNX_ABI::quant {

/// What something is there for: once for the layer, or for each channel: of weights each filter
/// (output channel), of activations each channel of the input.
enum class Per { layer, channel };

/// Of the layer: shape (count). Of each channel: shape (channels, count), or (channels) where count
/// is 1. A map's parameters lie one behind the other, in the order in which it lists them.
struct MapParameter {
  const char* name;
  int count = 1;
  Per per = Per::layer;
  ParameterKind kind = ParameterKind::scale;
  Init init = Init::constant;
  double value = 0;           ///< of Init::constant
  bool of_deviation = false;  ///< `value` counts standard deviations of the weight at its start
};

namespace detail {
template <class Map> constexpr bool learns = requires { Map::parameters; };
}  // namespace detail

/// Whether a map's parameters, where it has any, are an array of MapParameter.
template <class Map> constexpr bool describes_parameters() {
  if constexpr (detail::learns<Map>) return requires {
      { Map::parameters[0] } -> std::convertible_to<MapParameter>;
      Map::parameters.size();
    };
  else
    return true;
}
/// A map's parameters: an empty array where it says nothing of them (or something else, which the
/// layer refuses). bases: of a map that is told them, which says `parameters_of(bases)`, too.
template <class Map> constexpr auto parameters_of([[maybe_unused]] int bases = Map::bases) {
  if constexpr (detail::learns<Map> && told<Map> == Told::bases)
    return Map::parameters_of(bases);
  else if constexpr (detail::learns<Map> && describes_parameters<Map>())
    return Map::parameters;
  else
    return std::array<MapParameter, 0>{};
}
/// Numbers that a file holds beside a weight map's bits: its scales, unless they are parameters.
template <class W> constexpr int stored_scales(int filters, int bases = W::bases) {
  if constexpr (!W::scaled || detail::learns<W>)
    return 0;
  else if constexpr (requires { W::scales_per; })
    return bases * (W::scales_per == Per::layer ? 1 : filters);
  else
    return bases * filters;
}
/// Elements of all parameters of a map, for so many channels.
template <class Map> constexpr std::size_t parameter_count(int channels, int bases = Map::bases) {
  std::size_t count = 0;
  for (const MapParameter& p : parameters_of<Map>(bases))
    count += std::size_t(p.count) * (p.per == Per::channel ? channels : 1);
  return count;
}

}  // namespace rnx::inline RNX_ABI::quant
