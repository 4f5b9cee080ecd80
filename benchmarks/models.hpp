// The networks that are measured, for 3 x 32 x 32 images and 10 classes. Each is compiled in a file
// of its own (models/NAME.cpp).
#pragma once

#include <memory>

#include <rnx/network.hpp>

std::unique_ptr<rnx::NetworkBase<float>> make_resnet20();
std::unique_ptr<rnx::NetworkBase<float>> make_resnet18();
std::unique_ptr<rnx::NetworkBase<float>> make_wrn22x8();
std::unique_ptr<rnx::NetworkBase<float>> make_vgg11();

struct MeasuredModel {
  const char* name;
  int batch;
  std::unique_ptr<rnx::NetworkBase<float>> (*make)();
};
inline constexpr MeasuredModel measured_models[] = {{"resnet20", 128, make_resnet20},
                                                    {"resnet18", 64, make_resnet18},
                                                    {"wrn22x8", 32, make_wrn22x8},
                                                    {"vgg11", 64, make_vgg11}};
