// The lists of paper 000's published code (its sensitivity_list.yaml): the share of its ReLUs that
// each layer keeps, in the network's order. Those of ResNet-18 with 82 and 50 thousand ReLUs are
// made by hand, the others follow from a sensitivity.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "rnx/core/error.hpp"
#include "rnx/linearize/budget.hpp"

namespace rnx::inline RNX_ISA::linearize {

/// Of a model with so many thousand ReLUs, on images of side x side.
struct PublishedList {
  std::string_view model;
  int side = 32, thousands = 0;
  std::span<const double> fractions{};
};

namespace detail {

inline constexpr double resnet18_25[] = {.004, .01,  .01,  .01, .011, .027, .038, .04, .042,
                                         .102, .124, .126, .13, .28,  .30,  .30,  .30};
inline constexpr double resnet18_50[] = {.02, .025, .03, .025, .025, .05, .05, .05, .05,
                                         .25, .25,  .25, .25,  .5,   .6,  .6,  .6};
inline constexpr double resnet18_82[] = {.01, .11, .14, .19, .21, .03, .03, .03, .03,
                                         .1,  .14, .19, .34, .35, .76, .83, .85};
inline constexpr double resnet18_100[] = {.00967, .0313, .036, .04236, .0466, .12, .165, .172, .188,
                                          .45555, .5505, .56,  .583,   1,     1,   1,    1};
inline constexpr double resnet18_120[] = {.012, .040, .046, .055, .060, .155, .214, .223, .244,
                                          .59,  .714, .726, .756, 1,    1,    1,    1};
inline constexpr double resnet18_150[] = {.02, .055, .062, .074, .081, .2, .28, .30, .32,
                                          .79, .96,  .97,  1,    1,    1,  1,   1};
inline constexpr double resnet18_tiny_150[] = {
    0.003270718065256496, 0.010608759498900427, 0.012179842178100765, 0.014342056569150302,
    0.015783532827907797, 0.040609484179082715, 0.05588723586029576,  0.058383739971179016,
    0.0637157796338261,   0.15423875017588157,  0.1863831175927745,   0.18943716640052768,
    0.1973712129575226,   0.43073389115378513,  0.45327790020226505,  0.45713685228594286,
    0.4577633491625338};
inline constexpr double resnet18_tiny_300[] = {
    0.006541436130512992, 0.021217518997800854, 0.02435968435620153, 0.028684113138300604,
    0.031567065655815595, 0.08121896835816543,  0.11177447172059152, 0.11676747994235803,
    0.1274315592676522,   0.30847750035176313,  0.372766235185549,   0.37887433280105537,
    0.3947424259150452,   0.8614677823075703,   0.9065558004045301,  0.9142737045718857,
    0.9155266983250676};
inline constexpr double resnet34_25[] = {
    .004, .0032, .0032, .0031, .0030, .0031, .0031, .012, .013, .0123, .01220703125,
    .013, .015,  .016,  .018,  .054,  .049,  .055,  .060, .061, .065,  .065,
    .069, .069,  .071,  .072,  .073,  .152,  .146,  .152, .152, .153,  .152};
inline constexpr double resnet34_50[] = {
    .003,  .00467, .0048,  .00565, .0065, .0071,  .008,   .0276, .0122,  .029,  .032,
    .0338, .0372,  .03846, .0419,  .1146, .0538,  .11776, .1246, .127,   .1336, .135,
    .14,   .14,    .144,   .1434,  .1466, .30432, .223,   .3055, .30555, .3064, .3058};
inline constexpr double resnet34_80[] = {
    .003, .0074, .0076,  .00896, .0103, .0112, .013,   .044,  .0153,  .04625, .0512,
    .054, .0595, .06154, .067,   .184,  .086,  .18867, .1997, .20385, .2141,  .2161,
    .224, .224,  .23,    .23,    .235,  .488,  .3573,  .49,   .49,    .49,    .49};
inline constexpr double resnet34_200[] = {
    .0042, .0199, .0204, .024,  .0276,  .03,  .0345, .1174, .041, .123, .1364,
    .144,  .158,  .1636, .1783, .48755, .229, .5,    .53,   .54,  .57,  .574,
    .6,    .6,    .612,  .61,   .623,   1,    .95,   1,     1,    1,    1};
inline constexpr double wrn22_8_240[] = {.04, .02,  .046, .056, .062, .069, .075, .16, .20, .22,
                                         .24, .245, .254, .512, .552, .567, .566, .57, .57};
inline constexpr double wrn22_8_300[] = {.0443, .025, .056, .070, .077, .0855, .0943,
                                         .205,  .257, .281, .294, .306, .317,  .64,
                                         .691,  .71,  .70,  .71,  .71};

inline constexpr PublishedList published[] = {
    {.model = "resnet18", .thousands = 25, .fractions = resnet18_25},
    {.model = "resnet18", .thousands = 50, .fractions = resnet18_50},
    {.model = "resnet18", .thousands = 82, .fractions = resnet18_82},
    {.model = "resnet18", .thousands = 100, .fractions = resnet18_100},
    {.model = "resnet18", .thousands = 120, .fractions = resnet18_120},
    {.model = "resnet18", .thousands = 150, .fractions = resnet18_150},
    {.model = "resnet18", .side = 64, .thousands = 150, .fractions = resnet18_tiny_150},
    {.model = "resnet18", .side = 64, .thousands = 300, .fractions = resnet18_tiny_300},
    {.model = "resnet34", .thousands = 25, .fractions = resnet34_25},
    {.model = "resnet34", .thousands = 50, .fractions = resnet34_50},
    {.model = "resnet34", .thousands = 80, .fractions = resnet34_80},
    {.model = "resnet34", .thousands = 200, .fractions = resnet34_200},
    {.model = "wrn-22-8", .thousands = 240, .fractions = wrn22_8_240},
    {.model = "wrn-22-8", .thousands = 300, .fractions = wrn22_8_300}};

}  // namespace detail

/// All of them.
inline std::span<const PublishedList> published_lists() { return detail::published; }

/// Errors: UsageError, which names those of the model.
inline const PublishedList& published_list(std::string_view model, int side, int thousands) {
  std::string others;
  for (const PublishedList& p : detail::published) {
    if (p.model != model) continue;
    if (p.side == side && p.thousands == thousands) return p;
    others += (others.empty() ? "" : ", ") + std::to_string(p.thousands) + " thousand at " +
              std::to_string(p.side) + " pixels";
  }
  throw UsageError("linearize: no published list of " + std::string(model) + " with " +
                   std::to_string(thousands) + " thousand ReLUs at " + std::to_string(side) +
                   " pixels; there are: " + (others.empty() ? "none" : others));
}

/// The sensitivities of ResNet-18's 17 ReLUs, by which the published budgets of 100, 120 and 150
/// thousand and those of Tiny-ImageNet are filled: any multiple, from that of 64 pixels, which no
/// layer cuts. `layers`: those of a ResNet-18 at any image size.
inline std::vector<double> resnet18_sensitivity(std::span<const ReluLayer> layers) {
  return weights_of(layers, detail::resnet18_tiny_300);
}

}  // namespace rnx::inline RNX_ISA::linearize
